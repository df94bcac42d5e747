//! Issues a statement: a look-up of police like any other, whose answer is signed.

use std::sync::Arc;

use chrono::{NaiveDate, SubsecRound};
use uuid::Uuid;

use super::keys::{Keyring, signing_key};
use crate::domain::ids::{Id, StatementId};
use crate::domain::reference::Reference;
use crate::domain::statement::{Chain, Claims, Compliance, Digest, ISSUER, Issued, SigningKey};
use crate::domain::time::local_day;
use crate::domain::treatment::standing::Docket;
use crate::store::{self, Lock, compliance, police, statement, treatment as orders};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::treatment::{self, Answer, Inquiry};
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// Issues a statement about one order.
#[derive(Clone, Debug)]
pub struct IssueComplianceStatement {
    /// Why.
    pub inquiry: Inquiry,
    /// Which.
    pub reference: Reference,
}

impl IssueComplianceStatement {
    /// The statement, if police may know of the order. That there was none is kept like any look-up.
    pub async fn run(self, world: &World, keys: &Arc<dyn Keyring>, call: Call) -> Result<Issued> {
        let key = signing_key(world, keys).await?;
        mutate(world, call, Issue { asked: self, key }).await?.ok_or(Error::NotFound(treatment::WORD))
    }
}

/// With the key to sign with.
struct Issue {
    asked: IssueComplianceStatement,
    key: SigningKey,
}

impl Mutation for Issue {
    type Answer = Option<Issued>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Option<Issued>> {
        let Some(answer) = self.look_up(work).await? else { return Ok(None) };
        let order = orders::find(&mut work.tx, answer.order_id, Lock::None).await?;
        let docket = treatment::docket(&mut work.tx, order.ok_or(Error::NotFound(treatment::WORD))?).await?;
        let number = statement::count(&mut work.tx, answer.order_id).await? + 1;
        let zone = docket.order.terms.zone;
        let corrected = police::corrected_at(&mut work.tx, answer.order_id).await?;
        let mut corrections: Vec<NaiveDate> = corrected.into_iter().map(|at| local_day(at, zone)).collect();
        corrections.dedup();
        let token =
            self.key.sign(&claims(&docket, &answer, corrections, number)?).map_err(|_| inconsistent(&docket))?;
        let (id, kid): (StatementId, _) = (work.world.id(), self.key.public().kid());
        let issued = Issued { id, order_id: answer.order_id, number, kid, issued_at: work.now, token };
        statement::insert(&mut work.tx, &issued).await?;
        work.touched(id.uuid());
        work.note(format!("STATEMENT {number}"));
        Ok(Some(issued))
    }

    fn result_id(&self, answer: &Option<Issued>) -> Uuid {
        answer.as_ref().map_or(Uuid::nil(), |issued| issued.id.uuid())
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Option<Issued>> {
        // Asking again is another look-up, and finds nothing that the caller may not know by now.
        let Some(answer) = self.look_up(work).await? else { return Ok(None) };
        let found = statement::find(&mut work.tx, StatementId(result_id)).await?;
        Ok(found.filter(|found| found.order_id == answer.order_id))
    }
}

impl Issue {
    /// Asks as every look-up of police does, with the order locked first: what is answered, what is counted and
    /// the record on which it rests are of one moment.
    async fn look_up(&self, work: &mut Work<'_>) -> Result<Option<Answer>> {
        let IssueComplianceStatement { inquiry, reference } = &self.asked;
        let call = treatment::inquire(work, inquiry).await?;
        let ids = compliance::by_references(&mut work.tx, &call.jurisdiction, std::slice::from_ref(reference)).await?;
        for id in ids {
            orders::find(&mut work.tx, id, Lock::Update).await?;
        }
        let answer = treatment::check(work, &call, reference).await?;
        if answer.is_none() {
            work.note("NOT_FOUND");
        }
        Ok(answer)
    }
}

fn claims(docket: &Docket, answer: &Answer, corrections: Vec<NaiveDate>, number: u32) -> Result<Claims> {
    let (order, view) = (&docket.order, &answer.view);
    let head = order.head.as_slice().try_into().map_err(|_| inconsistent(docket))?;
    Ok(Claims {
        iss: ISSUER.into(),
        iat: answer.as_of.trunc_subsecs(0),
        exp: answer.valid_until,
        sub: view.reference.clone(),
        statement: number,
        compliance: Compliance {
            status: view.status.status,
            as_of: view.as_of_on,
            credits: view.status.credits,
            required: view.status.required,
            changed_on: view.changed_on,
            breach_on: view.status.breach_on,
            enforcement_due_on: view.status.enforcement_due_on,
            unrecorded_sessions: answer.unrecorded,
            corrected: view.corrected,
        },
        policy: order.terms.policy.clone(),
        chain: Chain { head: Digest(head) },
        corrections,
    })
}

fn inconsistent(docket: &Docket) -> Error {
    store::Error::Inconsistent { table: "treatment_order", what: docket.order.id.to_string() }.into()
}
