//! The same metrics for a collector of OpenTelemetry, under the same names.

use std::fmt::{self, Debug};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, Meter, ObservableGauge};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{ANSWERS, FIGURES, PREFIX, SECONDS, State, TIMES};
use crate::grpc::Measure;

/// How often it looks at what is not told by calls. A collector hears of it once in a minute by default. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(15);

/// What calls tell.
pub struct Sent {
    answers: Counter<u64>,
    times: Histogram<f64>,
}

impl Sent {
    /// Under the names that the page has.
    pub fn new(meter: &Meter) -> Arc<Self> {
        let (answers, times) = (format!("{PREFIX}_{}", ANSWERS.0), format!("{PREFIX}_{}", TIMES.0));
        Arc::new(Self {
            answers: meter.u64_counter(answers).with_description(ANSWERS.1).build(),
            times: meter.f64_histogram(times).with_description(TIMES.1).with_boundaries(SECONDS.to_vec()).build(),
        })
    }
}

impl Measure for Sent {
    fn answered(&self, method: &'static str, code: &'static str, after: Duration) {
        self.answers.add(1, &[KeyValue::new("method", method), KeyValue::new("code", code)]);
        self.times.record(after.as_secs_f64(), &[KeyValue::new("method", method)]);
    }
}

impl Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").finish_non_exhaustive()
    }
}

/// Looks at everything else, until it is dropped.
#[derive(Debug)]
pub struct Looking {
    task: JoinHandle<()>,
    _gauges: Vec<ObservableGauge<f64>>,
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Looking {
    /// Begins at once.
    pub fn start<F>(meter: &Meter, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = State> + Send + 'static,
    {
        let seen: [Arc<AtomicU64>; FIGURES.len()] = std::array::from_fn(|_| Arc::new(f64::NAN.to_bits().into()));
        let gauges = seen.iter().zip(FIGURES).map(|(value, (name, help, _))| {
            let value = value.clone();
            let tell = move |observer: &dyn AsyncInstrument<f64>| {
                let value = f64::from_bits(value.load(Ordering::Relaxed));
                // What is not known is not told.
                if !value.is_nan() {
                    observer.observe(value, &[]);
                }
            };
            meter.f64_observable_gauge(format!("{PREFIX}_{name}")).with_description(help).with_callback(tell).build()
        });
        let _gauges = gauges.collect();
        let task = tokio::spawn(async move {
            loop {
                let state = look().await;
                for (value, (_, _, read)) in seen.iter().zip(FIGURES) {
                    value.store(read(&state).to_bits(), Ordering::Relaxed);
                }
                sleep(LOOKS_EVERY).await;
            }
        });
        Self { task, _gauges }
    }
}
