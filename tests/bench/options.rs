//! What can be asked for.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use secrecy::SecretString;

/// Measures the service under load, over real gRPC, with a world of fictional people.
#[derive(Parser)]
#[command(name = "load")]
pub struct Options {
    /// Sessions stored before anything is measured.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub sessions: usize,

    /// Survivors' counsellors of the largest organisation; others have 200 and 20, if those are fewer. Every tenth
    /// has an offenders' counsellor beside them.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub counsellors: u32,

    /// Database engine.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    pub engine: Engine,

    /// With --engine postgres: a server on which a database may be made; it is dropped at the end.
    #[arg(long, value_name = "URL", env = "AFTERCARE_TEST_POSTGRES", hide_env_values = true)]
    pub database_url: Option<SecretString>,

    /// Where the database file and the keys go for the time of the run [default: under target/].
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// Keep the filled world in this directory, or take it from there if it is the one that is asked for: by seed,
    /// size and schema. Only with SQLite; what is measured is a copy.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Let every sync of a file take so many milliseconds longer, as on a real disk. A PostgreSQL server must have been
    /// started behind the same library, with LD_PRELOAD and LOAD_SYNC_DELAY_US; both are told.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sync_delay_ms: u64,

    /// Length of each measurement; a fifth of it more goes before as warm-up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,

    /// Connections of the service to its database.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_connections: u32,

    /// Connections.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub connections: u32,

    /// Requests in flight on each connection, at saturation.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub in_flight: u32,

    /// Seed of the world; the same seed makes the same world.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Also let calls come at these rates, in a second, each timed from when it was due: latency against load.
    #[arg(long, visible_alias = "rate", value_name = "N,N…", value_delimiter = ',', value_parser = rate)]
    pub rates: Vec<f64>,

    /// Measure everything so many times; at the end come the medians, with the least and the most.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: u32,

    /// Only calls whose name holds this text; the empty call is always measured.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,

    /// The program whose size, start and memory are measured at the end [default: target/release/aftercare].
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,

    /// Leave out what the statements of two calls cost by themselves.
    #[arg(long)]
    pub no_baselines: bool,

    /// Also tell what each of those statements costs, said alone.
    #[arg(long, conflicts_with = "no_baselines")]
    pub costs: bool,

    /// Instead: have each of a hundred times wanted sixteen times at once, by 2 and by 16 callers.
    #[arg(long)]
    pub race: bool,

    /// Instead: ask for five times as much as can be done, for the length of a measurement.
    #[arg(long)]
    pub overload: bool,

    /// Instead: write so many audit events, seal them and check them.
    #[arg(long, value_name = "N")]
    pub audit_events: Option<usize>,

    /// Instead: book so many times with the sealer of the audit trail and without, by turns.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sealer_rounds: u32,

    /// Write the figures here too, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Draw the figures into this directory: latency against load, and cost against size.
    #[arg(long, value_name = "DIR")]
    pub plot: Option<PathBuf>,

    /// With --plot: draw what stands in these files instead of measuring.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "plot")]
    pub plot_from: Vec<PathBuf>,

    /// What to log, on standard error. What the service's own log costs belongs to the figures; what more
    /// than that is logged spoils them ("info,sqlx=debug" shows every statement).
    #[arg(long, value_name = "FILTER", default_value = "info,sqlx=error")]
    pub log: String,

    /// Given by `cargo bench`; means nothing.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Whether calls are measured, rather than something else instead.
    pub fn measures(&self) -> bool {
        !self.race && !self.overload && self.sealer_rounds == 0
    }

    /// Whether statements are measured by themselves.
    pub fn baselines(&self) -> bool {
        self.measures() && !self.no_baselines
    }
}

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A server.
    Postgres,
}

/// A rate that calls can come at.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.1..=1e6).contains(rate));
    rate.ok_or_else(|| "must be calls in a second, from 0.1 to 1000000".into())
}
