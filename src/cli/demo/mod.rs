//! `aftercare demo`: the service over example data, walking its main job once against itself.

mod calls;
mod cast;
mod course;
mod decide;
mod followup;
mod order;
mod say;
mod walk;
mod wire;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::cast::Cast;
use super::{Error, configure, example, open, stop_signal};
use crate::app::App;
use crate::config::{BackupTable, Config, DEFAULT_LISTEN, Settings};
use crate::usecase::World;
use crate::usecase::import::{Report, import};

#[derive(Args)]
pub(super) struct Options {
    /// Address to listen on [default: 127.0.0.1:50051, or any free port when that is taken].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// Stop after the walk instead of serving on.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(options: Options) -> Result<ExitCode, Error> {
    let directory = private_directory()?;
    let config = configure(Settings {
        listen: options.listen,
        data_dir: Some(directory.path().into()),
        log: Some("warn".into()),
        backup: Some(BackupTable { every_hours: Some(0), ..BackupTable::default() }),
        ..Settings::default()
    })?;
    let app = open(&config).await?;
    let listener = listen(&config, options.listen.is_some()).await?;
    play(app, &config, listener, options.once, stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Imports the example, serves it, and shows what it does, until it is told to stop.
async fn play(
    app: App,
    config: &Config,
    (listener, moved): (TcpListener, bool),
    once: bool,
    told_to_stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let report = import(app.world(), &example::files(), false).await?;
    let cast = Cast::new(&app).await?;
    let world = app.world().clone();
    let address = listener.local_addr()?;
    introduce(config, address, moved, &report);

    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(app.serve(listener, async {
        // A dropped sender stops the service too.
        let _ = stopped.await;
    }));
    let result = tokio::select! {
        result = show(&world, &cast, address, once) => result,
        () = told_to_stop => Ok(()),
        ended = &mut serving => return Err(ended?.err().map_or_else(|| "the service ended".into(), Error::from)),
    };
    drop(stop);
    serving.await??;
    result
}

/// A fresh directory that only its owner can enter; removed when dropped, whatever happens.
fn private_directory() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("aftercare-demo-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// The walk, then the calls to go on with, until somebody stops it.
async fn show(world: &World, cast: &Cast, address: SocketAddr, once: bool) -> Result<(), Error> {
    let client = walk::run(world, cast, address).await?;
    if once {
        return Ok(());
    }
    print!("{}", calls::all(cast, address, &client));
    std::future::pending().await
}

/// The listener, and whether it had to move away from the default port.
async fn listen(config: &Config, named: bool) -> Result<(TcpListener, bool), Error> {
    match TcpListener::bind(config.listen).await {
        Ok(listener) => Ok((listener, false)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && !named => {
            Ok((TcpListener::bind((config.listen.ip(), 0)).await?, true))
        }
        Err(error) => Err(format!("cannot listen on {}: {error}", config.listen).into()),
    }
}

fn introduce(config: &Config, address: SocketAddr, moved: bool, report: &Report) {
    println!("aftercare demo: two NGOs, in Thiruvananthapuram and Meerut. Every name is invented.\n");
    println!("Data      {} (removed at the end)", config.data_dir.display());
    println!("Imported  {}", say::imported(report));
    let moved = if moved { format!(" ({DEFAULT_LISTEN} is taken)") } else { String::new() };
    println!("gRPC      http://{address}{moved}");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::rng::SeededRng;

    /// Days before Sundays, second Saturdays, holidays and leave; the last and first minutes of years.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn it_goes_as_told_on_any_day() {
        for now in [
            "2026-01-25T12:00:00Z",
            "2026-04-14T18:29:59Z",
            "2026-08-14T18:30:00Z",
            "2026-11-21T00:00:00Z",
            "2026-12-11T23:59:59Z",
            "2026-12-19T06:00:00Z",
            "2026-12-31T18:29:00Z",
            "2027-04-11T12:00:00Z",
            "2028-02-28T20:00:00Z",
            "2035-12-31T23:59:59Z",
        ] {
            let directory = private_directory().unwrap();
            let settings = Settings {
                listen: Some("127.0.0.1:0".parse().unwrap()),
                data_dir: Some(directory.path().into()),
                ..Settings::default()
            };
            let config = Config::new(settings).unwrap();
            let clock = Arc::new(ManualClock::at(now.parse().unwrap()));
            let app = App::open(&config, clock, Arc::new(SeededRng::from_seed(1))).await.unwrap();
            let listener = listen(&config, true).await.unwrap();
            let played = play(app, &config, listener, true, std::future::pending()).await;
            played.unwrap_or_else(|error| panic!("{now}: {error}"));
        }
    }
}
