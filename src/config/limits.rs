//! What one peer, and all of them together, may take of the service before anybody knows who they are.

use std::time::Duration;

/// Limits of connections. Every figure here is \[P\]: far above what an honest client needs, far below what hurts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections in all. One more is closed at once, so that its owner learns of it and tries another
    /// process. An idle one takes some 20 KiB with TLS, so this many take 80 MiB.
    pub connections: u32,
    /// Most handshakes at a time: signing is what they cost, and nobody who makes one is known yet.
    pub handshakes: u32,
    /// How long a handshake may take, and after it the first words of HTTP. Four round trips by satellite take three
    /// seconds.
    pub handshake_for: Duration,
    /// Most requests at a time over one connection; further ones wait with the client, as HTTP/2 has it. A console
    /// has fewer than ten, a client in the course of an import a few dozen.
    pub streams: u32,
    /// Most requests of one connection that their sender took back before they were looked at; one more, and the
    /// connection is closed (CVE-2023-44487).
    pub resets: usize,
    /// Most requests of one connection that were refused for what is wrong with them as HTTP, such as those beyond
    /// `streams` from a client that has not yet heard of that; one more, and the connection is closed.
    pub faults: usize,
    /// Most bytes of one request that are taken in before somebody reads them.
    pub unread: u32,
    /// Most bytes of all requests of one connection that are: what a stranger can fill memory with.
    pub unread_in_all: u32,
    /// Most bytes of the headers of one request: twice the largest token, which is what they are for.
    pub headers: u32,
    /// How long a connection may be silent before it is asked whether anybody is there. Shorter than the 350 seconds
    /// after which load balancers forget a connection without a word.
    pub silence_for: Duration,
    /// How long that answer may take.
    pub pong_for: Duration,
    /// Most calls that are worked on at once, while as many again wait; what police look up has a quarter as many
    /// beside them. More at once would not be done sooner, but later, all of them.
    pub calls: u32,
    /// Longest time from a request to the beginning of its answer, whatever deadline the client names. Streams may go
    /// on after that, to the end of their token.
    pub request_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            handshakes: 256,
            handshake_for: Duration::from_secs(10),
            streams: 128,
            resets: 20,
            faults: 1024,
            unread: 64 * 1024,
            unread_in_all: 256 * 1024,
            headers: 16 * 1024,
            silence_for: Duration::from_secs(60),
            pong_for: Duration::from_secs(20),
            calls: 64,
            request_for: Duration::from_secs(30),
        }
    }
}
