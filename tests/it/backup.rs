//! Backup and restoration: whatever was acknowledged before a copy was begun is back after everything else is gone, whoever
//! wrote meanwhile; and who follows changes does not go on as if nothing had happened.

mod copies;
mod refusal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use aftercare::grpc::pb;
use aftercare::store::Target;
use tokio::sync::watch;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::process::{aftercare, text};
use crate::support::{Actor, Engine, Ngo, TestApp, TestDb, book, booking, refused, tool};

/// A command of the program over the database of a service.
fn command(app: &TestApp, arguments: &[&str]) -> Command {
    let mut command = aftercare(&app.data_dir());
    command.args(arguments);
    if matches!(app.db.target, Target::Postgres(_)) {
        command.args(["--database-url", &app.db.url]);
    }
    command
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    text(output)
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Copies of the data and of the keys, in places of their own.
struct Copies {
    data: PathBuf,
    keys: PathBuf,
}

impl Copies {
    fn at(place: &Path) -> Self {
        Self { data: place.join("data"), keys: place.join("keys") }
    }

    /// While the service serves.
    async fn take(&self, app: &TestApp) {
        let [data, keys] = [&self.data, &self.keys].map(|it| it.to_str().unwrap());
        if matches!(app.db.target, Target::Sqlite(_)) {
            done(&run(command(app, &["backup", "--to", data, "--keys-to", keys])).await);
            return;
        }
        let mut dump = tool("AFTERCARE_TEST_PG_DUMP");
        dump.args(["--format", "custom", "--file", data, &app.db.url]);
        done(&run(dump).await);
        done(&run(command(app, &["backup", "--keys-to", keys])).await);
    }

    /// After everything is gone; what is said of it.
    async fn restore(&self, app: &mut TestApp) -> String {
        let [data, keys] = [&self.data, &self.keys].map(|it| it.to_str().unwrap());
        if matches!(app.db.target, Target::Sqlite(_)) {
            return done(&run(command(app, &["restore", data, "--keys-from", keys])).await);
        }
        app.db = TestDb::create_empty(Engine::Postgres, &app.data_dir()).await;
        let mut back = tool("AFTERCARE_TEST_PG_RESTORE");
        back.args(["--no-owner", "--exit-on-error", "--dbname", &app.db.url, data]);
        done(&run(back).await);
        done(&run(command(app, &["restore", "--adopt", "--keys-from", keys])).await)
    }
}

/// Somebody who books one session after the other until there is no time left.
struct Load {
    acknowledged: watch::Receiver<Vec<pb::Session>>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    fn start(actor: Actor, requests: Vec<pb::BookSessionRequest>) -> Self {
        let (tell, acknowledged) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            for request in requests {
                let session = book(&actor, request).await.unwrap();
                tell.send_modify(|all| all.push(session));
            }
        });
        Self { acknowledged, task }
    }

    /// How many are acknowledged, once it is so many.
    async fn reached(&mut self, count: usize) -> usize {
        self.acknowledged.wait_for(|all| all.len() >= count).await.unwrap().len()
    }

    async fn end(self) -> Vec<pb::Session> {
        self.task.await.unwrap();
        self.acknowledged.borrow().clone()
    }
}

/// An hour each, on forty days.
fn requests(ngo: &Ngo, counsellor: &pb::Counsellor, client: &pb::Client) -> Vec<pb::BookSessionRequest> {
    let monday: chrono::NaiveDate = "2026-11-30".parse().unwrap();
    let days = monday.iter_days().take(40);
    let times = days.flat_map(|day| (4..12).map(move |hour| format!("{day}T{hour:02}:00:00Z")));
    times.map(|start| booking(ngo, counsellor, client, &start)).collect()
}

async fn get(actor: &Actor, session: &pb::Session) -> Result<pb::Session, Status> {
    let request = pb::GetSessionRequest { session_id: session.id.clone() };
    Ok(actor.scheduling().get_session(request).await?.into_inner().session.unwrap())
}

async fn cursor(actor: &Actor) -> String {
    let request = pb::ListSessionsRequest { page_size: 1, ..Default::default() };
    actor.scheduling().list_sessions(request).await.unwrap().into_inner().watch_cursor
}

/// Why a stream from a cursor on ended.
async fn end_of(actor: &Actor, cursor: String) -> Status {
    let watching = actor.scheduling().watch_sessions(pb::WatchSessionsRequest { cursor }).await;
    let mut watching = match watching {
        Err(status) => return status,
        Ok(watching) => watching.into_inner(),
    };
    let patience = std::time::Duration::from_secs(60);
    loop {
        let message =
            tokio::time::timeout(patience, watching.message()).await.expect("a message, or why there is none");
        if let Err(status) = message {
            return status;
        }
    }
}

/// Whoever has lost the machine has lost this.
fn destroy(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => fs::remove_dir_all(entry.path()).unwrap(),
            false => fs::remove_file(entry.path()).unwrap(),
        }
    }
}

on_both_engines! {
    async fn what_was_acknowledged_before_a_copy_is_back_after_everything_is_gone(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let unloaded = |counsellor: &mut pb::Counsellor| (counsellor.daily_limit, counsellor.weekly_limit) = (None, None);
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, unloaded).await;
        let client = ngo.survivor().await;
        let elsewhere = tempfile::tempdir().unwrap();
        let copies = Copies::at(elsewhere.path());
        let early = cursor(&ngo.coordinator).await;
        let mut requests = requests(&ngo, &counsellor, &client);
        let afterwards = requests.pop().unwrap();
        let mut load = Load::start(ngo.coordinator.clone(), requests);
        let before = load.reached(5).await;
        copies.take(&app).await;
        let meanwhile = load.acknowledged.borrow().len();
        assert!(meanwhile > before, "nobody waited for the copy");
        let mut booked = load.end().await;
        booked.push(book(&ngo.coordinator, afterwards).await.unwrap());
        let late = cursor(&ngo.coordinator).await;

        app.stop().await;
        destroy(&app.data_dir());
        let said = copies.restore(&mut app).await;
        app.restart().await;
        let me = ngo.another_coordinator(&app);
        for session in &booked[..before] {
            assert_eq!(get(&me, session).await.unwrap(), *session);
        }
        let mut lost: Vec<&pb::Session> = Vec::new();
        for session in &booked[before..] {
            match get(&me, session).await {
                Ok(found) => assert_eq!(found, *session),
                Err(status) => {
                    assert_eq!(status.code(), Code::NotFound);
                    lost.push(session);
                }
            }
        }
        // One instant: whatever is lost came after whatever is not.
        assert!(!lost.is_empty());
        assert_eq!(lost, booked[booked.len() - lost.len()..].iter().collect::<Vec<_>>());
        assert!(said.contains("has to be decided again"), "{said}");
        // Texts about people open with the keys that came back.
        let request = pb::GetClientRequest { client_id: client.id.clone() };
        let found = me.clients().get_client(request).await.unwrap().into_inner().client.unwrap();
        assert_eq!(found.name, client.name);
        // What was lost can be booked again, and what was not still keeps its time.
        let again = |session: &pb::Session| pb::BookSessionRequest {
            starts_at: session.starts_at,
            ..booking(&ngo, &counsellor, &client, crate::support::MONDAY)
        };
        book(&me, again(lost[0])).await.unwrap();
        assert!(!refused(&book(&me, again(&booked[0])).await.unwrap_err()).items.is_empty());
        for cursor in [early, late] {
            assert_eq!(refused(&end_of(&me, cursor).await).reason, "CURSOR_EXPIRED");
        }
        let told = app.audit().await;
        assert_eq!(told.iter().filter(|it| it.action == "restore" && it.details.contains("RESTORED")).count(), 1);
        app.stop().await;
        let checked = run(command(&app, &["verify-audit"])).await;
        assert!(text(&checked).contains("nothing is wrong"), "{}", text(&checked));
        assert_eq!(checked.status.code(), Some(0));
    }
}

/// What a file of copies is called.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = entries.filter(|name| name != ".lock").collect();
    names.sort();
    names
}

/// A service over a file, with somebody in it.
async fn small() -> (TestApp, Ngo, pb::Client) {
    let app = TestApp::start(Engine::Sqlite).await;
    let ngo = Ngo::new(&app, "A").await;
    let client = ngo.survivor().await;
    (app, ngo, client)
}

/// The configuration of a service over a file.
fn config(app: &TestApp) -> Arc<aftercare::config::Config> {
    let settings = aftercare::config::Settings { data_dir: Some(app.data_dir()), ..Default::default() };
    Arc::new(aftercare::config::Config::new(settings).unwrap())
}
