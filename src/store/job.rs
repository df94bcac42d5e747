//! The job queue. A lease is a row's `leased_by`; while it stands, `due_at` is its end.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::ids::JobId;
use crate::domain::job::{Entry, JobState};

/// A job to be enqueued.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: &'static str,
    /// To what.
    pub payload: Value,
    /// What makes two jobs of the kind one.
    pub key: Option<String>,
    /// When.
    pub due_at: Instant,
}

/// A job that is due.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// To what.
    pub payload: Json<Value>,
    /// How often it was begun.
    pub attempts: i64,
}

/// Enqueues a job. One that waits under the same key is enough, at the earlier of the two times; whoever is
/// about to run it waits for this transaction, and so sees what it changed.
pub async fn enqueue(tx: &mut Tx, draft: &Draft, now: Instant) -> Result<()> {
    let inserted = tx
        .sql(
            "INSERT INTO job (id, created_at, kind, payload, dedupe_key, state, due_at, attempts)
             VALUES ($1, $2, $3, $4, $5, 'QUEUED', $6, 0) ON CONFLICT DO NOTHING",
        )
        .bind(draft.id)
        .bind(now)
        .bind(draft.kind)
        .bind(Json(draft.payload.clone()))
        .bind(draft.key.clone())
        .bind(draft.due_at)
        .claim()
        .await;
    match inserted {
        Err(Error::Conflict) => hasten(tx, draft).await,
        result => result,
    }
}

/// Brings forward what waits under the key of a draft, if nobody has begun it, and locks it in any case. Done
/// in this very moment: a conflict, to be tried again.
async fn hasten(tx: &mut Tx, draft: &Draft) -> Result<()> {
    tx.sql(
        "UPDATE job SET due_at = CASE WHEN attempts = 0 AND due_at > $3 THEN $3 ELSE due_at END
          WHERE kind = $1 AND dedupe_key = $2",
    )
    .bind(draft.kind)
    .bind(draft.key.clone())
    .bind(draft.due_at)
    .claim()
    .await
}

/// The job of these kinds that has been due the longest. Other kinds are left to who knows them.
pub async fn due(tx: &mut Tx, kinds: &[&'static str], now: Instant, lock: Lock) -> Result<Option<Due>> {
    let sql = tx.sql_each_locked(
        "SELECT id, kind, payload, attempts FROM job
          WHERE state = 'QUEUED' AND due_at <= $1 AND kind IN ({ids}) ORDER BY due_at, id LIMIT 1",
        kinds.len(),
        lock,
    );
    sql.bind(now).bind_each(kinds).maybe().await
}

/// Gives a job to a worker until an instant, which counts as an attempt.
pub async fn lease(tx: &mut Tx, id: JobId, worker: Uuid, until: Instant) -> Result<()> {
    tx.sql("UPDATE job SET leased_by = $2, due_at = $3, attempts = attempts + 1 WHERE id = $1")
        .bind(id)
        .bind(worker)
        .bind(until)
        .run()
        .await
        .map(drop)
}

/// Deletes a job that is done, if the worker still has it; else it is a conflict.
pub async fn finish(tx: &mut Tx, id: JobId, worker: Uuid) -> Result<()> {
    tx.sql("DELETE FROM job WHERE id = $1 AND leased_by = $2").bind(id).bind(worker).claim().await
}

/// Puts a job back that failed, if the worker still has it; else it is a conflict.
pub async fn put_back(tx: &mut Tx, id: JobId, worker: Uuid, due_at: Instant, attempts: i64, error: &str) -> Result<()> {
    tx.sql(
        "UPDATE job SET leased_by = NULL, due_at = $3, attempts = $4, last_error = $5
          WHERE id = $1 AND leased_by = $2",
    )
    .bind(id)
    .bind(worker)
    .bind(due_at)
    .bind(attempts)
    .bind(error)
    .claim()
    .await
}

/// Makes a job a dead letter, if the worker still has it; else it is a conflict.
pub async fn bury(tx: &mut Tx, id: JobId, worker: Uuid, now: Instant, error: &str) -> Result<()> {
    tx.sql(
        "UPDATE job SET state = 'DEAD', leased_by = NULL, dedupe_key = NULL, due_at = $3, last_error = $4
          WHERE id = $1 AND leased_by = $2",
    )
    .bind(id)
    .bind(worker)
    .bind(now)
    .bind(error)
    .claim()
    .await
}

/// Gives back what a worker has and will not do; the attempt does not count.
pub async fn give_back(tx: &mut Tx, worker: Uuid, now: Instant) -> Result<u64> {
    tx.sql("UPDATE job SET leased_by = NULL, due_at = $2, attempts = attempts - 1 WHERE leased_by = $1")
        .bind(worker)
        .bind(now)
        .run()
        .await
}

/// The ids of the dead letters.
pub async fn dead(tx: &mut Tx) -> Result<Vec<JobId>> {
    let rows = tx.sql("SELECT id FROM job WHERE state = 'DEAD' ORDER BY id").all::<(JobId,)>().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Queues a dead letter anew, due since it died; whether it was one.
pub async fn revive(tx: &mut Tx, id: JobId) -> Result<bool> {
    let sql = tx.sql("UPDATE job SET state = 'QUEUED', attempts = 0 WHERE id = $1 AND state = 'DEAD'");
    Ok(sql.bind(id).run().await? > 0)
}

/// The first jobs of a state, or of any, up to a limit.
pub async fn list(tx: &mut Tx, state: Option<JobState>, limit: i64) -> Result<Vec<Entry>> {
    let sql = tx.sql(
        "SELECT id, kind, state, due_at, leased_by, attempts, last_error FROM job
          WHERE CAST($1 AS TEXT) IS NULL OR state = $1 ORDER BY state, due_at, id LIMIT $2",
    );
    let rows = sql.bind(state).bind(limit).all::<Row>().await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: JobId,
    kind: String,
    state: JobState,
    due_at: Instant,
    leased_by: Option<Uuid>,
    attempts: i64,
    last_error: Option<String>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        let Row { id, kind, state, due_at, leased_by, attempts, last_error } = row;
        Self { id, kind, state, due_at: due_at.0, leased: leased_by.is_some(), attempts, last_error }
    }
}
