//! Progress: what instruments have said about a survivor over time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use uuid::Uuid;

use super::assessment::event_of;
use crate::domain::assessment::{Assessment, Reading, beside_each_other};
use crate::domain::ids::{ClientId, Id, PlanId};
use crate::domain::instrument::Informant;
use crate::domain::text::Code;
use crate::store::assessment;
use crate::usecase::client::known;
use crate::usecase::error::Result;
use crate::usecase::work::{Mutation, Work};

/// One instrument over time.
#[derive(Clone, Debug)]
pub struct Series {
    /// The instrument.
    pub instrument: Code,
    /// Who answered.
    pub informant: Informant,
    /// The assessments that stand, as they were made.
    pub readings: Vec<Reading>,
}

/// Reads a survivor's progress; the read is audited before it is answered.
#[derive(Clone, Debug)]
pub struct GetProgress {
    /// The survivor.
    pub client_id: ClientId,
    /// Only this instrument.
    pub instrument: Option<Code>,
}

impl Mutation for GetProgress {
    type Answer = Vec<Series>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<Series>> {
        known(work, self.client_id).await?;
        let standing = assessment::standing(&mut work.tx, self.client_id, self.instrument.as_ref()).await?;
        standing.iter().for_each(|it| work.touched(it.id.uuid()));
        let mut plans: BTreeMap<PlanId, Option<NaiveDate>> = BTreeMap::new();
        for plan_id in standing.iter().map(|it| it.plan_id).collect::<BTreeSet<_>>() {
            plans.insert(plan_id, event_of(work, plan_id).await?);
        }
        let kinds: BTreeSet<_> = standing.iter().map(|it| (it.form.instrument.clone(), it.form.informant)).collect();
        let instruments = work.world.instruments();
        let series = kinds.into_iter().map(|(instrument, informant)| {
            let same = |it: &&Assessment| it.form.instrument == instrument && it.form.informant == informant;
            let of = |plan_id: PlanId| standing.iter().filter(same).filter(move |it| it.plan_id == plan_id).cloned();
            let each =
                plans.iter().flat_map(|(id, event_on)| beside_each_other(instruments, of(*id).collect(), *event_on));
            let mut readings: Vec<_> = each.collect();
            readings.sort_by_key(|it| (it.assessment.assessed_on, it.assessment.id));
            Series { instrument, informant, readings }
        });
        Ok(series.collect())
    }

    fn result_id(&self, _answer: &Vec<Series>) -> Uuid {
        self.client_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<Series>> {
        self.run(work).await
    }
}
