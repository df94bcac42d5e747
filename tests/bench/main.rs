//! The load generator: `cargo bench --bench load -- --help`.
//!
//! It fills a fresh database with a reproducible world, checks that the world is one the service
//! could have written itself, and then measures the service over real gRPC, each call once as fast
//! as it goes and once alone. The first thing measured is an empty call through the same stack;
//! everything else is also told as a share of it, because shares survive a change of machine.
//!
//! Client and service share one process and its cores. The loop is closed, unless rates are named: whoever
//! waits for an answer asks for nothing else meanwhile, so latencies at saturation are those of that many
//! callers. Nothing asserts on time.

mod calls;
mod check;
mod database;
mod load;
mod people;
mod race;
mod report;
mod service;
mod sessions;
mod trail;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Parser, ValueEnum};
use secrecy::SecretString;

use self::database::Fresh;
use self::load::Crowd;
use self::report::{How, Report, Row};
use self::service::{Cast, Service};

/// What went wrong, for people.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// What may go wrong.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The present of every world: a Monday, 09:30 in Asia/Kolkata.
pub const NOW: &str = "2026-11-23T04:00:00Z";

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

    /// Length of each measurement; a fifth of it more goes before as warm-up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,

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

    /// Instead: have each of a hundred times wanted sixteen times at once, by 2 and by 16 callers.
    #[arg(long)]
    pub race: bool,

    /// Instead: write so many audit events, seal them and check them.
    #[arg(long, value_name = "N")]
    pub audit_events: Option<usize>,

    /// Instead: book so many times with the sealer of the audit trail and without, by turns.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sealer_rounds: u32,

    /// Write the figures here too, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// What to log, on standard error. What the service's own log costs belongs to the figures; what more
    /// than that is logged spoils them ("info,sqlx=debug" shows every statement).
    #[arg(long, value_name = "FILTER", default_value = "info,sqlx=error")]
    pub log: String,

    /// Given by `cargo bench`; means nothing.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A server.
    Postgres,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match tokio::runtime::Runtime::new().map_err(Error::from).and_then(|runtime| runtime.block_on(run(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {}", aftercare::cli::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&options.log)?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init()?;
    let fresh = Fresh::create(options).await?;
    // However it ends, nothing is left behind.
    let result = measure(options, &fresh).await;
    let dropped = fresh.drop().await;
    result.and(dropped)
}

async fn measure(options: &Options, fresh: &Fresh) -> Result<()> {
    let now: DateTime<Utc> = NOW.parse()?;
    // Whoever compares starts and stops a sealer of its own.
    let seals = options.audit_events.is_none() && options.sealer_rounds == 0;
    let service = Service::open(fresh, options.seed, now, seals).await?;
    if let Some(events) = options.audit_events {
        trail::check(options, fresh, &service, events).await?;
        return service.stop().await;
    }
    let people = people::create(&service, options, now).await?;
    let filled = sessions::fill(&service, &people, options, now).await?;
    fresh.settle().await?;
    let crowd = Crowd::connect(&service, options).await?;
    let cast = service.cast(people, filled)?;
    check::check(&cast, crowd.channel()).await?;
    if options.sealer_rounds > 0 {
        trail::compare(options, fresh, &service, &cast, &crowd).await?;
        drop(crowd);
        return service.stop().await;
    }

    if options.race {
        race::race(options, fresh, &cast, &crowd).await?;
    } else {
        figures(options, fresh, &cast, &crowd).await?;
    }
    drop(crowd);
    service.stop().await
}

/// Every call by every way of calling, as often as was asked.
async fn figures(options: &Options, fresh: &Fresh, cast: &Cast, crowd: &Crowd) -> Result<()> {
    let mut report = Report::begin(options, &fresh.describe().await?, cast)?;
    let calls = calls::all(cast, options.seed);
    for run in 0..options.repeat {
        if run > 0 {
            report.again();
        }
        for call in calls.iter().filter(|call| call.is_empty() || call.name().contains(&options.only)) {
            let row = |how| Row { name: call.name().into(), how };
            for callers in [crowd.most(), 1] {
                report.add(row(How::Callers(callers)), &crowd.measure(call, callers).await?)?;
            }
            for rate in &options.rates {
                report.add(row(How::Rate(*rate)), &crowd.pace(call, *rate).await?)?;
            }
        }
    }
    report.end()
}

/// A rate that calls can come at.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.1..=1e6).contains(rate));
    rate.ok_or_else(|| "must be calls in a second, from 0.1 to 1000000".into())
}

/// A measurement's length and what goes before it.
pub fn window(options: &Options) -> (Duration, Duration) {
    let window = Duration::from_secs(options.seconds);
    (window / 5, window)
}
