//! Answer sheets, and whether they fit their instrument.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Instrument;
use super::redacted::redacted;
use crate::domain::text::Fault;

/// What was said to an item. Not to answer is an answer too, and is given explicitly.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A value of the item.
    Value(u32),
    /// It was not asked, or left out.
    Skipped,
    /// The person did not want to answer.
    Declined,
}

/// An answer sheet as it was handed in.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// The answer to the gate question, if there is one.
    pub gate: Option<bool>,
    /// Numbers of items, and what was said.
    pub answers: Vec<(u32, Answer)>,
}

/// An answer sheet that fits its instrument: each item has one answer, of its values, or the gate question was
/// answered with "no" and none has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    gate: Option<bool>,
    answers: BTreeMap<u32, Answer>,
}

redacted!(Answer, Sheet, Complete);

impl Answer {
    /// The value, if there is one.
    pub const fn value(self) -> Option<u32> {
        match self {
            Answer::Value(value) => Some(value),
            Answer::Skipped | Answer::Declined => None,
        }
    }
}

impl Complete {
    /// The answer to the gate question, if there is one.
    pub fn gate(&self) -> Option<bool> {
        self.gate
    }

    /// Whether the gate question was answered with "no".
    pub(super) fn is_shut(&self) -> bool {
        self.gate == Some(false)
    }

    /// The answers, in the order of items.
    pub fn answers(&self) -> impl Iterator<Item = (u32, Answer)> {
        self.answers.iter().map(|(number, answer)| (*number, *answer))
    }

    /// The value of an item; none when it was skipped, declined or not asked.
    pub(super) fn value(&self, item: u32) -> Option<u32> {
        self.answers.get(&item).and_then(|answer| answer.value())
    }
}

impl Instrument {
    /// Checks a sheet, and names everything that is wrong with it: the path in the sheet, `answers[3].value`, and what
    /// would be right.
    pub fn check(&self, sheet: &Sheet) -> Result<Complete, Vec<(String, Fault)>> {
        let mut wrong = Vec::new();
        match (&self.gate, sheet.gate) {
            (Some(_), None) => wrong.push(("gate".to_owned(), Fault::new("must be answered"))),
            (None, Some(_)) => wrong.push(("gate".to_owned(), Fault::new("must be absent: there is no such question"))),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let shut = self.gate.is_some() && sheet.gate == Some(false);
        let answers = if shut { self.check_absence(sheet, &mut wrong) } else { self.check_answers(sheet, &mut wrong) };
        if wrong.is_empty() { Ok(Complete { gate: sheet.gate, answers }) } else { Err(wrong) }
    }

    fn check_absence(&self, sheet: &Sheet, wrong: &mut Vec<(String, Fault)>) -> BTreeMap<u32, Answer> {
        let says = || Fault::new("must be absent: after \"no\" to the first question nothing else is asked");
        if sheet.answers.len() > 2 * self.items().count() {
            wrong.push(("answers".to_owned(), says()));
        } else {
            wrong.extend((0..sheet.answers.len()).map(|at| (format!("answers[{at}].item"), says())));
        }
        BTreeMap::new()
    }

    fn check_answers(&self, sheet: &Sheet, wrong: &mut Vec<(String, Fault)>) -> BTreeMap<u32, Answer> {
        let count = self.items().count();
        let mut answers = BTreeMap::new();
        // A sheet of another instrument, or of none: the refusal must not grow with it.
        if sheet.answers.len() > 2 * count {
            wrong.push(("answers".to_owned(), Fault::new(format!("must have {count} answers"))));
            return answers;
        }
        for (at, (number, answer)) in sheet.answers.iter().enumerate() {
            if let Err((part, fault)) = self.check_answer(*number, *answer) {
                wrong.push((format!("answers[{at}].{part}"), fault));
            }
            if answers.insert(*number, *answer).is_some() {
                let says = format!("must not answer item {number} again");
                wrong.push((format!("answers[{at}].item"), Fault::new(says)));
            }
        }
        let absent = self.items().filter(|item| !answers.contains_key(&item.number));
        let absent: Vec<_> = absent.map(|item| item.number.to_string()).collect();
        if !absent.is_empty() {
            let says =
                format!("must have an answer, if only a skipped one, for each of the items {}", absent.join(", "));
            wrong.push(("answers".to_owned(), Fault::new(says)));
        }
        answers
    }

    fn check_answer(&self, number: u32, answer: Answer) -> Result<(), (&'static str, Fault)> {
        let Some(item) = self.item(number) else {
            let last = self.items().count();
            return Err(("item", Fault::new(format!("must be from 1 to {last}"))));
        };
        match answer {
            Answer::Value(value) if !item.values().contains(&value) => {
                let values: Vec<_> = item.values().iter().map(u32::to_string).collect();
                Err(("value", Fault::new(format!("must be one of {}", values.join(", ")))))
            }
            Answer::Skipped | Answer::Declined if self.total.all_required => {
                Err(("value", Fault::new("must be given: this instrument is scored only when every item is answered")))
            }
            Answer::Value(_) | Answer::Skipped | Answer::Declined => Ok(()),
        }
    }
}
