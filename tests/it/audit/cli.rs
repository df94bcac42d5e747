//! `verify-audit` and `audit-head`, as people call them.

use std::path::Path;
use std::process::Command;

use aftercare::auth::{audit_key, known_audit_key};
use aftercare::domain::audit::head::Exported;
use aftercare::domain::statement::KeySet;
use aftercare::rng::SeededRng;

use super::tamper::Tampering;
use super::{acts, head, own_key};
use crate::on_both_engines;
use crate::support::TestApp;

/// Exit code, what it says, and what it complains about.
fn said(app: &TestApp, data_dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.env("AFTERCARE_DATA_DIR", data_dir).env_remove("AFTERCARE_DATABASE_URL").args(arguments);
    if app.db.url.starts_with("postgres") {
        command.env("AFTERCARE_DATABASE_URL", &app.db.url);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(directory: &Path, name: &str, content: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

on_both_engines! {
    async fn verify_audit_says_what_it_trusted_and_what_is_wrong(app) {
        let mut app = app;
        acts(&app).await;
        app.stop().await;
        let own = app.data_dir();
        let verify = |more: &[&str]| said(&app, &own, &[&["verify-audit"], more].concat());
        let (kid, end) = (own_key(&app).kid(), head(&app).await.head.head.position);
        let (code, text, complaint) = verify(&[]);
        assert_eq!((code, complaint.as_str()), (0, ""), "{text}");
        assert!(text.contains(&format!("trusted    key {kid} of {}\n", own.display())), "{text}");
        assert!(text.contains(&format!("proven     up to position {end} ")) && text.ends_with("nothing is wrong\n"), "{text}");

        // Without the key of this process, the database alone vouches for itself.
        let aside = own.join("aside.key");
        std::fs::rename(own.join("audit.key"), &aside).unwrap();
        let (code, text, _) = verify(&[]);
        assert_eq!(code, 4);
        assert!(text.contains("trusted    no key\nunproven   positions 1 to ") && text.contains("prove little"), "{text}");
        assert!(!own.join("audit.key").exists(), "who only checks makes nothing");
        let keys = file(&own, "keys", &KeySet::new([head(&app).await.key]).to_json());
        let (code, text, _) = verify(&["--key", &keys]);
        assert!(code == 0 && text.contains(&format!("trusted    key {kid} from {keys}\n")), "{text}");

        // A head that was kept elsewhere.
        let (code, kept, _) = said(&app, &own, &["audit-head"]);
        assert_eq!(code, 0);
        assert_eq!(Exported::parse(kept.as_bytes()), Ok(head(&app).await));
        let kept_file = file(&own, "head", &kept);
        let (code, text, _) = verify(&["--head", &kept_file]);
        assert!(code == 0 && text.contains("of the kept head\n"), "{text}");
        assert_eq!(verify(&["--head", &kept_file, "--key", &keys]).0, 0);
        assert_eq!(verify(&["--head", &kept_file, "--key", &kept_file]).0, 0);

        // Forged heads: changed, cut short, and made with another key.
        let forger = tempfile::tempdir().unwrap();
        let foreign = audit_key(forger.path(), &SeededRng::from_seed(99)).unwrap();
        let mut forged = head(&app).await;
        forged.head.head.kid = foreign.public().kid();
        let forged = Exported { head: forged.head.head.sign(&foreign), key: foreign.public() };
        let forged = file(forger.path(), "forged", &forged.to_json());
        let changed = file(forger.path(), "changed", &kept.replacen(".ey", ".ez", 1));
        let nothing = file(forger.path(), "nothing", "{}");
        for (kept, keys, says) in [
            (&forged, None, "is unknown to this database"),
            (&forged, Some(&keys), "is not among the keys to be trusted"),
            (&changed, None, "kept head: it"),
            (&nothing, None, "it has not the form"),
        ] {
            let more: Vec<&str> = ["--head", kept].into_iter().chain(keys.into_iter().flat_map(|it| ["--key", it])).collect();
            let (code, text, _) = verify(&more);
            assert!(code == 3 && text.contains("WRONG      ") && text.contains(says), "{code} {text}");
        }
        assert_eq!(verify(&["--head", "/dev/null/no"]).0, 1);
        assert_eq!(verify(&["--what"]).0, 2);

        // Something is changed, and found.
        Tampering::begin(&app).await.run("UPDATE audit_event SET principal = 'x' WHERE id = (SELECT event_id
            FROM audit_seal WHERE position = 2)").await;
        let (code, text, _) = verify(&["--head", &kept_file]);
        assert!(code == 3 && text.contains("WRONG      position 2: the event or its seal was changed"), "{text}");
    }

    async fn who_only_checks_makes_nothing(app) {
        let nowhere = tempfile::tempdir().unwrap();
        for command in ["verify-audit", "audit-head"] {
            if app.db.url.starts_with("postgres") {
                continue;
            }
            let (code, _, complaint) = said(&app, &nowhere.path().join("no"), &[command]);
            assert!(code == 1 && complaint.contains("there is no database"), "{complaint}");
        }
        assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0);
        assert!(known_audit_key(nowhere.path()).unwrap().is_none());
    }
}
