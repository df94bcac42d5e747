//! Case events on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn record_case_event(
        &self,
        _request: Request<pb::RecordCaseEventRequest>,
    ) -> Result<pb::RecordCaseEventResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn case_events(
        &self,
        _request: Request<pb::ListCaseEventsRequest>,
    ) -> Result<pb::ListCaseEventsResponse> {
        Err(Error::NotFound("method"))
    }
}
