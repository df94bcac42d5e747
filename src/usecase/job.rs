//! Work that is done later: enqueued in the transaction of its cause, done in one of its own that also
//! deletes its row, by whichever process comes first.

use std::error::Error as StdError;
use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::call::Call;
use super::error::{Error, Result};
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::ids::{Id, JobId};
use crate::domain::job::{Entry, JobState, LEASE, MOST_ATTEMPTS, Verdict, verdict};
use crate::store::codec::Instant;
use crate::store::{self, Lock, job};

/// The word for it in sentences.
const WORD: &str = "job";

/// Something to be done later, with what it needs to know: ids and plain values, never anything about a
/// person. It may be begun more than once, and takes effect once.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The word for it in the database and the audit trail. Who renames it strands the jobs that wait.
    const KIND: &'static str;

    /// How long after it was done it is due again. What recurs is a unit struct, and there is one of it.
    const EVERY: Option<TimeDelta> = None;

    /// What makes two jobs of this kind one, as long as nobody has done it.
    fn key(&self) -> Option<String> {
        Self::EVERY.map(|_| Self::KIND.to_owned())
    }

    /// What must be out of the way before every attempt, in transactions of its own.
    fn before(&self, _world: &World) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Does it, inside the transaction that deletes its row. When the reason for it is gone, that is success.
    /// [`Error::Unavailable`] and faults of ours are tried again; a refusal is given up at once.
    fn run(&self, work: &mut Work<'_>) -> impl Future<Output = Result<()>> + Send;
}

impl Work<'_> {
    /// Enqueues a job that exists if and only if this request has its effect. If one waits under the same key,
    /// that one is enough: it is brought forward where this one is due earlier, and will see what this request
    /// changes. Best done last, as it waits for whoever is doing that one.
    pub async fn enqueue<J: Job>(&mut self, it: &J, due_at: DateTime<Utc>) -> Result<()> {
        let payload = serde_json::to_value(it).map_err(|_| inconsistent(J::KIND))?;
        let draft = job::Draft { id: self.world.id(), kind: J::KIND, payload, key: it.key(), due_at: Instant(due_at) };
        job::enqueue(&mut self.tx, &draft, Instant(self.now)).await?;
        self.enqueued();
        Ok(())
    }
}

/// A job that a worker has to itself for a while.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// Which attempt this is, from 1.
    pub attempts: i64,
    payload: Value,
    worker: Uuid,
}

/// Takes the job of these kinds that has been due the longest.
pub async fn claim(world: &World, worker: Uuid, kinds: &[&'static str]) -> Result<Option<Leased>> {
    let now = world.now();
    // Looks before it asks for the one writer of SQLite.
    let mut tx = world.db().read_once().await?;
    if job::due(&mut tx, kinds, Instant(now), Lock::None).await?.is_none() {
        return Ok(None);
    }
    drop(tx);
    let mut tx = world.db().begin_write().await?;
    let Some(due) = job::due(&mut tx, kinds, Instant(now), Lock::Skip).await? else {
        return Ok(None);
    };
    job::lease(&mut tx, due.id, worker, Instant(now + LEASE)).await?;
    tx.commit().await?;
    Ok(Some(Leased { id: due.id, kind: due.kind, attempts: due.attempts + 1, payload: due.payload.0, worker }))
}

/// Does a leased job. If the lease was lost meanwhile, nothing happens.
pub async fn run<J: Job>(world: &World, leased: &Leased) -> Result<()> {
    if leased.attempts > MOST_ATTEMPTS {
        // Whoever began it never came back, time and again.
        return Err(Error::Precondition { reason: "WORKER_LOST", says: "no worker survives it", subjects: Vec::new() });
    }
    let job = serde_json::from_value(leased.payload.clone()).map_err(|_| inconsistent(&leased.id.to_string()))?;
    mutate(world, Call::of_program(J::KIND), Effect::<J> { id: leased.id, worker: leased.worker, job }).await
}

struct Effect<J> {
    id: JobId,
    worker: Uuid,
    job: J,
}

impl<J: Job> Mutation for Effect<J> {
    type Answer = ();

    async fn before(&self, world: &World) -> Result<()> {
        self.job.before(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        // Before the job reads anything: who enqueues it under its key either has committed, or waits.
        match job::finish(&mut work.tx, self.id, self.worker).await {
            // For good: an attempt more would get out of the way again what another worker is busy with.
            Err(lost @ store::Error::Conflict) => return Err(Error::Internal(lost)),
            finished => finished?,
        }
        work.touched(self.id.uuid());
        self.job.run(work).await?;
        match J::EVERY {
            Some(every) => work.enqueue(&self.job, work.now + every).await,
            None => Ok(()),
        }
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}

/// Why an attempt failed. What it says is kept and shown, so it never quotes what the job was about.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whether trying again may help.
    pub may_help: bool,
    /// What went wrong.
    pub says: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let lasting = error.is_refusal() || matches!(error, Error::Internal(store::Error::Inconsistent { .. }));
        let causes = std::iter::successors(Some(error as &dyn StdError), |&error| error.source());
        let says = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { may_help: !lasting, says: format!("{}: {says}", error.reason()) }
    }
}

/// Puts a failed job back for later, or gives it up. If the lease was lost meanwhile, nothing happens.
pub async fn fail(world: &World, leased: &Leased, every: Option<TimeDelta>, failure: &Failure) -> Result<()> {
    let Leased { id, worker, attempts, .. } = *leased;
    let says = &failure.says;
    let now = world.now();
    let mut tx = world.db().begin_write().await?;
    let verdict = verdict(attempts, failure.may_help, every, world.chance());
    let settled = match verdict {
        Verdict::Retry(after) => job::put_back(&mut tx, id, worker, Instant(now + after), attempts, says).await,
        Verdict::Skip(every) => job::put_back(&mut tx, id, worker, Instant(now + every), 0, says).await,
        Verdict::Bury => job::bury(&mut tx, id, worker, Instant(now), says).await,
    };
    match settled {
        Err(store::Error::Conflict) => {
            tracing::info!(%id, kind = leased.kind, "another worker has this job by now");
            return Ok(());
        }
        settled => settled?,
    }
    tx.commit().await?;
    match verdict {
        Verdict::Retry(_) => tracing::warn!(%id, kind = leased.kind, attempts, error = says, "a job failed"),
        Verdict::Skip(_) | Verdict::Bury => {
            tracing::error!(%id, kind = leased.kind, attempts, error = says, "a job was given up");
        }
    }
    Ok(())
}

/// Gives back what a worker has and will not do.
pub async fn give_back(world: &World, worker: Uuid) -> Result<()> {
    let mut tx = world.db().begin_write().await?;
    job::give_back(&mut tx, worker, Instant(world.now())).await?;
    Ok(tx.commit().await?)
}

/// Sees to it that a recurring job waits for its turn; the first comes when its time has passed once.
pub async fn schedule(world: &World, kind: &'static str, every: TimeDelta) -> Result<()> {
    let now = world.now();
    let draft = job::Draft {
        id: world.id(),
        kind,
        payload: Value::Null,
        key: Some(kind.to_owned()),
        due_at: Instant(now + every),
    };
    let mut tx = world.db().begin_write().await?;
    job::enqueue(&mut tx, &draft, Instant(now)).await?;
    Ok(tx.commit().await?)
}

/// The first thousand jobs of a state, or of any.
pub async fn list(world: &World, state: Option<JobState>) -> Result<Vec<Entry>> {
    let mut tx = world.db().read_once().await?;
    Ok(job::list(&mut tx, state, 1000).await?)
}

/// Queues dead letters anew: one, or all. Answers how many.
#[derive(Clone, Debug)]
pub struct Revive(pub Option<JobId>);

impl Mutation for Revive {
    type Answer = usize;

    async fn run(&self, work: &mut Work<'_>) -> Result<usize> {
        let ids = match self.0 {
            Some(id) => vec![id],
            None => job::dead(&mut work.tx).await?,
        };
        let mut revived = 0;
        for id in ids {
            if job::revive(&mut work.tx, id).await? {
                work.touched(id.uuid());
                revived += 1;
            } else if self.0.is_some() {
                return Err(Error::NotFound("dead job"));
            }
        }
        Ok(revived)
    }

    fn result_id(&self, _answer: &usize) -> Uuid {
        self.0.map_or(Uuid::nil(), Id::uuid)
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<usize> {
        Ok(0)
    }
}

fn inconsistent(what: &str) -> Error {
    store::Error::Inconsistent { table: WORD, what: what.into() }.into()
}
