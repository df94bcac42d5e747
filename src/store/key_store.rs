//! The key store: wrapped keys in a database of their own, whose statements all stand here. Its schema keeps destroyed
//! keys destroyed, and lets nothing be wrapped by a retired key.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};

/// A key that wraps others, as the key store knows it: everything but the key.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Known {
    /// Its id, by which the keyring has it.
    pub id: Uuid,
    /// Its place in the order of keys; the last that is not retired is the current one.
    pub number: i64,
    /// Nothing, sealed with it.
    pub check_value: Vec<u8>,
    created_at: Instant,
    retired_at: Option<Instant>,
}

impl Known {
    /// When it came.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.created_at.0
    }

    /// Since when it wraps nothing, if it is retired.
    pub fn retired_at(&self) -> Option<DateTime<Utc>> {
        self.retired_at.map(|at| at.0)
    }
}

/// A wrapped key.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Wrapped {
    /// Whose it is.
    pub owner_id: Uuid,
    /// What wraps it; nothing once it is destroyed.
    pub wrapping_key_id: Option<Uuid>,
    /// The bytes; none once it is destroyed.
    pub wrapped: Option<Vec<u8>>,
}

/// The id of this key store, if it has one yet.
pub async fn id(tx: &mut Tx) -> Result<Option<Uuid>> {
    Ok(tx.sql("SELECT id FROM key_store").maybe::<(Uuid,)>().await?.map(|row| row.0))
}

/// Gives an empty key store its id, unless somebody was faster.
pub async fn create(tx: &mut Tx, id: Uuid, now: Instant) -> Result<()> {
    let sql = tx.sql("INSERT INTO key_store (id, singleton, created_at) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING");
    sql.bind(id).bind(now).run().await.map(drop)
}

/// The keys that wrap others, oldest first.
pub async fn wrapping_keys(tx: &mut Tx) -> Result<Vec<Known>> {
    tx.sql("SELECT * FROM wrapping_key ORDER BY number").all().await
}

/// The key that wraps what is new, locked against being retired meanwhile. Nothing in the moment in which it is.
pub async fn current(tx: &mut Tx) -> Result<Option<Known>> {
    let text = "SELECT * FROM wrapping_key WHERE retired_at IS NULL ORDER BY number DESC LIMIT 1";
    tx.sql_locked(text, Lock::Share).maybe().await
}

/// Makes another key known, which is then the current one. [`Error::Conflict`] when another came meanwhile.
pub async fn add(tx: &mut Tx, id: Uuid, check_value: Vec<u8>, now: Instant) -> Result<()> {
    tx.sql(
        "INSERT INTO wrapping_key (id, number, check_value, created_at)
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3 FROM wrapping_key WHERE TRUE ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(check_value)
    .bind(now)
    .claim()
    .await
}

/// Retires a key. [`Error::InUse`] while it wraps anything.
pub async fn retire(tx: &mut Tx, id: Uuid, now: Instant) -> Result<()> {
    let sql = tx.sql("UPDATE wrapping_key SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL");
    sql.bind(id).bind(now).run().await.map(drop)
}

/// How many keys of owners each key wraps.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(Uuid, i64)>> {
    tx.sql(
        "SELECT wrapping_key_id, COUNT(*) FROM data_key WHERE wrapping_key_id IS NOT NULL
          GROUP BY wrapping_key_id ORDER BY wrapping_key_id",
    )
    .all()
    .await
}

/// The keys of owners, as far as there are any.
pub async fn data_keys(tx: &mut Tx, owners: &[Uuid]) -> Result<Vec<Wrapped>> {
    let mut all = Vec::with_capacity(owners.len());
    for some in owners.chunks(512) {
        let sql = tx
            .sql_each("SELECT owner_id, wrapping_key_id, wrapped FROM data_key WHERE owner_id IN ({ids})", some.len());
        all.extend(sql.bind_each(some).all::<Wrapped>().await?);
    }
    Ok(all)
}

/// The next keys of owners that a key wraps, locked.
pub async fn data_keys_under(tx: &mut Tx, wrapping_key_id: Uuid, most: i64) -> Result<Vec<Wrapped>> {
    let text = "SELECT owner_id, wrapping_key_id, wrapped FROM data_key WHERE wrapping_key_id = $1
        ORDER BY owner_id LIMIT $2";
    tx.sql_locked(text, Lock::Update).bind(wrapping_key_id).bind(most).all().await
}

/// The most keys that one statement writes.
const AT_ONCE: usize = 500;

/// Writes the wrapped keys of owners who have none. [`Error::Conflict`] when one of them has a key, or had one that was
/// destroyed; [`Error::Retired`] when what wraps them is retired.
pub async fn insert(tx: &mut Tx, keys: &[(Uuid, Vec<u8>)], by: Uuid, now: Instant) -> Result<()> {
    for some in keys.chunks(AT_ONCE) {
        let mut sql = tx.sql_rows(
            "INSERT INTO data_key (owner_id, wrapping_key_id, wrapped, created_at) VALUES {($1, $2, $3, $4)}
             ON CONFLICT DO NOTHING",
            some.len(),
        );
        for (owner_id, wrapped) in some {
            sql = sql.bind(*owner_id).bind(by).bind(wrapped.clone()).bind(now);
        }
        if usize::try_from(sql.run().await?).ok() != Some(some.len()) {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Wraps the key of an owner anew.
pub async fn rewrap(tx: &mut Tx, owner_id: Uuid, by: Uuid, wrapped: Vec<u8>) -> Result<()> {
    let sql =
        tx.sql("UPDATE data_key SET wrapping_key_id = $2, wrapped = $3 WHERE owner_id = $1 AND destroyed_at IS NULL");
    sql.bind(owner_id).bind(by).bind(wrapped).run().await.map(drop)
}

/// Destroys the key of an owner for good. Who had none never gets one.
pub async fn destroy(tx: &mut Tx, owner_id: Uuid, now: Instant) -> Result<()> {
    if clear(tx, owner_id, now).await? {
        return Ok(());
    }
    let sql =
        tx.sql("INSERT INTO data_key (owner_id, created_at, destroyed_at) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING");
    match sql.bind(owner_id).bind(now).claim().await {
        // Made meanwhile; or destroyed already.
        Err(Error::Conflict) => clear(tx, owner_id, now).await.map(drop),
        written => written,
    }
}

/// Whether there was a key to destroy.
async fn clear(tx: &mut Tx, owner_id: Uuid, now: Instant) -> Result<bool> {
    let sql = tx.sql(
        "UPDATE data_key SET wrapping_key_id = NULL, wrapped = NULL, destroyed_at = $2
          WHERE owner_id = $1 AND destroyed_at IS NULL",
    );
    Ok(sql.bind(owner_id).bind(now).run().await? > 0)
}

/// The key of a purpose: what wraps it, and the bytes.
pub async fn index_key(tx: &mut Tx, purpose: &str) -> Result<Option<(Uuid, Vec<u8>)>> {
    let sql = tx.sql("SELECT wrapping_key_id, wrapped FROM index_key WHERE purpose = $1");
    sql.bind(purpose.to_owned()).maybe().await
}

/// The purposes whose keys a key wraps.
pub async fn purposes_under(tx: &mut Tx, wrapping_key_id: Uuid) -> Result<Vec<String>> {
    let sql = tx.sql("SELECT purpose FROM index_key WHERE wrapping_key_id = $1 ORDER BY purpose");
    Ok(sql.bind(wrapping_key_id).all::<(String,)>().await?.into_iter().map(|row| row.0).collect())
}

/// Writes the key of a purpose, unless somebody was faster.
pub async fn insert_index(tx: &mut Tx, purpose: &str, by: Uuid, wrapped: Vec<u8>, now: Instant) -> Result<()> {
    tx.sql(
        "INSERT INTO index_key (purpose, wrapping_key_id, wrapped, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(purpose.to_owned())
    .bind(by)
    .bind(wrapped)
    .bind(now)
    .run()
    .await
    .map(drop)
}

/// Wraps the key of a purpose anew.
pub async fn rewrap_index(tx: &mut Tx, purpose: &str, by: Uuid, wrapped: Vec<u8>) -> Result<()> {
    let sql = tx.sql("UPDATE index_key SET wrapping_key_id = $2, wrapped = $3 WHERE purpose = $1");
    sql.bind(purpose.to_owned()).bind(by).bind(wrapped).run().await.map(drop)
}
