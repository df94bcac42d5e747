//! Progress: what instruments have said about a survivor over time.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

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
        let kinds: BTreeSet<_> = standing.iter().map(|it| (it.form.instrument.clone(), it.form.informant)).collect();
        let of = |instrument: &Code, informant: Informant| {
            let same = |it: &&Assessment| it.form.instrument == *instrument && it.form.informant == informant;
            let mut plans: BTreeMap<PlanId, Vec<Assessment>> = BTreeMap::new();
            for it in standing.iter().filter(same) {
                plans.entry(it.plan_id).or_default().push(it.clone());
            }
            let each = plans.into_values().flat_map(|plan| beside_each_other(work.world.instruments(), plan));
            let mut readings: Vec<_> = each.collect();
            readings.sort_by_key(|it| (it.assessment.assessed_on, it.assessment.id));
            readings
        };
        let series = kinds.into_iter().map(|(instrument, informant)| {
            let readings = of(&instrument, informant);
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
