//! What answers come to, on the wire.

use crate::domain::assessment::{Comparison, Reading};
use crate::domain::instrument::{Change, CutOff, ScaleScore};
use crate::domain::text::Language;
use crate::grpc::fields::count;
use crate::grpc::pb;
use crate::grpc::words::Word;

/// The result of an assessment beside the others of its series.
pub(super) fn result_pb(reading: &Reading) -> pb::AssessmentResult {
    let it = &reading.assessment;
    let score = &it.result.score;
    let finding = |it: &crate::domain::instrument::Finding| pb::AlgorithmFinding {
        algorithm: it.algorithm.to_string(),
        finding: it.says(reading.timing()).to_owned(),
    };
    let risk = |it: &crate::domain::instrument::RiskAnswer| pb::RiskAnswer {
        item: count(it.item),
        value: it.value.map(count),
    };
    pb::AssessmentResult {
        rule_set: score.rule_set.clone(),
        total: score.total.map(count),
        prorated: score.prorated,
        missing_items: i32::try_from(score.missing.len()).unwrap_or(i32::MAX),
        scales: score.subscales.iter().chain(&score.subscores).map(scale).collect(),
        cut_offs: score.cut_offs.iter().map(|cut_off_of| cut_off(cut_off_of, &it.form.language)).collect(),
        band: score.band.as_ref().map(ToString::to_string).unwrap_or_default(),
        findings: score.findings.iter().map(finding).collect(),
        risks: score.risks.iter().map(risk).collect(),
        flags: reading.flags().iter().map(ToString::to_string).collect(),
        since_baseline: reading.since_baseline.as_ref().map(change),
        since_previous: reading.since_previous.as_ref().map(change),
    }
}

fn scale(it: &ScaleScore) -> pb::ScaleScore {
    pb::ScaleScore { scale: it.code.to_string(), score: it.score.map(count), symptoms: it.positives.map(count) }
}

fn cut_off(it: &CutOff, language: &Language) -> pb::CutOffResult {
    pb::CutOffResult { cut_off: it.code.to_string(), reached: it.reached, validated: it.is_validated_for(language) }
}

fn change(it: &Comparison) -> pb::Change {
    let care = it.care.iter().map(ToString::to_string);
    let (class, delta, notes) = match &it.change {
        None => (pb::ChangeClass::Baseline.into(), None, Vec::new()),
        Some(Change::Compared { delta, class }) => {
            let class = class.map_or(pb::ChangeClass::DifferenceOnly.into(), Word::to_wire);
            (class, i32::try_from(*delta).ok(), care.collect())
        }
        Some(Change::NotComparable(reasons)) => {
            let reasons = reasons.iter().map(ToString::to_string);
            (pb::ChangeClass::NotComparable.into(), None, reasons.chain(care).collect())
        }
    };
    pb::Change { since_assessment_id: it.since.to_string(), class, delta, notes }
}
