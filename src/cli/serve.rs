//! `aftercare serve`: runs until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::net::TcpListener;

use super::{Error, open, start_log, stop_signal};
use crate::config::{Config, Settings};
use crate::telemetry::Telemetry;

/// Panics stand in the log as everything else does, in its form.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, says = panic.payload_as_str().unwrap_or_default(), "panicked");
    }));
}

pub(super) async fn run(settings: Settings) -> Result<ExitCode, Error> {
    let config = Config::new(settings)?;
    let telemetry = config.collector.as_ref().map(Telemetry::start).transpose()?;
    start_log(config.log_format, &config.log, telemetry.as_ref())?;
    log_panics();
    let stop = stop_signal();
    let mut app = open(&config).await?.tell_metrics(config.metrics_listen).await?;
    if let Some(telemetry) = &telemetry {
        app = app.send_metrics(&telemetry.meter());
    }
    let listener = TcpListener::bind(config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, data = %config.data_dir.display(), "serving");
    let served = app.serve(listener, stop).await;
    if let Some(telemetry) = telemetry {
        telemetry.end().await;
    }
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
