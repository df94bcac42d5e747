//! In front of every service: who calls, and may that role call this at all? Health and reflection
//! are open; everything else needs a token, before its body is read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::{Request, Response, header::AUTHORIZATION};
use tower::{Layer, Service};

use super::status::status;
use crate::usecase::call::{self, Authenticator, Refused};
use crate::usecase::error::{Error, Result};
use crate::usecase::{Call, World};

/// Puts the gate in front of a service.
#[derive(Clone)]
pub struct GateLayer {
    world: World,
    authenticator: Arc<dyn Authenticator>,
}

impl GateLayer {
    /// A gate that asks this authenticator.
    pub fn new(world: World, authenticator: Arc<dyn Authenticator>) -> Self {
        Self { world, authenticator }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { gate: self.clone(), inner }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Gate<S> {
    gate: GateLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to call.
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        let gate = self.gate.clone();
        Box::pin(async move {
            let _answering = gate.world.answering();
            let path = request.uri().path().trim_start_matches('/').to_owned();
            if !is_open(&path) {
                let token = bearer(&request).map(str::to_owned);
                match let_in(&gate, token, &path).await {
                    Ok(call) => request.extensions_mut().insert(call),
                    Err(error) => return Ok(status(error).into_http()),
                };
            }
            inner.call(request).await
        })
    }
}

async fn let_in(gate: &GateLayer, token: Option<String>, rpc: &str) -> Result<Call> {
    let token = token.ok_or(Error::Unauthenticated)?;
    let identity = gate.authenticator.identify(&token, gate.world.now()).await.map_err(|reason| match reason {
        Refused::Unchecked(error) => error,
        reason => {
            tracing::info!(%reason, "token refused");
            Error::Unauthenticated
        }
    })?;
    call::enter(&gate.world, identity, rpc).await
}

fn bearer(request: &Request<Body>) -> Option<&str> {
    let text = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_open(path: &str) -> bool {
    ["grpc.health.v1.Health/", "grpc.reflection.v1.ServerReflection/"].iter().any(|open| path.starts_with(open))
}
