//! Counsellors and their leave on the wire.

use chrono::TimeDelta;

use super::hours::{hours_pb, working_hours};
use super::wire::{Wire, id_of, wire_fields};
use crate::domain::code::{CareService, Side};
use crate::domain::counsellor::{
    Counsellor, DAILY_LIMITS, DEFAULT_TRAVEL, LONGEST_BUFFER, LONGEST_TRAVEL, Leave, WEEKLY_LIMITS,
};
use crate::domain::noun::Record;
use crate::domain::text::{self, Code, Language};
use crate::domain::time::Span;
use crate::grpc::fields::{Fields, count, date, duration, timestamp};
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
    for (at, _) in services.iter().enumerate().filter(|(_, service)| !service.is_offered_by(side)) {
        f.wrong::<()>(&format!("services[{at}]"), "must be a service for the counsellor's side");
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
