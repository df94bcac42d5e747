//! AccessService: who is let in no more, what programs may be, and who is let in in an emergency.

mod account;
pub(super) mod break_glass;
mod revocation;

use tonic::{Request, Response, Status};

use super::fields::keyed;
use super::pb;
use super::pb::access_service_server::{AccessService, AccessServiceServer};
use super::status::status;
use crate::usecase::World;

keyed!(
    RevokeTokenRequest,
    RevokePrincipalRequest,
    LiftRevocationRequest,
    CreateServiceAccountRequest,
    UpdateServiceAccountRequest,
    RequestBreakGlassRequest,
    ApproveBreakGlassRequest,
    RevokeBreakGlassRequest,
    ReviewBreakGlassRequest,
);

/// The service over a world.
pub fn service(world: World) -> AccessServiceServer<Access> {
    AccessServiceServer::new(Access { world })
}

/// The service.
pub struct Access {
    world: World,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl AccessService for Access {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    revoke_token: RevokeTokenRequest => RevokeTokenResponse, token;
    revoke_principal: RevokePrincipalRequest => RevokePrincipalResponse, principal;
    lift_revocation: LiftRevocationRequest => LiftRevocationResponse, lift;
    list_revocations: ListRevocationsRequest => ListRevocationsResponse, revocations;
    create_service_account: CreateServiceAccountRequest => CreateServiceAccountResponse, create_account;
    update_service_account: UpdateServiceAccountRequest => UpdateServiceAccountResponse, update_account;
    list_service_accounts: ListServiceAccountsRequest => ListServiceAccountsResponse, accounts;
    request_break_glass: RequestBreakGlassRequest => RequestBreakGlassResponse, ask;
    approve_break_glass: ApproveBreakGlassRequest => ApproveBreakGlassResponse, approve;
    revoke_break_glass: RevokeBreakGlassRequest => RevokeBreakGlassResponse, end;
    review_break_glass: ReviewBreakGlassRequest => ReviewBreakGlassResponse, review;
    list_break_glass: ListBreakGlassRequest => ListBreakGlassResponse, asked;
}
