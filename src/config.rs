//! Everything that can be set: flag, then `AFTERCARE_*` variable, then TOML file, then the default
//! given here.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use serde::Deserialize;

use crate::store::Target;

/// Where the service listens unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:50051";

/// What may be set by flag, variable or file.
#[derive(Args, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// TOML file with the settings below, in snake_case.
    #[arg(long, env = "AFTERCARE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Address to listen on [default: 127.0.0.1:50051].
    #[arg(long, env = "AFTERCARE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Directory of the database file and the keys [default: aftercare under $XDG_DATA_HOME or
    /// ~/.local/share].
    #[arg(long, env = "AFTERCARE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// PostgreSQL to use instead of the database file: postgres://user:password@host/name.
    #[arg(long, env = "AFTERCARE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<SecretString>,

    /// Most database connections [default: 16].
    #[arg(long, env = "AFTERCARE_CONNECTIONS", value_name = "N")]
    pub connections: Option<u32>,

    /// Who issues the tokens; the built-in issuer works on loopback only [default: builtin].
    #[arg(long, env = "AFTERCARE_ISSUER")]
    pub issuer: Option<Issuer>,

    /// Most jobs that run at once; with 0, other processes must do them [default: 2].
    #[arg(long, env = "AFTERCARE_WORKERS", value_name = "N")]
    pub workers: Option<u32>,

    /// How long requests and jobs in flight may take to end after SIGTERM, in seconds [default: 20].
    #[arg(long, env = "AFTERCARE_DRAIN_SECONDS", value_name = "N")]
    pub drain_seconds: Option<u64>,

    /// Directory of questionnaires to add: every TOML file in it is one.
    #[arg(long, env = "AFTERCARE_INSTRUMENTS", value_name = "DIR")]
    pub instruments: Option<PathBuf>,

    /// Form of the log on standard error [default: human].
    #[arg(long, env = "AFTERCARE_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What to log, such as "info,aftercare=debug" [default: info].
    #[arg(long, env = "AFTERCARE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// Who issues the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Issuer {
    /// The service itself, with a key in its data directory.
    Builtin,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Human,
    /// For machines.
    Json,
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
    /// Most database connections.
    pub connections: u32,
    /// Who issues the tokens.
    pub issuer: Issuer,
    /// Most jobs that run at once.
    pub workers: u32,
    /// How long requests and jobs in flight may take to end.
    pub drain_for: Duration,
    /// Where the questionnaires are that this installation adds.
    pub instruments: Option<PathBuf>,
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
    #[error("refusing to listen on {0}: the built-in issuer and plain text are for loopback only")]
    NotLoopback(SocketAddr),
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
        let data_dir = match settings.data_dir.or(file.data_dir) {
            Some(dir) => dir,
            None => default_data_dir().ok_or(Error::NoHome)?,
        };
        let database = match settings.database_url.or(file.database_url) {
            Some(url) => Target::Postgres(url),
            None => Target::Sqlite(data_dir.join("aftercare.db")),
        };
        let listen = settings.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 50051)));
        let connections = settings.connections.or(file.connections).unwrap_or(16);
        let drain_seconds = settings.drain_seconds.or(file.drain_seconds).unwrap_or(20);
        if !listen.ip().is_loopback() {
            return Err(Error::NotLoopback(listen));
        }
        if connections == 0 {
            return Err(Error::Zero("connections"));
        }
        Ok(Self {
            listen,
            data_dir,
            database,
            connections,
            issuer: settings.issuer.or(file.issuer).unwrap_or(Issuer::Builtin),
            workers: settings.workers.or(file.workers).unwrap_or(2),
            drain_for: Duration::from_secs(drain_seconds),
            instruments: settings.instruments.or(file.instruments),
            log_format: settings.log_format.or(file.log_format).unwrap_or(LogFormat::Human),
            log: settings.log.or(file.log).unwrap_or_else(|| "info".into()),
        })
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
