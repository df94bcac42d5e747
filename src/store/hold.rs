//! Holds: sessions that are none yet.

use super::codec::Instant;
use super::error::Result;
use super::tx::{Lock, Tx};
use crate::domain::ids::SessionId;

/// The numbers of the holds that a caller has.
pub async fn numbers(tx: &mut Tx, by: &str) -> Result<Vec<(i64, Instant)>> {
    tx.sql("SELECT hold_number, held_until FROM session WHERE held_by = $1 ORDER BY hold_number").bind(by).all().await
}

/// The holds that keep nothing any more.
pub async fn expired(tx: &mut Tx, now: Instant, lock: Lock) -> Result<Vec<SessionId>> {
    // Without ORDER BY, for which SQLite would walk the whole table in the order of ids.
    let sql = tx.sql_locked("SELECT id FROM session WHERE held_until IS NOT NULL AND held_until <= $1", lock);
    let mut ids: Vec<SessionId> = sql.bind(now).all::<(SessionId,)>().await?.into_iter().map(|row| row.0).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Deletes a hold and everything it kept.
pub async fn delete(tx: &mut Tx, id: SessionId) -> Result<()> {
    tx.sql("DELETE FROM session WHERE id = $1 AND state = 'HELD'").bind(id).run().await.map(drop)
}
