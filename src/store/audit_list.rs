//! Pages of the audit trail, each by one index, in either direction of time.

use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::tx::{Order, Tx};
use crate::domain::audit::{Listed, Outcome};
use crate::domain::ids::OrganisationId;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    occurred_at: Instant,
    principal: String,
    role: String,
    organisation_id: Option<OrganisationId>,
    action: String,
    outcome: String,
    reason: Option<String>,
    details: String,
    subjects: String,
    request_id: Option<Uuid>,
    position: Option<i64>,
    hash: Option<Vec<u8>>,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            occurred_at: row.occurred_at.0,
            principal: row.principal,
            role: row.role,
            organisation_id: row.organisation_id,
            action: row.action,
            outcome: row.outcome.parse().ok(),
            reason: row.reason,
            // What somebody changed is shown as it is: the auditor is to see it.
            details: serde_json::from_str(&row.details).unwrap_or_else(|_| vec![row.details]),
            subjects: serde_json::from_str(&row.subjects).unwrap_or_default(),
            request_id: row.request_id,
            position: row.position,
            hash: row.hash,
        }
    }
}

/// By what events are found.
#[derive(Clone, Debug)]
pub enum By {
    /// By time alone.
    Time,
    /// By who acted.
    Principal(String),
    /// By the role in which.
    Role(String),
    /// By what was called.
    Action(String),
    /// By how it ended.
    Outcome(Outcome),
    /// By the organisation of who acted.
    Organisation(OrganisationId),
    /// By the caller's request id.
    Request(Uuid),
}

/// Events beyond an instant and id, up to an instant, in order of time.
pub async fn beyond(
    tx: &mut Tx,
    by: &By,
    order: Order,
    (at, id): (Instant, Uuid),
    end: Instant,
    most: i64,
) -> Result<Vec<Listed>> {
    let text = match by {
        By::Time => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
        By::Principal(_) => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE principal = $5 AND (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
        By::Role(_) => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE role = $5 AND (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
        By::Action(_) => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE action = $5 AND (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
        By::Outcome(_) => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE outcome = $5 AND (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
        By::Organisation(_) => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE organisation_id = $5 AND (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
        By::Request(_) => {
            "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
                request_id, position, hash
               FROM audit_event LEFT JOIN audit_seal ON event_id = id
              WHERE request_id = $5 AND (occurred_at, id) {beyond} ($1, $2) AND occurred_at {within} $3
              ORDER BY occurred_at {order}, id {order} LIMIT $4"
        }
    };
    let sql = tx.sql_ordered(text, order).bind(at).bind(id).bind(end).bind(most);
    let sql = match by {
        By::Time => sql,
        By::Principal(text) | By::Role(text) | By::Action(text) => sql.bind(text.clone()),
        By::Outcome(outcome) => sql.bind(*outcome),
        By::Organisation(id) => sql.bind(*id),
        By::Request(id) => sql.bind(*id),
    };
    Ok(sql.all::<Row>().await?.into_iter().map(Listed::from).collect())
}

/// Sealed events that touched something, beyond a position, in the order of the chain.
pub async fn about(tx: &mut Tx, subject: Uuid, order: Order, position: i64, most: i64) -> Result<Vec<Listed>> {
    // The page first, and then what belongs to it: not a join of whole tables that is cut off.
    let text = "SELECT id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects,
            request_id, audit_seal.position, hash
           FROM (SELECT position FROM audit_subject WHERE subject_id = $1 AND position {beyond} $2
                  ORDER BY position {order} LIMIT $3) AS about
           JOIN audit_seal ON audit_seal.position = about.position JOIN audit_event ON id = event_id
          ORDER BY audit_seal.position {order}";
    let sql = tx.sql_ordered(text, order).bind(subject).bind(position).bind(most);
    Ok(sql.all::<Row>().await?.into_iter().map(Listed::from).collect())
}
