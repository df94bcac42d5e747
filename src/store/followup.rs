//! Follow-up plans, and what of sessions their days hang on.

use chrono::NaiveDate;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::case_event::CaseEventKind;
use crate::domain::code::CareService;
use crate::domain::followup::days::Visit;
use crate::domain::followup::procedure::Happened;
use crate::domain::followup::{Closing, Course, Plan, Subject};
use crate::domain::ids::{CaseId, ClientId, CounsellorId, OrganisationId, PlanId};
use crate::domain::outcome::Outcome;

#[derive(sqlx::FromRow)]
struct Row {
    id: PlanId,
    version: i64,
    created_at: Instant,
    organisation_id: OrganisationId,
    client_id: Option<ClientId>,
    case_file_id: Option<CaseId>,
    counsellor_id: Option<CounsellorId>,
    template: String,
    template_version: i64,
    zone: Zone,
    intake_on: NaiveDate,
    report_on: Option<NaiveDate>,
    planned_sessions: Option<i64>,
    discharged_on: Option<NaiveDate>,
    first_attended_on: Option<NaiveDate>,
    closing: Option<Closing>,
    closed_at: Option<Instant>,
}

impl Row {
    fn plan(self) -> Result<Plan> {
        let wrong = || Error::Inconsistent { table: "follow_up_plan", what: self.id.to_string() };
        let subject = match (self.client_id, self.case_file_id, self.counsellor_id, self.planned_sessions) {
            (Some(client_id), None, Some(counsellor_id), Some(planned)) => Subject::Survivor(Course {
                client_id,
                counsellor_id,
                report_on: self.report_on,
                planned_sessions: u32::try_from(planned).map_err(|_| wrong())?,
                discharged_on: self.discharged_on,
                first_attended_on: self.first_attended_on,
            }),
            (None, Some(case_id), None, None) => Subject::Case(case_id),
            _ => return Err(wrong()),
        };
        Ok(Plan {
            id: self.id,
            version: self.version,
            organisation_id: self.organisation_id,
            subject,
            template_version: u32::try_from(self.template_version).map_err(|_| wrong())?,
            template: self.template,
            zone: self.zone.0,
            intake_on: self.intake_on,
            closed: self.closing.zip(self.closed_at.map(|at| at.0)),
            created_at: self.created_at.0,
        })
    }
}

/// Writes a new plan. [`Error::Conflict`] when an open one of the client or case is there.
pub async fn insert(tx: &mut Tx, it: &Plan, now: Instant) -> Result<()> {
    let course = it.course();
    tx.sql(
        "INSERT INTO follow_up_plan (id, version, created_at, updated_at, organisation_id, client_id, case_file_id,
            counsellor_id, template, template_version, zone, intake_on, report_on, planned_sessions, discharged_on,
            first_attended_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(Instant(it.created_at))
    .bind(now)
    .bind(it.organisation_id)
    .bind(course.map(|it| it.client_id))
    .bind(it.case_id())
    .bind(course.map(|it| it.counsellor_id))
    .bind(it.template.clone())
    .bind(i64::from(it.template_version))
    .bind(Zone(it.zone))
    .bind(it.intake_on)
    .bind(course.and_then(|it| it.report_on))
    .bind(course.map(|it| i64::from(it.planned_sessions)))
    .bind(course.and_then(|it| it.discharged_on))
    .bind(course.and_then(|it| it.first_attended_on))
    .claim()
    .await
}

/// Writes what can change of a plan.
pub async fn update(tx: &mut Tx, it: &Plan, now: Instant) -> Result<()> {
    let course = it.course();
    tx.sql(
        "UPDATE follow_up_plan SET version = $2, updated_at = $3, counsellor_id = $4, intake_on = $5, report_on = $6,
            planned_sessions = $7, discharged_on = $8, first_attended_on = $9, closing = $10, closed_at = $11
          WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(now)
    .bind(course.map(|it| it.counsellor_id))
    .bind(it.intake_on)
    .bind(course.and_then(|it| it.report_on))
    .bind(course.map(|it| i64::from(it.planned_sessions)))
    .bind(course.and_then(|it| it.discharged_on))
    .bind(course.and_then(|it| it.first_attended_on))
    .bind(it.closed.map(|(closing, _)| closing))
    .bind(it.closed.map(|(_, at)| Instant(at)))
    .run()
    .await
    .map(drop)
}

/// Reads one plan.
pub async fn find(tx: &mut Tx, id: PlanId, lock: Lock) -> Result<Option<Plan>> {
    let sql = tx.sql_locked("SELECT * FROM follow_up_plan WHERE id = $1", lock);
    sql.bind(id).maybe::<Row>().await?.map(Row::plan).transpose()
}

/// The last plan of a client.
pub async fn last_of_client(tx: &mut Tx, id: ClientId) -> Result<Option<Plan>> {
    let sql = tx.sql("SELECT * FROM follow_up_plan WHERE client_id = $1 ORDER BY id DESC LIMIT 1");
    sql.bind(id).maybe::<Row>().await?.map(Row::plan).transpose()
}

/// Every plan of a client, oldest first.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<Plan>> {
    let sql = tx.sql("SELECT * FROM follow_up_plan WHERE client_id = $1 ORDER BY id");
    sql.bind(id).all::<Row>().await?.into_iter().map(Row::plan).collect()
}

/// The last plan of a case.
pub async fn last_of_case(tx: &mut Tx, id: CaseId) -> Result<Option<Plan>> {
    let sql = tx.sql("SELECT * FROM follow_up_plan WHERE case_file_id = $1 ORDER BY id DESC LIMIT 1");
    sql.bind(id).maybe::<Row>().await?.map(Row::plan).transpose()
}

/// Locks the open plans of clients, in the order of their ids.
pub async fn lock_open(tx: &mut Tx, clients: &[ClientId]) -> Result<Vec<Plan>> {
    let sql = tx.sql_each_locked(
        "SELECT * FROM follow_up_plan WHERE client_id IN ({ids}) AND closing IS NULL ORDER BY id",
        clients.len(),
        Lock::Update,
    );
    sql.bind_ids(clients).all::<Row>().await?.into_iter().map(Row::plan).collect()
}

/// Locks the open plan of a case.
pub async fn lock_open_of_case(tx: &mut Tx, id: CaseId) -> Result<Option<Plan>> {
    let sql = tx.sql_locked("SELECT * FROM follow_up_plan WHERE case_file_id = $1 AND closing IS NULL", Lock::Update);
    sql.bind(id).maybe::<Row>().await?.map(Row::plan).transpose()
}

#[derive(sqlx::FromRow)]
struct VisitRow {
    starts_at: Instant,
    service: CareService,
    outcome: Option<Outcome>,
    milestone_id: Option<crate::domain::ids::MilestoneId>,
}

/// The sessions of a client that stand and start at or after an instant, by start.
pub async fn visits(tx: &mut Tx, client_id: ClientId, since: Instant) -> Result<Vec<Visit>> {
    let sql = tx.sql(
        "SELECT session.starts_at, session.service, attendance.outcome, milestone_session.milestone_id
           FROM session_participant AS mine JOIN session ON session.id = mine.session_id
           LEFT JOIN attendance ON attendance.id = mine.attendance_id
           LEFT JOIN milestone_session ON milestone_session.session_id = session.id
          WHERE mine.client_id = $1 AND mine.removed_at IS NULL AND session.state = 'BOOKED'
            AND session.starts_at >= $2
          ORDER BY session.starts_at, session.id",
    );
    let visit = |row: VisitRow| Visit {
        starts_at: row.starts_at.0,
        service: row.service,
        outcome: row.outcome,
        for_milestone: row.milestone_id.is_some(),
    };
    Ok(sql.bind(client_id).bind(since).all::<VisitRow>().await?.into_iter().map(visit).collect())
}

#[derive(sqlx::FromRow)]
struct HappenedRow {
    kind: CaseEventKind,
    happened_at: Instant,
    happened_on: NaiveDate,
    time_known: bool,
}

/// The events of a case that stand, as they happened.
pub async fn happened(tx: &mut Tx, case_id: CaseId) -> Result<Vec<Happened>> {
    let sql = tx.sql(
        "SELECT kind, happened_at, happened_on, time_known FROM case_event
          WHERE case_file_id = $1 AND withdrawn = FALSE
            AND NOT EXISTS (SELECT 1 FROM case_event AS later WHERE later.supersedes_id = case_event.id)
          ORDER BY happened_at, id",
    );
    let happened = |row: HappenedRow| Happened {
        kind: row.kind,
        at: row.happened_at.0,
        on: row.happened_on,
        time_known: row.time_known,
    };
    Ok(sql.bind(case_id).all::<HappenedRow>().await?.into_iter().map(happened).collect())
}
