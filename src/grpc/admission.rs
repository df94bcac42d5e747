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
use crate::usecase::first;

/// What police look up has a room of its own, of this part of the other one's size, which nobody else fills. \[P\]
const POLICE_PART: usize = 4;
/// All that is being said to the service at a time takes no more memory than this, in KiB. \[P\]
const SAID_KIB: usize = 64 * 1024;
/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Keeps out what is too much. Health and reflection always pass.
#[derive(Clone, Debug)]
pub struct AdmissionLayer {
    police: Arc<Room>,
    others: Arc<Room>,
    /// Memory for what is being said.
    said: Arc<Semaphore>,
}

impl AdmissionLayer {
    /// So many calls at once, while as many again wait.
    pub fn new(calls: usize) -> Self {
        let (police, others) = (Room::of(calls.div_ceil(POLICE_PART), true), Room::of(calls, false));
        Self { police: Arc::new(police), others: Arc::new(others), said: Arc::new(Semaphore::new(SAID_KIB)) }
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
    /// Nor do they wait for a connection to the database behind everybody else.
    is_first: bool,
}

/// Somebody who works or waits.
struct Present<'r>(&'r Room);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.present.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Room {
    fn of(size: usize, is_first: bool) -> Self {
        Self { places: Semaphore::new(size), size, present: AtomicUsize::new(0), is_first }
    }

    /// Whether nobody else may wait.
    fn is_full(&self) -> bool {
        self.present.load(Ordering::Acquire) >= 2 * self.size
    }

    /// Waits for a place in the order of arrival; nothing, when too many do.
    async fn enter(&self) -> Option<(SemaphorePermit<'_>, Present<'_>)> {
        if self.is_full() {
            return None;
        }
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
        let said = self.layer.said.clone();
        Box::pin(async move {
            if room.is_full() {
                return Ok(status(Error::Overloaded).into_http());
            }
            let (head, body) = request.into_parts();
            let (body, _memory) = match whole(body, &said).await {
                Ok(whole) => whole,
                Err(error) => return Ok(error.into_http()),
            };
            let request = Request::from_parts(head, body);
            // A stream has its place until it begins: what it waits for then costs nothing.
            match room.enter().await {
                Some(_place) => {
                    let doing = span!("action", "otel.name" = action(request.uri().path()));
                    let answer = inner.call(request).instrument(doing);
                    if room.is_first { first(answer).await } else { answer.await }
                }
                None => Ok(status(Error::Overloaded).into_http()),
            }
        })
    }
}

/// The one message of a call, however slowly it comes, and the memory that it has; of one that is too large as much as
/// tells its reader so.
async fn whole(mut body: Body, memory: &Semaphore) -> Result<(Body, Option<SemaphorePermit<'_>>), Status> {
    let (mut message, mut held) = (Vec::new(), None::<SemaphorePermit<'_>>);
    while message.len() <= PREFIX + LARGEST_REQUEST
        && let Some(frame) = body.frame().await
    {
        let data = frame?.into_data().unwrap_or_default();
        let kib = u32::try_from(data.len().div_ceil(1024)).unwrap_or(u32::MAX);
        let more = memory.try_acquire_many(kib).map_err(|_| status(Error::Overloaded))?;
        match &mut held {
            Some(held) => held.merge(more),
            None => held = Some(more),
        }
        message.extend_from_slice(&data);
    }
    Ok((Body::new(Full::new(Bytes::from(message))), held))
}
