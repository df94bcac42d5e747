//! Places a session, or says what is free instead.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};

use super::hunt::Hunt;
use super::search::own_client;
use super::series::Placed;
use crate::chain::chain;
use crate::domain::code::Modality;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, SiteId};
use crate::domain::noun::Noun;
use crate::domain::place::WantedPlace;
use crate::domain::rules::{Occasion, RuleCode};
use crate::domain::session::Wanted;
use crate::domain::slots::{DEFAULT_STEP, Search, Slot};
use crate::domain::time::{Span, Spans};
use crate::store::noun::Stored;
use crate::store::{Lock, Tx};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::facts::{Ask, AskedKnown, Directories, Places};
use crate::usecase::work::{Mutation, mutate};
use crate::usecase::world::World;

/// The most alternatives of one refusal.
const MOST: usize = 3;

/// Runs what places a session. A refusal carries up to three alternatives, looked up after the
/// refusal was written, so that nobody waits for them.
pub async fn place<M: Mutation>(world: &World, call: Call, mutation: M) -> Result<M::Answer> {
    match mutate(world, call.clone(), mutation).await {
        Err(Error::Refused(mut refusal)) => {
            offer(world, &call, &mut [&mut *refusal], &Spans::default()).await;
            Err(Error::Refused(refusal))
        }
        result => result,
    }
}

/// As [`place`], for a series: what was refused of it carries alternatives, whether or not the rest stands.
pub async fn place_series<M: Mutation<Answer = Placed>>(world: &World, call: Call, mutation: M) -> Result<Placed> {
    match mutate(world, call.clone(), mutation).await {
        Ok(mut placed) => {
            let mut all: Vec<&mut Refusal> = placed.declined.iter_mut().map(|it| &mut it.refusal).collect();
            offer(world, &call, &mut all, &Spans::default()).await;
            Ok(placed)
        }
        Err(Error::SeriesRefused(mut refusal)) => {
            let mut all: Vec<&mut Refusal> = refusal.declined.iter_mut().map(|it| &mut it.refusal).collect();
            offer(world, &call, &mut all, &refusal.planned).await;
            Err(Error::SeriesRefused(refusal))
        }
        result => result,
    }
}

/// Puts alternatives into refusals, none of them at times to avoid. The refusals stand, and are audited,
/// whether or not something else can be offered.
async fn offer(world: &World, call: &Call, refusals: &mut [&mut Refusal], avoid: &Spans) {
    match all_alternatives(world, call, refusals, avoid).await {
        Ok(all) => {
            for (refusal, alternatives) in refusals.iter_mut().zip(all) {
                refusal.alternatives = alternatives;
            }
        }
        Err(error) => tracing::warn!(error = %chain(&error), "no alternatives"),
    }
}

async fn all_alternatives(
    world: &World,
    call: &Call,
    refusals: &[&mut Refusal],
    avoid: &Spans,
) -> Result<Vec<Vec<Slot>>> {
    if refusals.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = world.db().begin_read().await?;
    // What one of a series must not tell, the alternatives of another do not tell either.
    let mut hidden = BTreeSet::new();
    for refusal in refusals {
        hidden.extend(hidden_days(&mut tx, refusal).await?);
    }
    let mut all = Vec::with_capacity(refusals.len());
    for refusal in refusals {
        let keep = |slot: &Slot| !hidden.contains(&(slot.place.site_id(), slot.day())) && !avoid.overlap(slot.span);
        all.push(alternatives(world, &mut tx, call, refusal, keep).await?);
    }
    Ok(all)
}

/// What is offered instead of what was refused: at most three, first with the same counsellor at the
/// same place, then with anybody of the organisation.
async fn alternatives(
    world: &World,
    tx: &mut Tx,
    call: &Call,
    refusal: &Refusal,
    keep: impl Fn(&Slot) -> bool,
) -> Result<Vec<Slot>> {
    let (wanted, now) = (&refusal.wanted, world.now());
    let from = wanted.span.starts_at().max(now);
    let Some(window) = Span::lasting(from, TimeDelta::days(7)) else { return Ok(Vec::new()) };
    let mut clients = Vec::new();
    for id in wanted.party.clients() {
        clients.push(own_client(tx, call, id).await?);
    }
    let lead = Counsellor::find(tx, wanted.counsellor_id, Lock::None).await?;
    let lead = lead.ok_or(Error::NotFound(Counsellor::WORD))?;
    call.manages(Some(lead.organisation_id), Counsellor::WORD)?;
    let side = clients.first().map_or(wanted.service.side().unwrap_or(lead.side), |it| it.side);
    let (same, modality, venue_id) = match wanted.place {
        WantedPlace::Remote => (Places::REMOTE, Modality::Remote, None),
        WantedPlace::Venue(venue_id, _) => (Places::venue(venue_id), Modality::InPerson, Some(venue_id)),
    };
    let directories = Directories::around(world, tx, lead.organisation_id, venue_id).await?;
    let search = search(wanted, window, modality);
    let around = window.padded(TimeDelta::zero(), search.length);
    let ids: Vec<ClientId> = clients.iter().map(|it| it.id).collect();
    let known = AskedKnown::ask(tx, &ids, around).answer(tx).await?;
    let beside = &wanted.party.co_facilitators;
    let ask = |places: Places, only: Option<CounsellorId>| {
        let mut counsellors = directories.active(lead.organisation_id, side, only);
        counsellors.retain(|it| !beside.contains(&it.id));
        counsellors.extend(beside.iter().filter_map(|id| directories.counsellor(*id)));
        Ask {
            now,
            organisation_id: lead.organisation_id,
            side,
            clients: &clients,
            unlinked: false,
            directories: &directories,
            counsellors,
            places,
            district: None,
            around,
            except: refusal.except,
            occasion: Occasion::Placing,
        }
    };
    let ask_same = ask(same, Some(wanted.counsellor_id));
    let mut found = Hunt::new(&ask_same, &known, &search, None, MOST)?.run(tx, &keep).await?;
    found.truncate(MOST);
    if found.len() < MOST {
        let ask_all = ask(Places::All(Some(modality)), None);
        let hunt = Hunt::new(&ask_all, &known, &search, None, MOST - found.len())?;
        let more = hunt.run(tx, |slot| keep(slot) && found.iter().all(|it| it.rank != slot.rank)).await?;
        found.extend(more.into_iter().take(MOST - found.len()));
    }
    Ok(found)
}

fn search(wanted: &Wanted, window: Span, modality: Modality) -> Search {
    Search {
        service: wanted.service,
        length: wanted.span.length(),
        window,
        step: DEFAULT_STEP,
        modality: Some(modality),
        preferred_counsellor_id: Some(wanted.counsellor_id),
        party: wanted.party.clone(),
    }
}

/// Where and when an alternative would tell why a slot is not available: the other times of its site
/// and day are free after another hour, another gap, or not at all, as the reason may be.
async fn hidden_days(tx: &mut Tx, refusal: &Refusal) -> Result<Vec<(Option<SiteId>, NaiveDate)>> {
    let WantedPlace::Venue(venue_id, _) = refusal.wanted.place else { return Ok(Vec::new()) };
    if !refusal.broken.contains(&RuleCode::SlotNotAvailable) {
        return Ok(Vec::new());
    }
    let Some(venue) = Venue::find(tx, venue_id, Lock::None).await? else { return Ok(Vec::new()) };
    let Some(site) = Site::find(tx, venue.site_id, Lock::None).await? else { return Ok(Vec::new()) };
    // A gap may reach over midnight.
    let reach = refusal.wanted.span.padded(site.separation_gap_for, site.separation_gap_for);
    Ok(reach.local_days(site.zone).map(|day| (Some(site.id), day)).collect())
}
