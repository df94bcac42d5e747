//! Sessions that have ended and of which nobody has recorded who attended. The session itself says how many
//! there are, so that looking for them never depends on how much was recorded.

use chrono::{DateTime, Utc};

use super::codec::Instant;
use super::error::Result;
use super::session::{Row, complete};
use super::tx::Tx;
use crate::domain::ids::{CounsellorId, OrganisationId, SessionId};
use crate::domain::session::Session;

/// How many who stand as participants of a new session have no record: all of them.
pub(super) fn at_first(session: &Session) -> i64 {
    i64::try_from(session.participants.len()).unwrap_or(i64::MAX)
}

/// Counts anew how many who stand as participants of a session have no record. Whoever changes who stands or what is
/// recorded calls it last, with the session locked; nothing else writes the number.
pub async fn count(tx: &mut Tx, id: SessionId) -> Result<()> {
    let sql = tx.sql(
        "UPDATE session SET unrecorded = (SELECT count(*) FROM session_participant
            WHERE session_id = $1 AND removed_at IS NULL AND attendance_id IS NULL) WHERE id = $1",
    );
    sql.bind(id).run().await.map(drop)
}

/// Which of them.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: OrganisationId,
    /// That this counsellor leads.
    pub counsellor_id: Option<CounsellorId>,
    /// Ended by then.
    pub ended_by: DateTime<Utc>,
    /// After this end and id.
    pub after: Option<(DateTime<Utc>, SessionId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of them, by end.
pub async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Session>> {
    let first = (DateTime::UNIX_EPOCH, SessionId(uuid::Uuid::nil()));
    let (after, after_id) = listing.after.unwrap_or(first);
    let sql = tx.sql(
        "SELECT * FROM session
          WHERE organisation_id = $1 AND unrecorded > 0 AND state = 'BOOKED' AND ends_at <= $2
            AND (ends_at, id) > ($3, $4)
            AND (CAST($5 AS UUID) IS NULL OR counsellor_id = $5
                 OR id IN (SELECT session_id FROM session_facilitator WHERE counsellor_id = $5))
          ORDER BY ends_at, id LIMIT $6",
    );
    let sql = sql.bind(listing.organisation_id).bind(Instant(listing.ended_by));
    let sql = sql.bind(Instant(after)).bind(after_id).bind(listing.counsellor_id).bind(listing.most);
    let rows = sql.all::<Row>().await?;
    complete(tx, rows).await
}
