//! `aftercare audit-head`: the last signed head of the audit trail, to be kept elsewhere.

use std::process::ExitCode;

use clap::Args;

use super::verify_audit::open_existing;
use super::{Error, configure};
use crate::config::Settings;
use crate::usecase::audit;

/// Prints the last signed head of the audit trail with the key that signed it, as one line of JSON. Keep it where
/// whoever has this database cannot change it: `verify-audit --head` then finds out whether anything up to it was
/// changed or cut off. Exits with 1 when nothing is sealed yet.
#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    options.settings.log.get_or_insert_with(|| "warn".into());
    let db = open_existing(&configure(options.settings)?).await?;
    let head = audit::exported(&db).await;
    db.close().await;
    println!("{}", head?.ok_or("nothing is sealed yet")?.to_json());
    Ok(ExitCode::SUCCESS)
}
