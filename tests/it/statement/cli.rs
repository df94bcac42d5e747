//! `verify-statement` and `rotate-statement-key`, as people call them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use aftercare::usecase::statement::key_set;
use chrono::{DateTime, TimeDelta, Utc};

use super::{claims, key_of, signed};
use crate::on_both_engines;
use crate::support::TestApp;

/// The program, over the data directory and the database of a service.
fn aftercare(app: &TestApp, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.env("AFTERCARE_DATA_DIR", app.data_dir()).env_remove("AFTERCARE_DATABASE_URL").args(arguments);
    if app.db.url.starts_with("postgres") {
        command.env("AFTERCARE_DATABASE_URL", &app.db.url);
    }
    command
}

/// Exit code, what it says, and what it complains about.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn file(directory: &Path, name: &str, content: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

on_both_engines! {
    async fn verify_statement_says_who_stated_what_and_when(app) {
        let key = key_of(&app, &app.data_dir()).await;
        let mut stated = claims(app.now());
        stated.compliance.breach_on = Some("2026-11-20".parse().unwrap());
        stated.corrections = vec!["2026-11-18".parse().unwrap()];
        // The program asks the machine's clock: this one is over for ever.
        (stated.iat, stated.exp) = (at("2026-01-05T04:00:00Z"), at("2026-01-05T18:30:00Z"));
        let good = file(&app.data_dir(), "good", &(key.sign(&stated).unwrap() + "\n"));
        let (code, text, _) = said(&aftercare(&app, &["verify-statement", &good]).output().unwrap());
        let reference = stated.sub.as_str();
        let kid = key.public().kid();
        assert_eq!((code, text.as_str()), (0, format!("\
This statement is genuine: nothing in it was changed.

signed by key      {kid}
order              {reference}
statement          number 1 about this order
made at            2026-01-05 04:00:00 UTC
was valid until    2026-01-05 18:30:00 UTC
as of              2026-11-23
status             COMPLIANT
sessions           2 of 12 credited, 0 not yet recorded
in breach since    2026-11-20
unchanged since    2026-11-23
corrections        2026-11-18
policy             STANDARD, version 1
record             0303030303030303030303030303030303030303030303030303030303030303
").as_str()));

        stated.exp = DateTime::<Utc>::MAX_UTC - TimeDelta::days(365 * 250_000);
        let current = file(&app.data_dir(), "current", &key.sign(&stated).unwrap());
        let (code, text, _) = said(&aftercare(&app, &["verify-statement", &current]).output().unwrap());
        assert!(code == 0 && text.contains("\nvalid until "), "{text}");
    }

    async fn verify_statement_needs_a_key_set_and_nothing_else(app) {
        let directory = tempfile::tempdir().unwrap();
        let good = file(directory.path(), "good", &signed(&app).await);
        let keys = file(directory.path(), "keys", &key_set(app.world().db()).await.unwrap().to_json());
        let alone = directory.path().join("nowhere");
        let offline = |arguments: &[&str], input: Option<&str>| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
            command.env("AFTERCARE_DATA_DIR", &alone).env_remove("AFTERCARE_DATABASE_URL");
            command.arg("verify-statement").args(arguments);
            command.stdin(input.map_or_else(Stdio::null, |path| std::fs::File::open(path).unwrap().into()));
            said(&command.output().unwrap())
        };
        assert_eq!(offline(&[&good, "--keys", &keys], None).0, 0);
        assert_eq!(offline(&["-", "--keys", &keys], Some(&good)).0, 0);
        let (code, _, complaint) = offline(&[&good], None);
        assert!(code == 1 && complaint.contains("there is no database"), "{complaint}");
        assert!(!alone.exists(), "who only checks makes nothing");

        let token = std::fs::read_to_string(&good).unwrap();
        let changed = file(directory.path(), "changed", &token.replacen('.', ".A", 1));
        let foreign = key_of(&app, directory.path()).await.sign(&claims(app.now())).unwrap();
        let foreign = file(directory.path(), "foreign", &foreign);
        let nothing = file(directory.path(), "nothing", "");
        for (statement, keys, why) in [
            (changed.as_str(), keys.as_str(), "its signature is wrong"),
            (&foreign, &keys, "not in the key set: unknown, or revoked"),
            (&nothing, &keys, "this is no signed statement"),
            ("/dev/null/no", &keys, "cannot read /dev/null/no"),
            (&good, &good, "must be a JSON Web Key Set"),
        ] {
            let (code, text, complaint) = offline(&[statement, "--keys", keys], None);
            assert_eq!((code, text.as_str()), (1, ""), "{complaint}");
            assert!(complaint.starts_with("aftercare: ") && complaint.contains(why), "{complaint}");
        }
    }

    async fn rotate_statement_key_retires_and_revokes(app) {
        let directory = tempfile::tempdir().unwrap();
        let old = key_of(&app, &app.data_dir()).await.public().kid();
        let statement = file(directory.path(), "old", &signed(&app).await);
        let verified = || said(&aftercare(&app, &["verify-statement", &statement]).output().unwrap()).0;

        let (code, text, complaint) = said(&aftercare(&app, &["rotate-statement-key"]).output().unwrap());
        let new = key_of(&app, &app.data_dir()).await.public().kid();
        assert_eq!((code, text, complaint), (0, format!("retired {old}\nsigning {new}\n"), String::new()));
        assert_eq!(verified(), 0);

        let revoke = |kid: &str| said(&aftercare(&app, &["rotate-statement-key", "--revoke", kid]).output().unwrap());
        assert_eq!(revoke(old.as_str()), (0, format!("revoked {old}\n"), String::new()));
        assert_eq!(verified(), 1);
        let (code, text, _) = revoke(new.as_str());
        let newest = key_of(&app, &app.data_dir()).await.public().kid();
        assert_eq!((code, text), (0, format!("revoked {new}\nsigning {newest}\n")));
        for unknown in ["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "-PrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"] {
            let (code, _, complaint) = revoke(unknown);
            assert!(code == 1 && complaint.contains("statement key"), "{complaint}");
        }
        assert_eq!(revoke("x").0, 2, "clap's own code for what cannot be read");
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
