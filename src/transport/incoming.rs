//! Connections as they come: no more than there are places for, and each only after its handshake.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;

use super::certificates::Certificates;
use super::connection::Connection;
use crate::chain::chain;
use crate::config::Limits;

/// How many connections may wait until the server takes them.
const WAITING: usize = 64;
/// When the machine has no more files to give, it does not help to ask again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// A stream of connections. Closes its listener, and ends the handshakes, when it is dropped.
#[derive(Debug)]
pub struct Incoming {
    ready: mpsc::Receiver<Connection>,
    _accepting: JoinSet<()>,
}

impl Incoming {
    /// Takes connections from a listener; with certificates, after a handshake.
    pub fn new(listener: TcpListener, certificates: Option<Arc<Certificates>>, limits: Limits) -> Self {
        let (sender, ready) = mpsc::channel(WAITING);
        let places = |number: u32| Arc::new(Semaphore::new(usize::try_from(number).unwrap_or(Semaphore::MAX_PERMITS)));
        let door = Door {
            certificates,
            begins_within: limits.handshake_for,
            places: places(limits.connections),
            handshakes: places(limits.handshakes),
            sender,
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(door.accept(listener));
        Self { ready, _accepting: accepting }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.ready.poll_recv(cx).map(|connection| connection.map(Ok))
    }
}

struct Door {
    certificates: Option<Arc<Certificates>>,
    begins_within: Duration,
    places: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    sender: mpsc::Sender<Connection>,
}

impl Door {
    async fn accept(self, listener: TcpListener) {
        let mut handshakes = JoinSet::new();
        let mut full = false;
        loop {
            let (peer, _) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "cannot accept a connection");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            while handshakes.try_join_next().is_some() {}
            let welcomed = self.welcome(peer, &mut handshakes).await;
            // Once is enough, until there was a place again.
            if welcomed.is_none() && !full {
                tracing::warn!("closing new connections: there are as many as there may be");
            }
            full = welcomed.is_none();
        }
    }

    /// Nothing when there is no place, and the connection is closed.
    async fn welcome(&self, peer: TcpStream, handshakes: &mut JoinSet<()>) -> Option<()> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        // Where this fails, the connection is slower or broken, and reading will say so.
        let _ = peer.set_nodelay(true);
        let Some(certificates) = &self.certificates else {
            // The receiver is dropped together with this task.
            let _ = self.sender.send(Connection::clear(peer, place, self.begins_within)).await;
            return Some(());
        };
        let turn = self.handshakes.clone().try_acquire_owned().ok()?;
        let acceptor = TlsAcceptor::from(certificates.current());
        handshakes.spawn(handshake(acceptor, peer, (place, turn), self.begins_within, self.sender.clone()));
        Some(())
    }
}

async fn handshake(
    acceptor: TlsAcceptor,
    peer: TcpStream,
    (place, turn): (OwnedSemaphorePermit, OwnedSemaphorePermit),
    within: Duration,
    sender: mpsc::Sender<Connection>,
) {
    match timeout(within, acceptor.accept(peer)).await {
        Ok(Ok(secured)) => {
            drop(turn);
            let _ = sender.send(Connection::secured(secured, place, within)).await;
        }
        Ok(Err(error)) => tracing::debug!(error = %chain(&error), "handshake failed"),
        Err(_) => tracing::debug!("handshake took too long"),
    }
}
