//! What is known when a session is judged: everything that any rule looks at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::domain::age::is_child;
use crate::domain::agreement::Agreement;
use crate::domain::code::{Gender, Modality, Side};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, GuardianId, OrderId, RoomId, SiteId, VenueId};
use crate::domain::noun::Record;
use crate::domain::party::Party;
use crate::domain::place::Place;
use crate::domain::text::Language;
use crate::domain::time::{Span, Spans, local_day};

/// What is known when a session is judged.
#[derive(Debug)]
pub struct Facts {
    /// The present.
    pub now: DateTime<Utc>,
    /// When it is known what other sessions take: nothing else is judged; never, if nobody has looked.
    pub within: Option<Span>,
    /// What the organisation asks of bookings.
    pub policy: Policy,
    /// The side of all who meet.
    pub side: Side,
    /// The clients in question.
    pub clients: BTreeMap<ClientId, ClientFacts>,
    /// Pairs of them of whom it was declared that they must not meet.
    pub apart: Vec<(ClientId, ClientId)>,
    /// The agreements of their organisation.
    pub agreements: Vec<Agreement>,
    /// The counsellors in question.
    pub counsellors: BTreeMap<CounsellorId, CounsellorFacts>,
    /// The venues in question.
    pub venues: BTreeMap<VenueId, VenueFacts>,
    /// Their sites.
    pub sites: BTreeMap<SiteId, SiteFacts>,
}

/// What an organisation asks of bookings.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Least time from booking to start.
    pub notice_for: TimeDelta,
    /// Most time from booking to start.
    pub horizon_for: TimeDelta,
}

/// The client, as the rules see one.
#[derive(Debug)]
pub struct ClientFacts {
    /// Id.
    pub id: ClientId,
    /// Side.
    pub side: Side,
    /// Who has seen the client before.
    pub seen_by: BTreeSet<CounsellorId>,
    /// Who must not see the client.
    pub conflicts: BTreeSet<CounsellorId>,
    /// The client's sessions.
    pub busy: Spans,
    /// Languages spoken.
    pub spoken_languages: Vec<Language>,
    /// The counsellor's gender the client asks for.
    pub counsellor_gender: Option<Gender>,
    /// First day on which the client is certainly of age; none when the birth is unknown.
    pub adult_from: Option<NaiveDate>,
    /// Guardians who are neither unsafe nor accused.
    pub safe_guardians: BTreeSet<GuardianId>,
    /// Days on which there is a valid consent to care.
    pub consented_on: BTreeSet<NaiveDate>,
    /// When the client can come, by the zone it is said in; none is any time.
    pub available: Option<HashMap<Tz, Spans>>,
    /// Days on which a case of the client is before a court or an authority.
    pub proceedings: BTreeSet<NaiveDate>,
    /// The orders towards which sessions of the client can count, each from an instant on.
    pub open_orders: BTreeMap<OrderId, DateTime<Utc>>,
    /// How the client would rather meet.
    pub preferred_modality: Option<Modality>,
    /// Where the client would rather come.
    pub preferred_venue_id: Option<VenueId>,
}

impl ClientFacts {
    /// See [`is_child`].
    pub fn is_child_on(&self, day: NaiveDate) -> bool {
        is_child(self.adult_from, self.side, day)
    }

    /// Whether care needs consent: of survivors always (privacy, "Consent"); an offender's treatment
    /// rests on an order or on coming.
    pub fn needs_consent(&self) -> bool {
        self.side == Side::Survivor
    }
}

/// A counsellor, as the rules see one.
#[derive(Debug)]
pub struct CounsellorFacts {
    /// The counsellor.
    pub counsellor: Arc<Record<Counsellor>>,
    /// Times taken by sessions, buffers included.
    pub busy: Spans,
    /// Times away.
    pub leave: Spans,
    /// Sessions by local day of the counsellor.
    pub sessions_on: BTreeMap<NaiveDate, u32>,
    /// Sessions by the Monday with which a week of the counsellor begins.
    pub sessions_in_week: BTreeMap<NaiveDate, u32>,
    /// By site: times around sessions at other sites, travel included.
    pub elsewhere: BTreeMap<SiteId, Spans>,
    /// Times worked, by venue; `None` is remote.
    pub working: BTreeMap<Option<VenueId>, Arc<Spans>>,
}

impl CounsellorFacts {
    /// How many sessions there are on the counsellor's day of an instant.
    pub fn load_on(&self, at: DateTime<Utc>) -> u32 {
        self.sessions_on.get(&local_day(at, self.counsellor.zone)).copied().unwrap_or_default()
    }
}

/// A venue, as the rules see one.
#[derive(Debug)]
pub struct VenueFacts {
    /// The venue.
    pub venue: Arc<Record<Venue>>,
    /// Its rooms in code order.
    pub rooms: Vec<RoomFacts>,
}

/// A room, as the rules see one.
#[derive(Debug)]
pub struct RoomFacts {
    /// The room.
    pub id: RoomId,
    /// For how many people it is, if anybody has said.
    pub capacity: Option<u32>,
    /// Taken by the own organisation's same side.
    pub busy: Spans,
    /// Taken by another organisation or the other side.
    pub busy_elsewhere: Spans,
}

/// A site, as the rules see one.
#[derive(Debug)]
pub struct SiteFacts {
    /// The site.
    pub site: Arc<Record<Site>>,
    /// Days on which it is closed.
    pub closed: Spans,
    /// The hours it publishes for the clients' side, if it publishes any.
    pub side_hours: Option<Spans>,
    /// Presences of the other side, each padded by half the separation gap.
    pub other_side: Spans,
    /// Days on which somebody is here whom one of the clients must never meet.
    pub linked: Spans,
}

impl Facts {
    /// Whether they tell what is taken in all of a span.
    pub fn tell_of(&self, span: Span) -> bool {
        self.within.is_some_and(|within| within.contains(span))
    }

    /// The first room of a venue, in code order, that is free for a while; for a group the smallest that is
    /// large enough, before any of which nobody knows, before any that is too small. When none is free, one
    /// that only others have, and only then one of the own: so that a refusal tells a room that others took
    /// from separation no better than it tells the two apart anywhere. `None` when the venue lists no rooms.
    pub fn pick_room(&self, venue_id: VenueId, span: Span, party: &Party) -> Option<RoomId> {
        let rooms = &self.venues.get(&venue_id)?.rooms;
        let fit = |room: &&RoomFacts| match room.capacity {
            _ if !party.is_group() => (0, 0),
            Some(capacity) if capacity >= party.people() => (0, capacity),
            None => (1, 0),
            Some(_) => (2, 0),
        };
        let is_free = |room: &&RoomFacts| !room.busy.overlap(span) && !room.busy_elsewhere.overlap(span);
        // Of several that fit alike it is the first.
        let free = rooms.iter().filter(is_free).min_by_key(fit);
        let of_others = || rooms.iter().find(|room| !room.busy.overlap(span));
        free.or_else(of_others).or(rooms.first()).map(|room| room.id)
    }

    /// The zone in which a place's local times are meant.
    pub fn zone_of(&self, counsellor_id: CounsellorId, place: Place) -> Option<Tz> {
        match place.site_id() {
            Some(site_id) => self.sites.get(&site_id).map(|site| site.site.zone),
            None => self.counsellors.get(&counsellor_id).map(|it| it.counsellor.zone),
        }
    }
}
