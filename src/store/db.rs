//! The façade over two engines: one SQL text, one call site, SQLite or PostgreSQL below.
//!
//! Writes pass [`Db::begin_write`] and [`Db::begin_alone`] and nothing else: on SQLite one connection that takes them one
//! after the other and may commit several at once (`group`), on PostgreSQL a pool. Nothing outside `store` names an
//! engine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use tracing::Instrument;

use super::error::{KeyFault, Result};
use super::group::Writer;
use super::line::{Line, Lines};
use super::queue::Queue;
use super::reader::Readers;
use super::tx::{Begun, Tx};
use super::vault::Vault;
use crate::span::span;

/// Which database to open.
#[derive(Clone, Debug)]
pub enum Target {
    /// An SQLite file, created when missing.
    Sqlite(PathBuf),
    /// A PostgreSQL URL; it may hold a password.
    Postgres(SecretString),
}

/// An open database, and the keys to what is sealed in it once it is unlocked.
#[derive(Clone, Debug)]
pub struct Db {
    engine: Engine,
    vault: Option<Vault>,
}

/// How busy the connections to a database are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Connections in use; on SQLite those that read.
    pub in_use: usize,
    /// The most there may be.
    pub most: usize,
    /// Who waits for SQLite's one writer; always 0 on PostgreSQL.
    pub writers_waiting: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Engine {
    Sqlite { writer: Writer, readers: Readers, file: PathBuf },
    Postgres(Lines),
}

impl Db {
    /// Begins a transaction that writes.
    pub async fn begin_write(&self) -> Result<Tx> {
        let begun = async {
            Ok(match &self.engine {
                Engine::Sqlite { writer, .. } => Begun::Writing(writer.join().await?),
                Engine::Postgres(lines) => Begun::Postgres(begin(lines, "BEGIN").await?),
            })
        };
        self.waited(begun).await
    }

    /// Begins one that takes long: on SQLite nobody's commit waits for it.
    pub async fn begin_alone(&self) -> Result<Tx> {
        let begun = async {
            Ok(match &self.engine {
                Engine::Sqlite { writer, .. } => Begun::Writing(writer.alone().await?),
                Engine::Postgres(lines) => {
                    let mut line = begin(lines, "BEGIN").await?;
                    line.be_patient();
                    Begun::Postgres(line)
                }
            })
        };
        self.waited(begun).await
    }

    /// Begins a transaction that reads one consistent state.
    pub async fn begin_read(&self) -> Result<Tx> {
        let begun = async {
            Ok(match &self.engine {
                Engine::Sqlite { readers, .. } => Begun::Reading(readers.begin().await?),
                Engine::Postgres(lines) => {
                    Begun::Postgres(begin(lines, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?)
                }
            })
        };
        self.waited(begun).await
    }

    /// A transaction, and how long it was waited for.
    async fn waited(&self, begun: impl Future<Output = Result<Begun>>) -> Result<Tx> {
        begun.instrument(span!("transaction.begin")).await.map(|begun| self.tx(begun))
    }

    /// As [`Db::begin_read`], for a single statement, which sees one consistent state by itself and costs nothing else.
    /// A second one is refused.
    pub async fn read_once(&self) -> Result<Tx> {
        let mut tx = self.tx(match &self.engine {
            Engine::Sqlite { readers, .. } => Begun::Reading(readers.once().await?),
            Engine::Postgres(lines) => Begun::Once(lines.line().await?),
        });
        tx.queue.only_one();
        Ok(tx)
    }

    fn tx(&self, begun: Begun) -> Tx {
        let queue = match begun {
            Begun::Writing(_) | Begun::Reading(_) => Queue::sqlite(),
            Begun::Postgres(_) | Begun::Once(_) => Queue::postgres(),
        };
        Tx { begun, queue, vault: self.vault.clone(), fresh: BTreeMap::new() }
    }

    /// The keys to what is sealed here.
    pub fn vault(&self) -> Result<&Vault> {
        self.vault.as_ref().ok_or_else(|| KeyFault::Locked.into())
    }

    pub(super) fn with_vault(self, vault: Vault) -> Self {
        Self { vault: Some(vault), ..self }
    }

    /// How busy the connections are.
    pub fn load(&self) -> Load {
        match &self.engine {
            Engine::Sqlite { writer, readers, .. } => {
                let (in_use, most) = readers.in_use();
                Load { in_use, most, writers_waiting: writer.waiting() }
            }
            Engine::Postgres(lines) => {
                let (in_use, most) = lines.in_use();
                Load { in_use, most, writers_waiting: 0 }
            }
        }
    }

    /// Closes every connection, after those in use came back.
    pub async fn close(&self) {
        if let Some(vault) = &self.vault {
            vault.store().engine.close().await;
        }
        self.engine.close().await;
    }

    /// One that nothing is unlocked of.
    pub(super) fn over(engine: Engine) -> Self {
        Self { engine, vault: None }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Engine {
    async fn close(&self) {
        match self {
            Engine::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(lines) => lines.close().await,
        }
    }
}

async fn begin(lines: &Lines, statement: &'static str) -> Result<Line> {
    let mut line = lines.line().await?;
    line.begin(statement).await?;
    Ok(line)
}
