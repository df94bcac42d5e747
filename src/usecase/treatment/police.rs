//! What police may know: where an order of their jurisdiction stands, and nothing else.
//!
//! Every call is kept with its purpose and case, every answer about an order where its provider sees it. A
//! voluntary order, one of another jurisdiction, a survivor and a reference that nobody has are alike.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{WORD, moving};
use crate::domain::access::Authority;
use crate::domain::client::CrimeNumber;
use crate::domain::compliance::Shown;
use crate::domain::feed::Topic;
use crate::domain::ids::OrderId;
use crate::domain::police::{MOST_CALLS, PoliceCall, Purpose, RATE_WINDOW};
use crate::domain::reference::Reference;
use crate::domain::text::Code;
use crate::domain::time::{Span, local_day};
use crate::domain::treatment::standing::PoliceView;
use crate::store::codec::Instant;
use crate::store::compliance::Within;
use crate::store::{self, compliance, police, visit};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::feed;
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// Why police ask, and in which case.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// Why.
    pub purpose: Purpose,
    /// In which case: their own. It justifies the look-up, and is not compared with anything.
    pub crime_number: CrimeNumber,
}

/// What police are told about an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The order.
    pub order_id: OrderId,
    /// Where it stands.
    pub view: PoliceView,
    /// When this was true.
    pub as_of: DateTime<Utc>,
    /// Until when it can be relied on: the end of the order's day, for tomorrow may be otherwise.
    pub valid_until: DateTime<Utc>,
    /// How many sessions have ended without a record of what became of them. Nobody guesses.
    pub unrecorded: u32,
}

/// The jurisdiction of a call by police.
pub(super) fn jurisdiction(call: &Call) -> Result<Code> {
    match &call.caller().authority {
        Authority::Police { jurisdiction } => Ok(jurisdiction.clone()),
        _ => Err(Error::Denied),
    }
}

/// Keeps that police ask, unless they ask too often.
pub async fn inquire(work: &mut Work<'_>, inquiry: &Inquiry) -> Result<PoliceCall> {
    let caller = work.call.caller().identity();
    police::take_turn(&mut work.tx, &caller, Instant(work.now)).await?;
    let since = Instant(work.now - RATE_WINDOW);
    if let Some(at) = police::nth_call_since(&mut work.tx, &caller, since, MOST_CALLS).await? {
        let says = "too many look-ups within a minute";
        return Err(Error::Exhausted { reason: "LOOKUP_RATE", says, retry_for: at + RATE_WINDOW - work.now });
    }
    let call = PoliceCall {
        id: work.world.id(),
        called_at: work.now,
        caller,
        principal: work.call.caller().principal.clone(),
        jurisdiction: jurisdiction(work.call)?,
        method: work.call.method(),
        purpose: inquiry.purpose,
        crime_number: inquiry.crime_number.clone(),
    };
    police::insert_call(&mut work.tx, &call).await?;
    work.note(format!("{} {}", inquiry.purpose, inquiry.crime_number));
    Ok(call)
}

/// Tells what police may know of these orders, and keeps for each that it was told. Those that are none of
/// their business are left out. Nothing is corrected meanwhile without finding the look-up.
pub async fn tell(work: &mut Work<'_>, call: &PoliceCall, ids: &[OrderId]) -> Result<BTreeMap<OrderId, Answer>> {
    let now = work.now;
    let rows = compliance::for_police(&mut work.tx, &call.jurisdiction, ids, Instant(now)).await?;
    let known: Vec<OrderId> = rows.iter().map(|row| row.standing.order_id).collect();
    let unrecorded = visit::unrecorded(&mut work.tx, &known, Instant(now)).await?;
    let mut answers = BTreeMap::new();
    for row in rows {
        let (today, order_id) = (local_day(now, row.zone), row.standing.order_id);
        let view = PoliceView {
            reference: row.reference,
            as_of_on: today,
            status: row.standing.shown,
            changed_on: row.standing.changed_on,
            corrected: row.standing.corrected,
        };
        police::insert_lookup(&mut work.tx, work.world.id(), call, order_id, today, &view.status).await?;
        work.touched(order_id.0);
        let valid_until = Span::of_day(today, row.zone).map_or(now, Span::ends_at);
        let unrecorded = unrecorded.get(&order_id).copied().unwrap_or_default();
        answers.insert(order_id, Answer { order_id, view, as_of: now, valid_until, unrecorded });
    }
    Ok(answers)
}

/// Tells where the order of a reference stands; none when police may not know of it.
pub async fn check(work: &mut Work<'_>, call: &PoliceCall, reference: &Reference) -> Result<Option<Answer>> {
    let ids = compliance::by_references(&mut work.tx, &call.jurisdiction, std::slice::from_ref(reference)).await?;
    moving::these(work, &ids).await?;
    Ok(tell(work, call, &ids).await?.into_values().next())
}

/// Checks where one order stands.
#[derive(Clone, Debug)]
pub struct CheckCompliance {
    /// Why.
    pub inquiry: Inquiry,
    /// Which.
    pub reference: Reference,
}

impl CheckCompliance {
    /// The answer, if there is one that police may have. That there was none is kept like any answer.
    pub async fn run(self, world: &World, call: Call) -> Result<Answer> {
        mutate(world, call, self).await?.ok_or(Error::NotFound(WORD))
    }
}

impl Mutation for CheckCompliance {
    type Answer = Option<Answer>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Option<Answer>> {
        let call = inquire(work, &self.inquiry).await?;
        let answer = check(work, &call, &self.reference).await?;
        if answer.is_none() {
            work.note(format!("NOT_FOUND {}", self.reference));
        }
        Ok(answer)
    }

    fn result_id(&self, _answer: &Option<Answer>) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Option<Answer>> {
        Mutation::run(self, work).await
    }
}

/// Checks where several orders stand.
#[derive(Clone, Debug)]
pub struct BatchCheckCompliance {
    /// Why.
    pub inquiry: Inquiry,
    /// Which, each once.
    pub references: Vec<Reference>,
}

impl Mutation for BatchCheckCompliance {
    /// For each reference, in the order asked for, the answer, if there is one that police may have.
    type Answer = Vec<Option<Answer>>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<Option<Answer>>> {
        let call = inquire(work, &self.inquiry).await?;
        let ids = compliance::by_references(&mut work.tx, &call.jurisdiction, &self.references).await?;
        moving::these(work, &ids).await?;
        let answers = tell(work, &call, &ids).await?;
        let of = |reference: &Reference| answers.values().find(|it| it.view.reference == *reference).cloned();
        let told: Vec<_> = self.references.iter().map(of).collect();
        for (reference, _) in self.references.iter().zip(&told).filter(|(_, answer)| answer.is_none()) {
            work.note(format!("NOT_FOUND {reference}"));
        }
        Ok(told)
    }

    fn result_id(&self, _answer: &Vec<Option<Answer>>) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<Option<Answer>>> {
        Mutation::run(self, work).await
    }
}

/// Lists where the orders of the jurisdiction stand, by reference.
#[derive(Clone, Debug)]
pub struct ListComplianceInJurisdiction {
    /// Why.
    pub inquiry: Inquiry,
    /// Only those that stand so.
    pub status: Option<Shown>,
    /// Which page.
    pub page: Page,
}

/// Where orders of a jurisdiction stand, and from where on to watch them.
#[derive(Debug)]
pub struct ListedCompliance {
    /// A page of them.
    pub answers: Vec<Answer>,
    /// Token of the next page.
    pub next: String,
    /// A cursor of before the page was read: whoever watches from there on misses nothing.
    pub watch: String,
}

impl Mutation for ListComplianceInJurisdiction {
    type Answer = ListedCompliance;

    async fn run(&self, work: &mut Work<'_>) -> Result<ListedCompliance> {
        let call = inquire(work, &self.inquiry).await?;
        // First of all: what has its position by now is seen by whatever is read after.
        let topic = Topic::Compliance(call.jurisdiction.clone());
        let watch = feed::cursor(work.world, &topic, store::feed::last(&mut work.tx, &topic).await?);
        let after: String = self.page.after(work.world, work.call)?.unwrap_or_default();
        moving::rest(work, &Within::Jurisdiction(call.jurisdiction.clone())).await?;
        let most = i64::try_from(self.page.most()).unwrap_or(i64::MAX);
        let rows = compliance::in_jurisdiction(&mut work.tx, &call.jurisdiction, self.status, &after, most).await?;
        let (rows, next) = self.page.cut(work.world, work.call, rows, |(_, reference)| reference.as_str().to_owned());
        let ids: Vec<OrderId> = rows.iter().map(|(id, _)| *id).collect();
        let mut answers: Vec<Answer> = tell(work, &call, &ids).await?.into_values().collect();
        answers.retain(|it| self.status.is_none_or(|status| it.view.status.status == status));
        answers.sort_by(|one, other| one.view.reference.cmp(&other.view.reference));
        Ok(ListedCompliance { answers, next, watch })
    }

    fn result_id(&self, _answer: &ListedCompliance) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<ListedCompliance> {
        Mutation::run(self, work).await
    }
}
