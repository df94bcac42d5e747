//! `aftercare jobs`: what waits to be done, what was given up, and another try for it.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Error, configure, open};
use crate::config::Settings;
use crate::domain::ids::JobId;
use crate::domain::job::{Entry, JobState};
use crate::usecase::job::{self, Revive};
use crate::usecase::{Call, World, mutate};

#[derive(Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the first thousand jobs, tab-separated: id, state, kind, times begun, when it may be taken or was
    /// given up, why its last attempt failed.
    List {
        /// Only those that were given up.
        #[arg(long)]
        dead: bool,

        #[command(flatten)]
        settings: Settings,
    },
    /// Queue again what was given up.
    Retry {
        /// The id of one that was given up.
        #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
        id: Option<JobId>,

        /// Everything that was given up.
        #[arg(long)]
        all_dead: bool,

        #[command(flatten)]
        settings: Settings,
    },
}

pub(super) async fn run(options: Options) -> Result<ExitCode, Error> {
    let (Command::List { settings, .. } | Command::Retry { settings, .. }) = &options.command;
    let mut settings = settings.clone();
    // Standard output is the answer; a log at level info would only be in the way.
    settings.log.get_or_insert_with(|| "warn".into());
    let app = open(&configure(settings)?).await?;
    let result = obey(app.world(), options.command).await;
    app.world().db().close().await;
    result.map(|()| ExitCode::SUCCESS)
}

async fn obey(world: &World, command: Command) -> Result<(), Error> {
    match command {
        Command::List { dead, .. } => {
            let jobs = job::list(world, dead.then_some(JobState::Dead)).await?;
            print!("{}", jobs.iter().map(line).collect::<String>());
        }
        Command::Retry { id, .. } => {
            let revived = mutate(world, Call::of_program("jobs-retry"), Revive(id)).await?;
            println!("{revived} queued again");
        }
    }
    Ok(())
}

fn line(it: &Entry) -> String {
    let state = if it.leased { "RUNNING" } else { it.state.as_str() };
    let due_at = it.due_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let error = it.last_error.as_deref().unwrap_or_default();
    format!("{}\t{state}\t{}\t{}\t{due_at}\t{error}\n", it.id, it.kind, it.attempts)
}
