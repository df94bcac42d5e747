//! Agreements.

use chrono::NaiveDate;
use sqlx::types::Json;
use uuid::Uuid;

use super::error::Result;
use super::noun::{Head, Keyed, Listing, Stored};
use super::sql::Sql;
use super::tx::{Lock, Tx};
use crate::domain::agreement::{Agreement, AgreementStatus};
use crate::domain::code::CareService;
use crate::domain::ids::{AgreementId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::text::Code;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    code: Code,
    counterparty: String,
    services: Json<Vec<CareService>>,
    districts: Json<Vec<Code>>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
    status: AgreementStatus,
}

impl From<Row> for Record<Agreement> {
    fn from(row: Row) -> Self {
        row.head.record(Agreement {
            organisation_id: row.organisation_id,
            code: row.code,
            counterparty: row.counterparty,
            services: row.services.0,
            districts: row.districts.0,
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            status: row.status,
        })
    }
}

fn bind<'t>(sql: Sql<'t>, it: &Record<Agreement>) -> Sql<'t> {
    sql.bind_head(it)
        .bind(it.organisation_id)
        .bind(it.code.clone())
        .bind(it.counterparty.clone())
        .bind(Json(it.services.clone()))
        .bind(Json(it.districts.clone()))
        .bind(it.valid_from)
        .bind(it.valid_until)
        .bind(it.status)
}

impl Stored for Agreement {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO agreement (id, version, created_at, updated_at, organisation_id, code, counterparty,
                services, districts, valid_from, valid_until, status)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        );
        bind(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE agreement SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5, code = $6,
                counterparty = $7, services = $8, districts = $9, valid_from = $10, valid_until = $11, status = $12
              WHERE id = $1",
        );
        bind(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: AgreementId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM agreement WHERE id = $1", lock).bind(id).record::<Row, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT * FROM agreement
              WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<Row, _>()
        .await
    }
}

impl Keyed for Agreement {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM agreement WHERE organisation_id = $1 AND code = $2");
        sql.bind(within).bind(code).record::<Row, _>().await
    }
}

/// The agreements of an organisation that are active, in force or not.
pub async fn active_of(tx: &mut Tx, organisation_id: OrganisationId) -> Result<Vec<Agreement>> {
    let sql = tx.sql("SELECT * FROM agreement WHERE organisation_id = $1 AND status = 'ACTIVE' ORDER BY id");
    let rows = sql.bind(organisation_id).all::<Row>().await?;
    Ok(rows.into_iter().map(|row| Record::from(row).content).collect())
}

/// Keeps the active agreements of an organisation from changing.
pub async fn hold(tx: &mut Tx, organisation_id: OrganisationId) -> Result<()> {
    if !tx.has_rivals() {
        return Ok(());
    }
    let sql = tx.sql_locked(
        "SELECT id FROM agreement WHERE organisation_id = $1 AND status = 'ACTIVE' ORDER BY id",
        Lock::Share,
    );
    sql.bind(organisation_id).all::<(AgreementId,)>().await.map(drop)
}
