//! Why rules were broken: written once, never changed, sealed like all text about a person.

use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::seal::{Place, Sealed};
use super::tx::Tx;
use crate::domain::ids::{ClientId, SessionId};
use crate::domain::rules::RuleCode;
use crate::domain::session::Overriding;

const REASON: &str = "session_override.reason";

/// Writes why a rule was broken. What was said before, of another counsellor, stays.
pub async fn insert(tx: &mut Tx, id: Uuid, session_id: SessionId, it: &Overriding) -> Result<()> {
    let reason = tx.seal(Place::of(owner(session_id, it.client_id), id), REASON, &it.reason).await?;
    tx.sql(
        "INSERT INTO session_override (id, session_id, client_id, rule, reason, principal, decided_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(session_id)
    .bind(it.client_id)
    .bind(it.rule)
    .bind(reason)
    .bind(it.principal.clone())
    .bind(Instant(it.decided_at))
    .run()
    .await
    .map(drop)
}

/// Why the rules of a session were broken, by rule; of clients who are another organisation's by now, nothing.
pub async fn list(tx: &mut Tx, session_id: SessionId) -> Result<Vec<Overriding>> {
    let sql = tx.sql(
        "SELECT id, rule, client_id, reason, principal, decided_at FROM session_override AS it
          WHERE session_id = $1 AND (client_id IS NULL OR EXISTS (
                SELECT 1 FROM session JOIN client ON client.organisation_id = session.organisation_id
                 WHERE session.id = it.session_id AND client.id = it.client_id))
          ORDER BY rule, decided_at, id",
    );
    let rows = sql.bind(session_id).all().await?;
    opened(tx, session_id, rows).await
}

/// Why the rules of a session were broken for the sake of one client, by rule.
pub async fn about(tx: &mut Tx, session_id: SessionId, client_id: ClientId) -> Result<Vec<Overriding>> {
    let sql = tx.sql(
        "SELECT id, rule, client_id, reason, principal, decided_at FROM session_override
          WHERE session_id = $1 AND client_id = $2 ORDER BY rule, decided_at, id",
    );
    let rows = sql.bind(session_id).bind(client_id).all().await?;
    opened(tx, session_id, rows).await
}

type Row = (Uuid, RuleCode, Option<ClientId>, Sealed, String, Instant);

async fn opened(tx: &mut Tx, session_id: SessionId, rows: Vec<Row>) -> Result<Vec<Overriding>> {
    let mut all = Vec::with_capacity(rows.len());
    for (id, rule, client_id, reason, principal, decided_at) in rows {
        let reason = tx.open(Place::of(owner(session_id, client_id), id), REASON, reason).await?;
        all.push(Overriding { rule, client_id, reason, principal, decided_at: decided_at.0 });
    }
    Ok(all)
}

/// Whose text it is: a client's, or of the session of a group.
fn owner(session_id: SessionId, client_id: Option<ClientId>) -> Uuid {
    client_id.map_or(session_id.0, |id| id.0)
}
