//! `retention`, as people call it.

use std::process::Command;

use aftercare::grpc::pb;
use chrono::TimeDelta;

use super::{begin, go, hold, listed, policy, run};
use crate::on_both_engines;
use crate::support::{Ngo, TestApp, date};

/// Exit code, what it says, and what it complains about.
fn said(app: &TestApp, table: &str, arguments: &[&str]) -> (i32, String, String) {
    let config = app.data_dir().join("config.toml");
    std::fs::write(&config, table).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.env("AFTERCARE_DATA_DIR", app.data_dir()).env_remove("AFTERCARE_DATABASE_URL");
    command.env("AFTERCARE_CONFIG", config).arg("retention").args(arguments);
    if app.db.url.starts_with("postgres") {
        command.env("AFTERCARE_DATABASE_URL", &app.db.url);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The same policy as a table of a file. The clock of the command is the machine's: whoever is due by that, is.
fn table(keep_days: u32) -> String {
    format!("[[retention.rules]]\nname = \"SURVIVORS\"\nside = \"SURVIVOR\"\nkeep_days = {keep_days}\n")
}

on_both_engines! {
    async fn a_dry_run_says_who_is_due_and_changes_nothing(app) {
        let mut app = app;
        // So long ago that whoever is there is due by any clock.
        app.clock.set("2020-01-06T04:00:00Z".parse().unwrap());
        let mut ngo = Ngo::new(&app, "A").await;
        let born_on = |it: &mut pb::Client| it.born_on = Some(date("1990-05-06"));
        let one = ngo.client_with(pb::Side::Survivor, born_on).await;
        let kept = ngo.client_with(pb::Side::Survivor, born_on).await;
        hold(&ngo, &kept).await;
        let trail = app.audit().await.len();
        let (code, text, complaint) = said(&app, &table(365), &["--dry-run"]);
        assert_eq!((code, complaint.as_str()), (0, ""));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("policy ") && lines[0].len() == 71, "{text}");
        assert_eq!(lines[1], "rule SURVIVORS due 2 held 1 oldest 2021-01-05");
        assert!(lines.contains(&format!("{}\tSURVIVORS\t2021-01-05\tUNLISTED", one.id).as_str()), "{text}");
        assert!(lines.contains(&format!("{}\tSURVIVORS\t2021-01-05\tHELD LEGAL_HOLD", kept.id).as_str()), "{text}");
        assert_eq!(lines.len(), 4);
        // It has written nothing, not even that.
        assert_eq!(app.audit().await.len(), trail);
        begin(&mut app, policy()).await;
        ngo.sign_in(&app);
        assert!(listed(&ngo.coordinator).await.is_empty());
        go(&app, &mut ngo, TimeDelta::days(370));
        run(&app).await;
        assert_eq!(listed(&ngo.coordinator).await.len(), 1);

        // What is no policy stops every command; what is none at all erases nobody.
        let (code, _, complaint) = said(&app, &table(364), &["--dry-run"]);
        assert!(code == 1 && complaint.contains("keep_days must be 365"), "{complaint}");
        let (code, _, complaint) = said(&app, "[retention]\nkeep = 1\n", &["--dry-run"]);
        assert!(code == 1 && complaint.contains("unknown field"), "{complaint}");
        assert_eq!(said(&app, "", &["--dry-run"]).1, "no policy: nothing is erased\n");
        // The proposal is one that can be put into the file as it is.
        let (code, proposal, _) = said(&app, "", &["--proposal"]);
        assert_eq!(code, 0);
        assert!(said(&app, &proposal, &["--dry-run"]).1.contains("rule OFFENDERS due 0 held 0\n"));
        assert_eq!(said(&app, "", &[]).0, 2);
    }
}
