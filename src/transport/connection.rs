//! One connection, its place among all, and the time it has to begin.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How much a peer has to say before it is believed to speak HTTP: the preface of HTTP/2. From there on the HTTP
/// library measures the time.
const FIRST_WORDS: usize = 24;

/// A connection to a peer. Its place is free again when it is dropped.
pub struct Connection {
    io: Io,
    peer: TcpConnectInfo,
    beginning: Option<Beginning>,
    _place: OwnedSemaphorePermit,
}

/// A connection on which too little has been said.
struct Beginning {
    missing: usize,
    until: Pin<Box<Sleep>>,
}

enum Io {
    Clear(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// A connection in the clear.
    pub(super) fn clear(io: TcpStream, place: OwnedSemaphorePermit, begins_within: Duration) -> Self {
        let peer = io.connect_info();
        Self::new(Io::Clear(io), peer, place, begins_within)
    }

    /// A connection after its handshake.
    pub(super) fn secured(io: TlsStream<TcpStream>, place: OwnedSemaphorePermit, begins_within: Duration) -> Self {
        let peer = io.get_ref().0.connect_info();
        Self::new(Io::Secured(Box::new(io)), peer, place, begins_within)
    }

    fn new(io: Io, peer: TcpConnectInfo, place: OwnedSemaphorePermit, begins_within: Duration) -> Self {
        let beginning = Beginning { missing: FIRST_WORDS, until: Box::pin(sleep(begins_within)) };
        Self { io, peer, beginning: Some(beginning), _place: place }
    }

    fn io(&mut self) -> Pin<&mut (dyn Stream + '_)> {
        match &mut self.io {
            Io::Clear(io) => Pin::new(io),
            Io::Secured(io) => Pin::new(io.as_mut()),
        }
    }
}

/// Bytes both ways.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = self.io().poll_read(cx, into);
        if let Some(beginning) = &mut self.beginning {
            beginning.missing = beginning.missing.saturating_sub(into.filled().len() - before);
            if beginning.missing == 0 {
                self.beginning = None;
            } else if polled.is_pending() && beginning.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.io().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Clear(io) => io.is_write_vectored(),
            Io::Secured(io) => io.is_write_vectored(),
        }
    }
}
