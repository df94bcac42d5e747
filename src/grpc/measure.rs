//! What every call is called, how long it takes until its answer begins, and how it ends.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;

use super::span::Spans;
use crate::domain::access;

/// Takes note of calls.
pub trait Measure: Debug + Send + Sync {
    /// A call was answered, or its answer began, with a status and after some time.
    fn answered(&self, method: &'static str, code: &'static str, after: Duration);
}

/// Has somebody take note of every call.
#[derive(Clone, Debug)]
pub struct MeasureLayer(Arc<[Arc<dyn Measure>]>);

impl MeasureLayer {
    /// Tells all of these.
    pub fn new(measures: Vec<Arc<dyn Measure>>) -> Self {
        Self(measures.into())
    }
}

impl<S> Layer<S> for MeasureLayer {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { measures: self.0.clone(), inner }
    }
}

/// A service whose calls are measured.
#[derive(Clone, Debug)]
pub struct Measured<S> {
    measures: Arc<[Arc<dyn Measure>]>,
    inner: S,
}

impl<S> Service<Request<Body>> for Measured<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = method(request.uri().path());
        let spans = Spans::of(&request, method);
        let answer = spans.logged.in_scope(|| self.inner.call(request));
        // Both: what is within finds the one that is for it among those that were entered.
        let answer = answer.instrument(spans.logged.clone()).instrument(spans.traced.clone());
        let asked = Asked { measures: self.measures.clone(), method, spans, begun: Instant::now(), code: GIVEN_UP };
        Box::pin(async move {
            let answer = answer.await;
            asked.answered(match &answer {
                Ok(response) => code(response),
                Err(_) => "INTERNAL",
            });
            answer
        })
    }
}

/// A call, of which note is taken however it ends.
struct Asked {
    measures: Arc<[Arc<dyn Measure>]>,
    method: &'static str,
    spans: Spans,
    begun: Instant,
    code: &'static str,
}

/// Of a call that its caller waits for no more, and so has no answer.
const GIVEN_UP: &str = "CANCELLED";

impl Asked {
    fn answered(mut self, code: &'static str) {
        self.code = code;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.spans.ended(self.code);
        for measure in self.measures.iter() {
            measure.answered(self.method, self.code, self.begun.elapsed());
        }
    }
}

/// What was called, as far as that is a method of ours: what comes from outside is no name.
fn method(path: &str) -> &'static str {
    let path = path.trim_start_matches('/');
    match access::row(path) {
        Some((method, _)) => method,
        None if path.starts_with("grpc.health.") => "health",
        None if path.starts_with("grpc.reflection.") => "reflection",
        None => "other",
    }
}

/// The status of an answer. One that has a body says in its end how it went, which for a stream may be much later.
fn code(response: &Response<Body>) -> &'static str {
    match Status::from_header_map(response.headers()).map(|status| status.code()) {
        None | Some(Code::Ok) => "OK",
        Some(Code::Cancelled) => "CANCELLED",
        Some(Code::Unknown) => "UNKNOWN",
        Some(Code::InvalidArgument) => "INVALID_ARGUMENT",
        Some(Code::DeadlineExceeded) => "DEADLINE_EXCEEDED",
        Some(Code::NotFound) => "NOT_FOUND",
        Some(Code::AlreadyExists) => "ALREADY_EXISTS",
        Some(Code::PermissionDenied) => "PERMISSION_DENIED",
        Some(Code::ResourceExhausted) => "RESOURCE_EXHAUSTED",
        Some(Code::FailedPrecondition) => "FAILED_PRECONDITION",
        Some(Code::Aborted) => "ABORTED",
        Some(Code::OutOfRange) => "OUT_OF_RANGE",
        Some(Code::Unimplemented) => "UNIMPLEMENTED",
        Some(Code::Internal) => "INTERNAL",
        Some(Code::Unavailable) => "UNAVAILABLE",
        Some(Code::DataLoss) => "DATA_LOSS",
        Some(Code::Unauthenticated) => "UNAUTHENTICATED",
    }
}
