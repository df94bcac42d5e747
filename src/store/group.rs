//! One durable commit for all who write to a file of SQLite meanwhile.
//!
//! There is one writing connection, and whoever has the *seat* uses it. Who has done its work leaves it behind a
//! savepoint of a transaction that the next one goes on with, and waits; when nobody else was waiting for the seat, or
//! enough have joined, the transaction is committed, and all of its members hear of it at once. So a commit that takes
//! long is shared by the more, the longer it takes, and who is alone waits for nobody.
//!
//! Members are one after the other, as if each had a transaction of its own: a later one sees what an earlier one wrote,
//! and neither is acknowledged before both are durable. What one of them undoes, or leaves half done, is rolled back to
//! its savepoint and concerns nobody else. What ends the whole transaction, such as a full disk, ends every member.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(test)]
use sqlx::SqliteConnection;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{Executor as _, Sqlite};
use tokio::sync::{Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard, oneshot};

use super::bell::Bell;
use super::error::{Error, Result, is_uncertain};
use super::open::WAIT_FOR_CONNECTION;
use super::queue::Connection;
use crate::chain::chain;

/// So many share a commit at most: what the first of them waits for. \[P\]
const MOST: usize = 64;

/// The one way to write to a file.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    seat: Arc<Mutex<Seat>>,
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Seat {
    pool: SqlitePool,
    group: Option<Group>,
}

/// The connection, and the transaction that is shared on it.
#[derive(Debug)]
struct Group {
    connection: PoolConnection<Sqlite>,
    bell: Bell,
    state: State,
    /// Who waits for the commit.
    members: Vec<oneshot::Sender<Result<()>>>,
    /// Somebody will come to commit it.
    closer_comes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no transaction.
    None,
    /// Every member has left; the savepoint of the last is where it ended.
    Whole,
    /// A member works, or went away without a word.
    Half,
    /// It is being committed, or whoever did so went away.
    Ending,
}

impl Writer {
    pub(super) fn over(pool: SqlitePool) -> Self {
        let seat = Seat { pool, group: None };
        Self { seat: Arc::new(Mutex::new(seat)), waiting: Arc::default() }
    }

    /// Takes the seat as the next member of what is shared.
    pub(super) async fn join(&self) -> Result<Member> {
        self.sit(false).await
    }

    /// Takes the seat for a transaction of its own: nobody waits for what takes long.
    pub(super) async fn alone(&self) -> Result<Member> {
        self.sit(true).await
    }

    async fn sit(&self, alone: bool) -> Result<Member> {
        let queued = Queued::in_front_of(&self.waiting);
        let seat = self.seat.clone().lock_owned();
        let mut seat = tokio::time::timeout(WAIT_FOR_CONNECTION, seat).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        drop(queued);
        if seat.group.is_none() {
            let connection = seat.pool.acquire().await?;
            let members = Vec::new();
            let bell = Bell::new();
            seat.group = Some(Group { connection, bell, state: State::None, members, closer_comes: false });
        }
        let group = OwnedMutexGuard::try_map(seat, |seat| seat.group.as_mut());
        let group = group.map_err(|_| sqlx::Error::PoolClosed)?;
        // From here on somebody ends what begins, even if nobody waits for the beginning.
        let mut member = Member { group, writer: self.clone(), alone, ended: false };
        member.group.begin(alone).await?;
        Ok(member)
    }

    /// The connections of the file, for what is done outside of transactions; nobody writes until what is returned is
    /// dropped.
    pub(super) async fn aside(&self) -> Result<Aside<'_>> {
        let mut seat = self.seat.lock().await;
        if let Some(mut group) = seat.group.take() {
            group.settle().await;
            // Dropped, the connection goes back to where whoever stands aside takes it from.
        }
        Ok(Aside(seat))
    }

    /// How many wait for the seat.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Closes it, after everybody who has the seat or waits for it.
    pub(super) async fn close(&self) {
        if let Ok(aside) = self.aside().await {
            aside.0.pool.close().await;
        }
    }

    /// Has the group committed after all who wait for the seat now.
    fn send_closer(&self) {
        let seat = self.seat.clone();
        // Without a runtime nobody waits any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Some(group) = &mut seat.lock().await.group {
                group.settle().await;
            }
        });
    }
}

/// Somebody who waits for the seat.
struct Queued<'w>(&'w AtomicUsize);

impl<'w> Queued<'w> {
    fn in_front_of(waiting: &'w AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Who stands aside of every transaction.
pub(super) struct Aside<'w>(MutexGuard<'w, Seat>);

impl Aside<'_> {
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.0.pool
    }
}

impl Group {
    /// Lets a member begin, behind a savepoint of its own.
    async fn begin(&mut self, alone: bool) -> Result<()> {
        self.undo_half().await;
        if alone || self.state == State::Ending {
            self.settle().await;
        }
        if self.state == State::Whole {
            match self.run("RELEASE member; SAVEPOINT member").await {
                Ok(()) => self.state = State::Half,
                Err(error) => self.fail(&error, Error::Retry).await,
            }
        }
        if self.state == State::None {
            // IMMEDIATE: a plain BEGIN that reads first fails at its first write after a rival's commit.
            self.state = State::Half;
            if let Err(error) = self.run("BEGIN IMMEDIATE; SAVEPOINT member").await {
                self.rollback().await;
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Rolls back what somebody left half done. When it cannot be, the transaction is gone, and with it everybody.
    async fn undo_half(&mut self) {
        if self.state == State::Half {
            match self.run("ROLLBACK TO member").await {
                Ok(()) => self.state = State::Whole,
                Err(error) => self.fail(&error, Error::Retry).await,
            }
        }
    }

    /// Ends the transaction, if there is one, for all who wait for it.
    async fn settle(&mut self) {
        self.closer_comes = false;
        self.undo_half().await;
        if self.state == State::Ending {
            // Whoever began to commit it went away, and nobody can tell its members what became of it.
            self.members.clear();
            self.rollback().await;
        } else if self.state != State::None
            && let Err(error) = self.commit().await
        {
            tracing::warn!(error = %chain(&error), "what was shared was not committed");
        }
    }

    /// Commits, and tells everybody.
    async fn commit(&mut self) -> Result<()> {
        self.state = State::Ending;
        let done = self.run("COMMIT").await;
        match &done {
            Ok(()) => {
                self.state = State::None;
                self.members.drain(..).for_each(|member| drop(member.send(Ok(()))));
            }
            Err(error) if is_uncertain(error) => self.fail(error, Error::Uncertain).await,
            Err(error) => self.fail(error, Error::Retry).await,
        }
        done.map_err(Error::of_commit)
    }

    /// Ends the transaction, and tells everybody what that means for them.
    async fn fail(&mut self, error: &sqlx::Error, means: impl Fn(sqlx::Error) -> Error) {
        for member in self.members.drain(..) {
            // Who has gone away needs to know nothing.
            let _ = member.send(Err(means(sqlx::Error::Protocol(format!("a shared commit: {error}")))));
        }
        self.rollback().await;
    }

    async fn rollback(&mut self) {
        // There may be none: what was the end of it ended the transaction too.
        if let Err(error) = self.run("ROLLBACK").await {
            tracing::debug!(error = %chain(&error), "rollback");
        }
        self.state = State::None;
    }

    async fn run(&mut self, text: &'static str) -> sqlx::Result<()> {
        let done = self.bell.all(self.connection.fetch_many(sqlx::query(text))).await;
        done.into_iter().try_for_each(|it| it.map(drop))
    }
}

/// Who has the seat. Dropped without a word, what it did is undone.
pub(super) struct Member {
    group: OwnedMappedMutexGuard<Seat, Group>,
    writer: Writer,
    alone: bool,
    ended: bool,
}

impl Member {
    #[cfg(test)]
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.group.connection
    }

    /// Where its statements are sent.
    pub(super) fn line(&mut self) -> Connection<'_> {
        let group = &mut *self.group;
        Connection::Sqlite(&mut group.connection, &group.bell)
    }

    /// Undoes all that this member did.
    pub(super) async fn start_over(&mut self) -> Result<()> {
        Ok(self.group.run("ROLLBACK TO member").await?)
    }

    /// Leaves; answers when what this member did is durable.
    pub(super) async fn commit(mut self) -> Result<()> {
        let is_last = self.writer.waiting.load(Ordering::SeqCst) == 0;
        if self.alone || is_last || self.group.members.len() + 1 >= MOST {
            self.ended = true;
            return self.group.commit().await;
        }
        let (tell, told) = oneshot::channel();
        self.group.members.push(tell);
        self.group.state = State::Whole;
        if !std::mem::replace(&mut self.group.closer_comes, true) {
            self.writer.send_closer();
        }
        self.ended = true;
        drop(self);
        let gone = |_| Err(Error::Uncertain(sqlx::Error::Protocol("whoever committed went away".into())));
        told.await.unwrap_or_else(gone)
    }

    /// Leaves without effect.
    pub(super) async fn rollback(mut self) -> Result<()> {
        self.group.undo_half().await;
        if self.group.members.is_empty() {
            self.group.settle().await;
        }
        self.ended = true;
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if !self.ended && !std::mem::replace(&mut self.group.closer_comes, true) {
            self.writer.send_closer();
        }
    }
}

#[cfg(test)]
mod tests;
