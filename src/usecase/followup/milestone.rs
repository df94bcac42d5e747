//! Milestones: those that wait to be done, and those that are excused.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::plan::{check_open, check_visible, refused};
use super::stage::restage;
use crate::domain::client::Case;
use crate::domain::counsellor::Counsellor;
use crate::domain::followup::Plan;
use crate::domain::followup::milestone::{Excuse, Milestone, Standing};
use crate::domain::ids::{CaseId, ClientId, CounsellorId, Id, MilestoneId};
use crate::domain::noun::Noun;
use crate::domain::personal::Personal;
pub use crate::store::milestone::Kind;
use crate::store::milestone::{Excused, Of, Wanted};
use crate::store::noun::Stored;
use crate::store::{Lock, Tx, followup, milestone};
use crate::usecase::call::{Call, traced};
use crate::usecase::client::known_to;
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// The word for it in sentences.
pub const WORD: &str = "milestone";

/// Which milestones; joined by AND.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this survivor.
    pub client_id: Option<ClientId>,
    /// Of this case.
    pub case_id: Option<CaseId>,
    /// For which this counsellor is responsible.
    pub counsellor_id: Option<CounsellorId>,
    /// Of survivors, or steps of procedure.
    pub kind: Option<Kind>,
    /// Due on this day or later.
    pub due_from: Option<NaiveDate>,
    /// Due on this day or earlier.
    pub due_until: Option<NaiveDate>,
}

/// Lists milestones that wait to be done, by due day: of the organisation, for a counsellor of the own clients.
pub async fn list_milestones(
    world: &World,
    call: &Call,
    filter: &Filter,
    page: &Page,
) -> Result<(Vec<Milestone>, String)> {
    let subject = filter.client_id.map(Id::uuid).or(filter.case_id.map(Id::uuid)).unwrap_or(Uuid::nil());
    traced(world, call, subject, list(world, call, filter, page).await).await
}

async fn list(world: &World, call: &Call, filter: &Filter, page: &Page) -> Result<(Vec<Milestone>, String)> {
    let after: Option<(NaiveDate, MilestoneId)> = page.after(world, call)?;
    let mut tx = world.db().begin_read().await?;
    let Some(of) = of(&mut tx, call, filter).await? else { return Ok((Vec::new(), String::new())) };
    // Whoever begins on a day begins after everything of the day before.
    let from = filter.due_from.unwrap_or(NaiveDate::MIN).max(FIRST) - Days::new(1);
    let begin = (from, MilestoneId(Uuid::max()));
    let wanted = Wanted {
        kind: filter.kind,
        counsellor_id: filter.counsellor_id,
        after: after.unwrap_or(begin),
        until: filter.due_until.unwrap_or(LAST).min(LAST),
        most: i64::try_from(page.most()).unwrap_or(i64::MAX),
    };
    let ids = milestone::listed(&mut tx, of, &wanted).await?;
    let (ids, next) = page.cut(world, call, ids, |(id, due_on)| (*due_on, *id));
    let ids: Vec<MilestoneId> = ids.into_iter().map(|(id, _)| id).collect();
    Ok((milestone::by_ids(&mut tx, &ids).await?, next))
}

/// No milestone is due before or after these.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
const LAST: NaiveDate = match NaiveDate::from_ymd_opt(2300, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// Whose milestones are listed; none when there can be none of which the caller may know.
async fn of(tx: &mut Tx, call: &Call, filter: &Filter) -> Result<Option<Of>> {
    let organisation_id = call.sees()?.ok_or(Error::Denied)?;
    let own = call.caller().authority.counsellor_id();
    if let Some(id) = filter.case_id {
        let case = Case::find(tx, id, Lock::None).await?.ok_or(Error::NotFound(Case::WORD))?;
        call.manages(Some(case.organisation_id), Case::WORD)?;
        return match own {
            Some(_) => Err(Error::NotFound(Case::WORD)),
            None if filter.client_id.is_some() => Ok(None),
            None => Ok(Some(Of::Case(id))),
        };
    }
    if let Some(id) = filter.client_id {
        known_to(tx, call, id).await?;
        return Ok(Some(Of::Client(id)));
    }
    Ok(Some(match (own, filter.counsellor_id) {
        (Some(own), _) => Of::Carer(own),
        (None, Some(id)) => {
            let found = Counsellor::find(tx, id, Lock::None).await?;
            let found = found.filter(|it| it.organisation_id == organisation_id);
            Of::Responsible(found.ok_or(Error::NotFound(Counsellor::WORD))?.id)
        }
        (None, None) => Of::Organisation(organisation_id),
    }))
}

/// Excuses a milestone or one instrument of it, puts it on hold, or takes it up again.
#[derive(Clone, Debug)]
pub struct ExcuseMilestone {
    /// Which.
    pub id: MilestoneId,
    /// The version last read.
    pub version: i64,
    /// How.
    pub excuse: Excuse,
    /// Only this instrument of it.
    pub instrument: Option<String>,
    /// Why; empty when it is taken up again.
    pub reason: Personal,
}

impl Mutation for ExcuseMilestone {
    type Answer = Milestone;

    async fn run(&self, work: &mut Work<'_>) -> Result<Milestone> {
        let (mut plan, it) = own(work, self.id, Lock::Update).await?;
        if it.version != self.version {
            return Err(Error::EtagMismatch(WORD));
        }
        check_open(&plan)?;
        match &self.instrument {
            Some(instrument) => self.excuse_instrument(work, &it, instrument).await?,
            None => self.excuse(work, &it).await?,
        }
        restage(work, &mut plan, &[self.id]).await?;
        milestone::find(&mut work.tx, self.id).await?.ok_or(Error::NotFound(WORD))
    }

    fn result_id(&self, answer: &Milestone) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Milestone> {
        own(work, MilestoneId(result_id), Lock::None).await.map(|(_, it)| it)
    }
}

impl ExcuseMilestone {
    fn excused(&self, work: &Work<'_>) -> Option<Excused> {
        let by = work.call.caller().principal.clone();
        let resumed = self.excuse == Excuse::Resumed;
        (!resumed).then(|| Excused { at: work.now, by, reason: self.reason.clone() })
    }

    async fn excuse(&self, work: &mut Work<'_>, it: &Milestone) -> Result<()> {
        let standing = match self.excuse {
            Excuse::Declined => Standing::Declined,
            Excuse::NotApplicable => Standing::NotApplicable,
            Excuse::OnHold => Standing::OnHold,
            Excuse::Resumed => Standing::Awaited,
        };
        let excused = self.excused(work);
        match excused {
            _ if it.standing == Standing::Done => {
                return Err(refused("MILESTONE_DONE", "the milestone is done", &[it.id.uuid()]));
            }
            None if !it.excused && it.asked.iter().all(|asked| !asked.excused) => return Err(not_excused(it)),
            None => {
                for asked in it.asked.iter().filter(|asked| asked.excused) {
                    milestone::excuse_instrument(&mut work.tx, it, &asked.instrument, None).await?;
                }
            }
            Some(_) => {}
        }
        Ok(milestone::excuse(&mut work.tx, it, standing, excused.as_ref()).await?)
    }

    async fn excuse_instrument(&self, work: &mut Work<'_>, it: &Milestone, instrument: &str) -> Result<()> {
        let subject = [it.id.uuid()];
        let not_asked = || refused("INSTRUMENT_NOT_ASKED", "the milestone does not ask for this instrument", &subject);
        let asked = it.asked.iter().find(|asked| asked.instrument == instrument).ok_or_else(not_asked)?;
        let excused = self.excused(work);
        match &excused {
            Some(_) if it.standing == Standing::OnHold => {
                return Err(refused("MILESTONE_ON_HOLD", "the milestone is on hold; take it up again first", &subject));
            }
            Some(_) if !asked.is_open() || it.excused => {
                return Err(refused("MILESTONE_DONE", "the instrument was answered or excused before", &subject));
            }
            None if !asked.excused => return Err(not_excused(it)),
            _ => {}
        }
        // One of which every instrument is declined is declined as a whole.
        Ok(milestone::excuse_instrument(&mut work.tx, it, instrument, excused.as_ref()).await?)
    }
}

fn not_excused(it: &Milestone) -> Error {
    refused("NOT_EXCUSED", "nothing of it is excused or on hold", &[it.id.uuid()])
}

/// A milestone of which the caller may know, with its plan, which is locked first.
pub(super) async fn own(work: &mut Work<'_>, id: MilestoneId, lock: Lock) -> Result<(Plan, Milestone)> {
    work.touched(id.uuid());
    let not_found = || Error::NotFound(WORD);
    let plan_id = milestone::plan_of(&mut work.tx, id).await?.ok_or_else(not_found)?;
    let plan = followup::find(&mut work.tx, plan_id, lock).await?.ok_or_else(not_found)?;
    check_visible(&mut work.tx, work.call, &plan).await.map_err(as_milestone)?;
    let it = milestone::find(&mut work.tx, id).await?.ok_or_else(not_found)?;
    if let Some((client_id, _)) = &it.setting.client {
        work.touched(client_id.uuid());
    }
    Ok((plan, it))
}

/// A plan that may not be known of is a milestone that may not be known of.
fn as_milestone(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::NotFound(WORD),
        error => error,
    }
}
