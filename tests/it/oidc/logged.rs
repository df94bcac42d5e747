//! Why a token was refused stands in the log of the process, and nothing of the token does.

use aftercare::clock::{Clock, SystemClock};

use super::fake::{Fake, Manner};
use super::keys::Signer;
use super::{claims, lets_in, refuses, with};
use crate::process::Serving;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_why_and_nothing_of_the_token() {
    let ed = Signer::ed25519("ed");
    let fake = Fake::start(Manner::Good, &[&ed.jwk]).await;
    let data = tempfile::tempdir().unwrap();
    let serving = Serving::start_with(data.path(), &["--issuer", &fake.issuer]);
    let channel = serving.channel().await;
    let now = SystemClock.now();
    let good = with(&claims(&fake.issuer, now), "sub", "planted-subject");
    let token = ed.sign(&good);
    lets_in(&channel, "good", &token).await;
    let refused = [
        ("claim role is missing or wrong", ed.sign(&with(&good, "role", "planted-role"))),
        ("not a token of this issuer: audience", ed.sign(&with(&good, "aud", "planted-audience"))),
        ("claim exp is missing or wrong", ed.sign(&with(&good, "exp", "planted-end"))),
        ("not a token of this issuer: key", ed.sign_under(&with(&ed.header(), "kid", "planted-key"), &good)),
        ("not a token of this issuer: signature", format!("{token}AAAA")),
    ];
    for (why, token) in &refused {
        refuses(&channel, why, token).await;
    }
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0));
    for (why, token) in &refused {
        assert!(log.contains(why), "{why}");
        assert!(token.split('.').all(|part| !log.contains(part)), "{why}");
    }
    assert!(!log.contains("planted"), "{log}");
    // A provider's tokens are not made here.
    assert!(!data.path().join("issuer.key").exists());
}
