//! Events of cases: recorded, corrected, withdrawn; the milestones of the case's plan move with them.

use chrono_tz::Tz;
use uuid::Uuid;

use super::moved::{case_changed, case_milestones};
use crate::domain::case_event::{CaseEvent, CaseEventKind, When};
use crate::domain::client::Case;
use crate::domain::followup::milestone::Milestone;
use crate::domain::ids::{CaseEventId, CaseId, Id};
use crate::domain::noun::Noun;
use crate::domain::personal::Personal;
use crate::store::{Lock, case_event};
use crate::usecase::error::{Error, Result};
use crate::usecase::noun::find;
use crate::usecase::work::{Mutation, Work};

/// The word for it in sentences.
const WORD: &str = "case event";

/// Records an event of a case, or puts one in the place of another, which stays.
#[derive(Clone, Debug)]
pub struct RecordCaseEvent {
    /// The case.
    pub case_id: CaseId,
    /// What is said.
    pub said: Said,
    /// The document or person it is known from.
    pub source: Personal,
    /// The office or person that did it.
    pub actor: Personal,
    /// The zone in which days are meant; that of the case's open plan when absent.
    pub zone: Option<Tz>,
}

/// What is said about a case.
#[derive(Clone, Debug)]
pub enum Said {
    /// Something happened.
    Happened(CaseEventKind, When),
    /// Something else happened, or at another time, than was recorded; and why that was wrong.
    Corrected(CaseEventId, CaseEventKind, When, Personal),
    /// What was recorded did not happen; and why it was wrong.
    Withdrawn(CaseEventId, Personal),
}

/// An event that was recorded, and the milestones of the case's open plan as they then stand.
pub type Recorded = (CaseEvent, Vec<Milestone>);

impl Mutation for RecordCaseEvent {
    type Answer = Recorded;

    async fn run(&self, work: &mut Work<'_>) -> Result<Recorded> {
        own_case(work, self.case_id, Lock::Update).await?;
        let events = case_event::of_case(&mut work.tx, self.case_id).await?;
        let it = match &self.said {
            Said::Happened(kind, when) => self.happened(work, *kind, *when).await?,
            Said::Corrected(id, kind, when, reason) => {
                standing(&events, *id)?;
                let it = self.happened(work, *kind, *when).await?;
                CaseEvent { supersedes: Some((*id, reason.clone())), ..it }
            }
            Said::Withdrawn(id, reason) => self.withdrawal(work, standing(&events, *id)?, reason)?,
        };
        case_event::insert(&mut work.tx, &it).await?;
        work.touched(it.id.uuid());
        case_changed(work, self.case_id).await?;
        let milestones = case_milestones(work, self.case_id).await?;
        Ok((it, milestones))
    }

    fn result_id(&self, answer: &Recorded) -> Uuid {
        answer.0.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Recorded> {
        own_case(work, self.case_id, Lock::None).await?;
        let events = case_event::of_case(&mut work.tx, self.case_id).await?;
        let it = events.into_iter().find(|it| it.id.uuid() == result_id).ok_or(Error::NotFound(WORD))?;
        let milestones = case_milestones(work, self.case_id).await?;
        Ok((it, milestones))
    }
}

impl RecordCaseEvent {
    /// What happened, as a new event.
    async fn happened(&self, work: &mut Work<'_>, kind: CaseEventKind, when: When) -> Result<CaseEvent> {
        let zone = match self.zone {
            Some(zone) => Some(zone),
            None => case_event::zone_of(&mut work.tx, self.case_id).await?,
        };
        let zone = zone.ok_or_else(|| Error::field("zone", "is required: the case has no open plan"))?;
        if when.is_ahead(work.now, zone) {
            let field = if when.time_known() { "happened_at" } else { "happened_on" };
            return Err(Error::field(field, "must not be in the future"));
        }
        Ok(CaseEvent {
            id: work.world.id(),
            case_id: self.case_id,
            kind,
            happened_at: when.at(zone),
            happened_on: when.on(zone),
            time_known: when.time_known(),
            source: self.source.clone(),
            actor: self.actor.clone(),
            withdrawn: false,
            recorded_at: work.now,
            recorded_by: work.call.caller().principal.clone(),
            supersedes: None,
            superseded: false,
        })
    }

    /// That an event did not happen, in its place.
    fn withdrawal(&self, work: &Work<'_>, before: &CaseEvent, reason: &Personal) -> Result<CaseEvent> {
        if before.withdrawn {
            return Err(Error::field("supersedes_case_event_id", "is a withdrawal itself: correct it"));
        }
        Ok(CaseEvent {
            id: work.world.id(),
            source: self.source.clone(),
            actor: self.actor.clone(),
            withdrawn: true,
            recorded_at: work.now,
            recorded_by: work.call.caller().principal.clone(),
            supersedes: Some((before.id, reason.clone())),
            ..before.clone()
        })
    }
}

/// The event of a case that is to be superseded, which nothing has superseded.
fn standing(events: &[CaseEvent], id: CaseEventId) -> Result<&CaseEvent> {
    let it = events.iter().find(|it| it.id == id).ok_or(Error::NotFound(WORD))?;
    if it.superseded {
        let later = events.iter().find(|later| later.supersedes.as_ref().is_some_and(|(before, _)| *before == id));
        let says = "another event has taken its place";
        let subjects = later.map(|later| later.id.uuid()).into_iter().collect();
        return Err(Error::Precondition { reason: "SUPERSEDED", says, subjects });
    }
    Ok(it)
}

/// Lists the events of a case of the own organisation, superseded ones too; every read is audited.
#[derive(Clone, Copy, Debug)]
pub struct ListCaseEvents {
    /// The case.
    pub case_id: CaseId,
}

impl Mutation for ListCaseEvents {
    type Answer = Vec<CaseEvent>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<CaseEvent>> {
        own_case(work, self.case_id, Lock::None).await?;
        let events = case_event::of_case(&mut work.tx, self.case_id).await?;
        events.iter().for_each(|it| work.touched(it.id.uuid()));
        Ok(events)
    }

    fn result_id(&self, _answer: &Vec<CaseEvent>) -> Uuid {
        self.case_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<CaseEvent>> {
        self.run(work).await
    }
}

/// Refuses a case of another organisation.
async fn own_case(work: &mut Work<'_>, id: CaseId, lock: Lock) -> Result<()> {
    work.touched(id.uuid());
    let case = find::<Case>(work, id, lock).await?;
    work.call.manages(Some(case.organisation_id), Case::WORD)
}
