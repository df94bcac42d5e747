//! Milestones on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn milestones(
        &self,
        _request: Request<pb::ListMilestonesRequest>,
    ) -> Result<pb::ListMilestonesResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn excuse(
        &self,
        _request: Request<pb::ExcuseMilestoneRequest>,
    ) -> Result<pb::ExcuseMilestoneResponse> {
        Err(Error::NotFound("method"))
    }
}
