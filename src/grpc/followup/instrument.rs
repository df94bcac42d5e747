//! Instruments on the wire.

use tonic::Request;

use super::FollowUps;
use crate::domain::instrument::{ANYWHERE, Instrument, Item, Scale};
use crate::grpc::fields::{Fields, count, open};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::followup::instrument::list_instruments;

/// The oldest age that can be asked about.
const OLDEST: u32 = 130;

impl FollowUps {
    pub(super) async fn instruments(
        &self,
        request: Request<pb::ListInstrumentsRequest>,
    ) -> Result<pb::ListInstrumentsResponse> {
        let (_, pb) = open(request)?;
        let mut f = Fields::default();
        let age = f.maybe_count("age", pb.age, 0..=OLDEST);
        let age = f.finish(|| age)?;
        let all = list_instruments(&self.world, age);
        Ok(pb::ListInstrumentsResponse { instruments: all.into_iter().map(instrument_pb).collect() })
    }
}

fn instrument_pb(it: &Instrument) -> pb::Instrument {
    let (least_total, most_total) = it.total_range();
    let stem = |stem: &Option<String>| stem.clone().unwrap_or_default();
    pb::Instrument {
        code: it.code.to_string(),
        version: it.version.clone(),
        rule_set: it.rule_set.clone(),
        title: it.title.clone(),
        licence: it.licence.code.to_string(),
        text_reproduced: it.licence.may_reproduce,
        informants: it
            .informants
            .iter()
            .map(|it| pb::InstrumentInformant {
                informant: it.informant.to_wire(),
                youngest: count(it.from_age),
                oldest: it.to_age.map_or(0, count),
            })
            .collect(),
        recalls: it
            .recall
            .iter()
            .map(|it| pb::InstrumentRecall { code: it.code.to_string(), stem: stem(&it.stem) })
            .collect(),
        least_days_apart: count(it.least_days_apart),
        used_for_change: it.for_change,
        gate: it.gate.is_some(),
        items: it.items().map(|item| item_pb(it, item)).collect(),
        scales: it.scales().map(|scale| scale_pb(it, scale)).collect(),
        least_total: count(least_total),
        most_total: count(most_total),
        cut_offs: cut_offs(it),
        languages: it.languages.iter().map(|it| it.as_str().to_owned()).collect(),
        bands: it
            .total
            .bands
            .iter()
            .map(|it| pb::InstrumentBand { code: it.code.to_string(), at_least: count(it.from) })
            .collect(),
        gate_text: it.gate.as_ref().map_or_else(String::new, |it| stem(&it.text)),
    }
}

fn item_pb(it: &Instrument, item: Item<'_>) -> pb::InstrumentItem {
    pb::InstrumentItem {
        number: count(item.number),
        text: item.text().map_or_else(|| item.label(), str::to_owned),
        values: item.values().iter().map(|value| count(*value)).collect(),
        risk: it.is_risk(&item),
        answers: item.answers().to_vec(),
    }
}

fn scale_pb(it: &Instrument, scale: &Scale) -> pb::InstrumentScale {
    let lines = scale.symptoms.iter().flat_map(|symptom| it.lines(*symptom));
    pb::InstrumentScale {
        code: scale.code.to_string(),
        items: lines.map(|line| count(*line)).collect(),
        title: scale.title.clone(),
    }
}

fn cut_offs(it: &Instrument) -> Vec<pb::InstrumentCutOff> {
    let each = it.cut_offs.iter().flat_map(|set| set.thresholds.iter().map(move |it| (set, it)));
    let each = each.map(|(set, it)| pb::InstrumentCutOff {
        code: it.code.to_string(),
        score: it.on.to_string(),
        at_least: count(it.at_least),
        population: if set.region == ANYWHERE { String::new() } else { set.region.clone() },
        validated: set.validated,
    });
    each.collect()
}
