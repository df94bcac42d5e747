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
mod options;
mod overload;
mod people;
mod plot;
mod process;
mod race;
mod report;
mod service;
mod sessions;
mod trail;

use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Parser;

pub use self::options::{Engine, Options};

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

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    let begun = delay::begin_again(&options).and_then(|()| Ok(tokio::runtime::Runtime::new()?));
    match begun.and_then(|runtime| runtime.block_on(run(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {}", aftercare::chain::chain(error.as_ref()));
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
    } else if options.overload {
        overload::overload(options, fresh, &cast, &crowd).await?;
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

/// A measurement's length and what goes before it.
pub fn window(options: &Options) -> (Duration, Duration) {
    let window = Duration::from_secs(options.seconds);
    (window / 5, window)
}
