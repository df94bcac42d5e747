//! Case events on the wire.

use tonic::Request;

use super::FollowUps;
use super::wire::milestones_pb;
use crate::domain::case_event::{CaseEvent, CaseEventKind, When};
use crate::domain::ids::CaseEventId;
use crate::domain::personal::Personal;
use crate::domain::text::zone;
use crate::grpc::fields::{Fields, date, id_text, keyed, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::followup::case_event::{ListCaseEvents, RecordCaseEvent, Said};
use crate::usecase::mutate;

keyed!(RecordCaseEventRequest);

impl FollowUps {
    pub(super) async fn record_case_event(
        &self,
        request: Request<pb::RecordCaseEventRequest>,
    ) -> Result<pb::RecordCaseEventResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let case_id = f.id("case_id", &pb.case_id);
        let said = said_from(&mut f, &pb);
        let source = f.personal("source", &pb.source, 1..=200);
        let actor = f.personal("actor", &pb.actor, 1..=200);
        let zone = f.maybe("zone", &pb.zone, zone);
        let record = f.finish(|| {
            let (source, actor) = (source?, actor?);
            Some(RecordCaseEvent { case_id: case_id?, said: said?, source, actor, zone: zone? })
        })?;
        let to = call.caller().authority.role();
        let (event, milestones) = mutate(&self.world, call, record).await?;
        let milestones = milestones_pb(&milestones, self.world.now(), to);
        Ok(pb::RecordCaseEventResponse { case_event: Some(event_pb(&event)), milestones })
    }

    pub(super) async fn case_events(
        &self,
        request: Request<pb::ListCaseEventsRequest>,
    ) -> Result<pb::ListCaseEventsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let case_id = f.id("case_id", &pb.case_id);
        let wanted = f.finish(|| Some(ListCaseEvents { case_id: case_id? }))?;
        let events = mutate(&self.world, call, wanted).await?;
        Ok(pb::ListCaseEventsResponse { case_events: events.iter().map(event_pb).collect() })
    }
}

/// What is said, of which the fields depend on one another.
fn said_from(f: &mut Fields, pb: &pb::RecordCaseEventRequest) -> Option<Said> {
    let supersedes = f.maybe_id::<CaseEventId>("supersedes_case_event_id", &pb.supersedes_case_event_id);
    let corrects = pb.withdraw || !pb.supersedes_case_event_id.is_empty();
    let reason = match corrects {
        true => f.personal("reason", &pb.reason, 1..=500),
        false if pb.reason.is_empty() => Some(Personal::default()),
        false => f.wrong("reason", "must be empty when nothing is superseded"),
    };
    if !pb.withdraw {
        let (kind, when) = (f.word::<CaseEventKind>("kind", pb.kind), when_from(f, pb));
        let (supersedes, reason, kind, when) = (supersedes?, reason?, kind?, when?);
        return Some(supersedes.map_or(Said::Happened(kind, when), |id| Said::Corrected(id, kind, when, reason)));
    }
    let empty = [
        ("kind", pb.kind == 0),
        ("happened_at", pb.happened_at.is_none()),
        ("happened_on", pb.happened_on.is_none()),
        ("zone", pb.zone.is_empty()),
    ];
    for (field, _) in empty.iter().filter(|(_, is_empty)| !is_empty) {
        f.wrong::<()>(field, "must be empty in a withdrawal");
    }
    match supersedes? {
        Some(id) => Some(Said::Withdrawn(id, reason?)),
        None => f.wrong("supersedes_case_event_id", "is required in a withdrawal"),
    }
}

fn when_from(f: &mut Fields, pb: &pb::RecordCaseEventRequest) -> Option<When> {
    let at = f.maybe_instant("happened_at", pb.happened_at.as_ref());
    let on = f.maybe_date("happened_on", pb.happened_on.as_ref());
    match (at?, on?) {
        (Some(at), None) => Some(When::At(at)),
        (None, Some(on)) => Some(When::On(on)),
        (None, None) => f.wrong("happened_at", "is required, or happened_on"),
        (Some(_), Some(_)) => f.wrong("happened_on", "must be absent when happened_at is given"),
    }
}

fn event_pb(it: &CaseEvent) -> pb::CaseEvent {
    pb::CaseEvent {
        id: it.id.to_string(),
        case_id: it.case_id.to_string(),
        kind: it.kind.to_wire(),
        happened_at: timestamp(it.happened_at),
        happened_on: Some(date(it.happened_on)),
        time_known: it.time_known,
        source: it.source.expose().to_owned(),
        actor: it.actor.expose().to_owned(),
        recorded_at: timestamp(it.recorded_at),
        recorded_by: it.recorded_by.clone(),
        supersedes_case_event_id: id_text(it.supersedes.as_ref().map(|(id, _)| *id)),
        withdrawn: it.withdrawn,
        reason: it.supersedes.as_ref().map(|(_, reason)| reason.expose().to_owned()).unwrap_or_default(),
        superseded: it.superseded,
    }
}
