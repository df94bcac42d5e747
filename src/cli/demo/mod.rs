//! `aftercare demo`: the service over example data, walking its main job once against itself.

mod calls;
mod cast;
mod say;
mod walk;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::cast::Cast;
use super::{Error, configure, example, open, stop_signal};
use crate::config::{Config, DEFAULT_LISTEN, Settings};
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
        ..Settings::default()
    })?;
    let app = open(&config).await?;
    let report = import(app.world(), &example::files(), false).await?;
    let cast = Cast::new(&app).await?;
    let world = app.world().clone();
    let (listener, moved) = listen(&config, options.listen.is_some()).await?;
    let address = listener.local_addr()?;
    introduce(&config, address, moved, &report);

    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(app.serve(listener, async {
        // A dropped sender stops the service too.
        let _ = stopped.await;
    }));
    let result = tokio::select! {
        result = show(&world, &cast, address, options.once) => result,
        () = stop_signal() => Ok(()),
        ended = &mut serving => return Err(ended?.err().map_or_else(|| "the service ended".into(), Error::from)),
    };
    drop(stop);
    serving.await??;
    result.map(|()| ExitCode::SUCCESS)
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
