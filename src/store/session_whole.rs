//! One session with who is to be there, by a single statement: it needs no transaction to see one state.

use std::collections::BTreeSet;

use sqlx::{ColumnIndex, Decode, FromRow, Type};

use super::error::Result;
use super::participant;
use super::session::{Row, fill};
use super::tx::Tx;
use crate::domain::ids::{CounsellorId, ParticipantId, SessionId};
use crate::domain::session::Session;

/// A session with one of its clients, and with one of those who lead it beside its counsellor, if it has any.
struct Whole {
    session: Row,
    client: Option<participant::Row>,
    beside: Option<CounsellorId>,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for Whole
where
    Row: FromRow<'r, R>,
    participant::Row: FromRow<'r, R>,
    Option<ParticipantId>: Decode<'r, R::Database> + Type<R::Database>,
    Option<CounsellorId>: Decode<'r, R::Database> + Type<R::Database>,
    &'r str: ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let has_client = row.try_get::<Option<ParticipantId>, _>("participant_id")?.is_some();
        Ok(Self {
            session: Row::from_row(row)?,
            client: has_client.then(|| participant::Row::from_row(row)).transpose()?,
            beside: row.try_get("beside_id")?,
        })
    }
}

/// Reads one session.
pub(super) async fn find(tx: &mut Tx, id: SessionId) -> Result<Option<Session>> {
    let sql = tx.sql(
        "SELECT session.*, it.id AS participant_id, it.session_id, it.seat, it.client_id, it.client_reference,
                it.guardian_id, it.interpreter, it.order_id, it.overridden AS participant_overridden,
                it.flags AS participant_flags, it.added_at, it.removed_at, it.removed_reason, it.attendance_id,
                milestone_session.milestone_id, beside.counsellor_id AS beside_id
           FROM session
           LEFT JOIN session_participant AS it ON it.session_id = session.id
           LEFT JOIN milestone_session ON milestone_session.session_id = session.id
           LEFT JOIN session_facilitator AS beside ON beside.session_id = session.id
          WHERE session.id = $1 ORDER BY it.removed_at, it.seat, it.id",
    );
    let (mut session, mut clients, mut beside) = (None, Vec::new(), BTreeSet::new());
    for row in sql.bind(id).all::<Whole>().await? {
        session = Some(row.session);
        clients.extend(row.client);
        beside.extend(row.beside);
    }
    let Some(session) = session else { return Ok(None) };
    let mut session = session.session()?;
    // Each client comes once with each who leads it.
    clients.dedup_by_key(|it| it.id);
    let clients = participant::by_session(clients)?.remove(&id).unwrap_or_default();
    fill(&mut session, clients, beside.into_iter().collect());
    Ok(Some(session))
}
