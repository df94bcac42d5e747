//! The program's log says nothing of what people wrote about attendance, at whatever level.

use std::path::Path;

use aftercare::clock::{Clock, SystemClock};
use aftercare::grpc::pb;
use aftercare::grpc::pb::attendance_service_client::AttendanceServiceClient;
use aftercare::grpc::pb::client_service_client::ClientServiceClient;
use aftercare::grpc::pb::directory_service_client::DirectoryServiceClient;
use aftercare::grpc::pb::scheduling_service_client::SchedulingServiceClient;
use chrono::TimeDelta;
use pb::AttendanceOutcome as Outcome;

use crate::process::{Serving, aftercare, text, token, with_token};
use crate::support::attendance::{amending, deciding};
use crate::support::{at, facts, minutes};

/// A treatment session of yesterday, of the example that every demo begins with.
async fn yesterday(serving: &Serving, coordinator: &str) -> pb::RecordPastSessionRequest {
    let list = pb::ListCounsellorsRequest::default();
    let mut directory = DirectoryServiceClient::new(serving.channel().await);
    let all = directory.list_counsellors(with_token(coordinator, list)).await.unwrap().into_inner().counsellors;
    let counsellor = all.into_iter().find(|it| it.side() == pb::Side::Offender).unwrap();
    let list = pb::ListVenuesRequest::default();
    let venues = directory.list_venues(with_token(coordinator, list)).await.unwrap().into_inner().venues;
    let list = pb::ListClientsRequest { side: pb::Side::Offender.into(), ..Default::default() };
    let mut clients = ClientServiceClient::new(serving.channel().await);
    let clients = clients.list_clients(with_token(coordinator, list)).await.unwrap().into_inner().clients;
    let start = (SystemClock.now() - TimeDelta::days(1)).format("%Y-%m-%dT%H:%M:00Z").to_string();
    pb::RecordPastSessionRequest {
        client_id: clients[0].id.clone(),
        counsellor_id: counsellor.id,
        service: pb::CareService::Treatment.into(),
        modality: pb::Modality::InPerson.into(),
        venue_id: venues[0].id.clone(),
        starts_at: at(&start),
        length: Some(minutes(60)),
        reason: "a planted excuse".into(),
        attendances: vec![pb::PastAttendance {
            client_id: clients[0].id.clone(),
            facts: Some(pb::AttendanceFacts {
                evidence_reference: "a planted letter".into(),
                verifier: "a planted name".into(),
                ..facts(Outcome::AcceptableMedical)
            }),
        }],
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_written_about_attendance_is_logged() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/example");
    let imported = aftercare(data_dir).arg("import").arg(example).output().unwrap();
    assert!(imported.status.success(), "{}", text(&imported));
    let of = |role, also: &[&str]| token(data_dir, &[&["--role", role, "--organisation", "TVM-TRUST"], also].concat());
    let (coordinator, lead) = (of("coordinator", &[]), of("counsellor", &["--counsellor", "C-03"]));
    let serving = Serving::start(data_dir, None);
    let request = yesterday(&serving, &coordinator).await;
    let mut scheduling = SchedulingServiceClient::new(serving.channel().await);
    let made = scheduling.record_past_session(with_token(&coordinator, request)).await.unwrap().into_inner();
    let session = made.session.unwrap();
    let client = pb::Client { id: session.client_id.clone(), ..Default::default() };
    let mut attendance = AttendanceServiceClient::new(serving.channel().await);
    let mut amend = amending(&session, &client, "1", Outcome::NoShow);
    amend.reason = "a planted correction".into();
    attendance.amend_attendance(with_token(&lead, amend)).await.unwrap();
    let mut decide = deciding(&session, &client, "2", true);
    (decide.evidence_reference, decide.verifier) = ("a planted certificate".into(), "a planted registrar".into());
    attendance.decide_absence(with_token(&lead, decide)).await.unwrap();
    let note = pb::WriteSessionNoteRequest {
        session_id: session.id.clone(),
        client_id: client.id,
        text: "a planted note".into(),
        ..Default::default()
    };
    attendance.write_session_note(with_token(&lead, note)).await.unwrap();
    let list = pb::ListSessionNotesRequest { session_id: session.id.clone(), ..Default::default() };
    let notes = attendance.list_session_notes(with_token(&lead, list)).await.unwrap().into_inner().notes;
    assert_eq!(notes[0].text, "a planted note");
    let list = pb::ListAttendanceRequest { session_id: session.id, with_texts: true, ..Default::default() };
    let all = attendance.list_attendance(with_token(&coordinator, list)).await.unwrap().into_inner().histories;
    assert_eq!(all[0].decisions[1].verifier, "a planted registrar");
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("TRACE") && !log.contains("planted"));
}
