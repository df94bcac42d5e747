//! Plans, and what an assessment does to their milestones.

use chrono::NaiveDate;

use crate::domain::followup::Plan;
use crate::domain::followup::milestone::Milestone;
use crate::domain::ids::{AssessmentId, ClientId, MilestoneId};
use crate::usecase::error::{Error, Result};
use crate::usecase::work::Work;

/// The word for it in sentences.
pub const WORD: &str = "follow-up plan";

/// The open plan of a survivor of whom the caller may know, locked; NOT_ENROLLED when there is none.
pub(super) async fn lock_open(_work: &mut Work<'_>, _client_id: ClientId) -> Result<Plan> {
    Err(Error::NotFound(WORD))
}

/// The milestone that an assessment of this day belongs to: the one that is named, if it asks for the instrument and
/// its window has opened, or the one that asks for it and whose window the day is in.
pub(super) async fn milestone_for(
    _work: &mut Work<'_>,
    _plan: &Plan,
    _instrument: &str,
    _assessed_on: NaiveDate,
    _wanted: Option<MilestoneId>,
) -> Result<Option<MilestoneId>> {
    Ok(None)
}

/// What an assessment tells its plan.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// The assessment.
    pub id: AssessmentId,
    /// Its instrument.
    pub instrument: String,
    /// The local day.
    pub assessed_on: NaiveDate,
    /// Nothing is left to ask.
    pub closed: bool,
    /// The milestone it belongs to.
    pub milestone_id: Option<MilestoneId>,
    /// The assessment whose place it takes.
    pub supersedes: Option<AssessmentId>,
}

/// Puts an assessment that was written into its milestone, and the one that it supersedes out of its own. Answers
/// the milestone as it stands then.
pub(super) async fn answered(_work: &mut Work<'_>, _plan: &Plan, _it: &Answered) -> Result<Option<Milestone>> {
    Ok(None)
}
