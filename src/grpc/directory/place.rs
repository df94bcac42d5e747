//! Organisations, agreements, sites, venues and rooms on the wire.

use chrono::TimeDelta;

use super::wire::{Wire, id_of, wire_fields};
use crate::domain::agreement::Agreement;
use crate::domain::directory::{
    DEFAULT_HORIZON, DEFAULT_NOTICE, DEFAULT_SEPARATION_GAP, HORIZON_DAYS, LONGEST_NOTICE, LONGEST_SEPARATION_GAP,
    Organisation, Room, SideHours, Site, Venue,
};
use crate::domain::noun::Record;
use crate::domain::text::{self, Code};
use crate::grpc::fields::{Fields, count, date, day_time, duration, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::call::Call;
use crate::usecase::error::Result;

impl Wire for Organisation {
    wire_fields!(Organisation, "organisation": code, name, kind, district, notice, horizon);

    fn to_pb(it: &Record<Self>) -> pb::Organisation {
        pb::Organisation {
            id: id_of(it),
            etag: it.version.to_string(),
            code: it.code.to_string(),
            name: it.name.clone(),
            kind: it.kind.to_wire(),
            district: it.district.to_string(),
            notice: duration(it.notice_for),
            horizon: duration(it.horizon_for),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Organisation, _call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.parse("name", &pb.name, text::name);
        let kind = f.word("kind", pb.kind);
        let district = f.parse("district", &pb.district, Code::parse);
        let notice = TimeDelta::zero()..=LONGEST_NOTICE;
        let notice = f.minutes("notice", pb.notice.as_ref(), notice, Some(DEFAULT_NOTICE));
        let horizon = f.days("horizon", pb.horizon.as_ref(), HORIZON_DAYS, DEFAULT_HORIZON);
        f.finish(|| {
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
}

impl Wire for Agreement {
    wire_fields!(Agreement, "agreement":
        organisation_id, code, counterparty, services, districts, valid_from, valid_until, status);

    fn to_pb(it: &Record<Self>) -> pb::Agreement {
        pb::Agreement {
            id: id_of(it),
            etag: it.version.to_string(),
            organisation_id: it.organisation_id.to_string(),
            code: it.code.to_string(),
            counterparty: it.counterparty.clone(),
            services: it.services.iter().map(|service| service.to_wire()).collect(),
            districts: it.districts.iter().map(ToString::to_string).collect(),
            valid_from: Some(date(it.valid_from)),
            valid_until: it.valid_until.map(date),
            status: it.status.to_wire(),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Agreement, call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
        let code = f.parse("code", &pb.code, Code::parse);
        let counterparty = f.parse("counterparty", &pb.counterparty, text::name);
        let services = f.words("services", &pb.services);
        let districts = f.parse_all("districts", &pb.districts, Code::parse);
        let valid_from = f.date("valid_from", pb.valid_from.as_ref());
        let valid_until = f.maybe_date("valid_until", pb.valid_until.as_ref());
        if let (Some(first), Some(Some(last))) = (valid_from, valid_until)
            && last < first
        {
            f.wrong::<()>("valid_until", "must not be before valid_from");
        }
        let status = f.word("status", pb.status);
        f.finish(|| {
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
}

impl Wire for Site {
    wire_fields!(Site, "site": organisation_id, code, name, zone, district, separation_gap, holiday_calendar_id,
        timetable);

    fn to_pb(it: &Record<Self>) -> pb::Site {
        pb::Site {
            id: id_of(it),
            etag: it.version.to_string(),
            organisation_id: it.organisation_id.to_string(),
            code: it.code.to_string(),
            name: it.name.clone(),
            zone: it.zone.name().to_owned(),
            district: it.district.to_string(),
            separation_gap: duration(it.separation_gap_for),
            holiday_calendar_id: id_text(it.holiday_calendar_id),
            timetable: it.timetable.iter().map(side_hours_pb).collect(),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Site, call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.parse("name", &pb.name, text::name);
        let zone = f.parse("zone", &pb.zone, text::zone);
        let district = f.parse("district", &pb.district, Code::parse);
        let gap = TimeDelta::zero()..=LONGEST_SEPARATION_GAP;
        let gap = f.minutes("separation_gap", pb.separation_gap.as_ref(), gap, Some(DEFAULT_SEPARATION_GAP));
        let holiday_calendar_id = f.maybe_id("holiday_calendar_id", &pb.holiday_calendar_id);
        let timetable = timetable(&mut f, &pb.timetable, gap);
        f.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                code: code?,
                name: name?,
                zone: zone?,
                district: district?,
                separation_gap_for: gap?,
                holiday_calendar_id: holiday_calendar_id?,
                timetable: timetable?,
            })
        })
    }
}

fn timetable(f: &mut Fields, all: &[pb::SideHours], gap: Option<TimeDelta>) -> Option<Vec<SideHours>> {
    if all.len() > Site::MOST_SIDE_HOURS {
        return f.wrong("timetable", format!("must have at most {} rows", Site::MOST_SIDE_HOURS));
    }
    // Collected first, so that every row is looked at.
    let read: Vec<_> = all.iter().enumerate().map(|(at, hours)| side_hours_from(f, at, hours)).collect();
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    for at in gap.map(|gap| SideHours::too_close(&read, gap)).unwrap_or_default() {
        f.wrong::<()>(&format!("timetable[{at}]"), "must keep the separation gap to the hours of the other side");
    }
    Some(read)
}

fn side_hours_from(f: &mut Fields, at: usize, pb: &pb::SideHours) -> Option<SideHours> {
    let field = |name: &str| format!("timetable[{at}].{name}");
    let side = f.word(&field("side"), pb.side);
    let day = f.word(&field("day"), pb.day);
    let starts = f.day_time(&field("starts"), pb.starts.as_ref());
    let ends = f.day_time(&field("ends"), pb.ends.as_ref());
    if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
        return f.wrong(&field("ends"), "must be after starts");
    }
    Some(SideHours { side: side?, day: day?, starts: starts?, ends: ends? })
}

fn side_hours_pb(hours: &SideHours) -> pb::SideHours {
    pb::SideHours {
        side: hours.side.to_wire(),
        day: hours.day.to_wire(),
        starts: Some(day_time(hours.starts)),
        ends: Some(day_time(hours.ends)),
    }
}

impl Wire for Venue {
    wire_fields!(Venue, "venue": organisation_id, code, name, site_id, shared);

    fn to_pb(it: &Record<Self>) -> pb::Venue {
        pb::Venue {
            id: id_of(it),
            etag: it.version.to_string(),
            organisation_id: it.organisation_id.to_string(),
            code: it.code.to_string(),
            name: it.name.clone(),
            site_id: it.site_id.to_string(),
            shared: it.shared,
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Venue, call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.parse("name", &pb.name, text::name);
        let site_id = f.id("site_id", &pb.site_id);
        let shared = pb.shared;
        f.finish(|| {
            Some(Self { organisation_id: organisation_id?, code: code?, name: name?, site_id: site_id?, shared })
        })
    }
}

impl Wire for Room {
    wire_fields!(Room, "room": venue_id, code, name, capacity);

    fn to_pb(it: &Record<Self>) -> pb::Room {
        pb::Room {
            id: id_of(it),
            etag: it.version.to_string(),
            venue_id: it.venue_id.to_string(),
            code: it.code.to_string(),
            name: it.name.clone(),
            capacity: it.capacity.map(count),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Room, _call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let venue_id = f.id("venue_id", &pb.venue_id);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.parse("name", &pb.name, text::name);
        let capacity = f.maybe_count("capacity", pb.capacity, Self::CAPACITIES);
        f.finish(|| Some(Self { venue_id: venue_id?, code: code?, name: name?, capacity: capacity? }))
    }
}
