//! A provider that behaves as a test tells it to, and counts how often it is asked.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// Hangs up.
    Down,
    /// Says nothing.
    Silent,
    /// Sends to another place, where everything would be found.
    Elsewhere,
    /// Is somebody else.
    OtherIssuer,
    /// Never stops.
    Endless,
    /// Says something that is no key set.
    Nonsense,
    /// Names a place of the keys that is not secured.
    Unsecured,
}

pub struct Fake {
    pub issuer: String,
    state: Arc<Mutex<State>>,
    _serving: JoinSet<()>,
}

struct State {
    manner: Manner,
    keys: Vec<Value>,
    reads: usize,
}

impl Fake {
    pub async fn start(manner: Manner, keys: &[&Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let keys = keys.iter().copied().cloned().collect();
        let state = Arc::new(Mutex::new(State { manner, keys, reads: 0 }));
        let mut serving = JoinSet::new();
        let (base, shared) = (issuer.clone(), state.clone());
        serving.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (peer, _) = listener.accept().await.unwrap();
                open.spawn(answer(peer, base.clone(), shared.clone()));
            }
        });
        Self { issuer, state, _serving: serving }
    }

    pub fn be(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    /// Signs with these from now on.
    pub fn keep(&self, keys: &[&Value]) {
        self.state.lock().unwrap().keys = keys.iter().copied().cloned().collect();
    }

    /// How often somebody came to read its keys.
    pub fn reads(&self) -> usize {
        self.state.lock().unwrap().reads
    }
}

async fn answer(mut peer: TcpStream, issuer: String, state: Arc<Mutex<State>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = peer.read_u8().await else { return };
        head.push(byte);
    }
    let asks_for_keys = head.starts_with(b"GET /keys ");
    let (manner, keys) = {
        let mut state = state.lock().unwrap();
        // Whoever hangs up is asked too.
        state.reads += usize::from(asks_for_keys || state.manner != Manner::Good);
        (state.manner, state.keys.clone())
    };
    let metadata = |issuer: &str, keys: &str| json!({ "issuer": issuer, "jwks_uri": keys, "more": [1, 2] }).to_string();
    let place = format!("{issuer}/keys");
    let (status, body) = match manner {
        Manner::Down => return,
        Manner::Silent => std::future::pending().await,
        Manner::Elsewhere if !head.starts_with(b"GET /moved") => ("302 Found\r\nlocation: /moved", String::new()),
        Manner::OtherIssuer if !asks_for_keys => ("200 OK", metadata("https://example.org", &place)),
        Manner::Unsecured => ("200 OK", metadata(&issuer, "http://example.org/keys")),
        Manner::Nonsense if asks_for_keys => ("200 OK", "[]".into()),
        Manner::Endless => {
            let _ = peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n").await;
            while peer.write_all(&[b' '; 8192]).await.is_ok() {}
            return;
        }
        _ if asks_for_keys => ("200 OK", json!({ "keys": keys }).to_string()),
        _ => ("200 OK", metadata(&issuer, &place)),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = peer.write_all((head + &body).as_bytes()).await;
}
