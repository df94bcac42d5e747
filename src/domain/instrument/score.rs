//! What an answer sheet comes to.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::algorithm::{Algorithm, Known};
use super::redacted::redacted;
use super::risk::RiskAnswer;
use super::sheet::Complete;
use super::{ANYWHERE, Code, Instrument, Scale, TOTAL};
use crate::domain::text::Language;

/// What an answer sheet comes to by the rules of its instrument. A screen, never a diagnosis.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The rules by which it was scored.
    pub rule_set: String,
    /// The items that were skipped or declined, in order.
    pub missing: Vec<u32>,
    /// The total; none when too much is missing.
    pub total: Option<u32>,
    /// Whether the total makes up for missing answers by the mean of the others.
    pub prorated: bool,
    /// The scales that the total consists of.
    pub subscales: Vec<ScaleScore>,
    /// The scales beside the total.
    pub subscores: Vec<ScaleScore>,
    /// Every cut-off of every set.
    pub cut_offs: Vec<CutOff>,
    /// The name of the range in which the total lies, where such names exist.
    pub band: Option<Code>,
    /// What each algorithm found.
    pub findings: Vec<Finding>,
    /// The answers that a person must look at.
    pub risks: Vec<RiskAnswer>,
}

/// The score of a scale.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleScore {
    /// Its code.
    pub code: Code,
    /// Its sum; none when one of its symptoms is missing.
    pub score: Option<u32>,
    /// How many of its symptoms are positive, where that is asked; none when one of them is missing.
    pub positives: Option<u32>,
}

/// A cut-off, and whether it was reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// The set.
    pub set: Code,
    /// Its language or region, or "any".
    pub region: String,
    /// Whether it was validated there.
    pub validated: bool,
    /// The cut-off.
    pub code: Code,
    /// Of what: `TOTAL`, or the code of a scale.
    pub on: Code,
    /// From which score on.
    pub at_least: u32,
    /// Whether it was reached; unknown without that score.
    pub reached: Option<bool>,
}

/// What an algorithm found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The algorithm.
    pub algorithm: Code,
    /// What it found.
    pub verdict: Verdict,
    /// That this is a label that must not be given sooner than so many days after the event.
    pub acute_phase_days: Option<u32>,
}

/// What an algorithm can find.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// A result, whatever the missing answers would have been.
    Result(Code),
    /// It depends on what is missing.
    Indeterminate,
}

redacted!(Score, ScaleScore, CutOff, Finding, Verdict);

/// When somebody was assessed, in local days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The day of the assessment.
    pub assessed_on: NaiveDate,
    /// The day of the event, if it is known. Without it nobody is taken to be in the acute phase.
    pub event_on: Option<NaiveDate>,
}

/// What a finding says in place of a label that must not be given so soon after the event.
const ACUTE_PHASE: &str = "ACUTE_PHASE";
/// What a finding says when it depends on what is missing.
const INDETERMINATE: &str = "INDETERMINATE";
/// What a result may not be called.
pub(super) const RESERVED: [&str; 2] = [ACUTE_PHASE, INDETERMINATE];

impl Finding {
    /// The word for what it found, given what is known of the event by now: when that changes, so does what may be said.
    pub fn says(&self, timing: Timing) -> &str {
        match &self.verdict {
            Verdict::Indeterminate => INDETERMINATE,
            Verdict::Result(_) if self.acute_phase_days.is_some_and(|days| timing.is_within(days)) => ACUTE_PHASE,
            Verdict::Result(code) => code.as_str(),
        }
    }
}

impl CutOff {
    /// Whether it was validated for whoever reads a form in this language.
    pub fn is_validated_for(&self, language: &Language) -> bool {
        let same = |region: Language| {
            if region.as_str().contains('-') { region == *language } else { region.is_like(language) }
        };
        self.validated && (self.region == ANYWHERE || Language::parse(&self.region).is_ok_and(same))
    }
}

impl Timing {
    fn is_within(&self, days: u32) -> bool {
        self.event_on.is_some_and(|event_on| (self.assessed_on - event_on).num_days() < i64::from(days))
    }
}

impl Score {
    /// Whether everything was asked that must be: an answer that somebody's safety depends on is neither skipped nor
    /// declined.
    pub fn may_close(&self) -> bool {
        self.risks.iter().all(|it| it.may_close())
    }

    /// Whether a label is not given because the event is so recent.
    pub fn is_acute(&self, timing: Timing) -> bool {
        self.findings.iter().any(|it| it.says(timing) == ACUTE_PHASE)
    }
}

impl Instrument {
    /// Scores an answer sheet that fits this instrument.
    pub fn score(&self, sheet: &Complete) -> Score {
        let (total, prorated) = self.total(sheet);
        let scale = |it: &Scale| self.scale(it, sheet);
        let subscales: Vec<_> = self.subscales.iter().map(scale).collect();
        let subscores: Vec<_> = self.subscores.iter().map(scale).collect();
        let asked = self.items().filter(|_| !sheet.is_shut());
        let band = total.and_then(|total| self.total.bands.iter().rev().find(|band| band.from <= total));
        Score {
            rule_set: self.rule_set.clone(),
            missing: asked.map(|item| item.number).filter(|item| sheet.value(*item).is_none()).collect(),
            total,
            prorated,
            cut_offs: self.cut_offs(|on| match on.as_str() {
                TOTAL => total,
                _ => subscales.iter().chain(&subscores).find(|it| it.code == *on).and_then(|it| it.score),
            }),
            subscales,
            subscores,
            band: band.map(|band| band.code.clone()),
            findings: self.algorithms.iter().map(|it| self.find(it, sheet)).collect(),
            risks: self.risks(sheet),
        }
    }

    /// The value of a symptom: the highest of its lines; none when all of them are missing.
    fn symptom(&self, symptom: u32, sheet: &Complete) -> Option<u32> {
        if sheet.is_shut() {
            return self.values(symptom).first().copied();
        }
        self.lines(symptom).iter().filter_map(|line| sheet.value(*line)).max()
    }

    /// The total, and whether it was prorated.
    fn total(&self, sheet: &Complete) -> (Option<u32>, bool) {
        let asked = &self.total.symptoms;
        let given: Vec<u32> = asked.iter().filter_map(|it| self.symptom(*it, sheet)).collect();
        let (all, answered) = (as_count(asked.len()), as_count(given.len()));
        if answered < self.total.least_answered {
            return (None, false);
        }
        let sum: u32 = given.into_iter().sum();
        // Half up: 2·sum·all/answered, plus one, halved.
        let total = (2 * sum * all + answered).checked_div(2 * answered);
        (total, answered < all)
    }

    fn scale(&self, scale: &Scale, sheet: &Complete) -> ScaleScore {
        let values: Option<Vec<u32>> = scale.symptoms.iter().map(|it| self.symptom(*it, sheet)).collect();
        let positive = |values: &Vec<u32>| {
            let from = scale.positive_from?;
            Some(as_count(values.iter().filter(|value| **value >= from).count()))
        };
        ScaleScore {
            code: scale.code.clone(),
            positives: values.as_ref().and_then(positive),
            score: values.map(|values| values.into_iter().sum()),
        }
    }

    fn cut_offs(&self, score: impl Fn(&Code) -> Option<u32>) -> Vec<CutOff> {
        let each = self.cut_offs.iter().flat_map(|set| set.thresholds.iter().map(move |it| (set, it)));
        let each = each.map(|(set, it)| CutOff {
            set: set.code.clone(),
            region: set.region.clone(),
            validated: set.validated,
            code: it.code.clone(),
            on: it.on.clone(),
            at_least: it.at_least,
            reached: score(&it.on).map(|score| score >= it.at_least),
        });
        each.collect()
    }

    fn find(&self, algorithm: &Algorithm, sheet: &Complete) -> Finding {
        let result = algorithm.decide(|symptom| self.known(symptom, algorithm.positive_from(symptom), sheet));
        let acute = algorithm.acute_phase.as_ref().filter(|it| result.is_some_and(|result| it.result == result.code));
        Finding {
            algorithm: algorithm.code.clone(),
            verdict: result.map_or(Verdict::Indeterminate, |result| Verdict::Result(result.code.clone())),
            acute_phase_days: acute.map(|it| it.days),
        }
    }

    /// What is certain of a symptom, whatever its missing lines would have been.
    fn known(&self, symptom: u32, positive_from: u32, sheet: &Complete) -> Known {
        let open = || self.lines(symptom).iter().any(|line| sheet.value(*line).is_none());
        match self.symptom(symptom, sheet) {
            Some(value) if value >= positive_from => Known::Positive,
            _ if sheet.is_shut() || !open() => Known::Negative,
            _ => Known::Open,
        }
    }
}

/// How many there are; an instrument has few items.
pub(super) fn as_count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
