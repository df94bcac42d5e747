//! Plan templates: which milestones a plan has, as data in versions. A version is never changed, because plans that
//! were made with it keep it; another one takes its place for plans that are made later.

use std::fmt;

use super::milestone::{AnchorWord, Provisional};
use crate::domain::case_event::CaseEventKind as Event;
use crate::domain::code::words;

/// Code of the template for survivors.
pub const SURVIVOR_STANDARD: &str = "SURVIVOR_STANDARD";
/// Code of the template for cases under the Protection of Children from Sexual Offences Act.
pub const POCSO: &str = "POCSO";

words! {
    /// What is answered at a milestone; which instruments that are, the age says.
    InstrumentSet {
        /// The full set for the age.
        Full = "FULL",
        /// The scale that tracks trauma symptoms.
        Trauma = "TRAUMA",
        /// That, and a scale of depression.
        TraumaAndPhq = "TRAUMA_AND_PHQ",
        /// What is asked beside the check of risk, soon after the event.
        Risk = "RISK",
    }
}

/// What a clock hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The intake.
    Intake,
    /// The report or the incident, whichever became known later.
    Report,
    /// The attended session that completes the first half of those planned, rounded up.
    HalfTime,
    /// The end of treatment.
    End,
    /// An event of the case.
    Event(Event),
}

impl Anchor {
    /// Its word.
    pub const fn word(self) -> AnchorWord {
        match self {
            Anchor::Intake => AnchorWord::Intake,
            Anchor::Report => AnchorWord::Report,
            Anchor::HalfTime => AnchorWord::Session,
            Anchor::End => AnchorWord::End,
            Anchor::Event(_) => AnchorWord::CaseEvent,
        }
    }

    /// The event of the case, if it is one.
    pub const fn event(self) -> Option<Event> {
        match self {
            Anchor::Event(kind) => Some(kind),
            _ => None,
        }
    }
}

/// How long after its anchor a milestone is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many hours, from instant to instant.
    Hours(u32),
    /// So many calendar days.
    Days(u32),
    /// So many calendar months, clamped to the month's end.
    Months(u32),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, word) = match *self {
            Limit::Hours(count) => (count, "hour"),
            Limit::Days(count) => (count, "day"),
            Limit::Months(count) => (count, "month"),
        };
        write!(f, "{count} {word}{}", if count == 1 { "" } else { "s" })
    }
}

/// How a step of procedure comes to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Procedure {
    /// The event that shows it was done.
    pub done_by: Event,
    /// Its clock starts with this too, if it came first, and with the intake while neither is recorded.
    pub or_after: Option<Event>,
    /// It is asked for only once this was recorded.
    pub only_after: Option<Event>,
    /// It is not asked for once this was recorded, unless it was done.
    pub waived_by: Option<Event>,
    /// How that which was done comes to an end, so that it is asked for again; none for what is done once and for all.
    pub lapse: Option<Lapse>,
    /// It recurs every month until the first of these after its clock has started; once only when there are none. Its
    /// clock starts anew with every event that starts it.
    pub monthly_until: &'static [Event],
}

/// How what was done comes to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// This ends it.
    pub by: Event,
    /// Once this was recorded, it is not asked for again.
    pub unless_after: Event,
}

/// What a milestone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Answers.
    Answers(InstrumentSet),
    /// A step of procedure.
    Procedure(Procedure),
}

/// A milestone of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its code.
    pub code: &'static str,
    /// What its clock hangs on.
    pub anchor: Anchor,
    /// When it is due.
    pub limit: Limit,
    /// How many days before the due day its window opens; steps of procedure open with their clock.
    pub opens_before: u32,
    /// How many days after the due day its window closes; none when it stays open.
    pub closes_after: Option<u32>,
    /// Whether it can fall due by an anchor that is only planned.
    pub provisional: Provisional,
    /// What it asks for.
    pub asks: Asks,
    /// Where the limit comes from; empty when it is clinical.
    pub basis: &'static str,
}

impl Step {
    /// The instruments it asks for, if any.
    pub const fn set(&self) -> Option<InstrumentSet> {
        match self.asks {
            Asks::Answers(set) => Some(set),
            Asks::Procedure(_) => None,
        }
    }

    /// How it is done, for a step of procedure.
    pub const fn procedure(&self) -> Option<Procedure> {
        match self.asks {
            Asks::Answers(_) => None,
            Asks::Procedure(procedure) => Some(procedure),
        }
    }

    /// Whether it recurs.
    pub fn is_monthly(&self) -> bool {
        self.procedure().is_some_and(|it| !it.monthly_until.is_empty())
    }
}

/// A version of a template.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// Its code.
    pub code: &'static str,
    /// Which version, from 1.
    pub version: u32,
    /// It is for cases, not for survivors.
    pub for_cases: bool,
    /// Somebody taken in later than so many months after the report has no milestones that hang on it.
    pub monitored_months: u32,
    /// Its milestones, in order.
    pub steps: &'static [Step],
}

impl Template {
    /// The milestone of a code.
    pub fn step(&self, code: &str) -> Option<&'static Step> {
        self.steps.iter().find(|it| it.code == code)
    }
}

/// Templates, every version of each.
#[derive(Clone, Copy, Debug)]
pub struct Templates(pub &'static [Template]);

impl Templates {
    /// One version.
    pub fn find(self, code: &str, version: u32) -> Option<&'static Template> {
        self.0.iter().find(|it| it.code == code && it.version == version)
    }

    /// The newest version of a code.
    pub fn newest(self, code: &str) -> Option<&'static Template> {
        self.0.iter().filter(|it| it.code == code).max_by_key(|it| it.version)
    }

    /// The newest version of each, by code.
    pub fn current(self) -> Vec<&'static Template> {
        let is_newest = |it: &&Template| self.newest(it.code).is_some_and(|newest| newest.version == it.version);
        let mut all: Vec<_> = self.0.iter().filter(is_newest).collect();
        all.sort_by_key(|it| it.code);
        all
    }
}

/// The templates that plans are made with.
pub const TEMPLATES: Templates = Templates(&[
    Template { code: SURVIVOR_STANDARD, version: 1, for_cases: false, monitored_months: 1, steps: SURVIVOR_STANDARD_1 },
    Template { code: POCSO, version: 1, for_cases: true, monitored_months: 0, steps: POCSO_1 },
]);

/// The table of follow-up. Due days: NICE NG116, WHO 2014; the windows, in days before and after, are ours \[P\].
const SURVIVOR_STANDARD_1: &[Step] = &[
    answers("BASELINE", Anchor::Intake, Limit::Days(0), 0, 7, InstrumentSet::Full),
    answers("MONITOR_2W", Anchor::Report, Limit::Days(14), 3, 7, InstrumentSet::Risk),
    answers("MONITOR_1M", Anchor::Report, Limit::Months(1), 7, 14, InstrumentSet::Full),
    answers("MID", Anchor::HalfTime, Limit::Days(0), 0, 14, InstrumentSet::Trauma),
    answers("END", Anchor::End, Limit::Days(0), 7, 14, InstrumentSet::Full),
    after_discharge("FU_1M", 1, 7, 14, InstrumentSet::TraumaAndPhq),
    after_discharge("FU_3M", 3, 14, 21, InstrumentSet::TraumaAndPhq),
    after_discharge("FU_6M", 6, 14, 30, InstrumentSet::Full),
    after_discharge("FU_12M", 12, 30, 30, InstrumentSet::Full),
];

/// The table of India, "Procedural milestones". Windows open with the clock and never close.
const POCSO_1: &[Step] = &[
    event("CARE_PROTECTION", Event::Report, Limit::Hours(24), Event::CareArranged, "POCSO s.19(5)"),
    event("CWC_COURT_REPORT", Event::Report, Limit::Hours(24), Event::CwcCourtTold, "POCSO s.19(6)"),
    only_after(
        Event::HomeNotSafe,
        event("PRODUCE_CWC", Event::Information, Limit::Hours(24), Event::ProducedBeforeCwc, "POCSO Rules 2020 r.4"),
    ),
    SUPPORT_PERSON_1,
    monthly_until(
        &[Event::SupportPersonEnded, Event::TrialEnded],
        event(
            "SP_MONTHLY",
            Event::SupportPersonAssigned,
            Limit::Months(1),
            Event::SupportPersonReport,
            "POCSO Rules 2020 r.4(12)",
        ),
    ),
    event("MED_EXAM", Event::Information, Limit::Hours(24), Event::MedicalExamination, "POCSO s.27, BNSS s.184"),
    event("AGE_TEST", Event::AgeTestOrdered, Limit::Days(15), Event::AgeTestDone, "JJ Act s.94(2)"),
    event("CHILD_EVIDENCE", Event::Cognizance, Limit::Days(30), Event::ChildEvidenceRecorded, "POCSO s.35(1)"),
    event("TRIAL_END", Event::Cognizance, Limit::Months(12), Event::TrialEnded, "POCSO s.35(2)"),
    event("SPECIAL_RELIEF", Event::ReliefRecommended, Limit::Days(7), Event::ReliefPaid, "POCSO Rules 2020 r.8"),
    event(
        "COMPENSATION_PAID",
        Event::CompensationOrdered,
        Limit::Days(30),
        Event::CompensationPaid,
        "POCSO Rules 2020 r.9",
    ),
];

/// Mandatory from the beginning, unless the Child Welfare Committee records why there is none. The law sets no limit:
/// that of 7 days is ours \[P\], so that it is found among what is due. Who was assigned stays so until the assignment
/// ends; then another is asked for by the same limit \[P\], unless the trial is over.
const SUPPORT_PERSON_1: Step = Step {
    asks: Asks::Procedure(Procedure {
        done_by: Event::SupportPersonAssigned,
        or_after: Some(Event::Information),
        only_after: None,
        waived_by: Some(Event::SupportPersonWaived),
        lapse: Some(Lapse { by: Event::SupportPersonEnded, unless_after: Event::TrialEnded }),
        monthly_until: &[],
    }),
    ..event(
        "SUPPORT_PERSON",
        Event::Report,
        Limit::Days(7),
        Event::SupportPersonAssigned,
        "POCSO Rules 2020 r.4(8); Supreme Court 2023; no limit in law, 7 days are proposed [P]",
    )
};

const fn answers(
    code: &'static str,
    anchor: Anchor,
    limit: Limit,
    opens_before: u32,
    closes_after: u32,
    set: InstrumentSet,
) -> Step {
    Step {
        code,
        anchor,
        limit,
        opens_before,
        closes_after: Some(closes_after),
        provisional: Provisional::Counts,
        asks: Asks::Answers(set),
        basis: "",
    }
}

const fn after_discharge(code: &'static str, months: u32, opens: u32, closes: u32, set: InstrumentSet) -> Step {
    let step = answers(code, Anchor::End, Limit::Months(months), opens, closes, set);
    Step { provisional: Provisional::Waits, ..step }
}

const fn event(code: &'static str, starts: Event, limit: Limit, done_by: Event, basis: &'static str) -> Step {
    Step {
        code,
        anchor: Anchor::Event(starts),
        limit,
        opens_before: 0,
        closes_after: None,
        provisional: Provisional::Counts,
        asks: Asks::Procedure(Procedure {
            done_by,
            or_after: None,
            only_after: None,
            waived_by: None,
            lapse: None,
            monthly_until: &[],
        }),
        basis,
    }
}

const fn only_after(event: Event, step: Step) -> Step {
    match step.asks {
        Asks::Procedure(it) => Step { asks: Asks::Procedure(Procedure { only_after: Some(event), ..it }), ..step },
        Asks::Answers(_) => step,
    }
}

const fn monthly_until(events: &'static [Event], step: Step) -> Step {
    match step.asks {
        Asks::Procedure(it) => Step { asks: Asks::Procedure(Procedure { monthly_until: events, ..it }), ..step },
        Asks::Answers(_) => step,
    }
}
