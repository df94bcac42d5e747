//! Legal holds and erasure on the wire.

use tonic::Request;

use super::Clients;
use super::person::client_pb;
use crate::domain::ids::LegalHoldId;
use crate::domain::legal_hold::{LegalHold, REASON};
use crate::domain::noun::Record;
use crate::grpc::fields::{Fields, date, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::usecase::Call;
use crate::usecase::erasure::{EraseClient, erase_client};
use crate::usecase::error::{Error, Result};
use crate::usecase::legal_hold::{ReleaseHold, list_holds};
use crate::usecase::mutate;
use crate::usecase::noun::Create;

impl Clients {
    pub(super) async fn place_hold(
        &self,
        request: Request<pb::PlaceLegalHoldRequest>,
    ) -> Result<pb::PlaceLegalHoldResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let required = || Error::field("hold", "is required");
        let read = pb.hold.ok_or_else(required).and_then(|pb| hold_from(&pb, &call));
        let content = f.and(read)?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::PlaceLegalHoldResponse { hold: Some(hold_pb(&written.record)) })
    }

    pub(super) async fn release_hold(
        &self,
        request: Request<pb::ReleaseLegalHoldRequest>,
    ) -> Result<pb::ReleaseLegalHoldResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id::<LegalHoldId>("hold_id", &pb.hold_id);
        let version = f.etag("etag", &pb.etag);
        let reason = f.personal("reason", &pb.reason, REASON);
        let release = f.finish(|| Some(ReleaseHold { id: id?, version: version?, reason: reason? }))?;
        let written = mutate(&self.world, call, release).await?;
        Ok(pb::ReleaseLegalHoldResponse { hold: Some(hold_pb(&written.record)) })
    }

    pub(super) async fn holds(
        &self,
        request: Request<pb::ListLegalHoldsRequest>,
    ) -> Result<pb::ListLegalHoldsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let query = pb::ListLegalHoldsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (client_id, page) = f.finish(|| Some((client_id?, page?)))?;
        let (rows, next_page_token) = list_holds(&self.world, call, client_id, page).await?;
        Ok(pb::ListLegalHoldsResponse { holds: rows.iter().map(hold_pb).collect(), next_page_token })
    }

    pub(super) async fn erase(&self, request: Request<pb::EraseClientRequest>) -> Result<pb::EraseClientResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("client_id", &pb.client_id);
        let version = f.etag("etag", &pb.etag);
        let because = f.word("reason", pb.reason);
        let erase = f.finish(|| Some(EraseClient { id: id?, version: version?, because: because? }))?;
        let record = erase_client(&self.world, call, erase).await?;
        Ok(pb::EraseClientResponse { client: Some(client_pb(&record)) })
    }
}

fn hold_from(pb: &pb::LegalHold, call: &Call) -> Result<LegalHold> {
    let mut f = Fields::inside("hold");
    let client_id = f.id("client_id", &pb.client_id);
    let reason = f.personal("reason", &pb.reason, REASON);
    let until = f.maybe_date("until", pb.until.as_ref());
    let placed_by = call.caller().principal.clone();
    f.finish(|| Some(LegalHold { client_id: client_id?, reason: reason?, until: until?, placed_by, released: None }))
}

pub(in crate::grpc) fn hold_pb(it: &Record<LegalHold>) -> pb::LegalHold {
    let released = it.released.as_ref();
    pb::LegalHold {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        client_id: it.client_id.to_string(),
        reason: it.reason.expose().to_owned(),
        until: it.until.map(date),
        placed_at: timestamp(it.created_at),
        placed_by: it.placed_by.clone(),
        released_at: released.and_then(|it| timestamp(it.at)),
        released_by: released.map(|it| it.by.clone()).unwrap_or_default(),
        release_reason: released.map(|it| it.reason.expose().to_owned()).unwrap_or_default(),
    }
}
