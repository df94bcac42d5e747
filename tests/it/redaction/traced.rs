//! What stands in the log of a process that is asked to log everything, while it works with planted texts. A process
//! has one log, so each is another process of this program.

use std::process::Command;

use aftercare::cli::start_log;
use aftercare::config::LogFormat;
use aftercare::domain::personal::Personal;
use aftercare::grpc::pb;

use super::story::tell;
use crate::support::plant::MARK;
use crate::support::{Engine, TestApp};

/// Which engine, and in which format.
const HOW: &str = "AFTERCARE_TEST_TRACED";

fn nothing_is_said(how: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "redaction::traced::works_and_logs_everything", "--ignored", "--nocapture"]);
    let output = command.env(HOW, how).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{how}: {}", &log[log.len().saturating_sub(4_000)..]);
    // It is the log of everything.
    for expected in ["TRACE", "CreateClient", "INSERT INTO client", "panicked at", "[redacted]"] {
        assert!(log.contains(expected), "{how}: no {expected}");
    }
    if let Some(line) = log.lines().find(|line| line.contains(MARK)) {
        panic!("{how}: {line}");
    }
}

#[test]
fn nothing_is_said_to_people_on_sqlite() {
    nothing_is_said("sqlite human");
}

#[test]
fn nothing_is_said_to_programs_on_postgresql() {
    nothing_is_said("postgres json");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by those above, in a process of its own"]
async fn works_and_logs_everything() {
    let how = std::env::var(HOW).unwrap();
    let (engine, format) = match how.as_str() {
        "sqlite human" => (Engine::Sqlite, LogFormat::Human),
        "postgres json" => (Engine::Postgres, LogFormat::Json),
        other => panic!("{other}"),
    };
    start_log(format, "trace", None).unwrap();
    let app = TestApp::start(engine).await;
    app.plant();
    tell(&app).await;
    // Nor do panics say anything.
    let note = pb::WriteSessionNoteRequest { text: MARK.into(), ..Default::default() };
    let panics = async move {
        let personal = Personal::new(MARK.into());
        assert!(personal.is_empty(), "{note:?} {personal:?}");
    };
    tokio::spawn(panics).await.unwrap_err();
}
