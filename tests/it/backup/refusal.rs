//! What is not restored, and not copied: each is said in words, and changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use aftercare::app::backup_of;
use aftercare::usecase::backup::take;
use sqlx::{Connection, SqliteConnection};

use super::{Copies, command, config, destroy, names, run, small};
use crate::process::{aftercare, text};
use crate::support::{Engine, TestApp};

/// A service, copies of it, and a directory in which it can be restored.
struct Scene {
    app: TestApp,
    copies: Copies,
    place: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let (app, _, _) = small().await;
        let place = tempfile::tempdir().unwrap();
        let copies = Copies::at(place.path());
        copies.take(&app).await;
        Self { app, copies, place }
    }

    fn new_home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    fn copy(&self) -> PathBuf {
        let file = names(&self.copies.data).into_iter().find(|name| name.ends_with(".db")).unwrap();
        self.copies.data.join(file)
    }

    fn forget_digest(&self) {
        fs::remove_file(format!("{}.sha256", self.copy().display())).unwrap();
    }

    /// What is said to who restores; nothing is there then.
    async fn refusal(&self, keys_from: Option<&Path>) -> String {
        let mut command = aftercare(&self.new_home());
        command.arg("restore").arg(&self.copies.data);
        if let Some(keys) = keys_from {
            command.arg("--keys-from").arg(keys);
        }
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        if self.new_home().exists() {
            assert_eq!(names(&self.new_home()), ["aftercare.lock"], "{}", text(&output));
        }
        text(&output)
    }

    async fn refusal_with_keys(&self) -> String {
        self.refusal(Some(&self.copies.keys)).await
    }
}

#[tokio::test]
async fn nothing_is_put_over_what_is_there() {
    let scene = Scene::new().await;
    let [data, keys] = [&scene.copies.data, &scene.copies.keys].map(|it| it.to_str().unwrap());
    let before = fs::read(scene.app.data_dir().join("keyring.toml")).unwrap();
    let output = run(command(&scene.app, &["restore", data, "--keys-from", keys])).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("aftercare.db already"), "{}", text(&output));
    // Keys neither, where the data is gone and they are not.
    let home = scene.new_home();
    fs::create_dir(&home).unwrap();
    fs::write(home.join("keyring.toml"), "its own").unwrap();
    let mut again = aftercare(&home);
    let output = run({
        again.args(["restore", data, "--keys-from", keys]);
        again
    })
    .await;
    assert!(text(&output).contains("keyring.toml already"), "{}", text(&output));
    assert_eq!(names(&home), ["keyring.toml"]);
    assert_eq!(fs::read_to_string(home.join("keyring.toml")).unwrap(), "its own");
    assert_eq!(fs::read(scene.app.data_dir().join("keyring.toml")).unwrap(), before);
}

#[tokio::test]
async fn data_does_not_come_back_without_its_keys() {
    let scene = Scene::new().await;
    assert!(scene.refusal(None).await.contains("key store that is not here"));
    let (other, _, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let others = Copies::at(place.path());
    others.take(&other).await;
    assert!(scene.refusal(Some(&others.keys)).await.contains("another key store"));
    assert!(scene.refusal(Some(place.path())).await.contains("keyring.toml"));
}

#[tokio::test]
async fn a_copy_that_changed_is_not_restored() {
    let scene = Scene::new().await;
    let file = scene.copy();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(scene.refusal_with_keys().await.contains("SHA-256"));
    scene.forget_digest();
    fs::write(&file, &bytes[..middle]).unwrap();
    assert!(scene.refusal_with_keys().await.contains("is damaged: database disk image is malformed"));
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_named() {
    let scene = Scene::new().await;
    scene.forget_digest();
    let url = |file: &Path| format!("sqlite://{}", file.display());
    for file in [scene.copy(), scene.app.data_dir().join("aftercare.db")] {
        let mut connection = SqliteConnection::connect(&url(&file)).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (9999, 'of tomorrow', TRUE, x'00', 0)";
        sqlx::query(newer).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
    assert!(scene.refusal_with_keys().await.contains("newer program has brought the schema to version 9999"));
    let mut serving = aftercare(&scene.app.data_dir());
    serving.args(["serve", "--listen", "127.0.0.1:0"]);
    let output = run(serving).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("newer program"), "{}", text(&output));
}

#[tokio::test]
async fn what_cannot_be_copied_says_why() {
    let scene = Scene::new().await;
    let app = &scene.app;
    let mut wanted = backup_of(&config(app)).unwrap();
    (wanted.to, wanted.keys_to) = (None, None);
    assert!(take(&wanted, app.now()).await.unwrap_err().to_string().contains("--to"));
    let place = tempfile::tempdir().unwrap();
    let [data, inside] = [place.path().join("copies"), place.path().join("copies/keys")];
    (wanted.to, wanted.keys_to) = (Some(data.clone()), Some(inside));
    assert!(take(&wanted, app.now()).await.unwrap_err().to_string().contains("in one another"));
    assert!(names(&data).iter().all(|name| name == "keys"), "{:?}", names(&data));
    let missing = tempfile::tempdir().unwrap();
    let mut nothing = aftercare(missing.path());
    nothing.arg("backup");
    let output = run(nothing).await;
    assert!(text(&output).contains("there is no "), "{}", text(&output));
    assert!(!missing.path().join("aftercare.db").exists());
    let on_server = TestApp::start(Engine::Postgres).await;
    for arguments in [&["backup"][..], &["restore", "x"]] {
        let output = run(command(&on_server, arguments)).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output).contains("pg_dump"), "{}", text(&output));
    }
    destroy(place.path());
}
