//! A call of any method with any bytes, and everything that its caller can tell of the answer.

use std::time::Duration;

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code as District;
use aftercare::usecase::feed;
use chrono::TimeDelta;
use prost::bytes::{Buf, BufMut, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};

use crate::support::TestApp;

/// Messages as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Raw
    }

    fn decoder(&mut self) -> Self {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let left = from.remaining();
        Ok(Some(from.copy_to_bytes(left)))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// How long a message may take; none takes longer than a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call by police.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Their district.
    pub district: &'static str,
    /// Who of them; how often somebody may ask is counted by that.
    pub who: String,
    pub rpc: String,
    pub body: Vec<u8>,
}

/// Everything that can be told of an answer, but for the time at which the machine sent it.
#[derive(Debug, PartialEq)]
pub struct Heard {
    pub answer: Result<Bytes, (Code, String, Vec<u8>)>,
    headers: Vec<(String, Vec<u8>)>,
}

impl Heard {
    pub fn code(&self) -> Code {
        self.answer.as_ref().map_or_else(|refusal| refusal.0, |_| Code::Ok)
    }
}

/// A header with the wall clock, which no test moves.
const OF_THE_MACHINE: &str = "date";

fn headers(metadata: &MetadataMap) -> Vec<(String, Vec<u8>)> {
    let all = metadata.clone().into_headers();
    let kept = all.iter().filter(|(name, _)| *name != OF_THE_MACHINE);
    let mut kept: Vec<_> = kept.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    kept.sort();
    kept
}

fn request<T>(app: &TestApp, asked: &Asked, message: T) -> Request<T> {
    let authority = Authority::Police { jurisdiction: District::parse(asked.district).unwrap() };
    let token = app.token(&asked.who, authority, app.now(), TimeDelta::hours(24));
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Asks once, when everything that was committed has its place in the feed: how fast that goes says nothing.
pub async fn ask(app: &TestApp, asked: &Asked) -> Heard {
    while feed::sequence(app.world()).await.unwrap() {}
    let mut grpc = tonic::client::Grpc::new(app.channel());
    grpc.ready().await.unwrap();
    let path: PathAndQuery = format!("/{}", asked.rpc).parse().unwrap();
    let request = request(app, asked, Bytes::from(asked.body.clone()));
    match grpc.unary(request, path, Raw).await {
        Ok(response) => Heard { headers: headers(response.metadata()), answer: Ok(response.into_inner()) },
        Err(status) => {
            let refusal = (status.code(), status.message().to_owned(), status.details().to_vec());
            Heard { headers: headers(status.metadata()), answer: Err(refusal) }
        }
    }
}

/// What a stream brings, until a message after which nothing is to come.
pub async fn follow(app: &TestApp, asked: &Asked, last: impl Fn(&Bytes) -> bool) -> Vec<Bytes> {
    while feed::sequence(app.world()).await.unwrap() {}
    let mut grpc = tonic::client::Grpc::new(app.channel());
    grpc.ready().await.unwrap();
    let path: PathAndQuery = format!("/{}", asked.rpc).parse().unwrap();
    let request = request(app, asked, Bytes::from(asked.body.clone()));
    let mut stream = grpc.server_streaming(request, path, Raw).await.unwrap().into_inner();
    let mut heard = Vec::new();
    while !heard.last().is_some_and(&last) {
        let message = tokio::time::timeout(PATIENCE, stream.message()).await.expect("a message");
        heard.push(message.unwrap().expect("a stream ends with a reason"));
    }
    heard
}

/// What plain HTTP answers at a path, without its date.
pub async fn get(app: &TestApp, path: &str) -> Vec<String> {
    let mut stream = tokio::net::TcpStream::connect(app.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let dated = format!("{OF_THE_MACHINE}:");
    answer.lines().filter(|line| !line.to_lowercase().starts_with(&dated)).map(str::to_owned).collect()
}
