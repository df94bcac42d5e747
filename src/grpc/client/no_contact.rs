//! Declarations of no contact on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::client::NoContact;
use crate::domain::noun::Record;
use crate::domain::reference::Reference;
use crate::grpc::directory::session_ids;
use crate::grpc::fields::{Fields, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::usecase::client::{WithdrawNoContact, list_declarations};
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::noun::Create;

impl Clients {
    pub(super) async fn declare(
        &self,
        request: Request<pb::DeclareNoContactRequest>,
    ) -> Result<pb::DeclareNoContactResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let other_reference = f.parse("other_reference", &pb.other_reference, Reference::parse);
        let content = f.finish(|| Some(NoContact { client_id: client_id?, other_reference: other_reference? }))?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::DeclareNoContactResponse {
            no_contact: Some(no_contact_pb(&written.record)),
            affected_session_ids: session_ids(&written.orphaned),
        })
    }

    pub(super) async fn withdraw(
        &self,
        request: Request<pb::WithdrawNoContactRequest>,
    ) -> Result<pb::WithdrawNoContactResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (id, version) = (f.id("no_contact_id", &pb.no_contact_id), f.etag("etag", &pb.etag));
        let withdraw = f.finish(|| Some(WithdrawNoContact { id: id?, version: version? }))?;
        mutate(&self.world, call, withdraw).await?;
        Ok(pb::WithdrawNoContactResponse {})
    }

    pub(super) async fn declarations(
        &self,
        request: Request<pb::ListNoContactsRequest>,
    ) -> Result<pb::ListNoContactsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let query = pb::ListNoContactsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (client_id, page) = f.finish(|| Some((client_id?, page?)))?;
        let (rows, next_page_token) = list_declarations(&self.world, &call, client_id, &page).await?;
        Ok(pb::ListNoContactsResponse { no_contacts: rows.iter().map(no_contact_pb).collect(), next_page_token })
    }
}

pub(in crate::grpc) fn no_contact_pb(it: &Record<NoContact>) -> pb::NoContact {
    pb::NoContact {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        client_id: it.client_id.to_string(),
        other_reference: it.other_reference.to_string(),
        created_at: timestamp(it.created_at),
    }
}
