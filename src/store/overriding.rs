//! Why rules were broken: written once, never changed, sealed like all text about a person.

use super::codec::Instant;
use super::db::Tx;
use super::error::Result;
use super::seal::Sealed;
use crate::domain::rules::RuleCode;
use crate::domain::session::{Overriding, Session};

/// Writes why a rule was broken. What was said before, of another counsellor, stays.
pub async fn insert(tx: &mut Tx, session: &Session, it: &Overriding) -> Result<()> {
    let reason = tx.seal(session.client_id.0, "session_override.reason", &it.reason).await?;
    tx.sql(
        "INSERT INTO session_override (session_id, rule, reason, principal, decided_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(session.id)
    .bind(it.rule)
    .bind(reason)
    .bind(it.principal.clone())
    .bind(Instant(it.decided_at))
    .run()
    .await
    .map(drop)
}

/// Why the rules of a session were broken, by rule.
pub async fn list(tx: &mut Tx, session: &Session) -> Result<Vec<Overriding>> {
    let sql =
        tx.sql("SELECT rule, reason, principal, decided_at FROM session_override WHERE session_id = $1 ORDER BY rule, decided_at");
    let rows = sql.bind(session.id).all::<(RuleCode, Sealed, String, Instant)>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for (rule, reason, principal, decided_at) in rows {
        let reason = tx.open(session.client_id.0, "session_override.reason", reason).await?;
        all.push(Overriding { rule, reason, principal, decided_at: decided_at.0 });
    }
    Ok(all)
}
