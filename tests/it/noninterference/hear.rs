//! A call of any method with any bytes, and everything that its caller can tell of the answer.

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code as District;
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

pub async fn ask(app: &TestApp, asked: &Asked) -> Heard {
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
