//! Assessments: an instrument, answered and scored, and how one stands to others of its series.
//!
//! A result is kept as it was scored, and never scored anew. What it means beside others is computed whenever it is
//! read, from those that stand then: whoever corrects a baseline corrects every comparison with it.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::attendance::Author;
use super::code::words;
use super::ids::{AssessmentId, ClientId, MilestoneId, OrganisationId, PlanId};
use super::instrument::{Catalogue, Change, Complete, Form, Occasion, Score, Timing};
use super::personal::Personal;

words! {
    /// What must be known of an assessment beside its score.
    Flag {
        /// It came too soon after the last one that counts.
        TooSoon = "TOO_SOON",
        /// Only the year of birth is known, and the instrument may be outside its ages.
        AgeUncertain = "AGE_UNCERTAIN",
        /// Nothing is known of the age.
        AgeUnknown = "AGE_UNKNOWN",
        /// So soon after the event that a provisional label is not given.
        AcutePhase = "ACUTE_PHASE",
    }

    /// With what care two assessments compare.
    Care {
        /// The total of one makes up for missing answers.
        Prorated = "PRORATED",
        /// The instrument may be outside its ages at one.
        AgeUncertain = "AGE_UNCERTAIN",
        /// The first assessment of the plan does not compare; it is measured from the first that does.
        LaterBaseline = "LATER_BASELINE",
    }
}

/// An assessment. Only whether it stands changes: once, when a correction takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Its id.
    pub id: AssessmentId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The survivor.
    pub client_id: ClientId,
    /// The plan.
    pub plan_id: PlanId,
    /// The milestone that it belongs to.
    pub milestone_id: Option<MilestoneId>,
    /// With what, by whom and how it was made.
    pub form: Form,
    /// The local day, in the zone of the plan.
    pub assessed_on: NaiveDate,
    /// Nothing is left to ask.
    pub closed: bool,
    /// What was answered.
    pub answers: Complete,
    /// What that came to.
    pub result: Scored,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who recorded it.
    pub recorded_by: Author,
    /// The assessment whose place it takes, and why that one was wrong.
    pub supersedes: Option<(AssessmentId, Personal)>,
    /// Whether it stands.
    pub stands: bool,
}

/// What an answer sheet came to, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// The score.
    pub score: Score,
    /// What must be known beside it, and was when it was scored.
    pub flags: BTreeSet<Flag>,
}

/// An assessment beside the others of its series, as it reads now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The assessment.
    pub assessment: Assessment,
    /// The day of the event, as far as that is known now.
    pub event_on: Option<NaiveDate>,
    /// It came too soon after the last one that counts.
    pub too_soon: bool,
    /// The change since the baseline; none when it does not stand.
    pub since_baseline: Option<Comparison>,
    /// The change since the last one before it that counts.
    pub since_previous: Option<Comparison>,
}

/// How an assessment compares with an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The earlier one.
    pub since: AssessmentId,
    /// The change; none when that is the assessment itself.
    pub change: Option<Change>,
    /// With what care.
    pub care: BTreeSet<Care>,
}

impl Assessment {
    /// As others are compared with it.
    pub fn occasion(&self, too_soon: bool) -> Occasion {
        Occasion { form: self.form.clone(), on: self.assessed_on, total: self.result.score.total, too_soon }
    }
}

impl Reading {
    /// An assessment by itself.
    pub fn alone(assessment: Assessment, event_on: Option<NaiveDate>) -> Self {
        Self { assessment, event_on, too_soon: false, since_baseline: None, since_previous: None }
    }

    /// When it was made.
    pub fn timing(&self) -> Timing {
        Timing { assessed_on: self.assessment.assessed_on, event_on: self.event_on }
    }

    /// What must be known of it beside its score.
    pub fn flags(&self) -> BTreeSet<Flag> {
        let too_soon = self.too_soon.then_some(Flag::TooSoon);
        let acute = self.assessment.result.score.is_acute(self.timing()).then_some(Flag::AcutePhase);
        self.assessment.result.flags.iter().copied().chain(too_soon).chain(acute).collect()
    }
}

/// Sets the assessments of one series beside each other: those of one plan, instrument and informant that stand, in
/// any order. The first is the baseline; where it does not compare, in another language for instance, the first that
/// does. One that came too soon counts for nobody: what follows is measured, in days and in points, from those that
/// did not.
pub fn beside_each_other(
    instruments: &Catalogue,
    mut series: Vec<Assessment>,
    event_on: Option<NaiveDate>,
) -> Vec<Reading> {
    series.sort_by_key(|it| (it.assessed_on, it.id));
    let mut readings: Vec<Reading> = Vec::with_capacity(series.len());
    for assessment in series {
        let last_on = readings.iter().rev().find(|it| !it.too_soon).map(|it| it.assessment.assessed_on);
        let rules = instruments.version(&assessment.form.instrument, &assessment.form.version);
        let too_soon = rules.zip(last_on).is_some_and(|(rules, on)| rules.too_soon(assessment.assessed_on, on));
        let compare = |earlier: &Reading| {
            let change = rules?.change(&earlier.assessment.occasion(earlier.too_soon), &assessment.occasion(too_soon));
            let care = care(&earlier.assessment, &assessment);
            Some(Comparison { since: earlier.assessment.id, change: Some(change), care })
        };
        let baseline = || Some(Comparison { since: assessment.id, change: None, care: BTreeSet::new() });
        let since_baseline = match readings.first() {
            None => baseline(),
            Some(first) => first_that_compares(readings.iter().filter_map(compare)).map(|it| it.later_than(first)),
        };
        let before = || readings.iter().rev().filter(|it| !it.too_soon).filter_map(compare);
        let since_previous = first_that_compares(before());
        readings.push(Reading { assessment, event_on, too_soon, since_baseline, since_previous });
    }
    readings
}

/// The first that compares; when none does, the first, which says why.
fn first_that_compares(all: impl Iterator<Item = Comparison>) -> Option<Comparison> {
    let mut first = None;
    for it in all {
        if matches!(it.change, Some(Change::Compared { .. })) {
            return Some(it);
        }
        first.get_or_insert(it);
    }
    first
}

impl Comparison {
    /// Says with it that it is not with the first of all.
    fn later_than(mut self, first: &Reading) -> Self {
        if self.since != first.assessment.id {
            self.care.insert(Care::LaterBaseline);
        }
        self
    }
}

fn care(one: &Assessment, other: &Assessment) -> BTreeSet<Care> {
    let either = |holds: fn(&Scored) -> bool| holds(&one.result) || holds(&other.result);
    let prorated = either(|it| it.score.prorated).then_some(Care::Prorated);
    let uncertain = either(|it| it.flags.contains(&Flag::AgeUncertain)).then_some(Care::AgeUncertain);
    prorated.into_iter().chain(uncertain).collect()
}
