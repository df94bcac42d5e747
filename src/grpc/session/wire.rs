//! Sessions and what is wanted of them, on the wire.

use chrono::TimeDelta;

use crate::domain::code::Modality;
use crate::domain::personal::Personal;
use crate::domain::place::WantedPlace;
use crate::domain::rules::RuleCode;
use crate::domain::session::{LONGEST, Override, Overriding, SHORTEST, Session, State, Wanted};
use crate::domain::slots::{DEFAULT_STEP, STEPS};
use crate::domain::text::bounded;
use crate::domain::time::Span;
use crate::grpc::fields::{Fields, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::slot::local;
use crate::grpc::words::Word;

/// A request that has every field of a booking.
macro_rules! booking {
    ($pb:expr) => {
        pb::BookSessionRequest {
            client_id: $pb.client_id.clone(),
            counsellor_id: $pb.counsellor_id.clone(),
            service: $pb.service,
            modality: $pb.modality,
            venue_id: $pb.venue_id.clone(),
            room_id: $pb.room_id.clone(),
            starts_at: $pb.starts_at,
            length: $pb.length,
            guardian_id: $pb.guardian_id.clone(),
            interpreter: $pb.interpreter,
            ..Default::default()
        }
    };
}
pub(super) use booking;

/// What a booking asks for.
pub fn wanted(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<Wanted> {
    let client_id = f.id("client_id", &pb.client_id);
    let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
    let service = f.word("service", pb.service);
    let place = place(f, pb.modality, &pb.venue_id, &pb.room_id);
    let starts_at = f.minute("starts_at", pb.starts_at.as_ref());
    let length = length(f, pb.length.as_ref());
    let guardian_id = f.maybe_id("guardian_id", &pb.guardian_id);
    let overrides = overrides(f, &pb.overrides);
    Some(Wanted {
        client_id: client_id?,
        counsellor_id: counsellor_id?,
        service: service?,
        place: place?,
        span: Span::lasting(starts_at?, length?)?,
        guardian_id: guardian_id?,
        interpreter: pb.interpreter,
        overrides: overrides?,
    })
}

/// How long a session lasts.
pub fn length(f: &mut Fields, raw: Option<&prost_types::Duration>) -> Option<TimeDelta> {
    f.minutes("length", raw, SHORTEST..=LONGEST, None)
}

/// Where a session is wanted.
pub fn place(f: &mut Fields, modality: i32, venue_id: &str, room_id: &str) -> Option<WantedPlace> {
    match f.word("modality", modality)? {
        Modality::InPerson => {
            let venue_id = f.id("venue_id", venue_id);
            let room_id = f.maybe_id("room_id", room_id);
            Some(WantedPlace::Venue(venue_id?, room_id?))
        }
        Modality::Remote => {
            for (field, raw) in [("venue_id", venue_id), ("room_id", room_id)] {
                if !raw.is_empty() {
                    f.wrong::<()>(field, "must be empty for a remote session");
                }
            }
            Some(WantedPlace::Remote)
        }
    }
}

/// Soft rules that may be broken, each once.
pub fn overrides(f: &mut Fields, all: &[pb::RuleOverride]) -> Option<Vec<Override>> {
    let read: Vec<_> = all.iter().enumerate().map(|(at, pb)| override_from(f, at, pb)).collect();
    let read: Vec<Override> = read.into_iter().collect::<Option<_>>()?;
    for (at, one) in read.iter().enumerate() {
        if read[..at].iter().any(|other| other.rule == one.rule) {
            return f.wrong(&format!("overrides[{at}].rule"), "must not repeat a rule");
        }
    }
    Some(read)
}

fn override_from(f: &mut Fields, at: usize, pb: &pb::RuleOverride) -> Option<Override> {
    let field = format!("overrides[{at}].rule");
    let rule = f.word::<RuleCode>(&field, pb.rule);
    if rule.is_some_and(|rule| !rule.is_soft()) {
        f.wrong::<()>(&field, "must be a soft rule; a hard one is never overridden");
    }
    let reason = reason(f, &format!("overrides[{at}].reason"), &pb.reason);
    Some(Override { rule: rule?, reason: reason? })
}

/// A written reason.
pub fn reason(f: &mut Fields, field: &str, raw: &str) -> Option<Personal> {
    f.parse(field, raw, |raw| bounded(raw, 3..=500)).map(Personal::new)
}

/// The grid of a search.
pub fn step(f: &mut Fields, raw: Option<&prost_types::Duration>) -> Option<u32> {
    let minutes = raw.map_or(Some(DEFAULT_STEP), |raw| match raw {
        prost_types::Duration { seconds, nanos: 0 } if seconds % 60 == 0 => u32::try_from(seconds / 60).ok(),
        _ => None,
    });
    let known = minutes.filter(|minutes| STEPS.contains(minutes));
    known.or_else(|| f.wrong("step", "must be 5, 10, 15, 20, 30 or 60 minutes"))
}

/// A session for the wire.
pub fn session_pb(session: &Session) -> pb::Session {
    let (mut cancel_reason, mut cancelled_at, mut held_until, mut successor) = (0, None, None, None);
    match &session.state {
        State::Held { until, .. } => held_until = timestamp(*until),
        State::Booked => {}
        State::Cancelled { at, reason } => (cancel_reason, cancelled_at) = (reason.to_wire(), timestamp(*at)),
        State::Rescheduled { at, reason, successor: by } => {
            (cancel_reason, cancelled_at, successor) = (reason.to_wire(), timestamp(*at), Some(*by));
        }
    }
    pb::Session {
        id: session.id.to_string(),
        etag: session.version.to_string(),
        organisation_id: session.organisation_id.to_string(),
        client_id: session.client_id.to_string(),
        client_reference: session.client_reference.to_string(),
        counsellor_id: session.counsellor_id.to_string(),
        service: session.service.to_wire(),
        modality: session.place.modality().to_wire(),
        venue_id: id_text(session.place.venue_id()),
        room_id: id_text(session.place.room_id()),
        starts_at: timestamp(session.span.starts_at()),
        ends_at: timestamp(session.span.ends_at()),
        zone: session.zone.name().to_owned(),
        local_start: local(session.span.starts_at(), session.zone),
        state: session.state.word().to_wire(),
        cancel_reason,
        cancelled_at,
        needs_rescheduling: !session.flags.is_empty(),
        created_at: timestamp(session.created_at),
        flags: session.flags.iter().map(|rule| rule.to_wire()).collect(),
        overridden: session.overridden.iter().map(|rule| rule.to_wire()).collect(),
        supersedes_session_id: id_text(session.supersedes),
        superseded_by_session_id: id_text(successor),
        held_until,
        guardian_id: id_text(session.guardian_id),
        interpreter: session.interpreter,
    }
}

/// Why a rule was broken, for the wire.
pub fn override_pb(it: &Overriding) -> pb::SessionOverride {
    pb::SessionOverride {
        rule: it.rule.to_wire(),
        reason: it.reason.expose().to_owned(),
        decided_by: it.principal.clone(),
        decided_at: timestamp(it.decided_at),
    }
}
