//! What the rows about counsellors say: who they are, when they are away.

use chrono::TimeDelta;
use uuid::Uuid;

use super::cells::Cells;
use super::kind::{Kind, changes, column_of};
use super::known::{Known, Target};
use super::problem::Problem;
use super::sheet::{Line, Shape};
use crate::domain::code::{CareService, Side};
use crate::domain::counsellor::{
    Counsellor, DAILY_LIMITS, DEFAULT_TRAVEL, LONGEST_BUFFER, LONGEST_TRAVEL, Leave, WEEKLY_LIMITS, WorkingHours,
};
use crate::domain::ids::{CounsellorId, OrganisationId};
use crate::domain::text::{self, Code, Language};
use crate::domain::time::{Span, parse_date, resolve};
use crate::usecase::error::FieldViolation;

impl Kind for Counsellor {
    const SHAPE: &'static Shape = &Shape {
        file: "counsellors.csv",
        columns: &[
            "organisation",
            "code",
            "name",
            "side",
            "gender",
            "services",
            "modalities",
            "languages",
            "zone",
            "buffer_before_minutes",
            "buffer_after_minutes",
            "travel_minutes",
            "daily_limit",
            "weekly_limit",
            "verified_until",
            "registration",
            "inactive",
        ],
    };
    const KEY: &'static [&'static str] = &["organisation", "code"];
    const REFERENCES: &'static [(&'static str, Target)] = &[("organisation", Target::Organisation)];
    const TARGET: Option<Target> = Some(Target::Counsellor);

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation_id = cells.refer("organisation", known);
        let code = cells.code("code");
        let name = cells.personal("name", 1..=200);
        let side = cells.word("side");
        let gender = cells.maybe("gender", str::parse);
        let services = cells.list("services", str::parse);
        check_side(cells, side, services.as_deref());
        let modalities = cells.list("modalities", str::parse);
        let languages = cells.list("languages", Language::parse);
        let zone = cells.parse("zone", text::zone);
        let buffer = TimeDelta::zero()..=LONGEST_BUFFER;
        let before = cells.minutes("buffer_before_minutes", buffer.clone(), TimeDelta::zero());
        let after = cells.minutes("buffer_after_minutes", buffer, TimeDelta::zero());
        let travel = cells.minutes("travel_minutes", TimeDelta::zero()..=LONGEST_TRAVEL, DEFAULT_TRAVEL);
        let daily_limit = cells.maybe_count("daily_limit", DAILY_LIMITS);
        let weekly_limit = cells.maybe_count("weekly_limit", WEEKLY_LIMITS);
        let verified_until = cells.maybe("verified_until", parse_date);
        let registration = cells.maybe("registration", Code::parse);
        let inactive = cells.flag("inactive");
        cells.finish(|| {
            let (organisation_id, code) = (organisation_id?, code?);
            Some(Self {
                working_hours: known.working_hours(organisation_id, &code).unwrap_or_default(),
                organisation_id,
                code,
                name: name?,
                side: side?,
                gender: gender?,
                services: services?,
                modalities: modalities?,
                languages: languages?,
                zone: zone?,
                buffer_before_for: before?,
                buffer_after_for: after?,
                travel_for: travel?,
                daily_limit: daily_limit?,
                weekly_limit: weekly_limit?,
                verified_until: verified_until?,
                registration: registration?,
                inactive: inactive?,
            })
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.organisation_id.0, self.code.as_str())
    }

    /// Without a row in the file of hours, the timetable stays as it is.
    fn complete(&mut self, before: &Self, known: &Known) {
        if known.working_hours(self.organisation_id, &self.code).is_none() {
            self.working_hours.clone_from(&before.working_hours);
        }
    }

    /// A fault of a working hour stands in the file of hours.
    fn pin(&self, line: &Line, fault: &FieldViolation, known: &Known) -> Problem {
        let at = fault.field.strip_prefix("counsellor.working_hours[").and_then(|rest| rest.split_once(']'));
        let hours = known.timetables.get(&(self.organisation_id, self.code.clone()));
        let line_of = |(at, _): (&str, &str)| Some(&hours?.hours.get(at.parse::<usize>().ok()?)?.1);
        match at.and_then(line_of) {
            Some(line) => line.problem("venue", &fault.says),
            None => line.problem(column_of(&fault.field), &fault.says),
        }
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        let mut changed: Vec<_> = changes!(self, before; name => "name", side => "side", gender => "gender",
            services => "services", modalities => "modalities", languages => "languages", zone => "zone",
            buffer_before_for => "buffer_before_minutes", buffer_after_for => "buffer_after_minutes",
            travel_for => "travel_minutes", daily_limit => "daily_limit", weekly_limit => "weekly_limit",
            verified_until => "verified_until", registration => "registration",
            inactive => "inactive");
        if sorted(&self.working_hours) != sorted(&before.working_hours) {
            changed.push("working_hours");
        }
        changed
    }
}

/// The order of the rows means nothing.
fn sorted(hours: &[WorkingHours]) -> Vec<&WorkingHours> {
    let mut all: Vec<_> = hours.iter().collect();
    all.sort_unstable();
    all
}

fn check_side(cells: &mut Cells<'_>, side: Option<Side>, services: Option<&[CareService]>) {
    let (Some(side), Some(services)) = (side, services) else { return };
    if services.iter().any(|service| !service.is_offered_by(side)) {
        let fitting = CareService::ALL.iter().filter(|service| service.is_offered_by(side));
        let fitting: Vec<_> = fitting.map(ToString::to_string).collect();
        cells.wrong::<()>("services", format!("must be for the counsellor's side: {}", fitting.join(", ")));
    }
}

/// What the file of leave looks like.
pub const LEAVE: &Shape =
    &Shape { file: "leave.csv", columns: &["organisation", "counsellor", "starts_at", "ends_at"] };
/// The columns of a row of leave that refer to other things.
pub const LEAVE_REFERENCES: &[(&str, Target)] =
    &[("organisation", Target::Organisation), ("counsellor", Target::Counsellor)];

/// A leave, whose times are in the zone of the counsellor.
pub fn read_leave(cells: &mut Cells<'_>, known: &Known) -> Option<Leave> {
    let organisation: Option<OrganisationId> = cells.refer("organisation", known);
    let counsellor_id: Option<CounsellorId> = cells.refer("counsellor", known);
    let starts_at = cells.civil("starts_at");
    let ends_at = cells.civil("ends_at");
    if starts_at.zip(ends_at).is_some_and(|(starts, ends)| ends <= starts) {
        return cells.wrong("ends_at", "must be after starts_at");
    }
    organisation?;
    let zone = known.zones.get(&counsellor_id?).copied()?;
    match Span::new(resolve(starts_at?, zone), resolve(ends_at?, zone)) {
        Some(span) => cells.finish(|| Some(Leave { counsellor_id: counsellor_id?, span })),
        // Both ends lie in the hour that a clock change skips.
        None => cells.wrong("ends_at", "must be after starts_at on the clocks of the counsellor's zone"),
    }
}
