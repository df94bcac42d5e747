//! What a check of the audit trail reads: byte by byte, whatever somebody put there.

use super::error::Result;
use super::raw::{Micros, Raw};
use super::tx::Tx;
use crate::domain::audit::chain::Entry;
use crate::domain::audit::verify::Sealed;

/// What is sealed at a position, as it was read: the texts of its event as one, which costs half of what reading each
/// does.
#[derive(Debug, sqlx::FromRow)]
pub struct Packed {
    position: i64,
    event_id: Raw,
    hash: Raw,
    occurred_at: Option<Micros>,
    organisation_id: Option<Raw>,
    request_id: Option<Raw>,
    /// How many bytes each has; nothing for one that is NULL.
    lengths: Raw,
    texts: Raw,
}

/// The texts of an event, cut where their lengths say.
fn cut(lengths: &[u8], mut texts: &[u8]) -> Option<[Option<Vec<u8>>; 7]> {
    let mut lengths = std::str::from_utf8(lengths).ok()?.split(',');
    let mut cut = [const { None }; 7];
    for text in &mut cut {
        let length = lengths.next()?;
        if !length.is_empty() {
            let (own, rest) = texts.split_at_checked(length.parse().ok()?)?;
            (*text, texts) = (Some(own.to_vec()), rest);
        }
    }
    Some(cut)
}

impl Packed {
    /// Where.
    pub fn position(&self) -> i64 {
        self.position
    }
}

impl From<Packed> for Sealed {
    fn from(row: Packed) -> Self {
        let event_id = row.event_id.0;
        let entry = || {
            let [principal, role, action, outcome, reason, details, subjects] = cut(&row.lengths.0, &row.texts.0)?;
            Some(Entry {
                // They were joined by it.
                id: event_id.clone(),
                occurred_at: row.occurred_at?.0,
                principal: principal?,
                role: role?,
                organisation_id: row.organisation_id.map(|it| it.0),
                action: action?,
                outcome: outcome?,
                reason,
                details: details?,
                subjects: subjects?,
                request_id: row.request_id.map(|it| it.0),
            })
        };
        Self { position: row.position, hash: row.hash.0, entry: entry(), event_id }
    }
}

/// What is sealed after a position, with its events.
pub async fn after(tx: &mut Tx, position: i64, most: i64) -> Result<Vec<Packed>> {
    let sql = tx.sql(
        "SELECT position, event_id, hash, occurred_at, organisation_id, request_id,
            concat(octet_length(principal), ',', octet_length(role), ',', octet_length(action), ',', octet_length(outcome),
                ',', octet_length(reason), ',', octet_length(details), ',', octet_length(subjects)) AS lengths,
            concat(principal, role, action, outcome, reason, details, subjects) AS texts
           FROM audit_seal LEFT JOIN audit_event ON id = event_id
          WHERE position > $1 ORDER BY position LIMIT $2",
    );
    sql.bind(position).bind(most).all().await
}

/// How many events there are, how many of them wait to be sealed, how many seals.
pub async fn counts(tx: &mut Tx) -> Result<(i64, i64, i64)> {
    let sql = tx.sql(
        "SELECT (SELECT COUNT(*) FROM audit_event),
            (SELECT COUNT(*) FROM audit_pending JOIN audit_event ON id = event_id), (SELECT COUNT(*) FROM audit_seal)",
    );
    Ok(sql.maybe().await?.unwrap_or_default())
}

/// Events that are neither sealed nor wait to be.
pub async fn strays(tx: &mut Tx, most: i64) -> Result<Vec<Vec<u8>>> {
    let sql = tx.sql(
        "SELECT id FROM audit_event WHERE NOT EXISTS (SELECT 1 FROM audit_seal WHERE event_id = id)
            AND NOT EXISTS (SELECT 1 FROM audit_pending WHERE event_id = id) ORDER BY id LIMIT $1",
    );
    Ok(sql.bind(most).all::<(Raw,)>().await?.into_iter().map(|row| row.0.0).collect())
}

/// What waits to be sealed and is not there any more.
pub async fn lost(tx: &mut Tx, most: i64) -> Result<Vec<Vec<u8>>> {
    let sql = tx.sql(
        "SELECT event_id FROM audit_pending WHERE NOT EXISTS (SELECT 1 FROM audit_event WHERE id = event_id)
          ORDER BY event_id LIMIT $1",
    );
    Ok(sql.bind(most).all::<(Raw,)>().await?.into_iter().map(|row| row.0.0).collect())
}
