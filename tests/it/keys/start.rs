//! What a process says that finds the keys of another installation, or none.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use aftercare::store::Target;

use super::{apart, cli};
use crate::on_both_engines;
use crate::support::{Ngo, TestApp};

/// What the start of a process says, after something was done to a stopped service.
async fn says(app: &mut TestApp, spoil: impl FnOnce(&TestApp)) -> String {
    app.stop().await;
    spoil(app);
    let (well, says) = cli(app, &["migrate"]);
    assert!(!well, "{says}");
    says
}

on_both_engines! {
    async fn a_missing_keyring_is_not_replaced(app) {
        let mut app = apart(app).await;
        let keyring = app.data_dir().join("keyring.toml");
        let text = says(&mut app, |_| fs::rename(&keyring, keyring.with_extension("away")).unwrap()).await;
        assert!(text.contains("keyring.toml is missing: restore it"), "{text}");
        assert!(!keyring.exists());
        fs::rename(keyring.with_extension("away"), &keyring).unwrap();
        assert!(cli(&app, &["migrate"]).0);
    }

    async fn another_keyring_is_refused(app) {
        let mut app = apart(app).await;
        let other = TestApp::start(crate::support::Engine::Sqlite).await;
        let text = says(&mut app, |app| {
            fs::copy(other.data_dir().join("keyring.toml"), app.data_dir().join("keyring.toml")).unwrap();
        })
        .await;
        assert!(text.contains("is not the one of this key store"), "{text}");
        // Nor one with another key under the same id.
        let text = says(&mut app, |app| {
            let (_, listed) = cli(&other, &["keys", "list"]);
            let stranger = listed.split('\t').next().unwrap().to_owned();
            let keyring = app.data_dir().join("keyring.toml");
            let text = fs::read_to_string(&keyring).unwrap();
            assert!(text.contains(&stranger));
            fs::write(&keyring, text.replace(&stranger, "0193a5e0-0000-7000-8000-000000000009")).unwrap();
        })
        .await;
        assert!(text.contains("is not the one of this key store"), "{text}");
    }

    async fn a_keyring_that_others_can_read_is_refused(app) {
        let mut app = apart(app).await;
        let keyring = app.data_dir().join("keyring.toml");
        assert_eq!(fs::metadata(&keyring).unwrap().permissions().mode() & 0o777, 0o600);
        let text =
            says(&mut app, |_| fs::set_permissions(&keyring, fs::Permissions::from_mode(0o640)).unwrap()).await;
        assert!(text.contains("others may read it"), "{text}");
        let secret = fs::read_to_string(&keyring).unwrap();
        let secret = secret.split("secret = \"").nth(1).unwrap().split('"').next().unwrap();
        assert!(!text.contains(secret));
        // What is no keyring is said, and not quoted.
        fs::set_permissions(&keyring, fs::Permissions::from_mode(0o600)).unwrap();
        let text = says(&mut app, |_| fs::write(&keyring, format!("[[key]]\nid = \"{secret}\"\n")).unwrap()).await;
        assert!(text.contains("does not have the form of a keyring") && !text.contains(secret), "{text}");
    }

    async fn a_lost_key_store_is_not_replaced(app) {
        let keys = app.data_dir().join("keys.db");
        assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
        let mut app = app;
        Ngo::new(&app, "A").await;
        let text = says(&mut app, |app| {
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(app.data_dir().join(format!("keys.db{suffix}")));
            }
        })
        .await;
        assert!(text.contains("a key store that is not here"), "{text}");
        assert!(!keys.exists());
    }

    async fn another_key_store_is_refused(app) {
        let mut app = apart(app).await;
        let other = TestApp::start(crate::support::Engine::Sqlite).await;
        // By file, whatever the variable said before.
        app.db.key_store_url = None;
        let text = says(&mut app, |app| {
            // Those of another installation, with its keyring.
            for file in ["keys.db", "keys.db-wal", "keyring.toml"] {
                let _ = fs::copy(other.data_dir().join(file), app.data_dir().join(file));
            }
            assert!(matches!(other.db.key_store, Target::Sqlite(_)));
        })
        .await;
        assert!(text.contains("this database's keys are in another key store"), "{text}");
    }
}

#[test]
fn the_key_store_is_another_database_than_the_data() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_aftercare"));
    let url = "postgres://nobody@127.0.0.1:1/example";
    let output = command.args(["migrate", "--database-url", url, "--key-store-url", url]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("must be another database than the data"), "{text}");
}
