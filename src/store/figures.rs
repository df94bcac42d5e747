//! How much waits, and for how long: what whoever keeps the service running looks at. Counts end at a bound, so that
//! nobody pays for a large backlog twice.

use chrono::{DateTime, Utc};

use super::codec::Instant;
use super::error::Result;
use super::tx::Tx;

/// A backlog is counted up to so many. \[P\]
pub const MOST: i64 = 10_000;

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Jobs that are due.
    pub jobs: i64,
    /// Jobs that were given up.
    pub dead_jobs: i64,
    /// Since when the first of the jobs is due.
    pub job_since: Option<DateTime<Utc>>,
    /// Changes without a position in the feed.
    pub changes: i64,
    /// Audit events without a seal.
    pub unsealed: i64,
    /// When the first of those was written.
    pub unsealed_since: Option<DateTime<Utc>>,
    /// Sessions that ended by a given time and of which nobody has recorded who attended.
    pub unrecorded: i64,
    /// Escalations that nobody has taken on in time.
    pub overdue: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    jobs: i64,
    dead_jobs: i64,
    job_since: Option<Instant>,
    changes: i64,
    unsealed: i64,
    unsealed_since: Option<Instant>,
    unrecorded: Option<i64>,
    overdue: Option<i64>,
}

/// Counts what waits now; of sessions, those that ended by then.
pub async fn backlog(tx: &mut Tx, now: Instant, ended_by: Instant) -> Result<Backlog> {
    let sql = tx.sql(
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE state = 'QUEUED' AND due_at <= $1 LIMIT $3) AS waiting)
                AS jobs,
            (SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE state = 'DEAD' LIMIT $3) AS waiting) AS dead_jobs,
            (SELECT MIN(due_at) FROM job WHERE state = 'QUEUED' AND due_at <= $1) AS job_since,
            (SELECT COUNT(*) FROM (SELECT 1 FROM feed_pending LIMIT $3) AS waiting) AS changes,
            (SELECT COUNT(*) FROM (SELECT 1 FROM audit_pending LIMIT $3) AS waiting) AS unsealed,
            (SELECT occurred_at FROM audit_event
              WHERE id = (SELECT event_id FROM audit_pending ORDER BY event_id LIMIT 1)) AS unsealed_since,
            CAST((SELECT SUM((SELECT COUNT(*) FROM (SELECT 1 FROM session
                     WHERE organisation_id = organisation.id AND unrecorded > 0 AND state = 'BOOKED' AND ends_at <= $2
                     LIMIT $3) AS waiting)) FROM organisation) AS BIGINT) AS unrecorded,
            CAST((SELECT SUM((SELECT COUNT(*) FROM (SELECT 1 FROM escalation
                     WHERE organisation_id = organisation.id AND resolved_at IS NULL AND acknowledged_at IS NULL
                       AND due_at < $1 LIMIT $3) AS waiting)) FROM organisation) AS BIGINT) AS overdue",
    );
    let row: Option<Row> = sql.bind(now).bind(ended_by).bind(MOST).maybe().await?;
    let at = |at: Option<Instant>| at.map(|it| it.0);
    let row = row.ok_or_else(|| super::Error::Inconsistent { table: "job", what: "no row".into() })?;
    Ok(Backlog {
        jobs: row.jobs,
        dead_jobs: row.dead_jobs,
        job_since: at(row.job_since),
        changes: row.changes,
        unsealed: row.unsealed,
        unsealed_since: at(row.unsealed_since),
        unrecorded: row.unrecorded.unwrap_or_default(),
        overdue: row.overdue.unwrap_or_default(),
    })
}

/// When the last audited act occurred, if there was one.
pub async fn last_event(tx: &mut Tx) -> Result<Option<DateTime<Utc>>> {
    let sql = tx.sql("SELECT occurred_at FROM audit_event ORDER BY id DESC LIMIT 1");
    Ok(sql.maybe::<(Instant,)>().await?.map(|row| row.0.0))
}
