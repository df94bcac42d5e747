//! Proceedings of cases.

use chrono::NaiveDate;

use super::error::Result;
use super::noun::{Head, Listing, Stored};
use super::sql::{Asked, Sql};
use super::tx::{Lock, Tx};
use crate::domain::ids::{CaseId, ClientId, OrganisationId, ProceedingId};
use crate::domain::noun::Record;
use crate::domain::proceeding::{Proceeding, ProceedingKind};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    case_file_id: CaseId,
    on_date: NaiveDate,
    kind: ProceedingKind,
}

impl From<Row> for Record<Proceeding> {
    fn from(row: Row) -> Self {
        row.head.record(Proceeding { case_id: row.case_file_id, on_date: row.on_date, kind: row.kind })
    }
}

fn bind<'t>(sql: Sql<'t>, it: &Record<Proceeding>) -> Sql<'t> {
    sql.bind_head(it).bind(it.case_id).bind(it.on_date).bind(it.kind)
}

impl Stored for Proceeding {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO proceeding (id, version, created_at, updated_at, case_file_id, on_date, kind)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        bind(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE proceeding SET version = $2, created_at = $3, updated_at = $4, case_file_id = $5, on_date = $6,
                kind = $7 WHERE id = $1",
        );
        bind(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: ProceedingId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM proceeding WHERE id = $1", lock).bind(id).record::<Row, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT proceeding.* FROM proceeding JOIN case_file ON case_file.id = proceeding.case_file_id
              WHERE (CAST($1 AS UUID) IS NULL OR case_file.organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR proceeding.case_file_id = $2)
                AND proceeding.id > $3 ORDER BY proceeding.id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<Row, _>()
        .await
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        let sql = tx.sql("SELECT organisation_id FROM case_file WHERE id = $1");
        Ok(sql.bind(it.case_id).maybe::<(OrganisationId,)>().await?.map(|row| row.0))
    }
}

/// The days, of those from one to another, that the cases of a client take.
pub fn days_of(tx: &mut Tx, client_id: ClientId, first: NaiveDate, last: NaiveDate) -> Asked<Vec<NaiveDate>> {
    let sql = tx.sql(
        "SELECT DISTINCT on_date FROM proceeding JOIN case_party USING (case_file_id)
          WHERE client_id = $1 AND on_date BETWEEN $2 AND $3 ORDER BY on_date",
    );
    let asked = sql.bind(client_id).bind(first).bind(last).ask::<(NaiveDate,)>();
    asked.map(|rows| rows.into_iter().map(|row| row.0).collect())
}

/// Deletes a proceeding.
pub async fn delete(tx: &mut Tx, id: ProceedingId) -> Result<()> {
    tx.sql("DELETE FROM proceeding WHERE id = $1").bind(id).run().await.map(drop)
}
