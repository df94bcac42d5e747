//! What is wrong with files, as far as that shows without a database.

use chrono::NaiveDate;

use super::cells::Cells;
use super::client::{CASES, CONSENTS, PARTIES, read_case, read_consent, read_party};
use super::counsellor::{LEAVE, read_leave};
use super::hours::{HOURS, read_hours};
use super::kind::Kind;
use super::known::Known;
use super::material::{Files, Material};
use super::session::{SESSIONS, read_session};
use super::sheet::{Shape, Sheet};
use crate::domain::agreement::Agreement;
use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{HolidayCalendar, Organisation, Room, Site, Venue};
use crate::domain::guardian::Guardian;
use crate::usecase::error::FieldViolation;

type Read = fn(&mut Cells<'_>, &Known);

/// How the rows of each file are read.
static READS: [(&Shape, Read); 15] = [
    (Organisation::SHAPE, |cells, known| _ = Organisation::read(cells, known)),
    (Agreement::SHAPE, |cells, known| _ = Agreement::read(cells, known)),
    (HolidayCalendar::SHAPE, |cells, known| _ = HolidayCalendar::read(cells, known)),
    (Site::SHAPE, |cells, known| _ = Site::read(cells, known)),
    (Venue::SHAPE, |cells, known| _ = Venue::read(cells, known)),
    (Room::SHAPE, |cells, known| _ = Room::read(cells, known)),
    (Counsellor::SHAPE, |cells, known| _ = Counsellor::read(cells, known)),
    (HOURS, |cells, known| _ = read_hours(cells, known)),
    (LEAVE, |cells, known| _ = read_leave(cells, known)),
    (Client::SHAPE, |cells, known| _ = Client::read(cells, known)),
    (Guardian::SHAPE, |cells, known| _ = Guardian::read(cells, known)),
    (CASES, |cells, known| _ = read_case(cells, known)),
    (PARTIES, |cells, known| _ = read_party(cells, known)),
    (CONSENTS, |cells, known| _ = read_consent(cells, known)),
    (SESSIONS, |cells, known| _ = read_session(cells, known)),
];

/// Reads every file, row and calendar; rules of calendars are followed to a last day. As nothing is looked up, every
/// cell that refers to something is wrong.
pub fn check(files: &Files, last: NaiveDate) -> Vec<FieldViolation> {
    let material = Material::read(files, last);
    let (known, mut problems) = (material.known(), material.problems.clone());
    for (shape, read) in &READS {
        for (line, record) in material.sheet(shape).into_iter().flat_map(Sheet::rows) {
            let mut cells = Cells::new(line, record);
            read(&mut cells, &known);
            problems.extend(cells.take_problems());
        }
    }
    problems.into_violations()
}
