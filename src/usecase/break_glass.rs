//! Emergency access: asked for by a counsellor, opened by another person of the organisation, read under a trace,
//! ended by the clock or by a person, and reviewed.

use chrono::TimeDelta;
use uuid::Uuid;

use super::call::Call;
use super::error::{Error, Result};
use super::page::Page;
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::access::{Authority, Role};
use crate::domain::break_glass::{Act, BreakGlass, BreakGlassState, Finding, Unable};
use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{BreakGlassId, ClientId, CounsellorId, Id};
use crate::domain::noun::Noun;
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::store::break_glass::{self, Listing};
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::{Lock, client};

/// The word for it in sentences.
const WORD: &str = "emergency access";

/// The reads to which it lets a counsellor in; each of them is audited. It lets nobody write.
const READS: [&str; 7] = [
    "aftercare.v1.ClientService/GetClient",
    "aftercare.v1.ClientService/ListGuardians",
    "aftercare.v1.ClientService/ListConsents",
    "aftercare.v1.AttendanceService/ListAttendance",
    "aftercare.v1.AttendanceService/ListSessionNotes",
    "aftercare.v1.FollowUpService/GetAssessment",
    "aftercare.v1.FollowUpService/GetProgress",
];

/// Whether the caller is let in to read about a client in an emergency, which is then in the trail.
pub(super) async fn lets_in(work: &mut Work<'_>, client_id: ClientId) -> Result<bool> {
    let caller = work.call.caller();
    let Some(counsellor_id) = caller.authority.counsellor_id() else { return Ok(false) };
    if !READS.contains(&work.call.method()) {
        return Ok(false);
    }
    let now = Instant(work.now);
    let open = break_glass::open_for(&mut work.tx, client_id, counsellor_id, &caller.principal, now).await?;
    let Some(id) = open else { return Ok(false) };
    work.touched(id.uuid());
    work.note(format!("BREAK_GLASS {id}"));
    Ok(true)
}

/// Asks to be let in to one client.
#[derive(Clone, Debug)]
pub struct RequestBreakGlass {
    /// Who: the reference that people know the client by.
    pub reference: Reference,
    /// Why.
    pub reason: Personal,
    /// For how long.
    pub length: TimeDelta,
}

impl Mutation for RequestBreakGlass {
    type Answer = BreakGlass;

    /// A client of another organisation or of the other side is one that does not exist.
    async fn run(&self, work: &mut Work<'_>) -> Result<BreakGlass> {
        let by = person(work.call)?;
        let Authority::Counsellor { organisation_id, counsellor_id } = work.call.caller().authority else {
            return Err(Error::Denied);
        };
        let counsellor = Counsellor::find(&mut work.tx, counsellor_id, Lock::None).await?;
        let counsellor = counsellor.filter(|it| it.organisation_id == organisation_id);
        let counsellor = counsellor.ok_or(Error::NotFound(Counsellor::WORD))?;
        let client = client::outline_by_reference(&mut work.tx, &self.reference).await?;
        let client = client.filter(|it| it.organisation_id == organisation_id && it.side == counsellor.side);
        let client = client.ok_or(Error::NotFound(Client::WORD))?;
        let it = BreakGlass {
            id: work.world.id(),
            organisation_id,
            client_id: client.id,
            reference: client.reference,
            counsellor_id,
            requested: Act { at: work.now, by },
            reason: self.reason.clone(),
            length: self.length,
            opened: None,
            opened_until: None,
            revoked: None,
            reviewed: None,
            finding: None,
        };
        break_glass::insert(&mut work.tx, &it, client.side).await?;
        work.touched(it.id.uuid());
        work.touched(it.client_id.uuid());
        Ok(it)
    }

    fn result_id(&self, answer: &BreakGlass) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<BreakGlass> {
        find(work, BreakGlassId(result_id)).await
    }
}

/// What a person does with a request.
#[derive(Clone, Copy, Debug)]
pub enum Decision {
    /// Opens it.
    Approve,
    /// Refuses it, gives it up or ends it.
    Revoke,
    /// Says whether it was right.
    Review(Finding),
}

/// Decides on a request.
#[derive(Clone, Debug)]
pub struct DecideBreakGlass {
    /// Which.
    pub id: BreakGlassId,
    /// How.
    pub decision: Decision,
}

impl Mutation for DecideBreakGlass {
    type Answer = BreakGlass;

    async fn run(&self, work: &mut Work<'_>) -> Result<BreakGlass> {
        let by = person(work.call)?;
        let before = find(work, self.id).await?;
        let act = Act { at: work.now, by };
        let after = match self.decision {
            Decision::Approve => before.open(act),
            Decision::Revoke => before.revoke(act),
            Decision::Review(finding) => {
                work.note(finding.as_str());
                before.review(act, finding)
            }
        };
        let after = after.map_err(|why| unable(why, self.id))?;
        break_glass::update(&mut work.tx, &after).await?;
        if after.state(work.now) == BreakGlassState::Open {
            tracing::warn!(id = %after.id, "emergency access is open");
        }
        Ok(after)
    }

    fn result_id(&self, _answer: &BreakGlass) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<BreakGlass> {
        find(work, self.id).await
    }
}

/// One of which the caller may know, locked: of the own organisation, and for a counsellor the own ones.
async fn find(work: &mut Work<'_>, id: BreakGlassId) -> Result<BreakGlass> {
    work.touched(id.uuid());
    let it = break_glass::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
    work.call.manages(Some(it.organisation_id), WORD)?;
    if asker(work.call).is_some_and(|own| own != (it.counsellor_id, it.requested.by.clone())) {
        return Err(Error::NotFound(WORD));
    }
    work.touched(it.client_id.uuid());
    Ok(it)
}

/// Whose requests a counsellor may know of: the own ones, asked for as this counsellor. One subject may be several.
fn asker(call: &Call) -> Option<(CounsellorId, String)> {
    let caller = call.caller();
    Some((caller.authority.counsellor_id()?, caller.principal.clone()))
}

/// The subject of a caller who is a person: no program asks or answers in an emergency.
fn person(call: &Call) -> Result<String> {
    match call.caller().account {
        Some(_) => {
            let says = "an emergency is for people, and the caller is a service account";
            Err(Error::Precondition { reason: "NOT_A_PERSON", says, subjects: Vec::new() })
        }
        None => Ok(call.caller().principal.clone()),
    }
}

fn unable(why: Unable, id: BreakGlassId) -> Error {
    let (reason, says) = match why {
        Unable::SamePerson => ("SAME_PERSON", "whoever asks for emergency access neither opens nor reviews it"),
        Unable::NotPending => ("NOT_PENDING", "the request waits for nobody any more"),
        Unable::Over => ("ALREADY_OVER", "the emergency access is over"),
        Unable::NotToReview => ("NOT_TO_REVIEW", "only emergency access that has ended is reviewed, once"),
    };
    Error::Precondition { reason, says, subjects: vec![id.uuid()] }
}

/// Lists emergency accesses, the latest first: those of the organisation with their reasons; to a counsellor the own
/// ones, and to an auditor all, without. The read is audited.
pub async fn list_break_glass(
    world: &World,
    call: Call,
    unreviewed: bool,
    page: Page,
) -> Result<(Vec<BreakGlass>, String)> {
    mutate(world, call, ListBreakGlass { unreviewed, page }).await
}

struct ListBreakGlass {
    unreviewed: bool,
    page: Page,
}

impl Mutation for ListBreakGlass {
    type Answer = (Vec<BreakGlass>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let caller = work.call.caller();
        let role = caller.authority.role();
        let listing = Listing {
            organisation_id: caller.authority.organisation_id(),
            asked_by: asker(work.call),
            unreviewed: self.unreviewed,
            reasons: matches!(role, Role::Coordinator | Role::ClinicalLead),
            before: self.page.after(work.world, work.call)?,
            most: i64::try_from(self.page.most()).unwrap_or(i64::MAX),
        };
        let rows = break_glass::list(&mut work.tx, &listing).await?;
        let (rows, next) = self.page.cut(work.world, work.call, rows, |it| it.id);
        rows.iter().for_each(|it| work.touched(it.id.uuid()));
        Ok((rows, next))
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}
