//! What an assessment does to the milestones of a plan.

use chrono::NaiveDate;

use super::plan::{check_open, refused};
use super::stage::restage;
use crate::domain::followup::Plan;
use crate::domain::followup::milestone::{Asked, Milestone, Standing};
use crate::domain::ids::{AssessmentId, Id, MilestoneId};
use crate::store::milestone;
use crate::usecase::error::{Error, Result};
use crate::usecase::followup::milestone::WORD;
use crate::usecase::work::Work;

/// What is to be answered, before it is known for which milestone.
#[derive(Clone, Debug)]
pub(super) struct Answering<'a> {
    /// The instrument.
    pub instrument: &'a str,
    /// The local day.
    pub assessed_on: NaiveDate,
    /// The milestone that is named.
    pub milestone_id: Option<MilestoneId>,
    /// The assessment whose place it takes.
    pub supersedes: Option<AssessmentId>,
}

impl Answering<'_> {
    fn asked<'m>(&self, of: &'m Milestone) -> Option<&'m Asked> {
        of.asked.iter().find(|it| it.instrument == self.instrument)
    }

    /// Whether a milestone waits for it; what it supersedes is in nobody's way.
    fn is_open(&self, of: &Milestone) -> bool {
        let own = |it: &Asked| it.answered.is_some_and(|(id, _)| Some(id) == self.supersedes);
        let asked = self.asked(of);
        let standing = of.standing == Standing::Awaited || (of.standing == Standing::Done && asked.is_some_and(own));
        standing && asked.is_some_and(|it| it.is_open() || own(it))
    }

    fn is_inside(&self, of: &Milestone) -> bool {
        of.has_opened(self.assessed_on) && of.days.closes_on.is_none_or(|on| self.assessed_on <= on)
    }
}

/// The milestone that an assessment belongs to: the one that is named, if it asks for the instrument, its window has
/// opened by that day, and nothing has answered or excused it; else that of the assessment it supersedes, or else the one
/// due first that asks for it, whose window the day is in; else that of the assessment it supersedes, though it is late.
/// The plan must be locked.
pub(super) async fn milestone_for(work: &mut Work<'_>, plan: &Plan, it: &Answering<'_>) -> Result<Option<MilestoneId>> {
    check_open(plan)?;
    let all = milestone::of_plan(&mut work.tx, plan.id).await?;
    if let Some(id) = it.milestone_id {
        let named = all.iter().find(|milestone| milestone.id == id).ok_or(Error::NotFound(WORD))?;
        return check_named(it, named).map(|()| Some(id));
    }
    let before = match it.supersedes {
        Some(id) => milestone::of_assessment(&mut work.tx, id).await?,
        None => None,
    };
    let may = |milestone: &&Milestone| it.is_open(milestone) && milestone.has_opened(it.assessed_on);
    let kept = all.iter().filter(may).find(|milestone| Some(milestone.id) == before);
    let inside = || all.iter().filter(may).find(|milestone| it.is_inside(milestone));
    let kept_inside = kept.filter(|milestone| it.is_inside(milestone));
    Ok(kept_inside.or_else(inside).or(kept).map(|milestone| milestone.id))
}

fn check_named(it: &Answering<'_>, named: &Milestone) -> Result<()> {
    let subject = [named.id.uuid()];
    if it.asked(named).is_none() {
        return Err(refused("INSTRUMENT_NOT_ASKED", "the milestone does not ask for this instrument", &subject));
    }
    if named.standing == Standing::OnHold {
        return Err(refused("MILESTONE_ON_HOLD", "the milestone is on hold; take it up again first", &subject));
    }
    if !it.is_open(named) {
        return Err(refused("MILESTONE_DONE", "nothing of this instrument is awaited at the milestone", &subject));
    }
    if !named.has_opened(it.assessed_on) {
        return Err(refused("MILESTONE_NOT_OPEN", "the window of the milestone opens later", &subject));
    }
    Ok(())
}

/// What an assessment tells its plan.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// The assessment.
    pub id: AssessmentId,
    /// Its instrument.
    pub instrument: String,
    /// Nothing is left to ask.
    pub closed: bool,
    /// The milestone it belongs to.
    pub milestone_id: Option<MilestoneId>,
    /// The assessment whose place it takes.
    pub supersedes: Option<AssessmentId>,
}

/// Puts an assessment that was written into its milestone, and the one that it supersedes out of its own. Answers the
/// milestone as it stands then. The plan must be locked.
pub(super) async fn answered(work: &mut Work<'_>, plan: &Plan, it: &Answered) -> Result<Option<Milestone>> {
    let mut touched = Vec::new();
    if let Some(superseded) = it.supersedes {
        touched.extend(milestone::of_assessment(&mut work.tx, superseded).await?);
        milestone::unanswer(&mut work.tx, superseded).await?;
    }
    if let Some(id) = it.milestone_id.filter(|_| it.closed) {
        touched.push(id);
        milestone::answer(&mut work.tx, id, &it.instrument, it.id).await?;
    }
    restage(work, &mut plan.clone(), &touched).await?;
    for id in touched {
        work.touched(id.uuid());
    }
    match it.milestone_id {
        Some(id) => Ok(milestone::find(&mut work.tx, id).await?),
        None => Ok(None),
    }
}
