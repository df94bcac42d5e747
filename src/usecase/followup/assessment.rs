//! Assessments: answers are handed in, checked, scored and kept, and what calls for a person is raised, all in one
//! transaction. What is wrong is corrected by another assessment that takes its place.

use std::cmp::Reverse;

use chrono::NaiveDate;
use uuid::Uuid;

use super::answer::{Answered, Answering, answered, milestone_for};
use super::escalation::{self, About};
use super::plan;
use super::sheet::Filled;
use crate::domain::age::ages_on;
use crate::domain::assessment::{Assessment, Flag, Reading, Scored, beside_each_other};
use crate::domain::attendance::Author;
use crate::domain::client::Client;
use crate::domain::escalation::{Alarm, Cause, Escalation, Trigger};
use crate::domain::followup::milestone::Milestone;
use crate::domain::followup::{Course, Plan};
use crate::domain::ids::{AssessmentId, ClientId, Id, MilestoneId, PlanId};
use crate::domain::instrument::{Admitted, Ages, Before, Catalogue, Form, Instrument, Outside};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::text::Language;
use crate::domain::time::local_day;
use crate::store::codec::Instant;
use crate::store::{self, Lock, assessment, followup, milestone};
use crate::usecase::client::known;
use crate::usecase::error::{Error, Result};
use crate::usecase::noun::find;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// The word for it in sentences.
const WORD: &str = "assessment";

/// Records an assessment of a survivor who is followed up.
#[derive(Clone, Debug)]
pub struct SubmitAssessment {
    /// The survivor.
    pub client_id: ClientId,
    /// What was answered.
    pub filled: Filled,
    /// In which language.
    pub language: Language,
    /// The milestone it belongs to; the one that it fits when none is named.
    pub milestone_id: Option<MilestoneId>,
    /// The assessment whose place it takes, and why that one was wrong.
    pub supersedes: Option<(AssessmentId, Personal)>,
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The assessment.
    pub reading: Reading,
    /// What it has raised.
    pub escalations: Vec<Escalation>,
    /// The milestone it belongs to, as it stands now.
    pub milestone: Option<Milestone>,
}

impl Mutation for SubmitAssessment {
    type Answer = Submitted;

    async fn run(&self, work: &mut Work<'_>) -> Result<Submitted> {
        known(work, self.client_id).await?;
        let before = self.superseded(work).await?;
        let plan = match &before {
            Some(before) => plan::lock_of(work, before.plan_id).await?,
            None => plan::lock_open(work, self.client_id).await?,
        };
        let course = plan.course().cloned().ok_or(Error::NotFound(plan::WORD))?;
        let instrument = self.instrument(work.world)?;
        let assessed_on = self.day(work, &plan)?;
        let client = find::<Client>(work, self.client_id, Lock::None).await?;
        let uncertain = self.check_age(work.world, instrument, &client, &plan, assessed_on)?;
        let standing = assessment::standing(&mut work.tx, self.client_id, Some(&instrument.code)).await?;
        let others = self.take_place(work, standing, assessed_on).await?;
        let milestone_id = self.milestone(work, &plan, before.as_ref(), assessed_on).await?;
        let score = instrument.score(&self.filled.answers);
        let result = Scored { score, flags: uncertain.into_iter().collect() };
        let it = self.assessment(work, &plan, assessed_on, milestone_id, result);
        assessment::insert(&mut work.tx, &it).await?;
        work.touched(it.id.uuid());
        work.note(it.form.instrument.as_str());
        let series: Vec<_> = others.into_iter().chain([it.clone()]).collect();
        let escalations = raise(work, &plan, &course, &it, &series).await?;
        let milestone = answered(work, &plan, &answer_of(&it)).await?;
        let reading = reading_of(work.world, it, series, course.report_on);
        Ok(Submitted { reading, escalations, milestone })
    }

    fn result_id(&self, answer: &Submitted) -> Uuid {
        answer.reading.assessment.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Submitted> {
        known(work, self.client_id).await?;
        let it = assessment::find(&mut work.tx, AssessmentId(result_id)).await?.ok_or(Error::NotFound(WORD))?;
        let recorded_at = Instant(it.recorded_at);
        let mut escalations = store::escalation::raised_at(&mut work.tx, self.client_id, recorded_at).await?;
        escalations.sort_by_key(soonest_first);
        let milestone = match it.milestone_id {
            Some(id) => milestone::find(&mut work.tx, id).await?,
            None => None,
        };
        Ok(Submitted { reading: read(work, it).await?, escalations, milestone })
    }
}

impl SubmitAssessment {
    fn instrument<'w>(&self, world: &'w World) -> Result<&'w Instrument> {
        let found = world.instruments().version(&self.filled.instrument, &self.filled.version);
        found.ok_or(Error::NotFound("instrument"))
    }

    /// The local day of the assessment, in the zone of the plan.
    fn day(&self, work: &Work<'_>, plan: &Plan) -> Result<NaiveDate> {
        let today = local_day(work.now, plan.zone);
        match self.filled.assessed_on.unwrap_or(today) {
            on if on > today => Err(Error::field("assessed_on", "must not be in the future")),
            on if on < plan.intake_on => Err(Error::field("assessed_on", "must not be before the intake")),
            on => Ok(on),
        }
    }

    /// Refuses an instrument that is for none of the ages that the survivor may have. While the plan is open, whoever
    /// has come of age since the intake may go on with what was for the age then.
    fn check_age(
        &self,
        world: &World,
        instrument: &Instrument,
        client: &Record<Client>,
        plan: &Plan,
        assessed_on: NaiveDate,
    ) -> Result<Option<Flag>> {
        let Some(now) = ages_on(&client.born_on, assessed_on) else { return Ok(Some(Flag::AgeUnknown)) };
        let ages = Ages { now, baseline: ages_on(&client.born_on, plan.intake_on) };
        match world.instruments().admit(instrument, self.filled.informant, &ages) {
            Ok(Admitted::Certain) => Ok(None),
            Ok(Admitted::Uncertain) => Ok(Some(Flag::AgeUncertain)),
            Err(Outside { suggested }) => Err(Error::OutsideAge { suggested }),
        }
    }

    /// The assessment whose place this one takes: about the same survivor, by the same instrument.
    async fn superseded(&self, work: &mut Work<'_>) -> Result<Option<Assessment>> {
        let Some((id, _)) = &self.supersedes else { return Ok(None) };
        work.touched(id.uuid());
        let same = |it: &Assessment| it.client_id == self.client_id && it.form.instrument == self.filled.instrument;
        let found = assessment::find(&mut work.tx, *id).await?.filter(same);
        Ok(Some(found.ok_or(Error::NotFound(WORD))?))
    }

    /// The milestone it belongs to. In a closed plan, that of the assessment whose place it takes.
    async fn milestone(
        &self,
        work: &mut Work<'_>,
        plan: &Plan,
        before: Option<&Assessment>,
        assessed_on: NaiveDate,
    ) -> Result<Option<MilestoneId>> {
        let kept = before.filter(|_| !plan.is_open()).map(|it| it.milestone_id);
        match kept {
            Some(kept) if self.milestone_id.is_none() || self.milestone_id == kept => Ok(kept),
            _ => {
                let supersedes = before.map(|it| it.id);
                let (instrument, milestone_id) = (self.filled.instrument.as_str(), self.milestone_id);
                milestone_for(work, plan, &Answering { instrument, assessed_on, milestone_id, supersedes }).await
            }
        }
    }

    /// Ends the assessment whose place this one takes, and refuses a second of one day. Answers the others of the
    /// series that stand.
    async fn take_place(
        &self,
        work: &mut Work<'_>,
        mut standing: Vec<Assessment>,
        assessed_on: NaiveDate,
    ) -> Result<Vec<Assessment>> {
        if let Some((id, _)) = &self.supersedes {
            if !assessment::end(&mut work.tx, *id).await? {
                let subjects = assessment::successor(&mut work.tx, *id).await?.into_iter().map(Id::uuid).collect();
                let says = "another assessment has taken its place; correct that one";
                return Err(Error::Precondition { reason: "SUPERSEDED", says, subjects });
            }
            standing.retain(|it| it.id != *id);
        }
        standing.retain(|it| it.form.informant == self.filled.informant);
        match standing.iter().find(|it| it.assessed_on == assessed_on) {
            Some(it) => {
                let says = "this instrument was answered on that day; correct that assessment";
                Err(Error::Precondition { reason: "ALREADY_ASSESSED", says, subjects: vec![it.id.uuid()] })
            }
            None => Ok(standing),
        }
    }

    fn assessment(
        &self,
        work: &Work<'_>,
        plan: &Plan,
        assessed_on: NaiveDate,
        milestone_id: Option<MilestoneId>,
        result: Scored,
    ) -> Assessment {
        let caller = work.call.caller();
        let Filled { instrument, version, informant, recall, answers, .. } = self.filled.clone();
        Assessment {
            id: work.world.id(),
            organisation_id: plan.organisation_id,
            client_id: self.client_id,
            plan_id: plan.id,
            milestone_id,
            form: Form { instrument, version, informant, recall, language: self.language.clone() },
            assessed_on,
            closed: result.score.may_close(),
            answers,
            result,
            recorded_at: work.now,
            recorded_by: Author { principal: caller.principal.clone(), role: caller.authority.role() },
            supersedes: self.supersedes.clone(),
            stands: true,
        }
    }
}

fn answer_of(it: &Assessment) -> Answered {
    Answered {
        id: it.id,
        instrument: it.form.instrument.to_string(),
        closed: it.closed,
        milestone_id: it.milestone_id,
        supersedes: it.supersedes.as_ref().map(|(id, _)| *id),
    }
}

/// What an assessment calls for, given those of its series that stand; one that came too soon can raise an alarm, too.
fn alarms(instruments: &Catalogue, it: &Assessment, series: &[Assessment]) -> Vec<Alarm> {
    let Some(rules) = instruments.version(&it.form.instrument, &it.form.version) else { return Vec::new() };
    let mut before: Vec<_> = series.iter().filter(|other| other.assessed_on < it.assessed_on).collect();
    before.sort_by_key(|it| it.assessed_on);
    let baseline = before.iter().find(|other| other.plan_id == it.plan_id).map(|it| it.occasion(false));
    let previous = before.last().map(|it| it.occasion(false));
    let before = Before { baseline: baseline.as_ref(), previous: previous.as_ref() };
    rules.alarms(&it.answers, &it.occasion(false), before)
}

/// Raises what an assessment calls for, and what later ones do now that it stands before them: whatever else those call
/// for was raised with them. It names the counsellor who has the survivor in hand.
async fn raise(
    work: &mut Work<'_>,
    plan: &Plan,
    course: &Course,
    it: &Assessment,
    series: &[Assessment],
) -> Result<Vec<Escalation>> {
    let about = About {
        organisation_id: plan.organisation_id,
        client_id: it.client_id,
        counsellor_id: work.call.caller().authority.counsellor_id().unwrap_or(course.counsellor_id),
        zone: plan.zone,
    };
    let mut raised = Vec::new();
    for judged in series.iter().filter(|other| other.id == it.id || it.assessed_on < other.assessed_on) {
        let by_change = |alarm: &Alarm| matches!(alarm.trigger, Trigger::TotalRose | Trigger::Worsened);
        let alarms = alarms(work.world.instruments(), judged, series).into_iter();
        for alarm in alarms.filter(|alarm| judged.id == it.id || by_change(alarm)) {
            raised.extend(escalation::raise(work, about, alarm, Cause::Assessment(judged.id)).await?);
        }
    }
    raised.sort_by_key(soonest_first);
    Ok(raised)
}

fn soonest_first(it: &Escalation) -> impl Ord + use<> {
    (Reverse(it.alarm.level), it.alarm.trigger, it.id)
}

/// An assessment beside those of its series; one that does not stand is read by itself.
fn reading_of(
    world: &World,
    it: Assessment,
    all: impl IntoIterator<Item = Assessment>,
    event_on: Option<NaiveDate>,
) -> Reading {
    let of = |it: &Assessment| (it.plan_id, it.form.instrument.clone(), it.form.informant);
    let series = all.into_iter().filter(|other| of(other) == of(&it)).collect();
    let readings = beside_each_other(world.instruments(), series, event_on);
    let found = readings.into_iter().find(|reading| reading.assessment.id == it.id);
    found.unwrap_or_else(|| Reading::alone(it, event_on))
}

async fn read(work: &mut Work<'_>, it: Assessment) -> Result<Reading> {
    let standing = assessment::standing(&mut work.tx, it.client_id, Some(&it.form.instrument)).await?;
    let event_on = event_of(work, it.plan_id).await?;
    Ok(reading_of(work.world, it, standing, event_on))
}

/// The day of the event, as far as a plan knows it now.
pub(super) async fn event_of(work: &mut Work<'_>, plan_id: PlanId) -> Result<Option<NaiveDate>> {
    let plan = followup::find(&mut work.tx, plan_id, Lock::None).await?.ok_or(Error::NotFound(plan::WORD))?;
    Ok(plan.course().and_then(|it| it.report_on))
}

/// Reads an assessment with its answers; the read is audited before it is answered.
#[derive(Clone, Copy, Debug)]
pub struct GetAssessment(pub AssessmentId);

impl Mutation for GetAssessment {
    type Answer = Reading;

    async fn run(&self, work: &mut Work<'_>) -> Result<Reading> {
        work.touched(self.0.uuid());
        let it = assessment::find(&mut work.tx, self.0).await?.ok_or(Error::NotFound(WORD))?;
        match known(work, it.client_id).await {
            Err(Error::NotFound(_)) => Err(Error::NotFound(WORD)),
            other => other.map(drop),
        }?;
        read(work, it).await
    }

    fn result_id(&self, _answer: &Reading) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Reading> {
        self.run(work).await
    }
}
