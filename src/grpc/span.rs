//! What a call is called in the log and in traces: its method, and an id, which whoever asked may have given it.

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::span::span;
use crate::unique::unique;

/// By which a client, or a proxy, names a request.
const REQUEST_ID: &str = "x-request-id";
/// By which it names the trace that the request belongs to (W3C Trace Context).
const TRACE_PARENT: &str = "traceparent";
/// The longest id that is taken over. \[P\]
const LONGEST_ID: usize = 64;

/// Both spans of a call.
#[derive(Debug)]
pub(super) struct Spans {
    /// For a collector; of what whoever watches over the service asks it, none.
    pub(super) traced: Span,
    /// For the log.
    pub(super) logged: Span,
}

impl Spans {
    /// Of a call of a method.
    pub(super) fn of(request: &Request<Body>, method: &'static str) -> Self {
        let id = request_id(request.headers());
        let traced =
            if method.starts_with("aftercare.") { traced(request.headers(), method, &id) } else { Span::none() };
        let logged = tracing::info_span!(parent: &traced, "rpc", method = request.uri().path(), request = id);
        Self { traced, logged }
    }

    /// Takes note of how it ended.
    pub(super) fn ended(&self, code: &'static str) {
        self.traced.record("rpc.response.status_code", code);
        // What the service is to blame for, as OpenTelemetry has it; refusals are answers.
        if matches!(code, "UNKNOWN" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS")
        {
            self.traced.record("otel.status_code", "ERROR");
        }
    }
}

fn traced(headers: &HeaderMap, method: &'static str, id: &str) -> Span {
    let span = span!(
        "call",
        "otel.name" = method,
        "otel.kind" = "server",
        "rpc.system.name" = "grpc",
        "rpc.method" = method,
        "rpc.response.status_code" = Empty,
        "otel.status_code" = Empty,
        "request.id" = id,
    );
    if !span.is_disabled() && headers.contains_key(TRACE_PARENT) {
        // Whoever has no collector has no parent either.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
    span
}

/// The id that came with it, if it is one; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|it| it.to_str().ok());
    let is_id = |it: &&str| {
        // Nobody's name can be written with these.
        (8..=LONGEST_ID).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    };
    given.filter(is_id).map_or_else(unique, str::to_owned)
}

/// What is done, as `aggregate.verb`: `session.book` of `…/BookSession`.
pub(super) fn action(method: &str) -> String {
    let name = method.rsplit('/').next().unwrap_or(method);
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_ascii_lowercase().into()),
        }
    }
    let verb = if words.first().is_some_and(|it| it == "batch") { 2 } else { 1 };
    let aggregate = words.split_off(verb.min(words.len()));
    format!("{}.{}", aggregate.join("_"), words.join("_"))
}

/// The headers, for a reader of trace contexts.
struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|it| it.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_an_aggregate_and_a_verb() {
        let of = |method| action(&format!("aftercare.v1.Service/{method}"));
        assert_eq!(of("BookSession"), "session.book");
        assert_eq!(of("AddCaseParty"), "case_party.add");
        assert_eq!(of("BatchCheckCompliance"), "compliance.batch_check");
    }

    #[test]
    fn an_id_is_taken_over_when_it_is_one() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, text.parse().unwrap());
            request_id(&headers)
        };
        assert_eq!(of("6F9619ff-8b86-d011"), "6F9619ff-8b86-d011");
        for wrong in [
            "",
            "1234567",
            "Person-Example",
            "{\"a\":1}",
            "01234567890123456789012345678901234567890123456789012345678901234",
        ] {
            assert_ne!(of(wrong), wrong);
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
