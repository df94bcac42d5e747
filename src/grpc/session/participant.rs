//! Who joins groups and who leaves them, on the wire.

use tonic::Request;

use super::Scheduling;
use super::wire::{attendee, overrides, session_pb};
use crate::domain::session::Session;
use crate::grpc::fields::open_mutation;
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::session::{AddParticipant, RemoveParticipant};

impl Scheduling {
    pub(super) async fn add(&self, request: Request<pb::AddParticipantRequest>) -> Result<pb::AddParticipantResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let session_id = f.id("session_id", &pb.session_id);
        let version = if pb.etag.is_empty() { Some(None) } else { f.etag("etag", &pb.etag).map(Some) };
        let attendee = match &pb.participant {
            Some(wanted) => attendee(&mut f, "participant", wanted),
            None => f.wrong("participant", "is required"),
        };
        let overrides = overrides(&mut f, &pb.overrides);
        let add = f.finish(|| {
            Some(AddParticipant {
                session_id: session_id?,
                version: version?,
                attendee: attendee?,
                rest_of_series: pb.rest_of_series,
                overrides: overrides?,
            })
        })?;
        // Its time and place stay, so there are no alternatives.
        let (session, later_sessions) = first_and_later(&mutate(&self.world, call, add).await?);
        Ok(pb::AddParticipantResponse { session, later_sessions })
    }

    pub(super) async fn remove(
        &self,
        request: Request<pb::RemoveParticipantRequest>,
    ) -> Result<pb::RemoveParticipantResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, version) = (f.id("session_id", &pb.session_id), f.etag("etag", &pb.etag));
        let client_id = f.id("client_id", &pb.client_id);
        let reason = f.word("reason", pb.reason);
        let remove = f.finish(|| {
            Some(RemoveParticipant {
                session_id: session_id?,
                version: version?,
                client_id: client_id?,
                rest_of_series: pb.rest_of_series,
                reason: reason?,
            })
        })?;
        let (session, later_sessions) = first_and_later(&mutate(&self.world, call, remove).await?);
        Ok(pb::RemoveParticipantResponse { session, later_sessions })
    }
}

fn first_and_later(sessions: &[Session]) -> (Option<pb::Session>, Vec<pb::Session>) {
    (sessions.first().map(session_pb), sessions.iter().skip(1).map(session_pb).collect())
}
