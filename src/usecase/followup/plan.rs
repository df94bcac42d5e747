//! Plans: who may know of them, and what they are.

use uuid::Uuid;

use crate::domain::client::{Case, Client};
use crate::domain::code::Side;
use crate::domain::counsellor::Counsellor;
use crate::domain::followup::milestone::Milestone;
use crate::domain::followup::template::{TEMPLATES, Template};
use crate::domain::followup::{Plan, Subject};
use crate::domain::ids::{CaseId, ClientId, CounsellorId, Id, OrganisationId, PlanId};
use crate::domain::noun::{Noun, Record};
use crate::store::noun::Stored;
use crate::store::{Lock, Tx, client, conflict, followup, milestone};
use crate::usecase::call::{Call, traced};
use crate::usecase::client::{known, known_to};
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::work::Work;
use crate::usecase::world::World;

/// The word for it in sentences.
pub const WORD: &str = "follow-up plan";

/// A plan with its milestones.
#[derive(Clone, Debug)]
pub struct View {
    /// The plan.
    pub plan: Plan,
    /// Its milestones, by due day; those without one last.
    pub milestones: Vec<Milestone>,
}

impl View {
    pub(super) async fn of(tx: &mut Tx, plan: Plan) -> Result<Self> {
        let milestones = milestone::of_plan(tx, plan.id).await?;
        Ok(Self { plan, milestones })
    }

    /// A plan as it now stands, for a request that was made before.
    pub(super) async fn again(work: &mut Work<'_>, id: PlanId) -> Result<Self> {
        let plan = followup::find(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
        check_visible(&mut work.tx, work.call, &plan).await?;
        Self::of(&mut work.tx, plan).await
    }

    /// Whether something about the client waits for a person of the clinical side.
    pub fn needs_attention(&self) -> bool {
        self.milestones.iter().any(|it| it.setting.needs_attention)
    }
}

/// Which plan is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// This one.
    Plan(PlanId),
    /// The last of a survivor.
    Client(ClientId),
    /// The last of a case.
    Case(CaseId),
}

/// Reads a plan.
pub async fn get_plan(world: &World, call: &Call, which: Which) -> Result<View> {
    let subject = match which {
        Which::Plan(id) => id.uuid(),
        Which::Client(id) => id.uuid(),
        Which::Case(id) => id.uuid(),
    };
    traced(world, call, subject, read(world, call, which).await).await
}

async fn read(world: &World, call: &Call, which: Which) -> Result<View> {
    let mut tx = world.db().begin_read().await?;
    let found = match which {
        Which::Plan(id) => followup::find(&mut tx, id, Lock::None).await?,
        Which::Client(id) => {
            known_to(&mut tx, call, id).await?;
            followup::last_of_client(&mut tx, id).await?
        }
        Which::Case(id) => followup::last_of_case(&mut tx, id).await?,
    };
    let plan = found.ok_or(Error::NotFound(WORD))?;
    check_visible(&mut tx, call, &plan).await?;
    View::of(&mut tx, plan).await
}

/// Refuses a plan of which the caller may not know: of a client or a case of another organisation, and for a counsellor one of a case, or of
/// a client who is not the counsellor's own.
pub(super) async fn check_visible(tx: &mut Tx, call: &Call, plan: &Plan) -> Result<()> {
    let holder = match &plan.subject {
        // The plan of a client who has moved is read where the client is.
        Subject::Survivor(course) => {
            client::outline(tx, course.client_id, Lock::None).await?.map(|it| it.organisation_id)
        }
        Subject::Case(_) => Some(plan.organisation_id),
    };
    call.manages(holder, WORD)?;
    let Some(own) = call.caller().authority.counsellor_id() else { return Ok(()) };
    match &plan.subject {
        Subject::Survivor(course) if client::seen_by(tx, course.client_id, own).await? => Ok(()),
        Subject::Survivor(_) | Subject::Case(_) => Err(Error::NotFound(WORD)),
    }
}

/// Locks a plan of which the caller may know, at the version last read, that is open.
pub(super) async fn lock(work: &mut Work<'_>, id: PlanId, version: i64) -> Result<Plan> {
    work.touched(id.uuid());
    let plan = followup::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
    check_visible(&mut work.tx, work.call, &plan).await?;
    if let Some(course) = plan.course() {
        work.touched(course.client_id.uuid());
    }
    if plan.version != version {
        return Err(Error::EtagMismatch(WORD));
    }
    check_open(&plan)?;
    Ok(plan)
}

/// Refuses a plan in which nothing falls due any more.
pub(super) fn check_open(plan: &Plan) -> Result<()> {
    if plan.is_open() { Ok(()) } else { Err(refused("PLAN_CLOSED", "the follow-up plan is closed", &[])) }
}

/// The open plan of a survivor of whom the caller may know, locked; NOT_ENROLLED when there is none.
pub(super) async fn lock_open(work: &mut Work<'_>, client_id: ClientId) -> Result<Plan> {
    known(work, client_id).await?;
    let found = followup::lock_open(&mut work.tx, &[client_id]).await?.pop();
    let plan = found.ok_or_else(|| refused("NOT_ENROLLED", "the client has no open follow-up plan", &[]))?;
    work.touched(plan.id.uuid());
    Ok(plan)
}

/// A survivor's plan, locked, open or closed; of whom it is about the caller may know.
pub(super) async fn lock_of(work: &mut Work<'_>, id: PlanId) -> Result<Plan> {
    work.touched(id.uuid());
    followup::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(WORD))
}

/// A refusal by the state of things.
pub(super) fn refused(reason: &'static str, says: &'static str, subjects: &[Uuid]) -> Error {
    Error::Precondition { reason, says, subjects: subjects.to_vec() }
}

/// A survivor of whom the caller may know, who does not change until the transaction ends, and for whom no session is
/// placed meanwhile.
pub(super) async fn lock_survivor(work: &mut Work<'_>, id: ClientId) -> Result<client::Outline> {
    known(work, id).await?;
    let outline = client::outline(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(Client::WORD))?;
    // Whoever was faster may have given the client away.
    work.call.manages(Some(outline.organisation_id), Client::WORD)?;
    match outline.side {
        Side::Survivor => Ok(outline),
        Side::Offender => Err(Error::field("client_id", "must be a survivor")),
    }
}

/// A case of the caller's organisation, of which no counsellor knows. It does not change until the transaction ends.
pub(super) async fn lock_case(work: &mut Work<'_>, id: CaseId) -> Result<Record<Case>> {
    work.touched(id.uuid());
    let found = Case::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(Case::WORD))?;
    work.call.manages(Some(found.organisation_id), Case::WORD)?;
    match work.call.caller().authority.counsellor_id() {
        Some(_) => Err(Error::NotFound(Case::WORD)),
        None => Ok(found),
    }
}

/// The counsellor who is to be responsible for a survivor: of the organisation, on the survivors' side, and nobody who
/// must not see the client. A counsellor names nobody else.
pub(super) async fn responsible(
    work: &mut Work<'_>,
    organisation_id: OrganisationId,
    client_id: ClientId,
    wanted: Option<CounsellorId>,
) -> Result<Record<Counsellor>> {
    const FIELD: &str = "counsellor_id";
    let own = work.call.caller().authority.counsellor_id();
    if own.is_some() && wanted.is_some() && own != wanted {
        return Err(Error::field(FIELD, "must be empty or yourself; a coordinator names others"));
    }
    let id = wanted.or(own).ok_or_else(|| Error::field(FIELD, "is required"))?;
    let found = Counsellor::find(&mut work.tx, id, Lock::None).await?;
    let found = found.filter(|it| it.organisation_id == organisation_id);
    let found = found.ok_or(Error::NotFound(Counsellor::WORD))?;
    let barred = work.tx.tell(|tx| conflict::counsellors_of(tx, client_id)).await?.contains(&id);
    match found.side {
        Side::Survivor if !barred && !found.inactive => Ok(found),
        _ => Err(Error::field(FIELD, "must be a counsellor who may see the survivor")),
    }
}

/// What is wrong with fields that only the state of things tells.
#[derive(Default)]
pub(super) struct Wrong(Vec<FieldViolation>);

impl Wrong {
    pub(super) fn unless(&mut self, right: bool, field: &str, says: &str) {
        if !right {
            self.0.push(FieldViolation { field: field.to_owned(), says: says.to_owned() });
        }
    }

    /// Takes over what is wrong with a field that was looked at apart.
    pub(super) fn or<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Err(Error::Invalid(more)) => {
                self.0.extend(more);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    pub(super) fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

/// The newest version of every template, by code.
pub fn templates() -> Vec<&'static Template> {
    TEMPLATES.current()
}
