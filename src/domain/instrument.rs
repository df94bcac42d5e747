//! Instruments: questionnaires, their scoring and what follows from a score (instruments, followup).
//!
//! An instrument is data, a TOML file under `instrument/catalogue/`, and one engine scores them all. A result is a
//! screen, never a diagnosis. Everything is counted in whole numbers; where something must be rounded it is half up.
//!
//! Decided where the sources are silent:
//! * Of an age that only the year of birth tells, an instrument is outside its range only if no possible age fits;
//!   what is suggested is for the age reached with certainty.
//! * Of several lines that make one symptom, the highest answer counts, and the symptom is missing only if every line
//!   is. An algorithm still asks what a missing line could have been.
//! * An assessment that came too soon is not used for change, but it can raise an alarm: nobody waits for a safe
//!   interval to notice that somebody is worse.
//! * An instrument without text has labels, "item 1", and the counsellor reads from the form.

mod algorithm;
mod catalogue;
mod change;
mod check;
mod choice;
mod redacted;
mod risk;
mod score;
mod sheet;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use self::algorithm::Algorithm;
use self::change::ChangeRule;
use self::choice::Suggested;
use self::risk::RiskRules;
use super::code::words;
use super::text::{Code, Language};

pub use self::catalogue::{Broken, Catalogue};
pub use self::change::{Change, ChangeClass, Form, Incomparable, Occasion};
pub use self::choice::{Admitted, Ages, Outside};
pub use self::risk::{Before, RiskAnswer};
pub use self::score::{CutOff, Finding, ScaleScore, Score, Timing, Verdict};
pub use self::sheet::{Answer, Complete, Sheet};

words! {
    /// Who answers.
    Informant {
        /// The client.
        SelfReport = "SELF",
        /// A caregiver, about the client.
        Caregiver = "CAREGIVER",
    }
}

/// An instrument in one version, as its file says. Those of a [`Catalogue`] were checked as a whole: rules name items
/// that exist, and thresholds that can be reached.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Its code; the same for all versions.
    pub code: Code,
    /// Its edition: of the form, not of our rules.
    pub version: String,
    /// The version of the rules by which it is scored, `PCL_5/1`.
    pub rule_set: String,
    /// Its name.
    pub title: String,
    /// On what terms it is used.
    pub licence: Licence,
    /// Who may answer, at which ages of the client.
    pub informants: Vec<InformantAges>,
    /// Over which time it asks; the first is what is meant when nobody says.
    pub recall: Vec<Recall>,
    /// Languages in which the form is known to exist; there may be more.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Days that should lie between two assessments; sooner is accepted, flagged, and not used for change.
    pub least_days_apart: u32,
    /// Whether two totals are compared at all.
    pub for_change: bool,
    /// A question that decides whether the items are asked.
    pub gate: Option<Gate>,
    /// The items, in blocks that follow each other.
    pub items: Vec<Block>,
    /// What rules speak of: symptom `n` is the highest of the lines of the `n`th entry. When the file has none, every
    /// item is one.
    #[serde(default)]
    pub symptoms: Vec<Vec<u32>>,
    /// The total.
    pub total: Total,
    /// Scales that the total consists of.
    #[serde(default)]
    pub subscales: Vec<Scale>,
    /// Scales beside the total.
    #[serde(default)]
    pub subscores: Vec<Scale>,
    /// Cut-offs; every set is reported, whatever was validated where.
    #[serde(default)]
    pub cut_offs: Vec<CutOffSet>,
    /// Rules that find something in the pattern of the answers.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
    /// What a difference of two totals means; none is the difference alone.
    pub change: Option<ChangeRule>,
    /// What a person must look at.
    #[serde(default)]
    pub risk: RiskRules,
    /// For whom it is suggested.
    #[serde(default)]
    pub suggested: Vec<Suggested>,
}

/// On what terms an instrument is used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// A code for the terms.
    pub code: Code,
    /// Whether the text of its items may be reproduced; if not, this service has none.
    pub may_reproduce: bool,
}

/// Somebody who may answer, and at which ages of the client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InformantAges {
    /// Who.
    #[serde(rename = "code")]
    pub informant: Informant,
    /// From this age, in full years.
    pub from_age: u32,
    /// To this age, itself included; none is for ever.
    pub to_age: Option<u32>,
}

/// The time over which an instrument asks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Its code: `MONTH`.
    pub code: Code,
    /// The words before the items, where the licence allows.
    pub stem: Option<String>,
}

/// A question that decides whether the items are asked: after "no" every score is its least.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The question, where the licence allows.
    pub text: Option<String>,
}

/// Items that are answered alike.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The numbers of the first and the last.
    pub numbers: [u32; 2],
    /// The values that an answer can have, ascending.
    pub values: Vec<u32>,
    /// What each value says, where the licence allows.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What each item says, where the licence allows.
    #[serde(default)]
    pub texts: Vec<String>,
    /// What each item is called, when that is not its number.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// One item of an instrument.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its number, from 1 on.
    pub number: u32,
    block: &'a Block,
}

/// The sum of symptoms.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Of which.
    pub symptoms: Vec<u32>,
    /// How many of them must be answered. What is missing beyond all is made up for by the mean of the others, half
    /// up; with fewer there is no total.
    pub least_answered: u32,
    /// Whether an answer sheet with anything missing is refused.
    #[serde(default)]
    pub all_required: bool,
    /// Names for ranges of the total, ascending; empty where no study has found any.
    #[serde(default)]
    pub bands: Vec<Band>,
}

/// A name for a range of the total: from here to the next.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name.
    pub code: Code,
    /// Its least total.
    pub from: u32,
}

/// A sum of some of the symptoms; none when one of them is missing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub title: String,
    /// The symptoms.
    pub symptoms: Vec<u32>,
    /// The value from which a symptom counts as positive, where that is asked.
    pub positive_from: Option<u32>,
}

/// Cut-offs of one origin.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutOffSet {
    /// Its code.
    pub code: Code,
    /// For which language or region: a BCP 47 tag, or "any".
    pub region: String,
    /// Whether it was validated there.
    pub validated: bool,
    /// The cut-offs.
    pub thresholds: Vec<Threshold>,
}

/// A score from which a screen is positive.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Its code.
    pub code: Code,
    /// Of what: `TOTAL`, or the code of a scale.
    pub on: Code,
    /// From which score on.
    pub at_least: u32,
}

/// What a threshold is on when it is on the total.
const TOTAL: &str = "TOTAL";
/// The region of cut-offs that are for nobody in particular.
pub const ANYWHERE: &str = "any";

impl Instrument {
    /// Its items, in order.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.items
            .iter()
            .flat_map(|block| (block.numbers[0]..=block.numbers[1]).map(move |number| Item { number, block }))
    }

    /// The item of a number.
    pub fn item(&self, number: u32) -> Option<Item<'_>> {
        let block = self.items.iter().find(|it| (it.numbers[0]..=it.numbers[1]).contains(&number))?;
        Some(Item { number, block })
    }

    /// Its scales: those the total consists of, then those beside it.
    pub fn scales(&self) -> impl Iterator<Item = &Scale> {
        self.subscales.iter().chain(&self.subscores)
    }

    /// The lines of a symptom; none for a number that is none.
    pub fn lines(&self, symptom: u32) -> &[u32] {
        let place = symptom.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.symptoms.get(place)).map_or(&[], Vec::as_slice)
    }

    /// The values that a symptom can have, which are those of its lines.
    fn values(&self, symptom: u32) -> &[u32] {
        let item = self.lines(symptom).first().and_then(|line| self.item(*line));
        item.map_or(&[], |item| item.values())
    }

    /// The least and the highest total.
    pub fn total_range(&self) -> (u32, u32) {
        self.range(&self.total.symptoms)
    }

    /// The least and the highest sum of symptoms.
    fn range(&self, symptoms: &[u32]) -> (u32, u32) {
        let sum = |pick: fn(&[u32]) -> Option<&u32>| symptoms.iter().filter_map(|it| pick(self.values(*it))).sum();
        (sum(|values| values.first()), sum(|values| values.last()))
    }
}

impl<'a> Item<'a> {
    /// The values that an answer can have, ascending.
    pub fn values(&self) -> &'a [u32] {
        &self.block.values
    }

    /// What each value says; empty where the licence does not allow that.
    pub fn answers(&self) -> &'a [String] {
        &self.block.answers
    }

    /// What it says; none where the licence does not allow that.
    pub fn text(&self) -> Option<&'a str> {
        self.of(&self.block.texts)
    }

    /// What it is called.
    pub fn label(&self) -> String {
        self.of(&self.block.labels).map_or_else(|| format!("item {}", self.number), str::to_owned)
    }

    fn of(&self, each: &'a [String]) -> Option<&'a str> {
        let place = usize::try_from(self.number - self.block.numbers[0]).ok()?;
        each.get(place).map(String::as_str)
    }
}
