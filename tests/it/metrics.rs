//! What can be measured from outside: as Prometheus reads it, and as the database has it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

use aftercare::grpc::pb;
use aftercare::grpc::pb::directory_service_client::DirectoryServiceClient;
use aftercare::usecase::figures;
use chrono::TimeDelta;

use crate::on_both_engines;
use crate::process::{Serving, aftercare, text, token, with_token};
use crate::support::escalation::{concern, report};
use crate::support::{Ngo, book, booking, tool};

/// A request as a program without any library writes it, and the whole answer.
fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// What Prometheus makes of it.
fn samples(address: SocketAddr) -> BTreeMap<String, String> {
    let (head, body) = ask(address, "GET /metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    let mut python = tool("AFTERCARE_TEST_PYTHON");
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/metrics.py"));
    let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{body}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(samples: &BTreeMap<String, String>, name: &str) -> f64 {
    samples.get(name).unwrap_or_else(|| panic!("{name} is not among {samples:#?}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_who_was_answered_how() {
    let directory = tempfile::tempdir().unwrap();
    let admin = token(directory.path(), &["--role", "admin"]);
    let serving = Serving::start_with(directory.path(), &["--metrics-listen", "127.0.0.1:0"]);
    let mut client = DirectoryServiceClient::new(serving.channel().await);
    for _ in 0..3 {
        let all = pb::ListOrganisationsRequest::default();
        client.list_organisations(with_token(&admin, all)).await.unwrap();
    }
    let nobody = pb::GetOrganisationRequest { organisation_id: uuid::Uuid::from_u128(7).to_string() };
    client.get_organisation(with_token(&admin, nobody.clone())).await.unwrap_err();
    client.get_organisation(with_token("no token", nobody)).await.unwrap_err();
    let metrics = serving.metrics();
    let read = tokio::task::spawn_blocking(move || {
        let read = samples(metrics);
        assert!(ask(metrics, "GET /").0.starts_with("HTTP/1.1 404 "));
        assert!(ask(metrics, "POST /metrics").0.starts_with("HTTP/1.1 405 "));
        read
    });
    let read = read.await.unwrap();
    let method = |name: &str| format!("aftercare.v1.DirectoryService/{name}");
    let counted =
        |name: &str, code: &str| number(&read, &format!("aftercare_rpcs_total{{code={code},method={}}}", method(name)));
    assert_eq!(counted("ListOrganisations", "OK"), 3.0);
    assert_eq!((counted("GetOrganisation", "NOT_FOUND"), counted("GetOrganisation", "UNAUTHENTICATED")), (1.0, 1.0));
    let times = format!("aftercare_rpc_seconds_count{{method={}}}", method("GetOrganisation"));
    assert_eq!(number(&read, &times), 2.0);
    assert_eq!((number(&read, "aftercare_database_up"), number(&read, "aftercare_jobs_dead")), (1.0, 0.0));
    assert_eq!(number(&read, "aftercare_database_connections_most"), 16.0);
    assert!(number(&read, "aftercare_process_resident_bytes") > 1e6);
    assert!(number(&read, "aftercare_backup_age_seconds") > 1e9, "none was made yet");
    let (code, _) = serving.end("-TERM");
    assert_eq!(code, Some(0));
}

#[test]
fn they_are_told_to_this_machine_alone() {
    let directory = tempfile::tempdir().unwrap();
    let output = aftercare(directory.path()).args(["serve", "--metrics-listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("refusing to tell metrics on 0.0.0.0:0"), "{}", text(&output));
}

on_both_engines! {
    async fn what_waits_is_counted(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        for start in ["2026-11-24T04:30:00Z", "2026-11-25T04:30:00Z", "2026-12-24T04:30:00Z"] {
            book(&ngo.coordinator, booking(&ngo, &counsellor, &client, start)).await.unwrap();
        }
        let me = ngo.as_counsellor(&app, &counsellor);
        report(&me, concern(&client, pb::ConcernKind::Threat)).await.unwrap();
        app.run_jobs().await;
        let before = figures::read(app.world()).await.backlog.unwrap();
        assert_eq!((before.unrecorded, before.overdue, before.jobs, before.dead_jobs), (0, 0, 0, 0));
        // The first two are over, the second of them not for a day.
        app.clock.advance(TimeDelta::days(2) + TimeDelta::hours(6));
        let read = figures::read(app.world()).await;
        let after = read.backlog.clone().unwrap();
        assert_eq!((after.unrecorded, after.overdue), (1, 1));
        assert!(after.jobs > 0 && read.since(after.job_since) > 3_600.0, "{after:?}");
        assert_eq!((read.calls, read.load.most), (0, 16));
        // A database that is gone is a figure as well.
        app.world().db().close().await;
        assert!(figures::read(app.world()).await.backlog.is_none());
    }
}
