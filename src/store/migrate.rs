//! Brings a schema up to date. Two processes that start together take turns.

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::db::{Db, Engine};
use super::error::{Error, Result};

macro_rules! migrations {
    ($engine:literal) => {
        migrations!(
            $engine: (1, "0001_scheduling"), (2, "0002_job"), (3, "0003_waitlist"), (4, "0004_attendance"),
            (5, "0005_treatment"), (6, "0006_feed"), (7, "0007_statement"), (8, "0008_followup"), (9, "0009_training"),
            (10, "0010_access"), (11, "0011_audit"), (12, "0012_privacy"), (13, "0013_break_glass"),
            (14, "0014_transfer"), (15, "0015_retention"), (16, "0016_directory_version")
        )
    };
    ($engine:literal: $(($version:literal, $name:literal)),*) => {
        Migrator::with_migrations(vec![$(Migration::new(
            $version,
            $name.into(),
            MigrationType::Simple,
            include_str!(concat!("../../migrations/", $engine, "/", $name, ".sql")).into_sql_str(),
            false,
        )),*])
    };
}

/// Where sqlx keeps what was applied.
const TABLE: &str = "_sqlx_migrations";

/// How a schema stands to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// It is that of this program.
    Current,
    /// So many migrations are missing.
    Behind(usize),
    /// A newer program has brought it to this version.
    Newer(i64),
}

impl Db {
    /// Applies the migrations that are missing. A schema newer than this program is refused.
    pub async fn migrate(&self) -> Result<()> {
        self.apply(match self.engine() {
            Engine::Sqlite { .. } => migrations!("sqlite"),
            Engine::Postgres(_) => migrations!("postgres"),
        })
        .await
    }

    /// The same for a key store.
    pub async fn migrate_keys(&self) -> Result<()> {
        self.apply(match self.engine() {
            Engine::Sqlite { .. } => migrations!("sqlite": (1, "keys/0001_keys")),
            Engine::Postgres(_) => migrations!("postgres": (1, "keys/0001_keys")),
        })
        .await
    }

    /// How the schema stands to this program, which changes nothing.
    pub async fn schema(&self) -> Result<Schema> {
        let known = match self.engine() {
            Engine::Sqlite { .. } => migrations!("sqlite"),
            Engine::Postgres(_) => migrations!("postgres"),
        };
        let applied = match self.applied().await {
            // Nobody has brought it to any version yet.
            Err(Error::Database(error)) if error.to_string().contains(TABLE) => Vec::new(),
            applied => applied?,
        };
        let unknown = applied.iter().find(|version| !known.version_exists(**version));
        Ok(match (unknown, known.iter().filter(|it| !applied.contains(&it.version)).count()) {
            (Some(version), _) => Schema::Newer(*version),
            (None, 0) => Schema::Current,
            (None, missing) => Schema::Behind(missing),
        })
    }

    async fn applied(&self) -> Result<Vec<i64>> {
        let mut tx = self.read_once().await?;
        let rows = tx.sql("SELECT version FROM _sqlx_migrations ORDER BY version").all::<(i64,)>().await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    async fn apply(&self, migrations: Migrator) -> Result<()> {
        match self.engine() {
            Engine::Sqlite { writer, file, .. } => {
                let turn = super::open::take_turns(file).await?;
                let result = migrations.run(writer.aside().await?.pool()).await;
                drop(turn);
                result
            }
            Engine::Postgres(lines) => {
                let mut line = lines.line().await?;
                let result = migrations.run(line.connection()?).await;
                // Its lock ends with the connection, however it ended.
                line.discard();
                result
            }
        }
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) => Error::Newer(version),
            // Until 1.0 a schema is still rewritten in place.
            MigrateError::VersionMismatch(version) => Error::OtherSchema(version),
            error => Error::Migration(error),
        })
    }
}
