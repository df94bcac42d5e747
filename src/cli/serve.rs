//! `aftercare serve`: runs until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::net::TcpListener;

use super::{Error, configure, open, stop_signal};
use crate::config::Settings;

pub(super) async fn run(settings: Settings) -> Result<ExitCode, Error> {
    let config = configure(settings)?;
    let stop = stop_signal();
    let app = open(&config).await?.tell_metrics(config.metrics_listen).await?;
    let listener = TcpListener::bind(config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, data = %config.data_dir.display(), "serving");
    app.serve(listener, stop).await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
