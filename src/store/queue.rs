//! The statements of a transaction that wait for each other.
//!
//! One statement costs SQLite a hop to the connection's thread and back, however little it does, so what waits is sent
//! there as one text; PostgreSQL takes one statement after the other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Either, Executor as _, PgConnection, SqliteConnection};

use super::bell::Bell;
use super::error::{Error, Result};
use super::sql::{Param, Record};

/// A text of more statements than this is not kept prepared: it hardly comes again. \[P\]
const MOST_KEPT: usize = 32;

/// What waits, and what was answered.
pub(super) struct Queue {
    waiting: Vec<Statement>,
    bound: Bound,
    answered: BTreeMap<Ticket, Answer>,
    next: Ticket,
    /// What could not be bound, which is said when it is sent.
    fault: Option<BoxDynError>,
    /// So many statements may still be sent.
    left: usize,
}

/// Names an answer.
pub(super) type Ticket = u64;

/// What is wanted of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// That it runs.
    Nothing,
    /// That it writes so many rows.
    Claim(u64),
    /// How many rows it writes.
    Count,
    /// What it reads.
    Rows,
}

struct Statement {
    ticket: Ticket,
    text: Cow<'static, str>,
    want: Want,
    /// SQLite: so many parameters of others are bound before its own.
    offset: usize,
    /// PostgreSQL: its own.
    arguments: PgArguments,
}

impl Statement {
    /// Whether it should have written more rows.
    fn lost(&self, written: u64) -> bool {
        matches!(self.want, Want::Claim(rows) if written < rows)
    }
}

/// The parameters of the statement that was begun; on SQLite, of all that wait.
enum Bound {
    Sqlite(SqliteArguments, usize),
    Postgres(PgArguments),
}

/// What a statement has answered.
pub(super) enum Answer {
    /// Nothing: it was undone before it ran.
    Nothing,
    /// How many rows it wrote.
    Count(u64),
    /// What it read.
    Sqlite(Vec<SqliteRow>),
    /// What it read.
    Postgres(Vec<PgRow>),
}

impl Answer {
    pub(super) fn rows<R: Record>(self) -> Result<Vec<R>> {
        Ok(match self {
            Self::Sqlite(rows) => rows.iter().map(R::from_row).collect::<sqlx::Result<_>>()?,
            Self::Postgres(rows) => rows.iter().map(R::from_row).collect::<sqlx::Result<_>>()?,
            Self::Count(_) | Self::Nothing => Vec::new(),
        })
    }

    pub(super) fn count(self) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Sqlite(_) | Self::Postgres(_) | Self::Nothing => 0,
        }
    }
}

/// Where it is sent.
pub(super) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection, &'c Bell),
    Postgres(&'c mut PgConnection),
}

impl Queue {
    pub(super) fn sqlite() -> Self {
        Self::over(Bound::Sqlite(SqliteArguments::default(), 0))
    }

    pub(super) fn postgres() -> Self {
        Self::over(Bound::Postgres(PgArguments::default()))
    }

    fn over(bound: Bound) -> Self {
        Self { waiting: Vec::new(), bound, answered: BTreeMap::new(), next: 0, fault: None, left: usize::MAX }
    }

    /// Sends one statement and no other: what sees one state only by itself.
    pub(super) fn only_one(&mut self) {
        self.left = 1;
    }

    /// Whether there is nothing to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.fault.is_none()
    }

    /// Begins a statement, whose parameters are bound next.
    pub(super) fn begin(&mut self) {
        match &mut self.bound {
            Bound::Sqlite(arguments, offset) => *offset = arguments.len(),
            Bound::Postgres(arguments) => *arguments = PgArguments::default(),
        }
    }

    pub(super) fn bind<'q, T: Param<'q>>(&mut self, value: T) {
        let bound = match &mut self.bound {
            Bound::Sqlite(arguments, _) => arguments.add(value),
            Bound::Postgres(arguments) => arguments.add(value),
        };
        if let Err(fault) = bound {
            self.fault.get_or_insert(fault);
        }
    }

    /// Lets a statement wait.
    pub(super) fn end(&mut self, text: Cow<'static, str>, want: Want) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        let (offset, arguments) = match &mut self.bound {
            Bound::Sqlite(_, offset) => (*offset, PgArguments::default()),
            Bound::Postgres(arguments) => (0, std::mem::take(arguments)),
        };
        self.waiting.push(Statement { ticket, text, want, offset, arguments });
        ticket
    }

    /// Has a statement without parameters run before what waits.
    pub(super) fn precede(&mut self, text: &'static str) {
        let (ticket, arguments) = (self.next, PgArguments::default());
        self.next += 1;
        self.waiting.insert(0, Statement { ticket, text: text.into(), want: Want::Nothing, offset: 0, arguments });
    }

    /// Whether a statement waits.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.waiting.iter().any(|it| it.text == text)
    }

    /// Forgets everything, but not which tickets were given.
    pub(super) fn clear(&mut self) {
        let empty = match self.bound {
            Bound::Sqlite(..) => Self::sqlite(),
            Bound::Postgres(_) => Self::postgres(),
        };
        *self = Self { next: self.next, left: self.left, ..empty };
    }

    /// Whether a statement was answered.
    pub(super) fn has(&self, ticket: Ticket) -> bool {
        self.answered.contains_key(&ticket)
    }

    /// What a statement has answered.
    pub(super) fn take(&mut self, ticket: Ticket) -> Answer {
        self.answered.remove(&ticket).unwrap_or(Answer::Nothing)
    }

    /// Runs everything that waits, up to the first that fails. [`Error::Conflict`] when a claim wrote nothing.
    pub(super) async fn send(&mut self, to: Connection<'_>) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(fault) = self.fault.take() {
            self.clear();
            return Err(sqlx::Error::Encode(fault).into());
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let left = self.left.checked_sub(waiting.len());
        self.left = left.ok_or_else(|| sqlx::Error::Protocol("one statement was to be read by".into()))?;
        let lost = match (to, &mut self.bound) {
            (Connection::Sqlite(connection, bell), Bound::Sqlite(arguments, _)) => {
                let arguments = std::mem::take(arguments);
                self.send_together(connection, bell, waiting, arguments).await?
            }
            (Connection::Postgres(connection), _) => self.send_each(connection, waiting).await?,
            (Connection::Sqlite(..), Bound::Postgres(_)) => unreachable!("a queue is of its connection"),
        };
        if lost { Err(Error::Conflict) } else { Ok(()) }
    }

    async fn send_together(
        &mut self,
        connection: &mut SqliteConnection,
        bell: &Bell,
        waiting: Vec<Statement>,
        arguments: SqliteArguments,
    ) -> Result<bool> {
        let text = match waiting.as_slice() {
            // What an abandoned statement has bound stands before its own.
            [only] if only.offset == 0 => only.text.clone(),
            several => together(several).into(),
        };
        let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(waiting.len() <= MOST_KEPT);
        let (mut lost, mut rows) = (false, Vec::new());
        let mut waiting = waiting.into_iter();
        for result in bell.all(connection.fetch_many(query)).await {
            match result {
                // What rests on what was not claimed cannot be written.
                Err(_) if lost => break,
                Err(error) => return Err(error.into()),
                Ok(Either::Right(row)) => rows.push(row),
                Ok(Either::Left(done)) => {
                    let Some(it) = waiting.next() else { break };
                    lost |= it.lost(done.rows_affected());
                    let rows = std::mem::take(&mut rows);
                    self.keep(&it, done.rows_affected(), Answer::Sqlite(rows));
                }
            }
        }
        Ok(lost)
    }

    async fn send_each(&mut self, connection: &mut PgConnection, waiting: Vec<Statement>) -> Result<bool> {
        let mut lost = false;
        for mut it in waiting {
            let arguments = std::mem::take(&mut it.arguments);
            let query = sqlx::query_with(AssertSqlSafe(it.text.clone()), arguments);
            if it.want == Want::Rows {
                let rows = connection.fetch_all(query).await?;
                self.keep(&it, 0, Answer::Postgres(rows));
            } else {
                let count = connection.execute(query).await?.rows_affected();
                lost |= it.lost(count);
                self.keep(&it, count, Answer::Count(count));
            }
            if lost {
                break;
            }
        }
        Ok(lost)
    }

    fn keep(&mut self, it: &Statement, count: u64, rows: Answer) {
        match it.want {
            Want::Nothing | Want::Claim(_) => {}
            Want::Count => drop(self.answered.insert(it.ticket, Answer::Count(count))),
            Want::Rows => drop(self.answered.insert(it.ticket, rows)),
        }
    }
}

/// One text of several; the parameters of each are numbered after those before.
fn together(waiting: &[Statement]) -> String {
    let mut all = String::new();
    for it in waiting {
        if !all.is_empty() {
            all.push_str(";\n");
        }
        let mut parts = it.text.split('$');
        all.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: usize = part[..digits].parse().unwrap_or_default();
            all.push('$');
            all.push_str(&(number + it.offset).to_string());
            all.push_str(&part[digits..]);
        }
    }
    all
}
