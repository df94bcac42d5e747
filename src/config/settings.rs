//! What a person may set. The file has the same names in snake_case.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use serde::Deserialize;

use super::{BackupTable, Claims, Issuer, SafeUrl};
use crate::domain::limit::Quotas;
use crate::domain::retention::Policy;

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

    /// PostgreSQL database that keeps the keys of personal data, apart from the data and its backups
    /// [default: the file keys.db in the data directory].
    #[arg(long, env = "AFTERCARE_KEY_STORE_URL", value_name = "URL", hide_env_values = true)]
    pub key_store_url: Option<SecretString>,

    /// Most database connections [default: 16].
    #[arg(long, env = "AFTERCARE_CONNECTIONS", value_name = "N")]
    pub connections: Option<u32>,

    /// Who issues the tokens: "builtin", which is for loopback only, or the URL of an OpenID Connect provider,
    /// whose claims the table `[claims]` of the file explains [default: builtin].
    #[arg(long, env = "AFTERCARE_ISSUER", value_name = "builtin|URL")]
    pub issuer: Option<Issuer>,

    /// What tokens of the provider for this service have as audience [default: aftercare].
    #[arg(long, env = "AFTERCARE_AUDIENCE", value_name = "NAME")]
    pub audience: Option<String>,

    /// PEM file of the authorities that vouch for the provider, instead of the public ones.
    #[arg(long, env = "AFTERCARE_ISSUER_CA", value_name = "FILE")]
    pub issuer_ca: Option<PathBuf>,

    /// The longest a token of the provider may be good, in minutes [default: 1440].
    #[arg(long, env = "AFTERCARE_TOKEN_MINUTES", value_name = "N")]
    pub token_minutes: Option<u32>,

    /// Where in the provider's tokens what stands; in the file only.
    #[arg(skip)]
    pub claims: Option<Claims>,

    /// PEM file of the certificate to serve with; read again when it changes and on SIGHUP.
    #[arg(long, env = "AFTERCARE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of its private key, which nobody else may read.
    #[arg(long, env = "AFTERCARE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// PEM file of the authorities of clients: without a certificate of theirs nobody is served.
    #[arg(long, env = "AFTERCARE_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,

    /// Listen in the clear on any address: a proxy in front ends TLS, and nobody else can reach this port.
    #[arg(long, env = "AFTERCARE_BEHIND_PROXY")]
    pub behind_proxy: bool,

    /// Most connections of clients [default: 4096].
    #[arg(long, env = "AFTERCARE_CLIENT_CONNECTIONS", value_name = "N")]
    pub client_connections: Option<u32>,

    /// Most calls that are worked on at once, while as many again wait; further ones are told to come back
    /// [default: 64].
    #[arg(long, env = "AFTERCARE_CALLS_AT_ONCE", value_name = "N")]
    pub calls_at_once: Option<u32>,

    /// Address on which metrics are told at /metrics, in the clear; another one than of this machine needs --behind-proxy
    /// [default: none].
    #[arg(long, env = "AFTERCARE_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Collector of OpenTelemetry that traces and metrics are sent to by OTLP over gRPC, such as
    /// http://localhost:4317; the variables OTEL_* hold besides [default: none].
    #[arg(long, env = "AFTERCARE_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<SafeUrl>,

    /// PEM file of the authorities that vouch for the collector, instead of the public ones.
    #[arg(long, env = "AFTERCARE_OTLP_CA", value_name = "FILE")]
    pub otlp_ca: Option<PathBuf>,

    /// Most jobs that run at once; with 0, other processes must do them [default: 2].
    #[arg(long, env = "AFTERCARE_WORKERS", value_name = "N")]
    pub workers: Option<u32>,

    /// How long requests and jobs in flight may take to end after SIGTERM, in seconds [default: 20].
    #[arg(long, env = "AFTERCARE_DRAIN_SECONDS", value_name = "N")]
    pub drain_seconds: Option<u64>,

    /// Directory of questionnaires to add: every TOML file in it is one.
    #[arg(long, env = "AFTERCARE_INSTRUMENTS", value_name = "DIR")]
    pub instruments: Option<PathBuf>,

    /// How often one caller may call: the table `[limits]` of the file, alone.
    #[arg(skip)]
    pub limits: Option<Quotas>,

    /// For how long people are kept: the table `[retention]` of the file, alone. Without one, nothing is ever erased by
    /// its age.
    #[arg(skip)]
    pub retention: Option<Policy>,

    /// Where copies of an SQLite installation go, and how often: the table `[backup]` of the file, alone.
    #[arg(skip)]
    pub backup: Option<BackupTable>,

    /// Form of the log on standard error [default: human].
    #[arg(long, env = "AFTERCARE_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What to log, such as "info,aftercare=debug" [default: info].
    #[arg(long, env = "AFTERCARE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
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
