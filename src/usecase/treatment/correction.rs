//! Whom a correction concerns: the look-ups of police whose answer it has changed.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::ledger::policy;
use crate::domain::compliance::Policy;
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
    let (order_id, mut before, mut found) = (docket.order.id, Uuid::max(), false);
    let mut policies = Policies::default();
    loop {
        let lookups = police::lookups(&mut work.tx, order_id, before, SOME).await?;
        let Some(last) = lookups.last() else { return Ok(found) };
        before = last.id.0;
        for lookup in lookups.iter().filter(|it| it.corrected_at.is_none()) {
            if policies.is_wrong(work, docket, lookup).await? {
                police::insert_correction(&mut work.tx, lookup.id, order_id, event_number, Instant(work.now)).await?;
                work.note(format!("CORRECTED {}", lookup.id));
                found = true;
            }
        }
    }
}

/// The policies by which an order was judged over time.
#[derive(Default)]
struct Policies(BTreeMap<PolicyVersion, Policy>);

impl Policies {
    async fn is_wrong(&mut self, work: &mut Work<'_>, docket: &Docket, lookup: &Lookup) -> Result<bool> {
        let Some(terms) = docket.history.terms_at(lookup.looked_at) else { return Ok(false) };
        if !self.0.contains_key(&terms.policy) {
            let then = policy(&mut work.tx, &terms.policy).await?.policy;
            self.0.insert(terms.policy.clone(), then);
        }
        let Some(policy) = self.0.get(&terms.policy) else { return Ok(false) };
        let rightly = docket.rightly(policy, lookup.looked_at, lookup.as_of_on);
        Ok(rightly.is_some_and(|rightly| rightly != lookup.answer))
    }
}
