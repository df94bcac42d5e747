//! How often one may call, and how many streams one may have open: by caller, without harm to anybody else.

use std::time::Duration;

use aftercare::domain::access::Authority;
use aftercare::domain::limit::{Quota, Quotas};
use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::on_both_engines;
use crate::support::{Actor, Beside, Ngo, TestApp, refused};

/// One call a minute, after the first three.
const FEW: Quota = Quota { per_minute: 1, burst: 3 };

fn actor(app: &TestApp, process: &Beside, principal: &str) -> Actor {
    process.bearer(app.token(principal, Authority::Admin, app.now(), TimeDelta::hours(1)))
}

async fn list(actor: &Actor) -> Result<(), Status> {
    actor.directory().list_organisations(pb::ListOrganisationsRequest::default()).await.map(drop)
}

fn wait(status: &Status) -> Duration {
    let refusal = refused(status);
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    status.get_error_details().retry_info().unwrap().retry_delay.unwrap()
}

on_both_engines! {
    async fn who_calls_too_often_waits_and_nobody_else_does(app) {
        let process = app.held_to(Quotas { read: FEW, ..Quotas::OFF }).await;
        let (one, other) = (actor(&app, &process, "one"), actor(&app, &process, "other"));
        for _ in 0..3 {
            list(&one).await.unwrap();
        }
        let first = wait(&list(&one).await.unwrap_err());
        assert!(first > Duration::ZERO && first <= Duration::from_secs(60), "{first:?}");
        for _ in 0..5 {
            // To be refused does not put off what comes after.
            assert!(wait(&list(&one).await.unwrap_err()) <= first);
        }
        list(&other).await.unwrap();
        // Other classes are counted apart, and what is open to all is not counted.
        let wrong = one.access().revoke_token(pb::RevokeTokenRequest::default()).await.unwrap_err();
        assert_eq!(wrong.code(), Code::InvalidArgument);
        let channel = tonic::transport::Channel::from_shared(format!("http://{}", process.address)).unwrap();
        let mut health = HealthClient::new(channel.connect().await.unwrap());
        for _ in 0..10 {
            health.check(HealthCheckRequest::default()).await.unwrap();
        }
        // However many refusals, one is kept.
        let trail = app.audit().await;
        let kept = trail.iter().filter(|it| it.action.ends_with("/ListOrganisations") && it.outcome == "REFUSED");
        assert_eq!(kept.count(), 1);
    }

    async fn to_be_denied_is_counted_too(app) {
        let process = app.held_to(Quotas { write: FEW, ..Quotas::OFF }).await;
        let auditor = process.bearer(app.token("nosy", Authority::Auditor, app.now(), TimeDelta::hours(1)));
        let create = || async {
            auditor.directory().create_venue(pb::CreateVenueRequest::default()).await.unwrap_err()
        };
        for _ in 0..3 {
            assert_eq!(create().await.code(), Code::PermissionDenied);
        }
        for _ in 0..5 {
            wait(&create().await);
        }
        let trail = app.audit().await;
        assert_eq!(trail.iter().filter(|it| it.action.ends_with("/CreateVenue")).count(), 4);
    }

    async fn streams_are_counted_while_they_are_open(app) {
        let ngo = Ngo::new(&app, "A").await;
        let process = app.held_to(Quotas { open_streams: 2, ..Quotas::OFF }).await;
        let authority = Authority::Coordinator { organisation_id: ngo.id.parse().unwrap() };
        let watcher = process.bearer(app.token("w", authority, app.now(), TimeDelta::hours(1)));
        let open = || async {
            let mut stream = watcher.scheduling().watch_sessions(pb::WatchSessionsRequest::default()).await?.into_inner();
            stream.message().await.map(|_| stream)
        };
        let (one, _other) = (open().await.unwrap(), open().await.unwrap());
        let refusal = refused(&open().await.unwrap_err());
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_STREAMS"));
        drop(one);
        let opens = async {
            while open().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), opens).await.expect("a closed stream makes room");
    }
}

#[test]
fn quotas_are_set_by_class_and_the_rest_stays() {
    let quotas: Quotas = toml::from_str("open_streams = 3\nsearch = { per_minute = 5, burst = 2 }").unwrap();
    let expected = Quotas { open_streams: 3, search: Quota { per_minute: 5, burst: 2 }, ..Quotas::default() };
    assert_eq!(quotas, expected);
    assert!(toml::from_str::<Quotas>("serach = { per_minute = 5, burst = 2 }").is_err());
}
