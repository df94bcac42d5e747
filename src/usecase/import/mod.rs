//! Reads what an organisation really has: CSV files and holiday calendars, all or nothing.
//!
//! Every file is optional; a file of another name is an error, and so is a column that is missing,
//! unknown or twice in a header. Columns may stand in any order.
//!
//! | file | columns; the first are the key |
//! |---|---|
//! | `organisations.csv` | **code**, name, kind, district, notice_minutes, horizon_days |
//! | `agreements.csv` | **organisation**, **code**, counterparty, services, districts, valid_from, valid_until, status |
//! | `holiday_calendars.csv` | **organisation**, **code**, name, file |
//! | `sites.csv` | **organisation**, **code**, name, zone, district, separation_gap_minutes, holiday_calendar, timetable |
//! | `venues.csv` | **organisation**, **code**, name, site, shared |
//! | `rooms.csv` | **organisation**, **venue**, **code**, name, capacity |
//! | `counsellors.csv` | **organisation**, **code**, name, side, gender, services, modalities, languages, zone, buffer_before_minutes, buffer_after_minutes, travel_minutes, daily_limit, weekly_limit, verified_until, registration, inactive |
//! | `hours.csv` | organisation, counsellor, days, starts, ends, venue, valid_from, valid_until, off |
//! | `leave.csv` | **organisation**, **counsellor**, **starts_at**, **ends_at** |
//! | `clients.csv` | **organisation**, **file_number**, side, name, phone, address, born_on, spoken_languages, reading_language, counsellor_gender |
//! | `guardians.csv` | **organisation**, **client**, **code**, name, phone, relation, standing |
//! | `cases.csv` | **organisation**, **crime_number**, **police_station**, **district** |
//! | `case_parties.csv` | **organisation**, **crime_number**, **police_station**, **district**, **client**, role |
//! | `consents.csv` | **organisation**, **client**, **purpose**, **given_by**, **guardian**, assent, language, text_version, **given_on**, valid_until |
//! | `sessions.csv` | **organisation**, **client**, counsellor, service, modality, venue, room, **starts_at**, minutes |
//! | `*.ics` | a calendar that a row of `holiday_calendars.csv` names |
//!
//! Dates are `YYYY-MM-DD`, times of day `HH:MM` (to `24:00`), civil times `YYYY-MM-DD HH:MM` in the
//! zone of the venue or, for leave, of the counsellor; lists have ";" between their values; `shared`,
//! `inactive` and `off` are `yes` or `no`; a timetable is a list of hours of a side, such as
//! `SURVIVOR MON 09:00-13:00;OFFENDER TUE 09:00-17:00`. May be empty: valid_from and valid_until of
//! hours, every valid_until, venue, gender, holiday_calendar, timetable, limits, verified_until,
//! registration, `notice_minutes` (120), `horizon_days` (180), `separation_gap_minutes` (120), buffers
//! (0), `travel_minutes` (30), flags (no); phone, address, born_on, relation, reading_language,
//! counsellor_gender, assent (NONE), and guardian unless `given_by` is GUARDIAN. A site or venue of another
//! organisation is written `ORGANISATION/CODE`; a client by the file number, a guardian by a code of the
//! organisation's own, unique for the client. `born_on` may be a year alone.
//!
//! The days of a row of hours are days of the week and dates (`SAT;2026-12-25`), or a rule of RFC
//! 5545 (`RRULE:FREQ=MONTHLY;BYDAY=2SA`) that counts from valid_from. A row that is `off` takes the
//! time away that others give; without starts and ends, the whole day.
//!
//! A row that is stored with the same values stays unchanged, one with other values is updated, what
//! no row is about stays untouched. `hours.csv` replaces the timetable of every counsellor of whom it
//! has a row. A consent is never changed: a row that differs from one that is recorded and has not ended
//! is a mistake. Sessions are booked by the very rules of the service: what a soft rule says against one is
//! overridden, one that a hard rule forbids is left out and reported; one that is stored stays as it is,
//! whatever has become of it. Parties are added to cases, never taken out. Rules of calendars are followed until they end, at most to 31 December of the tenth
//! year after this one.

mod calendar;
mod care;
mod cells;
mod check;
mod client;
mod counsellor;
mod directory;
mod hours;
mod kind;
mod known;
mod material;
mod people;
mod problem;
mod report;
mod run;
mod session;
mod sheet;

pub use check::check;
pub use material::{Files, shapes};
pub use report::{LeftOut, Progress, Report, Tally, Update, Watch};
pub use sheet::MOST_BYTES;

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use self::material::Material;
use self::run::Run;
use super::call::Call;
use super::error::{Error, Result};
use super::session::forget_expired;
use super::work::{Mutation, Work, mutate};
use super::world::World;

/// How many years from now rules of calendars are followed.
const YEARS: i32 = 10;

/// Whether a file of a directory is no business of an import: notes and hidden files.
pub fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name == "README" || name.starts_with("README.")
}

/// As [`watched`], with nobody who watches.
pub async fn import(world: &World, files: &Files, trial: bool) -> Result<Report> {
    watched(world, files, trial, Arc::new(|_| {})).await
}

/// Imports files, all or nothing. A refusal is [`Error::Invalid`] with every problem, whose field is
/// its place: `sites.csv:3:4 (zone)`. With `trial` everything is done and then undone. `watch` is
/// told of every row that was read.
pub async fn watched(world: &World, files: &Files, trial: bool, watch: Arc<Watch>) -> Result<Report> {
    let last = NaiveDate::from_ymd_opt(world.now().year() + YEARS, 12, 31).unwrap_or(NaiveDate::MAX);
    let call = Call::of_program(if trial { "import-trial" } else { "import" });
    mutate(world, call, Import { material: Material::read(files, last), trial, watch }).await
}

/// An import.
struct Import {
    material: Material,
    trial: bool,
    watch: Arc<Watch>,
}

impl Mutation for Import {
    type Answer = Report;

    async fn before(&self, world: &World) -> Result<()> {
        forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Report> {
        if !self.trial {
            return Run::new(work, &self.material, self.watch.as_ref()).all().await;
        }
        work.tx.savepoint().await?;
        let report = Run::new(work, &self.material, self.watch.as_ref()).all().await?;
        work.tx.undo().await?;
        Ok(report)
    }

    fn result_id(&self, _answer: &Report) -> Uuid {
        Uuid::nil()
    }

    /// The program gives no request id, so there is nothing to repeat.
    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<Report> {
        Err(Error::RequestReused)
    }
}
