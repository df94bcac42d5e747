//! Workers: claim, run, retry; and drain when the process ends. Any number of them, in any number of
//! processes, work side by side.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::Instrument;
use uuid::Uuid;

use super::Handler;
use crate::chain::chain;
use crate::span::span;
use crate::usecase::job::{self, Failure, Leased};
use crate::usecase::{Result, World};

/// How often a worker looks for what other processes enqueued, or what has become due. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(3);
/// How long giving leases back may take. What is not given back is free when its lease ends. \[P\]
const GIVE_BACK_FOR: Duration = Duration::from_secs(2);

/// Does one job after the other.
#[derive(Clone, Debug)]
pub struct Worker {
    id: Uuid,
    world: World,
    handlers: Arc<[Handler]>,
    kinds: Vec<&'static str>,
}

impl Worker {
    /// A worker that does these kinds of jobs, and leaves all others alone.
    pub fn new(world: World, handlers: impl Into<Arc<[Handler]>>) -> Self {
        let handlers = handlers.into();
        Self { id: world.uuid(), kinds: handlers.iter().map(|it| it.kind).collect(), world, handlers }
    }

    /// Takes the job that has been due the longest and does it, or sees to what follows from its failure.
    /// Whether there was one. An error is of the queue, never of a job.
    pub async fn next(&self) -> Result<bool> {
        match job::claim(&self.world, self.id, &self.kinds).await? {
            Some(leased) => self.run(leased).await.map(|()| true),
            None => Ok(false),
        }
    }

    async fn run(&self, leased: Leased) -> Result<()> {
        let Some(handler) = self.handlers.iter().find(|it| it.kind == leased.kind) else {
            return Ok(());
        };
        // A task of its own, so that a panic ends there.
        let doing = span!("job", "otel.name" = format!("job.{}", leased.kind), attempt = leased.attempts);
        let ended = tokio::spawn((handler.run)(self.world.clone(), leased.clone()).instrument(doing)).await;
        let failure = match ended {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => Failure::from(&error),
            Err(_) => Failure { may_help: true, says: "it panicked".into() },
        };
        job::fail(&self.world, &leased, handler.every, &failure).await
    }

    /// Works until whoever holds the other end of `told` lets go of it.
    async fn work(self, mut told: watch::Receiver<()>) {
        while told.has_changed().is_ok() {
            // From here on, so that nothing enqueued after the look is missed.
            let enqueued = self.world.enqueued();
            match self.next().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(error = %chain(&error), "the job queue"),
            }
            tokio::select! {
                () = enqueued => {}
                () = sleep(LOOKS_EVERY) => {}
                _ = told.changed() => {}
            }
        }
    }
}

/// The workers of a process.
#[derive(Debug)]
pub struct Workers {
    world: World,
    ids: Vec<Uuid>,
    tasks: JoinSet<()>,
    tell: watch::Sender<()>,
}

impl Workers {
    /// Starts this many, and sees to it that what recurs is queued. With none, others must do the jobs.
    pub async fn start(world: &World, handlers: &[Handler], count: u32) -> Result<Self> {
        let (tell, told) = watch::channel(());
        let mut workers = Self { world: world.clone(), ids: Vec::new(), tasks: JoinSet::new(), tell };
        if count == 0 {
            return Ok(workers);
        }
        for (handler, every) in handlers.iter().filter_map(|it| Some((it, it.every?))) {
            job::schedule(world, handler.kind, every).await?;
        }
        for _ in 0..count {
            let worker = Worker::new(world.clone(), handlers);
            workers.ids.push(worker.id);
            workers.tasks.spawn(worker.work(told.clone()));
        }
        Ok(workers)
    }

    /// Takes no more jobs, lets those that run end within a limit, and gives the leases of the others back.
    pub async fn drain(self, within: Duration) {
        let Self { world, ids, mut tasks, tell } = self;
        drop(tell);
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(within, ended).await.is_ok() {
            return;
        }
        tracing::warn!("jobs did not end within the limit");
        tasks.shutdown().await;
        let given_back = async {
            for id in ids {
                job::give_back(&world, id).await?;
            }
            Ok::<_, crate::usecase::Error>(())
        };
        match timeout(GIVE_BACK_FOR, given_back).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %chain(&error), "leases of jobs"),
            Err(_) => tracing::warn!("leases of jobs could not be given back within the limit"),
        }
    }
}
