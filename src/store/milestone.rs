//! Milestones, what they ask for, the sessions booked for them, and who finds them among the own.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
pub use super::milestone_list::{Kind, Of, Wanted, listed};
use super::seal::{Place, Sealed};
use super::tx::Tx;
use crate::domain::followup::milestone::{Asked, Days, Milestone, Setting, Standing};
use crate::domain::ids::{
    AssessmentId, CaseId, ClientId, CounsellorId, MilestoneId, OrganisationId, PlanId, SessionId,
};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;

const EXCUSE: &str = "milestone.excuse_reason";
const INSTRUMENT_EXCUSE: &str = "milestone_instrument.excuse_reason";

#[derive(sqlx::FromRow)]
struct Row {
    id: MilestoneId,
    version: i64,
    plan_id: PlanId,
    organisation_id: OrganisationId,
    counsellor_id: Option<CounsellorId>,
    code: String,
    number: i64,
    standing: Standing,
    provisional: bool,
    anchor_on: Option<NaiveDate>,
    opens_on: Option<NaiveDate>,
    due_on: Option<NaiveDate>,
    closes_on: Option<NaiveDate>,
    due_at: Option<Instant>,
    done_on: Option<NaiveDate>,
    done_at: Option<Instant>,
    excused_at: Option<Instant>,
    client_id: Option<ClientId>,
    reference: Option<Reference>,
    case_file_id: Option<CaseId>,
    zone: Zone,
    template: String,
    template_version: i64,
    closed_at: Option<Instant>,
    needs_attention: bool,
}

impl Row {
    fn milestone(self, asked: Vec<Asked>, session_id: Option<SessionId>) -> Result<Milestone> {
        let wrong = |_| Error::Inconsistent { table: "milestone", what: self.id.to_string() };
        let setting = Setting {
            client: self.client_id.zip(self.reference),
            case_id: self.case_file_id,
            zone: self.zone.0,
            template: self.template,
            template_version: u32::try_from(self.template_version).map_err(wrong)?,
            closed_at: self.closed_at.map(|at| at.0),
            needs_attention: self.needs_attention,
        };
        Ok(Milestone {
            id: self.id,
            version: self.version,
            plan_id: self.plan_id,
            organisation_id: self.organisation_id,
            counsellor_id: self.counsellor_id,
            code: self.code,
            number: u32::try_from(self.number).map_err(wrong)?,
            standing: self.standing,
            excused: self.excused_at.is_some(),
            days: Days {
                anchor_on: self.anchor_on,
                provisional: self.provisional,
                opens_on: self.opens_on,
                due_on: self.due_on,
                closes_on: self.closes_on,
                due_at: self.due_at.map(|at| at.0),
            },
            done_on: self.done_on,
            done_at: self.done_at.map(|at| at.0),
            asked,
            session_id,
            setting,
        })
    }
}

#[derive(sqlx::FromRow)]
struct AskedRow {
    milestone_id: MilestoneId,
    instrument: String,
    assessment_id: Option<AssessmentId>,
    assessed_on: Option<NaiveDate>,
    excused_at: Option<Instant>,
}

/// The milestones of rows, in their order, with what they ask for and the sessions booked for them.
async fn complete(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Milestone>> {
    let ids: Vec<MilestoneId> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = tx.sql_each(
        "SELECT asked.milestone_id, asked.instrument, asked.assessment_id, assessment.assessed_on, asked.excused_at
           FROM milestone_instrument AS asked LEFT JOIN assessment ON assessment.id = asked.assessment_id
          WHERE asked.milestone_id IN ({ids}) ORDER BY asked.instrument",
        ids.len(),
    );
    let mut asked: BTreeMap<MilestoneId, Vec<Asked>> = BTreeMap::new();
    for row in sql.bind_ids(&ids).all::<AskedRow>().await? {
        let answered = row.assessment_id.zip(row.assessed_on);
        let it = Asked { instrument: row.instrument, answered, excused: row.excused_at.is_some() };
        asked.entry(row.milestone_id).or_default().push(it);
    }
    // Of several that stand, the last.
    let sql = tx.sql_each(
        "SELECT milestone_id, session_id FROM milestone_session JOIN session ON session.id = session_id
          WHERE session.state = 'BOOKED' AND milestone_id IN ({ids}) ORDER BY session.starts_at, session.id",
        ids.len(),
    );
    let sessions: BTreeMap<MilestoneId, SessionId> = sql.bind_ids(&ids).all().await?.into_iter().collect();
    let of = |row: Row| {
        let (asked, session_id) = (asked.remove(&row.id).unwrap_or_default(), sessions.get(&row.id).copied());
        row.milestone(asked, session_id)
    };
    rows.into_iter().map(of).collect()
}

/// The milestones of a plan, by due day; those without one last.
pub async fn of_plan(tx: &mut Tx, id: PlanId) -> Result<Vec<Milestone>> {
    let sql = tx.sql(
        "SELECT milestone.*, plan.client_id, client.reference, plan.case_file_id, plan.zone, plan.template,
                plan.template_version, plan.closed_at, EXISTS (SELECT 1 FROM escalation
                 WHERE escalation.client_id = plan.client_id AND escalation.resolved_at IS NULL) AS needs_attention
           FROM milestone JOIN follow_up_plan AS plan ON plan.id = milestone.plan_id
           LEFT JOIN client ON client.id = plan.client_id
          WHERE milestone.plan_id = $1 ORDER BY due_on IS NULL, due_on, milestone.id",
    );
    let rows = sql.bind(id).all::<Row>().await?;
    complete(tx, rows).await
}

/// Reads milestones, in the order of the ids.
pub async fn by_ids(tx: &mut Tx, ids: &[MilestoneId]) -> Result<Vec<Milestone>> {
    let sql = tx.sql_each(
        "SELECT milestone.*, plan.client_id, client.reference, plan.case_file_id, plan.zone, plan.template,
                plan.template_version, plan.closed_at, EXISTS (SELECT 1 FROM escalation
                 WHERE escalation.client_id = plan.client_id AND escalation.resolved_at IS NULL) AS needs_attention
           FROM milestone JOIN follow_up_plan AS plan ON plan.id = milestone.plan_id
           LEFT JOIN client ON client.id = plan.client_id
          WHERE milestone.id IN ({ids})",
        ids.len(),
    );
    let rows = sql.bind_ids(ids).all::<Row>().await?;
    let mut all = complete(tx, rows).await?;
    all.sort_by_key(|it| ids.iter().position(|id| *id == it.id));
    Ok(all)
}

/// Reads one milestone.
pub async fn find(tx: &mut Tx, id: MilestoneId) -> Result<Option<Milestone>> {
    Ok(by_ids(tx, &[id]).await?.pop())
}

/// The plan of a milestone.
pub async fn plan_of(tx: &mut Tx, id: MilestoneId) -> Result<Option<PlanId>> {
    let sql = tx.sql("SELECT plan_id FROM milestone WHERE id = $1");
    Ok(sql.bind(id).maybe::<(PlanId,)>().await?.map(|row| row.0))
}

/// Writes a new milestone with what it asks for.
pub async fn insert(tx: &mut Tx, it: &Milestone, now: Instant) -> Result<()> {
    tx.sql(
        "INSERT INTO milestone (id, version, updated_at, plan_id, organisation_id, counsellor_id, code, number, standing,
            provisional, anchor_on, opens_on, due_on, closes_on, due_at, done_on, done_at, listed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(now)
    .bind(it.plan_id)
    .bind(it.organisation_id)
    .bind(it.counsellor_id)
    .bind(it.code.clone())
    .bind(i64::from(it.number))
    .bind(it.standing)
    .bind(it.days.provisional)
    .bind(it.days.anchor_on)
    .bind(it.days.opens_on)
    .bind(it.days.due_on)
    .bind(it.days.closes_on)
    .bind(it.days.due_at.map(Instant))
    .bind(it.done_on)
    .bind(it.done_at.map(Instant))
    .bind(it.is_listed())
    .claim()
    .await?;
    for asked in &it.asked {
        ask(tx, it.id, &asked.instrument).await?;
    }
    Ok(())
}

/// Writes what can change of a milestone, and what it asks for; what is excused has a writer of its own.
pub async fn update(tx: &mut Tx, it: &Milestone, before: &Milestone, now: Instant) -> Result<()> {
    tx.sql(
        "UPDATE milestone SET version = $2, updated_at = $3, counsellor_id = $4, standing = $5, provisional = $6,
            anchor_on = $7, opens_on = $8, due_on = $9, closes_on = $10, due_at = $11, done_on = $12, done_at = $13,
            listed = $14 WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(now)
    .bind(it.counsellor_id)
    .bind(it.standing)
    .bind(it.days.provisional)
    .bind(it.days.anchor_on)
    .bind(it.days.opens_on)
    .bind(it.days.due_on)
    .bind(it.days.closes_on)
    .bind(it.days.due_at.map(Instant))
    .bind(it.done_on)
    .bind(it.done_at.map(Instant))
    .bind(it.is_listed())
    .run()
    .await?;
    let asks = |of: &Milestone, instrument: &str| of.asked.iter().any(|asked| asked.instrument == instrument);
    for gone in before.asked.iter().filter(|asked| !asks(it, &asked.instrument)) {
        let sql = tx.sql("DELETE FROM milestone_instrument WHERE milestone_id = $1 AND instrument = $2");
        sql.bind(it.id).bind(gone.instrument.clone()).run().await?;
    }
    for new in it.asked.iter().filter(|asked| !asks(before, &asked.instrument)) {
        ask(tx, it.id, &new.instrument).await?;
    }
    Ok(())
}

/// Takes the milestones of a plan off every list.
pub async fn unlist(tx: &mut Tx, plan_id: PlanId) -> Result<()> {
    let sql = tx.sql("UPDATE milestone SET listed = FALSE WHERE plan_id = $1 AND listed = TRUE");
    sql.bind(plan_id).run().await.map(drop)
}

async fn ask(tx: &mut Tx, id: MilestoneId, instrument: &str) -> Result<()> {
    let sql = tx.sql("INSERT INTO milestone_instrument (milestone_id, instrument) VALUES ($1, $2)");
    sql.bind(id).bind(instrument.to_owned()).run().await.map(drop)
}

/// Puts an assessment into the place of an instrument in a milestone.
pub async fn answer(tx: &mut Tx, id: MilestoneId, instrument: &str, with: AssessmentId) -> Result<()> {
    let sql = tx.sql("UPDATE milestone_instrument SET assessment_id = $3 WHERE milestone_id = $1 AND instrument = $2");
    sql.bind(id).bind(instrument.to_owned()).bind(with).run().await.map(drop)
}

/// Puts an assessment out of its milestone.
pub async fn unanswer(tx: &mut Tx, assessment_id: AssessmentId) -> Result<()> {
    let sql = tx.sql("UPDATE milestone_instrument SET assessment_id = NULL WHERE assessment_id = $1");
    sql.bind(assessment_id).run().await.map(drop)
}

/// The milestone that an assessment was given for, complete or not.
pub async fn of_assessment(tx: &mut Tx, id: AssessmentId) -> Result<Option<MilestoneId>> {
    let sql = tx.sql("SELECT milestone_id FROM assessment WHERE id = $1");
    Ok(sql.bind(id).maybe::<(Option<MilestoneId>,)>().await?.and_then(|row| row.0))
}

/// That a person has excused something, and why.
#[derive(Clone, Debug)]
pub struct Excused {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: Personal,
}

/// Writes that a milestone is excused, or is not any more, and how it stands by that.
pub async fn excuse(tx: &mut Tx, it: &Milestone, standing: Standing, excused: Option<&Excused>) -> Result<()> {
    let place = Place::of(owner(it), it.id);
    let reason = tx.seal_some(place, EXCUSE, excused.map(|it| &it.reason)).await?;
    let sql = tx.sql(
        "UPDATE milestone SET standing = $2, excused_at = $3, excused_by = $4, excuse_reason = $5, listed = FALSE
          WHERE id = $1",
    );
    let sql = sql.bind(it.id).bind(standing).bind(excused.map(|it| Instant(it.at)));
    sql.bind(excused.map(|it| it.by.clone())).bind(reason).run().await.map(drop)
}

/// Writes that an instrument of a milestone is excused, or is not any more.
pub async fn excuse_instrument(tx: &mut Tx, it: &Milestone, instrument: &str, excused: Option<&Excused>) -> Result<()> {
    let place = Place::of(owner(it), it.id).part(instrument);
    let reason = tx.seal_some(place, INSTRUMENT_EXCUSE, excused.map(|it| &it.reason)).await?;
    let sql = tx.sql(
        "UPDATE milestone_instrument SET excused_at = $3, excused_by = $4, excuse_reason = $5
          WHERE milestone_id = $1 AND instrument = $2",
    );
    let sql = sql.bind(it.id).bind(instrument.to_owned()).bind(excused.map(|it| Instant(it.at)));
    sql.bind(excused.map(|it| it.by.clone())).bind(reason).run().await.map(drop)
}

/// What was excused in the plans of a client, and why: of a milestone, or of an instrument of one.
pub async fn excuses(tx: &mut Tx, id: ClientId) -> Result<Vec<(MilestoneId, Option<String>, Excused)>> {
    type Row = (MilestoneId, Option<String>, Sealed, Instant, String);
    let sql = tx.sql(
        "SELECT it.id, CAST(NULL AS TEXT), it.excuse_reason, it.excused_at, it.excused_by
           FROM milestone AS it JOIN follow_up_plan AS plan ON plan.id = it.plan_id
          WHERE plan.client_id = $1 AND it.excused_at IS NOT NULL ORDER BY it.id",
    );
    let mut rows: Vec<Row> = sql.bind(id).all().await?;
    let sql = tx.sql(
        "SELECT asked.milestone_id, asked.instrument, asked.excuse_reason, asked.excused_at, asked.excused_by
           FROM milestone_instrument AS asked JOIN milestone AS it ON it.id = asked.milestone_id
           JOIN follow_up_plan AS plan ON plan.id = it.plan_id
          WHERE plan.client_id = $1 AND asked.excused_at IS NOT NULL ORDER BY asked.milestone_id, asked.instrument",
    );
    rows.extend(sql.bind(id).all::<Row>().await?);
    let mut all = Vec::with_capacity(rows.len());
    for (milestone_id, instrument, reason, at, by) in rows {
        let place = Place::of(id, milestone_id);
        let reason = match &instrument {
            None => tx.open(place, EXCUSE, reason).await?,
            Some(instrument) => tx.open(place.part(instrument), INSTRUMENT_EXCUSE, reason).await?,
        };
        all.push((milestone_id, instrument, Excused { at: at.0, by, reason }));
    }
    Ok(all)
}

/// Whose key seals what is said about a milestone.
fn owner(it: &Milestone) -> uuid::Uuid {
    let client = it.setting.client.as_ref().map(|(id, _)| id.0);
    client.or(it.setting.case_id.map(|id| id.0)).unwrap_or(it.plan_id.0)
}

/// Who finds a milestone among the own, and by which day.
pub type Carer = (MilestoneId, CounsellorId, NaiveDate);

/// Writes who finds the milestones of a plan among the own.
pub async fn set_carers(tx: &mut Tx, plan_id: PlanId, wanted: &[Carer]) -> Result<()> {
    let sql = tx.sql(
        "SELECT mine.milestone_id, mine.counsellor_id, mine.due_on FROM milestone_carer AS mine
           JOIN milestone ON milestone.id = mine.milestone_id WHERE milestone.plan_id = $1",
    );
    let before: Vec<Carer> = sql.bind(plan_id).all().await?;
    for (milestone_id, counsellor_id, _) in before.iter().filter(|it| !wanted.contains(it)) {
        let sql = tx.sql("DELETE FROM milestone_carer WHERE milestone_id = $1 AND counsellor_id = $2");
        sql.bind(*milestone_id).bind(*counsellor_id).run().await?;
    }
    for (milestone_id, counsellor_id, due_on) in wanted.iter().filter(|it| !before.contains(it)) {
        let sql = tx.sql("INSERT INTO milestone_carer (milestone_id, counsellor_id, due_on) VALUES ($1, $2, $3)");
        sql.bind(*milestone_id).bind(*counsellor_id).bind(*due_on).run().await?;
    }
    Ok(())
}
