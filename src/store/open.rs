//! Opens a database: the file or the server, and with what bounds.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::db::{Db, Engine, Target};
use super::error::{Error, Result};
use super::group::Writer;
use super::line::Lines;
use super::reader::Readers;

/// How long a request waits for a connection before it is told to come back.
pub(super) const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// Nobody waits for ever for somebody who froze, and what is acknowledged is on disk.
const BOUNDS: [(&str, &str); 3] =
    [("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "60s"), ("synchronous_commit", "on")];

/// Rows that a connection reads ahead of whoever takes them, who collects all of them anyway: a page of any list.
const ROWS_AHEAD: usize = 4_096;

/// Pages that the writer keeps in memory: 64 MiB, in SQLite's way of saying so.
const WRITER_CACHE: &str = "-65536";

impl Db {
    /// Opens a database; says nothing about its schema (see [`Db::migrate`]).
    pub async fn open(target: &Target, connections: u32) -> Result<Self> {
        Self::open_as(target, connections, "OFF").await
    }

    /// Opens a database of keys: what is written over there is gone from the file.
    pub(super) async fn open_keys(target: &Target, connections: u32) -> Result<Self> {
        Self::open_as(target, connections, "ON").await
    }

    async fn open_as(target: &Target, connections: u32, secure_delete: &'static str) -> Result<Self> {
        match target {
            Target::Sqlite(file) => Self::open_sqlite(file, connections, secure_delete).await,
            Target::Postgres(url) => {
                let options: PgConnectOptions = url.expose_secret().parse().map_err(Error::Database)?;
                let options = options.application_name("aftercare").options(BOUNDS);
                Ok(Self::over(Engine::Postgres(Lines::open(options, connections).await?)))
            }
        }
    }

    async fn open_sqlite(file: &Path, connections: u32, secure_delete: &'static str) -> Result<Self> {
        create_private(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged booking survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("secure_delete", secure_delete)
            .busy_timeout(WAIT_FOR_CONNECTION);
        // A connection to a file does not go away.
        let alone = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
        let alone = alone.acquire_timeout(WAIT_FOR_CONNECTION);
        // A long transaction, such as an import, would write pages and savepoints to disk again and again.
        let memory = options.clone().pragma("cache_size", WRITER_CACHE).pragma("temp_store", "MEMORY");
        // The first to come makes the file one with a log of its own, for which SQLite waits for nobody.
        let turn = take_turns(file).await?;
        let writer = alone.connect_with(memory).await?;
        drop(turn);
        let readers = Readers::open(options.pragma("query_only", "ON"), connections).await?;
        Ok(Self::over(Engine::Sqlite { writer: Writer::over(writer), readers, file: file.to_path_buf() }))
    }

    /// Forgets what stood where something was written over, as far as the engine lets it: on SQLite, the log.
    pub(super) async fn forget_log(&self) -> Result<()> {
        let Engine::Sqlite { writer, .. } = self.engine() else { return Ok(()) };
        match sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(writer.aside().await?.pool())
            .await
            .map_err(Error::from)
        {
            // Somebody reads from it; the next one forgets it.
            Ok(_) | Err(Error::Retry(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Waits until nobody else opens or migrates a database file; they wait until what is returned is dropped.
pub async fn take_turns(file: &Path) -> Result<std::fs::File> {
    let lock = create_private(&file.with_extension("lock"))?;
    // Another process may hold it for as long as its migration takes.
    Ok(tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await.map_err(std::io::Error::other)??)
}

/// Opens a file, made if it is missing so that only its owner can read it.
pub(super) fn create_private(file: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Makes a directory that only its owner can enter.
pub fn create_private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
