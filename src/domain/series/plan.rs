//! What a series was asked for, and what was planned. What belongs to one of its sessions stands in that
//! session.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Pattern;
use crate::domain::code::{CareService, words};
use crate::domain::ids::{CounsellorId, OrganisationId, ProgrammeId, SeriesId};
use crate::domain::party::Party;
use crate::domain::place::WantedPlace;
use crate::domain::programme::{Form, Programme};
use crate::domain::rules::RuleCode;
use crate::domain::session::{Occurrence, Override, Wanted};
use crate::domain::text::Code;
use crate::domain::time::{Day, DayTime, Span, resolve};

words! {
    /// Whether a part of a series may stand alone.
    Fit {
        /// Every session or none.
        AllOrNothing = "ALL_OR_NOTHING",
        /// Those that fit; the others are reported.
        BookWhatFits = "BOOK_WHAT_FITS",
    }
}

/// What becomes of a session on a day on which nobody can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnClosure {
    /// It is refused, like anything else.
    Stay,
    /// The day is left out, and one more is appended at the end.
    SkipAndExtend,
    /// It moves to the next free time within so many days, 1 to [`LONGEST_SHIFT`].
    NextFree(u32),
}

/// The furthest that a closure moves a session, in days \[P\].
pub const LONGEST_SHIFT: u32 = 31;
/// The most days that a series skips: as many as it has sessions at most \[P\].
pub const MOST_SKIPPED: usize = 60;

/// A series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// How often it was written; its etag.
    pub version: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was last moved or cancelled.
    pub updated_at: DateTime<Utc>,
    /// The organisation of all who meet.
    pub organisation_id: OrganisationId,
    /// The zone of its local times.
    pub zone: Tz,
    /// What was asked for.
    pub asked: Asked,
    /// What was planned, by number.
    pub plan: Vec<Planned>,
    /// Days that were left out because of a closure, in order.
    pub skipped: Vec<Skipped>,
}

/// How a series was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By a rule.
    Rule {
        /// The rule with its end, as [`Pattern::rule`] writes it.
        rule: String,
        /// The first local start.
        first: NaiveDateTime,
        /// Days left out from the beginning.
        exceptions: BTreeSet<NaiveDate>,
    },
    /// By a programme.
    Programme {
        /// Which.
        programme_id: ProgrammeId,
        /// Its version.
        version: i64,
        /// Poured from this day on.
        first_on: NaiveDate,
        /// Into these slots.
        week: Vec<(Day, DayTime)>,
    },
}

/// What was planned under one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The number.
    pub number: u32,
    /// Local start, in the zone of the series.
    pub local: NaiveDateTime,
    /// Length in minutes.
    pub minutes: i64,
    /// Module of the programme.
    pub module: Option<Code>,
    /// What closed the planned time, when a session was booked at another.
    pub closed: Vec<RuleCode>,
    /// What stood in the way when it was last asked for; none when nothing did.
    pub refused: Option<Denied>,
}

/// What stood in the way of a session of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// Of which start.
    pub starts_at: DateTime<Utc>,
    /// Every rule.
    pub rules: Vec<RuleCode>,
}

/// A day that was left out because of a closure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Local start, in the zone of the series.
    pub local: NaiveDateTime,
    /// What closed it.
    pub rules: Vec<RuleCode>,
}

impl Series {
    /// What was planned under a number.
    pub fn planned(&self, number: u32) -> Option<&Planned> {
        self.plan.iter().find(|it| it.number == number)
    }
}

impl Planned {
    /// How long it is to last.
    pub fn length(&self) -> TimeDelta {
        TimeDelta::minutes(self.minutes)
    }

    /// When it is to take place.
    pub fn span(&self, zone: Tz) -> Option<Span> {
        Span::lasting(resolve(self.local, zone), self.length())
    }
}

/// From what the starts of a series follow.
#[derive(Clone, Debug)]
pub enum Course {
    /// From a rule, each as long as the others.
    Rule(Pattern, TimeDelta),
    /// From a programme, the sessions of one form poured into a week from a day on.
    Programme(Box<Programme>, Form, NaiveDate, Vec<(Day, DayTime)>),
}

impl Course {
    /// Its sessions in order, none at a start that is closed: those that follow come one start later, and
    /// as many as are skipped are appended at the end. Fewer when the rule has no more days.
    pub fn plan(&self, closed: &BTreeSet<NaiveDateTime>) -> Vec<Planned> {
        match self {
            Course::Rule(pattern, length_for) => {
                let own: Vec<_> = pattern.occurrences().into_iter().map(|it| it.local).collect();
                let count = own.len();
                let further = pattern.further(pattern.first().date());
                let open = own.into_iter().chain(further).filter(|local| !closed.contains(local));
                (1..).zip(open.take(count)).map(|(number, local)| planned(number, local, *length_for, None)).collect()
            }
            Course::Programme(programme, form, first_on, week) => {
                let week: Vec<_> = week.iter().map(|(day, time)| (*day, time.on(*first_on).time())).collect();
                let poured = programme.pour_around(*first_on, &week, *form, closed);
                poured.into_iter().map(|it| planned(it.number, it.local, it.length_for, Some(it.module))).collect()
            }
        }
    }
}

fn planned(number: u32, local: NaiveDateTime, length_for: TimeDelta, module: Option<Code>) -> Planned {
    Planned { number, local, minutes: length_for.num_minutes(), module, closed: Vec::new(), refused: None }
}

/// What the sessions of a series have in common when they are asked for.
#[derive(Clone, Debug)]
pub struct Common {
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// With whom.
    pub party: Party,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: WantedPlace,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

impl Common {
    /// One of them.
    pub fn at(&self, span: Span, occurrence: Option<Occurrence>) -> Wanted {
        Wanted {
            counsellor_id: self.counsellor_id,
            party: self.party.clone(),
            service: self.service,
            place: self.place,
            span,
            occurrence,
            milestone_id: None,
            overrides: self.overrides.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_skipped_is_made_up_at_the_end() {
        let first = local("2026-11-24T10:00:00");
        let except = ["2026-12-08".parse().unwrap()];
        let pattern = Pattern::new("FREQ=WEEKLY;COUNT=4", first, &except, chrono_tz::Asia::Kolkata).unwrap();
        let course = Course::Rule(pattern, TimeDelta::minutes(60));
        let days = |closed: &[&str]| -> Vec<String> {
            let closed = closed.iter().map(|text| local(text)).collect();
            let plan = course.plan(&closed);
            assert_eq!(plan.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 3]);
            plan.iter().map(|it| it.local.format("%m-%d").to_string()).collect()
        };
        assert_eq!(days(&[]), ["11-24", "12-01", "12-15"]);
        assert_eq!(days(&["2026-12-01T10:00:00"]), ["11-24", "12-15", "12-22"]);
        assert_eq!(days(&["2026-12-15T10:00:00", "2026-12-22T10:00:00"]), ["11-24", "12-01", "12-29"]);
    }
}
