//! Tokens of a provider: what is good lets in, what is not is refused, and nothing says why.

mod away;
mod fake;
mod forged;
mod fuzz;
mod keys;
mod logged;
mod real;
mod remembered;
mod turned;

use std::time::Duration;

use aftercare::config::{Claims, Provider};
use aftercare::grpc::pb;
use aftercare::grpc::pb::directory_service_client::DirectoryServiceClient;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Beside, Door, TestApp, refused};

use fake::Fake;

/// A process that takes the tokens of a provider.
async fn taking(app: &TestApp, fake: &Fake) -> Beside {
    app.beside_with(Door { provider: Some(provider(&fake.issuer)), ..Door::default() }).await
}

fn provider(issuer: &str) -> Provider {
    Provider {
        issuer: issuer.parse().unwrap(),
        audience: "aftercare".into(),
        authority: None,
        claims: Claims::default(),
        longest_life: TimeDelta::hours(24),
    }
}

/// What an admin's token says.
fn claims(issuer: &str, now: DateTime<Utc>) -> Value {
    json!({
        "iss": issuer,
        "aud": "aftercare",
        "sub": "someone",
        "iat": now.timestamp(),
        "exp": now.timestamp() + 600,
        "jti": "a-token",
        "role": "admin",
    })
}

/// The same, but for this.
fn with(claims: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims.clone();
    claims[name] = value.into();
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Asks for what an admin may see.
async fn ask(channel: &Channel, token: Option<&[u8]>) -> Result<(), Status> {
    let mut request = Request::new(pb::ListOrganisationsRequest::default());
    if let Some(token) = token {
        let value = MetadataValue::try_from([b"Bearer ", token].concat()).unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    DirectoryServiceClient::new(channel.clone()).list_organisations(request).await.map(drop)
}

async fn lets_in(channel: &Channel, what: &str, token: &str) {
    if let Err(status) = ask(channel, Some(token.as_bytes())).await {
        panic!("{what}: {status:?}");
    }
}

/// Everything that a status says.
fn all_of(status: &Status) -> (Code, String, Vec<u8>, Vec<String>) {
    let mut names: Vec<String> = status.metadata().clone().into_headers().keys().map(ToString::to_string).collect();
    names.sort();
    (status.code(), status.message().into(), status.details().into(), names)
}

/// A token is refused, and the answer is that to no token at all.
async fn refuses(channel: &Channel, what: &str, token: impl AsRef<[u8]>) {
    let expected = ask(channel, None).await.unwrap_err();
    assert_eq!((expected.code(), refused(&expected).reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    let Err(status) = ask(channel, Some(token.as_ref())).await else { panic!("{what}: let in") };
    assert_eq!(all_of(&status), all_of(&expected), "{what}");
}

/// What health says of the whole and of a service.
async fn health(channel: &Channel) -> [i32; 2] {
    let mut health = HealthClient::new(channel.clone());
    let mut said = [0; 2];
    for (service, status) in ["", "aftercare.v1.ClientService"].into_iter().zip(&mut said) {
        let request = HealthCheckRequest { service: service.into() };
        *status = health.check(request).await.unwrap().into_inner().status;
    }
    said
}

const SERVING: [i32; 2] = [1, 1];
const NOT_SERVING: [i32; 2] = [2, 2];

/// Waits until something is so, which takes a moment.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect(what);
}
