//! Places a session, or says what is free instead.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};

use super::search::own_client;
use crate::domain::code::Modality;
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::SiteId;
use crate::domain::noun::Noun;
use crate::domain::place::WantedPlace;
use crate::domain::rules::{Facts, Occasion, RuleCode};
use crate::domain::session::Wanted;
use crate::domain::slots::{DEFAULT_STEP, Search, Slot, find};
use crate::domain::time::Span;
use crate::store::noun::Stored;
use crate::store::{Lock, counsellor};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::facts::{self, Ask, Places};
use crate::usecase::work::{Mutation, mutate};
use crate::usecase::world::World;

/// Runs what places a session. A refusal carries up to three alternatives, looked up after the
/// refusal was written, so that nobody waits for them.
pub async fn place<M: Mutation>(world: &World, call: Call, mutation: M) -> Result<M::Answer> {
    match mutate(world, call.clone(), mutation).await {
        Err(Error::Refused(refusal)) => {
            // The refusal stands, and is audited, whether or not something else can be offered.
            let alternatives = alternatives(world, &call, &refusal).await.unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "no alternatives");
                Vec::new()
            });
            Err(Error::Refused(Box::new(Refusal { alternatives, ..*refusal })))
        }
        result => result,
    }
}

/// What is offered instead of what was refused: at most three, first with the same counsellor at the
/// same place, then with anybody of the organisation.
async fn alternatives(world: &World, call: &Call, refusal: &Refusal) -> Result<Vec<Slot>> {
    const MOST: usize = 3;
    let (now, wanted) = (world.now(), &refusal.wanted);
    let from = wanted.span.starts_at().max(now);
    let Some(window) = Span::lasting(from, TimeDelta::days(7)) else { return Ok(Vec::new()) };
    let mut tx = world.db().begin_read().await?;
    let mut clients = Vec::new();
    for id in wanted.party.clients() {
        clients.push(own_client(&mut tx, call, id).await?);
    }
    let lead = Counsellor::find(&mut tx, wanted.counsellor_id, Lock::None).await?;
    let lead = lead.ok_or(Error::NotFound(Counsellor::WORD))?;
    call.manages(Some(lead.organisation_id), Counsellor::WORD)?;
    let side = clients.first().map_or(lead.side, |it| it.side);
    let (same, modality) = match wanted.place {
        WantedPlace::Remote => (Places::REMOTE, Modality::Remote),
        WantedPlace::Venue(venue_id, _) => (Places::venue(venue_id), Modality::InPerson),
    };
    let search = search(wanted, window, modality);
    let around = window.padded(TimeDelta::zero(), search.length);
    let anywhere = Places::All(Some(modality));
    let mut found: Vec<Slot> = Vec::new();
    let mut hidden = None;
    for (places, only) in [(same, Some(wanted.counsellor_id)), (anywhere, None)] {
        if found.len() < MOST {
            let mut counsellors = counsellor::for_side(&mut tx, lead.organisation_id, side, only).await?;
            if only.is_some() {
                counsellors.extend(counsellor::by_ids(&mut tx, &wanted.party.co_facilitators).await?);
            }
            let ask = Ask {
                now,
                organisation_id: lead.organisation_id,
                side,
                clients: &clients,
                counsellors,
                places,
                district: None,
                around,
                except: refusal.except,
                occasion: Occasion::Placing,
                lock: Lock::None,
            };
            let facts = facts::load(&mut tx, ask).await?;
            // By the facts of the place that was wanted, which the first look always has.
            let hidden = hidden.get_or_insert_with(|| hidden_days(&refusal.broken, wanted, &facts));
            let more = find(&search, &facts, None, usize::MAX).slots.into_iter();
            let more =
                more.filter(|slot| !found.contains(slot) && !hidden.contains(&(slot.place.site_id(), slot.day())));
            let more: Vec<_> = more.take(MOST - found.len()).collect();
            found.extend(more);
        }
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
fn hidden_days(broken: &[RuleCode], wanted: &Wanted, facts: &Facts) -> BTreeSet<(Option<SiteId>, NaiveDate)> {
    let WantedPlace::Venue(venue_id, _) = wanted.place else { return BTreeSet::new() };
    let site_id = facts.venues.get(&venue_id).map(|venue| venue.venue.site_id);
    let site = site_id.and_then(|id| facts.sites.get(&id));
    match site {
        Some(site) if broken.contains(&RuleCode::SlotNotAvailable) => {
            // A gap may reach over midnight.
            let reach = wanted.span.padded(site.site.separation_gap_for, site.site.separation_gap_for);
            reach.local_days(site.site.zone).map(|day| (site_id, day)).collect()
        }
        _ => BTreeSet::new(),
    }
}
