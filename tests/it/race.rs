//! Two people, one slot. Many rivals, many rounds: exactly one wins, and every other one is told
//! why and what is free instead. Nobody deadlocks, nobody is told to come back later.

use aftercare::grpc::pb;
use aftercare::store::{Db, Target};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tonic::Code;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, refused};

const RIVALS: usize = 64;
const ROUNDS: i64 = 8;

/// 10:00 on the day of a round; rounds are whole days apart.
fn day(round: i64) -> String {
    let first: DateTime<Utc> = "2026-11-24T04:30:00Z".parse().unwrap();
    (first + TimeDelta::days(round)).to_rfc3339()
}

/// Sends every request at once; exactly one may succeed, all others be refused for one of `codes`.
async fn one_wins(requests: Vec<(Actor, pb::BookSessionRequest)>, codes: &[&str], alternatives: bool) {
    let calls = requests.into_iter().map(|(actor, request)| tokio::spawn(async move { book(&actor, request).await }));
    let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let booked = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(booked, 1);
    for status in answers.into_iter().filter_map(Result::err) {
        let refusal = refused(&status);
        assert_eq!(refusal.code, Code::FailedPrecondition, "{status:?}");
        assert!(!refusal.items.is_empty());
        assert!(refusal.items.iter().all(|code| codes.contains(&code.as_str())), "{refusal:?}");
        assert!(!alternatives || !refusal.alternatives.is_empty(), "{refusal:?}");
    }
}

/// PostgreSQL counts the deadlocks it had to break, even those that a second attempt hid.
pub async fn no_deadlock(app: &TestApp) {
    if let Target::Postgres(_) = app.db.target {
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let sql = tx.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
        assert_eq!(sql.maybe::<(i64,)>().await.unwrap(), Some((0,)));
    }
}

on_both_engines! {
    async fn one_counsellor(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = join_all((0..RIVALS).map(|_| ngo.survivor())).await;
        for round in 0..ROUNDS {
            let request = |client| (ngo.coordinator.clone(), booking(&ngo, &counsellor, client, &day(round)));
            one_wins(clients.iter().map(request).collect(), &["COUNSELLOR_BUSY"], true).await;
        }
        no_deadlock(&app).await;
    }

    async fn one_client_with_many_counsellors(app) {
        let ngo = Ngo::new(&app, "A").await;
        let codes: Vec<_> = (0..RIVALS).map(|n| format!("C{n}")).collect();
        let counsellors = join_all(codes.iter().map(|code| ngo.counsellor(code, pb::Side::Survivor))).await;
        let client = ngo.survivor().await;
        for round in 0..ROUNDS {
            let request = |counsellor| (ngo.coordinator.clone(), booking(&ngo, counsellor, &client, &day(round)));
            one_wins(counsellors.iter().map(request).collect(), &["CLIENT_BUSY"], true).await;
        }
        no_deadlock(&app).await;
    }

    async fn one_room(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let codes: Vec<_> = (0..RIVALS).map(|n| format!("C{n}")).collect();
        let counsellors = join_all(codes.iter().map(|code| ngo.counsellor(code, pb::Side::Survivor))).await;
        let clients = join_all((0..RIVALS).map(|_| ngo.survivor())).await;
        for round in 0..ROUNDS {
            let pairs = counsellors.iter().zip(&clients);
            let request = |(counsellor, client)| {
                (ngo.coordinator.clone(), booking(&ngo, counsellor, client, &day(round)))
            };
            one_wins(pairs.map(request).collect(), &["ROOM_BUSY"], true).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_survivor_and_an_offender_at_one_site(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (survivors, offenders) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        // Unlinked, an hour and a half apart; the same two people may race again on another day.
        for round in 0..2 * ROUNDS {
            let morning: DateTime<Utc> = day(round).parse().unwrap();
            let noon = (morning + TimeDelta::minutes(150)).to_rfc3339();
            let pair = vec![
                (ngo.coordinator.clone(), booking(&ngo, &survivors, &survivor, &day(round))),
                (ngo.coordinator.clone(), booking(&ngo, &offenders, &offender, &noon)),
            ];
            one_wins(pair, &["SLOT_NOT_AVAILABLE"], true).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_linked_pair_at_one_site_on_one_day(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (survivors, offenders) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        let case = ngo.party_of("12/2026", "Example Nagar", &offender).await;
        ngo.add_party(&case, &survivor, 1).await;
        for round in 0..2 * ROUNDS {
            let morning: DateTime<Utc> = day(round).parse().unwrap();
            let evening = (morning + TimeDelta::minutes(390)).to_rfc3339();
            let pair = vec![
                (ngo.coordinator.clone(), booking(&ngo, &survivors, &survivor, &day(round))),
                (ngo.coordinator.clone(), booking(&ngo, &offenders, &offender, &evening)),
            ];
            one_wins(pair, &["SLOT_NOT_AVAILABLE"], true).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_link_recorded_while_both_sides_book(app) {
        let ngo = Ngo::new(&app, "A").await;
        for round in 0..ROUNDS {
            let (survivors, offenders) = (
                ngo.counsellor(&format!("C{round}"), pb::Side::Survivor).await,
                ngo.counsellor(&format!("O{round}"), pb::Side::Offender).await,
            );
            let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
            let case = ngo.party_of(&format!("{}/2026", round + 1), "Example Nagar", &offender).await;
            let morning: DateTime<Utc> = day(round).parse().unwrap();
            let evening = (morning + TimeDelta::minutes(390)).to_rfc3339();
            let (one, other) = (
                booking(&ngo, &survivors, &survivor, &day(round)),
                booking(&ngo, &offenders, &offender, &evening),
            );
            let (first, second, _) = tokio::join!(
                book(&ngo.coordinator, one),
                book(&ngo.coordinator, other),
                ngo.add_party(&case, &survivor, 1),
            );
            // Whatever came first: of the two, one is refused, or both are flagged.
            match (first, second) {
                (Ok(first), Ok(second)) => {
                    assert!(ngo.session(&first.id).await.needs_rescheduling);
                    assert!(ngo.session(&second.id).await.needs_rescheduling);
                }
                (Ok(_), Err(status)) | (Err(status), Ok(_)) => {
                    assert_eq!(refused(&status).items, ["SLOT_NOT_AVAILABLE"], "{status:?}");
                }
                (Err(first), Err(second)) => panic!("both refused: {first:?} {second:?}"),
            }
        }
        no_deadlock(&app).await;
    }

    async fn a_cancellation_while_the_gap_changes(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut site = ngo.site.clone();
        for round in 0..ROUNDS {
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &day(round))).await.unwrap();
            site.separation_gap = Some(crate::support::minutes(60 + round));
            let request = pb::UpdateSiteRequest { site: Some(site.clone()), ..Default::default() };
            let mut directory = app.admin().directory();
            let (cancelled, changed) = tokio::join!(ngo.cancel(&session), directory.update_site(request));
            cancelled.unwrap();
            site = changed.unwrap().into_inner().site.unwrap();
        }
        // Nobody is at the site any more.
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let left = tx.sql("SELECT session_id FROM site_presence").all::<(uuid::Uuid,)>().await.unwrap();
        assert_eq!(left, []);
        drop(tx);
        no_deadlock(&app).await;
    }

    async fn two_processes_and_one_slot(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = join_all((0..RIVALS).map(|_| ngo.survivor())).await;
        let second = app.beside().await;
        let there = second.bearer(ngo.coordinator.token.clone());
        for round in 0..ROUNDS {
            let request = |(place, client)| {
                let actor = if place % 2 == 0 { ngo.coordinator.clone() } else { there.clone() };
                (actor, booking(&ngo, &counsellor, client, &day(round)))
            };
            one_wins(clients.iter().enumerate().map(request).collect(), &["COUNSELLOR_BUSY"], true).await;
        }
        no_deadlock(&app).await;
    }

    async fn many_of_both_sides_at_one_site(app) {
        let ngo = Ngo::new(&app, "A").await;
        let host = &ngo;
        let codes: Vec<_> = (0..RIVALS / 2).map(|n| format!("{n}")).collect();
        let survivors = join_all(codes.iter().map(|code| async move {
            (host.counsellor_with(&format!("C{code}"), pb::Side::Survivor, |_| {}).await, host.survivor().await)
        })).await;
        let offenders = join_all(codes.iter().map(|code| async move {
            (host.counsellor_with(&format!("O{code}"), pb::Side::Offender, |_| {}).await, host.offender().await)
        })).await;
        for round in 0..ROUNDS {
            let all = survivors.iter().zip(&offenders).flat_map(|(one, other)| [one, other]);
            let calls = all.map(|(counsellor, client)| {
                let (actor, request) = (ngo.coordinator.clone(), booking(&ngo, counsellor, client, &day(round)));
                tokio::spawn(async move { (request.service, book(&actor, request).await) })
            });
            // One side has the site, all of it; the other side nobody.
            let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            let won: Vec<_> = answers.iter().filter(|(_, it)| it.is_ok()).map(|(service, _)| *service).collect();
            assert_eq!(won.len(), RIVALS / 2);
            assert!(won.iter().all(|service| *service == won[0]));
            for status in answers.into_iter().filter_map(|(_, it)| it.err()) {
                assert_eq!(refused(&status).items, ["SLOT_NOT_AVAILABLE"], "{status:?}");
            }
        }
        no_deadlock(&app).await;
    }
}
