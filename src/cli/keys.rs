//! `aftercare keys`: the keys that wrap all others, and another one in their place.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};

use super::{Error, configure, open};
use crate::config::Settings;
use crate::store::rotation::Listed;
use crate::usecase::{World, keys};

#[derive(Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the wrapping keys, tab-separated: id, CURRENT, ACTIVE, RETIRED or PREPARED, since when, whether the keyring
    /// has it, how many keys it wraps.
    List {
        #[command(flatten)]
        settings: Settings,
    },
    /// Wrap every key with a new wrapping key, while services run, and retire the old one. What was interrupted is
    /// completed first.
    ///
    /// The keyring must be the same wherever a process runs: where it is copied to other machines, prepare, copy,
    /// rotate, and copy again.
    Rotate {
        /// Only put the next key into the keyring.
        #[arg(long)]
        prepare: bool,

        #[command(flatten)]
        settings: Settings,
    },
}

pub(super) async fn run(options: Options) -> Result<ExitCode, Error> {
    let (Command::List { settings } | Command::Rotate { settings, .. }) = &options.command;
    let mut settings = settings.clone();
    // Standard output is the answer; a log at level info would only be in the way.
    settings.log.get_or_insert_with(|| "warn".into());
    let app = open(&configure(settings)?).await?;
    let result = obey(app.world(), options.command).await;
    app.world().db().close().await;
    print!("{}", result?);
    Ok(ExitCode::SUCCESS)
}

async fn obey(world: &World, command: Command) -> Result<String, Error> {
    Ok(match command {
        Command::List { .. } => list(&keys::list(world).await?),
        Command::Rotate { prepare: true, .. } => format!("prepared {}\n", keys::prepare(world).await?),
        Command::Rotate { .. } => {
            let shows = std::io::stderr().is_terminal();
            let told = move |count: usize| {
                if shows {
                    // Whether it can be shown or not, the rotation goes on.
                    let _ = write!(std::io::stderr(), "\r\x1b[K{count} keys\r");
                }
            };
            let rotated = keys::rotate(world, told).await?;
            format!("{} keys wrapped anew, {} retired\n", rotated.rewrapped, rotated.retired)
        }
    })
}

fn list(keys: &[Listed]) -> String {
    let current = keys.iter().rev().find(|it| it.known.as_ref().is_some_and(|it| it.retired_at().is_none()));
    let current = current.map(|it| it.id);
    keys.iter().map(|it| line(it, current == Some(it.id))).collect()
}

fn line(it: &Listed, current: bool) -> String {
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (state, since) = match &it.known {
        None => ("PREPARED", String::new()),
        Some(known) => match known.retired_at() {
            Some(retired_at) => ("RETIRED", at(retired_at)),
            None => (if current { "CURRENT" } else { "ACTIVE" }, at(known.created_at())),
        },
    };
    let ring = if it.in_ring { "KEYRING" } else { "" };
    format!("{}\t{state}\t{since}\t{ring}\t{}\n", it.id, it.wraps)
}
