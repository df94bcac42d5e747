//! The audit trail; the schema lets nobody change it.

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::Tx;
use crate::domain::audit::Event;

/// Appends an event, with the next statement.
pub fn append(tx: &mut Tx, it: &Event) -> Result<()> {
    tx.sql(
        "INSERT INTO audit_event (id, occurred_at, principal, role, organisation_id, action, outcome, reason,
            details, subjects, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(it.id)
    .bind(Instant(it.occurred_at))
    .bind(it.principal.clone())
    .bind(it.role)
    .bind(it.organisation_id)
    .bind(it.action.clone())
    .bind(it.outcome)
    .bind(it.reason.clone())
    .bind(json(&it.details)?)
    .bind(json(&it.subjects)?)
    .bind(it.request_id)
    .later();
    Ok(())
}

/// A list as the text that is sealed.
fn json<T: serde::Serialize>(list: &[T]) -> Result<String> {
    serde_json::to_string(list).map_err(|_| Error::Inconsistent { table: "audit_event", what: "a list".into() })
}
