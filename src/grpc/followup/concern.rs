//! Concerns and mandatory reports on the wire.

use tonic::Request;

use super::FollowUps;
use super::escalation::{LONGEST, outline_pb};
use crate::domain::escalation::MandatoryReport;
use crate::domain::personal::Personal;
use crate::domain::text::lines;
use crate::grpc::fields::{Fields, keyed, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::followup::concern::{ListMandatoryReports, RecordMandatoryReport, ReportConcern};
use crate::usecase::mutate;

keyed!(ReportConcernRequest, RecordMandatoryReportRequest);

impl FollowUps {
    pub(super) async fn report_concern(
        &self,
        request: Request<pb::ReportConcernRequest>,
    ) -> Result<pb::ReportConcernResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let kind = f.word("kind", pb.kind);
        let learned_at = f.maybe_instant("learned_at", pb.learned_at.as_ref());
        let text = f.parse("text", &pb.text, |raw| lines(raw, 0..=LONGEST)).map(Personal::new);
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let report = f.finish(|| {
            let (learned_at, counsellor_id) = (learned_at?, counsellor_id?);
            Some(ReportConcern { client_id: client_id?, kind: kind?, learned_at, text: text?, counsellor_id })
        })?;
        let opened = mutate(&self.world, call, report).await?;
        let escalation =
            if opened.clinical { self.escalation_pb(&opened.escalation) } else { outline_pb(&opened.escalation) };
        Ok(pb::ReportConcernResponse {
            concern_id: opened.concern_id.to_string(),
            escalation: Some(escalation),
            mandatory_report: opened.report.as_ref().map(report_pb),
        })
    }

    pub(super) async fn mandatory_reports(
        &self,
        request: Request<pb::ListMandatoryReportsRequest>,
    ) -> Result<pb::ListMandatoryReportsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let query = pb::ListMandatoryReportsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let wanted =
            f.finish(|| Some(ListMandatoryReports { reported: pb.reported, client_id: client_id?, page: page? }))?;
        let (rows, next_page_token) = mutate(&self.world, call, wanted).await?;
        let mandatory_reports = rows.iter().map(report_pb).collect();
        Ok(pb::ListMandatoryReportsResponse { mandatory_reports, next_page_token })
    }

    pub(super) async fn record_report(
        &self,
        request: Request<pb::RecordMandatoryReportRequest>,
    ) -> Result<pb::RecordMandatoryReportResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("mandatory_report_id", &pb.mandatory_report_id);
        let version = f.etag("etag", &pb.etag);
        let recipient = f.word("recipient", pb.recipient);
        let reported_at = match f.maybe_instant("reported_at", pb.reported_at.as_ref()) {
            Some(None) => f.wrong("reported_at", "is required"),
            reported_at => reported_at.flatten(),
        };
        let reference = f.personal("reference", &pb.reference, 1..=200);
        let record = f.finish(|| {
            let (recipient, reported_at, reference) = (recipient?, reported_at?, reference?);
            Some(RecordMandatoryReport { id: id?, version: version?, recipient, reported_at, reference })
        })?;
        let it = mutate(&self.world, call, record).await?;
        Ok(pb::RecordMandatoryReportResponse { mandatory_report: Some(report_pb(&it)) })
    }
}

pub(in crate::grpc) fn report_pb(it: &MandatoryReport) -> pb::MandatoryReport {
    let mut message = pb::MandatoryReport {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        client_id: it.client_id.to_string(),
        client_reference: it.reference.to_string(),
        concern_id: it.concern_id.to_string(),
        learned_at: timestamp(it.learned_at),
        due_at: timestamp(it.due_at),
        ..Default::default()
    };
    if let Some(reported) = &it.reported {
        message.reported_at = timestamp(reported.at);
        message.recipient = reported.recipient.to_wire();
        message.reference = reported.reference.expose().to_owned();
        message.recorded_by.clone_from(&reported.recorded.1);
    }
    message
}
