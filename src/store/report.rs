//! What there is to report of an organisation's follow-up, in numbers.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::codec::{Instant, Zone};
use super::error::Result;
use super::tx::Tx;
use crate::domain::ids::OrganisationId;

/// Local days from one to another, both included.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub until: NaiveDate,
}

/// How many milestones of survivors with one code fell due, and what became of them.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DueRow {
    /// The code.
    pub code: String,
    /// How many fell due, of those done or waited for.
    pub due: i64,
    /// Of these, done inside their window.
    pub done: i64,
    /// Of these, done after it.
    pub done_late: i64,
    /// Of these, missed by a day.
    pub missed: i64,
}

/// Counts the milestones of survivors that fell due in a period: everything that was done, and of open
/// plans whatever is waited for, unless its day is only planned. `today` is the day by which a window is over.
pub async fn due(tx: &mut Tx, id: OrganisationId, period: Period, today: NaiveDate) -> Result<Vec<DueRow>> {
    tx.sql(
        "SELECT it.code, count(*) AS due,
                count(*) FILTER (WHERE it.standing = 'DONE' AND it.done_on <= it.closes_on) AS done,
                count(*) FILTER (WHERE it.standing = 'DONE' AND it.done_on > it.closes_on) AS done_late,
                count(*) FILTER (WHERE it.standing = 'AWAITED' AND it.closes_on < $4) AS missed
           FROM milestone AS it JOIN follow_up_plan AS plan ON plan.id = it.plan_id
          WHERE it.organisation_id = $1 AND it.due_on BETWEEN $2 AND $3
            AND plan.client_id IS NOT NULL AND (plan.closing IS NULL OR plan.closing <> 'IN_ERROR')
            AND (it.standing = 'DONE' OR (it.listed AND NOT it.provisional))
          GROUP BY it.code ORDER BY it.code",
    )
    .bind(id)
    .bind(period.from)
    .bind(period.until)
    .bind(today)
    .all()
    .await
}

/// What of a closed plan was never done: the code, the end of its window, and when the plan was closed, in its zone.
pub async fn left_undone(
    tx: &mut Tx,
    id: OrganisationId,
    period: Period,
) -> Result<Vec<(String, NaiveDate, DateTime<Utc>, Tz)>> {
    let sql = tx.sql(
        "SELECT it.code, it.closes_on, plan.closed_at, plan.zone
           FROM milestone AS it JOIN follow_up_plan AS plan ON plan.id = it.plan_id
          WHERE it.organisation_id = $1 AND it.due_on BETWEEN $2 AND $3
            AND plan.client_id IS NOT NULL AND plan.closing IS NOT NULL AND plan.closing <> 'IN_ERROR'
            AND it.standing = 'AWAITED' AND NOT it.provisional AND it.closes_on IS NOT NULL",
    );
    let rows = sql.bind(id).bind(period.from).bind(period.until).all::<(String, NaiveDate, Instant, Zone)>().await?;
    Ok(rows.into_iter().map(|(code, on, at, zone)| (code, on, at.0, zone.0)).collect())
}

/// The survivors taken in in a period: when, and when each first attended a session, if ever.
pub async fn intakes(tx: &mut Tx, id: OrganisationId, period: Period) -> Result<Vec<(NaiveDate, Option<NaiveDate>)>> {
    let sql = tx.sql(
        "SELECT intake_on, first_attended_on FROM follow_up_plan
          WHERE organisation_id = $1 AND intake_on BETWEEN $2 AND $3 AND client_id IS NOT NULL
            AND (closing IS NULL OR closing <> 'IN_ERROR')",
    );
    sql.bind(id).bind(period.from).bind(period.until).all().await
}

/// How many plans of survivors were closed from one instant until another, and how many of these dropped out.
pub async fn closed(tx: &mut Tx, id: OrganisationId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<(i64, i64)> {
    let sql = tx.sql(
        "SELECT count(*), count(*) FILTER (WHERE closing = 'DROPPED_OUT') FROM follow_up_plan
          WHERE organisation_id = $1 AND closed_at >= $2 AND closed_at < $3 AND client_id IS NOT NULL
            AND closing <> 'IN_ERROR'",
    );
    let row = sql.bind(id).bind(Instant(from)).bind(Instant(until)).maybe::<(i64, i64)>().await?;
    Ok(row.unwrap_or_default())
}
