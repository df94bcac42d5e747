//! A real provider: oidc-provider, which nobody here has written. It speaks TLS, under an authority of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use aftercare::clock::{Clock, SystemClock};
use aftercare::config::{Claims, Provider};
use aftercare::domain::access::Role;
use aftercare::grpc::pb;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tonic::Code;

use super::{lets_in, refuses};
use crate::on_both_engines;
use crate::support::certificates::Authority;
use crate::support::{Beside, Door, Ngo, TestApp, book, booking};

/// It runs as long as this lives.
struct Real {
    process: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
    issuers: Vec<String>,
    directory: tempfile::TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Clients of the provider, and what their tokens say in its own words.
fn people(ngo: &Ngo) -> Value {
    let of = |roles: Value, more: Value| {
        let mut claims = json!({ "realm_access": { "roles": roles } });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    let organisation = "https://example.org/organisation";
    json!({
        "admin": of(json!(["offline_access", "directory"]), json!({})),
        "coordinator": of(json!(["desk"]), json!({ organisation: "NGO-A" })),
        "coordinator-by-id": of(json!(["desk"]), json!({ organisation: ngo.id })),
        "counsellor": of(json!(["care"]), json!({ organisation: "NGO-A", "staff": { "number": "C1" } })),
        "colleague": of(json!(["care"]), json!({ organisation: "NGO-A", "staff": { "number": "C2" } })),
        "lead": of(json!(["clinic"]), json!({ organisation: "NGO-A" })),
        "police": of(json!(["police"]), json!({ "district": "KL-TVM" })),
        "auditor": of(json!(["audit"]), json!({})),
        "two-roles": of(json!(["desk", "audit"]), json!({ organisation: "NGO-A" })),
        "no-role": json!({}),
        "our-words": of(json!(["admin"]), json!({})),
        "stranger": of(json!(["desk"]), json!({ organisation: "NGO-Z" })),
    })
}

impl Real {
    fn start(people: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let authority = Authority::new("Example Authority");
        authority.write(&file("authority.pem"));
        let issued = authority.issue("localhost");
        issued.write_certificate(&file("certificate.pem"));
        issued.write_key(&file("key.pem"));
        let installed = std::env::var("AFTERCARE_TEST_OIDC").expect("tests/run.sh installs it");
        let mut process = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node/provider.mjs"))
            .env("AFTERCARE_TEST_OIDC", installed)
            .env("PEOPLE", people.to_string())
            .env("CERTIFICATE", file("certificate.pem"))
            .env("KEY", file("key.pem"))
            .env("NODE_EXTRA_CA_CERTS", file("authority.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let says = BufReader::new(process.stdout.take().unwrap());
        let hears = process.stdin.take().unwrap();
        let mut real = Self { process, says, hears, issuers: Vec::new(), directory };
        real.issuers = serde_json::from_value(real.next()["issuers"].clone()).unwrap();
        real
    }

    fn authority(&self) -> std::path::PathBuf {
        self.directory.path().join("authority.pem")
    }

    fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "the provider has ended");
            if line.starts_with('{') {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }

    fn tell(&mut self, command: &Value) -> Value {
        writeln!(self.hears, "{command}").unwrap();
        self.next()
    }

    /// A token by client credentials.
    fn token(&mut self, who: &str) -> String {
        self.token_of(0, who, "aftercare")
    }

    fn token_of(&mut self, issuer: usize, who: &str, audience: &str) -> String {
        let said = self.tell(&json!({ "do": "token", "who": who, "issuer": issuer, "audience": audience }));
        said["access_token"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    fn rotate(&mut self, algorithm: &str, keep: bool) {
        self.tell(&json!({ "do": "rotate", "algorithm": algorithm, "keep": keep }));
    }

    /// As an installation would be told of it.
    fn provider(&self, authority: Option<&Path>) -> Provider {
        let words = [
            ("directory", Role::Admin),
            ("desk", Role::Coordinator),
            ("care", Role::Counsellor),
            ("clinic", Role::ClinicalLead),
            ("police", Role::Police),
            ("audit", Role::Auditor),
        ];
        let claims = Claims {
            principal: "client_id".into(),
            role: "realm_access.roles".into(),
            organisation: "https://example.org/organisation".into(),
            counsellor: "staff.number".into(),
            jurisdiction: "district".into(),
            roles: words.map(|(word, role)| (word.to_owned(), role)).into(),
        };
        let authority = authority.map(Path::to_path_buf);
        Provider { authority, claims, ..super::provider(&self.issuers[0]) }
    }

    async fn taken_by(&self, app: &TestApp) -> Beside {
        // It tells the time by the machine's clock.
        app.clock.set(SystemClock.now());
        app.beside_with(Door { provider: Some(self.provider(Some(&self.authority()))), ..Door::default() }).await
    }
}

async fn sessions(door: &Beside, token: String) -> Vec<pb::Session> {
    let list = pb::ListSessionsRequest::default();
    door.bearer(token).scheduling().list_sessions(list).await.unwrap().into_inner().sessions
}

on_both_engines! {
    async fn everybody_is_who_the_provider_says(app) {
        let (ngo, _next_door) = (Ngo::new(&app, "NGO-A").await, Ngo::new(&app, "NGO-B").await);
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        ngo.counsellor("C2", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-24T04:30:00Z")).await.unwrap();
        let mut real = Real::start(&people(&ngo));
        let door = real.taken_by(&app).await;

        let organisations = pb::ListOrganisationsRequest::default();
        for (who, expected) in [("admin", 2), ("coordinator", 1), ("coordinator-by-id", 1), ("lead", 1)] {
            let listed = door.bearer(real.token(who)).directory().list_organisations(organisations.clone()).await;
            let listed = listed.unwrap_or_else(|status| panic!("{who}: {status:?}")).into_inner().organisations;
            assert_eq!(listed.len(), expected, "{who}");
            assert!(who == "admin" || listed[0].id == ngo.id, "{who}");
        }
        assert_eq!(sessions(&door, real.token("counsellor")).await, [session]);
        assert_eq!(sessions(&door, real.token("colleague")).await, []);
        let police = door.bearer(real.token("police"));
        for actor in [police, door.bearer(real.token("auditor"))] {
            let keys = actor.compliance().list_statement_keys(pb::ListStatementKeysRequest::default()).await;
            assert!(!keys.unwrap().into_inner().keys.is_empty());
            let refusal = actor.directory().list_organisations(organisations.clone()).await.unwrap_err();
            assert_eq!(refusal.code(), Code::PermissionDenied);
        }
        for who in ["two-roles", "no-role", "our-words", "stranger"] {
            refuses(&door.channel(), who, real.token(who)).await;
        }
    }

    async fn tokens_for_others_of_others_and_of_other_times_are_refused(app) {
        let ngo = Ngo::new(&app, "NGO-A").await;
        let mut real = Real::start(&people(&ngo));
        let door = real.taken_by(&app).await;
        let channel = door.channel();
        let good = real.token("admin");
        lets_in(&channel, "good", &good).await;
        refuses(&channel, "for another service", real.token_of(0, "admin", "elsewhere")).await;
        refuses(&channel, "of another issuer", real.token_of(1, "admin", "aftercare")).await;
        let now = app.now();
        app.clock.set(now - TimeDelta::minutes(2));
        refuses(&channel, "not yet valid", &good).await;
        app.clock.set(now + TimeDelta::minutes(12));
        refuses(&channel, "expired", &good).await;
        app.clock.set(now);
        lets_in(&channel, "good", &good).await;
    }

    async fn keys_are_rotated_while_it_serves(app) {
        let ngo = Ngo::new(&app, "NGO-A").await;
        let mut real = Real::start(&people(&ngo));
        let door = real.taken_by(&app).await;
        let channel = door.channel();
        let mut before = real.token("admin");
        lets_in(&channel, "first", &before).await;
        for (algorithm, keep) in [("EdDSA", true), ("RS256", true), ("ES256", false), ("EdDSA", false)] {
            app.clock.advance(TimeDelta::seconds(10));
            real.rotate(algorithm, keep);
            let after = real.token("admin");
            lets_in(&channel, algorithm, &after).await;
            if keep {
                lets_in(&channel, "the one before", &before).await;
            } else {
                refuses(&channel, "a withdrawn one", &before).await;
            }
            before = after;
        }
    }

    async fn a_provider_for_whom_nobody_vouches_is_not_asked(app) {
        let ngo = Ngo::new(&app, "NGO-A").await;
        let mut real = Real::start(&people(&ngo));
        app.clock.set(SystemClock.now());
        let door = app.beside_with(Door { provider: Some(real.provider(None)), ..Door::default() }).await;
        let token = real.token("admin");
        let status = crate::oidc::ask(&door.channel(), Some(token.as_bytes())).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
    }
}
