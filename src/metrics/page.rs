//! The page on which everything stands: `GET /metrics`, in the clear, for whoever can reach the listener.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Metrics, State};
use crate::chain::chain;

/// How many may ask at once. \[P\]
const MOST: usize = 8;
/// How long one connection may last: who asks again makes another. \[P\]
const LASTS: Duration = Duration::from_secs(30);
/// When the machine has no more files to give, it does not help to ask again at once.
const PAUSE: Duration = Duration::from_millis(100);
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Looking = Pin<Box<dyn Future<Output = State> + Send>>;
/// How the state is looked at.
type Look = Arc<dyn Fn() -> Looking + Send + Sync>;

/// The page, until it is dropped.
#[derive(Debug)]
pub struct Page(JoinHandle<()>);

impl Drop for Page {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Page {
    /// Answers on a listener, looking each time anew.
    pub fn serve<F>(listener: TcpListener, metrics: Arc<Metrics>, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = State> + Send + 'static,
    {
        let look: Look = Arc::new(move || Box::pin(look()));
        Self(tokio::spawn(accept(listener, metrics, look)))
    }
}

async fn accept(listener: TcpListener, metrics: Arc<Metrics>, look: Look) {
    let places = Arc::new(Semaphore::new(MOST));
    // Ended with the task that has it.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let answering = answer(stream, metrics.clone(), look.clone());
                connections.spawn(async move {
                    if !matches!(timeout(LASTS, answering).await, Ok(Ok(()))) {
                        tracing::debug!("a connection to the metrics was cut off");
                    }
                    drop(place);
                });
                while connections.try_join_next().is_some() {}
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "metrics");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, metrics: Arc<Metrics>, look: Look) -> io::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let (metrics, look) = (metrics.clone(), look.clone());
        async move { Ok::<_, Infallible>(page(&request, &metrics, &look).await) }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    connection.await.map_err(io::Error::other)
}

async fn page(request: &Request<Incoming>, metrics: &Metrics, look: &Look) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(text) = metrics.text(&look().await) else { return plain(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = Response::new(Full::from(text));
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(FORMAT));
    response
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
