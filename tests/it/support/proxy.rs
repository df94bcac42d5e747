//! A wire that can be cut: stands between two processes and does to what they say what networks do.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What the wire does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Whatever is said arrives.
    Fair,
    /// It arrives later by so much.
    Slow(Duration),
    /// Nothing arrives, and nobody is told: what a host that lost its power leaves behind.
    Still,
    /// PostgreSQL's answer to a commit is made up here; the commit itself arrives later by so much, if the connection
    /// still stands then.
    Lying(Duration),
}

/// Listens on an address of its own, and passes on to another.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    to: Mutex<Option<SocketAddr>>,
    weather: watch::Sender<Weather>,
    /// How often everything was cut.
    cuts: watch::Sender<u64>,
    /// How often everything was lost.
    losses: watch::Sender<u64>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Proxy {
    pub async fn open(to: Option<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, cuts) = (watch::Sender::new(Weather::Fair), watch::Sender::new(0));
        let state = Arc::new(State { to: Mutex::new(to), weather, cuts, losses: watch::Sender::new(0) });
        let accepting = tokio::spawn(accept(listener, state.clone())).abort_handle();
        Self { address, state, accepting }
    }

    /// Whom new connections reach; nobody, and they are closed.
    pub fn lead_to(&self, to: Option<SocketAddr>) {
        *self.state.to.lock().unwrap() = to;
    }

    pub fn set(&self, weather: Weather) {
        self.state.weather.send_replace(weather);
    }

    /// Lets nothing arrive any more by the connections that there are, and tells nobody: another host has taken the place
    /// of one that lost its power.
    pub fn lose(&self) {
        self.state.losses.send_modify(|it| *it += 1);
    }

    /// Ends every connection, with whatever is on its way.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|it| *it += 1);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let Some(to) = *state.to.lock().unwrap() else { continue };
        let state = state.clone();
        tokio::spawn(async move {
            let (mut cuts, mut losses) = (state.cuts.subscribe(), state.losses.subscribe());
            let joined = join(client, to, &state);
            tokio::pin!(joined);
            tokio::select! {
                _ = &mut joined => {}
                _ = cuts.changed() => {}
                _ = losses.changed() => drop(cuts.changed().await),
            }
        });
    }
}

/// `COMMIT` as a simple query, and what PostgreSQL answers.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I";

/// Both ways of a connection.
struct Joint<'s> {
    state: &'s State,
    to_client: tokio::sync::Mutex<OwnedWriteHalf>,
    /// How many bytes of answers were given already.
    given: AtomicUsize,
}

async fn join(client: TcpStream, to: SocketAddr, state: &State) -> io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let joint = Joint { state, to_client: to_client.into(), given: AtomicUsize::new(0) };
    // Whoever ends one way ends both.
    tokio::select! { it = joint.there(from_client, to_server) => it, it = joint.back(from_server) => it }
}

impl Joint<'_> {
    async fn there(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let bytes = self.next(&mut from, &mut buffer).await?;
            let weather = *self.state.weather.borrow();
            if let Weather::Lying(late) = weather
                && bytes.ends_with(COMMIT)
            {
                self.to_client.lock().await.write_all(COMMITTED).await?;
                tokio::time::sleep(late).await;
                self.given.fetch_add(COMMITTED.len(), Ordering::SeqCst);
            }
            to.write_all(bytes).await?;
        }
    }

    async fn back(&self, mut from: OwnedReadHalf) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let bytes = self.next(&mut from, &mut buffer).await?;
            let known = self.given.load(Ordering::SeqCst).min(bytes.len());
            self.given.fetch_sub(known, Ordering::SeqCst);
            self.to_client.lock().await.write_all(&bytes[known..]).await?;
        }
    }

    /// What comes next, when the weather lets it.
    async fn next<'b>(&self, from: &mut OwnedReadHalf, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let count = from.read(buffer).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut weather = self.state.weather.subscribe();
        let now = *weather.wait_for(|it| *it != Weather::Still).await.map_err(io::Error::other)?;
        if let Weather::Slow(late) = now {
            tokio::time::sleep(late).await;
        }
        Ok(&buffer[..count])
    }
}
