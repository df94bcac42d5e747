//! Sessions: one meeting of one counsellor with one client.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::code::{CareService, Modality, Side, words};
use super::ids::{ClientId, CounsellorId, OrganisationId, RoomId, SessionId, SiteId, VenueId};
use super::reference::Reference;
use super::time::Span;

/// The shortest session.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(10);
/// The longest session.
pub const LONGEST: TimeDelta = TimeDelta::hours(8);
/// How long after its start a session may still be booked: a walk-in (booking rules, IN_THE_PAST).
pub const WALK_IN: TimeDelta = TimeDelta::minutes(15);

words! {
    /// Why a session was cancelled.
    CancelReason {
        /// The client asked.
        Client = "CLIENT",
        /// The counsellor or the organisation could not.
        Provider = "PROVIDER",
        /// Venue, transport or the like.
        Logistics = "LOGISTICS",
        /// A court or authority called the client away.
        Court = "COURT",
        /// Anything else.
        Other = "OTHER",
    }

    /// The word of a state, without its evidence.
    StateWord {
        /// See [`State::Booked`].
        Booked = "BOOKED",
        /// See [`State::Cancelled`].
        Cancelled = "CANCELLED",
    }
}

/// Where a session stands, with the evidence of how it got there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to take place, or did.
    Booked,
    /// It was cancelled before it started.
    Cancelled {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: CancelReason,
    },
}

impl State {
    /// The word of this state.
    pub fn word(&self) -> StateWord {
        match self {
            State::Booked => StateWord::Booked,
            State::Cancelled { .. } => StateWord::Cancelled,
        }
    }
}

/// Where a session takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Nowhere: telephone or video.
    Remote,
    /// At a venue, in one of its rooms if it lists any.
    Venue {
        /// The venue.
        venue_id: VenueId,
        /// The site of the venue.
        site_id: SiteId,
        /// The room.
        room_id: Option<RoomId>,
    },
}

impl Place {
    /// How the two meet.
    pub fn modality(self) -> Modality {
        match self {
            Place::Remote => Modality::Remote,
            Place::Venue { .. } => Modality::InPerson,
        }
    }

    /// The venue, if any.
    pub fn venue_id(self) -> Option<VenueId> {
        match self {
            Place::Remote => None,
            Place::Venue { venue_id, .. } => Some(venue_id),
        }
    }

    /// The site, if any.
    pub fn site_id(self) -> Option<SiteId> {
        match self {
            Place::Remote => None,
            Place::Venue { site_id, .. } => Some(site_id),
        }
    }

    /// The room, if any.
    pub fn room_id(self) -> Option<RoomId> {
        match self {
            Place::Remote => None,
            Place::Venue { room_id, .. } => room_id,
        }
    }
}

/// One meeting of one counsellor with one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation of both.
    pub organisation_id: OrganisationId,
    /// The client.
    pub client_id: ClientId,
    /// The client's reference code.
    pub client_reference: Reference,
    /// The client's side.
    pub side: Side,
    /// The counsellor.
    pub counsellor_id: CounsellorId,
    /// What it is for.
    pub service: CareService,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
    /// The zone of the site, or of the counsellor when remote.
    pub zone: Tz,
    /// Where it stands.
    pub state: State,
    /// A fact recorded later stands against it; a person must move it.
    pub needs_rescheduling: bool,
    /// When it was booked.
    pub created_at: DateTime<Utc>,
}

impl Session {
    /// The local calendar day on which it starts.
    pub fn on_date(&self) -> NaiveDate {
        super::time::local_day(self.span.starts_at(), self.zone)
    }

    /// Cancels it, unless it has started or was cancelled before.
    pub fn cancel(self, now: DateTime<Utc>, reason: CancelReason) -> Result<Self, CancelRefused> {
        match self.state {
            State::Cancelled { .. } => Err(CancelRefused::AlreadyCancelled),
            State::Booked if self.span.starts_at() <= now => Err(CancelRefused::AlreadyStarted),
            State::Booked => Ok(Self {
                version: self.version + 1,
                state: State::Cancelled { at: now, reason },
                needs_rescheduling: false,
                ..self
            }),
        }
    }
}

/// Why a session cannot be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelRefused {
    /// It was cancelled before.
    AlreadyCancelled,
    /// It has started; what became of it is a matter of attendance.
    AlreadyStarted,
}
