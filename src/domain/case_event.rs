//! Recorded events of a case, which start and stop the clocks of its steps of procedure. No legal conclusion is drawn
//! from them (India, "Procedural milestones").

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::code::words;
use super::ids::{CaseEventId, CaseId};
use super::personal::Personal;
use super::time::{DayTime, local_day, resolve};

words! {
    /// What happened.
    CaseEventKind {
        /// The offence was reported to police.
        Report = "REPORT",
        /// The authority was informed that a child is concerned.
        Information = "INFORMATION",
        /// The accused lives in the household, or the child has no parental support.
        HomeNotSafe = "HOME_NOT_SAFE",
        /// Care and protection were arranged.
        CareArranged = "CARE_ARRANGED",
        /// The Child Welfare Committee and the Special Court were told.
        CwcCourtTold = "CWC_COURT_TOLD",
        /// The child was produced before the Child Welfare Committee.
        ProducedBeforeCwc = "PRODUCED_BEFORE_CWC",
        /// A support person was assigned.
        SupportPersonAssigned = "SUPPORT_PERSON_ASSIGNED",
        /// The Child Welfare Committee recorded why there is no support person.
        SupportPersonWaived = "SUPPORT_PERSON_WAIVED",
        /// The support person's monthly report reached the Child Welfare Committee.
        SupportPersonReport = "SUPPORT_PERSON_REPORT",
        /// The support person's assignment ended.
        SupportPersonEnded = "SUPPORT_PERSON_ENDED",
        /// The medical examination took place.
        MedicalExamination = "MEDICAL_EXAMINATION",
        /// A medical age test was ordered.
        AgeTestOrdered = "AGE_TEST_ORDERED",
        /// The result of the age test came.
        AgeTestDone = "AGE_TEST_DONE",
        /// The Special Court took cognizance.
        Cognizance = "COGNIZANCE",
        /// The child's evidence was recorded.
        ChildEvidenceRecorded = "CHILD_EVIDENCE_RECORDED",
        /// The trial ended.
        TrialEnded = "TRIAL_ENDED",
        /// The Child Welfare Committee's recommendation of special relief was received.
        ReliefRecommended = "RELIEF_RECOMMENDED",
        /// The special relief was paid.
        ReliefPaid = "RELIEF_PAID",
        /// The court's order of compensation was received.
        CompensationOrdered = "COMPENSATION_ORDERED",
        /// The compensation was paid.
        CompensationPaid = "COMPENSATION_PAID",
    }
}

/// A recorded event. Never changed: a correction takes its place.
#[derive(Clone, Debug)]
pub struct CaseEvent {
    /// Its id.
    pub id: CaseEventId,
    /// The case.
    pub case_id: CaseId,
    /// What happened.
    pub kind: CaseEventKind,
    /// When; the start of the local day when only that is known.
    pub happened_at: DateTime<Utc>,
    /// The local day.
    pub happened_on: NaiveDate,
    /// The time of day is known.
    pub time_known: bool,
    /// The document or person it is known from.
    pub source: Personal,
    /// The office or person that did it.
    pub actor: Personal,
    /// It says that the event it supersedes did not happen.
    pub withdrawn: bool,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub recorded_by: String,
    /// The event whose place it takes, and why that was wrong.
    pub supersedes: Option<(CaseEventId, Personal)>,
    /// A later one has taken its place.
    pub superseded: bool,
}

/// When something happened, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At an instant.
    At(DateTime<Utc>),
    /// On a local day.
    On(NaiveDate),
}

impl When {
    /// The instant in a zone; of a day that is all that is known, its start.
    pub fn at(self, zone: Tz) -> DateTime<Utc> {
        match self {
            When::At(at) => at,
            When::On(day) => resolve(DayTime::MIDNIGHT.on(day), zone),
        }
    }

    /// The local day in a zone.
    pub fn on(self, zone: Tz) -> NaiveDate {
        match self {
            When::At(at) => local_day(at, zone),
            When::On(day) => day,
        }
    }

    /// Whether the time of day is known.
    pub fn time_known(self) -> bool {
        matches!(self, When::At(_))
    }

    /// Whether it has not come, at an instant in a zone. A day has come with its beginning.
    pub fn is_ahead(self, now: DateTime<Utc>, zone: Tz) -> bool {
        match self {
            When::At(at) => at > now,
            When::On(day) => day > local_day(now, zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_local_day_and_has_come_when_it_begins() {
        let zone: Tz = "Asia/Kolkata".parse().unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let on = |text: &str| When::On(text.parse().unwrap());
        assert_eq!(on("2026-11-23").at(zone), at("2026-11-22T18:30:00Z"));
        assert_eq!(When::At(at("2026-11-22T18:45:00Z")).on(zone).to_string(), "2026-11-23");
        // 00:15 there, which is the day before in UTC.
        let now = at("2026-11-22T18:45:00Z");
        assert!(!on("2026-11-23").is_ahead(now, zone) && on("2026-11-24").is_ahead(now, zone));
        assert!(on("2026-11-23").is_ahead(now, Tz::UTC));
        assert!(
            !When::At(now).is_ahead(now, zone)
                && When::At(now + chrono::TimeDelta::microseconds(1)).is_ahead(now, zone)
        );
        // A midnight that a clock change skips.
        let beirut: Tz = "Asia/Beirut".parse().unwrap();
        assert_eq!(on("2026-03-29").at(beirut), at("2026-03-28T22:00:00Z"));
    }
}
