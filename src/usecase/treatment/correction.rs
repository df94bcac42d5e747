//! Whom a correction concerns: the look-ups of police whose answer it has changed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::ledger::policy;
use crate::domain::compliance::{PoliceStatus, Policy};
use crate::domain::police::Lookup;
use crate::domain::treatment::PolicyVersion;
use crate::domain::treatment::standing::Docket;
use crate::store::codec::Instant;
use crate::store::police;
use crate::usecase::error::Result;
use crate::usecase::work::Work;

/// Look-ups read at once.
const SOME: i64 = 500;

/// Notes every look-up of an order that would have been answered otherwise, had been recorded rightly what an
/// event corrects. Answers whether there is any.
pub async fn note(work: &mut Work<'_>, docket: &Docket, event_number: u32) -> Result<bool> {
    let (order_id, mut before, mut found) = (docket.order.id, Uuid::max(), 0_u32);
    let mut answers = Answers::default();
    loop {
        let lookups = police::lookups(&mut work.tx, order_id, before, SOME).await?;
        let Some(last) = lookups.last() else { break };
        before = last.id.0;
        for lookup in lookups.iter().filter(|it| it.corrected_at.is_none()) {
            if answers.are_wrong(work, docket, lookup).await? {
                police::insert_correction(&mut work.tx, lookup.id, order_id, event_number, Instant(work.now)).await?;
                found += 1;
            }
        }
    }
    if found > 0 {
        work.note(format!("LOOKUPS_CORRECTED {found}"));
    }
    Ok(found > 0)
}

/// What was to be answered, by the day it was about and by how much had been recorded: the same for all who asked on
/// a day between two records.
#[derive(Default)]
struct Answers {
    policies: BTreeMap<PolicyVersion, Policy>,
    rightly: BTreeMap<(NaiveDate, usize), Option<PoliceStatus>>,
}

impl Answers {
    async fn are_wrong(&mut self, work: &mut Work<'_>, docket: &Docket, lookup: &Lookup) -> Result<bool> {
        let known = docket.history.all().partition_point(|event| event.recorded_at <= lookup.looked_at);
        let key = (lookup.as_of_on, known);
        if !self.rightly.contains_key(&key) {
            let rightly = self.rightly(work, docket, lookup).await?;
            self.rightly.insert(key, rightly);
        }
        Ok(self.rightly.get(&key).into_iter().flatten().any(|rightly| *rightly != lookup.answer))
    }

    async fn rightly(&mut self, work: &mut Work<'_>, docket: &Docket, lookup: &Lookup) -> Result<Option<PoliceStatus>> {
        let Some(terms) = docket.history.terms_at(lookup.looked_at) else { return Ok(None) };
        if !self.policies.contains_key(&terms.policy) {
            let then = policy(&mut work.tx, &terms.policy).await?.policy;
            self.policies.insert(terms.policy.clone(), then);
        }
        let then = self.policies.get(&terms.policy);
        Ok(then.and_then(|policy| docket.rightly(policy, lookup.looked_at, lookup.as_of_on)))
    }
}
