//! Brings a schema up to date. Two processes that start together take turns.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::db::{Db, Engine};
use super::error::{Error, Result};

macro_rules! migrations {
    ($engine:literal) => {
        migrations!(
            $engine: (1, "0001_scheduling"), (2, "0002_job"), (3, "0003_waitlist"), (4, "0004_attendance"),
            (5, "0005_treatment"), (6, "0006_feed"), (7, "0007_statement"), (8, "0008_followup"), (9, "0009_training"),
            (10, "0010_access"), (11, "0011_audit"), (13, "0013_break_glass")
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

impl Db {
    /// Applies the migrations that are missing. A schema newer than this program is refused.
    pub async fn migrate(&self) -> Result<()> {
        match self.engine() {
            Engine::Sqlite { writer, file, .. } => {
                let turn = super::db::take_turns(file).await?;
                let result = migrations!("sqlite").run(writer).await;
                drop(turn);
                result
            }
            Engine::Postgres(pool) => migrations!("postgres").run(pool).await,
        }
        .map_err(Error::Migration)
    }
}
