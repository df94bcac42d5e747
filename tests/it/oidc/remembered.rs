//! A token that was good is good again without its signature being checked, and no longer than it says.

use chrono::TimeDelta;

use super::fake::{Fake, Manner};
use super::keys::Signer;
use super::{claims, lets_in, refuses, taking, with};
use crate::on_both_engines;

on_both_engines! {
    async fn who_was_let_in_is_let_in_for_as_long_as_the_token_says(app) {
        let ed = Signer::ed25519("ed");
        let fake = Fake::start(Manner::Good, &[&ed.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let now = app.now();
        let token = ed.sign(&with(&claims(&fake.issuer, now), "exp", now.timestamp() + 60));
        lets_in(&channel, "good", &token).await;
        // A minute of difference between clocks is forgiven, more is not.
        app.clock.set(now + TimeDelta::seconds(120) - TimeDelta::microseconds(1));
        lets_in(&channel, "at its end", &token).await;
        app.clock.set(now + TimeDelta::seconds(120));
        refuses(&channel, "expired", &token).await;
        app.clock.set(now - TimeDelta::seconds(60));
        lets_in(&channel, "at its beginning", &token).await;
        app.clock.set(now - TimeDelta::seconds(61));
        refuses(&channel, "of tomorrow", &token).await;
        // Nobody is taken for somebody else.
        app.clock.set(now);
        lets_in(&channel, "good", &token).await;
        let (signed, signature) = token.rsplit_once('.').unwrap();
        refuses(&channel, "another's signature", format!("{signed}.{}", signature.chars().rev().collect::<String>())).await;
        refuses(&channel, "a part of it", signed).await;
    }
}
