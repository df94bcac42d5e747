//! The service over a real channel, with a clock that moves when it is told to.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::Duration;

use aftercare::app::App;
use aftercare::auth::{Builtin, Grant};
use aftercare::clock::{Clock, ManualClock};
use aftercare::config::{Backup, BackupTable, Config, Limits, LogFormat, Provider, Tls};
use aftercare::domain::access::Authority;
use aftercare::domain::limit::Quotas;
use aftercare::domain::retention::Policy;
use aftercare::jobs::{self, Handler, Worker};
use aftercare::rng::SeededRng;
use aftercare::store::{Db, Keys};
use aftercare::usecase::World;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::actor::Actor;
use super::chance::Chance;
use super::db::{Engine, TestDb};
use super::plant::Plant;

/// A running service.
pub struct TestApp {
    pub db: TestDb,
    pub clock: Arc<ManualClock>,
    pub chance: Arc<Chance>,
    pub address: SocketAddr,
    issuer: Builtin,
    world: World,
    channel: Channel,
    plant: OnceLock<Arc<Plant>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    directory: Place,
}

/// Its data directory: its own, or one that somebody else removes.
enum Place {
    Own(tempfile::TempDir),
    Lent(PathBuf),
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Own(directory) => directory.path(),
            Self::Lent(path) => path,
        }
    }
}

/// A row of the audit trail.
#[derive(Debug, sqlx::FromRow)]
pub struct Audited {
    pub role: String,
    pub action: String,
    pub outcome: String,
    pub details: String,
    pub subjects: String,
}

/// How a process lets people in; unless told otherwise with its own tokens, in the clear.
pub struct Door {
    pub provider: Option<Provider>,
    pub tls: Option<Tls>,
    pub limits: Limits,
    pub quotas: Quotas,
    pub retention: Policy,
}

/// Callers are held to no rate.
impl Default for Door {
    fn default() -> Self {
        Self { provider: None, tls: None, limits: Limits::default(), quotas: Quotas::OFF, retention: Policy::default() }
    }
}

/// Another process over the database of a [`TestApp`].
pub struct Beside {
    pub address: SocketAddr,
    channel: Channel,
    directory: Option<tempfile::TempDir>,
    _running: (oneshot::Sender<()>, JoinHandle<()>),
}

impl Beside {
    /// Its data directory, if it has one of its own.
    pub fn data_dir(&self) -> PathBuf {
        self.directory.as_ref().unwrap().path().to_path_buf()
    }

    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub fn bearer(&self, token: String) -> Actor {
        Actor::of(token, self.channel.clone(), None)
    }
}

/// The tests begin on a Monday, at 09:30 in Asia/Kolkata.
pub const MONDAY: &str = "2026-11-23T04:00:00Z";

/// Where questionnaires are that a test adds.
const INSTRUMENTS: &str = "instruments";

impl TestApp {
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, Chance::next()).await
    }

    /// A service whose ids, references and keys are those of every other of this seed that does the same.
    pub async fn start_seeded(engine: Engine, seed: u64) -> Self {
        Self::start_with(engine, Chance::of(seed)).await
    }

    /// A service to which these questionnaires are added: names of files, and what is in them.
    pub async fn start_with_instruments(engine: Engine, files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(INSTRUMENTS)).unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(INSTRUMENTS).join(name), text).unwrap();
        }
        Self::start_in(directory, engine, Chance::next()).await
    }

    async fn start_with(engine: Engine, chance: Arc<Chance>) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), engine, chance).await
    }

    /// A service whose keys are in a second PostgreSQL database.
    pub async fn start_with_key_database(engine: Engine) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let db = TestDb::create(engine, directory.path()).await.with_key_database(directory.path()).await;
        Self::start_over(directory, db, Chance::next()).await
    }

    async fn start_in(directory: tempfile::TempDir, engine: Engine, chance: Arc<Chance>) -> Self {
        let db = TestDb::create(engine, directory.path()).await;
        Self::start_over(directory, db, chance).await
    }

    /// A service over a database and a data directory that are there, at some time.
    pub async fn start_at(data_dir: PathBuf, db: TestDb, now: DateTime<Utc>) -> Self {
        Self::start_there(Place::Lent(data_dir), db, Chance::of_machine(), now).await
    }

    async fn start_over(directory: tempfile::TempDir, db: TestDb, chance: Arc<Chance>) -> Self {
        Self::start_there(Place::Own(directory), db, chance, MONDAY.parse().unwrap()).await
    }

    async fn start_there(directory: Place, db: TestDb, chance: Arc<Chance>, now: DateTime<Utc>) -> Self {
        log_to_be_searched();
        let clock = Arc::new(ManualClock::at(now));
        let issuer = Builtin::open(directory.path(), &SeededRng::from_seed(1)).unwrap();
        let (address, world, channel, running) = run(&db, directory.path(), &clock, &chance, Door::default()).await;
        Self {
            db,
            clock,
            chance,
            address,
            issuer,
            world,
            channel,
            plant: OnceLock::new(),
            running: Some(running),
            directory,
        }
    }

    /// Stops the service and starts it again over the same database.
    pub async fn restart(&mut self) {
        self.restart_with(Door::default()).await;
    }

    /// The same, with another door.
    pub async fn restart_with(&mut self, door: Door) {
        self.stop().await;
        self.chance = Chance::next();
        let (address, world, channel, running) =
            run(&self.db, self.directory.path(), &self.clock, &self.chance, door).await;
        (self.address, self.world, self.channel, self.running) = (address, world, channel, Some(running));
    }

    /// A second process over the same database.
    pub async fn beside(&self) -> Beside {
        self.run_beside(self.directory.path(), None, Door::default()).await
    }

    /// The same, with another door.
    pub async fn beside_with(&self, door: Door) -> Beside {
        self.run_beside(self.directory.path(), None, door).await
    }

    /// The same with a data directory of its own, as on another machine that takes the same tokens and has the same
    /// keyring.
    pub async fn elsewhere(&self) -> Beside {
        let directory = tempfile::tempdir().unwrap();
        for shared in ["issuer.key", "keyring.toml"] {
            std::fs::copy(self.data_dir().join(shared), directory.path().join(shared)).unwrap();
        }
        let data_dir = directory.path().to_path_buf();
        self.run_beside(&data_dir, Some(directory), Door::default()).await
    }

    /// A second process over the same database, which holds its callers to these quotas.
    pub async fn held_to(&self, quotas: Quotas) -> Beside {
        self.beside_with(Door { quotas, ..Door::default() }).await
    }

    async fn run_beside(&self, data_dir: &Path, directory: Option<tempfile::TempDir>, door: Door) -> Beside {
        let (address, _, channel, running) = run(&self.db, data_dir, &self.clock, &Chance::next(), door).await;
        Beside { address, channel, directory, _running: running }
    }

    pub async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            drop(stop);
            task.await.unwrap();
        }
    }

    /// From now on, plants in every personal text that its callers send.
    pub fn plant(&self) -> Arc<Plant> {
        self.plant.get_or_init(Arc::default).clone()
    }

    /// The world the service acts on, for what no caller asks for.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What another process has of the same database, without a service.
    pub async fn another_world(&self, connections: u32, seed: u64) -> World {
        let db = Db::open(&self.db.target, connections).await.unwrap();
        let rng = Arc::new(SeededRng::from_seed(seed));
        let db = db.unlock(&self.keys(), self.clock.clone(), rng.clone()).await.unwrap();
        World::open(db, self.clock.clone(), rng, self.world.instruments().clone()).await.unwrap()
    }

    /// Where the keys of its database are.
    pub fn keys(&self) -> Keys {
        self.db.keys(self.directory.path())
    }

    /// Does every job that is due, and those that follow from them now. Nothing else does any.
    pub async fn run_jobs(&self) {
        self.run_jobs_with(&jobs::all()).await;
    }

    /// As [`Self::run_jobs`], with handlers of the test.
    pub async fn run_jobs_with(&self, handlers: &[Handler]) {
        let worker = Worker::new(self.world.clone(), handlers);
        while worker.next().await.unwrap() {}
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }

    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The same somebody, who takes in a few messages and then no more until they are read.
    pub async fn at_a_narrow_channel(&self, actor: &Actor) -> Actor {
        let endpoint = Channel::from_shared(format!("http://{}", self.address)).unwrap();
        let narrow = endpoint.initial_stream_window_size(4096).initial_connection_window_size(4096);
        Actor::of(actor.token.clone(), narrow.connect().await.unwrap(), None)
    }

    /// Somebody with this authority, for a day.
    pub fn actor(&self, authority: Authority) -> Actor {
        let principal = format!("{}@test", authority.role());
        self.bearer(self.token(&principal, authority, self.now(), TimeDelta::hours(24)))
    }

    pub fn admin(&self) -> Actor {
        self.actor(Authority::Admin)
    }

    pub fn token(&self, principal: &str, authority: Authority, at: DateTime<Utc>, life: TimeDelta) -> String {
        let grant = Grant { principal: principal.into(), authority: Some(authority), at, life, id: uuid::Uuid::nil() };
        self.issue(&grant)
    }

    /// Any token at all of the issuer.
    pub fn issue(&self, grant: &Grant) -> String {
        self.issuer.issue(grant).unwrap()
    }

    /// The audit trail, oldest first.
    pub async fn audit(&self) -> Vec<Audited> {
        let db = Db::open(&self.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let sql = tx.sql(
            "SELECT role, action, outcome, CAST(details AS TEXT) AS details, CAST(subjects AS TEXT) AS subjects
               FROM audit_event ORDER BY occurred_at, id",
        );
        sql.all().await.unwrap()
    }

    /// Somebody with any token at all.
    pub fn bearer(&self, token: String) -> Actor {
        Actor::of(token, self.channel.clone(), self.plant.get().cloned())
    }
}

/// Whatever the services of this process log goes where `tests/run.sh` looks for texts about people.
fn log_to_be_searched() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Some(path) = std::env::var_os("AFTERCARE_TEST_LOG") else { return };
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        let log = tracing_subscriber::fmt().with_env_filter("info,aftercare=trace").with_ansi(false);
        // A process that was started to log elsewhere does so.
        let _ = log.with_writer(Mutex::new(file)).try_init();
    });
}

async fn run(
    db: &TestDb,
    data_dir: &Path,
    clock: &Arc<ManualClock>,
    chance: &Arc<Chance>,
    Door { provider, tls, limits, quotas, retention }: Door,
) -> (SocketAddr, World, Channel, (oneshot::Sender<()>, JoinHandle<()>)) {
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        data_dir: data_dir.to_path_buf(),
        database: db.target.clone(),
        key_store: db.key_store.clone(),
        connections: 16,
        metrics_listen: None,
        collector: None,
        workers: 0,
        provider,
        tls,
        limits,
        drain_for: Duration::from_secs(5),
        instruments: Some(data_dir.join(INSTRUMENTS)).filter(|it| it.exists()),
        quotas,
        retention,
        backup: Backup::new(BackupTable { every_hours: Some(0), ..BackupTable::default() }, data_dir),
        log_format: LogFormat::Human,
        log: "warn".into(),
    };
    let app = App::open(&config, clock.clone(), chance.clone()).await.unwrap();
    let world = app.world().clone();
    let listener = TcpListener::bind(config.listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        app.serve(listener, stopped).await.unwrap();
    });
    // Behind TLS it would find nobody; nobody needs it there.
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    (address, world, channel, (stop, task))
}
