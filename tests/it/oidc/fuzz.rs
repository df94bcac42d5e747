//! Whatever is sent as a token: no panic, one answer. `AFTERCARE_FUZZ_CASES` says how much.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::fake::{Fake, Manner};
use super::keys::Signer;
use super::{claims, lets_in, refuses, taking, with};
use crate::support::{Engine, TestApp, unless};

/// Bytes that may stand in a header.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255, Just(b'.'), Just(b'=')], 0..400)
}

/// What is done to a token.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Swap(prop::sample::Index, prop::sample::Index),
    CutOff(prop::sample::Index),
    /// Repeats what comes from there on.
    Repeat(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let byte = prop_oneof![Just(b'.'), Just(b'A'), 33_u8..127];
    prop_oneof![
        (any::<prop::sample::Index>(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<prop::sample::Index>().prop_map(Change::Remove),
        (any::<prop::sample::Index>(), byte).prop_map(|(at, byte)| Change::Insert(at, byte)),
        any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(one, other)| Change::Swap(one, other)),
        any::<prop::sample::Index>().prop_map(Change::CutOff),
        any::<prop::sample::Index>().prop_map(Change::Repeat),
    ]
}

fn changed(token: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = token.as_bytes().to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Remove(at) => drop(bytes.remove(at.index(length))),
            Change::Insert(at, byte) => bytes.insert(at.index(length), *byte),
            Change::Swap(one, other) => bytes.swap(one.index(length), other.index(length)),
            Change::CutOff(at) => bytes.truncate(at.index(length)),
            Change::Repeat(at) => bytes.extend_from_within(at.index(length)..),
        }
    }
    bytes.truncate(9000);
    bytes
}

/// JSON of any shape.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        any::<f64>().prop_map(|it| json!(it)),
        ".{0,20}".prop_map(|it| json!(it)),
        Just(json!("admin")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|it| json!(it)),
            prop::collection::btree_map("[a-z.]{0,6}", inner, 0..4).prop_map(|it| json!(it)),
        ]
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_as_a_token_is_refused_alike() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (ed, own) = (Signer::ed25519("ed"), Signer::ed25519("own"));
    let fake = Fake::start(Manner::Good, &[&ed.jwk]).await;
    let door = taking(&app, &fake).await;
    let channel = door.channel();
    let claims = claims(&fake.issuer, app.now());
    let good = ed.sign(&claims);
    lets_in(&channel, "good", &good).await;

    let cases: u32 = unless("AFTERCARE_FUZZ_CASES", 2000);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let names = prop::sample::select(vec!["alg", "typ", "kid", "crit", "jwk", "zip"]);
    let parts = prop::sample::select(vec!["iss", "aud", "exp", "iat", "nbf", "role", "organisation", "sub"]);
    let tokens = prop_oneof![
        noise().prop_map(|noise| ("noise", noise)),
        prop::collection::vec(change(), 1..6).prop_map({
            let good = good.clone();
            move |changes| ("a changed token", changed(&good, &changes))
        }),
        (names, value()).prop_map({
            let claims = claims.clone();
            move |(name, value)| ("a forged header", own.sign_under(&with(&own.header(), name, value), &claims).into())
        }),
        (parts, value()).prop_map(move |(name, value)| ("wrong claims", ed.sign(&with(&claims, name, value)).into())),
    ];
    let handle = tokio::runtime::Handle::current();
    let run = move || {
        TestRunner::new(config).run(&tokens, |(what, token)| {
            // What comes out as good after all is: claims may say the same in another way.
            let still_good = token == good.as_bytes() || what == "wrong claims";
            let answer = handle.block_on(super::ask(&channel, Some(&token)));
            if !(still_good && answer.is_ok()) {
                handle.block_on(refuses(&channel, what, &token));
            }
            Ok(())
        })
    };
    tokio::task::block_in_place(run).unwrap();
}
