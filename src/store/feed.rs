//! The feed: what is noted, what has a position, and how far each topic has come.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::feed::Topic;

/// Notes a change, which gets its position after the transaction is committed. Whoever notes a version of an
/// aggregate has its row locked, and notes each version once: then they are read in their order.
pub fn note(tx: &mut Tx, topic: &Topic, aggregate_id: Uuid, version: i64, payload: Option<Value>, now: Instant) {
    // Clocks of two machines differ: a version is never noted before the one that it followed.
    tx.sql(
        "INSERT INTO feed_pending (topic, aggregate_id, version, payload, noted_at)
         VALUES ($1, $2, $3, $4, COALESCE((SELECT MAX(noted_at) FROM feed_pending
            WHERE topic = $1 AND aggregate_id = $2 AND noted_at > $5), $5))",
    )
    .bind(topic.to_string())
    .bind(aggregate_id)
    .bind(version)
    .bind(payload.map(Json))
    .bind(now)
    .later();
}

/// A change that has its position.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Entry {
    /// Where it stands in its topic, from 1, without gaps but where the data was restored from a copy.
    pub position: i64,
    /// What changed.
    pub aggregate_id: Uuid,
    /// Which version it then was.
    pub version: i64,
    payload: Option<Json<Value>>,
}

impl Entry {
    /// What was noted with it.
    pub fn payload(&self) -> Option<&Value> {
        self.payload.as_ref().map(|it| &it.0)
    }
}

/// The changes of a topic after a position, in order.
pub async fn after(tx: &mut Tx, topic: &Topic, position: i64, most: i64) -> Result<Vec<Entry>> {
    let sql = tx.sql(
        "SELECT position, aggregate_id, version, payload FROM feed
          WHERE topic = $1 AND position > $2 ORDER BY position LIMIT $3",
    );
    sql.bind(topic.to_string()).bind(position).bind(most).all().await
}

/// The position of the last change of a topic; 0 before the first.
pub async fn last(tx: &mut Tx, topic: &Topic) -> Result<i64> {
    let sql = tx.sql("SELECT last_position FROM feed_topic WHERE topic = $1").bind(topic.to_string());
    Ok(sql.maybe::<(i64,)>().await?.map_or(0, |row| row.0))
}

/// How often positions were given, and whether somebody waits for one.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Head {
    /// How often.
    pub generation: i64,
    /// Whether.
    pub pending: bool,
}

/// Reads the head.
pub async fn head(tx: &mut Tx) -> Result<Head> {
    let sql = tx.sql("SELECT generation, EXISTS (SELECT 1 FROM feed_pending) AS pending FROM feed_head");
    sql.maybe().await?.ok_or_else(headless)
}

/// How far the topics have come that did so after a generation.
pub async fn moved(tx: &mut Tx, since: i64) -> Result<Vec<(String, i64)>> {
    tx.sql("SELECT topic, last_position FROM feed_topic WHERE generation > $1").bind(since).all().await
}

/// Gives the oldest that wait their positions, at most so many; how many it were. One at a time does so, in
/// a transaction that does nothing else.
pub async fn sequence(tx: &mut Tx, most: i64, now: Instant) -> Result<usize> {
    let sql = tx.sql_locked("SELECT generation, sequenced_at FROM feed_head WHERE singleton = 1", Lock::Update);
    let (generation, last_at) = sql.maybe::<(i64, Instant)>().await?.ok_or_else(headless)?;
    let taken = take(tx, most).await?;
    let count = taken.len();
    if count == 0 {
        return Ok(0);
    }
    let generation = generation + 1;
    // What is older by position is older by time, so that forgetting the oldest leaves no gap.
    let at = Instant(now.0.max(last_at.0));
    let mut topics = BTreeMap::<String, Vec<Pending>>::new();
    for it in taken {
        topics.entry(it.topic.clone()).or_default().push(it);
    }
    for (topic, mut changes) in topics {
        changes.sort_by_key(|it| (it.noted_at.0, it.aggregate_id, it.version));
        let before = advance(tx, &topic, changes.len(), generation).await?;
        for (position, change) in (before + 1..).zip(changes) {
            append(tx, position, change, at).await?;
        }
    }
    tx.sql("UPDATE feed_head SET generation = $1, sequenced_at = $2").bind(generation).bind(at).run().await?;
    Ok(count)
}

#[derive(sqlx::FromRow)]
struct Pending {
    topic: String,
    aggregate_id: Uuid,
    version: i64,
    payload: Option<Json<Value>>,
    noted_at: Instant,
}

/// Takes the oldest that wait, in no order. Only what is committed is seen, and so whatever came before it.
async fn take(tx: &mut Tx, most: i64) -> Result<Vec<Pending>> {
    tx.sql(
        "DELETE FROM feed_pending WHERE (topic, aggregate_id, version) IN (
            SELECT topic, aggregate_id, version FROM feed_pending
             ORDER BY noted_at, topic, aggregate_id, version LIMIT $1)
         RETURNING topic, aggregate_id, version, payload, noted_at",
    )
    .bind(most)
    .all()
    .await
}

/// Moves a topic on by so many positions; where it was before.
async fn advance(tx: &mut Tx, topic: &str, by: usize, generation: i64) -> Result<i64> {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    let sql = tx.sql(
        "INSERT INTO feed_topic (topic, last_position, generation) VALUES ($1, $2, $3)
         ON CONFLICT (topic) DO UPDATE SET last_position = feed_topic.last_position + $2, generation = $3
         RETURNING last_position",
    );
    let moved = sql.bind(topic.to_owned()).bind(by).bind(generation).maybe::<(i64,)>().await?;
    let (last,) = moved.ok_or_else(|| Error::Inconsistent { table: "feed_topic", what: topic.to_owned() })?;
    Ok(last - by)
}

async fn append(tx: &mut Tx, position: i64, it: Pending, at: Instant) -> Result<()> {
    tx.sql(
        "INSERT INTO feed (topic, position, aggregate_id, version, payload, noted_at, sequenced_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(it.topic)
    .bind(position)
    .bind(it.aggregate_id)
    .bind(it.version)
    .bind(it.payload)
    .bind(it.noted_at)
    .bind(at)
    .run()
    .await
    .map(drop)
}

/// Forgets what got its position before an instant.
pub async fn forget(tx: &mut Tx, before: Instant) -> Result<u64> {
    tx.sql("DELETE FROM feed WHERE sequenced_at < $1").bind(before).run().await
}

/// After a restoration, cursors are around that were made after the copy was taken, of changes that never happened now.
/// So far does each topic move on: nobody has ever got a position beyond it. \[P\]
const BEYOND: i64 = 1 << 40;

/// Moves every topic on, beyond all positions that anybody may have been given: whatever cursor there is, what comes
/// after it is not whole, and who follows lists again.
pub async fn outrun(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE feed_head SET generation = generation + 1").run().await?;
    tx.sql("UPDATE feed_topic SET last_position = last_position + $1, generation = (SELECT generation FROM feed_head)")
        .bind(BEYOND)
        .run()
        .await
        .map(drop)
}

fn headless() -> Error {
    Error::Inconsistent { table: "feed_head", what: "no row".into() }
}
