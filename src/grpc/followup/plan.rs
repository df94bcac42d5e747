//! Plans on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn enrol(&self, _request: Request<pb::EnrolFollowUpRequest>) -> Result<pb::EnrolFollowUpResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn update_plan(
        &self,
        _request: Request<pb::UpdateFollowUpRequest>,
    ) -> Result<pb::UpdateFollowUpResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn close_plan(
        &self,
        _request: Request<pb::CloseFollowUpRequest>,
    ) -> Result<pb::CloseFollowUpResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn get_plan(&self, _request: Request<pb::GetFollowUpRequest>) -> Result<pb::GetFollowUpResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn templates(
        &self,
        _request: Request<pb::ListPlanTemplatesRequest>,
    ) -> Result<pb::ListPlanTemplatesResponse> {
        Err(Error::NotFound("method"))
    }
}
