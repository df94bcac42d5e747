//! A peer that speaks HTTP/2 frame by frame, and so may say what no library would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// Errors of RFC 9113, section 7.
pub const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;

pub struct Peer(TcpStream);

#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error of a RST_STREAM or a GOAWAY.
    pub fn error(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// The beginning of a request of which the rest does not come.
pub fn request(stream: u32, rpc: &str, token: &str) -> Vec<u8> {
    let path = format!("/{rpc}");
    let bearer = format!("Bearer {token}");
    // POST and http stand in the static table.
    let mut block = vec![0x83, 0x86];
    let fields = [
        (":path", path.as_str()),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("authorization", &bearer),
    ];
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            put_length(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    frame(HEADERS, END_HEADERS, stream, &block)
}

pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// RFC 7541, 5.1, with a prefix of seven bits.
fn put_length(into: &mut Vec<u8>, mut length: usize) {
    if length < 127 {
        into.push(length as u8);
        return;
    }
    into.push(127);
    length -= 127;
    while length >= 128 {
        into.push((length % 128 + 128) as u8);
        length /= 128;
    }
    into.push(length as u8);
}

impl Peer {
    pub async fn connect(address: SocketAddr) -> Self {
        let mut peer = Self(TcpStream::connect(address).await.unwrap());
        peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        peer.send(&frame(SETTINGS, 0, 0, &[])).await;
        peer
    }

    /// It may be that nobody listens any more.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// The next frame; none when the connection has ended.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        let read = tokio::time::timeout(Duration::from_secs(30), self.0.read_exact(&mut head)).await;
        read.expect("a frame or an end").ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Answers a ping.
    pub async fn pong(&mut self, ping: &Frame) {
        assert_eq!((ping.kind, ping.flags), (PING, 0));
        self.send(&frame(PING, ACK, 0, &ping.payload)).await;
    }
}
