//! Keeps a free time for a few minutes for somebody who is about to book it.

use chrono::TimeDelta;
use uuid::Uuid;

use super::book::touch;
use super::find;
use super::place::{LOOKS, crowded};
use crate::domain::ids::{Id, SessionId};
use crate::domain::rules::Occasion;
use crate::domain::session::{MOST_HOLDS, Override, Session, State, Wanted};
use crate::store::codec::Instant;
use crate::store::{self, Lock, overriding, session};
use crate::usecase::error::{Error, Result};
use crate::usecase::followup;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// The word for it in sentences.
pub const WORD: &str = "hold";

/// Holds one time, by the very rules by which it would be booked.
#[derive(Clone, Debug)]
pub struct HoldSlot {
    /// What is held.
    pub wanted: Wanted,
    /// How long.
    pub hold_for: TimeDelta,
}

impl Mutation for HoldSlot {
    type Answer = Session;

    async fn make_way(&self, world: &World) -> Result<()> {
        forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        touch(work, &self.wanted.party);
        followup::check_booked_for(work, &self.wanted).await?;
        let scene = self.wanted.scene(work).await?;
        for _ in 0..LOOKS {
            let mut draft = self.wanted.judge(work, &scene, None, Occasion::Placing).await?;
            let by = work.call.caller().identity();
            let number = free_number(work, &by).await?;
            draft.session.state = State::Held { until: work.now + self.hold_for, by, number };
            if scene.claim(work, &draft).await? {
                work.touched(draft.session.id.uuid());
                return Ok(draft.session);
            }
            none_expired(work).await?;
        }
        Err(crowded())
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}

/// The least number that no hold of a caller has. What has expired counts no more, though somebody else may
/// be about to remove it: the claim waits for that.
async fn free_number(work: &mut Work<'_>, by: &str) -> Result<i64> {
    let mut taken = store::hold::numbers(&mut work.tx, by).await?;
    taken.retain(|(_, until)| until.0 > work.now);
    let free = (1..=MOST_HOLDS).find(|number| !taken.iter().any(|(it, _)| it == number));
    free.ok_or_else(|| {
        let next = taken.iter().map(|(_, until)| until.0).min().unwrap_or(work.now);
        Error::Exhausted {
            reason: "TOO_MANY_HOLDS",
            says: "ten times are held already: book or release one, or wait until one expires",
            retry_for: (next - work.now).max(TimeDelta::seconds(1)),
        }
    })
}

/// Gives back a hold of the caller.
#[derive(Clone, Debug)]
pub struct ReleaseHold(pub SessionId);

impl Mutation for ReleaseHold {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        work.touched(self.0.uuid());
        own(work, self.0, Lock::Update).await?;
        Ok(store::hold::delete(&mut work.tx, self.0).await?)
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}

/// A hold of the caller that has not expired.
async fn own(work: &mut Work<'_>, id: SessionId, lock: Lock) -> Result<Session> {
    let me = work.call.caller().identity();
    of(work, &me, id, lock).await
}

/// A hold in somebody's name that has not expired.
pub(super) async fn of(work: &mut Work<'_>, name: &str, id: SessionId, lock: Lock) -> Result<Session> {
    let found = session::find(&mut work.tx, id, lock).await?;
    let theirs = |it: &Session| matches!(&it.state, State::Held { until, by, .. } if by == name && *until > work.now);
    found.filter(theirs).ok_or(Error::NotFound(WORD))
}

/// What a hold keeps, as it was wanted.
pub(super) async fn wanted(work: &mut Work<'_>, held: &Session) -> Result<Wanted> {
    let overrides = overriding::list(&mut work.tx, held.id).await?;
    Ok(held.wanted(overrides.into_iter().map(|it| Override { rule: it.rule, reason: it.reason }).collect()))
}

/// Gives an attempt up that lost a claim while there are holds that keep nothing any more: no rule counts them, so one of
/// them may be what it lost to. They are removed before the next attempt.
pub(super) async fn none_expired(work: &mut Work<'_>) -> Result<()> {
    let expired = store::hold::expired(&mut work.tx, Instant(work.now), Lock::None).await?;
    if expired.is_empty() { Ok(()) } else { Err(crowded()) }
}

/// Removes the holds that keep nothing any more, so that none of them is in anybody's way. In a
/// transaction of its own: whoever waited for these rows in the midst of others could meet a rival
/// who waits the other way round.
pub async fn forget_expired(world: &World) -> Result<()> {
    let now = Instant(world.now());
    let mut tx = world.db().read_once().await?;
    if store::hold::expired(&mut tx, now, Lock::None).await?.is_empty() {
        return Ok(());
    }
    drop(tx);
    let mut tx = world.db().begin_write().await?;
    for id in store::hold::expired(&mut tx, now, Lock::Skip).await? {
        store::hold::delete(&mut tx, id).await?;
    }
    Ok(tx.commit().await?)
}
