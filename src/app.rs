//! The composition root: from a configuration to a service that runs until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::Meter;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::Server;
use tonic_health::server::HealthReporter;

use crate::auth::{Builtin, Provider, StatementKey, audit_key, key_files, known_audit_key};
use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::domain::statement::SigningKey;
use crate::grpc::{self, AdmissionLayer, DeadlineLayer, GateLayer, Measure, MeasureLayer, WellKnownLayer};
use crate::jobs::{self, Backups, Pump, Sealer, Watchman, Workers};
use crate::metrics::{Looking, Metrics, Page, Sent, State};
use crate::rng::Rng;
use crate::store::keyring::KeyringFile;
use crate::store::{Db, Keys, Target, create_private_directory};
use crate::transport::{Certificates, Incoming, Unusable};
use crate::usecase::backup::{self, Backup, Source};
use crate::usecase::call::Authenticator;
use crate::usecase::followup::instrument;
use crate::usecase::statement::{self, Keyring};
use crate::usecase::{World, audit, figures, treatment};

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
    /// The certificate authorities of the issuer cannot be used.
    #[error("cannot use the file of --issuer-ca")]
    IssuerAuthority(#[source] std::io::Error),
    /// TLS cannot be spoken.
    #[error("cannot speak TLS")]
    Tls(#[from] Unusable),
    /// The listener of the metrics.
    #[error("cannot tell metrics")]
    Metrics(#[source] std::io::Error),
    /// The listener failed.
    #[error("cannot serve")]
    Serve(#[from] tonic::transport::Error),
}

/// An assembled service.
#[derive(Debug)]
pub struct App {
    world: World,
    issuer: Issuer,
    certificates: Option<Arc<Certificates>>,
    limits: Limits,
    keyring: Arc<dyn Keyring>,
    audit_key: SigningKey,
    seals: bool,
    backup: Option<Backup>,
    metrics: Arc<Metrics>,
    page: Option<Page>,
    sent: Option<(Arc<Sent>, Looking)>,
    workers: u32,
    drain_for: Duration,
}

/// Who issues the tokens.
#[derive(Clone, Debug)]
enum Issuer {
    Builtin(Arc<Builtin>),
    Provider(Arc<Provider>),
}

impl Issuer {
    fn authenticator(&self) -> Arc<dyn Authenticator> {
        match self {
            Issuer::Builtin(issuer) => issuer.clone(),
            Issuer::Provider(provider) => provider.clone(),
        }
    }

    /// Whether callers can be told apart, and so anything answered.
    fn is_ready(&self) -> bool {
        match self {
            Issuer::Builtin(_) => true,
            Issuer::Provider(provider) => provider.is_ready(),
        }
    }

    /// Does what has to be done for that, and tells health what comes of it, for ever.
    async fn keep(&self, health: &HealthReporter) {
        let Issuer::Provider(provider) = self else { return std::future::pending().await };
        let telling = async {
            loop {
                let ready = provider.is_ready();
                tell(health, ready).await;
                provider.turns(ready).await;
            }
        };
        tokio::join!(provider.keep(), telling);
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How long an answer may take to reach who asked, when the process ends. \[P\]
const ANSWERS_TRAVEL_FOR: Duration = Duration::from_secs(2);
/// How long each of the last chores may take then: what is not done is done by whoever comes next. \[P\]
const CHORES_FOR: Duration = Duration::from_secs(5);

impl App {
    /// Opens the database, brings its schema up to date and assembles the service.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, Error> {
        let instruments = instrument::catalogue(config.instruments.as_deref())?;
        let certificates = config.tls.clone().map(Certificates::open).transpose()?.map(Arc::new);
        create_private_directory(&config.data_dir)?;
        let audit_key = audit_key(&config.data_dir, rng.as_ref())?;
        let db = Db::open(&config.database, config.connections).await?;
        db.migrate().await?;
        let keyring: Arc<dyn Keyring> = Arc::new(StatementKey::new(&config.data_dir, rng.clone()));
        let keys = Keys { store: config.key_store.clone(), keyring: Arc::new(KeyringFile::new(&config.data_dir)) };
        let db = db.unlock(&keys, clock.clone(), rng.clone()).await?;
        let policies = (&config.quotas, config.retention.clone());
        let world = World::open_within(db, clock, rng.clone(), instruments, policies).await?;
        let issuer = match &config.provider {
            None => Issuer::Builtin(Arc::new(Builtin::open(&config.data_dir, rng.as_ref())?)),
            Some(provider) => {
                let provider = Provider::new(world.clone(), provider.clone()).map_err(Error::IssuerAuthority)?;
                Issuer::Provider(Arc::new(provider))
            }
        };
        statement::signing_key(&world, &keyring).await?;
        audit::register(&world, audit_key.public()).await?;
        treatment::ensure_standard(&world).await?;
        let is_file = matches!(config.database, Target::Sqlite(_));
        let backup = (is_file && config.backup.scheduled).then(|| backup_of(config)).transpose()?;
        Ok(Self {
            world,
            issuer,
            certificates,
            limits: config.limits,
            keyring,
            audit_key,
            seals: true,
            backup,
            metrics: Metrics::new(),
            page: None,
            sent: None,
            workers: config.workers,
            drain_for: config.drain_for,
        })
    }

    /// The same without its sealer of the audit trail: for a measurement that brings its own.
    #[must_use]
    pub fn without_sealer(self) -> Self {
        Self { seals: false, ..self }
    }

    /// The same, which tells metrics to whoever asks at an address, if there is one.
    pub async fn tell_metrics(self, address: Option<SocketAddr>) -> Result<Self, Error> {
        let Some(address) = address else { return Ok(self) };
        let listener = TcpListener::bind(address).await.map_err(Error::Metrics)?;
        tracing::info!(address = %listener.local_addr().map_err(Error::Metrics)?, "telling metrics");
        let page = Page::serve(listener, self.metrics.clone(), self.look());
        Ok(Self { page: Some(page), ..self })
    }

    /// The same, which sends metrics too.
    #[must_use]
    pub fn send_metrics(self, meter: &Meter) -> Self {
        let sent = (Sent::new(meter), Looking::start(meter, self.look()));
        Self { sent: Some(sent), ..self }
    }

    /// How what waits is looked at.
    fn look(&self) -> impl Fn() -> BoxFuture<State> + Send + Sync + 'static {
        let (world, wanted) = (self.world.clone(), self.backup.clone());
        move || {
            let (world, wanted) = (world.clone(), wanted.clone());
            Box::pin(async move {
                // A directory that cannot be read has no copy.
                let backup = wanted.map(|wanted| backup::last(&wanted).ok().flatten());
                State { figures: figures::read(&world).await, backup }
            })
        }
    }

    /// The world it acts on.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The issuer of its tokens, if that is not a provider.
    pub fn issuer(&self) -> Option<&Builtin> {
        match &self.issuer {
            Issuer::Builtin(issuer) => Some(issuer),
            Issuer::Provider(_) => None,
        }
    }

    /// The key with which it signs statements.
    pub fn keyring(&self) -> &Arc<dyn Keyring> {
        &self.keyring
    }

    /// Serves and does jobs until `shutdown` resolves; then takes no more, lets what is in flight end
    /// within the limit, and closes the database.
    pub async fn serve(mut self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        // Told for as long as it serves.
        let (_page, sent) = (self.page.take(), self.sent.take());
        let mut measures: Vec<Arc<dyn Measure>> = vec![self.metrics.clone()];
        measures.extend(sent.iter().map(|(sent, _)| sent.clone() as Arc<dyn Measure>));
        let (health, health_service) = tonic_health::server::health_reporter();
        let mut routes = grpc::routes(&self.world, &self.keyring, self.audit_key.public())?;
        routes.add_service(health_service);
        let workers = Workers::start(&self.world, &jobs::all(), self.workers).await?;
        let pump = Pump::start(&self.world);
        let watchman = Watchman::start(&self.world);
        let _backups = self.backup.clone().map(|wanted| Backups::start(&self.world, wanted));
        let sealer = self.seals.then(|| Sealer::start(&self.world, self.audit_key.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let incoming = Incoming::new(listener, self.certificates.clone(), self.limits);
        let serving = server(&self.limits)
            .layer(WellKnownLayer::new(self.world.clone()))
            .layer(tonic_web::GrpcWebLayer::new())
            .layer(MeasureLayer::new(measures))
            .layer(DeadlineLayer::new(self.limits.request_for))
            .layer(GateLayer::new(self.world.clone(), self.issuer.authenticator()))
            .layer(AdmissionLayer::new(usize::try_from(self.limits.calls).unwrap_or(usize::MAX)))
            .add_routes(routes.routes())
            .serve_with_incoming_shutdown(incoming, async {
                // A dropped sender means that there is nobody left to stop us but us.
                let _ = stopped.await;
            });
        tell(&health, self.issuer.is_ready()).await;
        let result = {
            tokio::pin!(serving);
            tokio::select! {
                result = &mut serving => result,
                () = self.issuer.keep(&health) => Ok(()),
                () = self.follow_certificates() => Ok(()),
                () = shutdown => {
                    tell(&health, false).await;
                    // Streams end by themselves alone.
                    self.world.tide().end();
                    let _ = stop.send(());
                    let (served, ()) = tokio::join!(self.drained(serving), workers.drain(self.drain_for));
                    served
                }
            }
        };
        drop(watchman);
        let chores_for = self.drain_for.min(CHORES_FOR);
        pump.drain(chores_for).await;
        if let Some(sealer) = sealer {
            sealer.drain(chores_for).await;
        }
        if tokio::time::timeout(chores_for, self.world.db().close()).await.is_err() {
            tracing::warn!("database connections did not come back within the limit");
        }
        Ok(result?)
    }

    /// Takes up new certificates, for ever.
    async fn follow_certificates(&self) {
        match &self.certificates {
            Some(certificates) => certificates.follow().await,
            None => std::future::pending().await,
        }
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

/// What is copied of an installation, and where to.
pub fn backup_of(config: &Config) -> std::io::Result<Backup> {
    let mut key_files = key_files(&config.data_dir);
    key_files.push(KeyringFile::new(&config.data_dir).path().to_path_buf());
    let trusted = known_audit_key(&config.data_dir)?.map(|key| key.public()).into_iter().collect();
    let (database, key_store) = (config.database.clone(), config.key_store.clone());
    let source = Source { database, key_store, key_files, trusted };
    let (to, keys_to) = (Some(config.backup.to.clone()), config.backup.keys_to.clone());
    Ok(Backup { source, to, keys_to, plan: config.backup.plan })
}

/// A server that takes from a connection no more than it may.
fn server(limits: &Limits) -> Server {
    Server::builder()
        .accept_http1(true)
        .timeout(limits.request_for)
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(limits.unread)
        .initial_connection_window_size(limits.unread_in_all)
        .http2_max_header_list_size(limits.headers)
        .http2_max_pending_accept_reset_streams(Some(limits.resets))
        .http2_max_local_error_reset_streams(Some(limits.faults))
        .http2_keepalive_interval(Some(limits.silence_for))
        .http2_keepalive_timeout(Some(limits.pong_for))
}

/// Tells health whether calls are answered.
async fn tell(health: &HealthReporter, serving: bool) {
    let status = if serving { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
    for service in SERVICES {
        health.set_service_status(service, status).await;
    }
}

/// What health is asked about; the empty name is the whole.
const SERVICES: [&str; 10] = [
    "",
    "aftercare.v1.DirectoryService",
    "aftercare.v1.ClientService",
    "aftercare.v1.SchedulingService",
    "aftercare.v1.ComplianceService",
    "aftercare.v1.AttendanceService",
    "aftercare.v1.FollowUpService",
    "aftercare.v1.AccessService",
    "aftercare.v1.AuditService",
    "aftercare.v1.PrivacyService",
];
