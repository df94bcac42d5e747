//! Treatment orders, what was recorded about them, and the policies by which they are judged.

use chrono::NaiveDate;
use chrono_tz::Tz;
use sqlx::types::Json;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::sql::Asked;
use super::tx::{Lock, Tx};
use crate::domain::code::Side;
use crate::domain::compliance::Policy;
use crate::domain::ids::{ClientId, HolidayCalendarId, OrderId, OrganisationId, ParticipantId};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::text::Code;
use crate::domain::treatment::act::{Act, Event};
use crate::domain::treatment::{MandateBasis, Order, PolicyVersion, Published, Terms};

#[derive(sqlx::FromRow)]
struct Row {
    id: OrderId,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    organisation_id: OrganisationId,
    client_id: ClientId,
    reference: Reference,
    jurisdiction: Code,
    mandate: MandateBasis,
    document: String,
    starts_on: NaiveDate,
    ends_on: Option<NaiveDate>,
    required_sessions: i64,
    zone: Zone,
    holiday_calendar_id: Option<HolidayCalendarId>,
    policy_code: Code,
    policy_version: i64,
    head: Vec<u8>,
}

impl Row {
    fn order(self) -> Result<Order> {
        let wrong = |_| Error::Inconsistent { table: "treatment_order", what: self.id.to_string() };
        Ok(Order {
            id: self.id,
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            organisation_id: self.organisation_id,
            client_id: self.client_id,
            reference: self.reference,
            terms: Terms {
                jurisdiction: self.jurisdiction,
                mandate: self.mandate,
                document: self.document,
                starts_on: self.starts_on,
                ends_on: self.ends_on,
                required: u32::try_from(self.required_sessions).map_err(wrong)?,
                zone: self.zone.0,
                holiday_calendar_id: self.holiday_calendar_id,
                policy: PolicyVersion { code: self.policy_code, version: self.policy_version },
            },
            head: self.head,
        })
    }
}

/// Writes a new order. [`Error::Conflict`] when its reference is taken.
pub async fn insert(tx: &mut Tx, it: &Order) -> Result<()> {
    tx.sql(
        "INSERT INTO treatment_order (id, version, created_at, updated_at, organisation_id, client_id, side, reference,
            jurisdiction, mandate, document, starts_on, ends_on, required_sessions, zone, holiday_calendar_id,
            policy_code, policy_version, head)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(Instant(it.created_at))
    .bind(Instant(it.updated_at))
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(Side::Offender)
    .bind(it.reference.clone())
    .bind(it.terms.jurisdiction.clone())
    .bind(it.terms.mandate)
    .bind(it.terms.document.clone())
    .bind(it.terms.starts_on)
    .bind(it.terms.ends_on)
    .bind(i64::from(it.terms.required))
    .bind(Zone(it.terms.zone))
    .bind(it.terms.holiday_calendar_id)
    .bind(it.terms.policy.code.clone())
    .bind(it.terms.policy.version)
    .bind(it.head.clone())
    .claim()
    .await
}

/// Writes what can change of an order.
pub async fn update(tx: &mut Tx, it: &Order) -> Result<()> {
    tx.sql(
        "UPDATE treatment_order SET version = $2, updated_at = $3, jurisdiction = $4, mandate = $5, document = $6,
            ends_on = $7, required_sessions = $8, holiday_calendar_id = $9, policy_code = $10, policy_version = $11,
            head = $12 WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(Instant(it.updated_at))
    .bind(it.terms.jurisdiction.clone())
    .bind(it.terms.mandate)
    .bind(it.terms.document.clone())
    .bind(it.terms.ends_on)
    .bind(i64::from(it.terms.required))
    .bind(it.terms.holiday_calendar_id)
    .bind(it.terms.policy.code.clone())
    .bind(it.terms.policy.version)
    .bind(it.head.clone())
    .run()
    .await
    .map(drop)
}

/// Reads one order.
pub async fn find(tx: &mut Tx, id: OrderId, lock: Lock) -> Result<Option<Order>> {
    let sql = tx.sql_locked("SELECT * FROM treatment_order WHERE id = $1", lock);
    sql.bind(id).maybe::<Row>().await?.map(Row::order).transpose()
}

/// The orders of a client, oldest first.
pub async fn of_client(tx: &mut Tx, client_id: ClientId) -> Result<Vec<OrderId>> {
    let sql = tx.sql("SELECT id FROM treatment_order WHERE client_id = $1 ORDER BY id");
    Ok(sql.bind(client_id).all::<(OrderId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// The orders whose working days a calendar tells, in the order in which everybody locks them.
pub async fn of_calendar(tx: &mut Tx, id: HolidayCalendarId) -> Result<Vec<OrderId>> {
    let sql = tx.sql("SELECT id FROM treatment_order WHERE holiday_calendar_id = $1 ORDER BY id");
    Ok(sql.bind(id).all::<(OrderId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// Those of a client's orders towards which sessions can count, with the first day of each and its zone.
pub fn open_of(tx: &mut Tx, client_id: ClientId) -> Asked<Vec<(OrderId, NaiveDate, Tz)>> {
    let sql = tx.sql(
        "SELECT treatment_order.id, starts_on, zone FROM treatment_order
           JOIN compliance ON compliance.order_id = treatment_order.id
          WHERE client_id = $1 AND compliance.open = TRUE",
    );
    let asked = sql.bind(client_id).ask::<(OrderId, NaiveDate, Zone)>();
    asked.map(|rows| rows.into_iter().map(|(id, starts_on, zone)| (id, starts_on, zone.0)).collect())
}

#[derive(sqlx::FromRow)]
struct EventRow {
    number: i64,
    on_date: NaiveDate,
    act: Json<Act>,
    participant_id: Option<ParticipantId>,
    recorded_at: Instant,
    recorded_by: String,
}

/// Writes what was recorded about an order, and why, if somebody said so.
pub async fn append(tx: &mut Tx, order: &Order, it: &Event, reason: Option<&Personal>) -> Result<()> {
    let number = it.number.to_string();
    let reason = tx.seal_some(Place::of(order.client_id, order.id).part(&number), REASON, reason).await?;
    tx.sql(
        "INSERT INTO treatment_event (order_id, number, on_date, act, participant_id, reason, recorded_at, recorded_by,
            head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(order.id)
    .bind(i64::from(it.number))
    .bind(it.on)
    .bind(Json(it.act.clone()))
    .bind(it.participant_id)
    .bind(reason)
    .bind(Instant(it.recorded_at))
    .bind(it.recorded_by.clone())
    .bind(order.head.clone())
    .claim()
    .await
}

/// Everything that was recorded about an order, in order.
pub async fn events(tx: &mut Tx, id: OrderId) -> Result<Vec<Event>> {
    let sql = tx.sql(
        "SELECT number, on_date, act, participant_id, recorded_at, recorded_by FROM treatment_event
          WHERE order_id = $1 ORDER BY number",
    );
    let event = |row: EventRow| {
        let wrong = |_| Error::Inconsistent { table: "treatment_event", what: id.to_string() };
        Ok(Event {
            number: u32::try_from(row.number).map_err(wrong)?,
            on: row.on_date,
            act: row.act.0,
            participant_id: row.participant_id,
            recorded_at: row.recorded_at.0,
            recorded_by: row.recorded_by,
        })
    };
    sql.bind(id).all::<EventRow>().await?.into_iter().map(event).collect()
}

/// The column whose text is sealed.
const REASON: &str = "treatment_event.reason";

/// Why things were recorded about an order, by number, where somebody said so.
pub async fn reasons(tx: &mut Tx, order: &Order) -> Result<Vec<(u32, Personal)>> {
    let sql =
        tx.sql("SELECT number, reason FROM treatment_event WHERE order_id = $1 AND reason IS NOT NULL ORDER BY number");
    let rows = sql.bind(order.id).all::<(i64, Sealed)>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for (number, reason) in rows {
        let wrong = |_| Error::Inconsistent { table: "treatment_event", what: order.id.to_string() };
        let number = u32::try_from(number).map_err(wrong)?;
        let part = number.to_string();
        all.push((number, tx.open(Place::of(order.client_id, order.id).part(&part), REASON, reason).await?));
    }
    Ok(all)
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    code: Code,
    version: i64,
    name: String,
    parameters: Json<Policy>,
    published_at: Instant,
}

impl From<PolicyRow> for Published {
    fn from(row: PolicyRow) -> Self {
        Published {
            version: PolicyVersion { code: row.code, version: row.version },
            name: row.name,
            policy: row.parameters.0,
            published_at: row.published_at.0,
        }
    }
}

/// Publishes a policy. [`Error::Conflict`] when this version of it is there.
pub async fn publish(tx: &mut Tx, it: &Published) -> Result<()> {
    tx.sql(
        "INSERT INTO compliance_policy (code, version, name, parameters, published_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(it.version.code.clone())
    .bind(it.version.version)
    .bind(it.name.clone())
    .bind(Json(it.policy.clone()))
    .bind(Instant(it.published_at))
    .claim()
    .await
}

/// A version of a policy.
pub async fn policy(tx: &mut Tx, version: &PolicyVersion) -> Result<Option<Published>> {
    let sql = tx.sql(
        "SELECT code, version, name, parameters, published_at FROM compliance_policy WHERE code = $1 AND version = $2",
    );
    Ok(sql.bind(version.code.clone()).bind(version.version).maybe::<PolicyRow>().await?.map(Into::into))
}

/// The newest version of a policy.
pub async fn newest_policy(tx: &mut Tx, code: &Code) -> Result<Option<Published>> {
    let sql = tx.sql(
        "SELECT code, version, name, parameters, published_at FROM compliance_policy WHERE code = $1
          ORDER BY version DESC LIMIT 1",
    );
    Ok(sql.bind(code.clone()).maybe::<PolicyRow>().await?.map(Into::into))
}

/// The versions of policies after one, by code and version.
pub async fn policies(tx: &mut Tx, after: &(String, i64), most: i64) -> Result<Vec<Published>> {
    let sql = tx.sql(
        "SELECT code, version, name, parameters, published_at FROM compliance_policy
          WHERE (code, version) > ($1, $2) ORDER BY code, version LIMIT $3",
    );
    let rows = sql.bind(after.0.clone()).bind(after.1).bind(most).all::<PolicyRow>().await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
