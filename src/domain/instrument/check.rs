//! Whether a file is an instrument: its rules speak of items that exist, in values that these can have.

use std::collections::BTreeSet;

use super::algorithm::{Algorithm, WIDEST};
use super::risk::RiskItem;
use super::score::{RESERVED, as_count};
use super::{ANYWHERE, Block, Code, Instrument, Scale, TOTAL};
use crate::domain::escalation::Trigger;
use crate::domain::text::{Fault, Language, bounded};

/// The most items of an instrument, and the highest value of one: sums stay far from what a number can hold.
const MOST_ITEMS: u32 = 200;
const HIGHEST_VALUE: u32 = 1000;
/// The oldest age of which a file may speak, in years.
const OLDEST: u32 = 130;
/// The longest that two assessments may have to lie apart, and that an acute phase may last, in days.
const LONGEST: u32 = 366;

/// What is wrong with a file, as it is found.
struct Faults(Vec<Fault>);

impl Faults {
    fn require(&mut self, holds: bool, says: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Fault::new(says()));
        }
    }

    fn require_code(&mut self, code: &Code) {
        self.require(Code::parse(code.as_str()).is_ok_and(|it| it == *code), || format!("\"{code}\" is no code"));
    }

    /// Codes that are codes, each once.
    fn require_codes<'a>(&mut self, of: &str, codes: impl IntoIterator<Item = &'a Code>) {
        let mut seen = BTreeSet::new();
        for code in codes {
            self.require_code(code);
            self.require(seen.insert(code), || format!("{of} has {code} twice"));
        }
    }

    fn require_ages(&mut self, from: u32, to: Option<u32>) {
        let to = to.unwrap_or(OLDEST);
        self.require(from <= to && to <= OLDEST, || format!("ages must ascend, to {OLDEST} at the most"));
    }
}

impl Instrument {
    /// Reads a file, or says everything that is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, Vec<Fault>> {
        let mut it: Self = toml::from_str(text).map_err(|error| vec![Fault::new(error.to_string().trim_end())])?;
        let mut faults = Faults(Vec::new());
        it.check_items(&mut faults);
        // Nothing below makes sense without items.
        if faults.0.is_empty() {
            if it.symptoms.is_empty() {
                it.symptoms = it.items().map(|item| vec![item.number]).collect();
            }
            it.check_symptoms(&mut faults);
        }
        if faults.0.is_empty() {
            it.check_terms(&mut faults);
            it.check_total(&mut faults);
            it.check_scales(&mut faults);
            it.check_cut_offs(&mut faults);
            faults.require_codes("algorithms", it.algorithms.iter().map(|it| &it.code));
            it.algorithms.iter().for_each(|algorithm| it.check_algorithm(algorithm, &mut faults));
            it.check_change(&mut faults);
            it.check_risk(&mut faults);
        }
        if faults.0.is_empty() { Ok(it) } else { Err(faults.0) }
    }

    fn check_items(&self, faults: &mut Faults) {
        let mut next = 1;
        for Block { numbers: [first, last], values, answers, texts, labels } in &self.items {
            faults.require(*first == next && first <= last && *last <= MOST_ITEMS, || {
                format!("items {first} to {last}: numbers must follow each other from 1, to {MOST_ITEMS} at the most")
            });
            let ascending = values.is_sorted_by(|one, other| one < other) && values.len() > 1;
            faults.require(ascending && values.last().is_some_and(|it| *it <= HIGHEST_VALUE), || {
                format!("items {first} to {last}: values must be two or more, ascending, {HIGHEST_VALUE} at the most")
            });
            next = last.saturating_add(1);
            let items = next.saturating_sub(*first);
            let fits = |length: usize, count: u32| length == 0 || as_count(length) == count;
            faults.require(fits(texts.len(), items) && fits(labels.len(), items), || {
                format!("items {first} to {last}: each must have a text or label, or none")
            });
            faults.require(fits(answers.len(), as_count(values.len())), || {
                format!("items {first} to {last}: each value must have an answer, or none")
            });
        }
        faults.require(next > 1, || "there must be items".into());
    }

    fn check_symptoms(&self, faults: &mut Faults) {
        let mut lines: Vec<u32> = self.symptoms.iter().flatten().copied().collect();
        lines.sort_unstable();
        let whole =
            self.symptoms.iter().all(|it| !it.is_empty()) && lines.into_iter().eq(self.items().map(|it| it.number));
        faults.require(whole, || "symptoms must have every item once".into());
        let alike = |lines: &Vec<u32>| {
            let values = |line: &u32| self.item(*line).map(|item| item.values());
            lines.iter().all(|line| values(line) == lines.first().and_then(values))
        };
        faults.require(self.symptoms.iter().all(alike), || "the lines of a symptom must have the same values".into());
    }

    fn check_terms(&self, faults: &mut Faults) {
        faults.require_code(&self.code);
        faults.require_code(&self.licence.code);
        for (name, text) in [("version", &self.version), ("rule_set", &self.rule_set), ("title", &self.title)] {
            faults.require(bounded(text, 1..=200).is_ok_and(|it| it == *text), || format!("{name} must not be empty"));
        }
        let texts = self.items.iter().any(|it| !it.texts.is_empty() || !it.answers.is_empty())
            || self.recall.iter().any(|it| it.stem.is_some())
            || self.gate.as_ref().is_some_and(|it| it.text.is_some());
        faults.require(self.licence.may_reproduce || !texts, || "the licence allows no text".into());
        faults.require(!self.recall.is_empty(), || "there must be a recall".into());
        faults.require_codes("recall", self.recall.iter().map(|it| &it.code));
        let languages = self.languages.iter().all(|it| Language::parse(it.as_str()).is_ok_and(|same| same == *it));
        faults.require(languages, || "languages must be BCP 47 tags".into());
        faults.require(self.least_days_apart <= LONGEST, || format!("least_days_apart must be at most {LONGEST}"));
        faults.require(!self.informants.is_empty(), || "there must be an informant".into());
        self.informants.iter().for_each(|it| faults.require_ages(it.from_age, it.to_age));
        for it in &self.suggested {
            faults.require_ages(it.from_age, it.to_age);
            let mut ages = it.from_age..=it.to_age.unwrap_or(OLDEST);
            let answered = |age: u32| {
                let covers = |from: u32, to: Option<u32>| from <= age && to.is_none_or(|to| age <= to);
                self.informants.iter().any(|it| covers(it.from_age, it.to_age))
            };
            faults
                .require(ages.all(answered), || "it must not be suggested at an age at which nobody answers it".into());
        }
    }

    /// Symptoms that exist, one or more, each once.
    fn check_list(&self, of: &str, symptoms: &[u32], faults: &mut Faults) {
        let distinct: BTreeSet<_> = symptoms.iter().collect();
        faults.require(!symptoms.is_empty() && distinct.len() == symptoms.len(), || {
            format!("{of} must have symptoms, each once")
        });
        for symptom in symptoms.iter().filter(|it| self.lines(**it).is_empty()) {
            faults.require(false, || format!("{of} speaks of {symptom}, which there is not"));
        }
    }

    fn check_total(&self, faults: &mut Faults) {
        let total = &self.total;
        self.check_list("the total", &total.symptoms, faults);
        let (all, least) = (as_count(total.symptoms.len()), total.least_answered);
        faults.require((1..=all).contains(&least), || format!("least_answered must be from 1 to {all}"));
        faults.require(!total.all_required || least == all, || "what requires all must have all answered".into());
        // A mean of what is answered says something of the rest only if it is measured alike.
        let first = total.symptoms.first().map(|it| self.values(*it));
        let alike = total.symptoms.iter().all(|it| Some(self.values(*it)) == first);
        faults.require(least == all || alike, || "a prorated total must be of symptoms with the same values".into());
        let (lowest, highest) = self.range(&total.symptoms);
        let ascending = total.bands.is_sorted_by(|one, other| one.from < other.from);
        let (first, last) = (total.bands.first(), total.bands.last());
        let spans = first.is_none_or(|it| it.from == lowest) && last.is_none_or(|it| it.from <= highest);
        faults.require(ascending && spans, || format!("bands must ascend from {lowest}, to {highest} at the most"));
        faults.require_codes("bands", total.bands.iter().map(|it| &it.code));
    }

    fn check_scales(&self, faults: &mut Faults) {
        faults.require_codes("scales", self.scales().map(|it| &it.code));
        for Scale { code, symptoms, positive_from, .. } in self.scales() {
            faults.require(code.as_str() != TOTAL, || format!("a scale must not be called {TOTAL}"));
            self.check_list(&format!("scale {code}"), symptoms, faults);
            if let Some(from) = positive_from {
                self.check_reach(&format!("scale {code}"), symptoms.iter().map(|it| (*it, *from)), faults);
            }
        }
        let stray = |it: &Scale| it.symptoms.iter().any(|symptom| !self.total.symptoms.contains(symptom));
        for Scale { code, .. } in self.subscales.iter().filter(|it| stray(it)) {
            faults.require(false, || format!("scale {code} has a symptom that the total has not"));
        }
    }

    /// Symptoms and values from which they count: above the least value, and not above the highest.
    fn check_reach(&self, of: &str, reaches: impl Iterator<Item = (u32, u32)>, faults: &mut Faults) {
        for (symptom, from) in reaches {
            let values = self.values(symptom);
            let may = values.first().is_some_and(|it| *it < from) && values.last().is_some_and(|it| from <= *it);
            faults.require(may, || format!("{of}: {symptom} must be able to reach {from}, and to stay below"));
        }
    }

    fn check_cut_offs(&self, faults: &mut Faults) {
        faults.require_codes("cut_offs", self.cut_offs.iter().map(|it| &it.code));
        faults.require_codes("thresholds", self.cut_offs.iter().flat_map(|it| &it.thresholds).map(|it| &it.code));
        for set in &self.cut_offs {
            let region =
                set.region == ANYWHERE || Language::parse(&set.region).is_ok_and(|it| it.as_str() == set.region);
            faults.require(region, || format!("cut-offs {}: region must be a BCP 47 tag, or \"any\"", set.code));
            for threshold in &set.thresholds {
                let scale = self.scales().find(|it| it.code == threshold.on).map(|it| &it.symptoms);
                let of = if threshold.on.as_str() == TOTAL { Some(&self.total.symptoms) } else { scale };
                let Some((lowest, highest)) = of.map(|symptoms| self.range(symptoms)) else {
                    faults.require(false, || format!("cut-off {}: there is no score {}", threshold.code, threshold.on));
                    continue;
                };
                faults.require(lowest < threshold.at_least && threshold.at_least <= highest, || {
                    format!("cut-off {} must be above {lowest}, and not above {highest}", threshold.code)
                });
            }
        }
    }

    fn check_algorithm(&self, algorithm: &Algorithm, faults: &mut Faults) {
        let of = format!("algorithm {}", algorithm.code);
        let results = || algorithm.results.iter().map(|it| &it.code);
        faults.require_codes(&of, results());
        let reserved = results().any(|code| RESERVED.contains(&code.as_str()));
        faults.require(!reserved, || format!("{of}: {} are not for files", RESERVED.join(" and ")));
        let last = algorithm.results.iter().rposition(|it| it.when.is_empty());
        let first = algorithm.results.iter().position(|it| it.when.is_empty());
        let one = first.is_some() && first == last && first.map(|it| it + 1) == Some(algorithm.results.len());
        faults.require(one, || format!("{of}: the last result, and no other, must be without conditions"));
        for condition in algorithm.conditions() {
            self.check_list(&of, &condition.of, faults);
            let (least, most) = (condition.at_least.unwrap_or(0), condition.at_most.unwrap_or(u32::MAX));
            let all = as_count(condition.of.len());
            faults.require(least <= most && least <= all && (least > 0 || most < all), || {
                format!("{of}: a condition must be able to hold, and to fail")
            });
        }
        let known = |symptom: &u32| algorithm.symptoms().contains(symptom);
        for exception in &algorithm.exceptions {
            self.check_list(&of, &exception.symptoms, faults);
            faults
                .require(exception.symptoms.iter().all(known), || format!("{of}: an exception must be of what counts"));
        }
        let reaches = algorithm.symptoms().into_iter().map(|it| (it, algorithm.positive_from(it)));
        self.check_reach(&of, reaches, faults);
        if let Some(acute) = &algorithm.acute_phase {
            faults.require(results().any(|it| *it == acute.result), || format!("{of}: no result {}", acute.result));
            faults.require((1..=LONGEST).contains(&acute.days), || format!("{of}: days must be from 1 to {LONGEST}"));
        }
        faults.require(algorithm.width() <= WIDEST, || format!("{of} is too wide to be decided exactly"));
    }

    fn check_change(&self, faults: &mut Faults) {
        let Some(rule) = &self.change else { return };
        let (lowest, highest) = self.range(&self.total.symptoms);
        faults.require(self.for_change, || "there must be no rule for change where there is none".into());
        let within = |by: u32| by > 0 && by <= highest - lowest;
        faults.require(within(rule.reliable), || "change: reliable must be within the range of the total".into());
        let less = rule.meaningful.is_none_or(|it| it > 0 && it < rule.reliable);
        faults.require(less, || "change: meaningful must be above 0 and less than reliable".into());
        let inside = rule.recovered_at_most.is_none_or(|it| (lowest..highest).contains(&it));
        faults.require(inside, || "change: recovered_at_most must be within the range of the total".into());
    }

    fn check_risk(&self, faults: &mut Faults) {
        let risk = &self.risk;
        for RiskItem { trigger, symptom, levels, unasked } in &risk.items {
            let known = match trigger {
                Trigger::RiskItem => unasked.is_some(),
                Trigger::RiskSymptom => true,
                _ => false,
            };
            faults.require(known, || "a risk must be a RISK_SYMPTOM, or a RISK_ITEM with a level when unasked".into());
            faults.require(self.lines(*symptom).len() == 1, || format!("risk {symptom} must be a symptom of one line"));
            let ascending = !levels.is_empty() && levels.is_sorted_by(|one, other| one.at_least < other.at_least);
            faults.require(ascending, || format!("risk {symptom} must have levels that ascend"));
            self.check_reach("risk", levels.iter().map(|it| (*symptom, it.at_least)), faults);
        }
        let (lowest, highest) = self.range(&self.total.symptoms);
        for it in &risk.rises {
            let within = lowest < it.into && it.into <= highest;
            faults
                .require(within, || format!("what a total rises into must be above {lowest}, and not above {highest}"));
        }
        for it in &risk.worsens {
            let within = it.by > 0 && it.by <= highest - lowest;
            faults.require(within, || "what a total worsens by must be within its range".into());
        }
    }
}
