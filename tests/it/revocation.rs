//! Tokens and subjects that are let in no more, in every process, and streams that they have open.

use std::time::Duration;

use aftercare::auth::Grant;
use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::Db;
use chrono::TimeDelta;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, refused};

/// How long a revocation may take to hold elsewhere.
const BOUND: Duration = Duration::from_secs(5);

/// A token with an id of its own.
fn token(app: &TestApp, principal: &str, authority: Authority) -> (String, String) {
    let id = app.world().uuid();
    let grant = Grant {
        principal: principal.into(),
        authority: Some(authority),
        at: app.now(),
        life: TimeDelta::hours(24),
        id,
    };
    (id.to_string(), app.issue(&grant))
}

async fn call(actor: &Actor) -> Result<(), Status> {
    actor.directory().list_organisations(pb::ListOrganisationsRequest::default()).await.map(drop)
}

/// Waits, within the bound, until a call ends as wanted.
async fn until(actor: &Actor, wanted: Code) {
    let ends = async {
        while call(actor).await.map_or_else(|status| status.code(), |()| Code::Ok) != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(BOUND, ends).await.expect("it holds within the bound");
}

async fn revoke_token(admin: &Actor, token_id: &str) -> pb::Revocation {
    let reason = pb::RevocationReason::DeviceLost.into();
    let request = pb::RevokeTokenRequest { token_id: token_id.into(), reason, ..Default::default() };
    admin.access().revoke_token(request).await.unwrap().into_inner().revocation.unwrap()
}

async fn revoke_principal(admin: &Actor, principal: &str, block: bool) -> Result<pb::Revocation, Status> {
    let reason = pb::RevocationReason::Left.into();
    let request = pb::RevokePrincipalRequest { principal: principal.into(), block, reason, ..Default::default() };
    Ok(admin.access().revoke_principal(request).await?.into_inner().revocation.unwrap())
}

async fn lift(admin: &Actor, revocation: &pb::Revocation) -> Result<pb::Revocation, Status> {
    let reason = pb::LiftReason::Mistake.into();
    let request = pb::LiftRevocationRequest { revocation_id: revocation.id.clone(), reason, ..Default::default() };
    Ok(admin.access().lift_revocation(request).await?.into_inner().revocation.unwrap())
}

on_both_engines! {
    async fn a_revoked_token_is_refused_like_a_bad_one_in_every_process(app) {
        let beside = app.beside().await;
        let (lost_id, lost) = token(&app, "a@test", Authority::Auditor);
        let (_, kept) = token(&app, "a@test", Authority::Auditor);
        // An auditor lists nothing of the directory, but is let in as far as to be told so.
        let (here, there) = (app.bearer(lost.clone()), beside.bearer(lost));
        assert_eq!(call(&here).await.unwrap_err().code(), Code::PermissionDenied);
        let revocation = revoke_token(&app.admin(), &lost_id).await;
        let (refusal, bad) = (call(&here).await.unwrap_err(), call(&app.bearer("x".into())).await.unwrap_err());
        assert_eq!(refusal.code(), Code::Unauthenticated);
        assert_eq!((refusal.message(), refusal.details()), (bad.message(), bad.details()));
        until(&there, Code::Unauthenticated).await;
        assert_eq!(call(&app.bearer(kept)).await.unwrap_err().code(), Code::PermissionDenied);
        lift(&app.admin(), &revocation).await.unwrap();
        assert_eq!(call(&here).await.unwrap_err().code(), Code::PermissionDenied);
        until(&there, Code::PermissionDenied).await;
    }

    async fn what_a_subject_was_issued_is_revoked_and_a_block_holds_until_it_is_lifted(app) {
        let admin = app.admin();
        let bearer = |app: &TestApp| app.bearer(token(app, "b@test", Authority::Admin).1);
        let before = bearer(&app);
        call(&before).await.unwrap();
        let revocation = revoke_principal(&admin, "b@test", false).await.unwrap();
        assert_eq!(call(&before).await.unwrap_err().code(), Code::Unauthenticated);
        app.clock.advance(TimeDelta::seconds(1));
        let after = bearer(&app);
        call(&after).await.unwrap();
        // Of two rulings each holds.
        let block = revoke_principal(&admin, "b@test", true).await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
        assert_eq!(call(&bearer(&app)).await.unwrap_err().code(), Code::Unauthenticated);
        lift(&admin, &block).await.unwrap();
        call(&after).await.unwrap();
        assert_eq!(call(&before).await.unwrap_err().code(), Code::Unauthenticated);
        lift(&admin, &revocation).await.unwrap();
        call(&before).await.unwrap();
        let again = refused(&lift(&admin, &revocation).await.unwrap_err());
        assert_eq!((again.code, again.reason.as_str()), (Code::FailedPrecondition, "ALREADY_LIFTED"));
    }

    async fn nobody_blocks_the_own_subject(app) {
        let admin = app.admin();
        let refusal = refused(&revoke_principal(&admin, "admin@test", true).await.unwrap_err());
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "OWN_PRINCIPAL"));
        // To revoke what one was issued is another matter.
        revoke_principal(&admin, "admin@test", false).await.unwrap();
        assert_eq!(call(&admin).await.unwrap_err().code(), Code::Unauthenticated);
    }

    async fn an_open_stream_ends_with_the_revocation(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_, watcher) = token(&app, "w@test", Authority::Coordinator { organisation_id: ngo.id.parse().unwrap() });
        let watcher = app.bearer(watcher);
        let request = pb::WatchSessionsRequest::default();
        let mut stream = watcher.scheduling().watch_sessions(request).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        revoke_principal(&app.admin(), "w@test", false).await.unwrap();
        let end = tokio::time::timeout(BOUND, stream.message()).await.unwrap().unwrap_err();
        assert_eq!(end.code(), Code::Unauthenticated);
    }

    async fn who_revoked_what_and_why_is_kept(app) {
        let admin = app.admin();
        let one = revoke_token(&admin, "some-token").await;
        app.clock.advance(TimeDelta::seconds(1));
        let other = revoke_principal(&admin, "c@test", true).await.unwrap();
        let lifted = lift(&admin, &other).await.unwrap();
        assert_eq!((lifted.lifted_by.as_str(), lifted.lift_reason()), ("admin@test", pb::LiftReason::Mistake));
        let list = |request| async {
            let answer = admin.clone().access().list_revocations(request).await.unwrap().into_inner();
            (answer.revocations, answer.next_page_token)
        };
        let page = pb::ListRevocationsRequest { page_size: 1, ..Default::default() };
        let (first, token) = list(page.clone()).await;
        assert_eq!(first, std::slice::from_ref(&lifted));
        assert_eq!(list(pb::ListRevocationsRequest { page_token: token, ..page }).await, (vec![one.clone()], String::new()));
        let standing = pb::ListRevocationsRequest { standing: true, ..Default::default() };
        assert_eq!(list(standing).await.0, std::slice::from_ref(&one));
        let about = pb::ListRevocationsRequest { principal: "c@test".into(), ..Default::default() };
        assert_eq!(list(about).await.0, [lifted]);
        assert_eq!((one.reason(), one.revoked_by.as_str()), (pb::RevocationReason::DeviceLost, "admin@test"));
        let trail = app.audit().await;
        let revoked = trail.iter().find(|it| it.action.ends_with("/RevokeToken")).unwrap();
        assert!(revoked.subjects.contains(&one.id) && revoked.details.contains("DEVICE_LOST"));
        // And nobody changes it, past the service neither.
        let db = Db::open(&app.db.target, 1).await.unwrap();
        for text in ["UPDATE revocation SET reason = 'OTHER'", "DELETE FROM revocation",
            "UPDATE revocation_lift SET lifted_by = 'x'", "DELETE FROM revocation_lift"]
        {
            let mut tx = db.begin_write().await.unwrap();
            assert!(tx.sql(text).run().await.is_err(), "{text}");
        }
    }

    async fn a_revocation_is_asked_for_in_full(app) {
        let admin = app.admin();
        let wrong = admin.access().revoke_token(pb::RevokeTokenRequest::default()).await.unwrap_err();
        assert_eq!(refused(&wrong).items, ["token_id", "reason"]);
        let wrong = admin.access().revoke_principal(pb::RevokePrincipalRequest::default()).await.unwrap_err();
        assert_eq!(refused(&wrong).items, ["principal", "reason"]);
        let unknown = pb::Revocation { id: Uuid::nil().to_string(), ..Default::default() };
        assert_eq!(lift(&admin, &unknown).await.unwrap_err().code(), Code::NotFound);
    }
}
