//! Changes the facts that plans hang on, and closes plans.

use chrono::NaiveDate;
use uuid::Uuid;

use super::plan::{View, Wrong, lock, responsible};
use super::stage::restage;
use crate::domain::followup::{Closing, Plan, Subject};
use crate::domain::ids::{ClientId, CounsellorId, Id, PlanId};
use crate::domain::time::local_day;
use crate::store::codec::Instant;
use crate::store::{assessment, followup};
use crate::usecase::error::Result;
use crate::usecase::work::{Mutation, Work};

/// Changes the facts that a plan hangs on. What is absent stays.
#[derive(Clone, Debug)]
pub struct UpdateFollowUp {
    /// Which.
    pub plan_id: PlanId,
    /// The version last read.
    pub version: i64,
    /// The local day of intake.
    pub intake_on: Option<NaiveDate>,
    /// Who is responsible.
    pub counsellor_id: Option<CounsellorId>,
    /// The local day of the report or of the incident.
    pub report_on: Option<NaiveDate>,
    /// How many sessions are planned.
    pub planned_sessions: Option<u32>,
    /// The discharge.
    pub discharge: Option<Discharge>,
}

/// What is said of the discharge.
#[derive(Clone, Copy, Debug)]
pub enum Discharge {
    /// It was on this local day.
    On(NaiveDate),
    /// The one that was recorded was none.
    None,
}

impl Mutation for UpdateFollowUp {
    type Answer = View;

    async fn run(&self, work: &mut Work<'_>) -> Result<View> {
        let mut plan = lock(work, self.plan_id, self.version).await?;
        self.apply(work, &mut plan).await?;
        plan.version += 1;
        followup::update(&mut work.tx, &plan, Instant(work.now)).await?;
        restage(work, &mut plan, &[]).await?;
        View::of(&mut work.tx, plan).await
    }

    fn result_id(&self, answer: &View) -> Uuid {
        answer.plan.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<View> {
        View::again(work, PlanId(result_id)).await
    }
}

impl UpdateFollowUp {
    /// Puts what is said into a plan, or says every field that is wrong.
    async fn apply(&self, work: &mut Work<'_>, plan: &mut Plan) -> Result<()> {
        let today = local_day(work.now, plan.zone);
        let mut wrong = Wrong::default();
        plan.intake_on = self.intake_on.unwrap_or(plan.intake_on);
        wrong.unless(plan.intake_on <= today, "intake_on", "must be today at the latest");
        if let Some(client_id) = plan.course().map(|it| it.client_id) {
            let first = assessment::first_on(&mut work.tx, client_id, plan.id).await?;
            let says = "must not be after an assessment of the plan";
            wrong.unless(first.is_none_or(|first| plan.intake_on <= first), "intake_on", says);
        }
        let organisation_id = plan.organisation_id;
        match &mut plan.subject {
            Subject::Case(_) => {
                let of_survivors = "must be left out for a case";
                wrong.unless(self.counsellor_id.is_none(), "counsellor_id", of_survivors);
                wrong.unless(self.report_on.is_none(), "report_on", of_survivors);
                wrong.unless(self.planned_sessions.is_none(), "planned_sessions", of_survivors);
                wrong.unless(self.discharge.is_none(), "discharged_on", of_survivors);
            }
            Subject::Survivor(course) => {
                course.report_on = self.report_on.or(course.report_on);
                course.planned_sessions = self.planned_sessions.unwrap_or(course.planned_sessions);
                match self.discharge {
                    Some(Discharge::On(on)) => course.discharged_on = Some(on),
                    Some(Discharge::None) => course.discharged_on = None,
                    None => {}
                }
                let right = |on: Option<NaiveDate>| on.is_none_or(|on| on <= today);
                wrong.unless(right(course.report_on), "report_on", "must be today at the latest");
                wrong.unless(right(course.discharged_on), "discharged_on", "must be today at the latest");
                // The fault is with what was sent.
                let field = if self.discharge.is_some() { "discharged_on" } else { "intake_on" };
                let in_order = course.discharged_on.is_none_or(|on| plan.intake_on <= on);
                wrong.unless(in_order, field, "must leave the discharge on the day of intake or later");
                if let Some(id) = self.counsellor_id.filter(|id| *id != course.counsellor_id) {
                    let named = responsible(work, organisation_id, course.client_id, Some(id)).await;
                    course.counsellor_id = wrong.or(named)?.map_or(id, |it| it.id);
                }
            }
        }
        wrong.check()
    }
}

/// Closes a plan.
#[derive(Clone, Debug)]
pub struct CloseFollowUp {
    /// Which.
    pub plan_id: PlanId,
    /// The version last read.
    pub version: i64,
    /// Why.
    pub closing: Closing,
}

impl Mutation for CloseFollowUp {
    type Answer = View;

    async fn run(&self, work: &mut Work<'_>) -> Result<View> {
        let plan = lock(work, self.plan_id, self.version).await?;
        let plan = close(work, plan, self.closing).await?;
        View::of(&mut work.tx, plan).await
    }

    fn result_id(&self, answer: &View) -> Uuid {
        answer.plan.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<View> {
        View::again(work, PlanId(result_id)).await
    }
}

async fn close(work: &mut Work<'_>, mut plan: Plan, closing: Closing) -> Result<Plan> {
    plan.version += 1;
    plan.closed = Some((closing, work.now));
    followup::update(&mut work.tx, &plan, Instant(work.now)).await?;
    restage(work, &mut plan, &[]).await?;
    Ok(plan)
}

/// Closes the open plan of a client who goes to another organisation, which enrols the client anew.
pub(in crate::usecase) async fn close_for_transfer(work: &mut Work<'_>, client_id: ClientId) -> Result<()> {
    for plan in followup::lock_open(&mut work.tx, &[client_id]).await? {
        work.touched(plan.id.uuid());
        close(work, plan, Closing::Transferred).await?;
    }
    Ok(())
}
