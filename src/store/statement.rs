//! The public keys by which statements are checked.

use super::codec::Instant;
use super::db::Tx;
use super::error::{Error, Result};
use crate::domain::statement::{Kid, PublicKey};

/// A public key and what became of it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub public: PublicKey,
    /// Since when it is known.
    pub created_at: Instant,
    /// Since when it signs no more.
    pub retired_at: Option<Instant>,
    /// Since when nothing that it signed is good.
    pub revoked_at: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct Row {
    kid: String,
    public_key: Vec<u8>,
    created_at: Instant,
    retired_at: Option<Instant>,
    revoked_at: Option<Instant>,
}

impl TryFrom<Row> for Key {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let public = PublicKey::from_bytes(&row.public_key).filter(|key| key.kid().as_str() == row.kid);
        let public = public.ok_or(Error::Inconsistent { table: "statement_key", what: row.kid })?;
        Ok(Self { public, created_at: row.created_at, retired_at: row.retired_at, revoked_at: row.revoked_at })
    }
}

/// Makes a key known; one that is known stays as it is.
pub async fn add(tx: &mut Tx, key: PublicKey, now: Instant) -> Result<()> {
    tx.sql("INSERT INTO statement_key (kid, public_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(key.kid())
        .bind(key.to_bytes().to_vec())
        .bind(now)
        .run()
        .await
        .map(drop)
}

/// The key of a name.
pub async fn find(tx: &mut Tx, kid: &Kid) -> Result<Option<Key>> {
    let sql = tx.sql("SELECT kid, public_key, created_at, retired_at, revoked_at FROM statement_key WHERE kid = $1");
    sql.bind(kid.clone()).maybe::<Row>().await?.map(Key::try_from).transpose()
}

/// Every key that was not revoked, oldest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<Key>> {
    let sql = tx.sql(
        "SELECT kid, public_key, created_at, retired_at, revoked_at FROM statement_key
          WHERE revoked_at IS NULL ORDER BY created_at, kid",
    );
    sql.all::<Row>().await?.into_iter().map(Key::try_from).collect()
}

/// Notes that a key signs no more.
pub async fn retire(tx: &mut Tx, kid: &Kid, now: Instant) -> Result<()> {
    tx.sql("UPDATE statement_key SET retired_at = $2 WHERE kid = $1 AND retired_at IS NULL")
        .bind(kid.clone())
        .bind(now)
        .run()
        .await
        .map(drop)
}

/// Takes a key out of the set, for good.
pub async fn revoke(tx: &mut Tx, kid: &Kid, now: Instant) -> Result<()> {
    tx.sql(
        "UPDATE statement_key SET revoked_at = $2, retired_at = COALESCE(retired_at, $2)
          WHERE kid = $1 AND revoked_at IS NULL",
    )
    .bind(kid.clone())
    .bind(now)
    .run()
    .await
    .map(drop)
}
