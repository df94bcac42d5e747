//! Everything that can be set: flag, then `AFTERCARE_*` variable, then TOML file, then the default
//! given here.

mod backup;
mod issuer;
mod limits;
mod settings;
mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;

pub use backup::{Backup, BackupTable};
pub use issuer::{Claims, Issuer, Provider, SafeUrl};
pub use limits::Limits;
pub use settings::{LogFormat, Settings};
pub use tls::{LOOKS_EVERY, Tls};

use crate::domain::limit::Quotas;
use crate::domain::retention::Policy;
use crate::domain::text::Fault;
use crate::store::Target;

/// Where the service listens unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:50051";

/// A collector of OpenTelemetry.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Where it takes OTLP over gRPC.
    pub endpoint: SafeUrl,
    /// Certificates of who may vouch for it, instead of the public authorities.
    pub authority: Option<PathBuf>,
}

/// The configuration of a process, complete and checked. Its database target prints no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the database file and the keys are.
    pub data_dir: PathBuf,
    /// Which database.
    pub database: Target,
    /// Where the keys of personal data are kept.
    pub key_store: Target,
    /// Most database connections.
    pub connections: u32,
    /// The provider that issues the tokens; none when the service does so itself.
    pub provider: Option<Provider>,
    /// How the service proves who it is; none when it speaks in the clear.
    pub tls: Option<Tls>,
    /// What connections may take.
    pub limits: Limits,
    /// Where to tell metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// Where to send traces and metrics.
    pub collector: Option<Collector>,
    /// Most jobs that run at once.
    pub workers: u32,
    /// How long requests and jobs in flight may take to end.
    pub drain_for: Duration,
    /// Where the questionnaires are that this installation adds.
    pub instruments: Option<PathBuf>,
    /// How often one caller may call.
    pub quotas: Quotas,
    /// For how long people are kept.
    pub retention: Policy,
    /// Where copies go.
    pub backup: Backup,
    /// Form of the log.
    pub log_format: LogFormat,
    /// What to log.
    pub log: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The TOML file cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// The TOML file says something that is not a setting.
    #[error("{0} is not a configuration")]
    Parse(PathBuf, #[source] toml::de::Error),
    /// No data directory was named and there is no home to put one in.
    #[error("no home directory: name a data directory with --data-dir")]
    NoHome,
    /// The built-in issuer must not be reachable from elsewhere.
    #[error("refusing to listen on {0}: the built-in issuer is for loopback only; name a provider with --issuer")]
    NotLoopback(SocketAddr),
    /// Nor through a proxy.
    #[error(
        "refusing to serve behind a proxy: the built-in issuer is for loopback only; name a provider with --issuer"
    )]
    Exposed,
    /// Tokens and answers must not be read on their way.
    #[error("refusing to listen on {0} without TLS: name --tls-cert and --tls-key, or say --behind-proxy")]
    InTheClear(SocketAddr),
    /// How much there is to do at an NGO is nobody's to know.
    #[error("refusing to tell metrics on {0} in the clear: choose an address of this machine, or say --behind-proxy")]
    MetricsInTheClear(SocketAddr),
    /// A setting that means nothing without another.
    #[error("{0} needs {1}")]
    Needs(&'static str, &'static str),
    /// Whoever has a backup of the data would have the keys too.
    #[error("the key store must be another database than the data: erasure would be undone by an old backup")]
    KeysAmongData,
    /// Nothing may be kept too short by a slip of the pen.
    #[error("[retention]: {0}")]
    Retention(#[from] Fault),
    /// A number that makes no sense.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
}

impl Config {
    /// The configuration of these settings, completed by their file and the defaults.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let file = match &settings.config {
            Some(path) => read(path)?,
            None => Settings::default(),
        };
        let provider = provider(&settings, &file)?;
        let tls = tls(&settings, &file)?;
        let data_dir = match settings.data_dir.or(file.data_dir) {
            Some(dir) => dir,
            None => default_data_dir().ok_or(Error::NoHome)?,
        };
        let database = match settings.database_url.or(file.database_url) {
            Some(url) => Target::Postgres(url),
            None => Target::Sqlite(data_dir.join("aftercare.db")),
        };
        let key_store = match settings.key_store_url.or(file.key_store_url) {
            Some(url) => Target::Postgres(url),
            None => Target::Sqlite(data_dir.join("keys.db")),
        };
        if let (Target::Postgres(data), Target::Postgres(keys)) = (&database, &key_store)
            && data.expose_secret() == keys.expose_secret()
        {
            return Err(Error::KeysAmongData);
        }
        let listen = settings.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 50051)));
        let connections = positive("connections", settings.connections.or(file.connections), 16)?;
        let drain_seconds = settings.drain_seconds.or(file.drain_seconds).unwrap_or(20);
        let behind_proxy = settings.behind_proxy || file.behind_proxy;
        match &provider {
            None if !listen.ip().is_loopback() => return Err(Error::NotLoopback(listen)),
            None if behind_proxy => return Err(Error::Exposed),
            Some(_) if tls.is_none() && !behind_proxy && !listen.ip().is_loopback() => {
                return Err(Error::InTheClear(listen));
            }
            _ => {}
        }
        let metrics_listen = settings.metrics_listen.or(file.metrics_listen);
        if let Some(address) = metrics_listen.filter(|it| !it.ip().is_loopback() && !behind_proxy) {
            return Err(Error::MetricsInTheClear(address));
        }
        let authority = settings.otlp_ca.or(file.otlp_ca);
        let collector = match settings.otlp_endpoint.or(file.otlp_endpoint) {
            Some(endpoint) => Some(Collector { endpoint, authority }),
            None if authority.is_some() => return Err(Error::Needs("--otlp-ca", "--otlp-endpoint")),
            None => None,
        };
        let limits = Limits::default();
        let peers = settings.client_connections.or(file.client_connections);
        let calls = settings.calls_at_once.or(file.calls_at_once);
        let limits = Limits {
            connections: positive("client_connections", peers, limits.connections)?,
            calls: positive("calls_at_once", calls, limits.calls)?,
            ..limits
        };
        let retention = settings.retention.or(file.retention).unwrap_or_default();
        retention.check()?;
        let backup = Backup::new(settings.backup.or(file.backup).unwrap_or_default(), &data_dir);
        if backup.plan.keep == 0 {
            return Err(Error::Zero("[backup] keep"));
        }
        Ok(Self {
            listen,
            data_dir,
            database,
            key_store,
            connections,
            provider,
            tls,
            limits,
            metrics_listen,
            collector,
            workers: settings.workers.or(file.workers).unwrap_or(2),
            drain_for: Duration::from_secs(drain_seconds),
            instruments: settings.instruments.or(file.instruments),
            quotas: settings.limits.or(file.limits).unwrap_or_default(),
            retention,
            backup,
            log_format: settings.log_format.or(file.log_format).unwrap_or(LogFormat::Human),
            log: settings.log.or(file.log).unwrap_or_else(|| "info".into()),
        })
    }
}

fn positive(name: &'static str, set: Option<u32>, usual: u32) -> Result<u32, Error> {
    let number = set.unwrap_or(usual);
    if number == 0 { Err(Error::Zero(name)) } else { Ok(number) }
}

/// The provider of these settings; none when the service issues tokens itself.
fn provider(settings: &Settings, file: &Settings) -> Result<Option<Provider>, Error> {
    let Some(Issuer::Provider(issuer)) = settings.issuer.clone().or(file.issuer.clone()) else { return Ok(None) };
    let minutes = positive("token_minutes", settings.token_minutes.or(file.token_minutes), 24 * 60)?;
    let audience = settings.audience.clone().or(file.audience.clone());
    Ok(Some(Provider {
        issuer,
        audience: audience.unwrap_or_else(|| "aftercare".into()),
        authority: settings.issuer_ca.clone().or(file.issuer_ca.clone()),
        claims: file.claims.clone().unwrap_or_default(),
        longest_life: TimeDelta::minutes(minutes.into()),
    }))
}

/// The files of TLS; none when the service speaks in the clear.
fn tls(settings: &Settings, file: &Settings) -> Result<Option<Tls>, Error> {
    let certificate = settings.tls_cert.clone().or(file.tls_cert.clone());
    let key = settings.tls_key.clone().or(file.tls_key.clone());
    let client_authority = settings.tls_client_ca.clone().or(file.tls_client_ca.clone());
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Ok(Some(Tls { certificate, key, client_authority, looks_every: LOOKS_EVERY }))
        }
        (Some(_), None) => Err(Error::Needs("--tls-cert", "--tls-key")),
        (None, Some(_)) => Err(Error::Needs("--tls-key", "--tls-cert")),
        (None, None) if client_authority.is_some() => Err(Error::Needs("--tls-client-ca", "--tls-cert and --tls-key")),
        (None, None) => Ok(None),
    }
}

fn read(path: &Path) -> Result<Settings, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::Read(path.into(), error))?;
    toml::from_str(&text).map_err(|error| Error::Parse(path.into(), error))
}

fn default_data_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
    Some(base.join("aftercare"))
}
