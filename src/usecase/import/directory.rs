//! What the rows about organisations and their places say: agreements, holiday calendars, sites,
//! venues, rooms.

use chrono::TimeDelta;
use uuid::Uuid;

use super::cells::Cells;
use super::kind::{Kind, changes};
use super::known::{Known, Target};
use super::sheet::Shape;
use crate::domain::agreement::Agreement;
use crate::domain::directory::{
    DEFAULT_HORIZON, DEFAULT_NOTICE, DEFAULT_SEPARATION_GAP, HORIZON_DAYS, HolidayCalendar, LONGEST_NOTICE,
    Organisation, Room, SideHours, Site, Venue,
};
use crate::domain::ids::OrganisationId;
use crate::domain::text::{self, Code, Fault};
use crate::domain::time::{DayTime, parse_date};

impl Kind for Organisation {
    const SHAPE: &'static Shape = &Shape {
        file: "organisations.csv",
        columns: &["code", "name", "kind", "district", "notice_minutes", "horizon_days"],
    };
    const KEY: &'static [&'static str] = &["code"];
    const REFERENCES: &'static [(&'static str, Target)] = &[];
    const TARGET: Option<Target> = Some(Target::Organisation);

    fn read(cells: &mut Cells<'_>, _known: &Known) -> Option<Self> {
        let code = cells.code("code");
        let name = cells.parse("name", text::name);
        let kind = cells.word("kind");
        let district = cells.code("district");
        let notice = cells.minutes("notice_minutes", TimeDelta::zero()..=LONGEST_NOTICE, DEFAULT_NOTICE);
        let horizon = cells.days("horizon_days", HORIZON_DAYS, DEFAULT_HORIZON);
        cells.finish(|| {
            Some(Self {
                code: code?,
                name: name?,
                kind: kind?,
                district: district?,
                notice_for: notice?,
                horizon_for: horizon?,
            })
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (Uuid::nil(), self.code.as_str())
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; name => "name", kind => "kind", district => "district",
            notice_for => "notice_minutes", horizon_for => "horizon_days")
    }
}

impl Kind for Agreement {
    const SHAPE: &'static Shape = &Shape {
        file: "agreements.csv",
        columns: &[
            "organisation",
            "code",
            "counterparty",
            "services",
            "districts",
            "valid_from",
            "valid_until",
            "status",
        ],
    };
    const KEY: &'static [&'static str] = &["organisation", "code"];
    const REFERENCES: &'static [(&'static str, Target)] = &[("organisation", Target::Organisation)];
    const TARGET: Option<Target> = None;

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation_id = cells.refer("organisation", known);
        let code = cells.code("code");
        let counterparty = cells.parse("counterparty", text::name);
        let services = cells.list("services", str::parse);
        let districts = cells.list("districts", Code::parse);
        let valid_from = cells.parse("valid_from", parse_date);
        let valid_until = cells.maybe("valid_until", parse_date);
        let status = cells.word("status");
        if matches!((valid_from, valid_until), (Some(first), Some(Some(last))) if last < first) {
            cells.wrong::<()>("valid_until", "must not be before valid_from");
        }
        cells.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                code: code?,
                counterparty: counterparty?,
                services: services?,
                districts: districts?,
                valid_from: valid_from?,
                valid_until: valid_until?,
                status: status?,
            })
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.organisation_id.0, self.code.as_str())
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; counterparty => "counterparty", services => "services", districts => "districts",
            valid_from => "valid_from", valid_until => "valid_until", status => "status")
    }
}

impl Kind for HolidayCalendar {
    const SHAPE: &'static Shape =
        &Shape { file: "holiday_calendars.csv", columns: &["organisation", "code", "name", "file"] };
    const KEY: &'static [&'static str] = &["organisation", "code"];
    const REFERENCES: &'static [(&'static str, Target)] = &[("organisation", Target::Organisation)];
    const TARGET: Option<Target> = Some(Target::HolidayCalendar);

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation_id = cells.refer("organisation", known);
        let code = cells.code("code");
        let name = cells.parse("name", text::name);
        let holidays = match known.holidays.get(cells.text("file")) {
            Some(holidays) => holidays.clone(),
            None => cells.wrong("file", "must be the name of an .ics file of this directory"),
        };
        cells.finish(|| Some(Self { organisation_id: organisation_id?, code: code?, name: name?, holidays: holidays? }))
    }

    fn place(&self) -> (Uuid, &str) {
        (self.organisation_id.0, self.code.as_str())
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; name => "name", holidays => "holidays")
    }
}

impl Kind for Site {
    const SHAPE: &'static Shape = &Shape {
        file: "sites.csv",
        columns: &[
            "organisation",
            "code",
            "name",
            "zone",
            "district",
            "separation_gap_minutes",
            "holiday_calendar",
            "timetable",
        ],
    };
    const KEY: &'static [&'static str] = &["organisation", "code"];
    const REFERENCES: &'static [(&'static str, Target)] =
        &[("organisation", Target::Organisation), ("holiday_calendar", Target::HolidayCalendar)];
    const TARGET: Option<Target> = Some(Target::Site);

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation_id = cells.refer("organisation", known);
        let code = cells.code("code");
        let name = cells.parse("name", text::name);
        let zone = cells.parse("zone", text::zone);
        let district = cells.code("district");
        let gap = TimeDelta::zero()..=TimeDelta::hours(24);
        let gap = cells.minutes("separation_gap_minutes", gap, DEFAULT_SEPARATION_GAP);
        let calendar = cells.maybe_refer("holiday_calendar", known);
        let timetable = timetable(cells, gap);
        cells.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                code: code?,
                name: name?,
                zone: zone?,
                district: district?,
                separation_gap_for: gap?,
                holiday_calendar_id: calendar?,
                timetable: timetable?,
            })
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.organisation_id.0, self.code.as_str())
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; name => "name", zone => "zone", district => "district",
            separation_gap_for => "separation_gap_minutes", holiday_calendar_id => "holiday_calendar",
            timetable => "timetable")
    }
}

/// The hours of the sides, `SURVIVOR MON 09:00-13:00`; none when empty.
fn timetable(cells: &mut Cells<'_>, gap: Option<TimeDelta>) -> Option<Vec<SideHours>> {
    if cells.text("timetable").is_empty() {
        return Some(Vec::new());
    }
    let rows = cells.list("timetable", side_hours)?;
    if gap.is_some_and(|gap| !SideHours::too_close(&rows, gap).is_empty()) {
        return cells.wrong("timetable", "must keep the separation gap between the hours of the two sides");
    }
    Some(rows)
}

fn side_hours(raw: &str) -> Result<SideHours, Fault> {
    let wrong = || Fault::new("must be a side, a day and hours such as \"SURVIVOR MON 09:00-13:00\"");
    let [side, day, hours] = raw.split_whitespace().collect::<Vec<_>>()[..] else { return Err(wrong()) };
    let (starts, ends) = hours.split_once('-').ok_or_else(wrong)?;
    let (starts, ends) = (DayTime::parse(starts)?, DayTime::parse(ends)?);
    let (side, day) = (side.parse()?, day.parse()?);
    if starts < ends { Ok(SideHours { side, day, starts, ends }) } else { Err(wrong()) }
}

impl Kind for Venue {
    const SHAPE: &'static Shape =
        &Shape { file: "venues.csv", columns: &["organisation", "code", "name", "site", "shared"] };
    const KEY: &'static [&'static str] = &["organisation", "code"];
    const REFERENCES: &'static [(&'static str, Target)] =
        &[("organisation", Target::Organisation), ("site", Target::Site)];
    const TARGET: Option<Target> = Some(Target::Venue);

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation_id = cells.refer("organisation", known);
        let code = cells.code("code");
        let name = cells.parse("name", text::name);
        let site_id = cells.refer("site", known);
        let shared = cells.flag("shared");
        cells.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                code: code?,
                name: name?,
                site_id: site_id?,
                shared: shared?,
            })
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.organisation_id.0, self.code.as_str())
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; name => "name", site_id => "site", shared => "shared")
    }
}

impl Kind for Room {
    const SHAPE: &'static Shape =
        &Shape { file: "rooms.csv", columns: &["organisation", "venue", "code", "name", "capacity"] };
    const KEY: &'static [&'static str] = &["organisation", "venue", "code"];
    const REFERENCES: &'static [(&'static str, Target)] =
        &[("organisation", Target::Organisation), ("venue", Target::Venue)];
    const TARGET: Option<Target> = None;

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation: Option<OrganisationId> = cells.refer("organisation", known);
        let venue_id = cells.refer("venue", known);
        let code = cells.code("code");
        let name = cells.parse("name", text::name);
        let capacity = cells.maybe_count("capacity", Self::CAPACITIES);
        cells.finish(|| {
            organisation.and(Some(Self { venue_id: venue_id?, code: code?, name: name?, capacity: capacity? }))
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.venue_id.0, self.code.as_str())
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; name => "name", capacity => "capacity")
    }
}
