//! `aftercare serve`: runs until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::net::TcpListener;

use super::{Error, open, start_log, stop_signal};
use crate::config::{Config, Settings};
use crate::telemetry::Telemetry;

pub(super) async fn run(settings: Settings) -> Result<ExitCode, Error> {
    let config = Config::new(settings)?;
    let telemetry = config.collector.as_ref().map(Telemetry::start).transpose()?;
    start_log(config.log_format, &config.log, telemetry.as_ref())?;
    let stop = stop_signal();
    let mut app = open(&config).await?.tell_metrics(config.metrics_listen).await?;
    if let Some(telemetry) = &telemetry {
        app = app.send_metrics(&telemetry.meter());
    }
    let listener = TcpListener::bind(config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, data = %config.data_dir.display(), "serving");
    app.serve(listener, stop).await?;
    if let Some(telemetry) = telemetry {
        telemetry.end().await;
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
