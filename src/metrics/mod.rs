//! What can be measured from outside: calls, connections, what waits, the process. In the format of OpenMetrics, which
//! Prometheus reads, on a listener of its own; and sent to a collector of OpenTelemetry.

mod page;
mod process;
mod sent;

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use page::Page;
pub use sent::{Looking, Sent};

use crate::grpc::Measure;
use crate::usecase::figures::Figures;

/// Bounds of the times that are told apart, in seconds. \[P\]
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What every name begins with.
const PREFIX: &str = "aftercare";
const ANSWERS: (&str, &str) = ("rpcs", "Calls by method and status; a stream counts when it begins");
const TIMES: (&str, &str) = ("rpc_seconds", "Time from a call to the beginning of its answer");

type Method = [(&'static str, &'static str); 1];
type MethodAndCode = [(&'static str, &'static str); 2];
type Times = Family<Method, Histogram, fn() -> Histogram>;

/// Everything that this process measures.
pub struct Metrics {
    registry: Registry,
    answers: Family<MethodAndCode, Counter>,
    times: Times,
    gauges: Vec<Gauge<f64, AtomicU64>>,
}

/// What is looked at when somebody asks.
pub struct State {
    /// What waits, and how busy this process is.
    pub figures: Figures,
    /// When the newest copy of the data was made, if the service makes any.
    pub backup: Option<Option<DateTime<Utc>>>,
}

/// A figure: its name, what it is, and how it is read; NaN where it is not known.
type Figure = (&'static str, &'static str, fn(&State) -> f64);

const FIGURES: [Figure; 17] = [
    ("calls_in_flight", "Calls that are being answered", |it| it.figures.calls as f64),
    ("database_up", "Whether the database answered just now", |it| f64::from(it.figures.backlog.is_some())),
    ("database_connections_in_use", "Connections to the database in use; on SQLite those that read", |it| {
        it.figures.load.in_use as f64
    }),
    ("database_connections_most", "Connections to the database that there may be", |it| it.figures.load.most as f64),
    ("writers_waiting", "Transactions that wait for the one writer of SQLite", |it| {
        it.figures.load.writers_waiting as f64
    }),
    ("jobs_due", "Jobs that are due and not done, counted up to 10000", |it| it.backlog(|it| it.jobs)),
    ("jobs_due_seconds", "For how long the first of them has been due", |it| it.waiting(|it| it.job_since)),
    ("jobs_dead", "Jobs that were given up, counted up to 10000", |it| it.backlog(|it| it.dead_jobs)),
    ("feed_pending", "Changes that have no place in the feed yet, counted up to 10000", |it| {
        it.backlog(|it| it.changes)
    }),
    ("audit_unsealed", "Audit events without a seal, counted up to 10000", |it| it.backlog(|it| it.unsealed)),
    ("audit_unsealed_seconds", "For how long the first of them has been waiting", |it| {
        it.waiting(|it| it.unsealed_since)
    }),
    (
        "sessions_unrecorded",
        "Sessions without a record of attendance a day after their end, up to 10000 of each organisation",
        |it| it.backlog(|it| it.unrecorded),
    ),
    ("escalations_overdue", "Escalations that nobody has taken on in time, up to 10000 of each organisation", |it| {
        it.backlog(|it| it.overdue)
    }),
    (
        "backup_age_seconds",
        "For how long there has been no newer copy of the data; since 1970 when there is none",
        |it| {
            match it.backup {
                None => f64::NAN,
                // Not infinite, which no collector would be sent.
                Some(None) => it.figures.now.timestamp() as f64,
                Some(at) => it.figures.since(at),
            }
        },
    ),
    ("process_resident_bytes", "Memory of the process", |_| process::resident().unwrap_or(f64::NAN)),
    ("process_open_files", "Files and connections that the process has open", |_| {
        process::open_files().unwrap_or(f64::NAN)
    }),
    ("process_cpu_seconds", "Time that the process has had a core, in all", |_| process::cpu().unwrap_or(f64::NAN)),
];

impl State {
    fn backlog(&self, read: fn(&crate::usecase::figures::Backlog) -> i64) -> f64 {
        self.figures.backlog.as_ref().map_or(f64::NAN, |it| read(it) as f64)
    }

    fn waiting(&self, since: fn(&crate::usecase::figures::Backlog) -> Option<DateTime<Utc>>) -> f64 {
        self.figures.backlog.as_ref().map_or(f64::NAN, |it| self.figures.since(since(it)))
    }
}

impl Metrics {
    /// Nothing is measured yet.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix(PREFIX);
        let answers = Family::<MethodAndCode, Counter>::default();
        registry.register(ANSWERS.0, ANSWERS.1, answers.clone());
        let times = Times::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register(TIMES.0, TIMES.1, times.clone());
        let gauges = FIGURES.iter().map(|(name, help, _)| {
            let gauge = Gauge::<f64, AtomicU64>::default();
            registry.register(*name, *help, gauge.clone());
            gauge
        });
        let gauges = gauges.collect();
        Arc::new(Self { registry, answers, times, gauges })
    }

    /// Everything, as text.
    pub fn text(&self, state: &State) -> Result<String, fmt::Error> {
        for (gauge, (_, _, read)) in self.gauges.iter().zip(FIGURES) {
            gauge.set(read(state));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Measure for Metrics {
    fn answered(&self, method: &'static str, code: &'static str, after: Duration) {
        self.answers.get_or_create(&[("method", method), ("code", code)]).inc();
        self.times.get_or_create(&[("method", method)]).observe(after.as_secs_f64());
    }
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
