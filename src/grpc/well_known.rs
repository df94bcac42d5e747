//! The key set of statements over plain HTTP, at the path where JOSE libraries look for one. Open to
//! everybody: whoever is shown a statement may check it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{Layer, Service};

use crate::chain::chain;
use crate::usecase::{World, statement};

/// Where the key set is.
pub const KEY_SET_PATH: &str = "/.well-known/jwks.json";
/// RFC 7517 8.5.1.
const KEY_SET_TYPE: &str = "application/jwk-set+json";
/// A revoked key is out of every copy after five minutes \[P\].
const KEPT_FOR: &str = "public, max-age=300";

/// Answers for the key set in front of a service, and leaves everything else to it.
#[derive(Clone)]
pub struct WellKnownLayer {
    world: World,
}

impl WellKnownLayer {
    /// A layer that shows the keys of this world.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

impl<S> Layer<S> for WellKnownLayer {
    type Service = WellKnown<S>;

    fn layer(&self, inner: S) -> WellKnown<S> {
        WellKnown { world: self.world.clone(), inner }
    }
}

/// A service behind the key set.
#[derive(Clone)]
pub struct WellKnown<S> {
    world: World,
    inner: S,
}

impl<S> Service<Request<Body>> for WellKnown<S>
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
        if request.uri().path() != KEY_SET_PATH {
            return Box::pin(self.inner.call(request));
        }
        let (world, method) = (self.world.clone(), request.method().clone());
        Box::pin(async move { Ok(answer(&world, &method).await) })
    }
}

async fn answer(world: &World, method: &Method) -> Response<Body> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return empty(StatusCode::METHOD_NOT_ALLOWED, header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    let json = match statement::key_set(world.db()).await {
        Ok(keys) => keys.to_json(),
        Err(error) => {
            tracing::warn!(error = %chain(&error), "the key set cannot be read");
            return empty(StatusCode::SERVICE_UNAVAILABLE, header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
    };
    let mut response = empty(StatusCode::OK, header::CONTENT_LENGTH, json.len().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(KEY_SET_TYPE));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(KEPT_FOR));
    if *method == Method::GET {
        *response.body_mut() = Body::new(json);
    }
    response
}

fn empty(status: StatusCode, name: header::HeaderName, value: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    response
}
