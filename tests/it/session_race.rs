//! Rivals over one session, one hold or one counsellor: one of them wins, every other is told why, and what
//! is left is what the winner was answered. At two processes, many rounds, without a deadlock.

use aftercare::grpc::pb;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::{Actor, Beside, Ngo, TestApp, book, booking, minutes, refused};

const ROUNDS: i64 = 8;

/// A full hour of the day of a round, from 10:00 on.
fn hour(round: i64, at: i64) -> String {
    let ten: DateTime<Utc> = "2026-11-24T04:30:00Z".parse().unwrap();
    (ten + TimeDelta::days(round) + TimeDelta::hours(at)).to_rfc3339()
}

/// The coordinator at two processes.
struct Both {
    here: Actor,
    there: Actor,
    _process: Beside,
}

impl Both {
    async fn of(app: &TestApp, ngo: &Ngo) -> Self {
        let process = app.beside().await;
        let there = process.bearer(ngo.coordinator.token.clone());
        Self { here: ngo.coordinator.clone(), there, _process: process }
    }

    fn at(&self, place: usize) -> Actor {
        if place.is_multiple_of(2) { self.here.clone() } else { self.there.clone() }
    }
}

async fn hold(actor: &Actor, it: pb::BookSessionRequest) -> Result<pb::Session, Status> {
    let request = pb::HoldSlotRequest {
        client_id: it.client_id,
        counsellor_id: it.counsellor_id,
        service: it.service,
        modality: it.modality,
        venue_id: it.venue_id,
        starts_at: it.starts_at,
        length: it.length,
        hold_for: Some(minutes(15)),
        ..Default::default()
    };
    Ok(actor.scheduling().hold_slot(request).await?.into_inner().hold.unwrap())
}

async fn release(actor: &Actor, held: &pb::Session) -> Result<(), Status> {
    let request = pb::ReleaseHoldRequest { hold_id: held.id.clone(), ..Default::default() };
    actor.scheduling().release_hold(request).await.map(drop)
}

async fn book_held(actor: &Actor, held: &pb::Session) -> Result<pb::Session, Status> {
    book(actor, pb::BookSessionRequest { hold_id: held.id.clone(), ..Default::default() }).await
}

async fn reschedule(actor: &Actor, session: &pb::Session, start: &str) -> Result<pb::Session, Status> {
    let start: DateTime<Utc> = start.parse().unwrap();
    let request = pb::RescheduleSessionRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        reason: pb::CancelReason::Client.into(),
        starts_at: Some(prost_types::Timestamp { seconds: start.timestamp(), nanos: 0 }),
        ..Default::default()
    };
    Ok(actor.scheduling().reschedule_session(request).await?.into_inner().session.unwrap())
}

async fn reassign(actor: &Actor, session: &pb::Session, to: &pb::Counsellor) -> Result<pb::Session, Status> {
    let request = pb::ReassignCounsellorRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        counsellor_id: to.id.clone(),
        ..Default::default()
    };
    Ok(actor.scheduling().reassign_counsellor(request).await?.into_inner().session.unwrap())
}

async fn cancel(actor: &Actor, session: &pb::Session) -> Result<pb::Session, Status> {
    let request = pb::CancelSessionRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        reason: pb::CancelReason::Client.into(),
        ..Default::default()
    };
    Ok(actor.scheduling().cancel_session(request).await?.into_inner().session.unwrap())
}

/// Everything listed of one state; in any but held when unspecified.
async fn listed(ngo: &Ngo, state: pb::SessionState) -> Vec<pb::Session> {
    let request = pb::ListSessionsRequest { states: vec![state.into()], page_size: 500, ..Default::default() };
    ngo.coordinator.scheduling().list_sessions(request).await.unwrap().into_inner().sessions
}

/// The one winner; every loser must be refused in one of these ways.
fn one_wins(answers: Vec<Result<pb::Session, Status>>, expected: &[(Code, &str)]) -> pb::Session {
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for status in lost.into_iter().filter_map(Result::err) {
        let refusal = refused(&status);
        let known = |(code, what): &(Code, &str)| {
            *code == refusal.code && (refusal.reason == *what || refusal.items == [*what])
        };
        assert!(expected.iter().any(known), "{refusal:?}");
    }
    assert_eq!(won.len(), 1, "{won:?}");
    won.into_iter().find_map(Result::ok).unwrap()
}

const CHANGED: (Code, &str) = (Code::Aborted, "ETAG_MISMATCH");
const BUSY: (Code, &str) = (Code::FailedPrecondition, "COUNSELLOR_BUSY");
const GONE: (Code, &str) = (Code::NotFound, "NOT_FOUND");

on_both_engines! {
    async fn a_session_is_moved_only_once(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        for round in 0..ROUNDS {
            let session = book(&both.here, booking(&ngo, &counsellor, &client, &hour(round, 0))).await.unwrap();
            let calls = (1usize..7).map(|at| {
                let (actor, session) = (both.at(at), session.clone());
                tokio::spawn(async move { reschedule(&actor, &session, &hour(round, at as i64)).await })
            });
            let answers = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            let moved = one_wins(answers, &[CHANGED]);
            assert_eq!(moved.supersedes_session_id, session.id);
            let old = ngo.session(&session.id).await;
            assert_eq!((old.state(), &old.superseded_by_session_id), (pb::SessionState::Rescheduled, &moved.id));
            assert_eq!(ngo.session(&moved.id).await, moved);
            assert_eq!(listed(&ngo, pb::SessionState::Booked).await.len(), round as usize + 1);
        }
        no_deadlock(&app).await;
    }

    async fn a_session_is_moved_given_away_or_cancelled(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let (client, offender) = (ngo.survivor().await, ngo.offender().await);
        // With a link, so that more rows are locked and settled.
        let case = ngo.party_of("12/2026", "Example Nagar", &offender).await;
        ngo.add_party(&case, &client, 1).await;
        for round in 0..ROUNDS {
            let session = book(&both.here, booking(&ngo, &one, &client, &hour(round, 0))).await.unwrap();
            let later = hour(round, 2);
            let (first, second, third, fourth) = tokio::join!(
                reschedule(&both.here, &session, &later),
                reassign(&both.there, &session, &other),
                cancel(&both.there, &session),
                reschedule(&both.there, &session, &later),
            );
            let left = one_wins(vec![first, second, third, fourth], &[CHANGED]);
            assert_eq!(ngo.session(&left.id).await, left);
        }
        no_deadlock(&app).await;
    }

    async fn two_sessions_and_one_counsellor_to_take_over(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let mut counsellors = Vec::new();
        for at in 0..5 {
            counsellors.push(ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await);
        }
        let clients = join_all((0..4).map(|_| ngo.survivor())).await;
        for round in 0..ROUNDS {
            let mut calls = Vec::new();
            for (at, client) in clients.iter().enumerate() {
                let request = booking(&ngo, &counsellors[at], client, &hour(round, 0));
                let session = book(&both.here, request).await.unwrap();
                let (actor, to) = (both.at(at), counsellors[4].clone());
                calls.push(async move { reassign(&actor, &session, &to).await });
            }
            let answers = join_all(calls.into_iter().map(tokio::spawn)).await;
            let won = one_wins(answers.into_iter().map(Result::unwrap).collect(), &[BUSY]);
            assert_eq!(ngo.session(&won.id).await.counsellor_id, counsellors[4].id);
        }
        no_deadlock(&app).await;
    }

    async fn two_counsellors_cannot_change_places(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let (first, second) = (ngo.survivor().await, ngo.survivor().await);
        for round in 0..ROUNDS {
            let first = book(&both.here, booking(&ngo, &one, &first, &hour(round, 0))).await.unwrap();
            let second = book(&both.here, booking(&ngo, &other, &second, &hour(round, 0))).await.unwrap();
            let (this, that) =
                tokio::join!(reassign(&both.here, &first, &other), reassign(&both.there, &second, &one));
            for status in [this.unwrap_err(), that.unwrap_err()] {
                assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY"]);
            }
            assert_eq!((ngo.session(&first.id).await, ngo.session(&second.id).await), (first, second));
        }
        no_deadlock(&app).await;
    }

    async fn a_slot_is_held_or_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = join_all((0..8).map(|_| ngo.survivor())).await;
        for round in 0..ROUNDS {
            let calls = clients.iter().enumerate().map(|(at, client)| {
                let (actor, request) = (both.at(at / 2), booking(&ngo, &counsellor, client, &hour(round, 0)));
                tokio::spawn(async move {
                    if at % 2 == 0 { hold(&actor, request).await } else { book(&actor, request).await }
                })
            });
            let answers = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            let won = one_wins(answers, &[BUSY]);
            assert_eq!(ngo.session(&won.id).await, won);
        }
        no_deadlock(&app).await;
    }

    async fn ten_holds_at_two_processes(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        for round in 0..ROUNDS {
            // Three days with eight hours each; what the round before held has expired.
            let calls = (0usize..24).map(|at| {
                let when = hour(1 + at as i64 / 7, at as i64 % 7);
                let (actor, request) = (both.at(at), booking(&ngo, &counsellor, &client, &when));
                tokio::spawn(async move { hold(&actor, request).await })
            });
            let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 10, "round {round}");
            for status in answers.into_iter().filter_map(Result::err) {
                let refusal = refused(&status);
                assert_eq!((refusal.code, refusal.reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_HOLDS"));
            }
            assert_eq!(listed(&ngo, pb::SessionState::Held).await.len(), 10);
            app.clock.advance(TimeDelta::minutes(15));
        }
        no_deadlock(&app).await;
    }

    async fn a_hold_is_released_or_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        for round in 0..2 * ROUNDS {
            let held = hold(&both.here, booking(&ngo, &counsellor, &client, &hour(round, 0))).await.unwrap();
            let (booked, again, released) = tokio::join!(
                book_held(&both.here, &held),
                book_held(&both.there, &held),
                release(&both.there, &held),
            );
            match released {
                Ok(()) => {
                    for status in [booked.unwrap_err(), again.unwrap_err()] {
                        assert_eq!(status.code(), Code::NotFound, "{status:?}");
                    }
                    let time = booking(&ngo, &counsellor, &client, &hour(round, 0));
                    book(&both.there, time).await.unwrap();
                }
                Err(status) => {
                    assert_eq!(status.code(), Code::NotFound, "{status:?}");
                    let won = one_wins(vec![booked, again], &[GONE]);
                    assert_eq!(ngo.session(&held.id).await, won);
                }
            }
            assert_eq!(listed(&ngo, pb::SessionState::Booked).await.len(), round as usize + 1);
            assert_eq!(listed(&ngo, pb::SessionState::Held).await, []);
        }
        no_deadlock(&app).await;
    }

    async fn a_hold_expires_while_it_is_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        for round in 0..2 * ROUNDS {
            let held = hold(&both.here, booking(&ngo, &counsellor, &client, &hour(round, 0))).await.unwrap();
            let rival = booking(&ngo, &counsellor, &other, &hour(round, 0));
            let (booked, rival, ()) = tokio::join!(book_held(&both.here, &held), book(&both.there, rival), async {
                // A little later in each round.
                for _ in 0..round * 8 {
                    tokio::task::yield_now().await;
                }
                app.clock.advance(TimeDelta::minutes(15));
            });
            // The rival may have come while it was still held, and its owner when it was not any more.
            if let Err(status) = &booked {
                assert_eq!(status.code(), Code::NotFound, "{status:?}");
            }
            if let Err(status) = &rival {
                assert_eq!(refused(status).items, ["COUNSELLOR_BUSY"], "{status:?}");
            }
            assert!(booked.is_err() || rival.is_err());
        }
        no_deadlock(&app).await;
    }

    async fn linked_clients_leave_while_their_counsellor_does(app) {
        let ngo = Ngo::new(&app, "A").await;
        let both = Both::of(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (one, other) = (ngo.survivor().await, ngo.survivor().await);
        let case = ngo.party_of("6/2026", "Example Nagar", &one).await;
        ngo.add_party(&case, &other, 1).await;
        for round in 0..2 * ROUNDS {
            // Their sessions alternate, so that no order of clients is the order of the sessions.
            let mut booked = Vec::new();
            for (place, client) in [&one, &other, &one, &other].into_iter().enumerate() {
                let request = booking(&ngo, &counsellor, client, &hour(round, place as i64));
                booked.push(book(&both.here, request).await.unwrap());
            }
            let leave = pb::Leave {
                counsellor_id: counsellor.id.clone(),
                starts_at: booked[0].starts_at,
                ends_at: booked[3].ends_at,
                ..Default::default()
            };
            let leave = pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() };
            let mut directory = ngo.coordinator.directory();
            let later = hour(round + 40, 0);
            let (away, first, last) = tokio::join!(
                directory.create_leave(leave),
                cancel(&both.there, &booked[3]),
                reschedule(&both.here, &booked[0], &later),
            );
            away.unwrap();
            for status in [first.err(), last.err()].into_iter().flatten() {
                assert_eq!(status.code(), Code::Aborted, "{status:?}");
            }
        }
        no_deadlock(&app).await;
    }
}
