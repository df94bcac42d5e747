//! What stands in the way of erasing a client, and the mark that a client was erased.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::tx::Tx;
use crate::domain::erasure::ErasureReason;
use crate::domain::ids::{CaseId, ClientId};

/// What is still to happen for a client: sessions to come, open orders, open follow-up plans, open entries of the
/// waitlist.
pub async fn active(tx: &mut Tx, id: ClientId, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    let sessions = tx.sql(
        "SELECT session.id FROM session_participant JOIN session ON session.id = session_participant.session_id
          WHERE session_participant.client_id = $1 AND session_participant.removed_at IS NULL
            AND (session.state = 'BOOKED' OR session.held_until > $2) AND session.ends_at > $2 ORDER BY session.starts_at, session.id",
    );
    let mut all: Vec<(Uuid,)> = sessions.bind(id).bind(Instant(now)).all().await?;
    for text in [
        "SELECT treatment_order.id FROM treatment_order JOIN compliance ON compliance.order_id = treatment_order.id
          WHERE client_id = $1 AND compliance.open = TRUE ORDER BY treatment_order.id",
        "SELECT id FROM follow_up_plan WHERE client_id = $1 AND closing IS NULL ORDER BY id",
        "SELECT id FROM waitlist_entry WHERE client_id = $1 AND ended_how IS NULL ORDER BY id",
    ] {
        all.extend(tx.sql(text).bind(id).all::<(Uuid,)>().await?);
    }
    Ok(all.into_iter().map(|row| row.0).collect())
}

/// Marks a client as erased.
pub async fn mark(tx: &mut Tx, id: ClientId, version: i64, because: ErasureReason, now: Instant) -> Result<()> {
    let text = "UPDATE client SET version = $2, updated_at = $3, erased_at = $3, erased_because = $4 WHERE id = $1";
    tx.sql(text).bind(id).bind(version).bind(now).bind(because).run().await.map(drop)
}

/// Cases of a client, nobody of whose parties is left and of which nothing is followed up.
pub async fn cases_left(tx: &mut Tx, id: ClientId) -> Result<Vec<CaseId>> {
    let sql = tx.sql(
        "SELECT case_file_id FROM case_party AS mine WHERE client_id = $1
            AND NOT EXISTS (SELECT 1 FROM case_party AS other JOIN client ON client.id = other.client_id
                             WHERE other.case_file_id = mine.case_file_id AND client.erased_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM follow_up_plan AS plan
                             WHERE plan.case_file_id = mine.case_file_id AND plan.closing IS NULL)
          ORDER BY case_file_id",
    );
    Ok(sql.bind(id).all::<(CaseId,)>().await?.into_iter().map(|row| row.0).collect())
}
