//! Sessions and what is wanted of them, on the wire.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::domain::code::Modality;
use crate::domain::ids::CounsellorId;
use crate::domain::party::{Attendee, LARGEST_GROUP, MOST_CO_FACILITATORS, Party};
use crate::domain::personal::Personal;
use crate::domain::place::WantedPlace;
use crate::domain::rules::RuleCode;
use crate::domain::series::Common;
use crate::domain::session::{LONGEST, Occurrence, Override, Overriding, SHORTEST, Session, State, Wanted};
use crate::domain::slots::{DEFAULT_STEP, STEPS};
use crate::domain::text::bounded;
use crate::domain::time::Span;
use crate::domain::waitlist::Offer;
use crate::grpc::fields::{Fields, count, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::slot::local;
use crate::grpc::words::Word;
use crate::usecase::feed::Message;
use crate::usecase::session::{Change, Seen};

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
            order_id: $pb.order_id.clone(),
            group: $pb.group.clone(),
            ..Default::default()
        }
    };
}
pub(super) use booking;

/// What a booking asks for.
pub fn wanted(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<Wanted> {
    let common = common(f, pb);
    let starts_at = f.minute("starts_at", pb.starts_at.as_ref());
    let length = length(f, pb.length.as_ref());
    let overrides = overrides(f, &pb.overrides);
    let occurrence = occurrence(f, pb);
    let milestone_id = f.maybe_id("milestone_id", &pb.milestone_id);
    if pb.group.is_some() && !pb.milestone_id.is_empty() {
        f.wrong::<()>("milestone_id", "must be empty for a group");
    }
    let common = Common { overrides: overrides?, ..common? };
    let wanted = common.at(Span::lasting(starts_at?, length?)?, occurrence?);
    Some(Wanted { milestone_id: milestone_id?, ..wanted })
}

/// What sessions have in common that are booked at once, but for what is overridden.
pub fn common(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<Common> {
    let who = who(f, pb);
    let service = f.word("service", pb.service);
    let place = place(f, pb.modality, &pb.venue_id, &pb.room_id);
    let (counsellor_id, party) = who?;
    Some(Common { counsellor_id, party, service: service?, place: place?, overrides: Vec::new() })
}

/// The counsellor of a session, and who meets with that counsellor.
pub fn who(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<(CounsellorId, Party)> {
    let party = party(f, pb);
    let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
    if leads_twice(party.as_ref(), counsellor_id) {
        f.wrong::<()>("group.co_facilitator_ids", "must not name the counsellor of the session");
    }
    counsellor_id.zip(party)
}

/// The place in a series that a session takes, if any.
fn occurrence(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<Option<Occurrence>> {
    let series_id = f.maybe_id("series_id", &pb.series_id);
    let number = match u32::try_from(pb.series_number) {
        Ok(0) if pb.series_id.is_empty() => return Some(None),
        Ok(number) if number > 0 && !pb.series_id.is_empty() => Some(number),
        _ => f.wrong("series_number", "must be a number of the series, and 0 without a series"),
    };
    Some(series_id?.zip(number).map(|(series_id, number)| Occurrence { series_id, number }))
}

/// Whether a counsellor is to lead a group with nobody else.
pub fn leads_twice(party: Option<&Party>, lead: Option<CounsellorId>) -> bool {
    party.zip(lead).is_some_and(|(party, lead)| party.co_facilitators.contains(&lead))
}

/// Who meets with the counsellor: one client, or a group.
pub fn party(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<Party> {
    let Some(group) = &pb.group else {
        let client_id = f.id("client_id", &pb.client_id);
        let guardian_id = f.maybe_id("guardian_id", &pb.guardian_id);
        let order_id = f.maybe_id("order_id", &pb.order_id);
        let (client_id, guardian_id, order_id) = (client_id?, guardian_id?, order_id?);
        return Some(Party::one_to_one(Attendee { client_id, guardian_id, interpreter: pb.interpreter, order_id }));
    };
    for (field, given) in [
        ("client_id", !pb.client_id.is_empty()),
        ("guardian_id", !pb.guardian_id.is_empty()),
        ("interpreter", pb.interpreter),
        ("order_id", !pb.order_id.is_empty()),
    ] {
        if given {
            f.wrong::<()>(field, "must be empty for a group, whose clients are in group.participants");
        }
    }
    party_of_group(f, group)
}

/// Who meets in a group.
fn party_of_group(f: &mut Fields, pb: &pb::WantedGroup) -> Option<Party> {
    let capacity = u32::try_from(pb.capacity).ok().filter(|it| (2..=LARGEST_GROUP).contains(it));
    let capacity = capacity.or_else(|| f.wrong("group.capacity", "must be 2 to 50"));
    let attendees: Vec<_> = pb
        .participants
        .iter()
        .enumerate()
        .map(|(at, pb)| attendee(f, &format!("group.participants[{at}]"), pb))
        .collect();
    let participants: Option<Vec<Attendee>> = attendees.into_iter().collect();
    let clients = participants.iter().flatten().map(|it| it.client_id);
    let once = each_once(f, "group.participants", clients);
    if pb.participants.len() > LARGEST_GROUP as usize {
        f.wrong::<()>("group.participants", "must be at most 50");
    }
    let ids = pb.co_facilitator_ids.iter().enumerate();
    let ids: Vec<_> = ids.map(|(at, id)| f.id(&format!("group.co_facilitator_ids[{at}]"), id)).collect();
    let co_facilitators: Option<Vec<CounsellorId>> = ids.into_iter().collect();
    let alone = each_once(f, "group.co_facilitator_ids", co_facilitators.iter().flatten().copied());
    if pb.co_facilitator_ids.len() > MOST_CO_FACILITATORS {
        f.wrong::<()>("group.co_facilitator_ids", "must be at most 4");
    }
    (once && alone).then_some(())?;
    Some(Party { co_facilitators: co_facilitators?, participants: participants?, capacity: capacity? })
}

/// A client who is to be at a session of a group.
pub fn attendee(f: &mut Fields, field: &str, pb: &pb::WantedParticipant) -> Option<Attendee> {
    let client_id = f.id(&format!("{field}.client_id"), &pb.client_id);
    let guardian_id = f.maybe_id(&format!("{field}.guardian_id"), &pb.guardian_id);
    let order_id = f.maybe_id(&format!("{field}.order_id"), &pb.order_id);
    Some(Attendee {
        client_id: client_id?,
        guardian_id: guardian_id?,
        interpreter: pb.interpreter,
        order_id: order_id?,
    })
}

/// Says that nobody may be named twice.
fn each_once<T: Ord>(f: &mut Fields, field: &str, mut all: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    let once = all.all(|one| seen.insert(one));
    if !once {
        f.wrong::<()>(field, "must name each only once");
    }
    once
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
    let mut offer = None;
    match &session.state {
        State::Held { until, by, .. } => (held_until, offer) = (timestamp(*until), Offer::of_holder(by)),
        State::Booked => {}
        State::Cancelled { at, reason } => (cancel_reason, cancelled_at) = (reason.to_wire(), timestamp(*at)),
        State::Rescheduled { at, reason, successor: by } => {
            (cancel_reason, cancelled_at, successor) = (reason.to_wire(), timestamp(*at), Some(*by));
        }
    }
    let client = session.client();
    pb::Session {
        id: session.id.to_string(),
        etag: session.version.to_string(),
        organisation_id: session.organisation_id.to_string(),
        client_id: id_text(client.map(|it| it.attendee.client_id)),
        client_reference: client.map(|it| it.reference.to_string()).unwrap_or_default(),
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
        guardian_id: id_text(client.and_then(|it| it.attendee.guardian_id)),
        interpreter: client.is_some_and(|it| it.attendee.interpreter),
        order_id: id_text(client.and_then(|it| it.attendee.order_id)),
        group: session.is_group().then(|| group_pb(session)),
        series_id: id_text(session.occurrence.map(|it| it.series_id)),
        series_number: session.occurrence.map_or(0, |it| count(it.number)),
        waitlist_offer_id: id_text(offer),
        milestone_id: id_text(session.milestone_id),
    }
}

fn group_pb(session: &Session) -> pb::Group {
    let participants = session.participants.iter().map(|it| pb::Participant {
        client_id: it.attendee.client_id.to_string(),
        client_reference: it.reference.to_string(),
        guardian_id: id_text(it.attendee.guardian_id),
        interpreter: it.attendee.interpreter,
        order_id: id_text(it.attendee.order_id),
        added_at: timestamp(it.added_at),
        flags: it.flags.iter().map(|rule| rule.to_wire()).collect(),
        overridden: it.overridden.iter().map(|rule| rule.to_wire()).collect(),
    });
    let removed = session.removed.iter().map(|it| pb::RemovedParticipant {
        client_id: it.client_id.to_string(),
        client_reference: it.reference.to_string(),
        added_at: timestamp(it.added_at),
        removed_at: timestamp(it.removed_at),
        reason: it.reason.to_wire(),
    });
    pb::Group {
        capacity: count(session.capacity),
        participants: participants.collect(),
        removed: removed.collect(),
        co_facilitator_ids: session.co_facilitators.iter().map(ToString::to_string).collect(),
    }
}

/// A session that changed, or how far everything was read, for the wire.
pub fn change_pb(it: Message<Change>) -> pb::WatchSessionsResponse {
    let cursor = it.cursor;
    let Some(Change { version, seen }) = it.change else {
        return pb::WatchSessionsResponse { cursor, ..Default::default() };
    };
    let change = match seen {
        Seen::Now(session) => pb::watch_sessions_response::Change::Session(session_pb(&session)),
        Seen::Left(id) => pb::watch_sessions_response::Change::LeftSessionId(id.to_string()),
    };
    pb::WatchSessionsResponse { cursor, version, change: Some(change) }
}

/// Why a rule was broken, for the wire.
pub fn override_pb(it: &Overriding) -> pb::SessionOverride {
    pb::SessionOverride {
        rule: it.rule.to_wire(),
        reason: it.reason.expose().to_owned(),
        decided_by: it.principal.clone(),
        decided_at: timestamp(it.decided_at),
        client_id: id_text(it.client_id),
    }
}
