//! The composition root: from a configuration to a service that runs until it is told to stop.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::auth::{Builtin, StatementKey};
use crate::clock::Clock;
use crate::config::Config;
use crate::grpc::{self, GateLayer, WellKnownLayer};
use crate::jobs::{self, Pump, Workers};
use crate::rng::Rng;
use crate::store::Db;
use crate::usecase::call::Authenticator;
use crate::usecase::followup::instrument;
use crate::usecase::statement::{self, Keyring};
use crate::usecase::{World, treatment};

/// Why a service cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be opened or brought up to date.
    #[error("cannot open the database")]
    Database(#[from] crate::store::Error),
    /// The world cannot be opened.
    #[error("cannot open the installation")]
    World(#[from] crate::usecase::Error),
    /// The data directory or a key cannot be used.
    #[error("cannot use the data directory")]
    DataDirectory(#[from] std::io::Error),
    /// The instruments that an installation adds cannot be used.
    #[error("cannot add the instruments")]
    Instruments(#[from] instrument::Unusable),
    /// The descriptors are wrong.
    #[error("cannot describe the services")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The listener failed.
    #[error("cannot serve")]
    Serve(#[from] tonic::transport::Error),
}

/// An assembled service.
#[derive(Debug)]
pub struct App {
    world: World,
    issuer: Arc<Builtin>,
    keyring: Arc<dyn Keyring>,
    workers: u32,
    drain_for: Duration,
}

/// The longest a request may take.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
/// How long an answer may take to reach who asked, when the process ends. \[P\]
const ANSWERS_TRAVEL_FOR: Duration = Duration::from_secs(2);

impl App {
    /// Opens the database, brings its schema up to date and assembles the service.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, Error> {
        let instruments = instrument::catalogue(config.instruments.as_deref())?;
        create_private(&config.data_dir)?;
        let issuer = Arc::new(Builtin::open(&config.data_dir, rng.as_ref())?);
        let db = Db::open(&config.database, config.connections).await?;
        db.migrate().await?;
        let keyring: Arc<dyn Keyring> = Arc::new(StatementKey::new(&config.data_dir, rng.clone()));
        let world = World::open(db, clock, rng, instruments).await?;
        statement::signing_key(&world, &keyring).await?;
        treatment::ensure_standard(&world).await?;
        Ok(Self { world, issuer, keyring, workers: config.workers, drain_for: config.drain_for })
    }

    /// The world it acts on.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The issuer of its tokens.
    pub fn issuer(&self) -> &Builtin {
        &self.issuer
    }

    /// The key with which it signs statements.
    pub fn keyring(&self) -> &Arc<dyn Keyring> {
        &self.keyring
    }

    /// Serves and does jobs until `shutdown` resolves; then takes no more, lets what is in flight end
    /// within the limit, and closes the database.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let mut routes = grpc::routes(&self.world, &self.keyring)?;
        routes.add_service(health_service);
        let workers = Workers::start(&self.world, &jobs::all(), self.workers).await?;
        let pump = Pump::start(&self.world);
        let authenticator: Arc<dyn Authenticator> = self.issuer.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Server::builder()
            .accept_http1(true)
            .timeout(LONGEST_REQUEST)
            .layer(WellKnownLayer::new(self.world.clone()))
            .layer(tonic_web::GrpcWebLayer::new())
            .layer(GateLayer::new(self.world.clone(), authenticator))
            .add_routes(routes.routes())
            .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), async {
                // A dropped sender means that there is nobody left to stop us but us.
                let _ = stopped.await;
            });
        for service in SERVICES {
            health.set_service_status(service, tonic_health::ServingStatus::Serving).await;
        }
        let result = {
            tokio::pin!(serving);
            tokio::select! {
                result = &mut serving => result,
                () = shutdown => {
                    for service in SERVICES {
                        health.set_service_status(service, tonic_health::ServingStatus::NotServing).await;
                    }
                    // Streams end by themselves alone.
                    self.world.tide().end();
                    let _ = stop.send(());
                    let (served, ()) = tokio::join!(self.drained(serving), workers.drain(self.drain_for));
                    served
                }
            }
        };
        pump.drain(self.drain_for).await;
        if tokio::time::timeout(self.drain_for, self.world.db().close()).await.is_err() {
            tracing::warn!("database connections did not come back within the limit");
        }
        Ok(result?)
    }

    /// What serving ends with; or nothing, when it did not end within the limit, or all that is left are streams whose
    /// readers do not read.
    async fn drained<E>(&self, serving: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        let answered = async {
            self.world.idle().await;
            tokio::time::sleep(ANSWERS_TRAVEL_FOR).await;
            self.world.idle().await;
        };
        tokio::select! {
            result = serving => result,
            () = answered => Ok(()),
            () = tokio::time::sleep(self.drain_for) => {
                tracing::warn!("requests in flight did not end within the limit");
                Ok(())
            }
        }
    }
}

/// What health is asked about; the empty name is the whole.
const SERVICES: [&str; 7] = [
    "",
    "aftercare.v1.DirectoryService",
    "aftercare.v1.ClientService",
    "aftercare.v1.SchedulingService",
    "aftercare.v1.ComplianceService",
    "aftercare.v1.AttendanceService",
    "aftercare.v1.FollowUpService",
];

/// Makes a directory that only its owner can enter.
fn create_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
