//! The vectors of the sources, and what holds of every sheet.

mod choices;
mod files;
mod properties;
mod vectors;

use chrono::NaiveDate;

use super::*;

fn catalogue() -> Catalogue {
    Catalogue::built_in().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Long after an event.
fn later() -> Timing {
    Timing { assessed_on: day("2026-06-01"), event_on: Some(day("2025-06-01")) }
}

/// A sheet in words: `2 0 –` are the answers to the items 1, 2 and 3, the last skipped; slashes and commas part
/// nothing. A leading "yes" or "no" answers the gate question.
fn sheet(text: &str) -> Sheet {
    let mut words = text.split([' ', ',', '/']).filter(|it| !it.is_empty()).peekable();
    let gate = words.next_if(|it| ["yes", "no"].contains(it)).map(|it| it == "yes");
    let answer = |word: &str| match word {
        "–" => Answer::Skipped,
        "x" => Answer::Declined,
        value => Answer::Value(value.parse().unwrap()),
    };
    Sheet { gate, answers: (1..).zip(words.map(answer)).collect() }
}

fn complete(instrument: &Instrument, text: &str) -> Complete {
    instrument.check(&sheet(text)).unwrap()
}

fn scored(code: &str, text: &str) -> Score {
    let catalogue = catalogue();
    let instrument = catalogue.find(code).unwrap();
    instrument.score(&complete(instrument, text))
}

/// What is wrong with a sheet: paths and sentences.
fn refused(code: &str, sheet: &Sheet) -> Vec<String> {
    let wrong = catalogue().find(code).unwrap().check(sheet).err().unwrap();
    wrong.into_iter().map(|(field, fault)| format!("{field}: {fault}")).collect()
}

fn paths(code: &str, text: &str) -> Vec<String> {
    let wrong = catalogue().find(code).unwrap().check(&sheet(text)).err().unwrap();
    wrong.into_iter().map(|(field, _)| field).collect()
}

/// An assessment of an instrument by the client in English.
fn occasion(instrument: &Instrument, on: &str, total: Option<u32>) -> Occasion {
    let form = Form {
        instrument: instrument.code.clone(),
        version: instrument.version.clone(),
        informant: Informant::SelfReport,
        recall: instrument.recall[0].code.clone(),
        language: Language::parse("en").unwrap(),
    };
    Occasion { form, on: day(on), total, too_soon: false }
}

impl Score {
    fn scales(&self) -> Vec<Option<u32>> {
        self.subscales.iter().map(|it| it.score).collect()
    }

    fn positives(&self) -> Vec<Option<u32>> {
        self.subscales.iter().map(|it| it.positives).collect()
    }

    fn found(&self) -> Vec<&str> {
        self.findings.iter().map(|it| it.says(later())).collect()
    }

    fn reached(&self) -> Vec<Option<bool>> {
        self.cut_offs.iter().map(|it| it.reached).collect()
    }

    fn band(&self) -> Option<&str> {
        self.band.as_ref().map(Code::as_str)
    }
}
