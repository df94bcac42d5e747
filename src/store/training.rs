//! What became of trainings. The schema lets nobody change a record, and numbers those of a session.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::session::{self, by_ids};
use super::tx::Tx;
use crate::domain::ids::{CounsellorId, OrganisationId, SessionId, TrainingRecordId};
use crate::domain::personal::Personal;
use crate::domain::session::Session;
use crate::domain::training::{Draft, Record, Trainee};

const TRAINEES: &str = "training_record.trainees";
const OUTCOME: &str = "training_record.outcome";
const REASON: &str = "training_record.reason";

#[derive(sqlx::FromRow)]
struct Row {
    id: TrainingRecordId,
    session_id: SessionId,
    number: i64,
    police_unit: String,
    topic: String,
    invited: i64,
    attended: i64,
    trainees: Sealed,
    outcome: Sealed,
    recorded_at: Instant,
    recorded_by: String,
    reason: Option<Sealed>,
}

impl Row {
    async fn open(self, tx: &mut Tx) -> Result<Record> {
        let place = Place::of(self.session_id, self.id);
        let wrong = |_| Error::Inconsistent { table: TRAINEES, what: self.id.to_string() };
        let trainees = tx.open(place, TRAINEES, self.trainees.clone()).await?;
        let trainees: Vec<(String, String, bool)> = serde_json::from_str(trainees.expose()).map_err(wrong)?;
        let trainee =
            |(name, post, attended)| Trainee { name: Personal::new(name), post: Personal::new(post), attended };
        let trainees = trainees.into_iter().map(trainee).collect();
        let outcome = tx.open(place, OUTCOME, self.outcome.clone()).await?;
        let reason = match self.reason.clone() {
            Some(reason) => Some(tx.open(place, REASON, reason).await?),
            None => None,
        };
        let mut record = self.closed();
        record.draft = Draft { trainees, outcome, reason, ..record.draft };
        Ok(record)
    }

    /// Without names and texts, which are not opened.
    fn closed(self) -> Record {
        let count = |number: i64| u32::try_from(number).unwrap_or_default();
        Record {
            id: self.id,
            number: count(self.number),
            draft: Draft {
                police_unit: self.police_unit,
                topic: self.topic,
                trainees: Vec::new(),
                outcome: Personal::default(),
                reason: None,
            },
            invited: count(self.invited),
            attended: count(self.attended),
            recorded_at: self.recorded_at.0,
            recorded_by: self.recorded_by,
        }
    }
}

/// Writes a record. [`Error::Conflict`] when one with this number exists.
pub async fn insert(tx: &mut Tx, session_id: SessionId, it: &Record) -> Result<()> {
    let wrong = |_| Error::Inconsistent { table: TRAINEES, what: session_id.to_string() };
    let trainees: Vec<_> =
        it.draft.trainees.iter().map(|it| (it.name.expose(), it.post.expose(), it.attended)).collect();
    let trainees = Personal::new(serde_json::to_string(&trainees).map_err(wrong)?);
    let place = Place::of(session_id, it.id);
    let trainees = tx.seal(place, TRAINEES, &trainees).await?;
    let outcome = tx.seal(place, OUTCOME, &it.draft.outcome).await?;
    let reason = tx.seal_some(place, REASON, it.draft.reason.as_ref()).await?;
    tx.sql(
        "INSERT INTO training_record (id, session_id, number, police_unit, topic, invited, attended, trainees, outcome,
            recorded_at, recorded_by, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(session_id)
    .bind(i64::from(it.number))
    .bind(it.draft.police_unit.clone())
    .bind(it.draft.topic.clone())
    .bind(i64::from(it.invited))
    .bind(i64::from(it.attended))
    .bind(trainees)
    .bind(outcome)
    .bind(Instant(it.recorded_at))
    .bind(it.recorded_by.clone())
    .bind(reason)
    .claim()
    .await
}

/// The record of a session that stands, with names and texts.
pub async fn current(tx: &mut Tx, session_id: SessionId) -> Result<Option<Record>> {
    let sql = tx.sql("SELECT * FROM training_record WHERE session_id = $1 ORDER BY number DESC LIMIT 1");
    match sql.bind(session_id).maybe::<Row>().await? {
        Some(row) => row.open(tx).await.map(Some),
        None => Ok(None),
    }
}

/// Which trainings.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: OrganisationId,
    /// That this counsellor leads.
    pub counsellor_id: Option<CounsellorId>,
    /// On this local day or later.
    pub from: Option<NaiveDate>,
    /// On this local day or earlier.
    pub until: Option<NaiveDate>,
    /// Only those that had ended by then and of which nothing is recorded.
    pub unrecorded_by: Option<DateTime<Utc>>,
    /// After this start and id.
    pub after: Option<(DateTime<Utc>, SessionId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of trainings that stand, by start, with the records that stand, without names and texts.
pub async fn list(tx: &mut Tx, it: &Listing) -> Result<Vec<(Session, Option<Record>)>> {
    let (after, after_id) = it.after.unwrap_or((DateTime::UNIX_EPOCH, SessionId(Uuid::nil())));
    let sql = tx.sql(
        "SELECT id FROM session
          WHERE organisation_id = $1 AND service = 'TRAINING' AND state = 'BOOKED' AND (starts_at, id) > ($2, $3)
            AND (CAST($4 AS UUID) IS NULL OR counsellor_id = $4
                 OR id IN (SELECT session_id FROM session_facilitator WHERE counsellor_id = $4))
            AND (CAST($5 AS DATE) IS NULL OR on_date >= $5) AND (CAST($6 AS DATE) IS NULL OR on_date <= $6)
            AND (CAST($7 AS TIMESTAMPTZ) IS NULL OR (ends_at <= $7
                 AND NOT EXISTS (SELECT 1 FROM training_record WHERE session_id = session.id)))
          ORDER BY starts_at, id LIMIT $8",
    );
    let sql = sql.bind(it.organisation_id).bind(Instant(after)).bind(after_id).bind(it.counsellor_id);
    let sql = sql.bind(it.from).bind(it.until).bind(it.unrecorded_by.map(Instant)).bind(it.most);
    let ids: Vec<(SessionId,)> = sql.all().await?;
    let ids: Vec<SessionId> = ids.into_iter().map(|(id,)| id).collect();
    let mut records = of_sessions(tx, &ids).await?;
    let mut sessions = by_ids(tx, &ids).await?;
    sessions.sort_by_key(|it| (it.span.starts_at(), it.id));
    let mut record = |id: SessionId| records.iter().position(|it| it.0 == id).map(|at| records.swap_remove(at).1);
    Ok(sessions.into_iter().map(|session| (record(session.id), session)).map(|(one, other)| (other, one)).collect())
}

async fn of_sessions(tx: &mut Tx, ids: &[SessionId]) -> Result<Vec<(SessionId, Record)>> {
    let mut all = Vec::new();
    for some in ids.chunks(session::MOST_IDS) {
        let sql = tx.sql_each(
            "SELECT * FROM training_record AS it WHERE session_id IN ({ids}) AND NOT EXISTS (
                SELECT 1 FROM training_record AS later WHERE later.session_id = it.session_id AND later.number > it.number)",
            some.len(),
        );
        let rows = sql.bind_ids(some).all::<Row>().await?;
        all.extend(rows.into_iter().map(|row| (row.session_id, row.closed())));
    }
    Ok(all)
}
