//! `aftercare serve`: runs until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::net::TcpListener;

use super::{Error, configure, open, stop_signal};
use crate::config::Settings;

pub(super) async fn run(settings: Settings) -> Result<ExitCode, Error> {
    let config = configure(settings)?;
    let app = open(&config).await?;
    let listener = TcpListener::bind(config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, data = %config.data_dir.display(), "serving");
    app.serve(listener, stop_signal()).await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
