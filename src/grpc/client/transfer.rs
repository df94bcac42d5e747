//! Transfers on the wire.

use chrono::{DateTime, Utc};
use tonic::Request;

use super::Clients;
use crate::domain::text::Code;
use crate::domain::transfer::{Basis, REASON, TransferEnding};
use crate::grpc::fields::{Fields, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::transfer::{
    AcceptTransfer, CosignTransfer, DeclineTransfer, ProposeTransfer, Shown, WithdrawTransfer, list_transfers,
};

impl Clients {
    pub(super) async fn propose(
        &self,
        request: Request<pb::ProposeTransferRequest>,
    ) -> Result<pb::ProposeTransferResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let receiving = f.parse("receiving_organisation_code", &pb.receiving_organisation_code, Code::parse);
        let reason = &pb.override_reason;
        let overriding =
            if reason.is_empty() { Some(None) } else { f.personal("override_reason", reason, REASON).map(Some) };
        let propose = f.finish(|| {
            Some(ProposeTransfer { client_id: client_id?, receiving: receiving?, overriding: overriding? })
        })?;
        let proposed = mutate(&self.world, call, propose).await?;
        Ok(pb::ProposeTransferResponse { transfer: Some(self.transfer_pb(&proposed)) })
    }

    pub(super) async fn cosign(
        &self,
        request: Request<pb::CosignTransferRequest>,
    ) -> Result<pb::CosignTransferResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("transfer_id", &pb.transfer_id);
        let cosign = f.finish(|| id.map(CosignTransfer))?;
        let signed = mutate(&self.world, call, cosign).await?;
        Ok(pb::CosignTransferResponse { transfer: Some(self.transfer_pb(&signed)) })
    }

    pub(super) async fn accept(
        &self,
        request: Request<pb::AcceptTransferRequest>,
    ) -> Result<pb::AcceptTransferResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("transfer_id", &pb.transfer_id);
        let accept = f.finish(|| id.map(AcceptTransfer))?;
        let accepted = mutate(&self.world, call, accept).await?;
        Ok(pb::AcceptTransferResponse { transfer: Some(self.transfer_pb(&accepted)) })
    }

    pub(super) async fn decline(
        &self,
        request: Request<pb::DeclineTransferRequest>,
    ) -> Result<pb::DeclineTransferResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("transfer_id", &pb.transfer_id);
        let because = f.word("reason", pb.reason);
        let decline = f.finish(|| Some(DeclineTransfer { id: id?, because: because? }))?;
        let declined = mutate(&self.world, call, decline).await?;
        Ok(pb::DeclineTransferResponse { transfer: Some(self.transfer_pb(&declined)) })
    }

    pub(super) async fn give_up(
        &self,
        request: Request<pb::WithdrawTransferRequest>,
    ) -> Result<pb::WithdrawTransferResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("transfer_id", &pb.transfer_id);
        let withdraw = f.finish(|| id.map(WithdrawTransfer))?;
        let withdrawn = mutate(&self.world, call, withdraw).await?;
        Ok(pb::WithdrawTransferResponse { transfer: Some(self.transfer_pb(&withdrawn)) })
    }

    pub(super) async fn transfers(
        &self,
        request: Request<pb::ListTransfersRequest>,
    ) -> Result<pb::ListTransfersResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let query = pb::ListTransfersRequest { page_size: 0, page_token: String::new(), ..pb };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let page = f.finish(|| page)?;
        let (rows, next_page_token) = list_transfers(&self.world, call, pb.open, page).await?;
        Ok(pb::ListTransfersResponse {
            transfers: rows.iter().map(|it| self.transfer_pb(it)).collect(),
            next_page_token,
        })
    }

    fn transfer_pb(&self, it: &Shown) -> pb::Transfer {
        shown(it, self.world.now())
    }
}

/// What of a transfer the organisation of the caller may know: of the people of the other one, nothing.
pub(in crate::grpc) fn shown(Shown { transfer: it, own }: &Shown, now: DateTime<Utc>) -> pb::Transfer {
    let giving = it.giving.id == *own;
    let accepted = matches!(it.ended, Some((TransferEnding::Accepted, _)));
    let mut pb = pb::Transfer {
        id: it.id.to_string(),
        reference: it.reference.as_str().to_owned(),
        side: it.side.to_wire(),
        giving_organisation_code: it.giving.code.to_string(),
        giving_district: it.giving.district.to_string(),
        receiving_organisation_code: it.receiving.code.to_string(),
        state: it.state(now).to_wire(),
        proposed_at: timestamp(it.proposed.at),
        cosigned_at: it.cosigned.as_ref().and_then(|act| timestamp(act.at)),
        expires_at: timestamp(it.expires_at),
        decline_reason: it.declined_because.map_or(0, Word::to_wire),
        ..Default::default()
    };
    if giving || accepted {
        pb.client_id = it.client_id.to_string();
    }
    match &it.basis {
        Basis::Consent(id) if giving => pb.consent_id = id.to_string(),
        Basis::Consent(_) => {}
        Basis::Override(reason) => pb.override_reason = reason.expose().to_owned(),
    }
    if giving {
        pb.proposed_by = it.proposed.by.clone();
        pb.cosigned_by = it.cosigned.as_ref().map(|act| act.by.clone()).unwrap_or_default();
    }
    if let Some((how, act)) = &it.ended {
        pb.ended_at = timestamp(act.at);
        let theirs = matches!(how, TransferEnding::Withdrawn | TransferEnding::Expired);
        if theirs == giving {
            pb.ended_by = act.by.clone();
        }
    }
    pb
}
