//! When and where clients and counsellors have sessions: what their other sessions ask of a new one.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::sql::Asked;
use super::tx::Tx;
use crate::domain::ids::{ClientId, CounsellorId, OrderId, SessionId, SiteId};
use crate::domain::time::Span;

/// When and where somebody has a session or a hold.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Visit {
    /// The session or hold.
    pub id: SessionId,
    /// Whose: a client or a counsellor.
    pub whose: Uuid,
    /// The site; none when remote.
    pub site_id: Option<SiteId>,
    starts_at: Instant,
    ends_at: Instant,
}

impl Visit {
    /// When, without buffers.
    pub fn span(&self) -> Option<Span> {
        Span::new(self.starts_at.0, self.ends_at.0)
    }
}

/// The sessions of clients that reach into an interval, what is held included; those recorded after they
/// took place too, which take no time in `occupancy`.
pub fn of_clients(tx: &mut Tx, ids: &[ClientId], around: Span, now: Instant) -> Asked<Vec<Visit>> {
    let sql = tx.sql_each(
        "SELECT session.id, mine.client_id AS whose, site_id, starts_at, ends_at
           FROM session_participant AS mine JOIN session ON session.id = mine.session_id
          WHERE starts_at > $1 AND starts_at < $2 AND ends_at > $3
            AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $4))
            AND mine.removed_at IS NULL AND mine.client_id IN ({ids})",
        ids.len(),
    );
    sql.bind_reaching(around, LONGEST).bind(now).bind_ids(ids).ask()
}

/// The sessions that counsellors lead, alone or with others, as [`of_clients`].
pub fn of_counsellors(tx: &mut Tx, ids: &[CounsellorId], around: Span, now: Instant) -> Asked<Vec<Visit>> {
    let sql = tx.sql_each(
        "SELECT id, counsellor_id AS whose, site_id, starts_at, ends_at FROM session
          WHERE starts_at > $1 AND starts_at < $2 AND ends_at > $3
            AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $4)) AND counsellor_id IN ({ids})
          UNION ALL
         SELECT session.id, led.counsellor_id AS whose, site_id, starts_at, ends_at
           FROM session_facilitator AS led JOIN session ON session.id = led.session_id
          WHERE starts_at > $1 AND starts_at < $2 AND ends_at > $3
            AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $4)) AND led.counsellor_id IN ({ids})",
        ids.len(),
    );
    sql.bind_reaching(around, LONGEST).bind(now).bind_ids(ids).ask()
}

/// How many sessions counsellors lead, alone or with others, that start within a period; in rows that add up. One
/// session is not counted.
pub fn counts(
    tx: &mut Tx,
    ids: &[CounsellorId],
    period: Span,
    now: Instant,
    except: Option<SessionId>,
) -> Asked<Vec<(Uuid, i64)>> {
    let sql = tx.sql_each(
        "SELECT counsellor_id, COUNT(*) FROM session
          WHERE starts_at >= $1 AND starts_at < $2 AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $3))
            AND id <> $4 AND counsellor_id IN ({ids}) GROUP BY counsellor_id
          UNION ALL
         SELECT led.counsellor_id, COUNT(*)
           FROM session_facilitator AS led JOIN session ON session.id = led.session_id
          WHERE starts_at >= $1 AND starts_at < $2 AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $3))
            AND session.id <> $4 AND led.counsellor_id IN ({ids}) GROUP BY led.counsellor_id",
        ids.len(),
    );
    let sql = sql.bind(Instant(period.starts_at())).bind(Instant(period.ends_at())).bind(now);
    sql.bind(except.unwrap_or(SessionId(Uuid::nil()))).bind_ids(ids).ask()
}

/// No session lasts longer (`CHECK` of the schema).
const LONGEST: TimeDelta = TimeDelta::hours(8);

/// How many sessions towards orders have ended without a record of what became of them; orders with none are
/// left out.
pub async fn unrecorded(tx: &mut Tx, orders: &[OrderId], now: Instant) -> Result<BTreeMap<OrderId, u32>> {
    let sql = tx.sql_each(
        "SELECT mine.order_id AS order_id, COUNT(*) AS sessions
           FROM session_participant AS mine JOIN session ON session.id = mine.session_id
          WHERE mine.removed_at IS NULL AND mine.attendance_id IS NULL AND session.state = 'BOOKED'
            AND session.ends_at <= $1 AND mine.order_id IN ({ids}) GROUP BY mine.order_id",
        orders.len(),
    );
    let rows = sql.bind(now).bind_ids(orders).all::<(OrderId, i64)>().await?;
    Ok(rows.into_iter().map(|(id, count)| (id, u32::try_from(count).unwrap_or(u32::MAX))).collect())
}
