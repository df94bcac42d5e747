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
    /// The schema is that of a later program.
    #[error(
        "a newer program has brought the schema to version {0}, which this one does not know: run that program, or \
         restore a copy from before"
    )]
    Newer(i64),
    /// The schema is that of a program that was never released.
    #[error(
        "version {0} of the schema was another when this database was made: export what is needed with that program"
    )]
    OtherSchema(i64),
    /// The schema could not be brought up to date; each of its versions is applied whole or not at all.
    #[error("the schema could not be brought up to date: what is done is kept, and the next start goes on")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A file beside the database.
    #[error("file")]
    File(#[from] std::io::Error),
    /// Whom this is about was erased; nothing can be written about them any more.
    #[error("the client was erased")]
    Erased,
    /// Something was to be wrapped by a key that was retired meanwhile.
    #[error("the wrapping key was retired")]
    Retired,
    /// A key that wraps others cannot be retired yet.
    #[error("the wrapping key is in use")]
    InUse,
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFault),
}

/// Why the keys of a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The key store is that of other data.
    #[error("this database's keys are in another key store; name it with --key-store-url, or in the data directory")]
    OtherStore,
    /// There is no key store.
    #[error(
        "this database's keys are in a key store that is not here: name it with --key-store-url, or restore it; \
         without it nothing personal can be read"
    )]
    NoStore,
    /// There is no keyring.
    #[error("the keyring {0} is missing: restore it; without it nothing personal can be read")]
    NoKeyring(String),
    /// The keyring lacks what wraps the keys of the key store.
    #[error("the keyring {0} is not the one of this key store, or is out of date: restore it")]
    WrongKeyring(String),
    /// The keyring cannot be read or written.
    #[error("the keyring {0} cannot be used")]
    Keyring(String, #[source] std::io::Error),
    /// The database was opened without its keys.
    #[error("the database was opened without its keys")]
    Locked,
}

/// Texts with which the triggers of SQLite refuse a row that somebody was faster to take the place of.
const FENCES: [&str; 2] = ["aftercare:occupied", "aftercare:separation"];

/// Whether a code of SQLite says that the disk is full or fails.
fn is_of_disk(code: &str) -> bool {
    code == "13" || is_of_io(code) || is_out_of_reach(code)
}

/// Whether a code of SQLite says that the file cannot be written to, or not be opened, as its disk is now.
fn is_out_of_reach(code: &str) -> bool {
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code % 256, 8 | 14))
}

fn is_of_io(code: &str) -> bool {
    // The lowest byte of an extended code is the plain one; a code of PostgreSQL has five characters.
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code % 256 == 10)
}

/// Whether the connection failed. One that ends while it is made says what is no answer at all.
fn is_of_connection(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
}

/// Whether nobody knows what became of a transaction whose commit ended in this.
pub(super) fn is_uncertain(error: &sqlx::Error) -> bool {
    is_of_connection(error) || error.as_database_error().and_then(|it| it.code()).is_some_and(|code| is_of_io(&code))
}

impl Error {
    /// What a commit ended in.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        if is_uncertain(&error) { Self::Uncertain(error) } else { error.into() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                error if is_of_connection(&error) => Error::Retry(error),
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Error::Retry(error),
                sqlx::Error::ColumnDecode { index, .. } => Error::Inconsistent { table: "row", what: index },
                error => Error::Database(error),
            };
        };
        let says = |fence: &str| database.message().contains(fence);
        if FENCES.into_iter().any(says) {
            return Error::Conflict;
        }
        if says("aftercare:retired_key") {
            return Error::Retired;
        }
        if says("aftercare:client_erased") {
            return Error::Erased;
        }
        if says("aftercare:key_in_use") {
            return Error::InUse;
        }
        match (database.kind(), database.code().as_deref()) {
            (ErrorKind::UniqueViolation, _) => Error::Taken,
            (ErrorKind::ExclusionViolation, _) => Error::Conflict,
            // PostgreSQL: serialization failure, deadlock, lock timeout; shutdown, start-up, cancelled by somebody; one
            // that others have taken the place of, and so writes no more.
            (_, Some("40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "57014" | "25006")) => {
                Error::Retry(error)
            }
            // PostgreSQL: too little of something, such as connections, memory or disk.
            (_, Some(code)) if code.len() == 5 && code.starts_with("53") => Error::Retry(error),
            // PostgreSQL: connection exceptions; SQLite: busy, busy recovery, busy snapshot.
            (_, Some(code)) if code.starts_with("08") => Error::Retry(error),
            (_, Some("5" | "261" | "517")) => Error::Retry(error),
            // The disk is full, or fails: on PostgreSQL, on SQLite.
            (_, Some("58030")) => Error::Retry(error),
            (_, Some(code)) if is_of_disk(code) => Error::Retry(error),
            _ => Error::Database(error),
        }
    }
}
