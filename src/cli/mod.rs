//! The command line: one file per command.

mod audit_head;
mod backup;
mod demo;
mod doctor;
mod example;
mod export_client;
mod import;
mod jobs;
mod keys;
mod migrate;
mod restore;
mod retention;
mod rotate_statement_key;
mod serve;
mod token;
mod verify_audit;
mod verify_statement;

use std::error::Error as StdError;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, registry};

use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{Config, LogFormat, Settings};
use crate::rng::SeededRng;
use crate::telemetry::Telemetry;

/// What went wrong, for people.
pub type Error = Box<dyn StdError + Send + Sync>;

/// Schedules counselling for survivors and treatment for offenders, so that they never meet.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve(Settings),
    /// Serve two fictional NGOs from a temporary directory, and show what the service does.
    Demo(demo::Options),
    /// Bring the database schema up to date, and stop.
    Migrate(Settings),
    /// Copy the data and the keys of an SQLite installation, while it serves.
    Backup(backup::Options),
    /// Bring an installation back from such copies, or take one on that was brought back otherwise.
    Restore(restore::Options),
    /// Look at everything the service rests on, and say in words what to do.
    Doctor(doctor::Options),
    /// Read a directory of CSV files and holiday calendars, all or nothing.
    Import(import::Options),
    /// List the jobs that wait, and retry those that were given up.
    Jobs(jobs::Options),
    /// Write everything that is held about one client to a file, for the person who has asked for it.
    ExportClient(export_client::Options),
    /// Show who is to be erased by the policy of retention, and what keeps whom.
    Retention(retention::Options),
    /// List the keys that wrap those of personal data, or go over to a new one.
    Keys(keys::Options),
    /// Print a bearer token of the built-in issuer.
    Token(token::Options),
    /// Check a signed statement of compliance, offline.
    VerifyStatement(verify_statement::Options),
    /// Sign statements with a new key from now on, or revoke one.
    RotateStatementKey(rotate_statement_key::Options),
    /// Check that nobody has changed the audit trail.
    VerifyAudit(verify_audit::Options),
    /// Print the signed head of the audit trail, to be kept elsewhere.
    AuditHead(audit_head::Options),
}

/// Runs a command to its end.
pub fn run(cli: Cli) -> Result<ExitCode, Error> {
    let mut runtime = match cli.command {
        Command::Serve(_) | Command::Demo(_) | Command::VerifyAudit(_) | Command::Doctor(_) => {
            tokio::runtime::Builder::new_multi_thread()
        }
        _ => {
            stay_on_one_core();
            tokio::runtime::Builder::new_current_thread()
        }
    };
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve::run(settings).await,
            Command::Demo(options) => demo::run(options).await,
            Command::Migrate(settings) => migrate::run(settings).await,
            Command::Backup(options) => backup::run(options).await,
            Command::Restore(options) => restore::run(options).await,
            Command::Doctor(options) => doctor::run(options).await,
            Command::Import(options) => import::run(options).await,
            Command::Jobs(options) => jobs::run(options).await,
            Command::ExportClient(options) => export_client::run(options).await,
            Command::Retention(options) => retention::run(options).await,
            Command::Keys(options) => keys::run(options).await,
            Command::Token(options) => token::run(options).await,
            Command::VerifyStatement(options) => verify_statement::run(options).await,
            Command::RotateStatementKey(options) => rotate_statement_key::run(options).await,
            Command::VerifyAudit(options) => verify_audit::run(options).await,
            Command::AuditHead(options) => audit_head::run(options).await,
        }
    })
}

/// Keeps this thread, and those it will start, on one core. What does one thing after the other hands
/// every statement to another thread and waits: on one core that is a switch, on two it wakes up a
/// sleeping core each time, which takes several times as long.
fn stay_on_one_core() {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};
        let mut here = CpuSet::new();
        here.set(sched_getcpu());
        // Where this is not allowed, it only takes longer.
        let _ = sched_setaffinity(None, &here);
    }
}

/// The configuration, with the log started as it says.
fn configure(settings: Settings) -> Result<Config, Error> {
    let config = Config::new(settings)?;
    start_log(config.log_format, &config.log, None)?;
    Ok(config)
}

/// Starts the log of this process, on standard error; fails when it has one.
///
/// Spans go to a collector whatever the log's filter says.
pub fn start_log(format: LogFormat, filter: &str, telemetry: Option<&Telemetry>) -> Result<(), Error> {
    let filter = EnvFilter::try_new(filter)?;
    match telemetry {
        // For all of it, which costs the least.
        None => registry().with(filter).with(log(format)).try_init()?,
        Some(telemetry) => registry().with(telemetry.layer()).with(log(format).with_filter(filter)).try_init()?,
    }
    Ok(())
}

fn log<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let log = tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    match format {
        LogFormat::Human => log.boxed(),
        LogFormat::Json => log.json().boxed(),
    }
}

/// The service of a configuration, with the machine's clock and randomness.
async fn open(config: &Config) -> Result<App, Error> {
    Ok(App::open(config, Arc::new(SystemClock), Arc::new(SeededRng::from_system())).await?)
}

/// Resolves on SIGTERM or Ctrl-C, from the moment of this call on: whoever is told that the service serves may stop it.
fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // By SIGHUP certificates are read anew; where there are none it means nothing, and is no reason to die.
        let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        async move {
            let [Ok(mut terminate), Ok(mut interrupt), Ok(_hangup)] = signals else {
                return std::future::pending().await;
            };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        drop(tokio::signal::ctrl_c().await);
    }
}
