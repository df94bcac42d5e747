//! The one way in which milestones get their days, standing and instruments: from what is known when a transaction that
//! may have changed it ends.

use chrono::NaiveDate;

use super::plan::WORD;
use crate::domain::age;
use crate::domain::followup::days::Facts;
use crate::domain::followup::milestone::{Days, Milestone, Setting, Standing};
use crate::domain::followup::procedure::CaseFacts;
use crate::domain::followup::template::{Step, TEMPLATES, Template};
use crate::domain::followup::{Course, Plan, Subject};
use crate::domain::ids::{CaseId, ClientId, MilestoneId};
use crate::domain::instrument::{Ages, Catalogue};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::time::{DayTime, local_day, resolve};
use crate::store::codec::Instant;
use crate::store::{self, Lock, client, followup, milestone};
use crate::usecase::error::{Error, Result};
use crate::usecase::work::Work;

/// A milestone as it was written, if it was, and as it is to be.
struct Laid {
    before: Option<Milestone>,
    after: Milestone,
}

/// Gives every milestone of a plan what follows from what is known now, and writes what has changed; the others of
/// `touched` get a new version too. The plan must be locked, or new. Those of a closed plan stay as they were, and are
/// listed no more.
pub(super) async fn restage(work: &mut Work<'_>, plan: &mut Plan, touched: &[MilestoneId]) -> Result<()> {
    if !plan.is_open() {
        milestone::unlist(&mut work.tx, plan.id).await?;
        return carers(work, plan).await;
    }
    let existing = milestone::of_plan(&mut work.tx, plan.id).await?;
    let laid = match plan.subject.clone() {
        Subject::Survivor(course) => lay_out_course(work, plan, &course, existing).await?,
        Subject::Case(case_id) => lay_out_case(work, plan, case_id, existing).await?,
    };
    for it in laid {
        write(work, it, touched).await?;
    }
    carers(work, plan).await
}

fn template(plan: &Plan) -> Result<&'static Template> {
    let wrong = || store::Error::Inconsistent { table: "follow_up_plan", what: plan.id.to_string() };
    Ok(TEMPLATES.find(&plan.template, plan.template_version).ok_or_else(wrong)?)
}

async fn lay_out_course(
    work: &mut Work<'_>,
    plan: &mut Plan,
    course: &Course,
    existing: Vec<Milestone>,
) -> Result<Vec<Laid>> {
    let template = template(plan)?;
    let subject = client::subject(&mut work.tx, course.client_id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    let since = resolve(DayTime::MIDNIGHT.on(plan.intake_on), plan.zone);
    let visits = followup::visits(&mut work.tx, course.client_id, Instant(since)).await?;
    let facts = Facts::of(course, plan.intake_on, plan.zone, &visits);
    note_first(work, plan, &facts).await?;
    let client = Some((course.client_id, subject.reference.clone()));
    let instruments = work.world.instruments();
    let choose = |step: &Step, on: NaiveDate| chosen(instruments, step, &subject.born_on, plan.intake_on, on);
    let lay = |step: &'static Step| {
        let before = existing.iter().find(|it| it.code == step.code).cloned();
        let draft = before.clone().unwrap_or_else(|| blank(work, plan, step, 1, client.clone()));
        let after = draft.staged(template, &facts, choose);
        Laid { before, after: Milestone { counsellor_id: Some(course.counsellor_id), ..after } }
    };
    Ok(template.steps.iter().map(lay).collect())
}

/// Keeps the day of the first session that was attended with the plan.
async fn note_first(work: &mut Work<'_>, plan: &mut Plan, facts: &Facts) -> Result<()> {
    let Subject::Survivor(course) = &mut plan.subject else { return Ok(()) };
    let first = facts.attended.first().copied();
    if course.first_attended_on == first {
        return Ok(());
    }
    course.first_attended_on = first;
    Ok(followup::update(&mut work.tx, plan, Instant(work.now)).await?)
}

/// The instruments of a step for somebody on a day, by the age reached with certainty; none while nobody knows it.
fn chosen(
    instruments: &Catalogue,
    step: &Step,
    born_on: &Personal,
    intake_on: NaiveDate,
    on: NaiveDate,
) -> Option<Vec<String>> {
    let ages = Ages { now: age::ages_on(born_on, on)?, baseline: age::ages_on(born_on, intake_on) };
    let suggested = instruments.suggested(&ages, step.set()?);
    Some(suggested.into_iter().map(|it| it.code.to_string()).collect())
}

async fn lay_out_case(
    work: &mut Work<'_>,
    plan: &Plan,
    case_id: CaseId,
    existing: Vec<Milestone>,
) -> Result<Vec<Laid>> {
    let events = followup::happened(&mut work.tx, case_id).await?;
    let today = local_day(work.now, plan.zone);
    let facts = CaseFacts { zone: plan.zone, intake_on: plan.intake_on, today, events };
    let mut all = Vec::new();
    for step in template(plan)?.steps {
        let mut own: Vec<Milestone> = existing.iter().filter(|it| it.code == step.code).cloned().collect();
        let most = own.iter().map(|it| it.number).max().unwrap_or(0);
        own.extend((most + 1..=facts.count(step)).map(|number| blank(work, plan, step, number, None)));
        let before = |it: &Milestone| existing.iter().find(|before| before.id == it.id).cloned();
        let staged = facts.staged(step, own);
        all.extend(staged.into_iter().map(|after| Laid { before: before(&after), after }));
    }
    Ok(all)
}

fn blank(work: &Work<'_>, plan: &Plan, step: &Step, number: u32, client: Option<(ClientId, Reference)>) -> Milestone {
    Milestone {
        id: work.world.id(),
        version: 0,
        plan_id: plan.id,
        organisation_id: plan.organisation_id,
        counsellor_id: None,
        code: step.code.to_owned(),
        number,
        standing: Standing::Awaited,
        excused: false,
        days: Days::default(),
        done_on: None,
        done_at: None,
        asked: Vec::new(),
        session_id: None,
        setting: Setting {
            client,
            case_id: plan.case_id(),
            zone: plan.zone,
            template: plan.template.clone(),
            template_version: plan.template_version,
            closed_at: plan.closed.map(|(_, at)| at),
            needs_attention: false,
        },
    }
}

async fn write(work: &mut Work<'_>, it: Laid, touched: &[MilestoneId]) -> Result<()> {
    let after = Milestone { version: it.after.version + 1, ..it.after.clone() };
    let now = Instant(work.now);
    match &it.before {
        None => milestone::insert(&mut work.tx, &after, now).await?,
        Some(before) if *before == it.after && !touched.contains(&after.id) => {}
        Some(before) => milestone::update(&mut work.tx, &after, before, now).await?,
    }
    Ok(())
}

/// Writes who finds the listed milestones of a plan among the own.
async fn carers(work: &mut Work<'_>, plan: &Plan) -> Result<()> {
    let Some(course) = plan.course() else { return Ok(()) };
    let mut counsellors = work.tx.tell(|tx| client::counsellors_of(tx, course.client_id)).await?;
    counsellors.push(course.counsellor_id);
    counsellors.sort_unstable();
    counsellors.dedup();
    let milestones = milestone::of_plan(&mut work.tx, plan.id).await?;
    let listed = milestones.iter().filter(|it| it.is_listed()).filter_map(|it| Some((it.id, it.days.due_on?)));
    let all = listed.flat_map(|(id, due_on)| counsellors.iter().map(move |counsellor| (id, *counsellor, due_on)));
    let all: Vec<_> = all.collect();
    Ok(milestone::set_carers(&mut work.tx, plan.id, &all).await?)
}
