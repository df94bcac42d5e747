//! Statements, and the public keys by which they are checked.

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::Tx;
use crate::domain::ids::{OrderId, StatementId};
use crate::domain::statement::{Issued, Kid, KnownKey, PublicKey};

#[derive(sqlx::FromRow)]
struct Row {
    kid: String,
    public_key: Vec<u8>,
    created_at: Instant,
    retired_at: Option<Instant>,
    revoked_at: Option<Instant>,
}

impl TryFrom<Row> for KnownKey {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let public = PublicKey::from_bytes(&row.public_key).filter(|key| key.kid().as_str() == row.kid);
        let public = public.ok_or(Error::Inconsistent { table: "statement_key", what: row.kid })?;
        Ok(Self {
            public,
            created_at: row.created_at.0,
            retired_at: row.retired_at.map(|at| at.0),
            revoked_at: row.revoked_at.map(|at| at.0),
        })
    }
}

/// Makes a key known; one that is known stays as it is.
pub async fn add_key(tx: &mut Tx, key: PublicKey, now: Instant) -> Result<()> {
    tx.sql("INSERT INTO statement_key (kid, public_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(key.kid())
        .bind(key.to_bytes().to_vec())
        .bind(now)
        .run()
        .await
        .map(drop)
}

/// The key of a name.
pub async fn key(tx: &mut Tx, kid: &Kid) -> Result<Option<KnownKey>> {
    let sql = tx.sql("SELECT kid, public_key, created_at, retired_at, revoked_at FROM statement_key WHERE kid = $1");
    sql.bind(kid.clone()).maybe::<Row>().await?.map(KnownKey::try_from).transpose()
}

/// Every key that was not revoked, oldest first.
pub async fn keys(tx: &mut Tx) -> Result<Vec<KnownKey>> {
    let sql = tx.sql(
        "SELECT kid, public_key, created_at, retired_at, revoked_at FROM statement_key
          WHERE revoked_at IS NULL ORDER BY created_at, kid",
    );
    sql.all::<Row>().await?.into_iter().map(KnownKey::try_from).collect()
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

/// How many statements about an order there are. The order must be locked.
pub async fn count(tx: &mut Tx, order_id: OrderId) -> Result<u32> {
    let sql = tx.sql("SELECT COUNT(*) FROM statement WHERE order_id = $1");
    let count = sql.bind(order_id).maybe::<(i64,)>().await?.map_or(0, |row| row.0);
    u32::try_from(count).map_err(|_| Error::Inconsistent { table: "statement", what: order_id.to_string() })
}

/// Writes a statement.
pub async fn insert(tx: &mut Tx, it: &Issued) -> Result<()> {
    tx.sql(
        "INSERT INTO statement (id, order_id, number, kid, issued_at, token) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.order_id)
    .bind(i64::from(it.number))
    .bind(it.kid.clone())
    .bind(Instant(it.issued_at))
    .bind(it.token.clone())
    .claim()
    .await
}

#[derive(sqlx::FromRow)]
struct StatementRow {
    id: StatementId,
    order_id: OrderId,
    number: i64,
    kid: Kid,
    issued_at: Instant,
    token: String,
}

/// A statement by its id.
pub async fn find(tx: &mut Tx, id: StatementId) -> Result<Option<Issued>> {
    let sql = tx.sql("SELECT id, order_id, number, kid, issued_at, token FROM statement WHERE id = $1");
    let Some(row) = sql.bind(id).maybe::<StatementRow>().await? else { return Ok(None) };
    let wrong = |_| Error::Inconsistent { table: "statement", what: id.to_string() };
    let number = u32::try_from(row.number).map_err(wrong)?;
    let StatementRow { id, order_id, kid, issued_at, token, .. } = row;
    Ok(Some(Issued { id, order_id, number, kid, issued_at: issued_at.0, token }))
}
