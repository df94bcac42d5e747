//! Escalations on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn escalations(
        &self,
        _request: Request<pb::ListEscalationsRequest>,
    ) -> Result<pb::ListEscalationsResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn acknowledge(
        &self,
        _request: Request<pb::AcknowledgeEscalationRequest>,
    ) -> Result<pb::AcknowledgeEscalationResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn resolve(
        &self,
        _request: Request<pb::ResolveEscalationRequest>,
    ) -> Result<pb::ResolveEscalationResponse> {
        Err(Error::NotFound("method"))
    }
}
