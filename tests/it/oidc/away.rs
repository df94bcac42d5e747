//! The provider is not there: at the start, later, or as somebody else.

use chrono::TimeDelta;
use tonic::Code;
use tonic_types::StatusExt;

use super::fake::{Fake, Manner};
use super::keys::Signer;
use super::{NOT_SERVING, SERVING, ask, claims, health, lets_in, refuses, taking, until};
use crate::on_both_engines;
use crate::support::refused;

on_both_engines! {
    async fn the_service_starts_without_its_provider_and_serves_when_it_comes(app) {
        let ed = Signer::ed25519("ed");
        let fake = Fake::start(Manner::Down, &[&ed.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let good = claims(&fake.issuer, app.now());
        for _ in 0..2 {
            let status = ask(&channel, Some(ed.sign(&good).as_bytes())).await.unwrap_err();
            assert_eq!((status.code(), refused(&status).reason.as_str()), (Code::Unavailable, "UNAVAILABLE"));
            assert!(status.get_error_details().retry_info().is_some());
            assert_eq!(health(&channel).await, NOT_SERVING);
        }
        // What cannot be a token needs no key to be refused.
        refuses(&channel, "nothing", "").await;
        refuses(&channel, "noise", "a.b.c").await;
        fake.be(Manner::Good);
        app.clock.advance(TimeDelta::seconds(10));
        until("it serves", async || health(&channel).await == SERVING).await;
        lets_in(&channel, "good", &ed.sign(&good)).await;
    }

    async fn a_provider_that_went_away_is_believed_for_an_hour(app) {
        let ed = Signer::ed25519("ed");
        let fake = Fake::start(Manner::Good, &[&ed.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        lets_in(&channel, "good", &ed.sign(&claims(&fake.issuer, app.now()))).await;
        assert_eq!(health(&channel).await, SERVING);
        fake.be(Manner::Down);
        app.clock.advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
        let good = claims(&fake.issuer, app.now());
        lets_in(&channel, "good", &ed.sign(&good)).await;
        refuses(&channel, "unknown", Signer::ed25519("unknown").sign(&good)).await;
        app.clock.advance(TimeDelta::microseconds(1));
        let status = ask(&channel, Some(ed.sign(&good).as_bytes())).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        until("it does not serve", async || health(&channel).await == NOT_SERVING).await;
        fake.be(Manner::Good);
        app.clock.advance(TimeDelta::seconds(10));
        until("it serves", async || health(&channel).await == SERVING).await;
        lets_in(&channel, "good", &ed.sign(&good)).await;
    }

    async fn whoever_poses_as_the_provider_is_not_believed(app) {
        use Manner::{Elsewhere, Endless, Nonsense, OtherIssuer, Silent, Unsecured};
        let ed = Signer::ed25519("ed");
        for manner in [Elsewhere, Endless, Nonsense, OtherIssuer, Silent, Unsecured] {
            let fake = Fake::start(manner, &[&ed.jwk]).await;
            let door = taking(&app, &fake).await;
            let channel = door.channel();
            let token = ed.sign(&claims(&fake.issuer, app.now()));
            let status = ask(&channel, Some(token.as_bytes())).await.unwrap_err();
            assert_eq!(status.code(), Code::Unavailable, "{manner:?}");
            assert!(fake.reads() > 0, "{manner:?}");
            assert_eq!(health(&channel).await, NOT_SERVING, "{manner:?}");
        }
    }
}
