//! Assessments on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn submit(
        &self,
        _request: Request<pb::SubmitAssessmentRequest>,
    ) -> Result<pb::SubmitAssessmentResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn assessment(
        &self,
        _request: Request<pb::GetAssessmentRequest>,
    ) -> Result<pb::GetAssessmentResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn progress(&self, _request: Request<pb::GetProgressRequest>) -> Result<pb::GetProgressResponse> {
        Err(Error::NotFound("method"))
    }
}
