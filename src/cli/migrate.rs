//! `aftercare migrate`: brings the schema up to date. `serve` does the same when it starts.

use std::process::ExitCode;

use super::{Error, configure, open};
use crate::config::Settings;

pub(super) async fn run(settings: Settings) -> Result<ExitCode, Error> {
    let config = configure(settings)?;
    open(&config).await?.world().db().close().await;
    println!("The schema is up to date.");
    Ok(ExitCode::SUCCESS)
}
