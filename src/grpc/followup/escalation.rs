//! Escalations on the wire.

use chrono::{DateTime, Utc};
use tonic::Request;

use super::FollowUps;
use crate::domain::escalation::{Cause, Escalation};
use crate::domain::personal::Personal;
use crate::domain::text::lines;
use crate::grpc::fields::{Fields, keyed, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::followup::escalation::{AcknowledgeEscalation, ListEscalations, ResolveEscalation};
use crate::usecase::mutate;

keyed!(AcknowledgeEscalationRequest, ResolveEscalationRequest);

/// The most characters of what is noted, and of what is said about a concern; a parameter of ours.
pub(super) const LONGEST: usize = 2_000;

impl FollowUps {
    pub(super) async fn escalations(
        &self,
        request: Request<pb::ListEscalationsRequest>,
    ) -> Result<pb::ListEscalationsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let named = f.maybe_word("named", pb.named);
        let query = pb::ListEscalationsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let wanted = f.finish(|| {
            Some(ListEscalations { resolved: pb.resolved, client_id: client_id?, named: named?, page: page? })
        })?;
        let (rows, next_page_token) = mutate(&self.world, call, wanted).await?;
        let escalations = rows.iter().map(|it| self.escalation_pb(it)).collect();
        Ok(pb::ListEscalationsResponse { escalations, next_page_token })
    }

    pub(super) async fn acknowledge(
        &self,
        request: Request<pb::AcknowledgeEscalationRequest>,
    ) -> Result<pb::AcknowledgeEscalationResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("escalation_id", &pb.escalation_id);
        let version = f.etag("etag", &pb.etag);
        let acknowledge = f.finish(|| Some(AcknowledgeEscalation { id: id?, version: version? }))?;
        let it = mutate(&self.world, call, acknowledge).await?;
        Ok(pb::AcknowledgeEscalationResponse { escalation: Some(self.escalation_pb(&it)) })
    }

    pub(super) async fn resolve(
        &self,
        request: Request<pb::ResolveEscalationRequest>,
    ) -> Result<pb::ResolveEscalationResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("escalation_id", &pb.escalation_id);
        let version = f.etag("etag", &pb.etag);
        let action = f.word("action", pb.action);
        let note = f.parse("note", &pb.note, |raw| lines(raw, 1..=LONGEST)).map(Personal::new);
        let resolve =
            f.finish(|| Some(ResolveEscalation { id: id?, version: version?, action: action?, note: note? }))?;
        let it = mutate(&self.world, call, resolve).await?;
        Ok(pb::ResolveEscalationResponse { escalation: Some(self.escalation_pb(&it)) })
    }

    /// An escalation for the clinical side, as it stands now.
    pub(super) fn escalation_pb(&self, it: &Escalation) -> pb::Escalation {
        escalation_pb(it, self.world.now())
    }
}

/// An escalation for the clinical side, as it stands at an instant.
pub(in crate::grpc) fn escalation_pb(it: &Escalation, now: DateTime<Utc>) -> pb::Escalation {
    let mut message = pb::Escalation {
        etag: it.version.to_string(),
        level: it.alarm.level.to_wire(),
        trigger: it.alarm.trigger.to_wire(),
        cause_superseded: it.cause_superseded,
        concern_text: it.said.expose().to_owned(),
        counsellor_id: it.counsellor_id.to_string(),
        named: it.named(now).map_or(0, Word::to_wire),
        ..outline_pb(it)
    };
    match it.cause {
        Cause::Assessment(id) => message.assessment_id = id.to_string(),
        Cause::Attendance(id) => message.attendance_id = id.to_string(),
        Cause::Concern(id) => message.concern_id = id.to_string(),
    }
    if let Some((at, by)) = &it.acknowledged {
        message.acknowledged_at = timestamp(*at);
        message.acknowledged_by.clone_from(by);
    }
    if let Some(resolved) = &it.resolved {
        message.resolved_at = timestamp(resolved.at);
        message.resolved_by.clone_from(&resolved.by);
        message.action = resolved.action.to_wire();
        message.note = resolved.note.expose().to_owned();
    }
    message
}

/// What a coordinator may know of an escalation: that there is one, about whom, and its times.
pub(super) fn outline_pb(it: &Escalation) -> pb::Escalation {
    pb::Escalation {
        id: it.id.to_string(),
        client_id: it.client_id.to_string(),
        client_reference: it.reference.to_string(),
        raised_at: timestamp(it.raised_at),
        due_at: timestamp(it.due_at),
        ..Default::default()
    }
}
