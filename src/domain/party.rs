//! Who meets with a counsellor: one client, or a group and perhaps other counsellors.

use super::ids::{ClientId, CounsellorId, GuardianId, OrderId};

/// The most people a group can be for; a parameter of ours.
pub const LARGEST_GROUP: u32 = 50;
/// The most counsellors who lead a group beside the first; a parameter of ours.
pub const MOST_CO_FACILITATORS: usize = 4;

/// A client who is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub client_id: ClientId,
    /// The safe adult who comes with a child.
    pub guardian_id: Option<GuardianId>,
    /// An interpreter is booked for this client.
    pub interpreter: bool,
    /// The treatment order towards which it counts, if any.
    pub order_id: Option<OrderId>,
}

/// Who meets with a counsellor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Who leads a group with that counsellor.
    pub co_facilitators: Vec<CounsellorId>,
    /// The clients, each once. A group may still have none.
    pub participants: Vec<Attendee>,
    /// For how many clients; one to one is 1.
    pub capacity: u32,
}

impl Party {
    /// One client.
    pub fn one_to_one(client: Attendee) -> Self {
        Self { co_facilitators: Vec::new(), participants: vec![client], capacity: 1 }
    }

    /// Whether it is made for more than one client.
    pub fn is_group(&self) -> bool {
        self.capacity > 1
    }

    /// How many people a room must hold for it when every place is taken, counsellors included.
    pub fn people(&self) -> u32 {
        let beside = u32::try_from(self.co_facilitators.len()).unwrap_or(u32::MAX);
        self.capacity.saturating_add(1).saturating_add(beside)
    }

    /// The only client of a meeting one to one.
    pub fn client(&self) -> Option<&Attendee> {
        self.participants.first().filter(|_| !self.is_group())
    }

    /// Whether a client is to be there.
    pub fn expects(&self, client_id: ClientId) -> bool {
        self.participants.iter().any(|it| it.client_id == client_id)
    }

    /// The clients.
    pub fn clients(&self) -> Vec<ClientId> {
        self.participants.iter().map(|it| it.client_id).collect()
    }

    /// With one counsellor in the place of another beside the one who leads.
    #[must_use]
    pub fn with_co_facilitator(mut self, new: CounsellorId, instead_of: CounsellorId) -> Self {
        for one in self.co_facilitators.iter_mut().filter(|one| **one == instead_of) {
            *one = new;
        }
        self.co_facilitators.sort_unstable();
        self
    }

    /// Every counsellor, the one who leads first.
    pub fn counsellors(&self, lead: CounsellorId) -> impl Iterator<Item = CounsellorId> {
        std::iter::once(lead).chain(self.co_facilitators.iter().copied())
    }
}
