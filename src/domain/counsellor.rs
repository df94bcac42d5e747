//! Counsellors, when they work and when they are away.

use std::ops::RangeInclusive;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::code::{CareService, Gender, Modality, Side};
use super::directory::minutes;
use super::ids::{CounsellorId, LeaveId, OrganisationId, VenueId};
use super::noun::Noun;
use super::personal::Personal;
use super::recurrence::Recurrence;
use super::text::{Code, Language};
use super::time::{Day, DayTime, Span, Spans, days_around};

/// Somebody who sees clients: of one side, never both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counsellor {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The organisation's code for the counsellor.
    pub code: Code,
    /// Name.
    pub name: Personal,
    /// The side.
    pub side: Side,
    /// Gender, when stated.
    pub gender: Option<Gender>,
    /// The services offered.
    pub services: Vec<CareService>,
    /// How they are offered.
    pub modalities: Vec<Modality>,
    /// Languages spoken.
    pub languages: Vec<Language>,
    /// Zone of remote sessions.
    pub zone: Tz,
    /// Kept free before each session.
    #[serde(serialize_with = "minutes")]
    pub buffer_before_for: TimeDelta,
    /// Kept free after each session.
    #[serde(serialize_with = "minutes")]
    pub buffer_after_for: TimeDelta,
    /// Needed between sessions at different sites.
    #[serde(serialize_with = "minutes")]
    pub travel_for: TimeDelta,
    /// The most sessions on one local day; no limit when absent.
    pub daily_limit: Option<u32>,
    /// The most sessions in one week, Monday to Sunday; no limit when absent.
    pub weekly_limit: Option<u32>,
    /// Last day on which police verification and the check of qualifications hold; not verified
    /// when absent.
    pub verified_until: Option<NaiveDate>,
    /// Number in a professional register, such as that of the Rehabilitation Council of India: the
    /// same for one person at every organisation, and on one side only.
    pub registration: Option<Code>,
    /// When the counsellor works, and exceptions.
    pub working_hours: Vec<WorkingHours>,
    /// No longer sees clients.
    pub inactive: bool,
}

/// The longest buffer around a session.
pub const LONGEST_BUFFER: TimeDelta = TimeDelta::hours(2);
/// The time between two sites of a counsellor of whom none is stated: 30 minutes (booking rules,
/// TRAVEL).
pub const DEFAULT_TRAVEL: TimeDelta = TimeDelta::minutes(30);
/// The longest time between two sites.
pub const LONGEST_TRAVEL: TimeDelta = TimeDelta::hours(8);
/// What a limit of sessions on one day can be.
pub const DAILY_LIMITS: RangeInclusive<u32> = 1..=50;
/// What a limit of sessions in one week can be.
pub const WEEKLY_LIMITS: RangeInclusive<u32> = 1..=200;
/// The most rows that say when a counsellor works.
pub const MOST_WORKING_HOURS: usize = 200;

impl Counsellor {
    /// The time a session takes from this counsellor, buffers included.
    pub fn occupied_by(&self, session: Span) -> Span {
        session.padded(self.buffer_before_for, self.buffer_after_for)
    }

    /// The times worked at a venue, or remotely when there is none, around an interval.
    pub fn working_spans(&self, venue_id: Option<VenueId>, zone: Tz, around: Span) -> Spans {
        self.stated(false, venue_id, zone, around).minus(&self.stated(true, venue_id, zone, around))
    }

    /// Whether some time is not worked only because a row takes it away that others give.
    pub fn is_off(&self, venue_id: Option<VenueId>, zone: Tz, span: Span) -> bool {
        let given = self.stated(false, venue_id, zone, span).contain(span);
        given && self.stated(true, venue_id, zone, span).overlap(span)
    }

    /// What the rows give, or take away.
    fn stated(&self, off: bool, venue_id: Option<VenueId>, zone: Tz, around: Span) -> Spans {
        let rows = self.working_hours.iter().filter(|row| row.off == off && row.is_at(venue_id));
        rows.flat_map(|row| row.spans(zone, around)).collect()
    }
}

impl Noun for Counsellor {
    type Id = CounsellorId;
    const WORD: &'static str = "counsellor";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// A time at which a counsellor works, or does not although another row says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkingHours {
    /// Only at this venue; anywhere and remotely when absent.
    pub venue_id: Option<VenueId>,
    /// On which days: local ones of the place.
    pub when: When,
    /// Start.
    pub starts: DayTime,
    /// End, after the start.
    pub ends: DayTime,
    /// First day on which it holds; a rule has one, its anchor.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which it holds.
    pub valid_until: Option<NaiveDate>,
    /// Takes the time away instead of giving it; wins over whatever gives it.
    pub off: bool,
}

/// On which days.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Every week.
    Weekly(Day),
    /// By a rule, anchored on the first day on which the row holds.
    Rule(Recurrence),
    /// Once.
    On(NaiveDate),
}

impl WorkingHours {
    /// Whether it is about a venue; `None` is remote.
    pub fn is_at(&self, venue_id: Option<VenueId>) -> bool {
        self.venue_id.is_none() || self.venue_id == venue_id
    }

    fn spans(&self, zone: Tz, around: Span) -> impl Iterator<Item = Span> {
        self.days(around).into_iter().filter_map(move |day| Span::local(day, self.starts, self.ends, zone))
    }

    /// Its local days around an interval.
    fn days(&self, around: Span) -> Vec<NaiveDate> {
        let valid = |day: &NaiveDate| {
            self.valid_from.is_none_or(|first| first <= *day) && self.valid_until.is_none_or(|last| *day <= last)
        };
        let near = || days_around(around).filter(valid);
        match &self.when {
            When::Weekly(weekday) => near().filter(|day| Day::of(*day) == *weekday).collect(),
            When::On(date) => near().filter(|day| day == date).collect(),
            When::Rule(rule) => {
                let (Some(first), Some(last)) = (near().next(), near().last()) else { return Vec::new() };
                rule.days(self.valid_from.unwrap_or_default(), first, last).collect()
            }
        }
    }
}

/// A time at which a counsellor is away.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leave {
    /// The counsellor.
    pub counsellor_id: CounsellorId,
    /// From when until when.
    pub span: Span,
}

impl Noun for Leave {
    type Id = LeaveId;
    const WORD: &'static str = "leave";
    const OWNER: Option<&'static str> = Some("counsellor");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Days, Timelike, Utc};
    use proptest::prelude::*;

    fn counsellor(working_hours: Vec<WorkingHours>) -> Counsellor {
        Counsellor {
            organisation_id: OrganisationId(uuid::Uuid::nil()),
            code: Code::parse("C").unwrap(),
            name: Personal::new("Counsellor Example".into()),
            side: Side::Survivor,
            gender: None,
            services: Vec::new(),
            modalities: Vec::new(),
            languages: Vec::new(),
            zone: chrono_tz::Asia::Kolkata,
            buffer_before_for: TimeDelta::zero(),
            buffer_after_for: TimeDelta::zero(),
            travel_for: DEFAULT_TRAVEL,
            daily_limit: None,
            weekly_limit: None,
            verified_until: None,
            registration: None,
            working_hours,
            inactive: false,
        }
    }

    fn row(when: When, from: u32, until: u32) -> WorkingHours {
        let time = |hour| DayTime::new(hour, 0).unwrap();
        let (starts, ends) = (time(from), time(until));
        WorkingHours { venue_id: None, when, starts, ends, valid_from: None, valid_until: None, off: false }
    }

    fn rule(text: &str, from: &str) -> WorkingHours {
        let when = When::Rule(Recurrence::parse(text).unwrap());
        WorkingHours { valid_from: Some(from.parse().unwrap()), ..row(when, 9, 17) }
    }

    fn off(row: WorkingHours) -> WorkingHours {
        WorkingHours { off: true, ..row }
    }

    fn days(first: &str, count: i64) -> Span {
        let first: DateTime<Utc> = format!("{first}T00:00:00Z").parse().unwrap();
        Span::lasting(first, TimeDelta::days(count)).unwrap()
    }

    /// Local times within some days.
    fn worked(rows: Vec<WorkingHours>, within: Span) -> Vec<String> {
        let zone = chrono_tz::Asia::Kolkata;
        let spans = counsellor(rows).working_spans(None, zone, within);
        let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
        let inside = spans.joined().iter().filter(|span| span.overlaps(within));
        inside
            .map(|it| format!("{} {}", local(it.starts_at()).format("%d %H"), local(it.ends_at()).format("%H")))
            .collect()
    }

    #[test]
    fn time_off_wins() {
        let saturdays = row(When::Weekly(Day::Saturday), 9, 17);
        let second = off(rule("FREQ=MONTHLY;BYDAY=2SA", "2020-01-01"));
        let november = days("2026-11-01", 30);
        assert_eq!(worked(vec![second.clone(), saturdays.clone()], november), ["07 09 17", "21 09 17", "28 09 17"]);
        let on = |day: &str| When::On(day.parse().unwrap());
        let rows = vec![saturdays, second, row(on("2026-11-14"), 10, 12), off(row(on("2026-11-21"), 12, 13))];
        // An extra day does not win over a day off.
        assert_eq!(worked(rows, november), ["07 09 17", "21 09 12", "21 13 17", "28 09 17"]);
    }

    #[test]
    fn time_off_at_a_venue_is_off_there_alone() {
        let [here, there] = [1, 2].map(|id| Some(VenueId(uuid::Uuid::from_u128(id))));
        let monday = row(When::Weekly(Day::Monday), 9, 17);
        let rows = vec![monday.clone(), WorkingHours { venue_id: here, ..off(monday) }];
        let at =
            |venue| counsellor(rows.clone()).working_spans(venue, chrono_tz::UTC, days("2026-11-23", 1)).joined().len();
        // Mondays and those a week around them are looked at.
        assert_eq!((at(here), at(there), at(None)), (0, 1, 1));
    }

    #[test]
    fn a_row_holds_between_its_days() {
        let last = Some("2026-11-21".parse().unwrap());
        let row = WorkingHours { valid_until: last, ..rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "2026-10-24") };
        assert_eq!(worked(vec![row], days("2026-10-15", 60)), ["24 09 17", "07 09 17", "21 09 17"]);
    }

    proptest! {
        #[test]
        fn a_rule_keeps_its_local_hours_through_clock_changes(
            zone in proptest::sample::select(&["America/New_York", "Europe/London", "Australia/Lord_Howe"][..]),
            first in 0u64..1_000,
            interval in 1u32..4,
        ) {
            let zone: Tz = zone.parse().unwrap();
            let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(first);
            let row = rule(&format!("FREQ=DAILY;INTERVAL={interval}"), &first.to_string());
            let around = days(&first.to_string(), 200);
            let spans = counsellor(vec![row]).working_spans(None, zone, around);
            for (before, after) in spans.joined().iter().zip(&spans.joined()[1..]) {
                let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
                prop_assert_eq!((local(after.starts_at()).hour(), local(after.ends_at()).hour()), (9, 17));
                let apart = local(after.starts_at()).date() - local(before.starts_at()).date();
                prop_assert_eq!(apart, TimeDelta::days(interval.into()));
            }
        }
    }
}
