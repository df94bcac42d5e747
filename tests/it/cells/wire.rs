//! Any request to any RPC, as bytes.

use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

use crate::support::Actor;

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub code: Code,
    pub message: String,
    details: Vec<u8>,
    body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(|it: char| it.is_control(), " ");
        write!(f, "{:?} {} {} {}", self.code, self.message, text(&self.details), text(&self.body))
    }
}

impl Answer {
    /// What a status says, without a message.
    pub fn of(status: &Status) -> Self {
        let (code, message, details) = (status.code(), status.message().into(), status.details().to_vec());
        Self { code, message, details, body: Vec::new() }
    }

    /// Whether a text stands anywhere in it.
    pub fn bears(&self, mark: &str) -> bool {
        bears(self.message.as_bytes(), mark) || bears(&self.details, mark) || bears(&self.body, mark)
    }

    /// The same with other names for what it names.
    pub fn renamed(&self, names: &[(&str, &str)]) -> Self {
        let (details, body) = (renamed(&self.details, names), renamed(&self.body, names));
        Self { details, body, ..self.clone() }
    }
}

/// Whether a text stands anywhere in bytes.
pub fn bears(bytes: &[u8], mark: &str) -> bool {
    bytes.windows(mark.len()).any(|it| it == mark.as_bytes())
}

/// Bytes with other names for what they name; each name is as long as the one whose place it takes.
pub fn renamed(bytes: &[u8], names: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (from, to) in names {
        assert_eq!(from.len(), to.len());
        let places: Vec<_> =
            bytes.windows(from.len()).enumerate().filter(|(_, it)| *it == from.as_bytes()).map(|(at, _)| at).collect();
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

/// Calls an RPC; of a stream, only its first message counts.
pub async fn call(caller: &Actor, rpc: &str, body: &[u8]) -> Answer {
    let mut grpc = tonic::client::Grpc::new(caller.wire());
    grpc.ready().await.unwrap();
    let mut request = Request::new(body.to_vec());
    request.metadata_mut().insert("authorization", format!("Bearer {}", caller.token).parse().unwrap());
    let path: PathAndQuery = format!("/{rpc}").parse().unwrap();
    let first = async { grpc.server_streaming(request, path, Bytes).await?.into_inner().message().await };
    let (code, message, details, body) = match first.await {
        Ok(body) => (Code::Ok, String::new(), Vec::new(), body.unwrap_or_default()),
        Err(status) => (status.code(), status.message().into(), status.details().to_vec(), Vec::new()),
    };
    Answer { code, message, details, body }
}

/// Messages as they are on the wire.
#[derive(Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(into, &item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let left = prost::bytes::Buf::remaining(from);
        Ok(Some(prost::bytes::Buf::copy_to_bytes(from, left).to_vec()))
    }
}
