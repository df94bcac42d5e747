//! Instruments on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn instruments(
        &self,
        _request: Request<pb::ListInstrumentsRequest>,
    ) -> Result<pb::ListInstrumentsResponse> {
        Err(Error::NotFound("method"))
    }
}
