//! `aftercare backup`: copies the data and the keys of an SQLite installation, while it serves.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::verify_audit::WRONG;
use super::{Error, configure};
use crate::app::backup_of;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::domain::audit::verify::Report;
use crate::usecase::backup::{Data, Taken, take};

/// Copies the data into a directory, as of one instant, under a name that says when; opens the copy, checks it and its
/// audit trail, and writes its SHA-256 beside it. Copies the keys into another directory, and removes the copy of them
/// that was there before. Nothing waits meanwhile.
///
/// Without --to and --keys-to, copies go where the table `[backup]` of the configuration says: `to` (backups in the data
/// directory, unless it says otherwise) and `keys_to`. Whoever gets the copies of the data must not get those of the keys.
/// And of the keys keep the newest copy alone: whoever was erased since an older one could be read with it.
///
/// Exits with 0 when copies were made, with 3 when they were and the audit trail is not whole, with 1 when none could be.
#[derive(Args)]
pub(super) struct Options {
    /// Where the data goes.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// Where the keys go, which must be another place.
    #[arg(long, value_name = "DIR")]
    keys_to: Option<PathBuf>,

    /// How many copies of the data are kept there [default: as the configuration says, or 7].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    options.settings.log.get_or_insert_with(|| "warn".into());
    let config = configure(options.settings)?;
    let mut wanted = backup_of(&config)?;
    if options.to.is_some() || options.keys_to.is_some() {
        (wanted.to, wanted.keys_to) = (options.to, options.keys_to);
    }
    if let Some(keep) = options.keep {
        wanted.plan.keep = usize::try_from(keep)?;
    }
    let taken = take(&wanted, SystemClock.now()).await?;
    print!("{}", describe(&taken));
    let whole = taken.data.is_none_or(|data| data.trail.faults.is_empty());
    Ok(if whole { ExitCode::SUCCESS } else { WRONG.into() })
}

fn describe(taken: &Taken) -> String {
    let mut text = String::new();
    if let Some(Data { file, bytes, trail }) = &taken.data {
        text += &format!("data     {} ({bytes} bytes)\n{}", file.display(), describe_trail(trail));
    }
    match &taken.keys {
        Some(keys) => text += &format!("keys     {}\n", keys.display()),
        None => text += "keys     not copied: without them the data opens for nobody (--keys-to)\n",
    }
    if taken.removed > 0 {
        text += &format!("removed  {} older\n", taken.removed);
    }
    text
}

/// What the check of an audit trail found, for people.
pub(super) fn describe_trail(trail: &Report) -> String {
    if trail.faults.is_empty() {
        return format!("trail    {} sealed events, nothing is wrong\n", trail.events);
    }
    let fault = |fault| format!("WRONG    {fault}\n");
    let named: String = trail.faults.iter().map(fault).collect();
    let more = if trail.unnamed > 0 { format!("WRONG    and {} more\n", trail.unnamed) } else { String::new() };
    format!("trail    {} events\n{named}{more}", trail.events)
}
