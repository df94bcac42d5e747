//! `export-client`, as people call it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Planted;
use crate::on_both_engines;
use crate::support::TestApp;

/// Exit code, what it says, and what it complains about.
fn said(app: &TestApp, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.env("AFTERCARE_DATA_DIR", app.data_dir()).env_remove("AFTERCARE_DATABASE_URL").args(arguments);
    if app.db.url.starts_with("postgres") {
        command.env("AFTERCARE_DATABASE_URL", &app.db.url);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o777
}

on_both_engines! {
    async fn the_person_is_given_a_file_that_nobody_else_can_read(app) {
        let mut app = app;
        let planted = Planted::new(&app).await;
        app.stop().await;
        let directory = tempfile::tempdir().unwrap();
        let to = directory.path().join("copy.json");
        let path = to.to_str().unwrap();
        let reference = planted.it.client.reference.as_str();
        let asked = ["export-client", reference, "--to", path, "--request", "ACCESS-7"];
        let (code, text, complaint) = said(&app, &asked);
        assert_eq!((code, complaint.as_str()), (0, ""), "{text}");
        assert_eq!(mode(&to), 0o600);
        let written = std::fs::read_to_string(&to).unwrap();
        let json: Value = serde_json::from_str(&written).unwrap();
        let messages = json["messages"].as_array().unwrap();
        assert_eq!(text, format!("{} messages\n", messages.len()));
        assert_eq!(messages[0]["begun"]["purpose"], "EXPORT_PURPOSE_ACCESS_REQUEST");
        assert_eq!(messages[0]["begun"]["request_number"], "ACCESS-7");
        assert_eq!(messages.last().unwrap()["ended"]["count"], messages.len() - 1);
        // Fields by their names, enums by their words, instants as people write them.
        let client = &messages[1]["client"];
        assert_eq!((&client["name"], &client["side"]), (&"planted name".into(), &"SIDE_SURVIVOR".into()));
        assert_eq!((&client["born_on"]["year"], &client["spoken_languages"]), (&1990.into(), &Value::from(vec!["ml"])));
        assert_eq!(client["created_at"], "2026-11-23T04:00:00Z");
        for mark in &planted.both {
            let withheld = mark == &planted.it.report.id;
            assert_eq!(written.contains(mark.as_str()), !withheld, "{mark}");
        }
        // What protects others, and what counsellors noted, is left out.
        for mark in [&planted.it.no_contact.id, &planted.it.offender.reference, &planted.it.conflict.id] {
            assert!(!written.contains(mark.as_str()), "{mark}");
        }
        assert!(written.contains(&planted.it.assessment.id) && !written.contains("planted note"));

        // One that is there stays as it is.
        let (code, _, complaint) = said(&app, &asked);
        assert!(code == 1 && complaint.contains("is there already"), "{complaint}");
        assert_eq!(std::fs::read_to_string(&to).unwrap(), written);
        // Notes, once somebody has decided that.
        let with = directory.path().join("with-notes.json");
        let more = ["export-client", reference, "--to", with.to_str().unwrap(), "--request", "ACCESS-7", "--with-notes"];
        assert_eq!(said(&app, &more).0, 0);
        assert!(std::fs::read_to_string(&with).unwrap().contains("planted note"));
        // Of nobody, nothing is written.
        let nobody = directory.path().join("nobody.json");
        let unknown = aftercare::domain::reference::Reference::from_random([9; 8]);
        let (code, ..) = said(&app, &["export-client", unknown.as_str(), "--to", nobody.to_str().unwrap(), "--request", "A"]);
        assert!(code == 1 && !nobody.exists());
        let (code, _, complaint) = said(&app, &["export-client", reference, "--to", nobody.to_str().unwrap(), "--request", "a b"]);
        assert!(code == 1 && complaint.contains("--request") && !nobody.exists(), "{complaint}");
        let exports: Vec<_> = app.audit().await.into_iter().filter(|it| it.action == "export-client").collect();
        assert_eq!(exports.len(), 2);
        assert!(exports.iter().all(|it| it.subjects.contains(&planted.it.client.id)), "{exports:?}");
    }
}
