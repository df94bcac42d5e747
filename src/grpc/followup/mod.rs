//! FollowUpService; one file for each of its nouns.

pub(super) mod assessment;
mod case_event;
pub(super) mod concern;
pub(super) mod escalation;
mod instrument;
mod milestone;
mod plan;
mod report;
mod result;
pub(super) mod wire;

use tonic::{Request, Response, Status};

use super::pb;
use super::pb::follow_up_service_server::{FollowUpService, FollowUpServiceServer};
use super::status::status;
use crate::usecase::World;

/// The service over a world.
pub fn service(world: World) -> FollowUpServiceServer<FollowUps> {
    FollowUpServiceServer::new(FollowUps { world })
}

/// The service.
pub struct FollowUps {
    world: World,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl FollowUpService for FollowUps {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    enrol_follow_up: EnrolFollowUpRequest => EnrolFollowUpResponse, enrol;
    update_follow_up: UpdateFollowUpRequest => UpdateFollowUpResponse, update_plan;
    close_follow_up: CloseFollowUpRequest => CloseFollowUpResponse, close_plan;
    get_follow_up: GetFollowUpRequest => GetFollowUpResponse, get_plan;
    list_milestones: ListMilestonesRequest => ListMilestonesResponse, milestones;
    excuse_milestone: ExcuseMilestoneRequest => ExcuseMilestoneResponse, excuse;
    list_plan_templates: ListPlanTemplatesRequest => ListPlanTemplatesResponse, templates;
    list_instruments: ListInstrumentsRequest => ListInstrumentsResponse, instruments;
    submit_assessment: SubmitAssessmentRequest => SubmitAssessmentResponse, submit;
    get_assessment: GetAssessmentRequest => GetAssessmentResponse, assessment;
    get_progress: GetProgressRequest => GetProgressResponse, progress;
    report_concern: ReportConcernRequest => ReportConcernResponse, report_concern;
    list_escalations: ListEscalationsRequest => ListEscalationsResponse, escalations;
    acknowledge_escalation: AcknowledgeEscalationRequest => AcknowledgeEscalationResponse, acknowledge;
    resolve_escalation: ResolveEscalationRequest => ResolveEscalationResponse, resolve;
    list_mandatory_reports: ListMandatoryReportsRequest => ListMandatoryReportsResponse, mandatory_reports;
    record_mandatory_report: RecordMandatoryReportRequest => RecordMandatoryReportResponse, record_report;
    record_case_event: RecordCaseEventRequest => RecordCaseEventResponse, record_case_event;
    list_case_events: ListCaseEventsRequest => ListCaseEventsResponse, case_events;
    get_follow_up_report: GetFollowUpReportRequest => GetFollowUpReportResponse, counts;
}
