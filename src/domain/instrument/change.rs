//! What the difference of two totals means, and when two assessments can be compared at all.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::redacted::redacted;
use super::{Code, Informant, Instrument};
use crate::domain::code::words;
use crate::domain::text::Language;

words! {
    /// What a difference of two totals means. Lower totals are better.
    ChangeClass {
        /// Better by more than chance, and from above the limit to it or below.
        Recovered = "RECOVERED",
        /// Better by more than chance.
        ReliableImprovement = "RELIABLE_IMPROVEMENT",
        /// Better by as much as people notice.
        MeaningfulImprovement = "MEANINGFUL_IMPROVEMENT",
        /// Neither.
        NoReliableChange = "NO_RELIABLE_CHANGE",
        /// Worse by as much as people notice.
        MeaningfulWorsening = "MEANINGFUL_WORSENING",
        /// Worse by more than chance.
        ReliableWorsening = "RELIABLE_WORSENING",
    }

    /// Why two assessments cannot be compared.
    Incomparable {
        /// Of different instruments.
        Instrument = "INSTRUMENT_DIFFERS",
        /// Of different versions of one.
        Version = "VERSION_DIFFERS",
        /// Answered by different people.
        Informant = "INFORMANT_DIFFERS",
        /// About different lengths of time.
        Recall = "RECALL_DIFFERS",
        /// In different languages.
        Language = "LANGUAGE_DIFFERS",
        /// The instrument is a screen, and says nothing about change.
        NotForChange = "NOT_FOR_CHANGE",
        /// One was made too soon after another.
        TooSoon = "TOO_SOON",
        /// One has no total.
        NoTotal = "NO_TOTAL",
    }
}

/// From which difference on a change means something. Meaningful is less than reliable.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRule {
    /// A change beyond chance.
    pub reliable: u32,
    /// A change that people notice, where that is known.
    pub meaningful: Option<u32>,
    /// The highest total of those who are well, where that is known.
    pub recovered_at_most: Option<u32>,
}

/// With what, by whom and how an assessment was made: what two must have in common to be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The instrument.
    pub instrument: Code,
    /// Its version.
    pub version: String,
    /// Who answered.
    pub informant: Informant,
    /// About which length of time.
    pub recall: Code,
    /// In which language.
    pub language: Language,
}

/// An assessment, as far as others are compared with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occasion {
    /// How it was made.
    pub form: Form,
    /// On which local day.
    pub on: NaiveDate,
    /// Its total, if it has one.
    pub total: Option<u32>,
    /// Whether it was made too soon after one like it.
    pub too_soon: bool,
}

/// What became of somebody from one assessment to another.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The two can be compared.
    Compared {
        /// The first total less the second: positive is better.
        delta: i64,
        /// What that means, where a study says so.
        class: Option<ChangeClass>,
    },
    /// They cannot, for each of these reasons.
    NotComparable(Vec<Incomparable>),
}

redacted!(Occasion, Change);

impl Instrument {
    /// Whether an assessment on a day comes too soon after another of its kind.
    pub fn too_soon(&self, on: NaiveDate, previous_on: NaiveDate) -> bool {
        (on - previous_on).num_days() < i64::from(self.least_days_apart)
    }

    /// What became of somebody from a baseline to a later assessment of this instrument.
    pub fn change(&self, baseline: &Occasion, later: &Occasion) -> Change {
        let (one, other) = (&baseline.form, &later.form);
        let reasons = [
            (Incomparable::Instrument, one.instrument != other.instrument || one.instrument != self.code),
            (Incomparable::Version, one.version != other.version || one.version != self.version),
            (Incomparable::Informant, one.informant != other.informant),
            (Incomparable::Recall, one.recall != other.recall),
            (Incomparable::Language, one.language != other.language),
            (Incomparable::NotForChange, !self.for_change),
            (Incomparable::TooSoon, baseline.too_soon || later.too_soon || self.too_soon(later.on, baseline.on)),
            (Incomparable::NoTotal, baseline.total.is_none() || later.total.is_none()),
        ];
        let reasons: Vec<_> = reasons.into_iter().filter_map(|(it, holds)| holds.then_some(it)).collect();
        match baseline.total.zip(later.total) {
            Some((from, to)) if reasons.is_empty() => {
                let class = self.change.as_ref().map(|rule| rule.class(from, to));
                Change::Compared { delta: i64::from(from) - i64::from(to), class }
            }
            _ => Change::NotComparable(reasons),
        }
    }
}

impl ChangeRule {
    fn class(&self, from: u32, to: u32) -> ChangeClass {
        let (better, worse) = (from.saturating_sub(to), to.saturating_sub(from));
        let well = |total: u32| self.recovered_at_most.is_some_and(|most| total <= most);
        let noticed = |by: u32| self.meaningful.is_some_and(|least| by >= least);
        if better >= self.reliable && well(to) && !well(from) {
            ChangeClass::Recovered
        } else if better >= self.reliable {
            ChangeClass::ReliableImprovement
        } else if noticed(better) {
            ChangeClass::MeaningfulImprovement
        } else if worse >= self.reliable {
            ChangeClass::ReliableWorsening
        } else if noticed(worse) {
            ChangeClass::MeaningfulWorsening
        } else {
            ChangeClass::NoReliableChange
        }
    }
}
