//! What a read costs: how often the database is spoken to for one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aftercare::grpc::pb;
use aftercare::grpc::pb::scheduling_service_client::SchedulingServiceClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::process::{Serving, token, with_token};
use crate::support::{Engine, Ngo, TestApp, book, booking};

const TEN: &str = "2026-11-24T04:30:00Z";
const CALLS: usize = 20;

/// What the service waited for on one connection, and what it had waited for there just before.
type Said = Arc<Mutex<Vec<[String; 2]>>>;

/// Between a service and its PostgreSQL: notes each round trip.
struct Listener {
    port: u16,
    said: Said,
}

impl Listener {
    async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (own, said) = (listener.local_addr().unwrap().port(), Said::default());
        let shared = said.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let ((from, mut back), (mut answers, to)) = (client.into_split(), server.into_split());
                tokio::spawn(forward(from, to, shared.clone()));
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
            }
        });
        Self { port: own, said }
    }
}

/// Hands messages on. Nothing more is said after Query or Sync until they are answered.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, said: Said) -> std::io::Result<()> {
    let (mut texts, mut trip, mut before) = (BTreeMap::new(), String::new(), String::new());
    let mut begun = false;
    loop {
        let kind = if begun { Some(from.read_u8().await?) } else { None };
        let length = from.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        let words: Vec<String> = body.split(|it| *it == 0).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        match kind {
            Some(b'Q') => trip = words[0].clone(),
            // Parse: a statement's name and text; Bind: a portal's name and a statement's.
            Some(b'P') => drop(texts.insert(words[0].clone(), words[1].clone())),
            Some(b'B') => trip = texts[&words[1]].clone(),
            _ => {}
        }
        if matches!(kind, Some(b'Q' | b'S')) {
            said.lock().unwrap().push([std::mem::replace(&mut before, trip.clone()), std::mem::take(&mut trip)]);
        }
        to.write_all(&[kind.as_slice(), &length.to_be_bytes(), &body].concat()).await?;
        // Whoever asks for TLS first, begins after that.
        begun |= body.starts_with(&[0, 3]);
    }
}

/// What was sent to the database for the calls of an RPC.
fn texts(log: &str, rpc: &str) -> Vec<String> {
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let within = |line: &serde_json::Value| {
        let spans = line["spans"].as_array().into_iter().flatten();
        let within = spans.filter_map(|it| it["method"].as_str()).any(|it| it.ends_with(rpc));
        line["target"] == "sqlx::query" && within
    };
    let text = |line: serde_json::Value| line["fields"]["summary"].as_str().unwrap().to_owned();
    // A connection that is opened is another matter.
    lines.filter(within).map(text).filter(|it| !it.starts_with("PRAGMA")).collect()
}

async fn costs_one(engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let ngo = Ngo::new(&app, "A").await;
    let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
    let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
    app.stop().await;

    let (mut url, mut listener) = (None, None);
    if engine == Engine::Postgres {
        let (base, database) = app.db.url.rsplit_once('/').unwrap();
        let (server, port) = base.rsplit_once(':').unwrap();
        let it = Listener::before(port.parse().unwrap()).await;
        url = Some(format!("{server}:{}/{database}", it.port));
        listener = Some(it);
    }
    let database: Vec<&str> = url.iter().flat_map(|url| ["--database-url", url]).collect();
    let who = ["--role", "coordinator", "--organisation", &ngo.id];
    let coordinator = token(&app.data_dir(), &[&who, &database[..]].concat());
    let serving = Serving::start(&app.data_dir(), url.as_deref());
    let mut scheduling = SchedulingServiceClient::new(serving.channel().await);
    let request = pb::GetSessionRequest { session_id: session.id.clone() };
    for _ in 0..CALLS {
        let read = scheduling.get_session(with_token(&coordinator, request.clone())).await.unwrap().into_inner();
        assert_eq!(read.session.unwrap(), session);
    }
    let (_, log) = serving.end("-TERM");
    let texts = texts(&log, "/GetSession");
    assert_eq!(texts.len(), CALLS, "one text for a call: {:?}", texts.iter().collect::<BTreeSet<_>>());
    let Some(listener) = listener else { return };
    // Nothing is begun before it, so there is nothing to be ended.
    let said = listener.said.lock().unwrap();
    let reads: Vec<_> = said.iter().filter(|[_, text]| text.starts_with("SELECT session.*")).collect();
    assert_eq!(reads.len(), CALLS);
    assert!(reads.iter().all(|[before, _]| !before.starts_with("BEGIN")), "{reads:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_read_by_one_text_on_sqlite() {
    costs_one(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_read_by_one_statement_on_postgres() {
    costs_one(Engine::Postgres).await;
}
