//! Declared conflicts of interest.

use super::error::Result;
use super::noun::{Head, Listing, Stored};
use super::sql::Asked;
use super::tx::{Lock, Tx};
use crate::domain::conflict::Conflict;
use crate::domain::ids::{ClientId, ConflictId, CounsellorId, OrganisationId};
use crate::domain::noun::Record;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    client_id: ClientId,
    counsellor_id: CounsellorId,
}

impl From<Row> for Record<Conflict> {
    fn from(row: Row) -> Self {
        row.head.record(Conflict { client_id: row.client_id, counsellor_id: row.counsellor_id })
    }
}

impl Stored for Conflict {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "INSERT INTO conflict_of_interest (id, version, created_at, updated_at, client_id, counsellor_id)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind_head(it)
        .bind(it.client_id)
        .bind(it.counsellor_id)
        .run()
        .await
        .map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "UPDATE conflict_of_interest SET version = $2, created_at = $3, updated_at = $4, client_id = $5,
                counsellor_id = $6 WHERE id = $1",
        )
        .bind_head(it)
        .bind(it.client_id)
        .bind(it.counsellor_id)
        .run()
        .await
        .map(drop)
    }

    async fn find(tx: &mut Tx, id: ConflictId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM conflict_of_interest WHERE id = $1", lock).bind(id).record::<Row, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT it.* FROM conflict_of_interest AS it JOIN client ON client.id = it.client_id
              WHERE (CAST($1 AS UUID) IS NULL OR client.organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR it.client_id = $2)
                AND (CAST($1 AS UUID) IS NULL OR EXISTS (
                     SELECT 1 FROM counsellor WHERE counsellor.id = it.counsellor_id AND counsellor.organisation_id = $1))
                AND it.id > $3 ORDER BY it.id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<Row, _>()
        .await
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        Ok(super::client::outline(tx, it.client_id, Lock::None).await?.map(|client| client.organisation_id))
    }
}

/// The counsellors who must not see a client.
pub fn counsellors_of(tx: &mut Tx, client_id: ClientId) -> Asked<Vec<CounsellorId>> {
    let sql = tx.sql("SELECT counsellor_id FROM conflict_of_interest WHERE client_id = $1 ORDER BY counsellor_id");
    sql.bind(client_id).ask::<(CounsellorId,)>().map(|rows| rows.into_iter().map(|row| row.0).collect())
}

/// Deletes a declaration.
pub async fn delete(tx: &mut Tx, id: ConflictId) -> Result<()> {
    tx.sql("DELETE FROM conflict_of_interest WHERE id = $1").bind(id).run().await.map(drop)
}
