//! Organisations and where they work: sites, venues, rooms, holiday calendars.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use super::code::words;
use super::ids::{HolidayCalendarId, OrganisationId, RoomId, SiteId, VenueId};
use super::noun::Noun;
use super::text::Code;

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
}

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
}

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
