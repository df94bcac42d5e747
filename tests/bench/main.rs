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

mod baseline;
mod calls;
mod check;
mod database;
mod delay;
mod kept;
mod load;
mod people;
mod plot;
mod process;
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

use self::baseline::Tapes;
use self::database::Fresh;
use self::kept::Kept;
use self::load::Crowd;
use self::people::People;
use self::report::{How, Report, Row};
use self::service::{Cast, Service};
use self::sessions::Filled;

/// What went wrong, for people.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// What may go wrong.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The present of every world: a Monday, 09:30 in Asia/Kolkata.
pub const NOW: &str = "2026-11-23T04:00:00Z";

/// What the seed of a world is changed by, when the service is started again over it.
const REOPENED: u64 = 0x0be9;

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
    fn measures(&self) -> bool {
        !self.race && self.sealer_rounds == 0
    }

    /// Whether statements are measured by themselves.
    fn baselines(&self) -> bool {
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

fn main() -> ExitCode {
    let options = Options::parse();
    let begun = delay::begin_again(&options).and_then(|()| Ok(tokio::runtime::Runtime::new()?));
    match begun.and_then(|runtime| runtime.block_on(run(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {}", aftercare::cli::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    if !options.plot_from.is_empty() {
        return plot::draw(options);
    }
    let filter = tracing_subscriber::EnvFilter::try_new(&options.log)?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init()?;
    let fresh = Fresh::create(options).await?;
    // However it ends, nothing is left behind.
    let result = measure(options, &fresh).await;
    let dropped = fresh.drop().await;
    result.and(dropped)?;
    plot::draw(options)
}

async fn measure(options: &Options, fresh: &Fresh) -> Result<()> {
    if let Some(events) = options.audit_events {
        // Whoever checks brings a sealer of its own.
        let service = Service::open(fresh, options.seed, NOW.parse()?, false).await?;
        trail::check(options, fresh, &service, events).await?;
        return service.stop().await;
    }
    let (people, filled) = world(options, fresh).await?;
    // Copies are made while nobody has the database open.
    let tapes =
        if options.baselines() { Some(baseline::record(options, fresh, &people, &filled).await?) } else { None };
    let pristine = if tapes.is_some() { Some(fresh.copy("before").await?) } else { None };
    let baseline = pristine.as_ref().zip(tapes.as_ref());
    let result = call(options, fresh, people, filled, baseline).await;
    if let Some(pristine) = pristine {
        pristine.drop().await?;
    }
    let cast = result?;
    if options.measures() { process::measure(options, fresh, &cast.people, &cast.filled).await } else { Ok(()) }
}

/// Fills a world, or takes the one that is kept; nobody has it open then.
async fn world(options: &Options, fresh: &Fresh) -> Result<(People, Filled)> {
    let kept = Kept::of(options)?;
    if let Some(kept) = &kept
        && let Some(world) = kept.take(options, fresh).await?
    {
        return Ok(world);
    }
    let now: DateTime<Utc> = NOW.parse()?;
    // Whoever compares starts and stops a sealer of its own.
    let service = Service::open(fresh, options.seed, now, options.sealer_rounds == 0).await?;
    let people = people::create(&service, options, now).await?;
    let filled = sessions::fill(&service, &people, options, now).await?;
    fresh.settle().await?;
    service.stop().await?;
    if let Some(kept) = kept {
        kept.keep(options, fresh, &people, &filled)?;
    }
    Ok((people, filled))
}

/// Starts the service again over a filled world, and calls it.
async fn call(
    options: &Options,
    fresh: &Fresh,
    people: People,
    filled: Filled,
    baseline: Option<(&Fresh, &Tapes)>,
) -> Result<Cast> {
    let seals = options.sealer_rounds == 0;
    let service = Service::open(fresh, options.seed ^ REOPENED, NOW.parse()?, seals).await?;
    let crowd = Crowd::connect(&service, options).await?;
    let cast = service.cast(people, filled)?;
    check::check(&cast, crowd.channel()).await?;
    if options.sealer_rounds > 0 {
        trail::compare(options, fresh, &service, &cast, &crowd).await?;
    } else if options.race {
        race::race(options, fresh, &cast, &crowd).await?;
    } else {
        figures(options, fresh, &cast, &crowd, baseline).await?;
    }
    drop(crowd);
    service.stop().await?;
    Ok(cast)
}

/// Every call by every way of calling, as often as was asked.
async fn figures(
    options: &Options,
    fresh: &Fresh,
    cast: &Cast,
    crowd: &Crowd,
    baseline: Option<(&Fresh, &Tapes)>,
) -> Result<()> {
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
        if let Some((before, tapes)) = baseline {
            baseline::measure(options, before, tapes, &mut report).await?;
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
