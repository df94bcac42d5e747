//! The reports that the law demands: a task of their own, done once.

use aftercare::grpc::pb;
use pb::{ConcernKind, ReportRecipient as Recipient};
use tonic::{Code, Status};

use super::{KINDS, pair};
use crate::attendance::{clinical_lead, why, wrong};
use crate::on_both_engines;
use crate::support::escalation::{concern, report, reports};
use crate::support::{Actor, Ngo, at};

fn made(it: &pb::MandatoryReport, recipient: Recipient, reported_at: &str) -> pb::RecordMandatoryReportRequest {
    pb::RecordMandatoryReportRequest {
        mandatory_report_id: it.id.clone(),
        etag: it.etag.clone(),
        recipient: recipient.into(),
        reported_at: at(reported_at),
        reference: "Diary 12/2026".into(),
        ..Default::default()
    }
}

async fn record(actor: &Actor, request: pb::RecordMandatoryReportRequest) -> Result<pb::MandatoryReport, Status> {
    Ok(actor.follow_up().record_mandatory_report(request).await?.into_inner().mandatory_report.unwrap())
}

on_both_engines! {
    async fn a_report_is_recorded_once_with_every_field_right(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let me = ngo.as_counsellor(&app, &counsellor);
        for kind in KINDS {
            report(&me, concern(&client, kind)).await.unwrap();
        }
        let open = reports(&ngo.coordinator).await;
        assert_eq!(open.len(), 4);
        let none = pb::RecordMandatoryReportRequest { mandatory_report_id: "x".into(), ..Default::default() };
        let fields = ["mandatory_report_id", "etag", "recipient", "reported_at", "reference"];
        assert_eq!(wrong(record(&me, none).await), fields);
        let police = Recipient::SpecialJuvenilePoliceUnit;
        assert_eq!(wrong(record(&me, made(&open[0], police, "2026-11-23T04:00:01Z")).await), ["reported_at"]);
        assert_eq!(wrong(record(&me, made(&open[0], police, "2026-11-23T03:59:59Z")).await), ["reported_at"]);
        let stale = pb::RecordMandatoryReportRequest { etag: "9".into(), ..made(&open[0], police, "2026-11-23T04:00:00Z") };
        assert_eq!(record(&me, stale).await.unwrap_err().code(), Code::Aborted);
        let request_id = "0193a5e0-0000-7000-8000-000000000003".to_owned();
        let request = pb::RecordMandatoryReportRequest { request_id, ..made(&open[0], police, "2026-11-23T04:00:00Z") };
        let done = record(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!((done.recipient(), done.reference.as_str()), (police, "Diary 12/2026"));
        assert_eq!((done.reported_at, done.recorded_by.as_str()), (at("2026-11-23T04:00:00Z"), "coordinator@A"));
        assert_eq!(record(&ngo.coordinator, request).await.unwrap(), done);
        assert_eq!(why(record(&me, made(&open[0], police, "2026-11-23T04:00:00Z")).await), "ALREADY_REPORTED");
        // Somebody else may have reported it before it became known here.
        record(&me, made(&open[1], Recipient::AlreadyReported, "2026-11-01T04:00:00Z")).await.unwrap();
        assert_eq!(reports(&me).await, open[2..]);
        let all = pb::ListMandatoryReportsRequest { reported: true, page_size: 3, ..Default::default() };
        let page = me.follow_up().list_mandatory_reports(all.clone()).await.unwrap().into_inner();
        assert_eq!(page.mandatory_reports.len(), 3);
        let rest = pb::ListMandatoryReportsRequest { page_token: page.next_page_token, ..all };
        assert_eq!(me.follow_up().list_mandatory_reports(rest).await.unwrap().into_inner().mandatory_reports.len(), 1);
        let rows = app.audit().await;
        assert!(!format!("{rows:?}").contains("Diary"));
    }

    async fn only_one_of_two_records_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let me = ngo.as_counsellor(&app, &counsellor);
        let beside = app.beside().await;
        let lead = beside.bearer(clinical_lead(&app, &ngo).token);
        for _ in 0..8 {
            let it = report(&me, concern(&client, ConcernKind::Threat)).await.unwrap().mandatory_report.unwrap();
            let made = made(&it, Recipient::LocalPolice, "2026-11-23T04:00:00Z");
            let (a, b) = tokio::join!(record(&me, made.clone()), record(&lead, made.clone()));
            let lost = if a.is_ok() { b } else { a };
            assert_eq!(why(lost), "ALREADY_REPORTED");
        }
    }

    async fn others_do_not_learn_of_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_, client) = pair(&ngo, "C1").await;
        let stranger = ngo.as_counsellor(&app, &ngo.counsellor("C2", pb::Side::Survivor).await);
        let foreign = Ngo::new(&app, "B").await;
        let it = report(&ngo.coordinator, concern(&client, ConcernKind::Threat)).await.unwrap().mandatory_report.unwrap();
        for actor in [&stranger, &foreign.coordinator, &clinical_lead(&app, &foreign)] {
            assert_eq!(reports(actor).await, []);
            let made = made(&it, Recipient::LocalPolice, "2026-11-23T04:00:00Z");
            assert_eq!(record(actor, made).await.unwrap_err().code(), Code::NotFound);
        }
        assert_eq!(reports(&clinical_lead(&app, &ngo)).await, [it]);
    }
}
