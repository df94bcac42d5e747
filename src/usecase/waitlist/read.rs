//! The waitlist as coordinators read it, and the offers that wait for their answer.

use std::collections::BTreeMap;

use super::explain::{Outlook, outlook};
use super::offer::FIRST;
use crate::domain::age::{adult_from, is_child};
use crate::domain::code::{CareService, Side};
use crate::domain::ids::{ClientId, CounsellorId, SessionId, WaitlistEntryId, WaitlistOfferId};
use crate::domain::reference::Reference;
use crate::domain::session::{Session, StateWord};
use crate::domain::waitlist::{Band, Entry, Offer, Rank};
use crate::store::client::Subject;
use crate::store::codec::Instant;
use crate::store::session::Listing;
use crate::store::{Lock, Tx, client, offer, session, waitlist};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// Which part of the waitlist; joined by AND.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// One side.
    pub side: Option<Side>,
    /// One service.
    pub service: Option<CareService>,
    /// Whoever a time of this counsellor could do for.
    pub counsellor_id: Option<CounsellorId>,
    /// One client.
    pub client_id: Option<ClientId>,
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        self.service.is_none_or(|it| it == entry.service)
            && self.client_id.is_none_or(|it| it == entry.attendee.client_id)
            && self.counsellor_id.is_none_or(|it| entry.wishes.counsellor_id.is_none_or(|wish| wish == it))
    }
}

/// Where somebody stands who waits, and why.
#[derive(Clone, Debug)]
pub struct Place {
    /// The entry.
    pub entry: Entry,
    /// The client's reference code.
    pub reference: Reference,
    /// How urgent it is.
    pub band: Band,
    /// From 1, among all who wait for the service.
    pub position: u32,
    /// The offer that waits for an answer.
    pub offer: Option<Offer>,
    /// The next session of the client for the service, which somebody booked otherwise.
    pub coming: Option<SessionId>,
    /// What is free for it now.
    pub outlook: Outlook,
}

/// Lists who waits, in the order in which they are asked.
pub async fn list_waitlist(world: &World, call: &Call, filter: Filter, page: &Page) -> Result<(Vec<Place>, String)> {
    let after: Option<Rank> = page.after(world, call)?;
    let mut tx = world.db().begin_read().await?;
    let entries = waitlist::waiting(&mut tx, call.sees()?, filter.side).await?;
    let ids: Vec<ClientId> = entries.iter().map(|it| it.attendee.client_id).collect();
    let subjects = client::subjects(&mut tx, &ids).await?;
    let subjects: BTreeMap<ClientId, &Subject> = subjects.iter().map(|it| (it.id, it)).collect();
    let mut rows = ranked(world, entries, &subjects);
    rows.retain(|(rank, _, entry)| after.is_none_or(|after| *rank > after) && filter.takes(entry));
    rows.truncate(page.most());
    let (rows, token) = page.cut(world, call, rows, |(rank, ..)| *rank);
    let mut places = Vec::with_capacity(rows.len());
    for (rank, position, entry) in rows {
        let Some(subject) = subjects.get(&entry.attendee.client_id) else { continue };
        places.push(Place {
            reference: subject.reference.clone(),
            band: rank.band(),
            position,
            offer: offer::open_of_entry(&mut tx, entry.id).await?,
            coming: coming(&mut tx, world, &entry).await?,
            outlook: outlook(world, &mut tx, subject, &entry).await?,
            entry,
        });
    }
    Ok((places, token))
}

/// Who waits, in order, each with the place among all who wait for the same service.
fn ranked(world: &World, entries: Vec<Entry>, subjects: &BTreeMap<ClientId, &Subject>) -> Vec<(Rank, u32, Entry)> {
    let today = world.now().date_naive();
    let rank = |entry: &Entry| {
        let born_on = subjects.get(&entry.attendee.client_id).map(|it| &it.born_on);
        entry.rank(is_child(born_on.and_then(adult_from), entry.side, today))
    };
    let mut all: Vec<(Rank, Entry)> = entries.into_iter().map(|entry| (rank(&entry), entry)).collect();
    all.sort_unstable_by_key(|(rank, _)| *rank);
    let mut positions: BTreeMap<_, u32> = BTreeMap::new();
    let numbered = all.into_iter().map(|(rank, entry)| {
        let position = positions.entry((entry.organisation_id, entry.service)).or_default();
        *position += 1;
        (rank, *position, entry)
    });
    numbered.collect()
}

/// The next booked session of a client for the service for which it waits.
async fn coming(tx: &mut Tx, world: &World, entry: &Entry) -> Result<Option<SessionId>> {
    let listing = Listing {
        organisation_id: Some(entry.organisation_id),
        client_id: Some(entry.attendee.client_id),
        starts_from: Some(world.now()),
        states: vec![StateWord::Booked],
        most: 50,
        ..Listing::default()
    };
    let sessions = session::list(tx, &listing).await?;
    Ok(sessions.into_iter().find(|it| it.service == entry.service).map(|it| it.id))
}

/// An offer that waits for an answer, with what it is about.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The offer.
    pub offer: Offer,
    /// The entry it is for.
    pub entry: Entry,
    /// The time that is held.
    pub hold: Option<Session>,
}

/// Lists the offers that wait for an answer, those that expire first before others.
pub async fn list_offers(world: &World, call: &Call, page: &Page) -> Result<(Vec<Waiting>, String)> {
    let now = world.now();
    let after: Option<(chrono::DateTime<chrono::Utc>, WaitlistOfferId)> = page.after(world, call)?;
    // What has expired is about to be ended by its job.
    let from = after.map_or((Instant(now), FIRST.1), |(at, id)| (Instant(at.max(now)), id));
    let mut tx = world.db().begin_read().await?;
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let mut rows = offer::open(&mut tx, call.sees()?, from, most).await?;
    rows.retain(|it| it.expires_at > now);
    let (rows, token) = page.cut(world, call, rows, |it| (it.expires_at, it.id));
    let mut all = Vec::with_capacity(rows.len());
    for offer in rows {
        let entry = entry(&mut tx, offer.entry_id).await?;
        let hold = session::find(&mut tx, offer.session_id, Lock::None).await?;
        all.push(Waiting { offer, entry, hold });
    }
    Ok((all, token))
}

async fn entry(tx: &mut Tx, id: WaitlistEntryId) -> Result<Entry> {
    waitlist::find(tx, id, Lock::None).await?.ok_or(Error::NotFound(super::WORD))
}
