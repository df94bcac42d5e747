//! Where sessions take place, and where somebody wants one.

use super::code::Modality;
use super::ids::{RoomId, SiteId, VenueId};

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

/// Where somebody wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedPlace {
    /// By telephone or video.
    Remote,
    /// At a venue, in a room or in the first that is free.
    Venue(VenueId, Option<RoomId>),
}

impl From<Place> for WantedPlace {
    fn from(place: Place) -> Self {
        match place {
            Place::Remote => Self::Remote,
            Place::Venue { venue_id, room_id, .. } => Self::Venue(venue_id, room_id),
        }
    }
}
