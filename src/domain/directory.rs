//! Organisations and where they work: sites, venues, rooms, holiday calendars.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize, Serializer};

use super::code::{Side, words};
use super::ids::{HolidayCalendarId, OrganisationId, RoomId, SiteId, VenueId};
use super::noun::Noun;
use super::text::Code;
use super::time::{Day, DayTime, Span, Spans, days_around};

words! {
    /// What an organisation is.
    OrganisationKind {
        /// A non-governmental organisation that counsels.
        Ngo = "NGO",
        /// A police unit.
        PoliceUnit = "POLICE_UNIT",
    }
}

/// An NGO that counsels, or a police unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Organisation {
    /// Unique code.
    pub code: Code,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: OrganisationKind,
    /// District code.
    pub district: Code,
    /// Least time between a booking and the start of its session.
    #[serde(serialize_with = "minutes")]
    pub notice_for: TimeDelta,
    /// Most time between a booking and the start of its session: whole days.
    #[serde(serialize_with = "minutes")]
    pub horizon_for: TimeDelta,
}

/// The notice of an organisation that states none: 2 hours (booking rules, NOTICE).
pub const DEFAULT_NOTICE: TimeDelta = TimeDelta::hours(2);
/// The longest notice.
pub const LONGEST_NOTICE: TimeDelta = TimeDelta::days(14);
/// The horizon of an organisation that states none: 180 days (booking rules, HORIZON).
pub const DEFAULT_HORIZON: TimeDelta = TimeDelta::days(180);
/// What a horizon can be, in days.
pub const HORIZON_DAYS: RangeInclusive<i64> = 1..=730;

impl Noun for Organisation {
    type Id = OrganisationId;
    const WORD: &'static str = "organisation";
    const OWNER: Option<&'static str> = None;

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

/// The separation gap of a site that states none: 120 minutes (booking rules, "Separation").
pub const DEFAULT_SEPARATION_GAP: TimeDelta = TimeDelta::minutes(120);

/// The longest separation gap.
pub const LONGEST_SEPARATION_GAP: TimeDelta = TimeDelta::hours(24);

/// What people share: one building or compound with one or more venues.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Site {
    /// The organisation that manages it.
    pub organisation_id: OrganisationId,
    /// The organisation's code for it.
    pub code: Code,
    /// Name.
    pub name: String,
    /// Zone of every local time here.
    pub zone: Tz,
    /// District code.
    pub district: Code,
    /// Least time between the end of one side and the start of the other.
    #[serde(serialize_with = "minutes")]
    pub separation_gap_for: TimeDelta,
    /// Days on which it is closed.
    pub holiday_calendar_id: Option<HolidayCalendarId>,
    /// The published hours of each side; none are published when empty.
    pub timetable: Vec<SideHours>,
}

impl Site {
    /// The most rows of a timetable.
    pub const MOST_SIDE_HOURS: usize = 100;

    /// The published hours of a side around an interval; nothing when the site publishes none.
    pub fn side_spans(&self, side: Side, around: Span) -> Option<Spans> {
        let of = |day| {
            let rows = self.timetable.iter().filter(move |row| row.side == side && row.day == Day::of(day));
            rows.filter_map(move |row| Span::local(day, row.starts, row.ends, self.zone))
        };
        (!self.timetable.is_empty()).then(|| days_around(around).flat_map(of).collect())
    }
}

/// Weekly hours at which a site is for one side alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SideHours {
    /// The side.
    pub side: Side,
    /// The day.
    pub day: Day,
    /// Start.
    pub starts: DayTime,
    /// End, after the start.
    pub ends: DayTime,
}

impl SideHours {
    /// The rows that come too close to a row of the other side: each by its place. A week follows
    /// upon itself, so that the night between two days counts too.
    pub fn too_close(rows: &[Self], gap_for: TimeDelta) -> Vec<usize> {
        let near = |row: &Self| rows.iter().any(|other| other.side != row.side && row.is_near(other, gap_for));
        rows.iter().enumerate().filter(|(_, row)| near(row)).map(|(at, _)| at).collect()
    }

    fn is_near(&self, other: &Self, gap_for: TimeDelta) -> bool {
        let (starts, length) = self.of_week();
        let (other_starts, other_length) = other.of_week();
        let until_other = (other_starts - starts).rem_euclid(WEEK);
        let until_self = (starts - other_starts).rem_euclid(WEEK);
        until_other < length + gap_for.num_minutes() || until_self < other_length + gap_for.num_minutes()
    }

    /// Minute of the week at which it starts, and how many minutes it lasts.
    fn of_week(&self) -> (i64, i64) {
        let minutes = |time: DayTime| i64::from(time.hour() * 60 + time.minute());
        let day = Day::ALL.iter().position(|day| *day == self.day).and_then(|day| i64::try_from(day).ok());
        (day.unwrap_or_default() * 24 * 60 + minutes(self.starts), minutes(self.ends) - minutes(self.starts))
    }
}

/// Minutes of a week.
const WEEK: i64 = 7 * 24 * 60;

impl Noun for Site {
    type Id = SiteId;
    const WORD: &'static str = "site";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// Where sessions take place: an office at a site.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Venue {
    /// The organisation whose office it is.
    pub organisation_id: OrganisationId,
    /// The organisation's code for it.
    pub code: Code,
    /// Name.
    pub name: String,
    /// The site it stands on.
    pub site_id: SiteId,
    /// Other organisations may book here too.
    pub shared: bool,
}

impl Noun for Venue {
    type Id = VenueId;
    const WORD: &'static str = "venue";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// A room of a venue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Room {
    /// The venue.
    pub venue_id: VenueId,
    /// Code, unique within the venue.
    pub code: Code,
    /// Name.
    pub name: String,
    /// For how many people it is, counsellors included; none when nobody has said.
    pub capacity: Option<u32>,
}

impl Room {
    /// For how many people a room can be; a parameter of ours.
    pub const CAPACITIES: RangeInclusive<u32> = 1..=500;
}

impl Noun for Room {
    type Id = RoomId;
    const WORD: &'static str = "room";
    const OWNER: Option<&'static str> = Some("venue");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

/// Days on which the sites that name this calendar are closed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HolidayCalendar {
    /// The organisation that keeps it.
    pub organisation_id: OrganisationId,
    /// The organisation's code for it.
    pub code: Code,
    /// Name.
    pub name: String,
    /// The days and their names.
    pub holidays: BTreeMap<NaiveDate, String>,
}

impl HolidayCalendar {
    /// The most days a calendar holds.
    pub const MOST_DAYS: usize = 5_000;
}

impl Noun for HolidayCalendar {
    type Id = HolidayCalendarId;
    const WORD: &'static str = "holiday calendar";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// Serialises a duration as whole minutes.
pub(crate) fn minutes<S: Serializer>(length: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(length.num_minutes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row((side, day, starts, length): (bool, usize, u32, u32)) -> SideHours {
        let time = |minutes: u32| DayTime::new(minutes / 60, minutes % 60).unwrap();
        let side = if side { Side::Survivor } else { Side::Offender };
        SideHours { side, day: Day::ALL[day], starts: time(starts), ends: time((starts + length).min(24 * 60)) }
    }

    fn site(timetable: Vec<SideHours>) -> Site {
        Site {
            organisation_id: OrganisationId(uuid::Uuid::nil()),
            code: Code::parse("S").unwrap(),
            name: "Example House".into(),
            zone: chrono_tz::Asia::Kolkata,
            district: Code::parse("KL-TVM").unwrap(),
            separation_gap_for: DEFAULT_SEPARATION_GAP,
            holiday_calendar_id: None,
            timetable,
        }
    }

    #[test]
    fn a_side_has_its_hours_in_the_zone_of_the_site() {
        let week = Span::lasting("2026-11-23T00:00:00Z".parse().unwrap(), TimeDelta::days(4)).unwrap();
        assert_eq!(site(Vec::new()).side_spans(Side::Survivor, week), None);
        let site = site(vec![row((true, 1, 9 * 60, 180)), row((false, 3, 22 * 60, 120))]);
        let starts = |side| -> Vec<_> {
            let spans = site.side_spans(side, week).unwrap();
            spans.joined().iter().map(|span| (span.starts_at().to_rfc3339(), span.length().num_minutes())).collect()
        };
        assert_eq!(starts(Side::Survivor), [("2026-11-24T03:30:00+00:00".into(), 180)]);
        assert_eq!(starts(Side::Offender), [("2026-11-26T16:30:00+00:00".into(), 120)]);
    }

    #[test]
    fn the_sides_keep_the_gap_in_the_timetable_too() {
        let near = |rows: &[(bool, usize, u32, u32)], gap| -> Vec<usize> {
            SideHours::too_close(&rows.iter().copied().map(row).collect::<Vec<_>>(), TimeDelta::minutes(gap))
        };
        let morning = (true, 0, 9 * 60, 180);
        assert!(near(&[morning, (false, 0, 14 * 60, 60)], 120).is_empty());
        assert_eq!(near(&[morning, (false, 0, 14 * 60 - 1, 60)], 120), [0, 1]);
        assert!(near(&[morning, (true, 0, 10 * 60, 60), (false, 1, 9 * 60, 60)], 120).is_empty());
        assert!(near(&[morning, (false, 0, 12 * 60, 60)], 0).is_empty());
        assert_eq!(near(&[morning, (false, 0, 9 * 60, 180)], 0), [0, 1]);
        // Sunday evening and Monday morning.
        assert_eq!(near(&[(true, 0, 60, 60), (false, 6, 22 * 60, 90)], 120), [0, 1]);
        assert!(near(&[(true, 0, 90, 60), (false, 6, 22 * 60, 90)], 120).is_empty());
    }

    proptest! {
        #[test]
        fn too_close_is_what_a_walk_through_the_week_finds(
            rows in proptest::collection::vec((any::<bool>(), 0usize..7, 0u32..1380, 1u32..300), 0..6),
            gap in 0i64..600,
        ) {
            let rows: Vec<_> = rows.into_iter().map(row).collect();
            let minutes = |row: &SideHours| { let (starts, length) = row.of_week(); starts..starts + length };
            let apart = |one: i64, other: i64| (one - other).rem_euclid(WEEK).min((other - one).rem_euclid(WEEK));
            let near = |row: &SideHours, other: &SideHours| {
                let edges = |it: &SideHours| { let all = minutes(it); [all.start, all.end - 1] };
                let inside = minutes(row).contains(&minutes(other).start) || minutes(other).contains(&minutes(row).start);
                // Two minutes that follow one another are one apart, and leave a gap of none.
                inside || edges(row).iter().any(|one| edges(other).iter().any(|two| apart(*one, *two) - 1 < gap))
            };
            let expected: Vec<_> = rows.iter().enumerate()
                .filter(|(_, row)| rows.iter().any(|other| other.side != row.side && near(row, other)))
                .map(|(at, _)| at).collect();
            prop_assert_eq!(SideHours::too_close(&rows, TimeDelta::minutes(gap)), expected);
        }
    }
}
