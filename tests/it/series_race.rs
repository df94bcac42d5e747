//! Rivals over a session of a series: all or nothing, or what fits; at two processes, many rounds, without a
//! deadlock.

use aftercare::grpc::pb;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::series::{book_series, get_series, refused_occurrences, standing, weekly, what_fits};
use crate::support::{Actor, Ngo, book, booking, refused, time_of_day};

const ROUNDS: i32 = 4;
const RIVALS: usize = 16;

/// The seventeenth Tuesday of the tests, at the hour of a round.
fn seventeenth(round: i32) -> String {
    let ten: DateTime<Utc> = "2027-03-16T04:30:00Z".parse().unwrap();
    (ten + TimeDelta::hours(round.into())).to_rfc3339()
}

/// A coordinator, rivals who want the seventeenth session's time, and who wins it.
struct Contest {
    ngo: Ngo,
    beside: crate::support::Beside,
    counsellors: Vec<pb::Counsellor>,
    clients: Vec<pb::Client>,
}

impl Contest {
    /// One room, which all share; half of the rivals share the counsellor of the series too.
    async fn new(app: &crate::support::TestApp) -> Self {
        let ngo = Ngo::new(app, "A").await;
        ngo.room("R1").await;
        let mut counsellors = Vec::new();
        for at in 0..=RIVALS / 2 {
            counsellors.push(ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await);
        }
        let clients = join_all((0..=RIVALS).map(|_| ngo.survivor())).await;
        Self { beside: app.beside().await, ngo, counsellors, clients }
    }

    fn actor(&self, at: usize) -> Actor {
        if at.is_multiple_of(2) {
            self.ngo.coordinator.clone()
        } else {
            self.beside.bearer(self.ngo.coordinator.token.clone())
        }
    }

    fn request(&self, round: i32) -> pb::BookSeriesRequest {
        let weekly = weekly(&self.ngo, &self.counsellors[0], &self.clients[0], 24);
        pb::BookSeriesRequest { time: Some(time_of_day(10 + round, 0)), ..weekly }
    }

    /// Sixteen sessions and one series at once. At most one session, and it is the one that stands.
    async fn run(&self, round: i32, request: pb::BookSeriesRequest) -> (usize, Result<pb::BookSeriesResponse, Status>) {
        let rivals = (0..RIVALS).map(|at| {
            let counsellor = &self.counsellors[at.saturating_sub(RIVALS / 2 - 1)];
            let one = booking(&self.ngo, counsellor, &self.clients[at + 1], &seventeenth(round));
            let actor = self.actor(at);
            tokio::spawn(async move {
                // One after another, so that some come before the series, some after.
                for _ in 0..at * 40 {
                    tokio::task::yield_now().await;
                }
                book(&actor, one).await
            })
        });
        let rivals: Vec<_> = rivals.collect();
        let series = book_series(&self.actor(round as usize), request).await;
        let mut won = 0;
        for rival in rivals {
            match rival.await.unwrap() {
                Ok(_) => won += 1,
                Err(status) => {
                    let rules = refused(&status).items;
                    assert!(rules.contains(&"ROOM_BUSY".to_owned()), "{status:?}");
                }
            }
        }
        (won, series)
    }
}

on_both_engines! {
    async fn all_or_nothing_with_rivals_for_one_session(app) {
        let contest = Contest::new(&app).await;
        for round in 0..ROUNDS {
            let (won, series) = contest.run(round, contest.request(round)).await;
            match series {
                Ok(answer) => {
                    assert_eq!((won, standing(&answer.series.unwrap()).len()), (0, 24));
                }
                Err(status) => {
                    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
                    assert_eq!(refused_occurrences(&status).iter().map(|it| it.number).collect::<Vec<_>>(), [17]);
                    assert_eq!(won, 1);
                    let request = pb::ListSessionsRequest { client_id: contest.clients[0].id.clone(), page_size: 500, ..Default::default() };
                    let all = contest.ngo.coordinator.scheduling().list_sessions(request).await.unwrap().into_inner().sessions;
                    assert_eq!(all.len() % 24, 0);
                }
            }
        }
        no_deadlock(&app).await;
    }

    async fn what_fits_with_rivals_for_one_session(app) {
        let contest = Contest::new(&app).await;
        for round in 0..ROUNDS {
            let (won, answer) = contest.run(round, what_fits(contest.request(round))).await;
            let answer = answer.unwrap();
            let numbers: Vec<_> = answer.refused.iter().map(|it| it.number).collect();
            assert_eq!((won, numbers.as_slice()), if won == 0 { (0, &[][..]) } else { (1, &[17][..]) });
            let series = get_series(&contest.ngo.coordinator, &answer.series.unwrap().id).await.unwrap();
            assert_eq!(standing(&series).len(), 24 - won);
        }
        no_deadlock(&app).await;
    }

    async fn one_series_repeated_at_once_is_one(app) {
        let contest = Contest::new(&app).await;
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let request = pb::BookSeriesRequest { request_id, ..contest.request(0) };
        let calls = (0..8).map(|at| {
            let (actor, request) = (contest.actor(at), request.clone());
            tokio::spawn(async move { book_series(&actor, request).await })
        });
        let answers: Vec<_> = join_all(calls).await.into_iter().map(|it| it.unwrap().unwrap()).collect();
        assert!(answers.iter().all(|it| it == &answers[0]));
        no_deadlock(&app).await;
    }

    async fn one_number_is_made_up_once(app) {
        let contest = Contest::new(&app).await;
        for round in 0..ROUNDS {
            let series = book_series(&contest.ngo.coordinator, contest.request(round)).await.unwrap().series.unwrap();
            contest.ngo.cancel(crate::support::series::session_of(&series, 17)).await.unwrap();
            let start: DateTime<Utc> = seventeenth(round).parse().unwrap();
            let calls = (0..8).map(|at| {
                let day = (start + TimeDelta::days(1 + at as i64 % 4)).to_rfc3339();
                let request = pb::BookSessionRequest {
                    series_id: series.id.clone(),
                    series_number: 17,
                    ..booking(&contest.ngo, &contest.counsellors[0], &contest.clients[0], &day)
                };
                let actor = contest.actor(at);
                tokio::spawn(async move { book(&actor, request).await })
            });
            let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 1);
            for status in answers.into_iter().filter_map(Result::err) {
                assert_eq!(refused(&status).reason, "NUMBER_STANDS", "{status:?}");
            }
        }
        no_deadlock(&app).await;
    }

    async fn a_series_is_cancelled_and_moved_while_its_sessions_are(app) {
        let contest = Contest::new(&app).await;
        for round in 0..ROUNDS {
            let series = book_series(&contest.ngo.coordinator, contest.request(round)).await.unwrap().series.unwrap();
            let third = crate::support::series::session_of(&series, 3).clone();
            let cancel = pb::CancelSeriesRequest {
                series_id: series.id.clone(),
                etag: series.etag.clone(),
                from_number: 2,
                reason: 1,
                ..Default::default()
            };
            let to = pb::RescheduleSeriesRequest {
                series_id: series.id.clone(),
                etag: series.etag.clone(),
                from_number: 2,
                reason: 1,
                time: Some(time_of_day(15, 0)),
                mode: 1,
                ..Default::default()
            };
            let (here, there) = (contest.actor(0), contest.actor(1));
            let (mut one, mut other) = (here.scheduling(), there.scheduling());
            let (cancelled, moved, alone) =
                tokio::join!(one.cancel_series(cancel), other.reschedule_series(to), contest.ngo.cancel(&third));
            let won = usize::from(cancelled.is_ok()) + usize::from(moved.is_ok());
            assert_eq!(won, 1, "{cancelled:?} {moved:?}");
            for status in [cancelled.err(), moved.err(), alone.err()].into_iter().flatten() {
                assert_eq!(status.code(), Code::Aborted, "{status:?}");
            }
            let now = get_series(&here, &series.id).await.unwrap();
            let cancel = pb::CancelSeriesRequest {
                series_id: now.id.clone(),
                etag: now.etag.clone(),
                from_number: 1,
                reason: 1,
                ..Default::default()
            };
            one.cancel_series(cancel).await.unwrap();
        }
        no_deadlock(&app).await;
    }
}
