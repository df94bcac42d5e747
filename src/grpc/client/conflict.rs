//! Declared conflicts of interest on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::conflict::Conflict;
use crate::domain::noun::Record;
use crate::grpc::directory::session_ids;
use crate::grpc::fields::{Fields, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::usecase::client::list_declarations;
use crate::usecase::conflict::WithdrawConflict;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::noun::Create;

impl Clients {
    pub(super) async fn declare_a_conflict(
        &self,
        request: Request<pb::DeclareConflictRequest>,
    ) -> Result<pb::DeclareConflictResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
        let content = f.finish(|| Some(Conflict { client_id: client_id?, counsellor_id: counsellor_id? }))?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::DeclareConflictResponse {
            conflict: Some(conflict_pb(&written.record)),
            affected_session_ids: session_ids(&written.orphaned),
        })
    }

    pub(super) async fn withdraw_a_conflict(
        &self,
        request: Request<pb::WithdrawConflictRequest>,
    ) -> Result<pb::WithdrawConflictResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (id, version) = (f.id("conflict_id", &pb.conflict_id), f.etag("etag", &pb.etag));
        let withdraw = f.finish(|| Some(WithdrawConflict { id: id?, version: version? }))?;
        mutate(&self.world, call, withdraw).await?;
        Ok(pb::WithdrawConflictResponse {})
    }

    pub(super) async fn conflicts(
        &self,
        request: Request<pb::ListConflictsRequest>,
    ) -> Result<pb::ListConflictsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let query = pb::ListConflictsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (client_id, page) = f.finish(|| Some((client_id?, page?)))?;
        let (rows, next_page_token) = list_declarations(&self.world, &call, client_id, &page).await?;
        Ok(pb::ListConflictsResponse { conflicts: rows.iter().map(conflict_pb).collect(), next_page_token })
    }
}

pub(in crate::grpc) fn conflict_pb(it: &Record<Conflict>) -> pb::Conflict {
    pb::Conflict {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        client_id: it.client_id.to_string(),
        counsellor_id: it.counsellor_id.to_string(),
        created_at: timestamp(it.created_at),
    }
}
