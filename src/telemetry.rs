//! Traces and metrics, sent to a collector of OpenTelemetry. What is sent names methods, times, statuses and ids of
//! requests: nothing about anybody.

use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::transport::{Certificate, ClientTlsConfig};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::Collector;
use crate::{span, unique};

/// How the service is called there.
const NAME: &str = "aftercare";
/// How long what has not been sent may take when the process ends. \[P\]
const SENDS_FOR: Duration = Duration::from_secs(2);

/// Why nothing can be sent. That nobody takes it is no reason: it is said in the log, and tried again.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The certificates of who may vouch for the collector.
    #[error("cannot read {0}")]
    Authority(PathBuf, #[source] std::io::Error),
    /// What is made of them, or of the variables `OTEL_*`.
    #[error("cannot send traces and metrics")]
    Exporter(#[from] ExporterBuildError),
}

/// What sends, in threads of its own.
#[derive(Debug)]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

impl Telemetry {
    /// Sends from now on.
    pub fn start(collector: &Collector) -> Result<Self, Unusable> {
        let url = collector.endpoint.as_str();
        let mut traces = SpanExporter::builder().with_tonic().with_endpoint(url);
        let mut metrics = MetricExporter::builder().with_tonic().with_endpoint(url);
        if collector.endpoint.uri().scheme_str() == Some("https") {
            let tls = tls(collector)?;
            traces = traces.with_tls_config(tls.clone());
            metrics = metrics.with_tls_config(tls);
        }
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let instance = KeyValue::new("service.instance.id", unique::process());
        let resource = Resource::builder().with_service_name(NAME).with_attributes([version, instance]).build();
        Ok(Self {
            traces: SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_batch_exporter(traces.build()?)
                .build(),
            metrics: SdkMeterProvider::builder()
                .with_resource(resource)
                .with_periodic_exporter(metrics.build()?)
                .build(),
        })
    }

    /// Takes the spans that are for it, whatever the log takes.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.traces.tracer(NAME))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|it| it.is_span() && it.target() == span::TARGET))
    }

    /// By which metrics are made.
    pub fn meter(&self) -> Meter {
        self.metrics.meter(NAME)
    }

    /// Sends what has not been sent, and ends.
    pub async fn end(self) {
        let Self { traces, metrics } = self;
        let sent = [in_background(move || traces.shutdown()), in_background(move || metrics.shutdown())];
        for sent in sent {
            if !matches!(timeout(SENDS_FOR, sent).await, Ok(Ok(Ok(())))) {
                tracing::warn!("traces or metrics of the last moments could not be sent");
            }
        }
    }
}

/// In a thread that nobody waits for when the process ends.
fn in_background(ends: impl FnOnce() -> OTelSdkResult + Send + 'static) -> oneshot::Receiver<OTelSdkResult> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || tell.send(ends()));
    told
}

fn tls(collector: &Collector) -> Result<ClientTlsConfig, Unusable> {
    let Some(file) = &collector.authority else { return Ok(ClientTlsConfig::new().with_enabled_roots()) };
    let pem = std::fs::read(file).map_err(|error| Unusable::Authority(file.clone(), error))?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
}
