//! How many calls are worked on at once, and how many wait for that. Whoever comes beyond is told at once to come back:
//! a service that takes on more than it can do answers everybody too late. A call that has not been said to its end
//! takes nobody's place, however long it is said.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};
use tracing::Instrument;

use super::LARGEST_REQUEST;
use super::span::action;
use super::status::status;
use crate::domain::limit::{Class, class};
use crate::span::span;
use crate::usecase::error::Error;

/// What police look up has a room of its own, of this part of the other one's size, which nobody else fills. \[P\]
const POLICE_PART: usize = 4;
/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Keeps out what is too much. Health and reflection always pass.
#[derive(Clone, Debug)]
pub struct AdmissionLayer {
    police: Arc<Room>,
    others: Arc<Room>,
}

impl AdmissionLayer {
    /// So many calls at once, while as many again wait.
    pub fn new(calls: usize) -> Self {
        Self { police: Arc::new(Room::of(calls.div_ceil(POLICE_PART))), others: Arc::new(Room::of(calls)) }
    }

    fn room(&self, path: &str) -> Option<Arc<Room>> {
        let rpc = path.trim_start_matches('/');
        match class(rpc) {
            _ if !rpc.starts_with("aftercare.") => None,
            Class::Police => Some(self.police.clone()),
            _ => Some(self.others.clone()),
        }
    }
}

/// Places at work, and before the door.
#[derive(Debug)]
struct Room {
    places: Semaphore,
    size: usize,
    /// Who works and who waits.
    present: AtomicUsize,
}

/// Somebody who works or waits.
struct Present<'r>(&'r Room);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Room {
    fn of(size: usize) -> Self {
        Self { places: Semaphore::new(size), size, present: AtomicUsize::new(0) }
    }

    /// Waits for a place in the order of arrival; nothing, when too many do.
    async fn enter(&self) -> Option<(SemaphorePermit<'_>, Present<'_>)> {
        let before = self.present.fetch_add(1, Ordering::AcqRel);
        let present = Present(self);
        if before >= 2 * self.size {
            return None;
        }
        // It is never closed.
        Some((self.places.acquire().await.ok()?, present))
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, inner: S) -> Admission<S> {
        Admission { layer: self.clone(), inner }
    }
}

/// A service that is never asked for more at once than it can do.
#[derive(Clone, Debug)]
pub struct Admission<S> {
    layer: AdmissionLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for Admission<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(room) = self.layer.room(request.uri().path()) else { return Box::pin(self.inner.call(request)) };
        // What was found ready is what is called.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let request = match whole(body).await {
                Ok(body) => Request::from_parts(head, body),
                Err(error) => return Ok(error.into_http()),
            };
            // A stream has its place until it begins: what it waits for then costs nothing.
            match room.enter().await {
                Some(_place) => {
                    let doing = span!("action", "otel.name" = action(request.uri().path()));
                    inner.call(request).instrument(doing).await
                }
                None => Ok(status(Error::Overloaded).into_http()),
            }
        })
    }
}

/// The one message of a call, however slowly it comes; of one that is too large as much as tells its reader so.
async fn whole(mut body: Body) -> Result<Body, Status> {
    let mut message = Vec::new();
    while message.len() <= PREFIX + LARGEST_REQUEST
        && let Some(frame) = body.frame().await
    {
        message.extend(frame?.into_data().unwrap_or_default());
    }
    Ok(Body::new(Full::new(Bytes::from(message))))
}
