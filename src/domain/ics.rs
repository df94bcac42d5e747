//! Sessions as an iCalendar file (RFC 5545), for the calendars that people already look at.
//!
//! Such a file leaves the service's care: it lies on telephones and in mail. It names clients by their
//! reference codes and places by their codes, and never says which service it is or which side.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Class, Component, Event, EventLike, EventStatus, Property};

use super::ids::{RoomId, VenueId};
use super::session::{Session, State};
use super::text::Code;

/// The codes of the places of sessions.
#[derive(Clone, Debug, Default)]
pub struct PlaceCodes {
    /// Of venues.
    pub venues: BTreeMap<VenueId, Code>,
    /// Of rooms.
    pub rooms: BTreeMap<RoomId, Code>,
}

/// The file. What is only held is left out; what was cancelled or moved away stays, and says so, so that a
/// calendar that has it takes it out; what was given to another counsellor is missing in the first one's. Instants are UTC; whoever shows them knows where they are.
pub fn write(sessions: &[Session], codes: &PlaceCodes, now: DateTime<Utc>) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//aftercare//sessions//EN"));
    calendar.append_property(Property::new("CALSCALE", "GREGORIAN"));
    calendar.append_property(Property::new("METHOD", "PUBLISH"));
    let real = sessions.iter().filter(|it| !matches!(it.state, State::Held { .. }));
    calendar.extend(real.map(|session| event(session, codes, now)));
    calendar.to_string()
}

fn event(session: &Session, codes: &PlaceCodes, now: DateTime<Utc>) -> Event {
    let mut event = Event::new();
    event
        .uid(&format!("{}@aftercare", session.id))
        .sequence(u32::try_from(session.version).unwrap_or(u32::MAX))
        .timestamp(now)
        .created(session.created_at)
        .starts(session.span.starts_at())
        .ends(session.span.ends_at())
        .summary(&summary(session))
        .location(&location(session, codes))
        .class(Class::Private)
        .status(match session.state {
            State::Held { .. } | State::Booked => EventStatus::Confirmed,
            State::Cancelled { .. } | State::Rescheduled { .. } => EventStatus::Cancelled,
        });
    if session.is_group() {
        let references: Vec<String> = session.participants.iter().map(|it| it.reference.to_string()).collect();
        event.description(&references.join(", "));
    }
    event.done()
}

fn summary(session: &Session) -> String {
    match session.client() {
        Some(client) => format!("Session {}", client.reference),
        None => format!("Group session, {} of {}", session.participants.len(), session.capacity),
    }
}

fn location(session: &Session, codes: &PlaceCodes) -> String {
    let Some(venue_id) = session.place.venue_id() else { return "Remote".into() };
    let venue = codes.venues.get(&venue_id).map(Code::as_str).unwrap_or_default();
    match session.place.room_id().and_then(|id| codes.rooms.get(&id)) {
        Some(room) => format!("{venue} {room}"),
        None => venue.to_owned(),
    }
}
