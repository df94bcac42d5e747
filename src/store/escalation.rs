//! Escalations. The schema lets one cause raise one of a kind.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::tx::{Lock, Tx};
use crate::domain::escalation::{Action, Alarm, Cause, Escalation, Level, Named, Resolved, Trigger};
use crate::domain::ids::{AssessmentId, AttendanceId, ClientId, ConcernId, CounsellorId, EscalationId, OrganisationId};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;

const NOTE: &str = "escalation.note";

#[derive(sqlx::FromRow)]
struct Row {
    id: EscalationId,
    version: i64,
    organisation_id: OrganisationId,
    client_id: ClientId,
    client_reference: Reference,
    counsellor_id: CounsellorId,
    level: Level,
    trigger_code: Trigger,
    assessment_id: Option<AssessmentId>,
    attendance_id: Option<AttendanceId>,
    concern_id: Option<ConcernId>,
    cause_superseded: bool,
    said: Option<Sealed>,
    zone: Zone,
    raised_at: Instant,
    due_at: Instant,
    acknowledged_at: Option<Instant>,
    acknowledged_by: Option<String>,
    resolved_at: Option<Instant>,
    resolved_by: Option<String>,
    action: Option<Action>,
    note: Option<Sealed>,
}

impl Row {
    async fn open(self, tx: &mut Tx) -> Result<Escalation> {
        let wrong = || Error::Inconsistent { table: "escalation", what: self.id.to_string() };
        let cause = match (self.assessment_id, self.attendance_id, self.concern_id) {
            (Some(id), None, None) => Cause::Assessment(id),
            (None, Some(id), None) => Cause::Attendance(id),
            (None, None, Some(id)) => Cause::Concern(id),
            _ => return Err(wrong()),
        };
        let place = Place::of(self.client_id, self.id);
        let said = match (self.said, self.concern_id) {
            (Some(said), Some(id)) => tx.open(Place::of(self.client_id, id), super::concern::TEXT, said).await?,
            _ => Personal::default(),
        };
        let resolved = match (self.resolved_at, self.resolved_by, self.action, self.note) {
            (None, None, None, None) => None,
            (Some(at), Some(by), Some(action), Some(note)) => {
                Some(Resolved { at: at.0, by, action, note: tx.open(place, NOTE, note).await? })
            }
            _ => return Err(Error::Inconsistent { table: "escalation", what: self.id.to_string() }),
        };
        Ok(Escalation {
            id: self.id,
            version: self.version,
            organisation_id: self.organisation_id,
            client_id: self.client_id,
            reference: self.client_reference,
            counsellor_id: self.counsellor_id,
            alarm: Alarm { level: self.level, trigger: self.trigger_code },
            cause,
            cause_superseded: self.cause_superseded,
            said,
            zone: self.zone.0,
            raised_at: self.raised_at.0,
            due_at: self.due_at.0,
            acknowledged: self.acknowledged_at.map(|at| at.0).zip(self.acknowledged_by),
            resolved,
        })
    }
}

/// Writes a new escalation, which nobody has acknowledged. [`Error::Conflict`] when its cause has raised it before.
pub async fn insert(tx: &mut Tx, it: &Escalation) -> Result<()> {
    let (assessment_id, attendance_id, concern_id) = match it.cause {
        Cause::Assessment(id) => (Some(id), None, None),
        Cause::Attendance(id) => (None, Some(id), None),
        Cause::Concern(id) => (None, None, Some(id)),
    };
    tx.sql(
        "INSERT INTO escalation (id, version, organisation_id, client_id, counsellor_id, level, trigger_code,
            assessment_id, attendance_id, concern_id, zone, raised_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(it.counsellor_id)
    .bind(it.alarm.level)
    .bind(it.alarm.trigger)
    .bind(assessment_id)
    .bind(attendance_id)
    .bind(concern_id)
    .bind(Zone(it.zone))
    .bind(Instant(it.raised_at))
    .bind(Instant(it.due_at))
    .claim()
    .await
}

/// Writes what people have done about it.
pub async fn update(tx: &mut Tx, it: &Escalation) -> Result<()> {
    let note = tx.seal_some(Place::of(it.client_id, it.id), NOTE, it.resolved.as_ref().map(|it| &it.note)).await?;
    let resolved = it.resolved.as_ref();
    tx.sql(
        "UPDATE escalation SET version = $2, acknowledged_at = $3, acknowledged_by = $4, resolved_at = $5,
            resolved_by = $6, action = $7, note = $8 WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(it.acknowledged.as_ref().map(|(at, _)| Instant(*at)))
    .bind(it.acknowledged.as_ref().map(|(_, by)| by.clone()))
    .bind(resolved.map(|it| Instant(it.at)))
    .bind(resolved.map(|it| it.by.clone()))
    .bind(resolved.map(|it| it.action))
    .bind(note)
    .run()
    .await
    .map(drop)
}

/// Writes that its time has run out. Nobody's etag changes by it: whoever has read it can still take it on.
pub async fn pass_on(tx: &mut Tx, id: EscalationId, at: Instant) -> Result<()> {
    let sql = tx.sql("UPDATE escalation SET passed_on_at = $2 WHERE id = $1 AND passed_on_at IS NULL");
    sql.bind(id).bind(at).run().await.map(drop)
}

/// Reads one, what people wrote included.
pub async fn find(tx: &mut Tx, id: EscalationId, lock: Lock) -> Result<Option<Escalation>> {
    if lock != Lock::None {
        // Alone: what is read beside it stays as it is, or belongs to others.
        let sql = tx.sql_locked("SELECT id FROM escalation WHERE id = $1", lock);
        sql.bind(id).maybe::<(EscalationId,)>().await?;
    }
    let sql = tx.sql(
        "SELECT it.*, client.reference AS client_reference, concern.text AS said,
            (EXISTS (SELECT 1 FROM assessment WHERE assessment.supersedes_id = it.assessment_id)
             OR EXISTS (SELECT 1 FROM attendance WHERE attendance.supersedes_id = it.attendance_id))
            AS cause_superseded
           FROM escalation AS it JOIN client ON client.id = it.client_id
           LEFT JOIN concern ON concern.id = it.concern_id
          WHERE it.id = $1",
    );
    match sql.bind(id).maybe::<Row>().await? {
        Some(row) => row.open(tx).await.map(Some),
        None => Ok(None),
    }
}

/// The escalation that a concern has raised.
pub async fn of_concern(tx: &mut Tx, id: ConcernId) -> Result<Option<EscalationId>> {
    let sql = tx.sql("SELECT id FROM escalation WHERE concern_id = $1");
    Ok(sql.bind(id).maybe::<(EscalationId,)>().await?.map(|row| row.0))
}

/// The escalations about a client that assessments have raised at an instant: those of one request.
pub async fn raised_at(tx: &mut Tx, client_id: ClientId, at: Instant) -> Result<Vec<Escalation>> {
    let sql = tx.sql("SELECT id FROM escalation WHERE client_id = $1 AND raised_at = $2 AND assessment_id IS NOT NULL");
    let ids = sql.bind(client_id).bind(at).all::<(EscalationId,)>().await?;
    let mut all = Vec::with_capacity(ids.len());
    for (id,) in ids {
        all.extend(find(tx, id, Lock::None).await?);
    }
    Ok(all)
}

/// Whether an unresolved escalation of one of these levels is about a client; one that was raised before an instant, if
/// any is given.
pub async fn is_open(
    tx: &mut Tx,
    client_id: ClientId,
    levels: &[Level],
    before: Option<DateTime<Utc>>,
) -> Result<bool> {
    let sql = tx.sql_each(
        "SELECT id FROM escalation WHERE client_id = $1 AND resolved_at IS NULL AND raised_at < $2
            AND level IN ({ids}) LIMIT 1",
        levels.len(),
    );
    let sql = sql.bind(client_id).bind(Instant(before.unwrap_or(LAST)));
    Ok(sql.bind_each(levels).maybe::<(EscalationId,)>().await?.is_some())
}

/// Later than whatever happens.
const LAST: DateTime<Utc> = NaiveDate::from_ymd_opt(2201, 1, 1).unwrap().and_time(NaiveTime::MIN).and_utc();

/// Which escalations.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: OrganisationId,
    /// Only those that name this counsellor, or are about a client of that counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Only about this client.
    pub client_id: Option<ClientId>,
    /// Resolved ones too.
    pub resolved: bool,
    /// Only those that name this role at an instant.
    pub named: Option<Named>,
    /// That instant.
    pub now: DateTime<Utc>,
    /// After this due instant and id.
    pub after: Option<(DateTime<Utc>, EscalationId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of them by due instant, what people wrote included.
pub async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Escalation>> {
    let first = (DateTime::UNIX_EPOCH, EscalationId(uuid::Uuid::nil()));
    let (after, after_id) = listing.after.unwrap_or(first);
    let sql = tx
        .sql(if listing.resolved { ALL } else { OPEN })
        .bind(listing.organisation_id)
        .bind(listing.counsellor_id)
        .bind(listing.client_id)
        .bind(listing.named.map(Named::as_str))
        .bind(Instant(listing.now))
        .bind(Instant(after))
        .bind(after_id)
        .bind(listing.most);
    let rows = sql.all::<Row>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(row.open(tx).await?);
    }
    Ok(all)
}

const OPEN: &str = "SELECT it.*, client.reference AS client_reference, concern.text AS said,
        (EXISTS (SELECT 1 FROM assessment WHERE assessment.supersedes_id = it.assessment_id)
         OR EXISTS (SELECT 1 FROM attendance WHERE attendance.supersedes_id = it.attendance_id)) AS cause_superseded
       FROM escalation AS it JOIN client ON client.id = it.client_id
       LEFT JOIN concern ON concern.id = it.concern_id
      WHERE it.organisation_id = $1 AND it.resolved_at IS NULL
        AND (CAST($2 AS UUID) IS NULL OR it.counsellor_id = $2
             OR EXISTS (SELECT 1 FROM own_client AS own WHERE own.client_id = it.client_id AND own.counsellor_id = $2))
        AND (CAST($3 AS UUID) IS NULL OR it.client_id = $3)
        AND (CAST($4 AS TEXT) IS NULL OR (it.acknowledged_at IS NULL
             AND (CAST($4 AS TEXT) = 'COUNSELLOR') = (it.due_at > $5)))
        AND (it.due_at, it.id) > ($6, $7)
      ORDER BY it.due_at, it.id LIMIT $8";
const ALL: &str = "SELECT it.*, client.reference AS client_reference, concern.text AS said,
        (EXISTS (SELECT 1 FROM assessment WHERE assessment.supersedes_id = it.assessment_id)
         OR EXISTS (SELECT 1 FROM attendance WHERE attendance.supersedes_id = it.attendance_id)) AS cause_superseded
       FROM escalation AS it JOIN client ON client.id = it.client_id
       LEFT JOIN concern ON concern.id = it.concern_id
      WHERE it.organisation_id = $1
        AND (CAST($2 AS UUID) IS NULL OR it.counsellor_id = $2
             OR EXISTS (SELECT 1 FROM own_client AS own WHERE own.client_id = it.client_id AND own.counsellor_id = $2))
        AND (CAST($3 AS UUID) IS NULL OR it.client_id = $3)
        AND (CAST($4 AS TEXT) IS NULL OR (it.acknowledged_at IS NULL
             AND (CAST($4 AS TEXT) = 'COUNSELLOR') = (it.due_at > $5)))
        AND (it.due_at, it.id) > ($6, $7)
      ORDER BY it.due_at, it.id LIMIT $8";
