//! The demo does what it says, on any machine, and leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// The demo on a free port, with nothing set but where temporary files go.
fn demo(temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.env_clear().env("TMPDIR", temporary).args(["demo", "--listen", "127.0.0.1:0"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn it_walks_once_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path()).arg("--once").output().unwrap();
    let (said, complained) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{complained}");
    for part in [
        "6 counsellors, 3 leave, 4 clients, 2 guardians, 1 case, 2 case parties, 3 consents",
        "Counsellor Example-",
        "COUNSELLOR_BUSY: ",
        "Free instead",
        "SLOT_NOT_AVAILABLE: this time is not available at this place",
        "The second survivor takes it",
        "LANGUAGE stands against 2 of 2 counsellors",
        "overridden: LANGUAGE",
        "needs rescheduling: SLOT_NOT_AVAILABLE",
        "instead of Sat ",
        "GROUP_FULL: the group has no place left, in each of 6 sessions",
        "AnswerOffer",
        "PERMISSION_DENIED ROLE_NOT_ALLOWED",
        "BASELINE  PCL_5 45, screen positive",
        "18 points better: RECOVERED",
        "FU_1M       MISSED",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.lines().count() <= 140 && complained.is_empty(), "{said}{complained}");
    assert!(is_empty(temporary.path()));
}

#[cfg(unix)]
#[test]
fn it_serves_until_it_is_interrupted() {
    use std::os::unix::fs::PermissionsExt;

    let temporary = tempfile::tempdir().unwrap();
    let mut running = demo(temporary.path()).spawn().unwrap();
    let mut output = BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("until Ctrl-C") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the demo ended early");
    }
    let data = std::fs::read_dir(temporary.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let killed = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut calls = String::new();
    output.read_to_string(&mut calls).unwrap();
    assert_eq!(calls.matches("buf curl --protocol grpc --http2-prior-knowledge").count(), 6, "{calls}");
    assert!(running.wait().unwrap().success());
    assert!(is_empty(temporary.path()));
}
