//! Makes plans.

use chrono::NaiveDate;
use chrono_tz::Tz;
use uuid::Uuid;

use super::plan::{View, Wrong, lock_case, lock_survivor, refused, responsible};
use super::stage::restage;
use crate::domain::followup::template::{POCSO, SURVIVOR_STANDARD, TEMPLATES, Template};
use crate::domain::followup::{Course, Plan, Subject, USUAL_SESSIONS};
use crate::domain::ids::{CaseId, ClientId, CounsellorId, Id, OrganisationId, PlanId};
use crate::domain::time::local_day;
use crate::store::codec::Instant;
use crate::store::followup;
use crate::usecase::error::{Error, Result};
use crate::usecase::work::{Mutation, Work};

/// Makes a plan by the newest version of a template.
#[derive(Clone, Debug)]
pub struct EnrolFollowUp {
    /// Of whom or what.
    pub of: Of,
    /// Code of the template; the standard one when absent.
    pub template: Option<String>,
    /// The local day of intake; today when absent.
    pub intake_on: Option<NaiveDate>,
}

/// Of whom or what a plan is made.
#[derive(Clone, Debug)]
pub enum Of {
    /// Of a survivor.
    Survivor {
        /// The survivor.
        client_id: ClientId,
        /// Who is responsible; the caller when absent.
        counsellor_id: Option<CounsellorId>,
        /// The zone in which days are meant; the counsellor's when absent.
        zone: Option<Tz>,
        /// The local day of the report or of the incident, whichever became known later.
        report_on: Option<NaiveDate>,
        /// How many sessions are planned; [`USUAL_SESSIONS`] when absent.
        planned_sessions: Option<u32>,
    },
    /// Of a case.
    Case {
        /// The case.
        case_id: CaseId,
        /// The zone in which days are meant.
        zone: Tz,
    },
}

impl Mutation for EnrolFollowUp {
    type Answer = View;

    async fn run(&self, work: &mut Work<'_>) -> Result<View> {
        let mut plan = match &self.of {
            Of::Survivor { .. } => self.survivors(work).await?,
            Of::Case { case_id, zone } => self.of_case(work, *case_id, *zone).await?,
        };
        // Nobody else enrols meanwhile whoever is locked.
        let (now, tx) = (Instant(work.now), &mut work.tx);
        followup::insert(tx, &plan, now).await?;
        work.touched(plan.id.uuid());
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

impl EnrolFollowUp {
    async fn survivors(&self, work: &mut Work<'_>) -> Result<Plan> {
        let Of::Survivor { client_id, counsellor_id, zone, report_on, planned_sessions } = self.of else {
            return Err(Error::field("client_id", "is required"));
        };
        let client = lock_survivor(work, client_id).await?;
        let counsellor = responsible(work, client.organisation_id, client_id, counsellor_id).await?;
        check_free(followup::lock_open(&mut work.tx, &[client_id]).await?.pop())?;
        let zone = zone.unwrap_or(counsellor.zone);
        let today = local_day(work.now, zone);
        let mut wrong = Wrong::default();
        wrong.unless(report_on.is_none_or(|on| on <= today), "report_on", "must be today at the latest");
        let course = Course {
            client_id,
            counsellor_id: counsellor.id,
            report_on,
            planned_sessions: planned_sessions.unwrap_or(USUAL_SESSIONS),
            discharged_on: None,
            first_attended_on: None,
        };
        let plan = self.plan(work, client.organisation_id, Subject::Survivor(course), zone);
        self.with_template(plan, today, wrong)
    }

    async fn of_case(&self, work: &mut Work<'_>, case_id: CaseId, zone: Tz) -> Result<Plan> {
        let case = lock_case(work, case_id).await?;
        check_free(followup::lock_open_of_case(&mut work.tx, case_id).await?)?;
        let plan = self.plan(work, case.organisation_id, Subject::Case(case_id), zone);
        self.with_template(plan, local_day(work.now, zone), Wrong::default())
    }

    fn plan(&self, work: &Work<'_>, organisation_id: OrganisationId, subject: Subject, zone: Tz) -> Plan {
        Plan {
            id: work.world.id(),
            version: 1,
            organisation_id,
            subject,
            template: String::new(),
            template_version: 0,
            zone,
            intake_on: self.intake_on.unwrap_or(local_day(work.now, zone)),
            closed: None,
            created_at: work.now,
        }
    }

    /// The plan by the newest version of the template, or every field that is wrong.
    fn with_template(&self, plan: Plan, today: NaiveDate, mut wrong: Wrong) -> Result<Plan> {
        wrong.unless(plan.intake_on <= today, "intake_on", "must be today at the latest");
        let for_case = plan.case_id().is_some();
        let usual = if for_case { POCSO } else { SURVIVOR_STANDARD };
        let found = TEMPLATES.newest(self.template.as_deref().unwrap_or(usual));
        let found: Option<&Template> = found.filter(|it| it.for_cases == for_case);
        wrong.unless(found.is_some(), "template", "must be the code of a template for whom or what is enrolled");
        wrong.check()?;
        let (template, version) = found.map_or_else(Default::default, |it| (it.code.to_owned(), it.version));
        Ok(Plan { template, template_version: version, ..plan })
    }
}

/// Refuses a second open plan.
fn check_free(open: Option<Plan>) -> Result<()> {
    match open {
        None => Ok(()),
        Some(it) => Err(refused("ALREADY_ENROLLED", "an open follow-up plan is there already", &[it.id.uuid()])),
    }
}
