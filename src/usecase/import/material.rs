//! The files of an import, understood as far as they can be without the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::calendar::holidays;
use super::client::{CASES, CONSENTS, PARTIES};
use super::counsellor::LEAVE;
use super::hours::HOURS;
use super::kind::Kind;
use super::known::{Known, Target};
use super::problem::{Problem, Problems};
use super::session::SESSIONS;
use super::sheet::{Shape, Sheet, text};
use crate::domain::agreement::Agreement;
use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{HolidayCalendar, Organisation, Room, Site, Venue};
use crate::domain::guardian::Guardian;

/// Files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The CSV files there can be, and what their rows are when others refer to them.
static SHAPES: [(&Shape, Option<Target>); 15] = [
    (Organisation::SHAPE, Organisation::TARGET),
    (Agreement::SHAPE, Agreement::TARGET),
    (HolidayCalendar::SHAPE, HolidayCalendar::TARGET),
    (Site::SHAPE, Site::TARGET),
    (Venue::SHAPE, Venue::TARGET),
    (Room::SHAPE, Room::TARGET),
    (Counsellor::SHAPE, Counsellor::TARGET),
    (HOURS, None),
    (LEAVE, None),
    (Client::SHAPE, Client::TARGET),
    (Guardian::SHAPE, Guardian::TARGET),
    (CASES, None),
    (PARTIES, None),
    (CONSENTS, None),
    (SESSIONS, None),
];

/// The CSV files there can be, and their columns.
pub fn shapes() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    SHAPES.iter().map(|(shape, _)| (shape.file, shape.columns))
}

/// The files of an import, as far as they can be understood without the database.
#[derive(Debug, Default)]
pub struct Material {
    sheets: HashMap<&'static str, Sheet>,
    unreadable: Vec<Target>,
    holidays: BTreeMap<String, Option<BTreeMap<NaiveDate, String>>>,
    /// What is wrong with them so far.
    pub problems: Problems,
}

impl Material {
    /// Reads the files; rules of calendars are followed to a last day.
    pub fn read(files: &Files, last: NaiveDate) -> Self {
        let mut it = Self::default();
        for (name, bytes) in files {
            if let Some((shape, target)) = SHAPES.iter().find(|(shape, _)| shape.file == name) {
                match Sheet::read(shape, bytes, &mut it.problems) {
                    Some(sheet) => drop(it.sheets.insert(shape.file, sheet)),
                    None => it.unreadable.extend(target),
                }
            } else if name.ends_with(".ics") {
                let text = text(name, bytes, &mut it.problems);
                let days = text.and_then(|text| holidays(name, text, last, &mut it.problems));
                it.holidays.insert(name.clone(), days);
            } else {
                let known: Vec<_> = SHAPES.iter().map(|(shape, _)| shape.file).collect();
                let says = format!("must be one of {} or a calendar (.ics); name notes README", known.join(", "));
                it.problems.push(Problem::of_file(name, says));
            }
        }
        it.check_calendars();
        it
    }

    /// A calendar that no row names would silently be left out.
    fn check_calendars(&mut self) {
        if self.unreadable.contains(&Target::HolidayCalendar) {
            return;
        }
        let rows = self.sheet(HolidayCalendar::SHAPE).into_iter().flat_map(Sheet::rows);
        let named: BTreeSet<String> = rows.map(|(line, row)| Sheet::cell(&line, row, "file").to_owned()).collect();
        for file in self.holidays.keys().filter(|file| !named.contains(*file)) {
            let says = format!("must be named in the column \"file\" of {}", HolidayCalendar::SHAPE.file);
            self.problems.push(Problem::of_file(file, says));
        }
    }

    /// The sheet of a shape, if there is one that can be read.
    pub fn sheet(&self, shape: &Shape) -> Option<&Sheet> {
        self.sheets.get(shape.file)
    }

    /// What rows may rely on before the first of them is read.
    pub fn known(&self) -> Known {
        let mut known = Known::default();
        known.holidays.clone_from(&self.holidays);
        self.unreadable.iter().for_each(|target| known.unreadable(*target));
        known
    }
}
