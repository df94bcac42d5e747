//! Programmes: curricula by which a series of sessions is planned, and how their sessions are poured
//! into the weeks.

use std::iter::repeat_n;
use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Deserializer, Serialize};

use super::code::{CareService, words};
use super::directory::minutes;
use super::ids::{OrganisationId, ProgrammeId};
use super::noun::Noun;
use super::series::MOST_OCCURRENCES;
use super::text::Code;
use super::time::Day;

words! {
    /// Whom a session of a module brings together.
    Form {
        /// One client and a counsellor.
        Individual = "INDIVIDUAL",
        /// A group.
        Group = "GROUP",
    }
}

/// A named curriculum of one organisation: modules in the order in which they are taken. What every
/// version said is kept, because a series that was planned by it refers to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Programme {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The organisation's code for it.
    pub code: Code,
    /// Name.
    pub name: String,
    /// What its sessions are for; the side of the programme follows from it, and never changes.
    pub service: CareService,
    /// Its modules, in order.
    pub modules: Vec<Module>,
    /// No new series is planned by it.
    pub retired: bool,
}

/// A part of a programme: sessions of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Code, unique within the programme.
    pub code: Code,
    /// Name.
    pub name: String,
    /// Whom its sessions bring together.
    pub form: Form,
    /// How many sessions it has: at least one.
    pub sessions: u32,
    /// How long each of them lasts, within the bounds of any session.
    #[serde(rename = "length_minutes", serialize_with = "minutes", deserialize_with = "from_minutes")]
    pub length_for: TimeDelta,
    /// The fewest local calendar days between the start of the session before and that of each of
    /// these. A session two days later at the same local time keeps two days, whatever clocks do.
    pub gap_days: u32,
}

/// The gap of a module that states none: a week \[P\].
pub const DEFAULT_GAP_DAYS: u32 = 7;
/// What a gap can be, in days \[P\].
pub const GAP_DAYS: RangeInclusive<u32> = 0..=90;

/// A session of a programme with a local start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its place in the whole programme, sessions of every form counted: from 1 on.
    pub number: u32,
    /// The code of its module.
    pub module: Code,
    /// When it starts.
    pub local: NaiveDateTime,
    /// How long it lasts.
    pub length_for: TimeDelta,
}

impl Programme {
    /// The most sessions of a programme: as many as a series has.
    pub const MOST_SESSIONS: u32 = MOST_OCCURRENCES;

    /// Every session, in order, with its number.
    fn sessions(&self) -> impl Iterator<Item = (u32, &Module)> {
        (1..).zip(self.modules.iter().flat_map(|module| repeat_n(module, module.sessions as usize)))
    }

    /// Pours the sessions of one form into a week that repeats: each, in order, into the first free
    /// slot that keeps its gap to the poured session before, and begins when that has ended. None is
    /// left over, unless the week has no slots.
    ///
    /// Sessions of the other form keep their numbers and take no time.
    pub fn pour(&self, first_day: NaiveDate, week: &[(Day, NaiveTime)], form: Form) -> Vec<Planned> {
        if week.is_empty() {
            return Vec::new();
        }
        let mut week = week.to_vec();
        week.sort_unstable();
        let on = |day| {
            let here = week.iter().filter(move |(weekday, _)| *weekday == Day::of(day));
            here.map(move |(_, time)| day.and_time(*time))
        };
        let mut slots = first_day.iter_days().flat_map(on);
        let mut before: Option<(NaiveDateTime, TimeDelta)> = None;
        let of_form = self.sessions().filter(|(_, module)| module.form == form);
        let planned = of_form.map_while(|(number, module)| {
            let local = slots.find(|slot| before.is_none_or(|before| module.follows(before, *slot)))?;
            before = Some((local, module.length_for));
            Some(Planned { number, module: module.code.clone(), local, length_for: module.length_for })
        });
        planned.collect()
    }
}

impl Module {
    /// Whether one of its sessions may start then, when the one before had this start and length.
    fn follows(&self, (before, length_for): (NaiveDateTime, TimeDelta), start: NaiveDateTime) -> bool {
        let gap = before.checked_add_days(Days::new(self.gap_days.into()));
        let ended = before.checked_add_signed(length_for);
        gap.is_some_and(|gap| gap <= start) && ended.is_some_and(|ended| ended <= start)
    }
}

impl Noun for Programme {
    type Id = ProgrammeId;
    const WORD: &'static str = "programme";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

fn from_minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
    let minutes = i64::deserialize(deserializer)?;
    TimeDelta::try_minutes(minutes).ok_or_else(|| serde::de::Error::custom("too many minutes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn module(code: &str, form: Form, sessions: u32, length: i64, gap_days: u32) -> Module {
        let (code, name) = (Code::parse(code).unwrap(), "Example".to_owned());
        Module { code, name, form, sessions, length_for: TimeDelta::minutes(length), gap_days }
    }

    fn programme(modules: Vec<Module>) -> Programme {
        Programme {
            organisation_id: OrganisationId(uuid::Uuid::nil()),
            code: Code::parse("P").unwrap(),
            name: "Example".into(),
            service: CareService::Treatment,
            modules,
            retired: false,
        }
    }

    fn time(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    fn poured(programme: &Programme, first: &str, week: &[(Day, NaiveTime)], form: Form) -> Vec<String> {
        let all = programme.pour(first.parse().unwrap(), week, form);
        all.iter().map(|it| format!("{} {} {}", it.number, it.module, it.local.format("%m-%d %H:%M"))).collect()
    }

    #[test]
    fn sessions_of_one_form_keep_their_numbers_and_gaps() {
        let mixed = programme(vec![
            module("A", Form::Individual, 2, 60, 7),
            module("B", Form::Group, 3, 90, 2),
            module("C", Form::Individual, 1, 60, 8),
        ]);
        // 2 November 2026 is a Monday; the order in which the slots of a week are given is of no account.
        let week = [(Day::Thursday, time(10, 0)), (Day::Monday, time(15, 0)), (Day::Monday, time(10, 0))];
        let individual = ["1 A 11-02 10:00", "2 A 11-09 10:00", "6 C 11-19 10:00"];
        assert_eq!(poured(&mixed, "2026-11-02", &week, Form::Individual), individual);
        let group = ["3 B 11-05 10:00", "4 B 11-09 10:00", "5 B 11-12 10:00"];
        assert_eq!(poured(&mixed, "2026-11-03", &week, Form::Group), group);
        assert!(poured(&mixed, "2026-11-03", &[], Form::Group).is_empty());
    }

    #[test]
    fn without_a_gap_one_begins_when_the_other_has_ended() {
        let intensive = programme(vec![module("A", Form::Group, 4, 90, 0)]);
        let week = [time(9, 0), time(10, 0), time(10, 30), time(10, 30)].map(|time| (Day::Friday, time));
        let expected = ["1 A 11-06 09:00", "2 A 11-06 10:30", "3 A 11-13 09:00", "4 A 11-13 10:30"];
        assert_eq!(poured(&intensive, "2026-11-02", &week, Form::Group), expected);
    }

    #[test]
    fn a_module_reads_back_as_it_was_written() {
        let it = module("A", Form::Group, 4, 90, 0);
        let text = serde_json::to_string(&it).unwrap();
        assert!(text.contains(r#""length_minutes":90"#), "{text}");
        assert_eq!(serde_json::from_str::<Module>(&text).unwrap(), it);
        assert!(serde_json::from_str::<Module>(&text.replace("90", "9223372036854775807")).is_err());
    }

    fn modules() -> impl Strategy<Value = Vec<Module>> {
        let one = (any::<bool>(), 1u32..10, 10i64..=480, 0u32..=90).prop_map(|(group, sessions, length, gap_days)| {
            module("M", if group { Form::Group } else { Form::Individual }, sessions, length, gap_days)
        });
        proptest::collection::vec(one, 1..7)
    }

    proptest! {
        #[test]
        fn every_session_is_poured_in_order_into_the_first_slot_that_keeps_its_gap(
            modules in modules(),
            week in proptest::collection::vec((0usize..7, 0u32..24 * 60), 1..6),
            first in 0u64..1_000,
        ) {
            let week: Vec<_> = week.iter().map(|(day, at)| (Day::ALL[*day], time(at / 60, at % 60))).collect();
            let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(first);
            let programme = programme(modules);
            let [individual, group] = [Form::Individual, Form::Group].map(|form| programme.pour(first, &week, form));

            // Both together are the programme, each session once and with its own length.
            let mut numbers: Vec<_> = individual.iter().chain(&group).map(|it| it.number).collect();
            numbers.sort_unstable();
            let total: u32 = programme.modules.iter().map(|module| module.sessions).sum();
            prop_assert!(numbers.into_iter().eq(1..=total));

            let all: Vec<_> = programme.sessions().map(|(_, module)| module).collect();
            for (form, planned) in [(Form::Individual, individual), (Form::Group, group)] {
                prop_assert!(planned.first().is_none_or(|it| it.local.date() < first + Days::new(7)));
                for it in &planned {
                    let module = all[it.number as usize - 1];
                    prop_assert_eq!((module.form, module.length_for), (form, it.length_for));
                    prop_assert!(it.local.date() >= first);
                    prop_assert!(week.contains(&(Day::of(it.local.date()), it.local.time())));
                }
                for pair in planned.windows(2) {
                    let (before, it) = (&pair[0], &pair[1]);
                    let gap = TimeDelta::days(all[it.number as usize - 1].gap_days.into());
                    let earliest = (before.local + gap).max(before.local + before.length_for);
                    prop_assert!(before.number < it.number && earliest <= it.local);
                    // A week holds every slot: none that would do is passed over.
                    prop_assert!(it.local < earliest + TimeDelta::days(7));
                    let passed = |(day, at): &(Day, NaiveTime)| {
                        earliest.date().iter_days().take(8).filter(|date| Day::of(*date) == *day)
                            .map(|date| date.and_time(*at)).any(|slot| earliest <= slot && slot < it.local)
                    };
                    prop_assert!(!week.iter().any(passed));
                }
            }
        }
    }
}
