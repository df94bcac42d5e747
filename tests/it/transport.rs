//! What a peer may take of the service: connections, streams, headers, memory and time.

pub mod peer;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use aftercare::config::Limits;
use aftercare::grpc::pb;
use aftercare::store::codec::Instant;
use aftercare::store::{Db, feed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::codegen::http::{HeaderMap, Request};

use crate::on_both_engines;
use crate::process::with_token;
use crate::support::{Actor, Beside, Door, Engine, Ngo, TestApp, book, booking};
use peer::{ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PING, Peer, REFUSED_STREAM, RST_STREAM, request, reset};

const RPC: &str = "aftercare.v1.DirectoryService/ListOrganisations";
const MOMENT: Duration = Duration::from_millis(300);

async fn limited(app: &TestApp, limits: Limits) -> Beside {
    app.beside_with(Door { limits, ..Door::default() }).await
}

async fn is_served(app: &TestApp, door: &Beside) -> bool {
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", door.address)).unwrap();
    let Ok(channel) = channel.connect().await else { return false };
    let mut directory = pb::directory_service_client::DirectoryServiceClient::new(channel);
    let request = with_token(&app.admin().token, pb::ListOrganisationsRequest::default());
    directory.list_organisations(request).await.is_ok()
}

/// Waits for the end of a connection, and gives what was said on it.
async fn end_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut said)).await;
    // However it ends.
    let _ = read.expect("an end");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_over_one_connection_are_answered_or_refused() {
    let app = TestApp::start(Engine::Sqlite).await;
    let limits = Limits { request_for: Duration::from_secs(3), ..Limits::default() };
    let door = limited(&app, limits).await;
    let token = app.admin().token;
    let mut peer = Peer::connect(door.address).await;
    let all: Vec<u8> = (0..1000).flat_map(|number| request(2 * number + 1, RPC, &token)).collect();
    peer.send(&all).await;
    let (mut refused, mut answered) = (BTreeSet::new(), BTreeSet::new());
    let mut served_meanwhile = false;
    while refused.len() + answered.len() < 1000 {
        let frame = peer.next().await.expect("the connection goes on");
        match frame.kind {
            RST_STREAM if frame.error() == REFUSED_STREAM => assert!(refused.insert(frame.stream)),
            // Those that it has begun with end with their deadline.
            HEADERS => _ = answered.insert(frame.stream),
            GOAWAY => panic!("{frame:?}"),
            _ => {}
        }
        if refused.len() == 1000 - 128 && !served_meanwhile {
            assert!(answered.is_empty());
            assert!(is_served(&app, &door).await);
            served_meanwhile = true;
        }
    }
    assert!(served_meanwhile);
    assert_eq!(answered, (0..128).map(|number| 2 * number + 1).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_client_waits_for_its_turn() {
    let app = TestApp::start(Engine::Sqlite).await;
    let door = limited(&app, Limits { streams: 2, ..Limits::default() }).await;
    let ngo = Ngo::new(&app, "A").await;
    let coordinator = door.bearer(ngo.coordinator.token.clone());
    let watch = || async { coordinator.scheduling().watch_sessions(pb::WatchSessionsRequest::default()).await };
    let (one, other) = (watch().await.unwrap(), watch().await.unwrap());
    assert!(tokio::time::timeout(MOMENT, watch()).await.is_err());
    drop(one);
    tokio::time::timeout(Duration::from_secs(30), watch()).await.expect("a turn").unwrap();
    drop(other);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_back_what_was_asked_over_and_over_is_sent_away() {
    let app = TestApp::start(Engine::Sqlite).await;
    let door = limited(&app, Limits::default()).await;
    let token = app.admin().token;
    let mut peer = Peer::connect(door.address).await;
    let storm = (0..2000).flat_map(|number| [request(2 * number + 1, RPC, &token), reset(2 * number + 1)].concat());
    peer.send(&storm.collect::<Vec<u8>>()).await;
    let mut calmed = false;
    while let Some(frame) = peer.next().await {
        calmed |= frame.kind == GOAWAY && frame.error() == ENHANCE_YOUR_CALM;
    }
    assert!(calmed);
    assert!(is_served(&app, &door).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_nothing_or_too_little_is_hung_up_on() {
    let app = TestApp::start(Engine::Sqlite).await;
    let door = limited(&app, Limits { handshake_for: MOMENT, ..Limits::default() }).await;
    for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n"] {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(said).await.unwrap();
        assert_eq!(end_of(&mut stream).await, b"");
    }
    assert!(is_served(&app, &door).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_answer_a_ping_is_gone() {
    let app = TestApp::start(Engine::Sqlite).await;
    let door = limited(&app, Limits { silence_for: MOMENT, pong_for: MOMENT, ..Limits::default() }).await;
    let mut peer = Peer::connect(door.address).await;
    let mut answered = 0;
    while let Some(frame) = peer.next().await {
        if frame.kind == PING && frame.flags == 0 && answered < 3 {
            peer.pong(&frame).await;
            answered += 1;
        }
    }
    assert_eq!(answered, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_last_are_closed_at_once() {
    let app = TestApp::start(Engine::Sqlite).await;
    let door = limited(&app, Limits { connections: 3, ..Limits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut peer = Peer::connect(door.address).await;
        assert!(peer.next().await.is_some());
        held.push(peer);
    }
    assert!(!is_served(&app, &door).await);
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    assert_eq!(end_of(&mut stream).await, b"");
    held.pop();
    let waiting = async {
        while !is_served(&app, &door).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("a place");
}

/// The head of the answer to a request whose body never comes.
async fn answer_to(address: SocketAddr, token: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let driving = tokio::spawn(connection);
    let mut request = Request::post(format!("http://localhost/{RPC}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut sender = sender.ready().await.unwrap();
    let (answer, _body) = sender.send_request(request.body(()).unwrap(), false).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await.expect("an answer").unwrap();
    driving.abort();
    (answer.status().as_u16(), answer.headers().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_takes_too_long_ends_with_its_deadline() {
    let app = TestApp::start(Engine::Sqlite).await;
    let token = app.admin().token;
    let overdue = (i32::from(Code::DeadlineExceeded)).to_string();
    // The client's own, at which the library below looks too: whoever sees first that it is over says so.
    let cancelled = (i32::from(Code::Cancelled)).to_string();
    let door = limited(&app, Limits::default()).await;
    for timeout in ["100m", "1n", "100000u"] {
        let (status, headers) = answer_to(door.address, &token, &[("grpc-timeout", timeout)]).await;
        let said = headers["grpc-status"].to_str().unwrap();
        assert!(status == 200 && [&overdue, &cancelled].contains(&&said.to_owned()), "{timeout}: {status} {said}");
    }
    // And ours, whatever the client says.
    let door = limited(&app, Limits { request_for: MOMENT, ..Limits::default() }).await;
    for timeout in ["1H", "99999999S", "soon", "", "123456789n"] {
        let (status, headers) = answer_to(door.address, &token, &[("grpc-timeout", timeout)]).await;
        assert_eq!((status, headers["grpc-status"].to_str().unwrap()), (200, overdue.as_str()), "{timeout}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_beyond_any_token_are_refused() {
    let app = TestApp::start(Engine::Sqlite).await;
    let door = limited(&app, Limits::default()).await;
    let long = "x".repeat(20_000);
    let (status, _) = answer_to(door.address, &app.admin().token, &[("x-more", &long)]).await;
    assert_eq!(status, 431);
}

on_both_engines! {
    async fn whoever_does_not_read_is_not_read_for(app) {
        const CHANGES: i64 = 3000;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-24T04:30:00Z")).await.unwrap();
        let listed = ngo.coordinator.scheduling().list_sessions(pb::ListSessionsRequest::default()).await.unwrap();
        let cursor = listed.into_inner().watch_cursor;
        let narrow = app.at_a_narrow_channel(&ngo.coordinator).await;
        let mut slow = watch(&narrow, &cursor).await;
        let mut quick = watch(&ngo.coordinator, &cursor).await;
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let topic = aftercare::domain::feed::Topic::Sessions(ngo.id.parse().unwrap());
        let mut tx = db.begin_write().await.unwrap();
        for version in 2..2 + CHANGES {
            let id = session.id.parse().unwrap();
            feed::note(&mut tx, &topic, id, version, None, Instant(app.now()));
        }
        tx.commit().await.unwrap();
        // When one has heard of everything, the other could have been written everything.
        while heard(&mut quick).await.1 < 1 + CHANGES {}
        // Messages show a session as it stands when they are made: those of before say that it is booked.
        let cancelled = ngo.cancel(&session).await.unwrap();
        let mut made_before = 0;
        while heard(&mut slow).await.0.state != cancelled.state {
            made_before += 1;
        }
        // What the window takes, one buffer, and one batch from the database.
        assert!(made_before < 400, "{made_before} messages were waiting for somebody who does not read");
    }
}

async fn watch(actor: &Actor, cursor: &str) -> tonic::Streaming<pb::WatchSessionsResponse> {
    let request = pb::WatchSessionsRequest { cursor: cursor.into() };
    actor.scheduling().watch_sessions(request).await.unwrap().into_inner()
}

/// The next session, and its version.
async fn heard(stream: &mut tonic::Streaming<pb::WatchSessionsResponse>) -> (pb::Session, i64) {
    use pb::watch_sessions_response::Change;
    loop {
        let message = tokio::time::timeout(Duration::from_secs(30), stream.message()).await.expect("a message");
        let message = message.unwrap().expect("a stream ends with a reason");
        if let Some(Change::Session(session)) = message.change {
            return (session, message.version);
        }
    }
}
