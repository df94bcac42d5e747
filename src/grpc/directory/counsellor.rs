//! Counsellors and their leave on the wire.

use chrono::TimeDelta;

use super::wire::{Wire, id_of, wire_fields};
use crate::domain::code::{CareService, Side};
use crate::domain::counsellor::{
    Counsellor, DAILY_LIMITS, DEFAULT_TRAVEL, LONGEST_BUFFER, LONGEST_TRAVEL, Leave, MOST_WORKING_HOURS, WEEKLY_LIMITS,
    WorkingHours,
};
use crate::domain::noun::Record;
use crate::domain::text::{self, Code, Language};
use crate::domain::time::Span;
use crate::grpc::fields::{Fields, count, date, day_time, duration, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::call::Call;
use crate::usecase::error::Result;

impl Wire for Counsellor {
    wire_fields!(Counsellor, "counsellor": organisation_id, code, name, side, gender, services, modalities,
        languages, zone, buffer_before, buffer_after, travel_time, daily_limit, weekly_limit, verified_until,
        registration, working_hours, inactive);

    fn to_pb(it: &Record<Self>) -> pb::Counsellor {
        pb::Counsellor {
            id: id_of(it),
            etag: it.version.to_string(),
            organisation_id: it.organisation_id.to_string(),
            code: it.code.to_string(),
            name: it.name.expose().to_owned(),
            side: it.side.to_wire(),
            gender: it.gender.map(Word::to_wire).unwrap_or_default(),
            services: it.services.iter().map(|service| service.to_wire()).collect(),
            modalities: it.modalities.iter().map(|modality| modality.to_wire()).collect(),
            languages: it.languages.iter().map(|language| language.as_str().to_owned()).collect(),
            zone: it.zone.name().to_owned(),
            buffer_before: duration(it.buffer_before_for),
            buffer_after: duration(it.buffer_after_for),
            travel_time: duration(it.travel_for),
            daily_limit: it.daily_limit.map(count),
            weekly_limit: it.weekly_limit.map(count),
            verified_until: it.verified_until.map(date),
            registration: it.registration.as_ref().map(ToString::to_string).unwrap_or_default(),
            working_hours: it.working_hours.iter().map(hours_pb).collect(),
            inactive: it.inactive,
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Counsellor, call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.personal("name", &pb.name, 1..=200);
        let side = f.word("side", pb.side);
        let gender = f.maybe_word("gender", pb.gender);
        let services = f.words("services", &pb.services);
        check_side(&mut f, side, services.as_deref());
        let modalities = f.words("modalities", &pb.modalities);
        let languages = f.parse_all("languages", &pb.languages, Language::parse);
        let zone = f.parse("zone", &pb.zone, text::zone);
        let (none, buffer) = (Some(TimeDelta::zero()), TimeDelta::zero()..=LONGEST_BUFFER);
        let before = f.minutes("buffer_before", pb.buffer_before.as_ref(), buffer.clone(), none);
        let after = f.minutes("buffer_after", pb.buffer_after.as_ref(), buffer, none);
        let travel = TimeDelta::zero()..=LONGEST_TRAVEL;
        let travel = f.minutes("travel_time", pb.travel_time.as_ref(), travel, Some(DEFAULT_TRAVEL));
        let daily_limit = f.maybe_count("daily_limit", pb.daily_limit, DAILY_LIMITS);
        let weekly_limit = f.maybe_count("weekly_limit", pb.weekly_limit, WEEKLY_LIMITS);
        let verified_until = f.maybe_date("verified_until", pb.verified_until.as_ref());
        let registration = f.maybe_parse("registration", &pb.registration, Code::parse);
        let working_hours = working_hours(&mut f, &pb.working_hours);
        f.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                code: code?,
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
                working_hours: working_hours?,
                inactive: pb.inactive,
            })
        })
    }
}

fn check_side(f: &mut Fields, side: Option<Side>, services: Option<&[CareService]>) {
    let Some((side, services)) = side.zip(services) else { return };
    for (at, _) in services.iter().enumerate().filter(|(_, service)| service.side() != side) {
        f.wrong::<()>(&format!("services[{at}]"), "must be a service for the counsellor's side");
    }
}

fn working_hours(f: &mut Fields, all: &[pb::WorkingHours]) -> Option<Vec<WorkingHours>> {
    if all.len() > MOST_WORKING_HOURS {
        return f.wrong("working_hours", format!("must have at most {MOST_WORKING_HOURS} rows"));
    }
    // Collected first, so that every row is looked at.
    let read: Vec<_> = all.iter().enumerate().map(|(at, hours)| hours_from(f, at, hours)).collect();
    read.into_iter().collect()
}

fn hours_from(f: &mut Fields, at: usize, pb: &pb::WorkingHours) -> Option<WorkingHours> {
    let field = |name: &str| format!("working_hours[{at}].{name}");
    let day = f.word(&field("day"), pb.day);
    let starts = f.day_time(&field("starts"), pb.starts.as_ref());
    let ends = f.day_time(&field("ends"), pb.ends.as_ref());
    let venue_id = f.maybe_id(&field("venue_id"), &pb.venue_id);
    let valid_from = f.maybe_date(&field("valid_from"), pb.valid_from.as_ref());
    let valid_until = f.maybe_date(&field("valid_until"), pb.valid_until.as_ref());
    if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
        return f.wrong(&field("ends"), "must be after starts");
    }
    if let (Some(Some(first)), Some(Some(last))) = (valid_from, valid_until)
        && last < first
    {
        return f.wrong(&field("valid_until"), "must not be before valid_from");
    }
    Some(WorkingHours {
        venue_id: venue_id?,
        day: day?,
        starts: starts?,
        ends: ends?,
        valid_from: valid_from?,
        valid_until: valid_until?,
    })
}

fn hours_pb(hours: &WorkingHours) -> pb::WorkingHours {
    pb::WorkingHours {
        day: hours.day.to_wire(),
        starts: Some(day_time(hours.starts)),
        ends: Some(day_time(hours.ends)),
        venue_id: id_text(hours.venue_id),
        valid_from: hours.valid_from.map(date),
        valid_until: hours.valid_until.map(date),
    }
}

impl Wire for Leave {
    wire_fields!(Leave, "leave": counsellor_id, starts_at, ends_at);

    fn to_pb(it: &Record<Self>) -> pb::Leave {
        pb::Leave {
            id: id_of(it),
            etag: it.version.to_string(),
            counsellor_id: it.counsellor_id.to_string(),
            starts_at: timestamp(it.span.starts_at()),
            ends_at: timestamp(it.span.ends_at()),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Leave, _call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
        let starts_at = f.minute("starts_at", pb.starts_at.as_ref());
        let ends_at = f.minute("ends_at", pb.ends_at.as_ref());
        let span = starts_at
            .zip(ends_at)
            .and_then(|(from, until)| Span::new(from, until).or_else(|| f.wrong("ends_at", "must be after starts_at")));
        f.finish(|| Some(Self { counsellor_id: counsellor_id?, span: span? }))
    }
}
