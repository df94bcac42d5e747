//! The one row that makes an installation itself: which key store has its keys.

use uuid::Uuid;

use super::error::Result;
use super::tx::Tx;

/// Makes the installation's row, if it is the first to.
pub async fn ensure(tx: &mut Tx, id: Uuid, key_store_id: Uuid) -> Result<()> {
    tx.sql("INSERT INTO installation (id, singleton, key_store_id) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(key_store_id)
        .run()
        .await
        .map(drop)
}

/// The key store to which the keys of this database belong; none before anything was written.
pub async fn key_store(tx: &mut Tx) -> Result<Option<Uuid>> {
    Ok(tx.sql("SELECT key_store_id FROM installation").maybe::<(Uuid,)>().await?.map(|row| row.0))
}
