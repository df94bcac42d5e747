//! Legal holds. The schema lets nobody change one but for its release.

use chrono::NaiveDate;

use super::codec::Instant;
use super::error::{Error, Result};
use super::noun::{Head, Listing, Stored};
use super::seal::{Place, Sealed};
use super::tx::{Lock, Tx};
use crate::domain::ids::{ClientId, LegalHoldId, OrganisationId};
use crate::domain::legal_hold::{LegalHold, Released};
use crate::domain::noun::Record;

const REASON: &str = "legal_hold.reason";
const RELEASE_REASON: &str = "legal_hold.release_reason";

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    client_id: ClientId,
    reason: Sealed,
    until_on: Option<NaiveDate>,
    placed_by: String,
    released_at: Option<Instant>,
    released_by: Option<String>,
    release_reason: Option<Sealed>,
}

impl Row {
    async fn open(self, tx: &mut Tx) -> Result<Record<LegalHold>> {
        let place = Place::of(self.client_id, self.head.id);
        let released = match (self.released_at, self.released_by, self.release_reason) {
            (None, None, None) => None,
            (Some(at), Some(by), Some(reason)) => {
                Some(Released { at: at.0, by, reason: tx.open(place, RELEASE_REASON, reason).await? })
            }
            _ => return Err(Error::Inconsistent { table: "legal_hold", what: self.head.id.to_string() }),
        };
        Ok(self.head.record(LegalHold {
            client_id: self.client_id,
            reason: tx.open(place, REASON, self.reason).await?,
            until: self.until_on,
            placed_by: self.placed_by,
            released,
        }))
    }
}

async fn opened(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Record<LegalHold>>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(row.open(tx).await?);
    }
    Ok(all)
}

impl Stored for LegalHold {
    /// Writes one that is not released.
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let reason = tx.seal(Place::of(it.client_id, it.id), REASON, &it.reason).await?;
        tx.sql(
            "INSERT INTO legal_hold (id, version, created_at, updated_at, client_id, reason, until_on, placed_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind_head(it)
        .bind(it.client_id)
        .bind(reason)
        .bind(it.until)
        .bind(it.placed_by.clone())
        .run()
        .await
        .map(drop)
    }

    /// Writes the version and the release; nothing else about a hold ever changes.
    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let released = it.released.as_ref();
        let place = Place::of(it.client_id, it.id);
        let reason = tx.seal_some(place, RELEASE_REASON, released.map(|it| &it.reason)).await?;
        tx.sql(
            "UPDATE legal_hold SET version = $2, updated_at = $3, released_at = $4, released_by = $5,
                release_reason = $6 WHERE id = $1",
        )
        .bind(it.id)
        .bind(it.version)
        .bind(Instant(it.updated_at))
        .bind(released.map(|it| Instant(it.at)))
        .bind(released.map(|it| it.by.clone()))
        .bind(reason)
        .run()
        .await
        .map(drop)
    }

    async fn find(tx: &mut Tx, id: LegalHoldId, lock: Lock) -> Result<Option<Record<Self>>> {
        match tx.sql_locked("SELECT * FROM legal_hold WHERE id = $1", lock).bind(id).maybe::<Row>().await? {
            Some(row) => row.open(tx).await.map(Some),
            None => Ok(None),
        }
    }

    /// Lists with the reasons: whoever asks leaves a trace.
    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let sql = tx.sql(
            "SELECT legal_hold.* FROM legal_hold JOIN client ON client.id = legal_hold.client_id
              WHERE (CAST($1 AS UUID) IS NULL OR client.organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR legal_hold.client_id = $2)
                AND legal_hold.id > $3 ORDER BY legal_hold.id LIMIT $4",
        );
        let rows = sql.bind_listing(listing).all::<Row>().await?;
        opened(tx, rows).await
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        Ok(super::client::outline(tx, it.client_id, Lock::None).await?.map(|client| client.organisation_id))
    }
}

/// The holds on a client, oldest first, those that ended included.
pub async fn of_client(tx: &mut Tx, client_id: ClientId) -> Result<Vec<Record<LegalHold>>> {
    let rows = tx.sql("SELECT * FROM legal_hold WHERE client_id = $1 ORDER BY id").bind(client_id).all().await?;
    opened(tx, rows).await
}
