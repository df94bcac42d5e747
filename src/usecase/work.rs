//! The one path of everything that writes: claim the request id, decide and write, audit, commit.
//!
//! A refusal undoes what it wrote and commits its audit event. A client that goes away does not
//! interrupt a write halfway. A transaction that met a rival is tried again, a bounded number of
//! times.

mod erased;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tracing::Instrument;
use uuid::Uuid;

use self::erased::{Answering, Erased, Pending};
use super::call::Call;
use super::error::{Error, Result};
use super::world::World;
use crate::chain::chain;
use crate::domain::audit::Outcome;
use crate::domain::ids::{OrganisationId, SessionId};
use crate::domain::session::Session;
use crate::store::codec::Instant;
use crate::store::{self, Tx, audit, register, request};

/// Something that writes.
pub trait Mutation: Send + Sync + 'static {
    /// What it answers.
    type Answer: Send + 'static;

    /// What must be out of the way before every attempt, in a transaction of its own.
    fn before(&self, _world: &World) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// What is put out of the way, in a transaction of its own, once an attempt has met somebody.
    fn make_way(&self, _world: &World) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Decides and writes, inside the one transaction of the request.
    fn run(&self, work: &mut Work<'_>) -> impl Future<Output = Result<Self::Answer>> + Send;

    /// The id of what it made or changed: what is kept under the request id.
    fn result_id(&self, answer: &Self::Answer) -> Uuid;

    /// The answer to a repeated request: what the first made or changed, as it now stands.
    fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// What a mutation works with.
pub struct Work<'w> {
    /// The transaction of the request.
    pub tx: Tx,
    /// The present of this request: one for all of it.
    pub now: DateTime<Utc>,
    /// The world, for ids.
    pub world: &'w World,
    /// Who calls what.
    pub call: &'w Call,
    subjects: BTreeSet<Uuid>,
    details: Vec<String>,
    orphaned: BTreeMap<SessionId, OrganisationId>,
    enqueued: bool,
    registered: bool,
}

impl Work<'_> {
    /// Notes a session that a change of this request has orphaned.
    pub fn orphaned(&mut self, session: &Session) {
        self.orphaned.insert(session.id, session.organisation_id);
    }

    /// The sessions that this request has orphaned, of which the caller may know.
    pub fn orphans(&self) -> Result<Vec<SessionId>> {
        let own = self.call.sees()?;
        let mine = self.orphaned.iter().filter(|(_, organisation_id)| own.is_none_or(|own| own == **organisation_id));
        Ok(mine.map(|(id, _)| *id).collect())
    }

    /// Notes for the audit trail what was touched.
    pub fn touched(&mut self, subject: Uuid) {
        self.subjects.insert(subject);
    }

    /// Notes a code for the audit trail; never personal data.
    pub fn note(&mut self, detail: impl Into<String>) {
        self.details.push(detail.into());
    }

    /// Notes that this request has enqueued a job, of which the workers hear once it is there.
    pub(super) fn enqueued(&mut self) {
        self.enqueued = true;
    }

    /// Notes that this request changes what the gate knows, in every process.
    pub(super) async fn registered(&mut self) -> Result<()> {
        self.registered = true;
        Ok(register::touch(&mut self.tx).await?)
    }

    fn audit(&mut self, outcome: Outcome, reason: Option<&str>) -> Result<()> {
        let mut event = self.call.event(self.world, outcome, reason);
        event.subjects = std::mem::take(&mut self.subjects).into_iter().collect();
        event.details = std::mem::take(&mut self.details);
        Ok(audit::append(&mut self.tx, &event)?)
    }
}

/// How often a transaction that met a rival is tried.
const ATTEMPTS: u32 = 5;

/// Runs a mutation to its end, whether or not the caller still waits; but does not begin it for whom nobody waits any
/// more.
pub async fn mutate<M: Mutation>(world: &World, call: Call, mutation: M) -> Result<M::Answer> {
    let answering = Arc::new(Answering::new(mutation));
    let (awaited, _waits) = oneshot::channel();
    // One kind of task for all.
    let task: Pending<'static, ()> =
        Box::pin(attempts(world.clone(), call, answering.clone(), awaited).in_current_span());
    let task = if store::is_first() { Box::pin(store::first(task)) } else { task };
    match tokio::spawn(task).await {
        Ok(result) => result.map(|()| answering.answer()),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// `awaited` is open for as long as somebody waits for the answer.
async fn attempts(world: World, call: Call, mutation: Arc<dyn Erased>, mut awaited: oneshot::Sender<()>) -> Result<()> {
    let mut attempt = 1;
    loop {
        if awaited.is_closed() {
            return Err(Error::Overdue);
        }
        match once(&world, &call, mutation.as_ref(), attempt, &mut awaited).await {
            Err(Error::Unavailable(error)) if attempt < ATTEMPTS && may_repeat(&call, &error) => {
                tracing::debug!(attempt, error = %chain(&error), "met a rival");
                tokio::time::sleep(Duration::from_millis(5 << attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// What may have happened already is tried again only under a request id, which finds it.
fn may_repeat(call: &Call, error: &store::Error) -> bool {
    call.request().is_some() || !matches!(error, store::Error::Uncertain(_))
}

async fn once(
    world: &World,
    call: &Call,
    mutation: &dyn Erased,
    attempt: u32,
    awaited: &mut oneshot::Sender<()>,
) -> Result<()> {
    mutation.before(world).await?;
    if attempt > 1 {
        mutation.make_way(world).await?;
    }
    let tx = tokio::select! {
        biased;
        tx = world.db().begin_write() => tx?,
        // The turn would come too late, and nothing has begun.
        () = awaited.closed() => return Err(Error::Overdue),
    };
    let mut work = Work {
        tx,
        now: world.now(),
        world,
        call,
        subjects: BTreeSet::new(),
        details: Vec::new(),
        orphaned: BTreeMap::new(),
        enqueued: false,
        registered: false,
    };
    match run(&mut work, mutation).await {
        Ok(()) => {
            work.audit(Outcome::Done, None)?;
            work.tx.commit().await?;
            world.tell_pump();
            if work.registered
                && let Err(error) = super::register::refresh(world).await
            {
                // It is committed; the watchman looks again in a moment.
                tracing::warn!(error = %chain(&error), "what was revoked is not known here yet");
            }
            if work.enqueued {
                world.tell_workers();
            }
            Ok(())
        }
        Err(refusal) if refusal.is_refusal() => {
            work.tx.start_over().await?;
            match &refusal {
                Error::Refused(refusal) => work.details.extend(refusal.broken.iter().map(ToString::to_string)),
                Error::SeriesRefused(refusal) => {
                    work.details.extend(refusal.broken().iter().map(ToString::to_string));
                }
                _ => {}
            }
            work.audit(Outcome::Refused, Some(refusal.reason()))?;
            work.tx.commit().await?;
            Err(refusal)
        }
        Err(failure) => {
            // The connection may be gone, and then so is the transaction.
            if let Err(error) = work.tx.rollback().await {
                tracing::debug!(error = %chain(&error), "rollback");
            }
            Err(failure)
        }
    }
}

async fn run(work: &mut Work<'_>, mutation: &dyn Erased) -> Result<()> {
    let call = work.call;
    let Some(request) = call.request() else {
        return mutation.run(work).await.map(drop);
    };
    let (principal, method) = (&call.caller().identity(), call.method());
    let now = Instant(work.now);
    match request::claim(&mut work.tx, principal, request.id, method, &request.digest, now).await? {
        None => {
            let result_id = mutation.run(work).await?;
            request::finish(&mut work.tx, principal, request.id, result_id);
            Ok(())
        }
        Some(done) if done.method != method || done.digest != request.digest => Err(Error::RequestReused),
        Some(done) => {
            let result_id =
                done.result_id.ok_or(store::Error::Inconsistent { table: "request", what: request.id.to_string() })?;
            work.touched(result_id);
            work.note("REPLAYED");
            mutation.replay(work, result_id).await
        }
    }
}
