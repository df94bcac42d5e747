//! What became of sessions for each participant, and what was decided about absences. The schema lets nobody
//! change a record or a decision.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::codec::Instant;
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::tx::Tx;
use super::unrecorded;
use crate::domain::access::Role;
use crate::domain::attendance::{Attendance, Author, Decision, Detail, Evidence, History, Said, Verdict};
use crate::domain::ids::{AttendanceId, ClientId, CounsellorId, DecisionId, OrganisationId, ParticipantId, SessionId};
use crate::domain::outcome::{Concern, Ground, NotHeld, Outcome};
use crate::domain::participant::Participant;
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;

/// Whether what people wrote is read too, which leaves a trace, or stays empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// It is read.
    Opened,
    /// It is not even opened.
    Closed,
}

#[derive(sqlx::FromRow)]
struct RecordRow {
    id: AttendanceId,
    participant_id: ParticipantId,
    number: i64,
    outcome: Outcome,
    late_minutes: Option<i64>,
    attended_minutes: Option<i64>,
    concern: Option<Concern>,
    not_held_reason: Option<NotHeld>,
    recorded_at: Instant,
    recorded_by: String,
    recorded_as: Role,
    supersedes_id: Option<AttendanceId>,
    reason: Option<Sealed>,
    late: bool,
}

#[derive(sqlx::FromRow)]
struct DecisionRow {
    id: DecisionId,
    participant_id: ParticipantId,
    number: i64,
    attendance_id: AttendanceId,
    acceptable: bool,
    serious: bool,
    ground: Option<Ground>,
    evidence_reference: Option<Sealed>,
    verifier: Option<Sealed>,
    decided_at: Instant,
    decided_by: String,
    decided_as: Role,
}

const REASON: &str = "attendance.reason";
const REFERENCE: &str = "absence_decision.evidence_reference";
const VERIFIER: &str = "absence_decision.verifier";

async fn read(tx: &mut Tx, place: Place<'_>, column: &'static str, sealed: Sealed, texts: Texts) -> Result<Personal> {
    match texts {
        Texts::Opened => tx.open(place, column, sealed).await,
        Texts::Closed => Ok(Personal::default()),
    }
}

impl RecordRow {
    async fn record(self, tx: &mut Tx, owner: ClientId, texts: Texts) -> Result<Attendance> {
        let wrong = || Error::Inconsistent { table: "attendance", what: self.id.to_string() };
        let said = Said {
            late_by: self.late_minutes.map(TimeDelta::minutes),
            attended_for: self.attended_minutes.map(TimeDelta::minutes),
            concern: self.concern,
            not_held: self.not_held_reason,
        };
        let detail = Detail::of(self.outcome, said).map_err(|_| wrong())?;
        let number = u32::try_from(self.number).map_err(|_| wrong())?;
        let supersedes = match (self.supersedes_id, self.reason) {
            (None, None) => None,
            (Some(id), Some(reason)) => Some((id, read(tx, Place::of(owner, self.id), REASON, reason, texts).await?)),
            _ => return Err(Error::Inconsistent { table: "attendance", what: self.id.to_string() }),
        };
        let by = Author { principal: self.recorded_by, role: self.recorded_as };
        let (id, outcome, at, late) = (self.id, self.outcome, self.recorded_at.0, self.late);
        Ok(Attendance { id, number, outcome, detail, at, by, supersedes, late })
    }
}

impl DecisionRow {
    async fn decision(self, tx: &mut Tx, owner: ClientId, texts: Texts) -> Result<Decision> {
        let wrong = || Error::Inconsistent { table: "absence_decision", what: self.id.to_string() };
        let number = u32::try_from(self.number).map_err(|_| wrong())?;
        let place = Place::of(owner, self.id);
        let evidence = match (self.evidence_reference, self.verifier) {
            (Some(reference), Some(verifier)) => Some(Evidence {
                reference: read(tx, place, REFERENCE, reference, texts).await?,
                verifier: read(tx, place, VERIFIER, verifier, texts).await?,
            }),
            _ => None,
        };
        let verdict = match (self.acceptable, self.ground, evidence) {
            (true, Some(ground), Some(evidence)) => Verdict::Acceptable { ground, evidence },
            (false, None, evidence) => Verdict::Unacceptable { serious: self.serious, evidence },
            _ => return Err(Error::Inconsistent { table: "absence_decision", what: self.id.to_string() }),
        };
        let by = Author { principal: self.decided_by, role: self.decided_as };
        let (id, attendance_id, at) = (self.id, self.attendance_id, self.decided_at.0);
        Ok(Decision { id, number, attendance_id, verdict, at, by })
    }
}

/// Writes a record, which is then the one that stands. The session must be locked. [`Error::Conflict`] when somebody
/// has written one of that number.
pub async fn insert(tx: &mut Tx, session_id: SessionId, participant: &Participant, it: &Attendance) -> Result<()> {
    let place = Place::of(participant.attendee.client_id, it.id);
    let reason = tx.seal_some(place, REASON, it.supersedes.as_ref().map(|(_, reason)| reason)).await?;
    let said = it.detail.said();
    tx.sql(
        "INSERT INTO attendance (id, participant_id, number, outcome, late_minutes, attended_minutes, concern,
            not_held_reason, recorded_at, recorded_by, recorded_as, supersedes_id, reason, late)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(participant.id)
    .bind(i64::from(it.number))
    .bind(it.outcome)
    .bind(said.late_by.map(|it| it.num_minutes()))
    .bind(said.attended_for.map(|it| it.num_minutes()))
    .bind(said.concern)
    .bind(said.not_held)
    .bind(Instant(it.at))
    .bind(it.by.principal.clone())
    .bind(it.by.role)
    .bind(it.supersedes.as_ref().map(|(id, _)| *id))
    .bind(reason)
    .bind(it.late)
    .claim()
    .await?;
    let sql = tx.sql("UPDATE session_participant SET attendance_id = $2 WHERE id = $1");
    sql.bind(participant.id).bind(it.id).run().await?;
    unrecorded::count(tx, session_id).await
}

/// Writes a decision. [`Error::Conflict`] when somebody has written one of that number.
pub async fn insert_decision(tx: &mut Tx, participant: &Participant, it: &Decision) -> Result<()> {
    let place = Place::of(participant.attendee.client_id, it.id);
    let (serious, ground) = match &it.verdict {
        Verdict::Acceptable { ground, .. } => (false, Some(*ground)),
        Verdict::Unacceptable { serious, .. } => (*serious, None),
    };
    let evidence = it.verdict.evidence();
    let reference = tx.seal_some(place, REFERENCE, evidence.map(|it| &it.reference)).await?;
    let verifier = tx.seal_some(place, VERIFIER, evidence.map(|it| &it.verifier)).await?;
    tx.sql(
        "INSERT INTO absence_decision (id, participant_id, number, attendance_id, acceptable, serious, ground,
            evidence_reference, verifier, decided_at, decided_by, decided_as)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(participant.id)
    .bind(i64::from(it.number))
    .bind(it.attendance_id)
    .bind(ground.is_some())
    .bind(serious)
    .bind(ground)
    .bind(reference)
    .bind(verifier)
    .bind(Instant(it.at))
    .bind(it.by.principal.clone())
    .bind(it.by.role)
    .claim()
    .await
}

/// Everything recorded and decided about one participant.
pub async fn history(tx: &mut Tx, participant: &Participant, texts: Texts) -> Result<History> {
    let mut all = histories(tx, &[(participant.id, participant.attendee.client_id)], texts).await?;
    Ok(all.remove(&participant.id).unwrap_or_default())
}

/// As [`history`], of several at once; who has none is left out.
pub async fn histories(
    tx: &mut Tx,
    of: &[(ParticipantId, ClientId)],
    texts: Texts,
) -> Result<BTreeMap<ParticipantId, History>> {
    let owners: BTreeMap<ParticipantId, ClientId> = of.iter().copied().collect();
    let ids: Vec<ParticipantId> = owners.keys().copied().collect();
    let mut all: BTreeMap<ParticipantId, History> = BTreeMap::new();
    let sql = tx.sql_each("SELECT * FROM attendance WHERE participant_id IN ({ids}) ORDER BY number", ids.len());
    for row in sql.bind_ids(&ids).all::<RecordRow>().await? {
        let Some(owner) = owners.get(&row.participant_id) else { continue };
        let history = all.entry(row.participant_id).or_default();
        history.records.push(row.record(tx, *owner, texts).await?);
    }
    let sql = tx.sql_each("SELECT * FROM absence_decision WHERE participant_id IN ({ids}) ORDER BY number", ids.len());
    for row in sql.bind_ids(&ids).all::<DecisionRow>().await? {
        let Some(owner) = owners.get(&row.participant_id) else { continue };
        let history = all.entry(row.participant_id).or_default();
        history.decisions.push(row.decision(tx, *owner, texts).await?);
    }
    Ok(all)
}

/// A participant of whom something was recorded.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Recorded {
    /// The participant.
    pub id: ParticipantId,
    /// The session.
    pub session_id: SessionId,
    /// The client.
    pub client_id: ClientId,
    /// The client's reference code.
    pub client_reference: Reference,
    starts_at: Instant,
}

impl Recorded {
    /// When the session started.
    pub fn starts_at(&self) -> DateTime<Utc> {
        self.starts_at.0
    }
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of one session.
    Session(SessionId),
    /// Of one client.
    Client(ClientId),
}

/// Which participants.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of clients of this organisation; and of a session, if that is its own too.
    pub organisation_id: Option<OrganisationId>,
    /// Of sessions that this counsellor leads, or that a client had elsewhere.
    pub counsellor_id: Option<CounsellorId>,
    /// Of a session or a client.
    pub of: Of,
    /// After this start and id.
    pub after: Option<(DateTime<Utc>, ParticipantId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of participants of whom something was recorded, by the start of the session.
pub async fn recorded(tx: &mut Tx, listing: &Listing) -> Result<Vec<Recorded>> {
    let first = (DateTime::UNIX_EPOCH, ParticipantId(uuid::Uuid::nil()));
    let (after, after_id) = listing.after.unwrap_or(first);
    let (text, of) = match listing.of {
        Of::Session(id) => (OF_SESSION, id.0),
        Of::Client(id) => (OF_CLIENT, id.0),
    };
    let sql = tx.sql(text).bind(of).bind(listing.organisation_id).bind(listing.counsellor_id);
    sql.bind(Instant(after)).bind(after_id).bind(listing.most).all().await
}

const OF_SESSION: &str = "SELECT mine.id, mine.session_id, mine.client_id, mine.client_reference, session.starts_at
       FROM session_participant AS mine JOIN session ON session.id = mine.session_id
       JOIN client ON client.id = mine.client_id
      WHERE mine.session_id = $1 AND mine.attendance_id IS NOT NULL
        AND (CAST($2 AS UUID) IS NULL OR (session.organisation_id = $2 AND client.organisation_id = $2))
        AND (CAST($3 AS UUID) IS NULL OR session.counsellor_id = $3
             OR session.id IN (SELECT session_id FROM session_facilitator WHERE counsellor_id = $3))
        AND (session.starts_at, mine.id) > ($4, $5)
      ORDER BY session.starts_at, mine.id LIMIT $6";
const OF_CLIENT: &str = "SELECT mine.id, mine.session_id, mine.client_id, mine.client_reference, session.starts_at
       FROM session_participant AS mine JOIN session ON session.id = mine.session_id
       JOIN client ON client.id = mine.client_id
      WHERE mine.client_id = $1 AND mine.attendance_id IS NOT NULL
        AND (CAST($2 AS UUID) IS NULL OR client.organisation_id = $2)
        AND (CAST($3 AS UUID) IS NULL OR session.counsellor_id = $3
             OR session.organisation_id <> client.organisation_id
             OR session.id IN (SELECT session_id FROM session_facilitator WHERE counsellor_id = $3))
        AND (session.starts_at, mine.id) > ($4, $5)
      ORDER BY session.starts_at, mine.id LIMIT $6";

/// The participants of a client's recorded sessions, the latest start first.
pub async fn latest(tx: &mut Tx, client_id: ClientId, most: i64) -> Result<Vec<Recorded>> {
    let sql = tx.sql(
        "SELECT mine.id, mine.session_id, mine.client_id, mine.client_reference, session.starts_at
           FROM session_participant AS mine JOIN session ON session.id = mine.session_id
          WHERE mine.client_id = $1 AND mine.attendance_id IS NOT NULL
          ORDER BY session.starts_at DESC, mine.id DESC LIMIT $2",
    );
    sql.bind(client_id).bind(most).all().await
}
