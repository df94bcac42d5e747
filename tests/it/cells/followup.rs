//! Follow-up after trauma.

use aftercare::grpc::pb;

use super::recipes;
use crate::support::date;
use crate::support::escalation::{concern, resolving};
use crate::support::followup::{enrolling, excusing, well};

recipes! { "FollowUpService", |it, _role|
    EnrolFollowUp EnrolFollowUpRequest Survivor {
        client_id: it.client.id.clone(),
        counsellor_id: it.counsellor.id.clone(),
        intake_on: enrolling(&it.client, &it.counsellor, "2026-11-20").intake_on,
    }
    UpdateFollowUp UpdateFollowUpRequest Survivor {
        plan_id: it.plan.id.clone(),
        etag: it.plan.etag.clone(),
        planned_sessions: 9,
    }
    CloseFollowUp CloseFollowUpRequest Survivor {
        plan_id: it.plan.id.clone(),
        etag: it.plan.etag.clone(),
        closing: pb::FollowUpClosing::Completed.into(),
    }
    GetFollowUp GetFollowUpRequest Survivor { client_id: it.client.id.clone() }
    ListMilestones ListMilestonesRequest Care {}
    ExcuseMilestone ExcuseMilestoneRequest Survivor {
        milestone_id: it.milestone.id.clone(),
        etag: it.milestone.etag.clone(),
        excuse: excusing(&it.milestone, pb::MilestoneExcuse::Declined).excuse,
        reason: "An example".into(),
    }
    ListPlanTemplates ListPlanTemplatesRequest Open {}
    ListInstruments ListInstrumentsRequest Open {}
    SubmitAssessment SubmitAssessmentRequest Survivor {
        client_id: it.client.id.clone(),
        instrument: "PHQ_9".into(),
        language: "ml".into(),
        assessed_on: Some(date("2026-11-23")),
        answers: well(&it.client, "PHQ_9", "2026-11-23").answers,
    }
    GetAssessment GetAssessmentRequest Survivor { id: it.assessment.id.clone() }
    GetProgress GetProgressRequest Survivor { client_id: it.client.id.clone() }
    ReportConcern ReportConcernRequest Survivor {
        client_id: it.client.id.clone(),
        kind: pb::ConcernKind::Threat.into(),
        text: concern(&it.client, pb::ConcernKind::Threat).text,
    }
    ListEscalations ListEscalationsRequest Care {}
    AcknowledgeEscalation AcknowledgeEscalationRequest Survivor {
        escalation_id: it.escalation.id.clone(),
        etag: it.escalation.etag.clone(),
    }
    ResolveEscalation ResolveEscalationRequest Survivor {
        escalation_id: it.escalation.id.clone(),
        etag: it.escalation.etag.clone(),
        action: resolving(&it.escalation, pb::EscalationAction::LiveContact).action,
        note: "What to remember".into(),
    }
    ListMandatoryReports ListMandatoryReportsRequest Care {}
    RecordMandatoryReport RecordMandatoryReportRequest Survivor {
        mandatory_report_id: it.report.id.clone(),
        etag: it.report.etag.clone(),
        recipient: pb::ReportRecipient::SpecialJuvenilePoliceUnit.into(),
        reported_at: crate::support::at("2026-11-23T08:00:00Z"),
        reference: "Diary 5/2026".into(),
    }
    RecordCaseEvent RecordCaseEventRequest Survivor {
        case_id: it.case.id.clone(),
        kind: pb::CaseEventKind::Information.into(),
        happened_on: Some(date("2026-11-21")),
        source: "Diary 4/2026".into(),
        actor: "Example office".into(),
        zone: "Asia/Kolkata".into(),
    }
    ListCaseEvents ListCaseEventsRequest Survivor { case_id: it.case.id.clone() }
    GetFollowUpReport GetFollowUpReportRequest Own {
        from: Some(date("2026-10-01")),
        until: Some(date("2026-10-31")),
        zone: "Asia/Kolkata".into(),
    }
}
