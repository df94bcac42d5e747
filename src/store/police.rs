//! What police asked, what they were told, and which of it was corrected since.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::tx::Tx;
use crate::domain::compliance::PoliceStatus;
use crate::domain::ids::{OrderId, PoliceLookupId};
use crate::domain::police::{Lookup, PoliceCall, Purpose};

/// Writes that police asked.
pub async fn insert_call(tx: &mut Tx, it: &PoliceCall) -> Result<()> {
    tx.sql(
        "INSERT INTO police_call (id, called_at, caller, principal, jurisdiction, method, purpose, crime_number)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(it.id)
    .bind(Instant(it.called_at))
    .bind(it.caller.clone())
    .bind(it.principal.clone())
    .bind(it.jurisdiction.clone())
    .bind(it.method)
    .bind(it.purpose)
    .bind(it.crime_number.as_str().to_owned())
    .run()
    .await
    .map(drop)
}

/// Waits until nobody else asks in a caller's name, and lets nobody until the transaction ends: calls are counted one by
/// one.
pub async fn take_turn(tx: &mut Tx, caller: &str, now: Instant) -> Result<()> {
    let sql = tx.sql(
        "INSERT INTO police_caller (caller, asked_at) VALUES ($1, $2)
         ON CONFLICT (caller) DO UPDATE SET asked_at = excluded.asked_at",
    );
    sql.bind(caller.to_owned()).bind(now).run().await.map(drop)
}

/// When a caller asked after an instant, counted from the latest back: the `nth` of them, if there were as many.
pub async fn nth_call_since(tx: &mut Tx, caller: &str, since: Instant, nth: i64) -> Result<Option<DateTime<Utc>>> {
    let sql = tx.sql(
        "SELECT called_at FROM police_call WHERE caller = $1 AND called_at > $2
          ORDER BY called_at DESC LIMIT 1 OFFSET $3",
    );
    let row = sql.bind(caller.to_owned()).bind(since).bind(nth - 1).maybe::<(Instant,)>().await?;
    Ok(row.map(|row| row.0.0))
}

/// Writes what police were told about an order.
pub async fn insert_lookup(
    tx: &mut Tx,
    id: PoliceLookupId,
    call: &PoliceCall,
    order_id: OrderId,
    as_of_on: NaiveDate,
    answer: &PoliceStatus,
) -> Result<()> {
    tx.sql(
        "INSERT INTO police_lookup (id, call_id, order_id, looked_at, as_of_on, answer) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(call.id)
    .bind(order_id)
    .bind(Instant(call.called_at))
    .bind(as_of_on)
    .bind(Json(answer.clone()))
    .run()
    .await
    .map(drop)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: PoliceLookupId,
    looked_at: Instant,
    as_of_on: NaiveDate,
    answer: Json<PoliceStatus>,
    principal: String,
    purpose: Purpose,
    corrected_at: Option<Instant>,
}

impl From<Row> for Lookup {
    fn from(row: Row) -> Self {
        Lookup {
            id: row.id,
            looked_at: row.looked_at.0,
            as_of_on: row.as_of_on,
            answer: row.answer.0,
            principal: row.principal,
            purpose: row.purpose,
            corrected_at: row.corrected_at.map(|at| at.0),
        }
    }
}

/// The look-ups of an order before one, the latest first.
pub async fn lookups(tx: &mut Tx, id: OrderId, before: Uuid, most: i64) -> Result<Vec<Lookup>> {
    let sql = tx.sql(
        "SELECT police_lookup.id, looked_at, as_of_on, answer, principal, purpose, corrected_at
           FROM police_lookup JOIN police_call ON police_call.id = police_lookup.call_id
           LEFT JOIN police_lookup_correction ON lookup_id = police_lookup.id
          WHERE police_lookup.order_id = $1 AND police_lookup.id < $2 ORDER BY police_lookup.id DESC LIMIT $3",
    );
    Ok(sql.bind(id).bind(before).bind(most).all::<Row>().await?.into_iter().map(Into::into).collect())
}

/// Notes that a look-up's answer was changed by an event.
pub async fn insert_correction(
    tx: &mut Tx,
    id: PoliceLookupId,
    order_id: OrderId,
    event_number: u32,
    at: Instant,
) -> Result<()> {
    tx.sql(
        "INSERT INTO police_lookup_correction (lookup_id, order_id, event_number, corrected_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(order_id)
    .bind(i64::from(event_number))
    .bind(at)
    .run()
    .await
    .map(drop)
}

/// When corrections changed what police had been told about an order, in order.
pub async fn corrected_at(tx: &mut Tx, id: OrderId) -> Result<Vec<DateTime<Utc>>> {
    let sql =
        tx.sql("SELECT DISTINCT corrected_at FROM police_lookup_correction WHERE order_id = $1 ORDER BY corrected_at");
    Ok(sql.bind(id).all::<(Instant,)>().await?.into_iter().map(|row| row.0.0).collect())
}
