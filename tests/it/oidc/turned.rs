//! Keys come and go while the service runs, and nobody makes it ask more often than it wants to.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::fake::{Fake, Manner};
use super::keys::Signer;
use super::{ask, claims, lets_in, refuses, taking, until, with};
use crate::on_both_engines;

/// Between two attempts to read the keys.
const WINDOW: TimeDelta = TimeDelta::seconds(10);

on_both_engines! {
    async fn a_new_key_is_taken_at_once_and_a_withdrawn_one_no_more(app) {
        let (old, new) = (Signer::ed25519("old"), Signer::p256("new"));
        let fake = Fake::start(Manner::Good, &[&old.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let good = claims(&fake.issuer, app.now());
        lets_in(&channel, "old", &old.sign(&good)).await;
        app.clock.advance(WINDOW);
        fake.keep(&[&new.jwk, &old.jwk]);
        lets_in(&channel, "new", &new.sign(&good)).await;
        lets_in(&channel, "old beside new", &old.sign(&good)).await;
        // Nobody comes with a new token, and still it is noticed that one is gone.
        fake.keep(&[&new.jwk]);
        let before = fake.reads();
        app.clock.advance(TimeDelta::minutes(5) - TimeDelta::microseconds(1));
        lets_in(&channel, "not yet looked", &old.sign(&good)).await;
        app.clock.advance(TimeDelta::microseconds(1));
        until("the keys are read again", async || fake.reads() > before).await;
        until("the old one is refused", async || ask(&channel, Some(old.sign(&good).as_bytes())).await.is_err()).await;
        refuses(&channel, "old", old.sign(&good)).await;
        lets_in(&channel, "new", &new.sign(&good)).await;
        // The same name for another key is another key.
        let renamed = Signer::ed25519("new");
        fake.keep(&[&renamed.jwk]);
        app.clock.advance(WINDOW);
        lets_in(&channel, "renamed", &renamed.sign(&good)).await;
        refuses(&channel, "new", new.sign(&good)).await;
        // And the same name for two keys is nobody's.
        let second = Signer::ed25519("new");
        fake.keep(&[&renamed.jwk, &second.jwk]);
        app.clock.advance(WINDOW);
        refuses(&channel, "unknown", Signer::ed25519("unknown").sign(&good)).await;
        for signer in [&renamed, &second] {
            refuses(&channel, "ambiguous", signer.sign(&good)).await;
        }
    }

    async fn unknown_keys_make_it_ask_once_in_ten_seconds(app) {
        let ed = Signer::ed25519("ed");
        let fake = Fake::start(Manner::Good, &[&ed.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let good = claims(&fake.issuer, app.now());
        lets_in(&channel, "good", &ed.sign(&good)).await;
        assert_eq!(fake.reads(), 1);
        for round in 1..=3 {
            app.clock.advance(WINDOW);
            let flood = (0..100).map(|number| {
                let header = with(&ed.header(), "kid", json!(format!("unknown-{round}-{number}")));
                let (channel, token) = (channel.clone(), ed.sign_under(&header, &good));
                async move { refuses(&channel, "unknown", token).await }
            });
            join_all(flood).await;
            assert_eq!(fake.reads(), 1 + round);
            lets_in(&channel, "good", &ed.sign(&good)).await;
        }
        app.clock.advance(WINDOW - TimeDelta::microseconds(1));
        refuses(&channel, "unknown", ed.sign_under(&with(&ed.header(), "kid", "once more"), &good)).await;
        assert_eq!(fake.reads(), 4);
    }
}
