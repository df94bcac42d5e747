//! Series on the wire.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;
use prost::Message;
use prost_types::Any;
use tonic::Request;

use super::Scheduling;
use super::wire::{common, length, overrides, place, session_pb};
use crate::domain::ids::SeriesId;
use crate::domain::series::{Asked, Common, Fit, LONGEST_SHIFT, MOST_EXCEPTIONS, OnClosure, Part, Pattern, Planned};
use crate::domain::time::{Day, DayTime, resolve};
use crate::grpc::fields::{Fields, count, date, day_time, duration, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::pb::google::r#type as gt;
use crate::grpc::slot::{local, slot};
use crate::grpc::status::fitting;
use crate::grpc::words::Word;
use crate::usecase::error::{Declined, Result, SeriesRefusal};
use crate::usecase::session::{BookSeries, CancelSeries, Days, RescheduleSeries, View, wrong};
use crate::usecase::{mutate, session as usecase};

impl Scheduling {
    pub(super) async fn book_series(&self, request: Request<pb::BookSeriesRequest>) -> Result<pb::BookSeriesResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let common = common_of(&mut f, &pb);
        let length_for = length(&mut f, pb.length.as_ref());
        let first_on = f.date("first_date", pb.first_date.as_ref());
        let time = time(&mut f, "time", pb.time.as_ref());
        let exceptions = exceptions(&mut f, &pb.exceptions);
        let first = first_on.zip(time).map(|(day, time)| time.on(day));
        check_pattern(&mut f, &pb.rule, first_on, exceptions.as_deref());
        let fit = f.word::<Fit>("mode", pb.mode);
        let on_closure = on_closure(&mut f, pb.on_closure, pb.shift_within_days);
        let overrides = overrides(&mut f, &pb.overrides);
        let book = f.finish(|| {
            Some(BookSeries {
                common: Common { overrides: overrides?, ..common? },
                length_for: length_for?,
                rule: pb.rule,
                first: first?,
                exceptions: exceptions?,
                fit: fit?,
                on_closure: on_closure?,
            })
        })?;
        let placed = usecase::place_series(&self.world, call, book).await?;
        Ok(pb::BookSeriesResponse {
            series: Some(series_pb(&placed.view)),
            refused: placed.declined.iter().map(declined_pb).collect(),
        })
    }

    pub(super) async fn get_series(&self, request: Request<pb::GetSeriesRequest>) -> Result<pb::GetSeriesResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id: Option<SeriesId> = f.id("series_id", &pb.series_id);
        let view = usecase::get_series(&self.world, &call, f.finish(|| id)?).await?;
        Ok(pb::GetSeriesResponse { series: Some(series_pb(&view)) })
    }

    pub(super) async fn cancel_series(
        &self,
        request: Request<pb::CancelSeriesRequest>,
    ) -> Result<pb::CancelSeriesResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (series_id, version) = (f.id("series_id", &pb.series_id), f.etag("etag", &pb.etag));
        let from = from_number(&mut f, pb.from_number);
        let reason = f.word("reason", pb.reason);
        let cancel =
            f.finish(|| Some(CancelSeries { series_id: series_id?, version: version?, from: from?, reason: reason? }))?;
        let (view, cancelled) = mutate(&self.world, call, cancel).await?;
        Ok(pb::CancelSeriesResponse {
            series: Some(series_pb(&view)),
            cancelled: cancelled.iter().map(session_pb).collect(),
        })
    }

    pub(super) async fn reschedule_series(
        &self,
        request: Request<pb::RescheduleSeriesRequest>,
    ) -> Result<pb::RescheduleSeriesResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (series_id, version) = (f.id("series_id", &pb.series_id), f.etag("etag", &pb.etag));
        let from = from_number(&mut f, pb.from_number);
        let reason = f.word("reason", pb.reason);
        let days = other_days(&mut f, &pb);
        let length = match &pb.length {
            Some(raw) => length(&mut f, Some(raw)).map(Some),
            None => Some(None),
        };
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let place = if pb.modality == 0 && pb.venue_id.is_empty() && pb.room_id.is_empty() {
            Some(None)
        } else {
            place(&mut f, pb.modality, &pb.venue_id, &pb.room_id).map(Some)
        };
        let fit = f.word::<Fit>("mode", pb.mode);
        let overrides = overrides(&mut f, &pb.overrides);
        if matches!((&days, &length, &counsellor_id, &place), (Some(Days::Same), Some(None), Some(None), Some(None))) {
            f.wrong::<()>("rule", "is required, or a time, length, counsellor_id or modality: what is to change");
        }
        let reschedule = f.finish(|| {
            Some(RescheduleSeries {
                series_id: series_id?,
                version: version?,
                from: from?,
                reason: reason?,
                days: days?,
                length: length?,
                counsellor_id: counsellor_id?,
                place: place?,
                fit: fit?,
                overrides: overrides?,
            })
        })?;
        let placed = usecase::place_series(&self.world, call, reschedule).await?;
        Ok(pb::RescheduleSeriesResponse {
            series: Some(series_pb(&placed.view)),
            refused: placed.declined.iter().map(declined_pb).collect(),
        })
    }
}

fn common_of(f: &mut Fields, pb: &pb::BookSeriesRequest) -> Option<Common> {
    let asked = pb::BookSessionRequest {
        client_id: pb.client_id.clone(),
        counsellor_id: pb.counsellor_id.clone(),
        service: pb.service,
        modality: pb.modality,
        venue_id: pb.venue_id.clone(),
        room_id: pb.room_id.clone(),
        guardian_id: pb.guardian_id.clone(),
        interpreter: pb.interpreter,
        order_id: pb.order_id.clone(),
        group: pb.group.clone(),
        ..Default::default()
    };
    common(f, &asked)
}

/// A time of day at which sessions can start.
pub(super) fn time(f: &mut Fields, field: &str, raw: Option<&gt::TimeOfDay>) -> Option<DayTime> {
    match f.day_time(field, raw)? {
        DayTime::END_OF_DAY => f.wrong(field, "must be 00:00 to 23:59"),
        time => Some(time),
    }
}

fn exceptions(f: &mut Fields, all: &[gt::Date]) -> Option<Vec<NaiveDate>> {
    if all.len() > MOST_EXCEPTIONS {
        return f.wrong("exceptions", format!("must be at most {MOST_EXCEPTIONS} days"));
    }
    let read: Vec<_> =
        all.iter().enumerate().map(|(at, day)| f.date(&format!("exceptions[{at}]"), Some(day))).collect();
    read.into_iter().collect()
}

/// The zones farthest apart, and the one in the middle.
const ZONES: [Tz; 3] = [Tz::UTC, Tz::Etc__GMTMinus14, Tz::Etc__GMTPlus12];

/// Says what is wrong with a pattern whatever its zone, which only the place tells.
fn check_pattern(f: &mut Fields, rule: &str, first_on: Option<NaiveDate>, exceptions: Option<&[NaiveDate]>) {
    let faults = match first_on {
        Some(first) => {
            let first = first.and_time(NaiveTime::MIN);
            let tries = ZONES.map(|zone| Pattern::new(rule, first, exceptions.unwrap_or_default(), zone).err());
            let [Some(faults), Some(_), Some(_)] = tries else { return };
            faults
        }
        // A rule can be looked at without its first day, though not as closely.
        None => Pattern::check_rule(rule).err().map(|fault| (Part::Rule, fault)).into_iter().collect(),
    };
    for it in wrong(&faults) {
        f.wrong::<()>(&it.field, it.says);
    }
}

pub(super) fn on_closure(f: &mut Fields, number: i32, within_days: i32) -> Option<OnClosure> {
    let days = u32::try_from(within_days).ok();
    match (pb::OnClosure::try_from(number), days) {
        (Ok(pb::OnClosure::NextFree), Some(days)) if (1..=LONGEST_SHIFT).contains(&days) => {
            Some(OnClosure::NextFree(days))
        }
        (Ok(pb::OnClosure::NextFree), _) => f.wrong("shift_within_days", format!("must be 1 to {LONGEST_SHIFT}")),
        (Ok(_), days) if days != Some(0) => f.wrong("shift_within_days", "must be 0 but with ON_CLOSURE_NEXT_FREE"),
        (Ok(pb::OnClosure::SkipAndExtend), _) => Some(OnClosure::SkipAndExtend),
        (Ok(pb::OnClosure::Stay | pb::OnClosure::Unspecified), _) => Some(OnClosure::Stay),
        (Err(_), _) => f.wrong("on_closure", "must be STAY, SKIP_AND_EXTEND or NEXT_FREE"),
    }
}

fn from_number(f: &mut Fields, raw: i32) -> Option<u32> {
    u32::try_from(raw).ok().filter(|it| *it > 0).or_else(|| f.wrong("from_number", "must be 1 or more"))
}

/// When the sessions that are moved are to take place.
fn other_days(f: &mut Fields, pb: &pb::RescheduleSeriesRequest) -> Option<Days> {
    let at = pb.time.as_ref().map(|raw| time(f, "time", Some(raw)));
    if pb.rule.is_empty() {
        if pb.first_date.is_some() {
            f.wrong::<()>("first_date", "must be absent without a rule");
        }
        return match at {
            None => Some(Days::Same),
            Some(time) => time.map(|time| Days::Time(time.on(NaiveDate::default()).time())),
        };
    }
    let first_on = f.date("first_date", pb.first_date.as_ref());
    let at = at.unwrap_or_else(|| f.wrong("time", "is required with a rule"));
    let ends = ["COUNT", "UNTIL"].iter().any(|end| pb.rule.to_ascii_uppercase().contains(end));
    if ends {
        return f.wrong("rule", "must have neither COUNT nor UNTIL: it has as many days as there are sessions to move");
    }
    check_pattern(f, &format!("{};COUNT=1", pb.rule), first_on, None);
    Some(Days::Rule(pb.rule.clone(), at?.on(first_on?)))
}

/// A series for the wire.
pub(super) fn series_pb(view: &View) -> pb::Series {
    let series = &view.series;
    let mut pb = pb::Series {
        id: series.id.to_string(),
        etag: series.version.to_string(),
        organisation_id: series.organisation_id.to_string(),
        zone: series.zone.name().to_owned(),
        occurrences: series.plan.iter().map(|planned| occurrence_pb(view, planned)).collect(),
        created_at: timestamp(series.created_at),
        updated_at: timestamp(series.updated_at),
        ..Default::default()
    };
    let skipped = series.skipped.iter().map(|it| pb::SkippedDay {
        local_start: local(resolve(it.local, series.zone), series.zone),
        rules: it.rules.iter().map(|rule| rule.to_wire()).collect(),
    });
    pb.skipped = skipped.collect();
    match &series.asked {
        Asked::Rule { rule, first, exceptions } => {
            pb.rule = rule.clone();
            pb.first_date = Some(date(first.date()));
            pb.time = Some(time_pb(*first));
            pb.exceptions = exceptions.iter().copied().map(date).collect();
        }
        Asked::Programme { programme_id, version, first_on, week } => {
            let slot =
                |(day, time): &(Day, DayTime)| pb::WeeklySlot { day: day.to_wire(), time: Some(day_time(*time)) };
            pb.programme_id = programme_id.to_string();
            pb.programme_version = *version;
            pb.first_date = Some(date(*first_on));
            pb.week = week.iter().map(slot).collect();
        }
    }
    pb
}

fn time_pb(at: NaiveDateTime) -> gt::TimeOfDay {
    gt::TimeOfDay { hours: count(at.hour()), minutes: count(at.minute()), ..Default::default() }
}

fn occurrence_pb(view: &View, planned: &Planned) -> pb::SeriesOccurrence {
    let zone = view.series.zone;
    let session = view.sessions.get(&planned.number);
    let outcome = match session {
        None => pb::OccurrenceOutcome::Refused,
        Some(_) if planned.closed.is_empty() => pb::OccurrenceOutcome::Booked,
        Some(_) => pb::OccurrenceOutcome::Shifted,
    };
    let refused = planned.refused.iter().flat_map(|it| &it.rules);
    let starts_at = resolve(planned.local, zone);
    pb::SeriesOccurrence {
        number: count(planned.number),
        planned_local_start: local(starts_at, zone),
        planned_starts_at: timestamp(starts_at),
        planned_length: duration(planned.length()),
        outcome: outcome.into(),
        rules: planned.closed.iter().chain(refused).map(|rule| rule.to_wire()).collect(),
        session: session.map(session_pb),
        module_code: planned.module.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

pub(super) fn declined_pb(it: &Declined) -> pb::RefusedOccurrence {
    let starts_at = it.refusal.wanted.span.starts_at();
    pb::RefusedOccurrence {
        number: count(it.number),
        local_start: local(starts_at, it.zone),
        starts_at: timestamp(starts_at),
        rules: it.refusal.broken.iter().map(|rule| rule.to_wire()).collect(),
        alternatives: it.refusal.alternatives.iter().map(slot).collect(),
    }
}

/// What was refused of a series, as a detail of the refusal of the whole.
pub fn series_refusal(refusal: &SeriesRefusal) -> Any {
    let declined = refusal.declined.iter().map(declined_pb);
    let message = pb::SeriesRefusal { occurrences: fitting(declined, |it| it.encoded_len()) };
    Any { type_url: "type.googleapis.com/aftercare.v1.SeriesRefusal".into(), value: message.encode_to_vec() }
}
