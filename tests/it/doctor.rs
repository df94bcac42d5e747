//! `aftercare doctor`: each fault that is planted is found, and something is said about what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::process::{Serving, aftercare, text};

/// An installation that has served.
struct Installation(tempfile::TempDir);

impl Installation {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let it = Self(directory);
        assert_eq!(Serving::start(it.path(), None).end("-TERM").0, Some(0));
        assert!(aftercare(it.path()).args(["keys", "rotate"]).output().unwrap().status.success());
        // What was done meanwhile is sealed.
        assert_eq!(Serving::start(it.path(), None).end("-TERM").0, Some(0));
        it
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// What the doctor says, and with which exit code.
    fn examined(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = aftercare(self.path());
        command.arg("doctor").args(arguments);
        // However full the machine is on which the tests run.
        if !arguments.contains(&"--free") {
            command.args(["--free", "1"]);
        }
        let output = command.output().unwrap();
        (output.status.code(), text(&output))
    }

    /// Says that something is wrong with a thing, and what to do.
    fn is_wrong(&self, thing: &str, says: &str, arguments: &[&str]) {
        let (code, said) = self.examined(arguments);
        assert_eq!(code, Some(3), "{said}");
        let mut lines = said.lines();
        let line = lines.find(|line| line.starts_with(&format!("WRONG {thing} ")));
        assert!(line.is_some_and(|line| line.contains(says)), "{thing}: {says}\n{said}");
        assert!(lines.next().is_some_and(|advice| advice.contains("→ ")), "{said}");
    }

    async fn sql(&self, statement: String) {
        self.sql_in("aftercare.db", statement).await;
    }

    async fn sql_in(&self, file: &str, statement: String) {
        let url = format!("sqlite://{}", self.path().join(file).display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[test]
fn nothing_is_wrong_with_what_is_sound() {
    let it = Installation::new();
    let before = fs::read(it.path().join("aftercare.db")).unwrap();
    let (code, said) = it.examined(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("nothing is wrong\n") && !said.contains("WRONG"), "{said}");
    for thing in
        ["settings", "directory", "keyring", "disk", "database", "schema", "keys", "clock", "jobs", "seals", "audit"]
    {
        assert!(said.lines().any(|line| line.starts_with(&format!("ok    {thing} "))), "{thing}\n{said}");
    }
    assert!(said.contains("look  backup"), "{said}");
    assert_eq!(fs::read(it.path().join("aftercare.db")).unwrap(), before, "it changes nothing");
}

#[test]
fn of_settings_and_files() {
    let it = Installation::new();
    let file = it.path().join("aftercare.toml");
    fs::write(&file, "no_such_setting = 1").unwrap();
    it.is_wrong("settings", "not a configuration", &["--config", file.to_str().unwrap()]);
    it.is_wrong("disk", "are free in", &["--free", "1000000000000"]);
    it.is_wrong("provider", "cannot be reached", &["--issuer", "https://127.0.0.1:1/"]);
    it.is_wrong("tls", "cannot read", &["--tls-cert", "/nowhere.crt", "--tls-key", "/nowhere.key"]);
    fs::set_permissions(it.path(), fs::Permissions::from_mode(0o755)).unwrap();
    it.is_wrong("directory", "others may enter", &[]);
    fs::set_permissions(it.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let copies = it.path().join("backups");
    fs::create_dir(&copies).unwrap();
    fs::write(copies.join("aftercare-20200101T000000Z.db"), "old").unwrap();
    it.is_wrong("backup", "hours ago", &[]);
}

#[test]
fn of_keys() {
    let (it, other) = (Installation::new(), Installation::new());
    let keyring = it.path().join("keyring.toml");
    let own = fs::read(&keyring).unwrap();
    fs::copy(other.path().join("keyring.toml"), &keyring).unwrap();
    it.is_wrong("keys", "not the one of this key store", &[]);
    fs::remove_file(&keyring).unwrap();
    it.is_wrong("keyring", "no keyring.toml", &[]);
    fs::write(&keyring, own).unwrap();
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o644)).unwrap();
    it.is_wrong("keyring", "others may read it", &[]);
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(it.path().join("keys.db"), it.path().join("gone.db")).unwrap();
    it.is_wrong("keys", "key store that is not here", &[]);
    assert!(!it.path().join("keys.db").exists(), "it makes none");
}

#[tokio::test]
async fn of_the_database() {
    let it = Installation::new();
    it.sql(
        "UPDATE job SET state = 'DEAD', dedupe_key = NULL, leased_by = NULL WHERE id = (SELECT MIN(id) FROM job)"
            .into(),
    )
    .await;
    it.is_wrong("jobs", "1 were given up", &[]);
    it.sql("DELETE FROM job WHERE state = 'DEAD'".into()).await;
    // As whoever has the file could.
    let event = "SELECT id FROM audit_event LIMIT 1";
    let trigger = "DROP TRIGGER audit_event_no_update";
    it.sql(format!("{trigger}; UPDATE audit_event SET principal = 'somebody else' WHERE id = ({event})")).await;
    it.is_wrong("audit", "", &[]);
    let (code, said) = it.examined(&["--no-audit"]);
    assert_eq!(code, Some(0), "{said}");
    it.sql(
        "UPDATE audit_event SET occurred_at = occurred_at + 86400000000 WHERE id = (SELECT MAX(id) FROM audit_event)"
            .into(),
    )
    .await;
    it.is_wrong("clock", "something happened already", &["--no-audit"]);
    it.sql("DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)".into()).await;
    let (_, said) = it.examined(&[]);
    assert!(said.contains("look  schema     1 migrations are missing"), "{said}");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'of tomorrow', TRUE, x'00', 0)";
    it.sql(newer.into()).await;
    it.is_wrong("schema", "version 9999", &[]);
    fs::remove_file(it.path().join("aftercare.db")).unwrap();
    it.is_wrong("database", "there is no database", &[]);
    it.is_wrong("database", "", &["--database-url", "postgres://nobody@127.0.0.1:1/nothing"]);
}
