//! Which requests were done: one effect per principal and request id.

use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::Tx;

/// What is kept of a request that was done.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Done {
    /// What was called.
    pub method: String,
    /// Keyed digest of the body.
    pub digest: Vec<u8>,
    /// The id of what it made or changed.
    pub result_id: Option<Uuid>,
}

/// Claims a request id. Waits for a rival that holds it; returns what the rival did, if it was done.
pub async fn claim(
    tx: &mut Tx,
    principal: &str,
    request_id: Uuid,
    method: &str,
    digest: &[u8],
    now: Instant,
) -> Result<Option<Done>> {
    let claimed = tx
        .sql(
            "INSERT INTO request (principal, request_id, method, digest, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(principal)
        .bind(request_id)
        .bind(method)
        .bind(digest)
        .bind(now)
        .claim()
        .await;
    match claimed {
        Ok(()) => Ok(None),
        Err(Error::Conflict) => {
            let sql = tx.sql("SELECT method, digest, result_id FROM request WHERE principal = $1 AND request_id = $2");
            // Forgotten in this very moment: to be claimed again.
            sql.bind(principal).bind(request_id).maybe().await?.map(Some).ok_or(Error::Conflict)
        }
        Err(error) => Err(error),
    }
}

/// Notes what a claimed request made or changed.
pub fn finish(tx: &mut Tx, principal: &str, request_id: Uuid, result_id: Uuid) {
    tx.sql("UPDATE request SET result_id = $3 WHERE principal = $1 AND request_id = $2")
        .bind(principal)
        .bind(request_id)
        .bind(result_id)
        .later();
}

/// Forgets requests older than an instant.
pub async fn forget(tx: &mut Tx, before: Instant) -> Result<u64> {
    tx.sql("DELETE FROM request WHERE created_at < $1").bind(before).run().await
}
