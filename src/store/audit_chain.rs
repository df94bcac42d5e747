//! The seals of the audit trail. What is read to be sealed or checked is read byte by byte, whatever somebody put there.

use super::codec::Instant;
use super::error::{Error, Result};
use super::raw::{Micros, Raw};
use super::tx::{Lock, Tx};
use crate::domain::audit::chain::{Entry, Hash};
use crate::domain::audit::head::SignedHead;
use crate::domain::audit::verify::StoredHead;
use crate::domain::statement::PublicKey;
use uuid::Uuid;

/// So many rows are written by one statement.
const ROWS: usize = 256;

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: Raw,
    occurred_at: Micros,
    principal: Raw,
    role: Raw,
    organisation_id: Option<Raw>,
    action: Raw,
    outcome: Raw,
    reason: Option<Raw>,
    details: Raw,
    subjects: Raw,
    request_id: Option<Raw>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: row.id.0,
            occurred_at: row.occurred_at.0,
            principal: row.principal.0,
            role: row.role.0,
            organisation_id: row.organisation_id.map(|it| it.0),
            action: row.action.0,
            outcome: row.outcome.0,
            reason: row.reason.map(|it| it.0),
            details: row.details.0,
            subjects: row.subjects.0,
            request_id: row.request_id.map(|it| it.0),
        }
    }
}

/// Whether anything waits to be sealed.
pub async fn waits(tx: &mut Tx) -> Result<bool> {
    Ok(tx.sql("SELECT event_id FROM audit_pending LIMIT 1").maybe::<(Uuid,)>().await?.is_some())
}

/// The oldest events that wait to be sealed.
pub async fn waiting(tx: &mut Tx, most: i64) -> Result<Vec<Entry>> {
    let sql = tx.sql(
        "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
            request_id
           FROM audit_pending JOIN audit_event ON id = event_id ORDER BY event_id LIMIT $1",
    );
    Ok(sql.bind(most).all::<EntryRow>().await?.into_iter().map(Entry::from).collect())
}

/// Waits until nobody else seals, and lets nobody until the transaction ends.
pub async fn take_turn(tx: &mut Tx) -> Result<()> {
    let sql = tx.sql_locked("SELECT singleton FROM audit_sealer WHERE singleton = 1", Lock::Update);
    let none = || Error::Inconsistent { table: "audit_sealer", what: "no row".into() };
    sql.maybe::<(i64,)>().await?.ok_or_else(none).map(drop)
}

/// The last position and its hash; 0 before the first.
pub async fn tip(tx: &mut Tx) -> Result<(i64, Hash)> {
    let sql = tx.sql("SELECT position, hash FROM audit_seal ORDER BY position DESC LIMIT 1");
    match sql.maybe::<(i64, Vec<u8>)>().await? {
        None => Ok((0, Hash::GENESIS)),
        Some((position, hash)) => Ok((position, read(position, &hash)?)),
    }
}

/// The last position, whatever its hash; 0 before the first.
pub async fn last(tx: &mut Tx) -> Result<i64> {
    let row = tx.sql("SELECT MAX(position) FROM audit_seal").maybe::<(Option<i64>,)>().await?;
    Ok(row.and_then(|row| row.0).unwrap_or_default())
}

/// The hash of a position.
pub async fn hash_at(tx: &mut Tx, position: i64) -> Result<Option<Hash>> {
    let sql = tx.sql("SELECT hash FROM audit_seal WHERE position = $1").bind(position);
    sql.maybe::<(Vec<u8>,)>().await?.map(|(hash,)| read(position, &hash)).transpose()
}

fn read(position: i64, hash: &[u8]) -> Result<Hash> {
    Hash::from_bytes(hash).ok_or_else(|| Error::Inconsistent { table: "audit_seal", what: position.to_string() })
}

/// Writes seals: position, event and hash.
pub async fn seal(tx: &mut Tx, seals: &[(i64, Uuid, Hash)]) -> Result<()> {
    for some in in_halves(seals) {
        let mut sql =
            tx.sql_rows("INSERT INTO audit_seal (position, event_id, hash) VALUES {($1, $2, $3)}", some.len());
        for (position, event_id, hash) in some {
            sql = sql.bind(*position).bind(*event_id).bind(hash.0.to_vec());
        }
        sql.run().await?;
    }
    let ids: Vec<Uuid> = seals.iter().map(|it| it.1).collect();
    let sql = tx.sql_each("DELETE FROM audit_pending WHERE event_id IN ({ids})", ids.len());
    sql.bind_each(&ids).run().await.map(drop)
}

/// Writes what was sealed about whom or what.
pub async fn index(tx: &mut Tx, subjects: &[(Uuid, i64)]) -> Result<()> {
    for some in in_halves(subjects) {
        let mut sql = tx.sql_rows("INSERT INTO audit_subject (subject_id, position) VALUES {($1, $2)}", some.len());
        for (subject_id, position) in some {
            sql = sql.bind(*subject_id).bind(*position);
        }
        sql.run().await?;
    }
    Ok(())
}

/// Parts of as many rows as a power of two, so that few distinct statements are prepared.
fn in_halves<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = (rows.len().min(ROWS) + 1).next_power_of_two() / 2;
        let (some, rest) = rows.split_at_checked(most).filter(|(some, _)| !some.is_empty())?;
        rows = rest;
        Some(some)
    })
}

/// Writes the head of a batch.
pub async fn add_head(tx: &mut Tx, it: &SignedHead) -> Result<()> {
    tx.sql("INSERT INTO audit_head (position, hash, sealed_at, kid, signature) VALUES ($1, $2, $3, $4, $5)")
        .bind(it.head.position)
        .bind(it.head.hash.0.to_vec())
        .bind(Instant(it.head.sealed_at))
        .bind(it.head.kid.clone())
        .bind(it.signature.to_vec())
        .run()
        .await
        .map(drop)
}

/// Makes a key known; one that is known stays as it is.
pub async fn add_key(tx: &mut Tx, key: PublicKey, now: Instant) -> Result<u64> {
    tx.sql("INSERT INTO audit_key (kid, public_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(key.kid())
        .bind(key.to_bytes().to_vec())
        .bind(now)
        .run()
        .await
}

/// A key as it is stored, whatever it is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredKey {
    /// Its name.
    pub kid: String,
    /// Its bytes.
    pub public_key: Vec<u8>,
    /// Since when it is known.
    pub created_at: Instant,
}

/// Every key, oldest first.
pub async fn keys(tx: &mut Tx) -> Result<Vec<StoredKey>> {
    tx.sql("SELECT kid, public_key, created_at FROM audit_key ORDER BY created_at, kid").all().await
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    position: i64,
    hash: Raw,
    sealed_at: Micros,
    kid: Raw,
    signature: Raw,
}

impl From<HeadRow> for StoredHead {
    fn from(row: HeadRow) -> Self {
        let HeadRow { position, hash, sealed_at, kid, signature } = row;
        Self { position, hash: hash.0, sealed_at: sealed_at.0, kid: kid.0, signature: signature.0 }
    }
}

/// The heads after a position up to another.
pub async fn heads(tx: &mut Tx, after: i64, until: i64) -> Result<Vec<StoredHead>> {
    let sql = tx.sql(
        "SELECT position, hash, sealed_at, kid, signature FROM audit_head
          WHERE position > $1 AND position <= $2 ORDER BY position LIMIT 100000",
    );
    Ok(sql.bind(after).bind(until).all::<HeadRow>().await?.into_iter().map(Into::into).collect())
}

/// The last head.
pub async fn last_head(tx: &mut Tx) -> Result<Option<StoredHead>> {
    let sql = tx.sql("SELECT position, hash, sealed_at, kid, signature FROM audit_head ORDER BY position DESC LIMIT 1");
    Ok(sql.maybe::<HeadRow>().await?.map(Into::into))
}

/// How many events wait to be sealed, and since when the oldest does.
pub async fn lag(tx: &mut Tx) -> Result<(i64, Option<Instant>)> {
    // Nothing but what waits is read of the events.
    let sql = tx.sql(
        "SELECT COUNT(*), MIN(since) FROM (SELECT
            (SELECT occurred_at FROM audit_event WHERE id = event_id) AS since FROM audit_pending) AS waiting",
    );
    Ok(sql.maybe().await?.unwrap_or((0, None)))
}
