//! The service itself, in this process, behind a real TCP port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aftercare::app::App;
use aftercare::auth::{Builtin, Grant};
use aftercare::clock::ManualClock;
use aftercare::config::{Backup, BackupTable, Config, Limits, LogFormat};
use aftercare::domain::access::{Authority, Caller};
use aftercare::domain::limit::{Quota, Quotas};
use aftercare::rng::SeededRng;
use aftercare::store::Target;
use aftercare::usecase::World;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::database::Fresh;
use super::people::{self, People, Seat};
use super::sessions::Filled;
use super::{Error, Result};

/// How many officers ask: none of them oftener than they may in a minute, for the clock stands still.
const OFFICERS: usize = 2_000;

/// A running service.
pub struct Service {
    /// What it acts on.
    pub world: World,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Where it listens.
    pub address: SocketAddr,
    issuer: Builtin,
    now: DateTime<Utc>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), aftercare::app::Error>>,
}

impl Service {
    /// Starts it over a database, at an instant, with its sealer of the audit trail or without.
    pub async fn open(fresh: &Fresh, seed: u64, now: DateTime<Utc>, seals: bool) -> Result<Self> {
        let (clock, rng) = (Arc::new(ManualClock::at(now)), Arc::new(SeededRng::from_seed(seed)));
        let issuer = Builtin::open(fresh.directory.path(), rng.as_ref())?;
        let app = App::open(&config(fresh), clock.clone(), rng).await?;
        let app = if seals { app } else { app.without_sealer() };
        let world = app.world().clone();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(app.serve(listener, async {
            // A dropped sender stops it too.
            let _ = stopped.await;
        }));
        Ok(Self { world, clock, address, issuer, now, stop, serving })
    }

    /// Stops it.
    pub async fn stop(self) -> Result<()> {
        drop(self.stop);
        Ok(self.serving.await??)
    }

    /// Who acts in the measurements, with their tokens.
    pub fn cast(&self, people: People, filled: Filled) -> Result<Cast> {
        let coordinators = people.organisations.iter().map(|it| self.token(coordinator(it.id)));
        let coordinators = coordinators.collect::<Result<_>>()?;
        let counsellors = people.seats.iter().map(|seat| self.token(counsellor(seat)));
        let counsellors = counsellors.collect::<Result<_>>()?;
        let jurisdiction = people::district();
        let officer = |number| {
            let authority = Authority::Police { jurisdiction: jurisdiction.clone() };
            self.token(Caller::without_token(format!("officer-{number}@example"), authority))
        };
        let officers = (0..OFFICERS).map(officer).collect::<Result<_>>()?;
        Ok(Cast { today: self.now.date_naive(), people, filled, coordinators, counsellors, officers })
    }

    fn token(&self, caller: Caller) -> Result<Token> {
        token(&self.issuer, caller, self.now, self.world.uuid())
    }
}

/// A token at an instant, by the key of a data directory.
pub fn sign(fresh: &Fresh, caller: Caller, now: DateTime<Utc>) -> Result<Token> {
    let rng = SeededRng::from_system();
    token(&Builtin::open(fresh.directory.path(), &rng)?, caller, now, uuid::Uuid::from_u128(1))
}

fn token(issuer: &Builtin, caller: Caller, at: DateTime<Utc>, id: uuid::Uuid) -> Result<Token> {
    let (principal, authority) = (caller.principal, Some(caller.authority));
    let grant = Grant { principal, authority, at, life: TimeDelta::hours(24), id };
    Ok(Token(MetadataValue::try_from(format!("Bearer {}", issuer.issue(&grant)?))?))
}

/// Assembles one that does not serve and has no chores: for what calls use cases itself.
pub async fn assemble(fresh: &Fresh, seed: u64, now: DateTime<Utc>) -> Result<App> {
    let (clock, rng) = (Arc::new(ManualClock::at(now)), Arc::new(SeededRng::from_seed(seed)));
    Ok(App::open(&config(fresh), clock, rng).await?)
}

/// Everybody is counted, and nobody reaches a limit.
const QUOTA: Quota = Quota { per_minute: 1_000_000_000, burst: 1_000_000_000 };
const QUOTAS: Quotas = Quotas {
    read: QUOTA,
    write: QUOTA,
    search: QUOTA,
    disclosure: QUOTA,
    police: QUOTA,
    export: QUOTA,
    stream: QUOTA,
    open_streams: 0,
};

fn config(fresh: &Fresh) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data_dir: fresh.directory.path().to_path_buf(),
        database: fresh.target.clone(),
        key_store: Target::Sqlite(fresh.directory.path().join("keys.db")),
        connections: fresh.connections,
        metrics_listen: None,
        collector: None,
        workers: 2,
        provider: None,
        tls: None,
        limits: Limits::default(),
        drain_for: Duration::from_secs(5),
        instruments: None,
        quotas: QUOTAS,
        retention: aftercare::domain::retention::Policy::default(),
        backup: Backup::new(BackupTable { every_hours: Some(0), ..BackupTable::default() }, fresh.directory.path()),
        log_format: LogFormat::Human,
        log: "info".into(),
    }
}

/// The coordinator of an organisation.
pub fn coordinator(organisation_id: aftercare::domain::ids::OrganisationId) -> Caller {
    Caller::without_token("coordinator@example", Authority::Coordinator { organisation_id })
}

fn counsellor(seat: &Seat) -> Caller {
    let (organisation_id, counsellor_id) = (seat.organisation_id, seat.counsellor.id);
    let principal = format!("{}@example", seat.counsellor.code);
    Caller::without_token(principal, Authority::Counsellor { organisation_id, counsellor_id })
}

/// Everybody who acts, and what they act on.
pub struct Cast {
    /// The day on which everything is measured.
    pub today: NaiveDate,
    /// Who there is.
    pub people: People,
    /// What is stored, and what is free.
    pub filled: Filled,
    /// Police of the district of everything.
    pub officers: Vec<Token>,
    coordinators: Vec<Token>,
    counsellors: Vec<Token>,
}

impl Cast {
    /// The coordinator of an organisation, by its place in [`People::organisations`].
    pub fn coordinator(&self, organisation: usize) -> &Token {
        &self.coordinators[organisation]
    }

    /// The counsellor of a seat, by its place in [`People::seats`].
    pub fn counsellor(&self, seat: usize) -> &Token {
        &self.counsellors[seat]
    }
}

/// A bearer token, ready to be sent.
#[derive(Clone)]
pub struct Token(MetadataValue<Ascii>);

impl Token {
    /// A request that carries it.
    pub fn on<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.0.clone());
        request
    }
}

/// The codes of the rules that a refusal names.
pub fn broken_rules(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.precondition_failure().into_iter().flat_map(|it| &it.violations);
    violations.map(|it| it.r#type.clone()).collect()
}

/// What a status says, for people.
pub fn explain(status: &Status) -> Error {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    format!("{:?} {reason} {:?}: {}", status.code(), broken_rules(status), status.message()).into()
}
