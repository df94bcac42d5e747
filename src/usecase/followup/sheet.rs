//! Answer sheets as they are handed in: everything that can be said of one without knowing the survivor.

use chrono::{NaiveDate, TimeDelta};

use crate::domain::instrument::{Complete, Informant, Sheet};
use crate::domain::text::Code;
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::world::World;

/// How far ahead of UTC the local day of any zone is.
const EASTERNMOST: TimeDelta = TimeDelta::hours(14);

/// An answer sheet that fits an instrument.
#[derive(Clone, Debug)]
pub struct Filled {
    pub(super) instrument: Code,
    pub(super) version: String,
    pub(super) informant: Informant,
    pub(super) recall: Code,
    pub(super) assessed_on: Option<NaiveDate>,
    pub(super) answers: Complete,
}

/// What is handed in.
#[derive(Clone, Debug)]
pub struct HandedIn<'a> {
    /// Code of the instrument.
    pub instrument: &'a str,
    /// Who answered.
    pub informant: Informant,
    /// The period asked about; the instrument's first when empty.
    pub recall: &'a str,
    /// The local day; today when absent.
    pub assessed_on: Option<NaiveDate>,
    /// The answers.
    pub sheet: Sheet,
}

impl HandedIn<'_> {
    /// Checks everything that can be said without knowing the survivor, and names all that is wrong.
    pub fn check(&self, world: &World) -> Result<Filled> {
        let mut wrong = Vec::new();
        let mut says = |field: &str, says: String| wrong.push(FieldViolation { field: field.into(), says });
        if self.assessed_on.is_some_and(|on| on > (world.now() + EASTERNMOST).date_naive()) {
            says("assessed_on", "must not be in the future".into());
        }
        let Some(instrument) = world.instruments().find(self.instrument) else {
            says("instrument", "must be the code of an instrument (ListInstruments)".into());
            return Err(Error::Invalid(wrong));
        };
        let may: Vec<_> = instrument.informants.iter().map(|it| it.informant.as_str()).collect();
        if !may.contains(&self.informant.as_str()) {
            says("informant", format!("must be {}", may.join(" or ")));
        }
        let recall = instrument.recall.iter().find(|it| self.recall.is_empty() || it.code.as_str() == self.recall);
        if recall.is_none() {
            let all: Vec<_> = instrument.recall.iter().map(|it| it.code.as_str()).collect();
            says("recall", format!("must be {}", all.join(" or ")));
        }
        let answers = instrument.check(&self.sheet);
        match (recall, answers) {
            (Some(recall), Ok(answers)) if wrong.is_empty() => Ok(Filled {
                instrument: instrument.code.clone(),
                version: instrument.version.clone(),
                informant: self.informant,
                recall: recall.code.clone(),
                assessed_on: self.assessed_on,
                answers,
            }),
            (_, answers) => {
                let faults = answers.err().unwrap_or_default();
                wrong.extend(faults.iter().map(|(field, fault)| FieldViolation::new(field, fault)));
                Err(Error::Invalid(wrong))
            }
        }
    }
}
