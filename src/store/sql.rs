//! A statement about to run, on either engine.

use std::borrow::Cow;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, FromRow, Postgres, Sqlite, Type};
use uuid::Uuid;

use super::error::Result;
use super::queue::{Answer, Ticket, Want};
use super::tx::Tx;
use crate::domain::ids::Id;

/// What can be bound to a statement of either engine.
pub trait Param<'q>: Type<Sqlite> + Encode<'q, Sqlite> + Type<Postgres> + Encode<'q, Postgres> {}
impl<'q, T: Type<Sqlite> + Encode<'q, Sqlite> + Type<Postgres> + Encode<'q, Postgres>> Param<'q> for T {}

/// What can be read from a row of either engine.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Record for T {}

/// A statement about to run.
#[must_use]
pub struct Sql<'t> {
    tx: &'t mut Tx,
    text: Cow<'static, str>,
}

/// What was asked and is answered by [`Tx::answer`], with whatever else was asked until then.
#[must_use]
pub struct Asked<T> {
    pub(super) ticket: Ticket,
    pub(super) read: Box<dyn FnOnce(Answer) -> Result<T> + Send>,
}

impl<T: 'static> Asked<T> {
    /// The same, read further.
    pub fn then<U>(self, further: impl FnOnce(T) -> Result<U> + Send + 'static) -> Asked<U> {
        let Self { ticket, read } = self;
        Asked { ticket, read: Box::new(|answer| further(read(answer)?)) }
    }

    /// The same, as something else.
    pub fn map<U>(self, into: impl FnOnce(T) -> U + Send + 'static) -> Asked<U> {
        self.then(|it| Ok(into(it)))
    }
}

impl<'t> Sql<'t> {
    pub(super) fn begin(tx: &'t mut Tx, text: Cow<'static, str>) -> Self {
        tx.queue.begin();
        Self { tx, text }
    }

    /// Binds the next parameter.
    pub fn bind<'q, T: Param<'q>>(self, value: T) -> Self {
        self.tx.queue.bind(value);
        self
    }

    /// Binds the ids of a [`Tx::sql_each`], repeating the last up to the padded size.
    pub fn bind_ids<I: Id>(self, ids: &[I]) -> Self {
        let all: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
        if all.is_empty() { self.bind(Uuid::nil()) } else { self.bind_each(&all) }
    }

    /// As [`Sql::bind_ids`], for other values, of which there is at least one.
    pub fn bind_each<'q, T: Param<'q> + Copy>(self, values: &[T]) -> Self {
        let all = values.iter().chain(values.last().into_iter().cycle());
        all.take(padded(values.len())).fold(self, |sql, value| sql.bind(*value))
    }

    /// Runs it; returns how many rows it wrote.
    pub async fn run(self) -> Result<u64> {
        let ticket = self.tx.queue.end(self.text, Want::Count);
        self.tx.send().await?;
        Ok(self.tx.queue.take(ticket).count())
    }

    /// Runs an `INSERT … ON CONFLICT DO NOTHING`; no row written is [`super::Error::Conflict`].
    pub async fn claim(self) -> Result<()> {
        self.claim_all(1).await
    }

    /// The same for several rows; fewer of them written is [`super::Error::Conflict`], and those that were stay.
    pub async fn claim_all(self, rows: usize) -> Result<()> {
        let tx = self.tx;
        tx.queue.end(self.text, Want::Claim(rows as u64));
        tx.send().await
    }

    /// Runs it; returns the row, if there is one.
    pub async fn maybe<R: Record>(self) -> Result<Option<R>> {
        Ok(self.all().await?.into_iter().next())
    }

    /// Runs it; returns every row.
    pub async fn all<R: Record>(self) -> Result<Vec<R>> {
        let ticket = self.tx.queue.end(self.text, Want::Rows);
        self.tx.send().await?;
        self.tx.queue.take(ticket).rows()
    }

    /// Has it run with the next statement, or at the end: what it writes, nobody needs to know now.
    pub fn later(self) {
        self.tx.queue.end(self.text, Want::Nothing);
    }

    /// As [`Sql::claim_all`], with the next statement: that is then [`super::Error::Conflict`].
    pub fn claim_later(self, rows: usize) {
        self.tx.queue.end(self.text, Want::Claim(rows as u64));
    }

    /// Asks for every row.
    pub fn ask<R: Record + 'static>(self) -> Asked<Vec<R>> {
        Asked { ticket: self.tx.queue.end(self.text, Want::Rows), read: Box::new(Answer::rows) }
    }
}

/// Sets of ids are padded to a power of two, so that few distinct statements are prepared.
pub(super) fn padded(ids: usize) -> usize {
    ids.max(1).next_power_of_two()
}
