//! Revocations on the wire.

use tonic::Request;

use super::Access;
use crate::domain::revocation::{Revocation, Target};
use crate::domain::text::name;
use crate::grpc::fields::{Fields, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::revocation::{Filter, LiftRevocation, Revoke, list_revocations};

impl Access {
    pub(super) async fn token(&self, request: Request<pb::RevokeTokenRequest>) -> Result<pb::RevokeTokenResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let token_id = f.parse("token_id", &pb.token_id, name);
        let until = f.maybe_instant("token_expires_at", pb.token_expires_at.as_ref());
        let reason = f.word("reason", pb.reason);
        let target = || Some(Target::Token { token_id: token_id?, until: until? });
        let revoke = f.finish(|| Some(Revoke { target: target()?, reason: reason? }))?;
        let revocation = mutate(&self.world, call, revoke).await?;
        Ok(pb::RevokeTokenResponse { revocation: Some(revocation_pb(&revocation)) })
    }

    pub(super) async fn principal(
        &self,
        request: Request<pb::RevokePrincipalRequest>,
    ) -> Result<pb::RevokePrincipalResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let principal = f.parse("principal", &pb.principal, name);
        let reason = f.word("reason", pb.reason);
        let target = || Some(Target::Principal { principal: principal?, blocks: pb.block });
        let revoke = f.finish(|| Some(Revoke { target: target()?, reason: reason? }))?;
        let revocation = mutate(&self.world, call, revoke).await?;
        Ok(pb::RevokePrincipalResponse { revocation: Some(revocation_pb(&revocation)) })
    }

    pub(super) async fn lift(&self, request: Request<pb::LiftRevocationRequest>) -> Result<pb::LiftRevocationResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("revocation_id", &pb.revocation_id);
        let reason = f.word("reason", pb.reason);
        let lift = f.finish(|| Some(LiftRevocation { id: id?, reason: reason? }))?;
        let revocation = mutate(&self.world, call, lift).await?;
        Ok(pb::LiftRevocationResponse { revocation: Some(revocation_pb(&revocation)) })
    }

    pub(super) async fn revocations(
        &self,
        request: Request<pb::ListRevocationsRequest>,
    ) -> Result<pb::ListRevocationsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let principal = f.maybe("principal", &pb.principal, name);
        let query = pb::ListRevocationsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (principal, page) = f.finish(|| Some((principal?, page?)))?;
        let filter = Filter { principal, standing: pb.standing };
        let (rows, next_page_token) = list_revocations(&self.world, &call, filter, &page).await?;
        Ok(pb::ListRevocationsResponse { revocations: rows.iter().map(revocation_pb).collect(), next_page_token })
    }
}

fn revocation_pb(it: &Revocation) -> pb::Revocation {
    let mut pb = pb::Revocation {
        id: it.id.to_string(),
        reason: it.reason.to_wire(),
        revoked_at: timestamp(it.at),
        revoked_by: it.by.clone(),
        ..Default::default()
    };
    match &it.target {
        Target::Token { token_id, until } => {
            pb.token_id = token_id.clone();
            pb.token_expires_at = until.and_then(timestamp);
        }
        Target::Principal { principal, blocks } => {
            pb.principal = principal.clone();
            pb.blocks = *blocks;
        }
    }
    if let Some(lift) = &it.lifted {
        pb.lifted_at = timestamp(lift.at);
        pb.lifted_by = lift.by.clone();
        pb.lift_reason = lift.reason.to_wire();
    }
    pb
}
