//! Concerns and mandatory reports on the wire.

use tonic::Request;

use super::FollowUps;
use crate::grpc::pb;
use crate::usecase::error::{Error, Result};

impl FollowUps {
    pub(super) async fn report_concern(
        &self,
        _request: Request<pb::ReportConcernRequest>,
    ) -> Result<pb::ReportConcernResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn mandatory_reports(
        &self,
        _request: Request<pb::ListMandatoryReportsRequest>,
    ) -> Result<pb::ListMandatoryReportsResponse> {
        Err(Error::NotFound("method"))
    }

    pub(super) async fn record_report(
        &self,
        _request: Request<pb::RecordMandatoryReportRequest>,
    ) -> Result<pb::RecordMandatoryReportResponse> {
        Err(Error::NotFound("method"))
    }
}
