//! Police watch their jurisdiction: each order that changes, as it now stands. Whatever they are shown is a look-up,
//! which is kept before it is sent.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::police::{Answer, Inquiry, inquire, jurisdiction, tell};
use super::{WORD, moving};
use crate::domain::feed::Topic;
use crate::domain::ids::{Id, OrderId};
use crate::domain::police::PoliceCall;
use crate::domain::reference::Reference;
use crate::domain::treatment::standing::ComplianceNote;
use crate::store;
use crate::store::feed::Entry;
use crate::usecase::call::Call;
use crate::usecase::error::Result;
use crate::usecase::feed::{Follower, View, Watcher};
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// An order that changed for police.
#[derive(Clone, Debug)]
pub struct ComplianceChange {
    /// What police are told of it.
    pub told: Told,
}

/// What police are told of an order that changed.
#[derive(Clone, Debug)]
pub enum Told {
    /// Where it now stands.
    Now(Box<Answer>),
    /// It is not theirs any more.
    Gone(Reference),
}

/// Watches the jurisdiction of the caller from a cursor on, or from now on when there is none. That they ask is kept
/// once, and counts once towards how often they may.
pub async fn watch_compliance(
    world: &World,
    call: Call,
    inquiry: Inquiry,
    cursor: &str,
) -> Result<Watcher<Jurisdiction>> {
    let follower = Follower::open(world, &call, Topic::Compliance(jurisdiction(&call)?), cursor).await?;
    let asked = mutate(world, call.clone(), Ask(inquiry)).await?;
    Ok(Watcher::new(follower, Jurisdiction { call, asked }))
}

struct Ask(Inquiry);

impl Mutation for Ask {
    type Answer = PoliceCall;

    async fn run(&self, work: &mut Work<'_>) -> Result<PoliceCall> {
        inquire(work, &self.0).await
    }

    fn result_id(&self, answer: &PoliceCall) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<PoliceCall> {
        self.run(work).await
    }
}

/// What police of a jurisdiction see.
#[derive(Clone, Debug)]
pub struct Jurisdiction {
    call: Call,
    asked: PoliceCall,
}

impl View for Jurisdiction {
    type Item = ComplianceChange;

    async fn view(&self, world: &World, entries: &[Entry]) -> Result<Vec<(i64, ComplianceChange)>> {
        let tell = Tell { asked: self.asked.clone(), entries: entries.to_vec() };
        mutate(world, self.call.clone(), tell).await
    }
}

/// Tells where orders stand that have changed.
struct Tell {
    asked: PoliceCall,
    entries: Vec<Entry>,
}

impl Mutation for Tell {
    type Answer = Vec<(i64, ComplianceChange)>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        work.note(format!("{} {}", self.asked.purpose, self.asked.crime_number));
        let ids: BTreeSet<OrderId> = self.entries.iter().map(|it| OrderId(it.aggregate_id)).collect();
        let ids: Vec<OrderId> = ids.into_iter().collect();
        moving::these(work, &ids).await?;
        // They look now, whenever it was that they asked.
        let call = PoliceCall { called_at: work.now, ..self.asked.clone() };
        let answers = tell(work, &call, &ids).await?;
        let mut changes = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let told = match answers.get(&OrderId(entry.aggregate_id)) {
                Some(answer) => Some(Told::Now(Box::new(answer.clone()))),
                None => gone(entry)?.map(Told::Gone),
            };
            changes.extend(told.map(|told| (entry.position, ComplianceChange { told })));
        }
        Ok(changes)
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}

/// The order that was taken from these police by a change, if one was. What was theirs once and is not now is told by
/// that change alone.
fn gone(entry: &Entry) -> Result<Option<Reference>> {
    let wrong = || store::Error::Inconsistent { table: "feed", what: format!("{WORD} {}", entry.aggregate_id) };
    let payload = entry.payload().cloned().ok_or_else(wrong)?;
    let note: ComplianceNote = serde_json::from_value(payload).map_err(|_| wrong())?;
    Ok(note.view.is_none().then_some(note.reference))
}
