//! Clinical emergencies: a counsellor is let in to a client of the own side and organisation whom the counsellor
//! otherwise may not see; by another person, for hours, and reviewed afterwards (domain/privacy, "Access").

use chrono::{DateTime, TimeDelta, Utc};

use super::code::words;
use super::ids::{BreakGlassId, ClientId, CounsellorId, OrganisationId};
use super::personal::Personal;
use super::reference::Reference;

/// The longest it opens; the schema holds it too. \[P\]
pub const LONGEST: TimeDelta = TimeDelta::hours(4);
/// For how long it opens unless asked otherwise. \[P\]
pub const USUAL: TimeDelta = TimeDelta::hours(1);
/// What nobody has approved by then was no emergency. \[P\]
pub const APPROVED_WITHIN: TimeDelta = TimeDelta::hours(1);

words! {
    /// What a review has found.
    Finding {
        /// It was right to be let in.
        Justified = "JUSTIFIED",
        /// It was not.
        Unjustified = "UNJUSTIFIED",
    }

    /// Where it stands.
    BreakGlassState {
        /// Waits for another person.
        Pending = "PENDING",
        /// Nobody approved it in time.
        Lapsed = "LAPSED",
        /// Refused, or given up.
        Declined = "DECLINED",
        /// The counsellor is let in.
        Open = "OPEN",
        /// Over.
        Ended = "ENDED",
    }
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
}

/// An emergency access, from its request to its review.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakGlass {
    /// Its id.
    pub id: BreakGlassId,
    /// The organisation of both.
    pub organisation_id: OrganisationId,
    /// To whom.
    pub client_id: ClientId,
    /// The client's reference.
    pub reference: Reference,
    /// Who.
    pub counsellor_id: CounsellorId,
    /// When it was asked for, and by which subject.
    pub requested: Act,
    /// Why; empty when it was not opened.
    pub reason: Personal,
    /// For how long it opens.
    pub length: TimeDelta,
    /// When it was opened, and by whom.
    pub opened: Option<Act>,
    /// Until when it is open.
    pub opened_until: Option<DateTime<Utc>>,
    /// When it was refused, given up or ended before its time, and by whom.
    pub revoked: Option<Act>,
    /// When it was reviewed, and by whom.
    pub reviewed: Option<Act>,
    /// What the review has found.
    pub finding: Option<Finding>,
}

/// Why something cannot be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// Whoever asks for it neither approves nor reviews it.
    SamePerson,
    /// It waits for nobody any more.
    NotPending,
    /// It is over.
    Over,
    /// It is open, or never was.
    NotToReview,
}

impl BreakGlass {
    /// Where it stands at an instant.
    pub fn state(&self, now: DateTime<Utc>) -> BreakGlassState {
        match (&self.opened, &self.revoked) {
            (Some(_), None) if self.opened_until.is_some_and(|end| now < end) => BreakGlassState::Open,
            (Some(_), _) => BreakGlassState::Ended,
            (None, Some(_)) => BreakGlassState::Declined,
            (None, None) if now < self.requested.at + APPROVED_WITHIN => BreakGlassState::Pending,
            (None, None) => BreakGlassState::Lapsed,
        }
    }

    /// Opens it, from now on.
    pub fn open(self, act: Act) -> Result<Self, Unable> {
        match self.state(act.at) {
            _ if self.requested.by == act.by => Err(Unable::SamePerson),
            BreakGlassState::Pending => {
                Ok(Self { opened_until: Some(act.at + self.length), opened: Some(act), ..self })
            }
            _ => Err(Unable::NotPending),
        }
    }

    /// Refuses it, gives it up or ends it.
    pub fn revoke(self, act: Act) -> Result<Self, Unable> {
        match self.state(act.at) {
            BreakGlassState::Pending | BreakGlassState::Open => Ok(Self { revoked: Some(act), ..self }),
            BreakGlassState::Lapsed | BreakGlassState::Declined | BreakGlassState::Ended => Err(Unable::Over),
        }
    }

    /// Says whether it was right.
    pub fn review(self, act: Act, finding: Finding) -> Result<Self, Unable> {
        match self.state(act.at) {
            _ if self.requested.by == act.by => Err(Unable::SamePerson),
            BreakGlassState::Ended if self.reviewed.is_none() => {
                Ok(Self { reviewed: Some(act), finding: Some(finding), ..self })
            }
            _ => Err(Unable::NotToReview),
        }
    }
}
