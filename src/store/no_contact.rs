//! Declarations of who must not meet a client.

use super::error::Result;
use super::noun::{Head, Listing, Stored};
use super::tx::{Lock, Tx};
use crate::domain::client::NoContact;
use crate::domain::ids::{ClientId, LinkId, NoContactId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::reference::Reference;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    client_id: ClientId,
    other_reference: Reference,
}

impl From<Row> for Record<NoContact> {
    fn from(row: Row) -> Self {
        row.head.record(NoContact { client_id: row.client_id, other_reference: row.other_reference })
    }
}

/// The id of a declaration is that of the link it makes.
pub fn link_of(declaration: NoContactId) -> LinkId {
    LinkId(declaration.0)
}

impl Stored for NoContact {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "INSERT INTO no_contact (id, version, created_at, updated_at, client_id, other_reference)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind_head(it)
        .bind(it.client_id)
        .bind(it.other_reference.clone())
        .run()
        .await
        .map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "UPDATE no_contact SET version = $2, created_at = $3, updated_at = $4, client_id = $5,
                other_reference = $6 WHERE id = $1",
        )
        .bind_head(it)
        .bind(it.client_id)
        .bind(it.other_reference.clone())
        .run()
        .await
        .map(drop)
    }

    async fn find(tx: &mut Tx, id: NoContactId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM no_contact WHERE id = $1", lock).bind(id).record::<Row, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT no_contact.* FROM no_contact JOIN client ON client.id = no_contact.client_id
              WHERE (CAST($1 AS UUID) IS NULL OR client.organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR no_contact.client_id = $2)
                AND no_contact.id > $3 ORDER BY no_contact.id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<Row, _>()
        .await
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        Ok(super::client::outline(tx, it.client_id, Lock::None).await?.map(|client| client.organisation_id))
    }
}

/// Deletes a declaration.
pub async fn delete(tx: &mut Tx, id: NoContactId) -> Result<()> {
    tx.sql("DELETE FROM no_contact WHERE id = $1").bind(id).run().await.map(drop)
}
