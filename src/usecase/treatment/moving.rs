//! Moves orders on: when time has passed, and when the days that are no working days have changed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ledger;
use super::read::standing;
use crate::chain::chain;
use crate::domain::ids::{HolidayCalendarId, OrderId};
use crate::domain::working_days::WorkingDays;
use crate::store::codec::Instant;
use crate::store::compliance::{Within, stale};
use crate::store::{self, treatment};
use crate::usecase::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::job::Job;
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// So many are moved on in one transaction.
const SOME: i64 = 100;

/// Moves on some of those that time has changed; answers whether there may be more.
struct MoveSome {
    within: Within,
}

impl Mutation for MoveSome {
    type Answer = bool;

    async fn run(&self, work: &mut Work<'_>) -> Result<bool> {
        some(work, &self.within).await
    }

    fn result_id(&self, _answer: &bool) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<bool> {
        Ok(false)
    }
}

/// An order that cannot be read stays where it is, is logged, and is in no other's way: nobody is told of it.
async fn some(work: &mut Work<'_>, within: &Within) -> Result<bool> {
    let ids = stale(&mut work.tx, within, Instant(work.now), SOME).await?;
    let (full, mut moved) = (ids.len() == SOME as usize, false);
    for id in ids {
        match ledger::open(work, id).await {
            Ok(_) => moved = true,
            Err(Error::Internal(error @ store::Error::Inconsistent { .. })) => {
                tracing::error!(order = %id, error = %chain(&error), "an order cannot be judged");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(full && moved)
}

/// Moves on all of those that time has changed, some at a time, in transactions of their own.
pub(super) async fn all(world: &World, within: Within) -> Result<()> {
    let mut tx = world.db().read_once().await?;
    if stale(&mut tx, &within, Instant(world.now()), 1).await?.is_empty() {
        return Ok(());
    }
    drop(tx);
    while mutate(world, Call::of_program(MoveOn::KIND), MoveSome { within: within.clone() }).await? {}
    Ok(())
}

/// Moves on what time has changed since, inside the transaction of whoever is about to read.
pub(super) async fn rest(work: &mut Work<'_>, within: &Within) -> Result<()> {
    while some(work, within).await? {}
    Ok(())
}

/// Moves on those of these that time has changed since, inside the transaction of whoever is about to read.
pub(super) async fn these(work: &mut Work<'_>, ids: &[OrderId]) -> Result<()> {
    let ids: BTreeSet<OrderId> = ids.iter().copied().collect();
    for id in ids {
        if standing(&mut work.tx, id).await?.next_change_at.is_some_and(|at| at <= work.now) {
            ledger::open(work, id).await?;
        }
    }
    Ok(())
}

/// Every quarter of an hour, for midnight comes to no zone in between: moves on the orders that time has changed, so
/// that whoever watches hears of it. Whoever asks does not wait for that.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MoveOn;

impl Job for MoveOn {
    const KIND: &'static str = "move_on_compliance";
    const EVERY: Option<TimeDelta> = Some(TimeDelta::minutes(15));

    async fn before(&self, world: &World) -> Result<()> {
        all(world, Within::All).await
    }

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// Judges anew the orders whose working days a calendar tells, which were others before.
pub async fn calendar_changed(work: &mut Work<'_>, id: HolidayCalendarId, before: &WorkingDays) -> Result<()> {
    for order_id in treatment::of_calendar(&mut work.tx, id).await? {
        ledger::open_with(work, order_id, before).await?.settle(work).await?;
    }
    Ok(())
}
