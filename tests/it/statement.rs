//! Signed statements: whoever has one can check it without us, in whichever language.

mod cli;
mod issue;
mod keys;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Output, Stdio};
use std::sync::Arc;

use aftercare::auth::StatementKey;
use aftercare::domain::compliance::Shown;
use aftercare::domain::reference::Reference;
use aftercare::domain::statement::{Chain, Claims, Compliance, Digest, ISSUER, KeySet, SigningKey, verify};
use aftercare::domain::text::Code;
use aftercare::domain::treatment::PolicyVersion;
use aftercare::rng::SeededRng;
use aftercare::usecase::statement::{Keyring, signing_key};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tonic::body::Body;
use tonic::codegen::http::{Method, Request, StatusCode};
use tower::{Service, ServiceExt};

use crate::on_both_engines;
use crate::support::{TestApp, tool};

/// The answer about an order on the day of the clock.
fn claims(now: DateTime<Utc>) -> Claims {
    let as_of = now.date_naive();
    Claims {
        iss: ISSUER.into(),
        iat: now,
        exp: now + TimeDelta::hours(14),
        sub: Reference::from_random([1; 8]),
        statement: 1,
        compliance: Compliance {
            status: Shown::Compliant,
            as_of,
            credits: 2,
            required: 12,
            changed_on: as_of,
            breach_on: None,
            enforcement_due_on: None,
            unrecorded_sessions: 0,
            corrected: false,
        },
        policy: PolicyVersion { code: Code::parse("STANDARD").unwrap(), version: 1 },
        chain: Chain { head: Digest([3; 32]) },
        corrections: Vec::new(),
    }
}

/// The keys of a process with this data directory.
fn keyring(data_dir: &std::path::Path) -> Arc<dyn Keyring> {
    Arc::new(StatementKey::new(data_dir, Arc::new(SeededRng::from_system())))
}

/// What that process would sign with now.
async fn key_of(app: &TestApp, data_dir: &std::path::Path) -> SigningKey {
    signing_key(app.world(), &keyring(data_dir)).await.unwrap()
}

/// A statement signed by the process of a test.
async fn signed(app: &TestApp) -> String {
    key_of(app, &app.data_dir()).await.sign(&claims(app.now())).unwrap()
}

/// The key set as everybody gets it.
async fn published(address: SocketAddr) -> KeySet {
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            format!("GET /.well-known/jwks.json?x=1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    KeySet::parse(answer.split_once("\r\n\r\n").unwrap().1.as_bytes()).unwrap()
}

/// What a JOSE library of Python makes of a statement.
async fn in_python(address: SocketAddr, token: String) -> Value {
    let output: Output = tokio::task::spawn_blocking(move || {
        let mut python = tool("AFTERCARE_TEST_PYTHON");
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/statement.py")).arg(address.to_string());
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = python.spawn().unwrap();
        child.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

on_both_engines! {
    async fn a_jose_library_accepts_what_was_signed_and_nothing_else(app) {
        let key = key_of(&app, &app.data_dir()).await;
        let stated = claims(app.now());
        let answer = in_python(app.address, key.sign(&stated).unwrap()).await;

        assert_eq!(answer["header"], json!({
            "alg": "EdDSA", "typ": "aftercare-statement+jwt", "kid": key.public().kid(),
        }));
        assert_eq!(answer["claims"], serde_json::to_value(&stated).unwrap());
        assert_eq!(answer["thumbprints"], json!([true]));
        // Every byte of every part was changed once, and it noticed each time.
        assert_eq!(answer["changed"]["signature"], 64);
        assert!(answer["changed"]["header"].as_u64() > Some(80) && answer["changed"]["payload"].as_u64() > Some(300));
        assert_eq!(answer["accepted"], json!([]));
        assert_eq!(answer["forged_accepted"], json!([]));
        assert_eq!(answer["without_its_key"], "BadSignatureError");
        // What it forged, we refuse as well.
        let forged = answer["forged"].as_object().unwrap();
        assert_eq!(forged.len(), 6);
        for (how, token) in forged {
            assert!(verify(token.as_str().unwrap(), &published(app.address).await).is_err(), "{how}");
        }
    }

    async fn the_key_set_is_there_for_everybody_to_read(app) {
        let answer = in_python(app.address, signed(&app).await).await;
        assert_eq!(answer["status"], 200);
        assert_eq!(answer["type"], "application/jwk-set+json");
        assert_eq!(answer["kept"], "public, max-age=300");
        assert_eq!((&answer["head"], &answer["length"]), (&json!([200, 0]), &json!(0)));
        assert_eq!(answer["others"], json!({ "POST": 405, "PUT": 405, "DELETE": 405 }));
        // Nothing of the private half: RFC 8037 calls it d.
        assert_eq!(answer["members"], json!(["alg", "crv", "kid", "kty", "use", "x"]));

        let uri = format!("http://{}/.well-known/jwks.json", app.address);
        let ask = |method| Request::builder().method(method).uri(&uri).body(Body::empty()).unwrap();
        let mut http2 = app.channel();
        for method in [Method::GET, Method::HEAD] {
            let answer = http2.ready().await.unwrap().call(ask(method)).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
        }
    }
}
