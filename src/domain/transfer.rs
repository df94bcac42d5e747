//! Moves of a client from one organisation to another: with the client's consent, or with a reason that a second person
//! signs; to an organisation that accepts (privacy, "Consent").

use chrono::{DateTime, TimeDelta, Utc};

use super::break_glass::Act;
use super::code::{Side, words};
use super::ids::{ClientId, ConsentId, OrganisationId, TransferId};
use super::personal::Personal;
use super::reference::Reference;
use super::text::Code;

/// Who has not answered by then is not waited for. \[P\]
pub const ANSWERED_WITHIN: TimeDelta = TimeDelta::days(14);

/// The length of the reason for a transfer without consent, in characters.
pub const REASON: std::ops::RangeInclusive<usize> = 3..=500;

words! {
    /// How it ended.
    TransferEnding {
        /// The client moved.
        Accepted = "ACCEPTED",
        /// The receiving organisation does not take the client.
        Declined = "DECLINED",
        /// The giving organisation took it back.
        Withdrawn = "WITHDRAWN",
        /// Nobody answered in time, and another one was proposed.
        Expired = "EXPIRED",
    }

    /// Where it stands.
    TransferState {
        /// Waits for a second person of the giving organisation.
        AwaitsCosignature = "AWAITS_COSIGNATURE",
        /// Waits for the receiving organisation.
        Proposed = "PROPOSED",
        /// The client moved.
        Accepted = "ACCEPTED",
        /// Not taken.
        Declined = "DECLINED",
        /// Taken back.
        Withdrawn = "WITHDRAWN",
        /// Nobody answered in time.
        Expired = "EXPIRED",
    }

    /// Why a client is not taken.
    DeclineReason {
        /// No room.
        NoCapacity = "NO_CAPACITY",
        /// Does not do what the client needs.
        NotOurService = "NOT_OUR_SERVICE",
        /// Another one.
        Other = "OTHER",
    }
}

/// One of the two organisations.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Which.
    pub id: OrganisationId,
    /// Its code.
    pub code: Code,
    /// Its district.
    pub district: Code,
}

/// What a transfer rests on.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// A consent of purpose TRANSFER.
    Consent(ConsentId),
    /// A reason, which another person signs; empty where it is not opened.
    Override(Personal),
}

/// A transfer.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// Its id.
    pub id: TransferId,
    /// Of whom.
    pub client_id: ClientId,
    /// The client's reference.
    pub reference: Reference,
    /// The client's side.
    pub side: Side,
    /// From whom.
    pub giving: Party,
    /// To whom.
    pub receiving: Party,
    /// What it rests on.
    pub basis: Basis,
    /// When, and by whom.
    pub proposed: Act,
    /// When its reason was signed, and by whom.
    pub cosigned: Option<Act>,
    /// From when on nobody can accept it.
    pub expires_at: DateTime<Utc>,
    /// How it ended, when, and by whom.
    pub ended: Option<(TransferEnding, Act)>,
    /// Why it was declined.
    pub declined_because: Option<DeclineReason>,
}

/// Why something cannot be done with a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// It waits for nobody any more.
    Over,
    /// It does not wait for a signature.
    NotToSign,
    /// Nobody signs the own reason.
    SamePerson,
    /// Nobody has signed it yet.
    NotSigned,
}

impl Transfer {
    /// Where it stands at an instant.
    pub fn state(&self, now: DateTime<Utc>) -> TransferState {
        match &self.ended {
            Some((TransferEnding::Accepted, _)) => TransferState::Accepted,
            Some((TransferEnding::Declined, _)) => TransferState::Declined,
            Some((TransferEnding::Withdrawn, _)) => TransferState::Withdrawn,
            Some((TransferEnding::Expired, _)) => TransferState::Expired,
            None if now >= self.expires_at => TransferState::Expired,
            None if self.is_signed() => TransferState::Proposed,
            None => TransferState::AwaitsCosignature,
        }
    }

    /// Whether the receiving organisation may know of it: it rests on a consent, or a second person has signed.
    pub fn is_signed(&self) -> bool {
        matches!(self.basis, Basis::Consent(_)) || self.cosigned.is_some()
    }

    /// With the signature of a second person.
    pub fn cosign(self, act: Act) -> Result<Self, Unable> {
        match self.state(act.at) {
            TransferState::AwaitsCosignature if self.proposed.by == act.by => Err(Unable::SamePerson),
            TransferState::AwaitsCosignature => Ok(Self { cosigned: Some(act), ..self }),
            TransferState::Proposed => Err(Unable::NotToSign),
            _ => Err(Unable::Over),
        }
    }

    /// Accepted or declined by the receiving organisation.
    pub fn answer(self, how: TransferEnding, act: Act, because: Option<DeclineReason>) -> Result<Self, Unable> {
        match self.state(act.at) {
            TransferState::Proposed => Ok(Self { ended: Some((how, act)), declined_because: because, ..self }),
            TransferState::AwaitsCosignature => Err(Unable::NotSigned),
            _ => Err(Unable::Over),
        }
    }

    /// Taken back by the giving organisation.
    pub fn withdraw(self, act: Act) -> Result<Self, Unable> {
        match self.state(act.at) {
            TransferState::Proposed | TransferState::AwaitsCosignature => {
                Ok(Self { ended: Some((TransferEnding::Withdrawn, act)), ..self })
            }
            _ => Err(Unable::Over),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn act(by: &str, days: i64) -> Act {
        Act { at: at(days), by: by.into() }
    }

    fn transfer(basis: Basis) -> Transfer {
        let of = |code: &str, number| Party {
            id: OrganisationId(Uuid::from_u128(number)),
            code: Code::parse(code).unwrap(),
            district: Code::parse("KL-TVM").unwrap(),
        };
        Transfer {
            id: TransferId(Uuid::from_u128(1)),
            client_id: ClientId(Uuid::from_u128(2)),
            reference: Reference::from_random([7; 8]),
            side: Side::Survivor,
            giving: of("A", 3),
            receiving: of("B", 4),
            basis,
            proposed: act("one", 0),
            cosigned: None,
            expires_at: at(0) + ANSWERED_WITHIN,
            ended: None,
            declined_because: None,
        }
    }

    #[test]
    fn without_consent_nothing_happens_before_a_second_person_signs() {
        let it = transfer(Basis::Override(Personal::default()));
        assert_eq!(it.state(at(0)), TransferState::AwaitsCosignature);
        let accept = |it: Transfer, days| it.answer(TransferEnding::Accepted, act("three", days), None);
        assert_eq!(accept(it.clone(), 1), Err(Unable::NotSigned));
        assert_eq!(it.clone().cosign(act("one", 1)), Err(Unable::SamePerson));
        assert_eq!(it.clone().cosign(act("two", 14)), Err(Unable::Over));
        let it = it.cosign(act("two", 1)).unwrap();
        assert_eq!(it.clone().cosign(act("two", 2)), Err(Unable::NotToSign));
        assert_eq!(accept(it.clone(), 13).unwrap().state(at(13)), TransferState::Accepted);
        assert_eq!(accept(it, 14), Err(Unable::Over));
    }

    #[test]
    fn it_ends_once() {
        let it = transfer(Basis::Consent(ConsentId(Uuid::from_u128(5))));
        assert_eq!(it.state(at(13)), TransferState::Proposed);
        assert_eq!(it.state(at(14)), TransferState::Expired);
        let taken_back = it.clone().withdraw(act("one", 1)).unwrap();
        assert_eq!(taken_back.clone().withdraw(act("one", 1)), Err(Unable::Over));
        assert_eq!(taken_back.answer(TransferEnding::Accepted, act("two", 1), None), Err(Unable::Over));
        let declined = it.answer(TransferEnding::Declined, act("two", 1), Some(DeclineReason::Other)).unwrap();
        assert_eq!(declined.clone().cosign(act("three", 1)), Err(Unable::Over));
        assert_eq!(declined.withdraw(act("one", 1)), Err(Unable::Over));
    }
}
