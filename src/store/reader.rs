//! The connections that read a file of SQLite.
//!
//! A connection is a thread, and each text that is sent to it costs a hop there and back. So a transaction begins in the
//! text of its first statement, and nobody waits for its end: the thread is told to end it, and whatever else it is told
//! comes after that, whoever has the connection by then. A transaction that failed, or was left in the middle of a text,
//! is ended before anybody else gets the connection; and if that cannot be, the connection is closed.

use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bell::Bell;
use super::error::{Error, Result};
use super::open::WAIT_FOR_CONNECTION;
use super::queue::{Connection, Queue};
use crate::chain::chain;

/// All connections that read a file.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<Line>>,
    /// One for each connection that there may be.
    turns: Arc<Semaphore>,
    most: u32,
}

impl Readers {
    /// Opens the first.
    pub(super) async fn open(options: SqliteConnectOptions, most: u32) -> Result<Self> {
        let first = Line::open(&options).await?;
        let turns = Arc::new(Semaphore::new(most as usize));
        Ok(Self(Arc::new(Shared { options, idle: Mutex::new(vec![first]), turns, most })))
    }

    /// One for several statements, which see one state.
    pub(super) async fn begin(&self) -> Result<Reader> {
        self.reader(false).await
    }

    /// One for a single statement.
    pub(super) async fn once(&self) -> Result<Reader> {
        self.reader(true).await
    }

    async fn reader(&self, once: bool) -> Result<Reader> {
        let turn = tokio::time::timeout(WAIT_FOR_CONNECTION, self.0.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        // Who was idle for the shortest has the most in its memory.
        let idle = self.idle().pop();
        let line = match idle {
            Some(line) => line,
            None => Line::open(&self.0.options).await?,
        };
        let seat = Seat { line, readers: self.clone(), _turn: turn };
        Ok(Reader { seat: Some(seat), once, state: State::Fresh })
    }

    /// How many are in use, and how many may be.
    pub(super) fn in_use(&self) -> (usize, usize) {
        let most = self.0.most as usize;
        (most.saturating_sub(self.0.turns.available_permits()), most)
    }

    /// Closes every connection, after those in use came back.
    pub(super) async fn close(&self) {
        let Ok(_all) = self.0.turns.acquire_many(self.0.most).await else { return };
        self.0.turns.close();
        let idle = std::mem::take(&mut *self.idle());
        for line in idle {
            if let Err(error) = line.connection.close().await {
                tracing::debug!(error = %chain(&error), "closing what was read by");
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Line>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection.
#[derive(Debug)]
struct Line {
    connection: SqliteConnection,
    bell: Bell,
}

impl Line {
    async fn open(options: &SqliteConnectOptions) -> Result<Self> {
        Ok(Self { connection: options.connect().await?, bell: Bell::new() })
    }
}

/// A connection in use; the turn is given back after it.
struct Seat {
    line: Line,
    readers: Readers,
    _turn: OwnedSemaphorePermit,
}

impl Seat {
    /// Leaves the connection to the next one.
    fn leave(self) {
        self.readers.idle().push(self.line);
    }

    /// Has the thread end the transaction before anything else, without waiting for it. Whether it was told.
    fn end(&mut self) -> bool {
        let end = pin!(self.line.connection.execute(sqlx::query("ROLLBACK")));
        // The first poll hands it over; its answer goes nowhere.
        !matches!(end.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(_)))
    }

    /// Leaves the connection to the next one if it is in no transaction.
    async fn mend(mut self) {
        // There may be none.
        let _ = self.line.connection.execute(sqlx::query("ROLLBACK")).await;
        if self.line.connection.execute(sqlx::query("BEGIN; ROLLBACK")).await.is_ok() {
            self.leave();
        }
    }
}

/// Who reads.
pub(super) struct Reader {
    seat: Option<Seat>,
    once: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was sent.
    Fresh,
    /// Everything that was sent was answered.
    Open,
    /// Something was sent and not answered, or failed.
    Half,
}

impl Reader {
    /// Has everything run that waits.
    pub(super) async fn send(&mut self, queue: &mut Queue) -> Result<()> {
        let (Some(seat), State::Fresh | State::Open) = (&mut self.seat, self.state) else {
            return Err(Error::Database(sqlx::Error::Protocol("what was read by failed before".into())));
        };
        if self.state == State::Fresh && !self.once {
            queue.precede("BEGIN");
        }
        self.state = State::Half;
        queue.send(Connection::Sqlite(&mut seat.line.connection, &seat.line.bell)).await?;
        self.state = State::Open;
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(mut seat) = self.seat.take() else { return };
        match self.state {
            State::Open if !self.once => {
                if seat.end() {
                    seat.leave();
                }
            }
            State::Fresh | State::Open => seat.leave(),
            State::Half => {
                // Without a runtime nobody reads any more, and it is closed.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(seat.mend());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
