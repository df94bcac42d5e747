//! The same without a network between, as fast as it goes. `AFTERCARE_TEST_INPUTS` says how many inputs there are of
//! each kind: some here, millions by hand. What they may cost in memory has an end.
//!
//! `AFTERCARE_TEST_INPUTS=700000 tests/run.sh --test it -- fuzz::unwired --test-threads=1 --nocapture`

use std::sync::Arc;

use aftercare::auth::{Builtin, StatementKey, audit_key};
use aftercare::clock::{Clock, SystemClock};
use aftercare::domain::access::{Authority, Role, TABLE};
use aftercare::domain::feed::Topic;
use aftercare::domain::ids::OrganisationId;
use aftercare::grpc::{GateLayer, routes};
use aftercare::rng::SeededRng;
use aftercare::usecase::call::Authenticator;
use aftercare::usecase::import::check;
use aftercare::usecase::page::Page;
use aftercare::usecase::{Call, feed};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use http_body_util::Full;
use prost::Message as _;
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tower::{Layer, Service};

use super::message::{Words, message, torn};
use super::{caller, methods, promised, tokens};
use crate::cells::{Answer, Objects, recipes_of_every_service};
use crate::import::example;
use crate::noninterference::Dice;
use crate::support::{Engine, TestApp, unless};

/// What the process may come to hold while it reads its inputs, above what it held after the first tenth of them.
const MOST_MORE_KIB: u64 = 256 << 10;

/// How many inputs there are, how long they take and what they cost.
struct Watch {
    what: &'static str,
    inputs: u64,
    begun_at: DateTime<Utc>,
    warm_kib: u64,
}

impl Watch {
    fn begin(what: &'static str) -> Self {
        let inputs = unless("AFTERCARE_TEST_INPUTS", 5_000);
        Self { what, inputs, begun_at: SystemClock.now(), warm_kib: 0 }
    }

    /// The numbers of the inputs.
    fn inputs(&mut self) -> impl Iterator<Item = u64> {
        (0..self.inputs).inspect(|number| {
            if *number == self.inputs / 10 {
                self.warm_kib = kib("VmRSS:");
            }
        })
    }

    fn end(self) {
        let Self { what, inputs, begun_at, warm_kib } = self;
        let (now, seconds) = (kib("VmRSS:"), (SystemClock.now() - begun_at).num_seconds());
        println!("{what}: {inputs} inputs in {seconds} s, {warm_kib} to {now} KiB, at most {} KiB", kib("VmHWM:"));
        assert!(now < warm_kib + MOST_MORE_KIB, "{what}: from {warm_kib} to {now} KiB");
    }
}

/// What this process holds.
fn kib(of: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(of)).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn dice() -> Dice {
    Dice::of(unless("AFTERCARE_TEST_SEED", 1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests() {
    let app = TestApp::start(Engine::Sqlite).await;
    let [it] = Objects::of(&app, ["A"]).await;
    let (dice, words) = (dice(), Words::of(it.marks(), tokens(&app)));
    let rng = Arc::new(SeededRng::from_seed(7));
    let issuer = Arc::new(Builtin::open(&app.data_dir(), rng.as_ref()).unwrap());
    let audit_key = audit_key(&app.data_dir(), rng.as_ref()).unwrap().public();
    let keyring = Arc::new(StatementKey::new(&app.data_dir(), rng));
    let routes = routes(app.world(), &(keyring as _), audit_key).unwrap().routes();
    let mut service = GateLayer::new(app.world().clone(), issuer).layer(routes.prepare());
    let (recipes, methods) = (recipes_of_every_service(), methods());
    let mut watch = Watch::begin("requests");
    for number in watch.inputs() {
        let (rpc, method) = dice.one(&methods);
        let roles = TABLE.iter().find(|(name, _)| name == rpc).unwrap().1;
        let role = *dice.one(roles);
        let body = match number % 8 {
            0 => {
                let good = recipes.iter().find(|recipe| recipe.rpc == *rpc).unwrap();
                torn(&dice, &(good.request)(&it, *dice.one(Role::ALL)))
            }
            1 => torn(&dice, &message(&dice, &words, &method.input(), 3).encode_to_vec()),
            _ => message(&dice, &words, &method.input(), 2).encode_to_vec(),
        };
        let frame = [&[0][..], &u32::try_from(body.len()).unwrap().to_be_bytes(), &body].concat();
        let request = Request::post(format!("/{rpc}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {}", caller(&app, &it, role).token))
            .body(Body::new(Full::new(Bytes::from(frame))))
            .unwrap();
        let response = service.call(request).await.unwrap();
        let status = Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok(""));
        let answer = Answer::of(&status);
        assert!(promised(&answer), "input {number}: {rpc} {body:?}: {answer:?}");
    }
    watch.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_every_kind() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (dice, world, call) = (dice(), app.world(), Call::of_program("fuzz"));
    let issuer = Builtin::open(&app.data_dir(), &SeededRng::from_seed(1)).unwrap();
    let bearer = app.token("a", Authority::Admin, app.now(), TimeDelta::hours(1));
    let page = Page { size: 1, token: String::new(), query: b"query".to_vec() };
    let (next, topic) =
        (page.token_after(world, &call, &uuid::Uuid::nil()), Topic::Sessions(OrganisationId(uuid::Uuid::nil())));
    let cursor = feed::cursor(world, &topic, 7);
    let mut watch = Watch::begin("tokens, page tokens and cursors");
    for number in watch.inputs() {
        let good = [&bearer, &next, &cursor][usize::try_from(number % 3).unwrap()];
        let bytes = if dice.below(8) == 0 { torn(&dice, &[b'.'; 40]) } else { torn(&dice, good.as_bytes()) };
        let token = String::from_utf8_lossy(&bytes).into_owned();
        let fine = match number % 3 {
            0 => issuer.identify(&token, app.now()).await.is_ok(),
            1 => Page { token: token.clone(), ..page.clone() }.after::<uuid::Uuid>(world, &call).is_ok(),
            _ => feed::position(world, &topic, &token).is_ok(),
        };
        assert!(!fine || token == *good || token.is_empty() && number % 3 == 1, "input {number}: {token:?}");
    }
    watch.end();
}

#[test]
fn files() {
    let dice = dice();
    let example = example();
    let names: Vec<String> = example.keys().cloned().collect();
    let last = NaiveDate::from_ymd_opt(2027, 12, 31).unwrap();
    let mut watch = Watch::begin("files of imports");
    for _ in watch.inputs() {
        let name = dice.one(&names);
        let bytes = torn(&dice, &example[name]);
        for problem in check(&[(name.clone(), bytes)].into(), last) {
            assert!(!problem.says.is_empty());
        }
    }
    watch.end();
}
