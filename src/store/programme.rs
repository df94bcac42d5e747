//! Programmes, and what they said in every version.

use sqlx::types::Json;

use super::codec::Instant;
use super::error::{Error, Result};
use super::noun::{Head, Listing, Stored};
use super::sql::Sql;
use super::tx::{Lock, Tx};
use crate::domain::code::CareService;
use crate::domain::ids::{OrganisationId, ProgrammeId};
use crate::domain::noun::Record;
use crate::domain::programme::{Module, Programme};
use crate::domain::text::Code;

/// What does not change with the versions.
#[derive(sqlx::FromRow)]
struct Stem {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
}

/// What a version said.
#[derive(sqlx::FromRow)]
struct Said {
    written_at: Instant,
    code: Code,
    name: String,
    service: CareService,
    modules: Json<Vec<Module>>,
    retired: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    stem: Stem,
    #[sqlx(flatten)]
    said: Said,
}

impl Said {
    fn of(self, organisation_id: OrganisationId) -> Programme {
        let Said { written_at: _, code, name, service, modules: Json(modules), retired } = self;
        Programme { organisation_id, code, name, service, modules, retired }
    }
}

impl From<Row> for Record<Programme> {
    fn from(Row { stem, said }: Row) -> Self {
        stem.head.record(said.of(stem.organisation_id))
    }
}

fn bind<'t>(sql: Sql<'t>, it: &Record<Programme>) -> Sql<'t> {
    sql.bind_head(it).bind(it.organisation_id).bind(it.code.clone())
}

impl Stored for Programme {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO programme (id, version, created_at, updated_at, organisation_id, code)
             VALUES ($1, $2, $3, $4, $5, $6)",
        );
        bind(sql, it).run().await?;
        write_version(tx, it).await
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE programme SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5, code = $6
              WHERE id = $1",
        );
        bind(sql, it).run().await?;
        write_version(tx, it).await
    }

    /// Reads the version only once the row is locked: a statement that waits for a lock does not see
    /// what was inserted meanwhile.
    async fn find(tx: &mut Tx, id: ProgrammeId, lock: Lock) -> Result<Option<Record<Self>>> {
        let sql = tx.sql_locked("SELECT * FROM programme WHERE id = $1", lock);
        let Some(Stem { head, organisation_id }) = sql.bind(id).maybe().await? else { return Ok(None) };
        match said(tx, id, head.version).await? {
            Some(said) => Ok(Some(head.record(said.of(organisation_id)))),
            None => Err(Error::Inconsistent { table: "programme", what: id.to_string() }),
        }
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT programme.id, programme.version, created_at, updated_at, organisation_id, written_at, said.code,
                name, service, modules, retired
               FROM programme
               JOIN programme_version said ON said.programme_id = programme.id AND said.version = programme.version
              WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<Row, _>()
        .await
    }
}

async fn write_version(tx: &mut Tx, it: &Record<Programme>) -> Result<()> {
    tx.sql(
        "INSERT INTO programme_version (programme_id, version, written_at, code, name, service, modules, retired)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(Instant(it.updated_at))
    .bind(it.code.clone())
    .bind(it.name.clone())
    .bind(it.service)
    .bind(Json(it.modules.clone()))
    .bind(it.retired)
    .run()
    .await
    .map(drop)
}

async fn said(tx: &mut Tx, id: ProgrammeId, version: i64) -> Result<Option<Said>> {
    tx.sql("SELECT * FROM programme_version WHERE programme_id = $1 AND version = $2")
        .bind(id)
        .bind(version)
        .maybe()
        .await
}

/// A programme as it was in a version; none when there was none.
pub async fn in_version(tx: &mut Tx, it: &Record<Programme>, version: i64) -> Result<Option<Record<Programme>>> {
    let said = said(tx, it.id, version).await?;
    Ok(said.map(|said| Record {
        version,
        updated_at: said.written_at.0,
        content: said.of(it.organisation_id),
        id: it.id,
        created_at: it.created_at,
    }))
}
