//! Books a session, or says what is free instead.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::book::{BookSession, Wanted};
use super::search::own_client;
use crate::domain::code::Modality;
use crate::domain::session::Session;
use crate::domain::slots::{DEFAULT_STEP, Search, Slot, find};
use crate::domain::time::Span;
use crate::store::{Lock, counsellor};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::facts::{self, Ask, Places};
use crate::usecase::work::mutate;
use crate::usecase::world::World;

/// Books a session. A refusal carries up to three alternatives, looked up after the refusal was
/// written, so that nobody waits for them.
pub async fn book_session(world: &World, call: Call, wanted: BookSession) -> Result<Session> {
    match mutate(world, call.clone(), wanted.clone()).await {
        Err(Error::Refused(refusal)) => {
            // The refusal stands, and is audited, whether or not something else can be offered.
            let alternatives = alternatives(world, &call, &wanted).await.unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "no alternatives");
                Vec::new()
            });
            Err(Error::Refused(Box::new(Refusal { alternatives, ..*refusal })))
        }
        result => result,
    }
}

/// What is offered instead of a refused booking: at most three, first with the same counsellor at
/// the same place, then with anybody of the organisation.
async fn alternatives(world: &World, call: &Call, refused: &BookSession) -> Result<Vec<Slot>> {
    const MOST: usize = 3;
    let now = world.now();
    let from = refused.span.starts_at().max(now);
    let Some(window) = Span::lasting(from, TimeDelta::days(7)) else { return Ok(Vec::new()) };
    let mut tx = world.db().begin_read().await?;
    let client = own_client(&mut tx, call, refused.client_id).await?;
    let (same, modality) = match refused.place {
        Wanted::Remote => (Places::Remote, Modality::Remote),
        Wanted::Venue(venue_id, _) => (Places::Venue(venue_id), Modality::InPerson),
    };
    let search = Search {
        service: refused.service,
        length: refused.span.length(),
        window,
        step: DEFAULT_STEP,
        modality: Some(modality),
        preferred: BTreeSet::from([refused.counsellor_id]),
    };
    let around = window.padded(TimeDelta::zero(), search.length);
    let anywhere = Places::All(Some(modality));
    let mut found: Vec<Slot> = Vec::new();
    for (places, only) in [(same, Some(refused.counsellor_id)), (anywhere, None)] {
        if found.len() < MOST {
            let counsellors = counsellor::for_side(&mut tx, client.organisation_id, client.side, only).await?;
            let ask = Ask { now, client: &client, counsellors, places, district: None, around, lock: Lock::None };
            let facts = facts::load(&mut tx, ask).await?;
            let more = find(&search, &facts, None, MOST * 2).into_iter().filter(|slot| !found.contains(slot));
            let more: Vec<_> = more.take(MOST - found.len()).collect();
            found.extend(more);
        }
    }
    Ok(found)
}
