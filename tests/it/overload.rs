//! More is asked than can be done: what is too much is turned away at once, what police ask and whether the service is
//! well are answered, and as soon as there is room everything is as before.

use std::time::Duration;

use aftercare::config::Limits;
use aftercare::domain::limit::Quotas;
use aftercare::grpc::pb;
use aftercare::store::{Db, Target, Tx};
use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::{JoinHandle, JoinSet};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::on_both_engines;
use crate::support::treatment::{create_order, lookup, officer, order_of};
use crate::support::{Actor, Door, Engine, Ngo, TestApp, book, booking, minutes, refused};

/// Calls that are worked on at once; as many again wait.
const CALLS: u32 = 4;

/// Somebody who holds what every change needs.
async fn occupied(app: &TestApp) -> Tx {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_write().await.unwrap();
    if matches!(app.db.target, Target::Postgres(_)) {
        tx.sql("LOCK TABLE audit_event IN EXCLUSIVE MODE").run().await.unwrap();
    }
    tx
}

async fn listed(actor: &Actor, patience: Duration) -> Result<usize, Status> {
    let mut request = Request::new(pb::ListSessionsRequest::default());
    request.set_timeout(patience);
    Ok(actor.scheduling().list_sessions(request).await?.into_inner().sessions.len())
}

on_both_engines! {
    async fn what_is_too_much_is_turned_away_and_what_must_be_is_answered(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, offender) = (ngo.survivor().await, ngo.offender().await);
        let order = create_order(&ngo.coordinator, order_of(&offender)).await.unwrap();
        let limits = Limits { calls: CALLS, ..Limits::default() };
        app.restart_with(Door { limits, quotas: Quotas::OFF, ..Door::default() }).await;
        let ngo = ngo.signed_in(&app);

        let somebody = occupied(&app).await;
        let ask = |hour, minute| {
            let start = format!("2026-11-30T{:02}:{minute:02}:00Z", 4 + hour);
            let request = booking(&ngo, &counsellor, &client, &start);
            let request = pb::BookSessionRequest { length: Some(minutes(30)), ..request };
            let actor = ngo.coordinator.clone();
            tokio::spawn(async move { book(&actor, request).await })
        };
        // Four are worked on, four wait, and four are too many.
        let mut asked: FuturesUnordered<JoinHandle<_>> = (0..12).map(|at| ask(at / 2, at % 2 * 30)).collect();
        for _ in 0..CALLS {
            let turned_away = asked.next().await.unwrap().unwrap().unwrap_err();
            assert_eq!(refused(&turned_away).reason, "OVERLOADED");
        }
        let turned_away = listed(&ngo.coordinator, Duration::from_secs(30)).await.unwrap_err();
        assert_eq!(refused(&turned_away).reason, "OVERLOADED");
        assert_eq!(turned_away.code(), Code::Unavailable);
        assert!(turned_away.get_error_details().retry_info().is_some_and(|it| it.retry_delay.is_some()));

        let mut health = HealthClient::new(app.channel());
        let well = health.check(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
        assert_eq!(well.status, 1);
        // It waits for what holds everybody up, and is not turned away.
        let police = officer(&app, "KL-TVM");
        let reference = order.reference.clone();
        let check = pb::CheckComplianceRequest { lookup: lookup(), reference };
        let told = tokio::spawn(async move { police.compliance().check_compliance(check).await });

        somebody.rollback().await.unwrap();
        while let Some(answer) = asked.next().await {
            answer.unwrap().unwrap();
        }
        told.await.unwrap().unwrap();
        assert_eq!(listed(&ngo.coordinator, Duration::from_secs(30)).await.unwrap(), 8);
    }
}

/// Whoever waits for the one writer, and is not waited for any more, does nothing when the turn comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let app = TestApp::start(Engine::Sqlite).await;
    let ngo = Ngo::new(&app, "A").await;
    let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
    let client = ngo.survivor().await;
    let somebody = occupied(&app).await;
    let mut request = Request::new(booking(&ngo, &counsellor, &client, "2026-11-30T06:00:00Z"));
    request.set_timeout(Duration::from_millis(300));
    let late = ngo.coordinator.scheduling().book_session(request).await.unwrap_err();
    // Whichever of the two sides looks at its clock first.
    assert!([Code::DeadlineExceeded, Code::Cancelled].contains(&late.code()), "{late:?}");
    somebody.rollback().await.unwrap();
    book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-30T08:00:00Z")).await.unwrap();
    assert_eq!(listed(&ngo.coordinator, Duration::from_secs(30)).await.unwrap(), 1);
}

/// Everybody who books waits for a lock, each with a connection to the database. What police look up needs no such lock,
/// and waits for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn police_are_answered_while_others_have_every_connection() {
    let app = TestApp::start(Engine::Postgres).await;
    let ngo = Ngo::new(&app, "A").await;
    let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
    let (client, offender) = (ngo.survivor().await, ngo.offender().await);
    let order = create_order(&ngo.coordinator, order_of(&offender)).await.unwrap();
    let police = officer(&app, "KL-TVM");
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut somebody = db.begin_write().await.unwrap();
    somebody.sql("LOCK TABLE session IN EXCLUSIVE MODE").run().await.unwrap();
    let (before, most) = (app.world().db().load().in_use, app.world().db().load().most);
    let mut asked = JoinSet::new();
    for number in 0..most as i64 {
        let start =
            chrono::DateTime::parse_from_rfc3339("2026-11-30T04:00:00Z").unwrap() + TimeDelta::minutes(30 * number);
        let request = booking(&ngo, &counsellor, &client, &start.to_rfc3339());
        let request = pb::BookSessionRequest { length: Some(minutes(30)), ..request };
        let actor = ngo.coordinator.clone();
        asked.spawn(async move { book(&actor, request).await });
    }
    // As many as there are for them have one, and the others wait.
    let kept = most / 8;
    while app.world().db().load().in_use < most - kept - before {
        tokio::task::yield_now().await;
    }
    let check = pb::CheckComplianceRequest { lookup: lookup(), reference: order.reference };
    let told = tokio::time::timeout(Duration::from_secs(5), police.compliance().check_compliance(check)).await;
    told.expect("nobody is waited for").unwrap();
    assert!(asked.try_join_next().is_none(), "they still wait");
    somebody.rollback().await.unwrap();
    while let Some(answer) = asked.join_next().await {
        // Whatever it is.
        let _ = answer.unwrap();
    }
}
