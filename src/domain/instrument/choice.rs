//! Which instrument at which age (instruments, "Which instrument at which age").

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::{Catalogue, Code, Informant, Instrument};
use crate::domain::age::ADULT;
use crate::domain::followup::template::InstrumentSet;

/// For whom an instrument is suggested.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suggested {
    /// From this age, in full years.
    pub from_age: u32,
    /// To this age, itself included; none is for ever.
    pub to_age: Option<u32>,
    /// In which sets.
    pub sets: Vec<InstrumentSet>,
}

/// The ages, in full years, that somebody may have ([`crate::domain::age::ages_on`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ages {
    /// Now.
    pub now: RangeInclusive<u32>,
    /// At the baseline, for as long as its instruments are kept: to the twelve-month milestone. \[P\]
    pub baseline: Option<RangeInclusive<u32>>,
}

/// That an instrument is for an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is for every age that the client may have.
    Certain,
    /// It is for one of them: only the year of birth is known.
    Uncertain,
}

/// That an instrument is not for this age, and what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Codes of the full set for the age; empty where there is none.
    pub suggested: Vec<Code>,
}

impl Suggested {
    fn is_for(&self, age: u32, set: InstrumentSet) -> bool {
        within(age, self.from_age, self.to_age) && self.sets.contains(&set)
    }
}

impl Ages {
    /// The ages at a baseline in childhood, when adulthood has come since.
    fn as_a_child(&self) -> Option<&RangeInclusive<u32>> {
        self.baseline.as_ref().filter(|baseline| *baseline.start() < ADULT && ADULT <= *self.now.end())
    }
}

impl Instrument {
    /// Whether it can be answered by somebody about a client of one of these ages.
    pub fn is_for(&self, informant: Informant, ages: &Ages) -> bool {
        let mut may = self.informants.iter().filter(|it| it.informant == informant);
        may.any(|it| {
            let fits = |ages: &RangeInclusive<u32>| ages.clone().any(|age| within(age, it.from_age, it.to_age));
            fits(&ages.now) || ages.as_a_child().is_some_and(fits)
        })
    }

    /// Whether somebody can answer it about a client of an age.
    pub fn is_for_age(&self, age: u32) -> bool {
        self.informants.iter().any(|it| within(age, it.from_age, it.to_age))
    }

    fn is_suggested(&self, age: u32, set: InstrumentSet) -> bool {
        self.suggested.iter().any(|it| it.is_for(age, set))
    }
}

impl Catalogue {
    /// The instruments of a set: for the age reached with certainty, and for whoever has come of age since the
    /// baseline first what was suggested then. In the order of the catalogue, each once.
    pub fn suggested(&self, ages: &Ages, set: InstrumentSet) -> Vec<&Instrument> {
        let grown = ages.as_a_child().filter(|_| ADULT <= *ages.now.start());
        let of_age = |age: u32| self.current().filter(move |it| it.is_suggested(age, set));
        let kept: Vec<_> = grown.into_iter().flat_map(|baseline| of_age(*baseline.start())).collect();
        let added = of_age(*ages.now.start()).filter(|it| !kept.contains(it)).collect::<Vec<_>>();
        kept.into_iter().chain(added).collect()
    }

    /// Refuses an instrument that is for none of the ages that the client may have, and suggests others. Whoever has
    /// come of age since the baseline may go on with what was for the age then.
    pub fn admit(&self, instrument: &Instrument, informant: Informant, ages: &Ages) -> Result<Admitted, Outside> {
        if !instrument.is_for(informant, ages) {
            let suggested = self.suggested(ages, InstrumentSet::Full);
            return Err(Outside { suggested: suggested.into_iter().map(|it| it.code.clone()).collect() });
        }
        let fits = |age: u32| instrument.is_for(informant, &Ages { now: age..=age, baseline: ages.baseline.clone() });
        Ok(if ages.now.clone().all(fits) { Admitted::Certain } else { Admitted::Uncertain })
    }
}

fn within(age: u32, from: u32, to: Option<u32>) -> bool {
    from <= age && to.is_none_or(|to| age <= to)
}
