//! Plants a text that stands nowhere else in every personal field of what is sent, and hears what comes back.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll};

use aftercare::grpc::pb;
use http_body_util::{BodyExt, Full};
use prost::Message;
use prost::bytes::Bytes;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::transport::{Channel, Error};
use tonic::{Code, Status};
use tower::Service;

/// In every text about a person that tests make up, and nowhere else. `tests/run.sh` knows it too.
pub const MARK: &str = "Zyqvorn";

/// The interface, with the marks of what is personal.
pub static INTERFACE: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(pb::DESCRIPTORS).unwrap());

/// Whether a field is marked as text about a person.
pub fn is_personal(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|marked| marked.as_bool() == Some(true))
}

/// `Client.name`
pub fn name_of(field: &FieldDescriptor) -> String {
    format!("{}.{}", field.parent_message().name(), field.name())
}

/// What is planted, and what came of it.
#[derive(Default)]
pub struct Plant {
    accepted: Mutex<BTreeSet<String>>,
    refusals: Mutex<Vec<String>>,
}

impl Plant {
    /// The fields that were taken in with what was planted.
    pub fn accepted(&self) -> BTreeSet<String> {
        self.accepted.lock().unwrap().clone()
    }

    /// What everybody who was refused was told.
    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap().clone()
    }

    fn heard(&self, fields: Vec<String>, status: Option<Status>) {
        match status.filter(|it| it.code() != Code::Ok) {
            None => self.accepted.lock().unwrap().extend(fields),
            Some(status) => {
                let details = String::from_utf8_lossy(status.details()).into_owned();
                self.refusals.lock().unwrap().push(format!("{:?} {} {details}", status.code(), status.message()));
            }
        }
    }
}

/// Plants in every personal text that is there, and everywhere in what is always there; gives the fields.
pub fn plant(message: &mut DynamicMessage) -> Vec<String> {
    let mut planted = Vec::new();
    for field in message.descriptor().fields() {
        match field.kind() {
            Kind::String if is_personal(&field) => {
                let always = ["Client", "Guardian"].contains(&field.parent_message().name());
                if always || message.has_field(&field) {
                    message.set_field(&field, Value::String(format!("{MARK} {} 555", name_of(&field))));
                    planted.push(name_of(&field));
                }
            }
            Kind::Message(_) if message.has_field(&field) => match message.get_field_mut(&field) {
                Value::Message(inner) => planted.extend(plant(inner)),
                Value::List(all) => {
                    planted.extend(all.iter_mut().filter_map(Value::as_message_mut).flat_map(plant));
                }
                _ => {}
            },
            _ => {}
        }
    }
    planted
}

/// A frame of an RPC (`service/method`), planted.
fn planted(rpc: &str, frame: &Bytes) -> (Bytes, Vec<String>) {
    let (service, method) = rpc.split_once('/').unwrap();
    let Some(service) = INTERFACE.get_service_by_name(service) else { return (frame.clone(), Vec::new()) };
    let method = service.methods().find(|it| it.name() == method).unwrap();
    let Ok(mut message) = DynamicMessage::decode(method.input(), &frame[5..]) else {
        return (frame.clone(), Vec::new());
    };
    let fields = plant(&mut message);
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    ([&[0][..], &length, &body].concat().into(), fields)
}

/// A channel that may plant.
#[derive(Clone)]
pub struct Wire {
    channel: Channel,
    plant: Option<Arc<Plant>>,
}

impl Wire {
    pub fn new(channel: Channel, plant: Option<Arc<Plant>>) -> Self {
        Self { channel, plant }
    }
}

impl Service<Request<Body>> for Wire {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(plant) = self.plant.clone() else { return Box::pin(self.channel.call(request)) };
        let fresh = self.channel.clone();
        let mut ready = std::mem::replace(&mut self.channel, fresh);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let frame = body.collect().await.unwrap().to_bytes();
            let (frame, fields) = planted(head.uri.path().trim_start_matches('/'), &frame);
            let response = ready.call(Request::from_parts(head, Body::new(Full::new(frame)))).await?;
            plant.heard(fields, Status::from_header_map(response.headers()));
            Ok(response)
        })
    }
}
