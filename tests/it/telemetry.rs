//! What a collector of OpenTelemetry is sent: spans of what was asked, the same metrics as on the page, and nothing about
//! anybody. The collector here is the service of OpenTelemetry's own protocol files.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aftercare::grpc::pb;
use aftercare::grpc::pb::client_service_client::ClientServiceClient;
use aftercare::grpc::pb::directory_service_client::DirectoryServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tonic::{Code, Request, Response, Status};

use crate::process::{Serving, aftercare, planted, text, token, with_token};

const TRACE: [u8; 16] = [7; 16];
const PARENT: [u8; 8] = [9; 8];

/// Keeps everything it is sent.
#[derive(Clone, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let (it, listener) = (Self::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let serving = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(it.clone()))
            .add_service(MetricsServiceServer::new(it.clone()));
        tokio::spawn(serving.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
        (it, address)
    }

    fn spans(&self) -> Vec<Span> {
        let all = self.traces.lock().unwrap();
        let scopes = all.iter().flat_map(|it| &it.resource_spans).flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| it.spans.clone()).collect()
    }

    /// By name, as it was sent last.
    fn metrics(&self) -> BTreeMap<String, Metric> {
        let all = self.metrics.lock().unwrap();
        let scopes = all.iter().flat_map(|it| &it.resource_metrics).flat_map(|it| &it.scope_metrics);
        scopes.flat_map(|it| &it.metrics).map(|it| (it.name.clone(), it.clone())).collect()
    }

    fn says(&self, words: &str) -> bool {
        let (traces, metrics) = (self.traces.lock().unwrap(), self.metrics.lock().unwrap());
        format!("{traces:?} {metrics:?}").contains(words)
    }
}

fn value(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|it| it.key == key).unwrap_or_else(|| panic!("{key} is not in {attributes:?}"));
    match found.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("{key}: {other:?}"),
    }
}

/// A service that sends what it has only when it ends.
fn serve(directory: &Path, collector: SocketAddr) -> Serving {
    let mut command = aftercare(directory);
    command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", "warn,aftercare=info"]);
    command.args(["--otlp-endpoint", &format!("http://{collector}")]);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "3600000").env("OTEL_METRIC_EXPORT_INTERVAL", "3600000");
    Serving::begin(command).unwrap()
}

fn traced<T>(token: &str, message: T) -> Request<T> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut request = with_token(token, message);
    let parent = format!("00-{}-{}-01", hex(&TRACE), hex(&PARENT));
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    request.metadata_mut().insert("x-request-id", "5eed-0007".parse().unwrap());
    request
}

fn organisation() -> pb::CreateOrganisationRequest {
    let (code, name, district) = ("EXAMPLE".into(), "Example Trust".into(), "KL-TVM".into());
    let organisation = pb::Organisation { code, name, kind: 1, district, ..Default::default() };
    pb::CreateOrganisationRequest { organisation: Some(organisation), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_is_sent_what_was_asked_how_long_it_took_and_nothing_about_anybody() {
    let directory = tempfile::tempdir().unwrap();
    let admin = token(directory.path(), &["--role", "admin"]);
    let (collector, address) = Collector::start().await;
    let serving = serve(directory.path(), address);
    let mut services = DirectoryServiceClient::new(serving.channel().await);
    services.create_organisation(traced(&admin, organisation())).await.unwrap();
    let nobody = pb::GetOrganisationRequest { organisation_id: uuid::Uuid::from_u128(7).to_string() };
    services.get_organisation(with_token(&admin, nobody)).await.unwrap_err();
    let coordinator = token(directory.path(), &["--role", "coordinator", "--organisation", "EXAMPLE"]);
    let mut clients = ClientServiceClient::new(serving.channel().await);
    clients.create_client(with_token(&coordinator, planted())).await.unwrap();

    // Nothing is lost of what was not sent yet.
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    let spans = collector.spans();
    let named = |name: &str| {
        spans.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name} is not in {spans:#?}")).clone()
    };
    let call = named("aftercare.v1.DirectoryService/CreateOrganisation");
    assert_eq!((&call.trace_id[..], &call.parent_span_id[..]), (&TRACE[..], &PARENT[..]));
    assert_eq!(value(&call.attributes, "rpc.response.status_code"), "OK");
    assert_eq!(value(&call.attributes, "request.id"), "5eed-0007");
    let action = named("organisation.create");
    assert_eq!((&action.trace_id, &action.parent_span_id), (&call.trace_id, &call.span_id));
    for name in ["transaction.begin", "transaction.commit"] {
        let within = spans.iter().any(|it| it.name == name && it.parent_span_id == action.span_id);
        assert!(within, "{name} is not in {spans:#?}");
    }
    let refused = named("aftercare.v1.DirectoryService/GetOrganisation");
    assert_eq!(value(&refused.attributes, "rpc.response.status_code"), "NOT_FOUND");
    assert_ne!(value(&refused.attributes, "request.id"), "");
    assert!(spans.iter().all(|it| it.end_time_unix_nano >= it.start_time_unix_nano));

    let metrics = collector.metrics();
    let Some(Data::Sum(answers)) = &metrics["aftercare_rpcs"].data else { panic!("{metrics:#?}") };
    let created = answers.data_points.iter().find(|it| {
        value(&it.attributes, "method") == "aftercare.v1.DirectoryService/CreateOrganisation"
            && value(&it.attributes, "code") == "OK"
    });
    assert!(created.is_some() && answers.is_monotonic, "{answers:#?}");
    let Some(Data::Gauge(up)) = &metrics["aftercare_database_up"].data else { panic!("{metrics:#?}") };
    assert_eq!(up.data_points.len(), 1);
    for said in ["Planted", "planted", "Example Trust", "555-0100"] {
        assert!(!collector.says(said), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_holds_nobody_up() {
    let directory = tempfile::tempdir().unwrap();
    let admin = token(directory.path(), &["--role", "admin"]);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let serving = serve(directory.path(), nobody);
    let mut services = DirectoryServiceClient::new(serving.channel().await);
    services.create_organisation(with_token(&admin, organisation())).await.unwrap();
    let twice = services.create_organisation(traced(&admin, organisation())).await.unwrap_err();
    assert_eq!(twice.code(), Code::AlreadyExists);
    let (code, log) =
        tokio::time::timeout(Duration::from_secs(60), tokio::task::spawn_blocking(move || serving.end("-TERM")))
            .await
            .unwrap()
            .unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("could not be sent"), "{log}");
}

#[test]
fn a_collector_is_spoken_to_safely_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let output = aftercare(directory.path()).arg("serve").args(arguments).output().unwrap();
        assert!(!output.status.success());
        text(&output)
    };
    let plain = said(&["--otlp-endpoint", "http://collector.example:4317"]);
    assert!(plain.contains("must be an https:// URL; http:// is for loopback only"), "{plain}");
    assert!(said(&["--otlp-ca", "ca.pem"]).contains("--otlp-ca needs --otlp-endpoint"));
    let missing = said(&["--otlp-endpoint", "https://collector.example:4317", "--otlp-ca", "/nowhere/ca.pem"]);
    assert!(missing.contains("/nowhere/ca.pem"), "{missing}");
}
