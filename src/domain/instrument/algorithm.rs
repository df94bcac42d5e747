//! Rules that find something in the pattern of the answers, decided exactly when answers are missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::text::Code;

/// An algorithm: the first result whose conditions all hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Algorithm {
    /// Its code.
    pub code: Code,
    /// The value from which a symptom counts as positive.
    pub positive_from: u32,
    /// Symptoms that count from another value.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// The result that must not be given soon after the event.
    pub acute_phase: Option<AcutePhase>,
    /// The results, in the order in which they are tried. The last has no conditions.
    pub results: Vec<Outcome>,
}

/// Symptoms that count from another value than the others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Which.
    pub symptoms: Vec<u32>,
    /// From which value.
    pub positive_from: u32,
}

/// A provisional label that says nothing yet soon after the event, when most people have symptoms.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcutePhase {
    /// The result that is not given.
    pub result: Code,
    /// For how many days after the event; on the last of them it is given.
    pub days: u32,
}

/// A result, and when it is given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Its code.
    pub code: Code,
    /// What must hold, all of it.
    #[serde(default)]
    pub when: Vec<Condition>,
}

/// How many of some symptoms are positive.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Of which symptoms.
    pub of: Vec<u32>,
    /// At least so many.
    pub at_least: Option<u32>,
    /// At most so many.
    pub at_most: Option<u32>,
}

/// What is known of a symptom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Positive,
    Negative,
    /// A missing answer could make it either.
    Open,
}

/// The most ways in which missing answers may fall, as far as an algorithm can tell them apart.
pub(super) const WIDEST: u64 = 50_000;

/// Symptoms that an algorithm cannot tell apart, by the conditions that count them: how many there are.
type Classes = BTreeMap<Vec<usize>, u32>;

impl Condition {
    fn holds(&self, count: u32) -> bool {
        self.at_least.is_none_or(|least| least <= count) && self.at_most.is_none_or(|most| count <= most)
    }
}

impl Algorithm {
    /// The value from which a symptom counts as positive.
    pub(super) fn positive_from(&self, symptom: u32) -> u32 {
        let exception = self.exceptions.iter().find(|it| it.symptoms.contains(&symptom));
        exception.map_or(self.positive_from, |it| it.positive_from)
    }

    /// The conditions of all results, in order.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.results.iter().flat_map(|it| &it.when)
    }

    /// The symptoms that some condition counts, each once.
    pub(super) fn symptoms(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.conditions().flat_map(|it| &it.of).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// In how many ways the answers can fall, as far as it can tell them apart, when all are missing.
    pub(super) fn width(&self) -> u64 {
        width(&self.classes(|_| Known::Open))
    }

    /// The result that every way to complete what is missing gives; none when they differ.
    ///
    /// Exact: an open symptom is positive or not, whatever else its value says, and those that the same conditions
    /// count cannot be told apart. So it is enough to try how many of each kind are positive.
    pub(super) fn decide(&self, known: impl Fn(u32) -> Known) -> Option<&Outcome> {
        let positive = |it: &Condition| it.of.iter().filter(|symptom| known(**symptom) == Known::Positive).count();
        let certain: Vec<u32> = self.conditions().map(|it| u32::try_from(positive(it)).unwrap_or(u32::MAX)).collect();
        let open = self.classes(&known);
        let mut results = (0..width(&open)).map(|way| self.result(&counts(&certain, &open, way)));
        let first = results.next()??;
        results.all(|other| other == Some(first)).then_some(first)
    }

    fn classes(&self, known: impl Fn(u32) -> Known) -> Classes {
        let mut classes = Classes::new();
        for symptom in self.symptoms().into_iter().filter(|symptom| known(*symptom) == Known::Open) {
            let counting = self.conditions().enumerate().filter(|(_, it)| it.of.contains(&symptom));
            *classes.entry(counting.map(|(place, _)| place).collect()).or_default() += 1;
        }
        classes
    }

    /// The first result whose conditions hold, when so many are positive for each condition.
    fn result(&self, counts: &[u32]) -> Option<&Outcome> {
        let mut counts = counts.iter();
        self.results.iter().find(|result| {
            // Every condition takes its count, whether or not one before it failed.
            let held: Vec<bool> = result.when.iter().zip(counts.by_ref()).map(|(it, count)| it.holds(*count)).collect();
            held.iter().all(|holds| *holds)
        })
    }
}

fn width(classes: &Classes) -> u64 {
    classes.values().fold(1, |width, size| width.saturating_mul(u64::from(*size) + 1))
}

/// How many are positive for each condition, in one of the ways in which open symptoms can fall.
fn counts(certain: &[u32], open: &Classes, mut way: u64) -> Vec<u32> {
    let mut counts = certain.to_vec();
    for (counting, size) in open {
        let ways = u64::from(*size) + 1;
        let positive = u32::try_from(way % ways).unwrap_or(*size);
        way /= ways;
        for place in counting {
            counts[*place] += positive;
        }
    }
    counts
}
