//! `aftercare restore`: brings an installation back from copies of it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::SecondsFormat;
use clap::Args;

use super::backup::describe_trail;
use super::verify_audit::WRONG;
use super::{Error, configure, open};
use crate::auth::known_audit_key;
use crate::clock::SystemClock;
use crate::config::{Config, Settings};
use crate::rng::SeededRng;
use crate::store::keyring::KeyringFile;
use crate::store::{Keys, Target};
use crate::usecase::backup::{Fault, PlacedKeys, Restore, Restored, adopt, place_keys, restore};

/// What is not back with the data, whatever it was restored from.
const SINCE: &str = "What was decided after that is lost, and has to be decided again: look first at revoked tokens, \
                     withdrawn consents, no-contact pairs and orders.\nWho follows changes is told to list again.\n";

/// Brings the data back from a copy that `backup` made, into a data directory that has none: checks it, brings its schema
/// up to date, opens it with the keys, and only then gives it its name. The keys of today are used if the data directory
/// has them; --keys-from brings them back too.
///
/// PostgreSQL is restored with its own tools; `restore --adopt` then does what is left to do: whoever follows changes
/// from a cursor is told to list again, because some of what was told may never have happened now, and the audit trail
/// says that the data was restored. Run it once, before anything serves.
///
/// Exits with 0 when the installation is back, with 3 when it is and its audit trail is not whole, with 1 when nothing was
/// done.
#[derive(Args)]
pub(super) struct Options {
    /// A copy of the data, or a directory of such copies, of which the newest is taken.
    #[arg(value_name = "FILE|DIR", required_unless_present = "adopt")]
    from: Option<PathBuf>,

    /// A copy of the keys, or the directory of it.
    #[arg(long, value_name = "DIR")]
    keys_from: Option<PathBuf>,

    /// The database is back already: take it on.
    #[arg(long, conflicts_with = "from")]
    adopt: bool,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    options.settings.log.get_or_insert_with(|| "warn".into());
    let config = configure(options.settings)?;
    let database = match (&options.from, config.database.clone()) {
        (None, _) => None,
        (Some(_), Target::Postgres(_)) => return Err(Fault::Server.into()),
        (Some(_), Target::Sqlite(file)) if file.exists() => return Err(Fault::Exists(file).into()),
        (Some(from), Target::Sqlite(file)) => Some((from.clone(), file)),
    };
    let placed = match &options.keys_from {
        Some(keys) => place_keys(keys, &config.data_dir).await?,
        None => PlacedKeys::default(),
    };
    let Some((from, database)) = database else {
        take_on(&config).await?;
        placed.keep();
        print!("The database is taken on as it is.\n{SINCE}");
        return Ok(ExitCode::SUCCESS);
    };
    let trusted = known_audit_key(&config.data_dir)?.map(|key| key.public()).into_iter().collect();
    let keys = Keys { store: config.key_store.clone(), keyring: Arc::new(KeyringFile::new(&config.data_dir)) };
    let wanted = Restore { from, database, keys, trusted };
    let restored = restore(wanted, Arc::new(SystemClock), Arc::new(SeededRng::from_system())).await?;
    placed.keep();
    print!("{}", describe(&restored));
    Ok(if restored.trail.faults.is_empty() { ExitCode::SUCCESS } else { WRONG.into() })
}

async fn take_on(config: &Config) -> Result<(), Error> {
    let app = open(config).await?;
    let adopted = adopt(app.world(), "BY THE DATABASE'S OWN TOOLS").await;
    app.world().db().close().await;
    Ok(adopted?)
}

fn describe(restored: &Restored) -> String {
    let taken_at = match restored.taken_at {
        Some(at) => at.to_rfc3339_opts(SecondsFormat::Secs, true),
        None => "an instant that its name does not say".into(),
    };
    let digest = if restored.digest { "as its SHA-256 says" } else { "no SHA-256 stood beside it" };
    let trail = describe_trail(&restored.trail);
    format!("data     {} ({digest})\nas of    {taken_at}\n{trail}{SINCE}", restored.from.display())
}
