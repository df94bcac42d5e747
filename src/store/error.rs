//! What can go wrong below, sorted by what the caller can do about it.

use sqlx::error::ErrorKind;

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong below.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else was faster: the time, place or request is taken.
    #[error("taken meanwhile")]
    Conflict,
    /// Something with this unique name exists.
    #[error("exists already")]
    Taken,
    /// The transaction met another one and can be tried again.
    #[error("must be tried again")]
    Retry(#[source] sqlx::Error),
    /// The connection failed while a transaction was committed: it may or may not have happened.
    #[error("may or may not have happened")]
    Uncertain(#[source] sqlx::Error),
    /// A stored value does not mean anything.
    #[error("inconsistent {table} {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The id or column.
        what: String,
    },
    /// Anything else the database says.
    #[error("database")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A file beside the database.
    #[error("file")]
    File(#[from] std::io::Error),
}

/// Prefix of the texts with which the triggers of SQLite refuse a row.
const FENCES: [&str; 2] = ["aftercare:occupied", "aftercare:separation"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Error::Retry(error),
                sqlx::Error::ColumnDecode { index, .. } => Error::Inconsistent { table: "row", what: index },
                error => Error::Database(error),
            };
        };
        if FENCES.iter().any(|fence| database.message().contains(fence)) {
            return Error::Conflict;
        }
        match (database.kind(), database.code().as_deref()) {
            (ErrorKind::UniqueViolation, _) => Error::Taken,
            (ErrorKind::ExclusionViolation, _) => Error::Conflict,
            // PostgreSQL: serialization failure, deadlock, lock timeout, shutdown, start-up, too many connections.
            (_, Some("40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "53300")) => Error::Retry(error),
            // PostgreSQL: connection exceptions; SQLite: busy, busy recovery, busy snapshot.
            (_, Some(code)) if code.starts_with("08") => Error::Retry(error),
            (_, Some("5" | "261" | "517")) => Error::Retry(error),
            _ => Error::Database(error),
        }
    }
}
