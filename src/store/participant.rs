//! Who is planned to be at a session: its clients, and who leads a group beside its counsellor.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use super::unrecorded;
use crate::domain::ids::{
    AttendanceId, ClientId, CounsellorId, GuardianId, MilestoneId, OrderId, ParticipantId, SeriesId, SessionId,
};
use crate::domain::participant::{Participant, Removed};
use crate::domain::party::Attendee;
use crate::domain::reference::Reference;
use crate::domain::rules::RuleCode;
use crate::domain::session::{CancelReason, Occurrence, Session};

/// A row, whose columns have names that none of its session's has.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    #[sqlx(rename = "participant_id")]
    pub id: ParticipantId,
    session_id: SessionId,
    seat: i64,
    client_id: ClientId,
    client_reference: Reference,
    guardian_id: Option<GuardianId>,
    interpreter: bool,
    order_id: Option<OrderId>,
    #[sqlx(rename = "participant_overridden")]
    overridden: Json<Vec<RuleCode>>,
    #[sqlx(rename = "participant_flags")]
    flags: Json<Vec<RuleCode>>,
    added_at: Instant,
    removed_at: Option<Instant>,
    removed_reason: Option<CancelReason>,
    attendance_id: Option<AttendanceId>,
    #[sqlx(default)]
    milestone_id: Option<MilestoneId>,
}

impl Row {
    fn participant(self) -> Result<Participant> {
        Ok(Participant {
            id: self.id,
            seat: u32::try_from(self.seat).map_err(|_| self.wrong())?,
            attendee: Attendee {
                client_id: self.client_id,
                guardian_id: self.guardian_id,
                interpreter: self.interpreter,
                order_id: self.order_id,
            },
            reference: self.client_reference,
            overridden: self.overridden.0,
            flags: self.flags.0,
            added_at: self.added_at.0,
            attendance_id: self.attendance_id,
        })
    }

    fn wrong(&self) -> Error {
        Error::Inconsistent { table: "session_participant", what: self.id.to_string() }
    }
}

/// Writes everybody who is planned to be at a new session, with the next statement: that is [`Error::Conflict`] when a
/// seat is taken.
pub fn insert_all(tx: &mut Tx, session: &Session) {
    for counsellor_id in &session.co_facilitators {
        facilitate(tx, session, *counsellor_id);
    }
    for participant in &session.participants {
        seat(tx, session, participant);
    }
}

/// Writes a client who is planned to be at a session. [`Error::Conflict`] when the seat is taken, or the
/// client is there already.
pub async fn insert(tx: &mut Tx, session: &Session, it: &Participant) -> Result<()> {
    seat(tx, session, it);
    unrecorded::count(tx, session.id).await
}

fn seat(tx: &mut Tx, session: &Session, it: &Participant) {
    tx.sql(
        "INSERT INTO session_participant (id, session_id, side, capacity, seat, client_id, client_reference,
            guardian_id, interpreter, order_id, overridden, flags, added_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(session.id)
    .bind(session.side)
    .bind(i64::from(session.capacity))
    .bind(i64::from(it.seat))
    .bind(it.attendee.client_id)
    .bind(it.reference.clone())
    .bind(it.attendee.guardian_id)
    .bind(it.attendee.interpreter)
    .bind(it.attendee.order_id)
    .bind(Json(it.overridden.clone()))
    .bind(Json(it.flags.clone()))
    .bind(Instant(it.added_at))
    .claim_later(1);
}

/// Writes what can change of the clients who are planned to be at a session, and who now leads it beside its
/// counsellor instead of those who did.
pub async fn update_all(tx: &mut Tx, session: &Session, beside: &[CounsellorId]) -> Result<()> {
    for it in &session.participants {
        let sql = tx.sql(
            "UPDATE session_participant SET guardian_id = $2, interpreter = $3, overridden = $4, flags = $5,
                order_id = $6 WHERE id = $1",
        );
        let sql = sql.bind(it.id).bind(it.attendee.guardian_id).bind(it.attendee.interpreter);
        let sql = sql.bind(Json(it.overridden.clone())).bind(Json(it.flags.clone()));
        sql.bind(it.attendee.order_id).run().await?;
    }
    for gone in beside.iter().filter(|it| !session.co_facilitators.contains(it)) {
        let sql = tx.sql("DELETE FROM session_facilitator WHERE session_id = $1 AND counsellor_id = $2");
        sql.bind(session.id).bind(*gone).run().await?;
    }
    for new in session.co_facilitators.iter().filter(|it| !beside.contains(it)) {
        facilitate(tx, session, *new);
    }
    Ok(())
}

fn facilitate(tx: &mut Tx, session: &Session, counsellor_id: CounsellorId) {
    let sql = tx.sql("INSERT INTO session_facilitator (session_id, counsellor_id, side) VALUES ($1, $2, $3)");
    sql.bind(session.id).bind(counsellor_id).bind(session.side).later();
}

/// Writes that a client is planned to be there no more.
pub async fn remove(
    tx: &mut Tx,
    session_id: SessionId,
    client_id: ClientId,
    at: Instant,
    reason: CancelReason,
) -> Result<()> {
    let sql = tx.sql(
        "UPDATE session_participant SET removed_at = $3, removed_reason = $4, flags = '[]'
          WHERE session_id = $1 AND client_id = $2 AND removed_at IS NULL",
    );
    sql.bind(session_id).bind(client_id).bind(at).bind(reason).run().await?;
    unrecorded::count(tx, session_id).await
}

/// The booked sessions of a series from one of its numbers on; nobody else adds to them or takes from them
/// as a whole until the transaction ends.
pub async fn rest_of_series(tx: &mut Tx, from: Occurrence) -> Result<Vec<SessionId>> {
    let sql = tx.sql_locked("SELECT id FROM series WHERE id = $1", Lock::Update);
    sql.bind(from.series_id).maybe::<(SeriesId,)>().await?;
    let sql = tx.sql("SELECT id FROM session WHERE series_id = $1 AND series_number >= $2 AND state = 'BOOKED'");
    let rows = sql.bind(from.series_id).bind(i64::from(from.number)).all::<(SessionId,)>().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// The clients of a session.
#[derive(Default)]
pub(super) struct Clients {
    /// Who is planned to be there, by seat.
    pub planned: Vec<Participant>,
    /// Who was removed, in that order.
    pub removed: Vec<Removed>,
    /// The client's milestone that it was booked for.
    pub milestone_id: Option<MilestoneId>,
}

impl Clients {
    fn add(&mut self, row: Row) -> Result<()> {
        self.milestone_id = self.milestone_id.or(row.milestone_id);
        match (row.removed_at, row.removed_reason) {
            (None, None) => self.planned.push(row.participant()?),
            (Some(removed_at), Some(reason)) => self.removed.push(Removed {
                client_id: row.client_id,
                reference: row.client_reference,
                added_at: row.added_at.0,
                removed_at: removed_at.0,
                reason,
            }),
            _ => return Err(row.wrong()),
        }
        Ok(())
    }
}

/// Rows in the order of [`Clients`], by session.
pub(super) fn by_session(rows: Vec<Row>) -> Result<BTreeMap<SessionId, Clients>> {
    let mut all: BTreeMap<SessionId, Clients> = BTreeMap::new();
    for row in rows {
        all.entry(row.session_id).or_default().add(row)?;
    }
    Ok(all)
}

/// Reads the clients of sessions.
pub(super) async fn of_sessions(tx: &mut Tx, sessions: &[SessionId]) -> Result<BTreeMap<SessionId, Clients>> {
    let sql = tx.sql_each(
        "SELECT id AS participant_id, it.session_id, seat, client_id, client_reference, guardian_id, interpreter, order_id,
                overridden AS participant_overridden, flags AS participant_flags, added_at, removed_at, removed_reason,
                attendance_id, milestone_session.milestone_id
           FROM session_participant AS it
           LEFT JOIN milestone_session ON milestone_session.session_id = it.session_id
          WHERE it.session_id IN ({ids}) ORDER BY it.session_id, removed_at, seat, id",
        sessions.len(),
    );
    by_session(sql.bind_ids(sessions).all().await?)
}

/// The place of a client in a session: the one that stands, or the last that was recorded before the client was
/// removed. The session must be locked.
pub async fn place_of(tx: &mut Tx, session_id: SessionId, client_id: ClientId) -> Result<Option<Participant>> {
    let sql = tx.sql(
        "SELECT *, id AS participant_id, overridden AS participant_overridden, flags AS participant_flags
           FROM session_participant WHERE session_id = $1 AND client_id = $2
            AND (removed_at IS NULL OR attendance_id IS NOT NULL)",
    );
    let rows = sql.bind(session_id).bind(client_id).all::<Row>().await?;
    // The one without an end is the last.
    let last = rows.into_iter().max_by_key(|row| (row.removed_at.is_none(), row.removed_at.map(|at| at.0)));
    last.map(Row::participant).transpose()
}

/// Reads who leads groups beside their counsellors.
pub(super) async fn facilitators_of(tx: &mut Tx, sessions: &[SessionId]) -> Result<Vec<(SessionId, CounsellorId)>> {
    let sql = tx.sql_each(
        "SELECT session_id, counsellor_id FROM session_facilitator WHERE session_id IN ({ids})
          ORDER BY session_id, counsellor_id",
        sessions.len(),
    );
    sql.bind_ids(sessions).all().await
}
