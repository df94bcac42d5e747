//! Who is let in no more: admins revoke tokens and subjects, and lift what they revoked.

use uuid::Uuid;

use super::call::Call;
use super::error::{Error, Result};
use super::page::Page;
use super::work::{Mutation, Work};
use super::world::World;
use crate::domain::ids::{Id, RevocationId};
use crate::domain::revocation::{Lift, LiftReason, Revocation, RevocationReason, Target};
use crate::store::revocation::{self, Listing};
use crate::store::{self, Lock};

/// The word for it in sentences.
const WORD: &str = "revocation";

/// Revokes a token, or what a subject was issued.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// Of what.
    pub target: Target,
    /// Why.
    pub reason: RevocationReason,
}

impl Mutation for Revoke {
    type Answer = Revocation;

    async fn run(&self, work: &mut Work<'_>) -> Result<Revocation> {
        let by = work.call.caller().principal.clone();
        if matches!(&self.target, Target::Principal { principal, blocks: true } if *principal == by) {
            let says = "nobody can block the own subject; revoke what it was issued, or let another admin do it";
            return Err(Error::Precondition { reason: "OWN_PRINCIPAL", says, subjects: Vec::new() });
        }
        let (target, reason) = (self.target.clone(), self.reason);
        let revocation = Revocation { id: work.world.id(), target, reason, at: work.now, by, lifted: None };
        revocation::insert(&mut work.tx, &revocation).await?;
        work.registered().await?;
        work.touched(revocation.id.uuid());
        work.note(self.reason.as_str());
        Ok(revocation)
    }

    fn result_id(&self, answer: &Revocation) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Revocation> {
        find(work, RevocationId(result_id), Lock::None).await
    }
}

/// Lifts a revocation.
#[derive(Clone, Debug)]
pub struct LiftRevocation {
    /// Which.
    pub id: RevocationId,
    /// Why.
    pub reason: LiftReason,
}

impl Mutation for LiftRevocation {
    type Answer = Revocation;

    async fn run(&self, work: &mut Work<'_>) -> Result<Revocation> {
        work.touched(self.id.uuid());
        let before = find(work, self.id, Lock::Update).await?;
        let lift = Lift { reason: self.reason, at: work.now, by: work.call.caller().principal.clone() };
        match revocation::lift(&mut work.tx, self.id, &lift).await {
            Ok(()) => {}
            Err(store::Error::Conflict) => {
                let (reason, says) = ("ALREADY_LIFTED", "the revocation was lifted before");
                return Err(Error::Precondition { reason, says, subjects: vec![self.id.uuid()] });
            }
            Err(error) => return Err(error.into()),
        }
        work.registered().await?;
        work.note(self.reason.as_str());
        Ok(Revocation { lifted: Some(lift), ..before })
    }

    fn result_id(&self, _answer: &Revocation) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Revocation> {
        find(work, self.id, Lock::None).await
    }
}

async fn find(work: &mut Work<'_>, id: RevocationId, lock: Lock) -> Result<Revocation> {
    revocation::find(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(WORD))
}

/// Which revocations; joined by AND.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// On this subject.
    pub principal: Option<String>,
    /// Those that were not lifted.
    pub standing: bool,
}

/// Lists revocations, the latest first.
pub async fn list_revocations(
    world: &World,
    call: &Call,
    filter: Filter,
    page: &Page,
) -> Result<(Vec<Revocation>, String)> {
    let before = page.after(world, call)?.unwrap_or(RevocationId(Uuid::max()));
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let listing = Listing { principal: filter.principal, standing: filter.standing, before, most };
    let mut tx = world.db().read_once().await?;
    let rows = revocation::list(&mut tx, &listing).await?;
    Ok(page.cut(world, call, rows, |it| it.id))
}
