//! Connections to PostgreSQL. Each was left as it should be by whoever had it, or is not used again: sqlx's own pool
//! would wait for ever for a server that lost its power, and gives on what is in the middle of a transaction whose
//! beginning nobody waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::error::{Error, Result};
use super::open::WAIT_FOR_CONNECTION;
use super::queue::{Connection, Queue};

/// The longest that one statement may take to be answered: three times what a lock is waited for. Who has not answered
/// by then is not there any more. \[P\]
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// The same for what takes long by its nature, such as an import, which no caller waits for. \[P\]
const ENDS_WITHIN: Duration = Duration::from_secs(600);
/// How long a sign of life may take. \[P\]
const PONGS_WITHIN: Duration = Duration::from_secs(2);
/// For so long after its last use a connection is not asked whether it still answers. \[P\]
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// After so long a connection is made anew: what the server keeps for one only grows. \[P\]
const LASTS_FOR: Duration = Duration::from_secs(30 * 60);

/// Of so many places one is kept for what is done first.
const KEPT_OF: u32 = 8;

tokio::task_local! {
    static FIRST: ();
}

/// Does something that must not wait for a connection behind everybody else: a part of them is kept for it.
pub async fn first<F: Future>(what: F) -> F::Output {
    FIRST.scope((), what).await
}

/// Whether this is done first.
pub fn is_first() -> bool {
    FIRST.try_with(|()| ()).is_ok()
}

/// All connections to a server.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: PgConnectOptions,
    /// For everybody.
    places: Arc<Semaphore>,
    /// For what is done first.
    kept: Arc<Semaphore>,
    most: u32,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    made: Instant,
    left: Instant,
}

/// A connection that somebody has.
pub(super) struct Line {
    connection: Option<PgConnection>,
    made: Instant,
    /// In the middle of something.
    open: bool,
    /// How long a statement may take to be answered.
    patience: Duration,
    lines: Lines,
    place: Option<OwnedSemaphorePermit>,
}

impl Lines {
    /// So many at most, of which one is made at once.
    pub(super) async fn open(options: PgConnectOptions, most: u32) -> Result<Self> {
        let kept = most / KEPT_OF;
        let places = |count: u32| Arc::new(Semaphore::new(count as usize));
        let inner = Inner { options, places: places(most - kept), kept: places(kept), most, idle: Mutex::default() };
        let lines = Self(Arc::new(inner));
        drop(lines.line().await?);
        Ok(lines)
    }

    /// One that answers, when there is a place for it.
    pub(super) async fn line(&self) -> Result<Line> {
        let found = timeout(WAIT_FOR_CONNECTION, async {
            let place = self.place().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let (connection, made) = self.connection().await?;
            let (connection, place) = (Some(connection), Some(place));
            Ok(Line { connection, made, open: false, patience: ANSWERS_WITHIN, lines: self.clone(), place })
        });
        found.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(Error::from)
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        let place = self.0.places.clone().acquire_owned();
        if !is_first() {
            return place.await;
        }
        tokio::select! {
            biased;
            place = place => place,
            kept = self.0.kept.clone().acquire_owned() => kept,
        }
    }

    async fn connection(&self) -> sqlx::Result<(PgConnection, Instant)> {
        while let Some(Idle { mut connection, made, left }) = self.take() {
            let trusted = left.elapsed() < TRUSTED_FOR;
            if made.elapsed() < LASTS_FOR && (trusted || pongs(&mut connection).await) {
                return Ok((connection, made));
            }
        }
        Ok((self.0.options.connect().await?, Instant::now()))
    }

    fn take(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many somebody has, and how many there may be.
    pub(super) fn in_use(&self) -> (usize, usize) {
        let (most, free) = (self.0.most as usize, self.0.places.available_permits() + self.0.kept.available_permits());
        (most.saturating_sub(free), most)
    }

    /// Closes every connection, after those in use came back.
    pub(super) async fn close(&self) {
        let kept = self.0.most / KEPT_OF;
        for (places, count) in [(&self.0.places, self.0.most - kept), (&self.0.kept, kept)] {
            let Ok(_all) = places.acquire_many(count).await else { return };
            places.close();
        }
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            // Who does not answer is left alone.
            let _ = timeout(PONGS_WITHIN, connection.close()).await;
        }
    }
}

async fn pongs(connection: &mut PgConnection) -> bool {
    matches!(timeout(PONGS_WITHIN, connection.ping()).await, Ok(Ok(())))
}

fn silence() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database does not answer"))
}

impl Line {
    /// The connection itself, for what knows by itself how long it may take.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection> {
        // It has one until it is dropped.
        self.connection.as_mut().ok_or_else(|| Error::from(sqlx::Error::PoolClosed))
    }

    /// For something that takes long.
    pub(super) const fn be_patient(&mut self) {
        self.patience = ENDS_WITHIN;
    }

    /// Sends what waits, for as long as an answer may take.
    pub(super) async fn send(&mut self, queue: &mut Queue) -> Result<()> {
        let patience = self.patience;
        let sent = queue.send(Connection::Postgres(self.connection()?));
        timeout(patience, sent).await.unwrap_or_else(|_| Err(silence().into()))
    }

    /// Begins something that must be ended.
    pub(super) async fn begin(&mut self, statement: &'static str) -> Result<()> {
        self.open = true;
        self.say(statement).await.map_err(Error::from)
    }

    /// Ends it; an error says nothing of what became of it.
    pub(super) async fn end(&mut self, statement: &'static str) -> sqlx::Result<()> {
        self.say(statement).await?;
        self.open = false;
        Ok(())
    }

    /// Has one statement run, of which nothing is left afterwards but its answer.
    pub(super) fn once(&mut self) {
        self.open = true;
    }

    /// It was answered.
    pub(super) fn is_done(&mut self) {
        self.open = false;
    }

    /// Ends the connection, with whatever holds for as long as it does.
    pub(super) fn discard(mut self) {
        self.connection = None;
    }

    async fn say(&mut self, statement: &'static str) -> sqlx::Result<()> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let said = timeout(self.patience, connection.execute(statement)).await;
        said.unwrap_or_else(|_| Err(silence())).map(drop)
    }

    fn give_back(lines: &Lines, connection: PgConnection, made: Instant) {
        lines.idle().push(Idle { connection, made, left: Instant::now() });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let (Some(mut connection), lines, made, place) =
            (self.connection.take(), self.lines.clone(), self.made, self.place.take())
        else {
            return;
        };
        if !self.open {
            Self::give_back(&lines, connection, made);
            return;
        }
        // Without a runtime the connection ends here, and with it what it was in the middle of.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            // Whatever it was, nothing is left of it; else the connection ends.
            let undone = timeout(PONGS_WITHIN, connection.execute("ROLLBACK")).await;
            if matches!(undone, Ok(Ok(_))) {
                Self::give_back(&lines, connection, made);
            }
            drop(place);
        });
    }
}
