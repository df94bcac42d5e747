//! Proceedings of cases on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::noun::Record;
use crate::domain::proceeding::Proceeding;
use crate::grpc::directory::session_ids;
use crate::grpc::fields::{Fields, date, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::{Error, Result};
use crate::usecase::mutate;
use crate::usecase::noun::Create;
use crate::usecase::proceeding::{DeleteProceeding, list_proceedings};

impl Clients {
    pub(super) async fn proceeding(
        &self,
        request: Request<pb::RecordProceedingRequest>,
    ) -> Result<pb::RecordProceedingResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let required = || Error::field("proceeding", "is required");
        let content = f.and(pb.proceeding.ok_or_else(required).and_then(|pb| proceeding_from(&pb)))?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::RecordProceedingResponse {
            proceeding: Some(proceeding_pb(&written.record)),
            affected_session_ids: session_ids(&written.orphaned),
        })
    }

    pub(super) async fn delete(
        &self,
        request: Request<pb::DeleteProceedingRequest>,
    ) -> Result<pb::DeleteProceedingResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (id, version) = (f.id("proceeding_id", &pb.proceeding_id), f.etag("etag", &pb.etag));
        let delete = f.finish(|| Some(DeleteProceeding { id: id?, version: version? }))?;
        mutate(&self.world, call, delete).await?;
        Ok(pb::DeleteProceedingResponse {})
    }

    pub(super) async fn proceedings(
        &self,
        request: Request<pb::ListProceedingsRequest>,
    ) -> Result<pb::ListProceedingsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let case_id = f.id("case_id", &pb.case_id);
        let query = pb::ListProceedingsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (case_id, page) = f.finish(|| Some((case_id?, page?)))?;
        let (rows, next_page_token) = list_proceedings(&self.world, &call, case_id, &page).await?;
        Ok(pb::ListProceedingsResponse { proceedings: rows.iter().map(proceeding_pb).collect(), next_page_token })
    }
}

fn proceeding_from(pb: &pb::Proceeding) -> Result<Proceeding> {
    let mut f = Fields::inside("proceeding");
    let case_id = f.id("case_id", &pb.case_id);
    let on_date = f.date("date", pb.date.as_ref());
    let kind = f.word("kind", pb.kind);
    f.finish(|| Some(Proceeding { case_id: case_id?, on_date: on_date?, kind: kind? }))
}

pub(in crate::grpc) fn proceeding_pb(it: &Record<Proceeding>) -> pb::Proceeding {
    pb::Proceeding {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        case_id: it.case_id.to_string(),
        date: Some(date(it.on_date)),
        kind: it.kind.to_wire(),
        created_at: timestamp(it.created_at),
    }
}
