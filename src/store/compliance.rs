//! Where orders stand: what the compliance function said of them last.

use chrono::NaiveDate;
use chrono_tz::Tz;
use sqlx::types::Json;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::compliance::{Alert, AtRisk, PoliceStatus, Shown, Status};
use crate::domain::ids::{OrderId, OrganisationId};
use crate::domain::reference::Reference;
use crate::domain::text::Code;
use crate::domain::treatment::Order;
use crate::domain::treatment::standing::Standing;

#[derive(sqlx::FromRow)]
struct Row {
    order_id: OrderId,
    version: i64,
    status: Status,
    at_risk: Json<Vec<AtRisk>>,
    alerts: Json<Vec<Alert>>,
    open: bool,
    under_review: bool,
    shown: Shown,
    credits: i64,
    required: i64,
    breach_on: Option<NaiveDate>,
    enforcement_due_on: Option<NaiveDate>,
    changed_on: NaiveDate,
    corrected: bool,
    as_of_on: NaiveDate,
    next_change_at: Option<Instant>,
}

impl Row {
    fn standing(self) -> Result<Standing> {
        let wrong = |_| Error::Inconsistent { table: "compliance", what: self.order_id.to_string() };
        Ok(Standing {
            order_id: self.order_id,
            version: self.version,
            status: self.status,
            at_risk: self.at_risk.0,
            alerts: self.alerts.0,
            open: self.open,
            under_review: self.under_review,
            shown: PoliceStatus {
                status: self.shown,
                credits: u32::try_from(self.credits).map_err(wrong)?,
                required: u32::try_from(self.required).map_err(wrong)?,
                breach_on: self.breach_on,
                enforcement_due_on: self.enforcement_due_on,
            },
            changed_on: self.changed_on,
            corrected: self.corrected,
            as_of_on: self.as_of_on,
            next_change_at: self.next_change_at.map(|at| at.0),
        })
    }
}

/// Writes where an order stands.
pub async fn write(tx: &mut Tx, order: &Order, it: &Standing) -> Result<()> {
    tx.sql(
        "INSERT INTO compliance (order_id, version, organisation_id, reference, jurisdiction, status, at_risk, alerts,
            open, under_review, shown, credits, required, breach_on, enforcement_due_on, changed_on, corrected,
            as_of_on, next_change_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, jurisdiction = excluded.jurisdiction,
            status = excluded.status, at_risk = excluded.at_risk, alerts = excluded.alerts, open = excluded.open,
            under_review = excluded.under_review, shown = excluded.shown, credits = excluded.credits,
            required = excluded.required, breach_on = excluded.breach_on,
            enforcement_due_on = excluded.enforcement_due_on, changed_on = excluded.changed_on,
            corrected = excluded.corrected, as_of_on = excluded.as_of_on, next_change_at = excluded.next_change_at",
    )
    .bind(it.order_id)
    .bind(it.version)
    .bind(order.organisation_id)
    .bind(order.reference.clone())
    .bind(order.terms.answered_to().cloned())
    .bind(it.status)
    .bind(Json(it.at_risk.clone()))
    .bind(Json(it.alerts.clone()))
    .bind(it.open)
    .bind(it.under_review)
    .bind(it.shown.status)
    .bind(i64::from(it.shown.credits))
    .bind(i64::from(it.shown.required))
    .bind(it.shown.breach_on)
    .bind(it.shown.enforcement_due_on)
    .bind(it.changed_on)
    .bind(it.corrected)
    .bind(it.as_of_on)
    .bind(it.next_change_at.map(Instant))
    .run()
    .await
    .map(drop)
}

/// Where an order stood when that was last written.
pub async fn find(tx: &mut Tx, id: OrderId) -> Result<Option<Standing>> {
    let sql = tx.sql("SELECT * FROM compliance WHERE order_id = $1");
    sql.bind(id).maybe::<Row>().await?.map(Row::standing).transpose()
}

/// The orders that police of a jurisdiction may ask about, of these references.
pub async fn by_references(tx: &mut Tx, jurisdiction: &Code, references: &[Reference]) -> Result<Vec<OrderId>> {
    let mut ids = Vec::with_capacity(references.len());
    for reference in references {
        let sql = tx.sql("SELECT order_id FROM compliance WHERE jurisdiction = $1 AND reference = $2");
        ids.extend(sql.bind(jurisdiction.clone()).bind(reference.clone()).maybe::<(OrderId,)>().await?);
    }
    Ok(ids.into_iter().map(|row| row.0).collect())
}

/// Where an order stands, for police.
#[derive(Clone, Debug)]
pub struct ForPolice {
    /// Where it stands.
    pub standing: Standing,
    /// Its reference.
    pub reference: Reference,
    /// Its zone.
    pub zone: Tz,
}

#[derive(sqlx::FromRow)]
struct PoliceRow {
    #[sqlx(flatten)]
    row: Row,
    reference: Reference,
    zone: Zone,
}

/// Where those of these orders stand that police of a jurisdiction may know of, and that are moved on. Until the
/// transaction ends, nothing is recorded about them.
pub async fn for_police(tx: &mut Tx, jurisdiction: &Code, ids: &[OrderId], now: Instant) -> Result<Vec<ForPolice>> {
    let sql =
        tx.sql_each_locked("SELECT id FROM treatment_order WHERE id IN ({ids}) ORDER BY id", ids.len(), Lock::Share);
    sql.bind_ids(ids).all::<(OrderId,)>().await?;
    // Cast, so that SQLite looks for the ids and does not read the whole jurisdiction.
    let sql = tx.sql_each(
        "SELECT compliance.*, treatment_order.zone AS zone FROM compliance
           JOIN treatment_order ON treatment_order.id = compliance.order_id
          WHERE CAST(compliance.jurisdiction AS TEXT) = $1 AND (next_change_at IS NULL OR next_change_at > $2)
            AND order_id IN ({ids})",
        ids.len(),
    );
    let rows = sql.bind(jurisdiction.clone()).bind(now).bind_ids(ids).all::<PoliceRow>().await?;
    let seen = |it: PoliceRow| Ok(ForPolice { standing: it.row.standing()?, reference: it.reference, zone: it.zone.0 });
    rows.into_iter().map(seen).collect()
}

/// Whose orders.
#[derive(Clone, Debug)]
pub enum Within {
    /// Everybody's.
    All,
    /// Of the police of a jurisdiction.
    Jurisdiction(Code),
    /// Of a provider.
    Organisation(OrganisationId),
}

/// The first of those that have to be moved on, in the order in which everybody locks them.
pub async fn stale(tx: &mut Tx, within: &Within, now: Instant, most: i64) -> Result<Vec<OrderId>> {
    let sql = match within {
        Within::All => tx
            .sql(
                "SELECT order_id FROM compliance WHERE next_change_at <= $1 ORDER BY next_change_at, order_id LIMIT $2",
            )
            .bind(now)
            .bind(most),
        Within::Jurisdiction(code) => tx
            .sql(
                "SELECT order_id FROM compliance WHERE jurisdiction = $1 AND next_change_at <= $2
                  ORDER BY next_change_at, order_id LIMIT $3",
            )
            .bind(code.clone())
            .bind(now)
            .bind(most),
        Within::Organisation(id) => tx
            .sql(
                "SELECT order_id FROM compliance WHERE organisation_id = $1 AND next_change_at <= $2
                  ORDER BY next_change_at, order_id LIMIT $3",
            )
            .bind(*id)
            .bind(now)
            .bind(most),
    };
    let mut ids: Vec<OrderId> = sql.all::<(OrderId,)>().await?.into_iter().map(|row| row.0).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// A page of the orders of a jurisdiction, by reference.
pub async fn in_jurisdiction(
    tx: &mut Tx,
    jurisdiction: &Code,
    status: Option<Shown>,
    after: &str,
    most: i64,
) -> Result<Vec<(OrderId, Reference)>> {
    let sql = match status {
        None => tx
            .sql(
                "SELECT order_id, reference FROM compliance WHERE jurisdiction = $1 AND reference > $2
                  ORDER BY reference LIMIT $3",
            )
            .bind(jurisdiction.clone()),
        Some(status) => tx
            .sql(
                "SELECT order_id, reference FROM compliance WHERE jurisdiction = $1 AND shown = $2 AND reference > $3
                  ORDER BY reference LIMIT $4",
            )
            .bind(jurisdiction.clone())
            .bind(status),
    };
    sql.bind(after.to_owned()).bind(most).all().await
}

/// Which of a provider's orders.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// All.
    All,
    /// Those that stand so.
    Status(Status),
    /// Those of which something must be seen to.
    Alerted,
    /// Those whose breach waits for a person.
    UnderReview,
}

/// A page of the orders of a provider, by id.
pub async fn of_organisation(
    tx: &mut Tx,
    id: OrganisationId,
    which: Which,
    after: OrderId,
    most: i64,
) -> Result<Vec<OrderId>> {
    let sql = match which {
        Which::All => tx.sql(
            "SELECT order_id FROM compliance WHERE organisation_id = $1 AND order_id > $2 ORDER BY order_id LIMIT $3",
        ),
        Which::Alerted => tx.sql(
            "SELECT order_id FROM compliance WHERE organisation_id = $1 AND order_id > $2 AND alerts <> '[]'
              ORDER BY order_id LIMIT $3",
        ),
        Which::UnderReview => tx.sql(
            "SELECT order_id FROM compliance WHERE organisation_id = $1 AND order_id > $2 AND under_review = TRUE
              ORDER BY order_id LIMIT $3",
        ),
        Which::Status(_) => tx.sql(
            "SELECT order_id FROM compliance WHERE organisation_id = $1 AND order_id > $2 AND status = $4
              ORDER BY order_id LIMIT $3",
        ),
    };
    let sql = sql.bind(id).bind(after).bind(most);
    let sql = match which {
        Which::Status(status) => sql.bind(status),
        _ => sql,
    };
    Ok(sql.all::<(OrderId,)>().await?.into_iter().map(|row| row.0).collect())
}
