//! The rules of escalation as data: by when, what a concern raises, what closes which (follow-up, "Escalation").
//! All of it is \[P\]: parameters of ours, to be approved by a clinician.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Action, Alarm, ConcernKind, Level, Trigger};
use crate::domain::time::{DayTime, local_day, resolve};
use crate::domain::working_days::WorkingDays;

/// By when somebody must have taken an escalation on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// So much later, at any hour of any day.
    Within(TimeDelta),
    /// The end of the local day, but never sooner than so much later.
    EndOfDay(TimeDelta),
    /// The end of the last of so many working days after the local day.
    WorkingDays(u32),
}

impl Deadline {
    /// The instant, for what is raised at another, in the zone of its working time. `days` are that zone's; only
    /// [`Deadline::WorkingDays`] looks at them. Never before `raised_at`.
    pub fn due_at(self, raised_at: DateTime<Utc>, zone: Tz, days: &WorkingDays) -> DateTime<Utc> {
        let today = local_day(raised_at, zone);
        match self {
            Deadline::Within(length) => raised_at + length,
            Deadline::EndOfDay(least) => resolve(DayTime::END_OF_DAY.on(today), zone).max(raised_at + least),
            Deadline::WorkingDays(count) => resolve(DayTime::END_OF_DAY.on(days.plus(today, count)), zone),
        }
    }
}

/// What a level means.
#[derive(Debug)]
pub struct LevelRow {
    /// The level.
    pub level: Level,
    /// By when somebody must have taken it on.
    pub deadline: Deadline,
    /// What closes it.
    pub closed_by: &'static [Action],
    /// Whether a no-show while it is open is itself a reason, and whether it goes before others on the waitlist.
    pub pressing: bool,
}

/// Every level, in the order of the words.
pub const LEVELS: &[LevelRow] = &[
    LevelRow { level: Level::R1, deadline: Deadline::WorkingDays(2), closed_by: Action::ALL, pressing: false },
    LevelRow {
        level: Level::R2,
        deadline: Deadline::EndOfDay(TimeDelta::hours(2)),
        closed_by: Action::ALL,
        pressing: true,
    },
    LevelRow {
        level: Level::R3,
        deadline: Deadline::Within(TimeDelta::hours(1)),
        closed_by: &[Action::LiveContact, Action::EmergencyServices, Action::Referral],
        pressing: true,
    },
];

/// What a concern leads to.
#[derive(Debug)]
pub struct ConcernRow {
    /// What was learned.
    pub kind: ConcernKind,
    /// What it raises.
    pub alarm: Alarm,
    /// Whether it opens the task of a report that the law demands (India, "Mandatory reporting"). Whether there is
    /// anything to report, people decide.
    pub report: bool,
}

const fn immediate(kind: ConcernKind, trigger: Trigger) -> ConcernRow {
    ConcernRow { kind, alarm: Alarm { level: Level::R3, trigger }, report: true }
}

/// Every kind of concern, in the order of the words.
pub const CONCERNS: &[ConcernRow] = &[
    immediate(ConcernKind::NewDisclosure, Trigger::NewDisclosure),
    immediate(ConcernKind::ContactWithAccused, Trigger::ContactWithAccused),
    immediate(ConcernKind::Threat, Trigger::Threat),
    immediate(ConcernKind::MissingChild, Trigger::MissingChild),
];

// A row is found by its place.
const _: () = {
    assert!(LEVELS.len() == Level::ALL.len() && CONCERNS.len() == ConcernKind::ALL.len());
    let mut place = 0;
    while place < LEVELS.len() {
        assert!(LEVELS[place].level as usize == place);
        place += 1;
    }
    place = 0;
    while place < CONCERNS.len() {
        assert!(CONCERNS[place].kind as usize == place);
        place += 1;
    }
};

/// A survivor did not come while something pressing is open: a welfare check, by safe channels only.
pub const NO_SHOW_WHILE_OPEN: Alarm = Alarm { level: Level::R2, trigger: Trigger::NoShowWhileOpen };
/// A survivor did not come twice in a row.
pub const TWO_NO_SHOWS: Alarm = Alarm { level: Level::R1, trigger: Trigger::TwoNoShows };

/// How long after it became known a report is due. The law says nothing of hours; the figure is that of POCSO
/// s.19(6), by which police tell the Child Welfare Committee and the Special Court.
pub const REPORT_WITHIN: TimeDelta = TimeDelta::hours(24);

impl Level {
    /// Its row.
    pub const fn row(self) -> &'static LevelRow {
        &LEVELS[self as usize]
    }
}

impl ConcernKind {
    /// Its row.
    pub const fn row(self) -> &'static ConcernRow {
        &CONCERNS[self as usize]
    }
}

#[cfg(test)]
mod tests;
