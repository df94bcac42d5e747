//! The waitlist: who waits for a session, in what order, and to whom a time that became free is offered.
//! An offer is a hold with an end; only a person makes a session of it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::client::Availability;
use super::code::{CareService, Modality, Side, words};
use super::ids::{CounsellorId, FreedSlotId, OrganisationId, SessionId, VenueId, WaitlistEntryId, WaitlistOfferId};
use super::party::{Attendee, Party};
use super::place::WantedPlace;
use super::session::Wanted;
use super::text::Code;
use super::time::{Day, Span, local_day, next_on_grid};

/// How long an offer stands, if the organisation's notice leaves that much time. A parameter of ours.
pub const OFFERED_FOR: TimeDelta = TimeDelta::hours(24);
/// What leaves less time than this to answer is not offered. A parameter of ours.
pub const LEAST_TO_ANSWER: TimeDelta = TimeDelta::hours(1);
/// The grid of starts inside a time that is longer than needed, in minutes.
const STEP: u32 = super::slots::DEFAULT_STEP;
/// Begins the name in which the times of offers are held; no caller's identity does.
const HOLDER: &str = "waitlist:";

words! {
    /// How urgent a client's wait is, most urgent first.
    Band {
        /// An escalation is open.
        Escalated = "ESCALATED",
        /// The client is, or must be taken for, a child.
        Child = "CHILD",
        /// Anybody else.
        Standard = "STANDARD",
    }

    /// How a client's wait ended.
    EntryEnding {
        /// An offer was accepted.
        Booked = "BOOKED",
        /// The client waits no more.
        Left = "LEFT",
    }

    /// How a session gave back a time.
    Freeing {
        /// It was cancelled.
        Cancelled = "CANCELLED",
        /// It was moved.
        Rescheduled = "RESCHEDULED",
    }

    /// How the offering of a time ended.
    SlotEnding {
        /// An offer of it was accepted.
        Taken = "TAKEN",
        /// Nobody was left to whom it could be offered.
        Nobody = "NOBODY",
    }

    /// How an offer ended.
    OfferEnding {
        /// It was accepted and booked.
        Accepted = "ACCEPTED",
        /// It was declined.
        Declined = "DECLINED",
        /// Nobody answered in time.
        Expired = "EXPIRED",
        /// The client left the waitlist.
        Withdrawn = "WITHDRAWN",
    }
}

/// A row of the table of bands.
pub struct BandRow {
    /// The band.
    pub band: Band,
    /// Whether an entry of a client who is a child or not belongs to it.
    pub takes: fn(&Entry, bool) -> bool,
}

/// The bands, most urgent first; an entry belongs to the first that takes it. A parameter of ours.
pub const BANDS: [BandRow; 3] = [
    BandRow { band: Band::Escalated, takes: |entry, _| entry.escalated },
    BandRow { band: Band::Child, takes: |_, child| child },
    BandRow { band: Band::Standard, takes: |_, _| true },
];

/// The place of an entry in the order of the waitlist, which is total: band, then longest wait, then id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// The place of its band in [`BANDS`].
    band: usize,
    joined_at: DateTime<Utc>,
    id: WaitlistEntryId,
}

impl Rank {
    /// The band.
    pub fn band(&self) -> Band {
        BANDS[self.band.min(BANDS.len() - 1)].band
    }
}

/// A client's wait for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: WaitlistEntryId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation of the client.
    pub organisation_id: OrganisationId,
    /// The side of the client.
    pub side: Side,
    /// Who waits, and who comes along.
    pub attendee: Attendee,
    /// What for.
    pub service: CareService,
    /// How long the session is to last.
    pub length: TimeDelta,
    /// Which times will do.
    pub wishes: Wishes,
    /// An escalation is open.
    pub escalated: bool,
    /// Since when.
    pub joined_at: DateTime<Utc>,
    /// How it ended; none while the client waits.
    pub ended: Option<EntryEnded>,
}

/// How and when a client's wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryEnded {
    /// With a session.
    Booked(DateTime<Utc>, SessionId),
    /// Without.
    Left(DateTime<Utc>),
}

/// Which times will do; what is absent or empty asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Only this counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Only this modality.
    pub modality: Option<Modality>,
    /// Only this venue.
    pub venue_id: Option<VenueId>,
    /// Only venues of this district.
    pub district: Option<Code>,
    /// From this local day on.
    pub first_day: Option<NaiveDate>,
    /// Until this local day, included.
    pub last_day: Option<NaiveDate>,
    /// Inside one of these weekly times, in the zone of the place.
    pub times: Vec<Availability>,
}

/// Where and with whom a time is free.
#[derive(Clone, Debug)]
pub struct Opening {
    /// With whom.
    pub counsellor_id: CounsellorId,
    /// Where; none is remote.
    pub venue_id: Option<VenueId>,
    /// The district of the venue.
    pub district: Option<Code>,
    /// The zone of the place, or of the counsellor when remote.
    pub zone: Tz,
}

impl Wishes {
    /// Whether a time would do.
    pub fn admit(&self, at: &Opening, span: Span) -> bool {
        let modality = if at.venue_id.is_some() { Modality::InPerson } else { Modality::Remote };
        let day = local_day(span.starts_at(), at.zone);
        let inside = |it: &Availability| {
            it.day == Day::of(day)
                && Span::local(day, it.starts, it.ends, at.zone).is_some_and(|times| times.contains(span))
        };
        self.counsellor_id.is_none_or(|id| id == at.counsellor_id)
            && self.modality.is_none_or(|it| it == modality)
            && self.venue_id.is_none_or(|id| at.venue_id == Some(id))
            && self.district.as_ref().is_none_or(|it| at.district.as_ref() == Some(it))
            && self.first_day.is_none_or(|first| first <= day)
            && self.last_day.is_none_or(|last| day <= last)
            && (self.times.is_empty() || self.times.iter().any(inside))
    }
}

impl Entry {
    /// Its place in the order of the waitlist.
    pub fn rank(&self, child: bool) -> Rank {
        let band = BANDS.iter().position(|row| (row.takes)(self, child)).unwrap_or(BANDS.len() - 1);
        Rank { band, joined_at: self.joined_at, id: self.id }
    }

    /// The times inside a free one that would do, earliest first.
    pub fn times_in(&self, at: &Opening, free: Span) -> Vec<Span> {
        let next = |at_: &DateTime<Utc>| Some(next_on_grid(*at_ + TimeDelta::microseconds(1), STEP, at.zone));
        std::iter::successors(Some(free.starts_at()), next)
            .map_while(|start| Span::lasting(start, self.length))
            .take_while(|span| free.contains(*span))
            .filter(|span| self.wishes.admit(at, *span))
            .collect()
    }

    /// The session that it waits for, at such a time.
    pub fn wanted(&self, at: &Opening, span: Span) -> Wanted {
        Wanted {
            counsellor_id: at.counsellor_id,
            party: Party::one_to_one(self.attendee.clone()),
            service: self.service,
            place: at.venue_id.map_or(WantedPlace::Remote, |id| WantedPlace::Venue(id, None)),
            span,
            occurrence: None,
            milestone_id: None,
            overrides: Vec::new(),
        }
    }

    /// It, ended. Whoever has ended stays as they ended.
    #[must_use]
    pub fn end(self, ended: EntryEnded) -> Self {
        Self { version: self.version + 1, ended: self.ended.or(Some(ended)), ..self }
    }
}

/// A time that a session gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreedSlot {
    /// Its id.
    pub id: FreedSlotId,
    /// The organisation of the counsellor.
    pub organisation_id: OrganisationId,
    /// The side of the counsellor.
    pub side: Side,
    /// Whose time it is.
    pub counsellor_id: CounsellorId,
    /// Where; none is remote. The room is chosen anew.
    pub venue_id: Option<VenueId>,
    /// When.
    pub span: Span,
    /// The session that gave it back.
    pub session_id: SessionId,
    /// How.
    pub freed_how: Freeing,
    /// When it was given back.
    pub freed_at: DateTime<Utc>,
    /// How and when the offering ended.
    pub closed: Option<(SlotEnding, DateTime<Utc>)>,
}

/// The offer of a time to somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: WaitlistOfferId,
    /// The organisation of both.
    pub organisation_id: OrganisationId,
    /// The side of both.
    pub side: Side,
    /// To whom.
    pub entry_id: WaitlistEntryId,
    /// Of what.
    pub freed_slot_id: FreedSlotId,
    /// The hold, or the session that it became.
    pub session_id: SessionId,
    /// When the session would be.
    pub span: Span,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// How it ended; none while it is open.
    pub ended: Option<OfferEnded>,
}

/// How an offer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferEnded {
    /// How.
    pub how: OfferEnding,
    /// When.
    pub at: DateTime<Utc>,
    /// By whose doing.
    pub by: String,
}

impl Offer {
    /// When an offer made now of a start would end: in time for the organisation's notice. None when too
    /// little time is left to answer.
    pub fn expiry(now: DateTime<Utc>, starts_at: DateTime<Utc>, notice_for: TimeDelta) -> Option<DateTime<Utc>> {
        let until = (now + OFFERED_FOR).min(starts_at - notice_for);
        (until >= now + LEAST_TO_ANSWER).then_some(until)
    }

    /// In whose name the time of an offer is held.
    pub fn holder(id: WaitlistOfferId) -> String {
        format!("{HOLDER}{id}")
    }

    /// The offer in whose name a time is held, if it is one.
    pub fn of_holder(by: &str) -> Option<WaitlistOfferId> {
        by.strip_prefix(HOLDER)?.parse().ok()
    }

    /// Whether it can still be answered, or why not.
    pub fn check_open(&self, now: DateTime<Utc>) -> Result<(), OfferEnding> {
        match &self.ended {
            Some(ended) => Err(ended.how),
            None if self.expires_at <= now => Err(OfferEnding::Expired),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
