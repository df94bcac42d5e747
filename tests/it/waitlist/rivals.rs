//! Rivals over one freed time: workers of two processes, answers, expiry and those who leave.

use aftercare::grpc::pb;
use aftercare::jobs::{self, Worker};
use aftercare::usecase::World;
use chrono::TimeDelta;
use futures_util::future::join_all;
use tonic::Code;

use super::calls::*;
use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::{Ngo, TestApp, book, booking, refused};

const ROUNDS: i64 = 6;

fn ten(round: i64) -> String {
    let first: chrono::DateTime<chrono::Utc> = "2026-11-27T04:30:00Z".parse().unwrap();
    (first + TimeDelta::days(round)).to_rfc3339()
}

/// What another process has of the same database.
async fn beside(app: &TestApp) -> World {
    app.another_world(8, u64::MAX - 1).await
}

/// Workers of two processes do everything that is due.
async fn rivals(worlds: &[World; 2]) {
    let workers = (0..8).map(|at| {
        let worker = Worker::new(worlds[at % 2].clone(), jobs::all());
        tokio::spawn(async move { while worker.next().await.unwrap() {} })
    });
    for ended in join_all(workers).await {
        ended.unwrap();
    }
}

on_both_engines! {
    async fn eight_workers_make_one_offer_of_each_time(app) {
        let ngo = Ngo::new(&app, "A").await;
        let worlds = [app.world().clone(), beside(&app).await];
        let counsellors = join_all((0..4).map(|at| {
            let ngo = &ngo;
            async move { ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await }
        }))
        .await;
        let clients = join_all((0..3).map(|_| ngo.survivor())).await;
        let booked = join_all((0..4).map(|_| ngo.survivor())).await;
        for client in &clients {
            join(&ngo, client).await;
        }
        for round in 0..ROUNDS {
            let mut sessions = Vec::new();
            for (counsellor, client) in counsellors.iter().zip(&booked) {
                sessions.push(book(&ngo.coordinator, booking(&ngo, counsellor, client, &ten(round))).await.unwrap());
            }
            for session in &sessions {
                ngo.cancel(session).await.unwrap();
            }
            rivals(&worlds).await;
            // Four times and three who wait: each has one offer, of times of their own.
            let all = offers(&ngo).await;
            assert_eq!(all.len(), 3, "round {round}");
            let mut whose: Vec<_> = all.iter().map(|it| it.entry.clone().unwrap().client_id).collect();
            let mut which: Vec<_> = all.iter().map(|it| it.hold.clone().unwrap().counsellor_id).collect();
            whose.sort();
            whose.dedup();
            which.sort();
            which.dedup();
            assert_eq!((whose.len(), which.len()), (3, 3));
            for offer in &all {
                decline(&ngo, offer).await.unwrap();
            }
            rivals(&worlds).await;
            for _ in 0..20 {
                let all = offers(&ngo).await;
                for offer in &all {
                    decline(&ngo, offer).await.unwrap();
                }
                rivals(&worlds).await;
            }
            assert_eq!(offers(&ngo).await, []);
        }
        no_deadlock(&app).await;
    }

    async fn an_offer_is_answered_once(app) {
        let ngo = Ngo::new(&app, "A").await;
        let worlds = [app.world().clone(), beside(&app).await];
        let process = app.beside().await;
        let there = process.bearer(ngo.coordinator.token.clone());
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, booked) = (ngo.survivor().await, ngo.survivor().await);
        for round in 0..ROUNDS {
            let entry = join(&ngo, &client).await;
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &booked, &ten(round))).await.unwrap();
            ngo.cancel(&session).await.unwrap();
            rivals(&worlds).await;
            let offer = the_offer(&ngo).await;
            let (accepted, again, declined, left) = tokio::join!(
                accept(&ngo, &offer),
                answer(&there, &offer, pb::OfferAnswer::Accept),
                answer(&there, &offer, pb::OfferAnswer::Decline),
                leave(&ngo, &entry),
            );
            let ok = [accepted.is_ok(), again.is_ok(), declined.is_ok()];
            assert!(ok.iter().filter(|it| **it).count() <= 1, "{ok:?}");
            let booked = sessions(&ngo, pb::SessionState::Booked).await;
            let of_round = booked.iter().filter(|it| it.starts_at == session.starts_at).count();
            assert_eq!(of_round, usize::from(ok[0] || ok[1]), "round {round}");
            assert_eq!(left.is_ok(), of_round == 0, "{left:?}");
            for status in [accepted.err(), again.err(), declined.err(), left.err()].into_iter().flatten() {
                assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
            }
            rivals(&worlds).await;
            assert_eq!((offers(&ngo).await, places(&ngo).await.len()), (vec![], 0));
            assert_eq!(sessions(&ngo, pb::SessionState::Held).await, []);
        }
        no_deadlock(&app).await;
    }

    async fn an_answer_comes_in_time_or_too_late(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let worlds = [app.world().clone(), beside(&app).await];
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, booked) = (ngo.survivor().await, ngo.survivor().await);
        for round in 0..ROUNDS {
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &booked, &ten(2 * round))).await.unwrap();
            let entry = join(&ngo, &client).await;
            ngo.cancel(&session).await.unwrap();
            rivals(&worlds).await;
            let offer = the_offer(&ngo).await;
            let expiry = offer.offer.clone().unwrap().expires_at.unwrap();
            app.clock.set(chrono::DateTime::from_timestamp(expiry.seconds, 0).unwrap() - TimeDelta::microseconds(1));
            ngo.sign_in(&app);
            let (accepted, (), ()) = tokio::join!(accept(&ngo, &offer), rivals(&worlds), async {
                // A little later in each round.
                for _ in 0..round * 16 {
                    tokio::task::yield_now().await;
                }
                app.clock.advance(TimeDelta::microseconds(1));
            });
            rivals(&worlds).await;
            match accepted {
                Ok(booked) => assert_eq!(ngo.session(&booked.id).await.client_id, client.id),
                Err(status) => {
                    let refusal = refused(&status);
                    assert!(refusal.reason == "OFFER_EXPIRED" || refusal.code == Code::NotFound, "{refusal:?}");
                    leave(&ngo, &entry).await.unwrap();
                }
            }
            assert_eq!(sessions(&ngo, pb::SessionState::Held).await, []);
            assert_eq!(offers(&ngo).await, []);
        }
        no_deadlock(&app).await;
    }
}
