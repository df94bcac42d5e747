//! An installation as it runs in the field: processes of the program over one database, each behind a wire that can be
//! cut, with a clock and a disk that can fail, and on PostgreSQL a server that can be killed.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use aftercare::auth::{Builtin, Grant};
use aftercare::domain::access::Authority;
use aftercare::rng::SeededRng;
use aftercare::store::Target;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

use super::app::TestApp;
use super::db::{Engine, TestDb};
use super::dial::Dial;
use super::proxy::Proxy;
use super::server::{Server, url};
use crate::process::{Serving, aftercare};

/// Callers are held to no rate, and jobs are done by whoever comes first.
const SETTINGS: &str = "
[limits]
read = { per_minute = 0, burst = 1 }
write = { per_minute = 0, burst = 1 }
search = { per_minute = 0, burst = 1 }
disclosure = { per_minute = 0, burst = 1 }
police = { per_minute = 0, burst = 1 }
export = { per_minute = 0, burst = 1 }
stream = { per_minute = 0, burst = 1 }
open_streams = 0
";

const DATABASE: &str = "aftercare";

/// The whole of it.
pub struct House {
    pub engine: Engine,
    pub dial: Dial,
    pub services: Vec<Service>,
    /// Between the services and their database.
    pub wire: Option<Proxy>,
    pub server: Option<tokio::sync::Mutex<Server>>,
    issuer: Builtin,
    directory: tempfile::TempDir,
    /// What processes that have ended had logged as errors.
    errors: Mutex<Vec<String>>,
}

/// One process, and how it is reached.
pub struct Service {
    pub front: Proxy,
    running: Mutex<Option<Serving>>,
}

impl Service {
    /// Sends the process a signal that does not end it.
    pub fn signal(&self, signal: &str) {
        self.running.lock().unwrap().as_ref().unwrap().signal(signal);
    }
}

impl House {
    /// With so many processes that do not run yet.
    pub async fn build(engine: Engine, processes: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // The server's own user has to pass.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(directory.path().join("aftercare.toml"), SETTINGS).unwrap();
        let server = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let server = Server::start(directory.path()).await;
                server.run("postgres", &format!("CREATE DATABASE {DATABASE}")).await;
                Some(server)
            }
        };
        let wire = match &server {
            None => None,
            Some(server) => Some(Proxy::open(Some(server.address())).await),
        };
        let mut services = Vec::new();
        for _ in 0..processes {
            services.push(Service { front: Proxy::open(None).await, running: Mutex::default() });
        }
        let dial = Dial::new(directory.path());
        let data_dir = directory.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let issuer = Builtin::open(&data_dir, &SeededRng::from_system()).unwrap();
        let server = server.map(tokio::sync::Mutex::new);
        Self { engine, dial, services, wire, server, issuer, directory, errors: Mutex::default() }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The database as it is reached without any wire.
    pub async fn database(&self) -> TestDb {
        let key_store = Target::Sqlite(self.data_dir().join("keys.db"));
        let (target, url) = match &self.server {
            None => {
                let file = self.data_dir().join("aftercare.db");
                (Target::Sqlite(file.clone()), format!("sqlite://{}", file.display()))
            }
            Some(server) => {
                let url = server.lock().await.url(DATABASE);
                (Target::Postgres(url.clone().into()), url)
            }
        };
        TestDb { target, url, key_store, key_store_url: None }
    }

    /// A service inside the test, beside the processes or without them, that takes it for the same time.
    pub async fn app(&self) -> TestApp {
        TestApp::start_at(self.data_dir(), self.database().await, self.dial.now()).await
    }

    /// Changes the schema, past the service.
    pub async fn spoil(&self, sqlite: &'static str, postgres: &'static str) {
        match &self.server {
            Some(server) => server.lock().await.run(DATABASE, postgres).await,
            None => {
                use sqlx::Connection;
                let mut connection = sqlx::SqliteConnection::connect(&self.database().await.url).await.unwrap();
                sqlx::raw_sql(sqlite).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// A command of the program over the database, by the wire.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = aftercare(&self.data_dir());
        command.args(arguments).arg("--config").arg(self.directory.path().join("aftercare.toml"));
        if let Some(wire) = &self.wire {
            command.args(["--database-url", &url(wire.address, DATABASE)]);
        }
        self.dial.attach(&mut command);
        command
    }

    /// Starts a process, however often that takes.
    pub async fn start(&self, which: usize) {
        self.start_with(which, &[]).await;
    }

    /// The same, with more arguments.
    pub async fn start_with(&self, which: usize, arguments: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let serving = loop {
            let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
            command.args(arguments);
            let begun = tokio::task::spawn_blocking(move || Serving::begin(command)).await.unwrap();
            match begun {
                Ok(serving) => break serving,
                Err(said) => assert!(Instant::now() < deadline, "it does not start: {said}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let service = &self.services[which];
        service.front.lead_to(Some(serving.address()));
        *service.running.lock().unwrap() = Some(serving);
    }

    /// Ends a process by a signal, whose wire leads nowhere from then on; its exit code and its log, if it ran.
    pub async fn end(&self, which: usize, signal: &'static str) -> Option<(Option<i32>, String)> {
        let service = &self.services[which];
        let serving = service.running.lock().unwrap().take()?;
        let ended = tokio::task::spawn_blocking(move || serving.end(signal)).await.unwrap();
        service.front.lead_to(None);
        let errors = ended.1.lines().filter(|line| line.contains("\"level\":\"ERROR\"")).map(ToOwned::to_owned);
        self.errors.lock().unwrap().extend(errors);
        Some(ended)
    }

    /// What has been logged as an error since this was last asked.
    pub fn errors(&self) -> Vec<String> {
        std::mem::take(&mut self.errors.lock().unwrap())
    }

    /// A token that is good however the clock was stepped by minutes.
    pub fn token(&self, principal: &str, authority: Authority, now: DateTime<Utc>) -> String {
        let (principal, at) = (principal.into(), now - TimeDelta::hours(6));
        let grant =
            Grant { principal, authority: Some(authority), at, life: TimeDelta::hours(24), id: uuid::Uuid::nil() };
        self.issuer.issue(&grant).unwrap()
    }
}

/// Connects when it is needed, and again when it has to.
pub fn channel(address: SocketAddr, patience: Duration) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(patience).connect_lazy()
}
