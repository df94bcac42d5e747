//! Assessments. The schema lets nobody change one but for its end: a correction takes its place.

use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::Instant;
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::tx::Tx;
use crate::domain::access::Role;
use crate::domain::assessment::Assessment;
use crate::domain::attendance::Author;
use crate::domain::ids::{AssessmentId, ClientId, MilestoneId, OrganisationId, PlanId};
use crate::domain::instrument::{Form, Informant};
use crate::domain::personal::Personal;
use crate::domain::text::{Code, Language};

const ANSWERS: &str = "assessment.answers";
const RESULT: &str = "assessment.result";
const REASON: &str = "assessment.reason";

#[derive(sqlx::FromRow)]
struct Row {
    id: AssessmentId,
    organisation_id: OrganisationId,
    client_id: ClientId,
    plan_id: PlanId,
    milestone_id: Option<MilestoneId>,
    instrument: Code,
    instrument_version: String,
    informant: Informant,
    language: Language,
    recall: Code,
    assessed_on: NaiveDate,
    closed: bool,
    answers: Sealed,
    result: Sealed,
    recorded_at: Instant,
    recorded_by: String,
    recorded_as: Role,
    supersedes_id: Option<AssessmentId>,
    reason: Option<Sealed>,
    stands: bool,
}

impl Row {
    /// Nothing when the client was erased: of an assessment without answers and result, nothing is left.
    async fn open(self, tx: &mut Tx) -> Result<Option<Assessment>> {
        let (id, place) = (self.id, Place::of(self.client_id, self.id));
        let supersedes = match (self.supersedes_id, self.reason) {
            (Some(id), Some(reason)) => Some((id, tx.open(place, REASON, reason).await?)),
            (None, None) => None,
            _ => return Err(wrong(id)),
        };
        let answers = tx.open(place, ANSWERS, self.answers).await?;
        let result = tx.open(place, RESULT, self.result).await?;
        if answers.is_empty() {
            return Ok(None);
        }
        Ok(Some(Assessment {
            id,
            organisation_id: self.organisation_id,
            client_id: self.client_id,
            plan_id: self.plan_id,
            milestone_id: self.milestone_id,
            form: Form {
                instrument: self.instrument,
                version: self.instrument_version,
                informant: self.informant,
                recall: self.recall,
                language: self.language,
            },
            assessed_on: self.assessed_on,
            closed: self.closed,
            answers: read(id, &answers)?,
            result: read(id, &result)?,
            recorded_at: self.recorded_at.0,
            recorded_by: Author { principal: self.recorded_by, role: self.recorded_as },
            supersedes,
            stands: self.stands,
        }))
    }
}

fn wrong(id: AssessmentId) -> Error {
    Error::Inconsistent { table: "assessment", what: id.to_string() }
}

fn read<T: DeserializeOwned>(id: AssessmentId, text: &Personal) -> Result<T> {
    serde_json::from_str(text.expose()).map_err(|_| wrong(id))
}

fn written<T: Serialize>(id: AssessmentId, it: &T) -> Result<Personal> {
    serde_json::to_string(it).map(Personal::new).map_err(|_| wrong(id))
}

/// Writes an assessment. [`Error::Conflict`] when one like it stands on that day, or another has taken the place of the
/// one that it supersedes.
pub async fn insert(tx: &mut Tx, it: &Assessment) -> Result<()> {
    let place = Place::of(it.client_id, it.id);
    let answers = tx.seal(place, ANSWERS, &written(it.id, &it.answers)?).await?;
    let result = tx.seal(place, RESULT, &written(it.id, &it.result)?).await?;
    let reason = tx.seal_some(place, REASON, it.supersedes.as_ref().map(|(_, reason)| reason)).await?;
    tx.sql(
        "INSERT INTO assessment (id, organisation_id, client_id, plan_id, milestone_id, instrument, instrument_version,
            rule_set, informant, language, recall, assessed_on, closed, answers, result, recorded_at, recorded_by,
            recorded_as, supersedes_id, reason, stands)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
         ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(it.plan_id)
    .bind(it.milestone_id)
    .bind(it.form.instrument.clone())
    .bind(it.form.version.clone())
    .bind(it.result.score.rule_set.clone())
    .bind(it.form.informant)
    .bind(it.form.language.clone())
    .bind(it.form.recall.clone())
    .bind(it.assessed_on)
    .bind(it.closed)
    .bind(answers)
    .bind(result)
    .bind(Instant(it.recorded_at))
    .bind(it.recorded_by.principal.clone())
    .bind(it.recorded_by.role)
    .bind(it.supersedes.as_ref().map(|(id, _)| *id))
    .bind(reason)
    .bind(it.stands)
    .claim()
    .await
}

/// Ends an assessment whose place another takes; whether it stood.
pub async fn end(tx: &mut Tx, id: AssessmentId) -> Result<bool> {
    let sql = tx.sql("UPDATE assessment SET stands = FALSE WHERE id = $1 AND stands");
    Ok(sql.bind(id).run().await? > 0)
}

/// Reads one assessment; nothing is left of those of a client who was erased.
pub async fn find(tx: &mut Tx, id: AssessmentId) -> Result<Option<Assessment>> {
    match tx.sql("SELECT * FROM assessment WHERE id = $1").bind(id).maybe::<Row>().await? {
        Some(row) => row.open(tx).await,
        None => Ok(None),
    }
}

/// The day of the first assessment of a plan that stands.
pub async fn first_on(tx: &mut Tx, client_id: ClientId, plan_id: PlanId) -> Result<Option<NaiveDate>> {
    let sql = tx.sql(
        "SELECT assessed_on FROM assessment WHERE client_id = $1 AND plan_id = $2 AND stands = TRUE
          ORDER BY assessed_on LIMIT 1",
    );
    Ok(sql.bind(client_id).bind(plan_id).maybe::<(NaiveDate,)>().await?.map(|row| row.0))
}

/// The assessment that has taken the place of another.
pub async fn successor(tx: &mut Tx, id: AssessmentId) -> Result<Option<AssessmentId>> {
    let sql = tx.sql("SELECT id FROM assessment WHERE supersedes_id = $1").bind(id);
    Ok(sql.maybe::<(AssessmentId,)>().await?.map(|(id,)| id))
}

/// The assessments of a survivor that stand, of one instrument or of all, as they were made.
pub async fn standing(tx: &mut Tx, client_id: ClientId, instrument: Option<&Code>) -> Result<Vec<Assessment>> {
    let sql = tx.sql(
        "SELECT * FROM assessment
          WHERE client_id = $1 AND stands AND (CAST($2 AS TEXT) IS NULL OR instrument = $2)
          ORDER BY assessed_on, id",
    );
    let rows = sql.bind(client_id).bind(instrument.cloned()).all().await?;
    opened(tx, rows).await
}

/// Every assessment of a survivor, superseded ones too, as they were made.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<Assessment>> {
    let sql = tx.sql("SELECT * FROM assessment WHERE client_id = $1 ORDER BY assessed_on, id");
    let rows = sql.bind(id).all().await?;
    opened(tx, rows).await
}

async fn opened(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Assessment>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.extend(row.open(tx).await?);
    }
    Ok(all)
}
