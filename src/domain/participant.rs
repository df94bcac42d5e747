//! Who is planned to be at a session, who joins it and who leaves it before it starts. Who attended is
//! another fact.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::ids::{AttendanceId, ClientId, OrderId, ParticipantId};
use super::party::{Attendee, Party};
use super::reference::Reference;
use super::rules::RuleCode;
use super::session::{CancelReason, Session};

/// A client who is planned to be at a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Id of this place in the session.
    pub id: ParticipantId,
    /// Which of the session's places, 1 to its capacity.
    pub seat: u32,
    /// The client, and who comes along.
    pub attendee: Attendee,
    /// The client's reference code.
    pub reference: Reference,
    /// The rules about this client that were broken with a written reason.
    pub overridden: Vec<RuleCode>,
    /// The rules about this client that are broken by facts recorded afterwards.
    pub flags: Vec<RuleCode>,
    /// Since when.
    pub added_at: DateTime<Utc>,
    /// What was recorded of the attendance, as it stands; none when nobody has recorded it.
    pub attendance_id: Option<AttendanceId>,
}

/// A client who was planned to be at a session, and was removed before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Who.
    pub client_id: ClientId,
    /// The client's reference code.
    pub reference: Reference,
    /// Planned since.
    pub added_at: DateTime<Utc>,
    /// Removed when.
    pub removed_at: DateTime<Utc>,
    /// Why.
    pub reason: CancelReason,
}

impl Session {
    /// The first place that nobody has.
    pub fn free_seat(&self) -> Option<u32> {
        (1..=self.capacity).find(|seat| !self.participants.iter().any(|it| it.seat == *seat))
    }

    /// Whether a client is planned to be there.
    pub fn expects(&self, client_id: ClientId) -> bool {
        self.participants.iter().any(|it| it.attendee.client_id == client_id)
    }

    /// Who would meet if somebody came too.
    pub fn party_with(&self, attendee: Attendee) -> Party {
        let mut party = self.party();
        party.participants.push(attendee);
        party
    }

    /// The same without anybody else: as the record of one of its clients has it.
    pub fn as_of_client(mut self, client_id: ClientId) -> Self {
        if self.is_group() {
            self.participants.retain(|it| it.attendee.client_id == client_id);
            self.removed.retain(|it| it.client_id == client_id);
            let own = self.participants.first();
            self.flags = own.map(|it| it.flags.clone()).unwrap_or_default();
            self.overridden = own.map(|it| it.overridden.clone()).unwrap_or_default();
        }
        self
    }

    /// With the place of a client counted towards an order.
    pub fn counted(mut self, id: ParticipantId, order_id: OrderId) -> Self {
        for participant in self.participants.iter_mut().filter(|it| it.id == id) {
            participant.attendee.order_id = Some(order_id);
        }
        Self { version: self.version + 1, ..self }
    }

    /// With somebody more, for whose sake these rules of the session as a whole were broken too.
    pub fn joined(mut self, participant: Participant, overridden: &[RuleCode]) -> Self {
        let about_client = participant.overridden.iter();
        let all: BTreeSet<RuleCode> = self.overridden.iter().chain(overridden).chain(about_client).copied().collect();
        self.participants.push(participant);
        self.participants.sort_unstable_by_key(|it| it.seat);
        // What somebody has decided waits for nobody's decision any more; of the others, each for its own.
        self.flags.retain(|rule| rule.is_about_clients() || !overridden.contains(rule));
        Self { version: self.version + 1, overridden: all.into_iter().collect(), ..self }
    }

    /// Without somebody who was planned to be there, who stays part of its history.
    pub fn without(mut self, client_id: ClientId, at: DateTime<Utc>, reason: CancelReason) -> Self {
        let (left, stay) = self.participants.into_iter().partition(|it| it.attendee.client_id == client_id);
        self.participants = stay;
        let removed = |it: Participant| Removed {
            client_id,
            reference: it.reference,
            added_at: it.added_at,
            removed_at: at,
            reason,
        };
        self.removed.extend(Vec::into_iter(left).map(removed));
        Self { version: self.version + 1, ..self }
    }
}
