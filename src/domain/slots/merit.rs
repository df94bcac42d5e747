//! What a counsellor at a place has for a client, whenever it is.

use super::{Search, SlotReason};
use crate::domain::ids::CounsellorId;
use crate::domain::place::Place;
use crate::domain::rules::{ClientFacts, Facts};

/// The first parts of a rank: what a counsellor at a place has for a client, whenever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merit {
    pub(super) stranger: bool,
    pub(super) unmet: u8,
}

/// What a counsellor at a place has for the client.
pub(super) fn merit(search: &Search, facts: &Facts, counsellor_id: CounsellorId, place: Place) -> Merit {
    let unmet = wishes(search, facts, counsellor_id, place).into_iter().filter(|(met, _)| *met == Some(false)).count();
    Merit { stranger: !is_known(search, facts, counsellor_id), unmet: u8::try_from(unmet).unwrap_or(u8::MAX) }
}

/// What speaks for a counsellor at a place.
pub(super) fn reasons(search: &Search, facts: &Facts, counsellor_id: CounsellorId, place: Place) -> Vec<SlotReason> {
    let known = is_known(search, facts, counsellor_id).then_some(SlotReason::Continuity);
    let met = wishes(search, facts, counsellor_id, place).into_iter().filter(|(met, _)| *met == Some(true));
    known.into_iter().chain(met.map(|(_, reason)| reason)).collect()
}

/// What one client would rather have, and has seen, says nothing of a group.
fn alone<'f>(search: &Search, facts: &'f Facts) -> Option<&'f ClientFacts> {
    search.party.client().and_then(|it| facts.clients.get(&it.client_id))
}

fn is_known(search: &Search, facts: &Facts, counsellor_id: CounsellorId) -> bool {
    alone(search, facts).is_some_and(|client| client.seen_by.contains(&counsellor_id))
}

/// A wish is met, or not met, or was never stated.
fn wishes(
    search: &Search,
    facts: &Facts,
    counsellor_id: CounsellorId,
    place: Place,
) -> [(Option<bool>, SlotReason); 3] {
    let client = alone(search, facts);
    let preferred_modality = client.and_then(|client| client.preferred_modality);
    let preferred_venue_id = client.and_then(|client| client.preferred_venue_id);
    [
        (search.preferred_counsellor_id.map(|id| id == counsellor_id), SlotReason::PreferredCounsellor),
        (preferred_modality.map(|wish| wish == place.modality()), SlotReason::PreferredModality),
        (preferred_venue_id.map(|wish| Some(wish) == place.venue_id()), SlotReason::PreferredVenue),
    ]
}
