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
    /// The weekly timetable.
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
/// The most rows a weekly timetable holds.
pub const MOST_WORKING_HOURS: usize = 200;

impl Counsellor {
    /// The time a session takes from this counsellor, buffers included.
    pub fn occupied_by(&self, session: Span) -> Span {
        session.padded(self.buffer_before_for, self.buffer_after_for)
    }

    /// The times worked at a venue, or remotely when there is none, around an interval.
    pub fn working_spans(&self, venue_id: Option<VenueId>, zone: Tz, around: Span) -> Spans {
        days_around(around)
            .flat_map(|day| self.working_hours.iter().filter_map(move |hours| hours.span_on(day, venue_id, zone)))
            .collect()
    }
}

impl Noun for Counsellor {
    type Id = CounsellorId;
    const WORD: &'static str = "counsellor";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// One weekly time at which a counsellor works.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkingHours {
    /// Only at this venue; anywhere and remotely when absent.
    pub venue_id: Option<VenueId>,
    /// The day.
    pub day: Day,
    /// Start.
    pub starts: DayTime,
    /// End, after the start.
    pub ends: DayTime,
    /// First day on which it holds.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which it holds.
    pub valid_until: Option<NaiveDate>,
}

impl WorkingHours {
    fn span_on(&self, day: NaiveDate, venue_id: Option<VenueId>, zone: Tz) -> Option<Span> {
        let here = self.venue_id.is_none() || self.venue_id == venue_id;
        let valid = self.valid_from.is_none_or(|first| first <= day) && self.valid_until.is_none_or(|last| day <= last);
        if here && valid && self.day == Day::of(day) { Span::local(day, self.starts, self.ends, zone) } else { None }
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
