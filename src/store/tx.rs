//! A transaction, and the kinds of statements that it runs: one text for both engines.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tracing::Instrument;
use uuid::Uuid;

use super::cipher::Key;
use super::error::{Error, Result};
use super::group::Member;
use super::line::Line;
use super::queue::Queue;
use super::reader::Reader;
use super::sql::{Asked, Sql, padded};
use super::vault::Vault;
use crate::span::span;

/// Marks the point to which a transaction can return.
const MARK: &str = "SAVEPOINT unit";

/// A transaction; dropped without [`Tx::commit`] it never happened.
///
/// What may wait ([`Sql::later`], [`Sql::ask`]) goes to the database with the next statement that may not, or with the
/// commit: in its order, and on SQLite at once.
pub struct Tx {
    pub(super) begun: Begun,
    pub(super) queue: Queue,
    pub(super) vault: Option<Vault>,
    /// Keys of owners who had none; they are kept before what they have sealed is.
    pub(super) fresh: BTreeMap<Uuid, Key>,
}

pub(super) enum Begun {
    Writing(Member),
    Reading(Reader),
    Postgres(Line),
    /// No transaction, but for each statement one of its own.
    Once(Line),
}

impl Tx {
    /// A statement; `$1`, `$2` … are bound in order.
    pub fn sql(&mut self, text: &'static str) -> Sql<'_> {
        self.statement(text)
    }

    /// A `SELECT` by id whose rows nobody may change until the transaction ends. SQLite has one
    /// writer and needs no lock.
    pub fn sql_locked(&mut self, text: &'static str, lock: Lock) -> Sql<'_> {
        match self.locking(lock) {
            "" => self.statement(text),
            words => self.statement(format!("{text}{words}")),
        }
    }

    /// Whether others write meanwhile, so that rows must be locked. SQLite has one writer.
    pub(super) fn has_rivals(&self) -> bool {
        matches!(self.begun, Begun::Postgres(_) | Begun::Once(_))
    }

    /// What a `SELECT` ends in to lock its rows.
    fn locking(&self, lock: Lock) -> &'static str {
        match (&self.begun, lock) {
            (Begun::Postgres(_), Lock::Share) => " FOR SHARE",
            // Not plain FOR UPDATE, which deadlocks with the checks of foreign keys.
            (Begun::Postgres(_), Lock::Update) => " FOR NO KEY UPDATE",
            (Begun::Postgres(_), Lock::Skip) => " FOR UPDATE SKIP LOCKED",
            (Begun::Writing(_) | Begun::Reading(_) | Begun::Once(_), _) | (_, Lock::None) => "",
        }
    }

    /// A statement over a set of ids: `{ids}` in the text stands for them, and they are bound last,
    /// with [`Sql::bind_ids`]. Neither engine has an array type that the other knows.
    pub fn sql_each(&mut self, text: &'static str, ids: usize) -> Sql<'_> {
        self.sql_each_locked(text, ids, Lock::None)
    }

    /// As [`Tx::sql_each`], with the rows locked in the order in which the text sorts them.
    pub fn sql_each_locked(&mut self, text: &'static str, ids: usize, lock: Lock) -> Sql<'_> {
        let fixed = text.split('$').skip(1).filter_map(leading_number).max().unwrap_or(0);
        let places: Vec<_> = (1..=padded(ids)).map(|place| format!("${}", fixed + place)).collect();
        self.statement(text.replace("{ids}", &places.join(", ")) + self.locking(lock))
    }

    /// An `INSERT` of several rows: what stands in braces is said once for each, and its parameters are bound row by
    /// row, from `$1` on.
    pub fn sql_rows(&mut self, text: &'static str, rows: usize) -> Sql<'_> {
        let (before, rest) = text.split_once('{').unwrap_or((text, ""));
        let (row, after) = rest.split_once('}').unwrap_or((rest, ""));
        let columns = row.matches('$').count();
        let places = |row: usize| (1..=columns).map(move |column| format!("${}", row * columns + column));
        let all: Vec<_> = (0..rows).map(|row| format!("({})", places(row).collect::<Vec<_>>().join(", "))).collect();
        self.statement(format!("{before}{}{after}", all.join(", ")))
    }

    /// What an index finds by what is asked for: `{by}` in the text stands for the condition.
    pub fn sql_by(&mut self, text: &'static str, by: &'static str) -> Sql<'_> {
        self.statement(text.replace("{by}", by))
    }

    /// A page in either direction: `{beyond}`, `{within}` and `{order}` in the text stand for what compares with where
    /// it begins and ends, and for how it is sorted.
    pub fn sql_ordered(&mut self, text: &'static str, order: Order) -> Sql<'_> {
        let [beyond, within, words] = match order {
            Order::Ascending => [">", "<", "ASC"],
            Order::Descending => ["<", ">=", "DESC"],
        };
        let text = text.replace("{beyond}", beyond).replace("{within}", within).replace("{order}", words);
        self.statement(text)
    }

    fn statement(&mut self, text: impl Into<Cow<'static, str>>) -> Sql<'_> {
        Sql::begin(self, text.into())
    }

    /// The answer to what was asked.
    pub async fn answer<T>(&mut self, asked: Asked<T>) -> Result<T> {
        if !self.queue.has(asked.ticket) {
            self.send().await?;
        }
        (asked.read)(self.queue.take(asked.ticket))
    }

    /// Asks one thing, and answers it.
    pub async fn tell<T>(&mut self, ask: impl FnOnce(&mut Self) -> Asked<T>) -> Result<T> {
        let asked = ask(self);
        self.answer(asked).await
    }

    /// Has everything run that waits.
    pub(super) async fn send(&mut self) -> Result<()> {
        if self.queue.is_empty() {
            return Ok(());
        }
        match &mut self.begun {
            Begun::Writing(member) => self.queue.send(member.line()).await,
            Begun::Reading(reader) => reader.send(&mut self.queue).await,
            Begun::Postgres(line) => line.send(&mut self.queue).await,
            Begun::Once(line) => {
                line.once();
                line.send(&mut self.queue).await?;
                line.is_done();
                Ok(())
            }
        }
    }

    /// Marks the point to which [`Tx::undo`] returns.
    pub async fn savepoint(&mut self) -> Result<()> {
        // Else what fails before it would be undone by it.
        self.send().await?;
        self.sql(MARK).later();
        Ok(())
    }

    /// Undoes everything since the last savepoint, and forgets it.
    pub async fn undo(&mut self) -> Result<()> {
        let is_unsent = self.queue.holds(MARK);
        self.queue.clear();
        if is_unsent {
            return Ok(());
        }
        self.sql("ROLLBACK TO SAVEPOINT unit").run().await?;
        self.sql("RELEASE SAVEPOINT unit").later();
        Ok(())
    }

    /// Keeps everything since the last savepoint, and forgets it.
    pub async fn keep(&mut self) -> Result<()> {
        // What was claimed and is taken has to be undone.
        self.send().await?;
        self.sql("RELEASE SAVEPOINT unit").later();
        Ok(())
    }

    /// Undoes everything, and begins anew.
    pub async fn start_over(&mut self) -> Result<()> {
        // Nothing is left that they have sealed, and nothing that waits.
        self.fresh.clear();
        self.queue.clear();
        match &mut self.begun {
            Begun::Writing(member) => member.start_over().await,
            Begun::Reading(_) | Begun::Once(_) => Ok(()),
            Begun::Postgres(_) => self.statement("ROLLBACK AND CHAIN").run().await.map(drop),
        }
    }

    /// Makes it durable. When the connection fails meanwhile, nobody knows whether it is:
    /// [`Error::Uncertain`].
    pub async fn commit(self) -> Result<()> {
        self.committed().instrument(span!("transaction.commit")).await
    }

    async fn committed(mut self) -> Result<()> {
        self.send().await?;
        if let (Some(vault), false) = (&self.vault, self.fresh.is_empty()) {
            // It commits a transaction of its own.
            Box::pin(vault.keep(&self.fresh)).await?;
        }
        match self.begun {
            Begun::Writing(member) => member.commit().await,
            Begun::Reading(_) | Begun::Once(_) => Ok(()),
            Begun::Postgres(mut line) => line.end("COMMIT").await.map_err(Error::of_commit),
        }
    }

    /// Ends it without effect.
    pub async fn rollback(self) -> Result<()> {
        match self.begun {
            Begun::Writing(member) => member.rollback().await,
            Begun::Reading(_) | Begun::Once(_) => Ok(()),
            Begun::Postgres(mut line) => Ok(line.end("ROLLBACK").await?),
        }
    }
}

fn leading_number(text: &str) -> Option<usize> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What others may not do meanwhile to a row that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Anything.
    None,
    /// Not change it: what placing a session needs of its rule facts.
    Share,
    /// Neither change it nor rely on it: what changing a rule fact needs.
    Update,
    /// As [`Lock::Update`], leaving out what somebody else has locked: for chores.
    Skip,
}

/// In which direction a page is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first on.
    Ascending,
    /// From the last back.
    Descending,
}

impl Order {
    /// The other way round.
    pub fn other(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}
