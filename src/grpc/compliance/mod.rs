//! ComplianceService: one table of RPCs; the provider's, the police's and the policies each have a file.

mod order;
mod police;
mod policy;
mod statement;
pub(super) mod wire;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::fields::keyed;
use super::pb;
use super::pb::compliance_service_server::{ComplianceService, ComplianceServiceServer};
use super::status::status;
use super::stream::Streaming;
use crate::usecase::World;
use crate::usecase::error::Result;
use crate::usecase::statement::Keyring;

keyed!(
    PublishPolicyRequest,
    CreateTreatmentOrderRequest,
    AmendOrderRequest,
    IssueWarningRequest,
    SuspendOrderRequest,
    ConfirmBreachRequest,
    ResolveBreachRequest,
    TerminateOrderRequest,
    WithdrawEventRequest,
    CountSessionRequest,
    IssueComplianceStatementRequest,
);

/// The service over a world, with the key that signs its statements.
pub fn service(world: World, keyring: Arc<dyn Keyring>) -> ComplianceServiceServer<Compliance> {
    ComplianceServiceServer::new(Compliance { world, keyring })
}

/// The service.
pub struct Compliance {
    world: World,
    keyring: Arc<dyn Keyring>,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl ComplianceService for Compliance {
            type WatchComplianceStream = Streaming<pb::WatchComplianceResponse>;

            async fn watch_compliance(
                &self,
                request: Request<pb::WatchComplianceRequest>,
            ) -> Result<Response<Self::WatchComplianceStream>, Status> {
                self.watch(request).await.map(Response::new).map_err(status)
            }

            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    publish_policy: PublishPolicyRequest => PublishPolicyResponse, publish;
    list_policies: ListPoliciesRequest => ListPoliciesResponse, policies;
    create_treatment_order: CreateTreatmentOrderRequest => CreateTreatmentOrderResponse, create;
    amend_order: AmendOrderRequest => AmendOrderResponse, amend;
    issue_warning: IssueWarningRequest => IssueWarningResponse, warn;
    suspend_order: SuspendOrderRequest => SuspendOrderResponse, suspend;
    confirm_breach: ConfirmBreachRequest => ConfirmBreachResponse, confirm;
    resolve_breach: ResolveBreachRequest => ResolveBreachResponse, resolve;
    terminate_order: TerminateOrderRequest => TerminateOrderResponse, terminate;
    withdraw_event: WithdrawEventRequest => WithdrawEventResponse, withdraw;
    count_session: CountSessionRequest => CountSessionResponse, count;
    get_order: GetOrderRequest => GetOrderResponse, get;
    list_orders: ListOrdersRequest => ListOrdersResponse, list;
    list_breach_reviews: ListBreachReviewsRequest => ListBreachReviewsResponse, reviews;
    list_lookups: ListLookupsRequest => ListLookupsResponse, lookups;
    check_compliance: CheckComplianceRequest => CheckComplianceResponse, check;
    batch_check_compliance: BatchCheckComplianceRequest => BatchCheckComplianceResponse, check_batch;
    list_compliance_in_jurisdiction:
        ListComplianceInJurisdictionRequest => ListComplianceInJurisdictionResponse, check_all;
    issue_compliance_statement: IssueComplianceStatementRequest => IssueComplianceStatementResponse, state;
    list_statement_keys: ListStatementKeysRequest => ListStatementKeysResponse, statement_keys;
}
