//! Exports a calendar: a counsellor's own, or one of the coordinator's organisation.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::read::{Filter, listing};
use crate::domain::ics::{self, PlaceCodes};
use crate::domain::ids::{CounsellorId, OrganisationId, VenueId};
use crate::domain::session::{Session, StateWord};
use crate::domain::time::Span;
use crate::store::{Tx, directory, session};
use crate::usecase::call::{Call, disclosed};
use crate::usecase::error::{Error, Result};
use crate::usecase::world::World;

/// How far back a calendar goes that states no beginning.
const BEHIND: TimeDelta = TimeDelta::days(30);
/// How far ahead a calendar goes that states no end; longer than organisations book ahead by default.
const AHEAD: TimeDelta = TimeDelta::days(210);
/// The longest time of one export.
pub const LONGEST_EXPORT: TimeDelta = TimeDelta::days(400);
/// The most sessions of one export; twice of it still fits into the 4 MiB of an answer.
const MOST: usize = 5000;

/// Which calendar.
#[derive(Clone, Debug)]
pub struct ExportCalendar {
    /// Only of this counsellor; counsellors only ever get their own.
    pub counsellor_id: Option<CounsellorId>,
    /// Sessions that start at or after.
    pub starts_from: Option<DateTime<Utc>>,
    /// Sessions that start before.
    pub starts_before: Option<DateTime<Utc>>,
}

/// The calendar as an iCalendar file, and how many sessions it has. What leaves the service in one file is
/// noted in the audit trail.
pub async fn export_calendar(world: &World, call: &Call, wanted: &ExportCalendar) -> Result<(String, usize)> {
    let now = world.now();
    let span = span(wanted, now)?;
    let filter = Filter {
        counsellor_id: wanted.counsellor_id,
        starts_from: Some(span.starts_at()),
        starts_before: Some(span.ends_at()),
        states: vec![StateWord::Booked, StateWord::Cancelled, StateWord::Rescheduled],
        ..Filter::default()
    };
    let mut tx = world.db().begin_read().await?;
    let sessions = match listing(call, filter, MOST + 1)? {
        Some(listing) => session::list(&mut tx, &listing).await?,
        None => Vec::new(),
    };
    if sessions.len() > MOST {
        return Err(Error::field("starts_before", "must leave at most 5000 sessions; ask for less time at once"));
    }
    let codes = place_codes(&mut tx, &sessions).await?;
    drop(tx);
    disclosed(world, call, wanted.counsellor_id.map(|id| id.0), [format!("SESSIONS {}", sessions.len())]).await?;
    Ok((ics::write(&sessions, &codes, now), sessions.len()))
}

fn span(wanted: &ExportCalendar, now: DateTime<Utc>) -> Result<Span> {
    let from = wanted.starts_from.unwrap_or(now - BEHIND);
    let before = wanted.starts_before.unwrap_or(from.max(now) + AHEAD);
    match Span::new(from, before) {
        Some(span) if span.length() <= LONGEST_EXPORT => Ok(span),
        Some(_) => Err(Error::field("starts_before", "must be at most 400 days after starts_from")),
        None => Err(Error::field("starts_before", "must be after starts_from")),
    }
}

async fn place_codes(tx: &mut Tx, sessions: &[Session]) -> Result<PlaceCodes> {
    let venues: BTreeSet<VenueId> = sessions.iter().filter_map(|it| it.place.venue_id()).collect();
    let venues: Vec<VenueId> = venues.into_iter().collect();
    let mut codes = PlaceCodes::default();
    for some in venues.chunks(session::MOST_IDS) {
        let found = directory::venues(tx, OrganisationId(uuid::Uuid::nil()), some).await?;
        codes.venues.extend(found.into_iter().map(|venue| (venue.id, venue.content.code)));
        let found = directory::rooms(tx, some).await?;
        codes.rooms.extend(found.into_iter().map(|room| (room.id, room.content.code)));
    }
    Ok(codes)
}
