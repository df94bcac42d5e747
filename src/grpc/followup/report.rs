//! Counts on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn counts(
        &self,
        _request: Request<pb::GetFollowUpReportRequest>,
    ) -> Result<pb::GetFollowUpReportResponse> {
        Err(Error::NotFound("method"))
    }
}
