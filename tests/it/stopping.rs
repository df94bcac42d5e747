//! A process is told to end while everybody works: it ends by itself with exit code 0, whatever it took on is answered,
//! and whatever it did not take on is not done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::{Db, Target};
use chrono::TimeDelta;
use futures_util::future::join_all;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::support::house::{House, channel};
use crate::support::{Actor, Engine, Ngo, book, booking};

const TIMES: usize = 20;
const PEOPLE: usize = 8;

/// Somebody who books one session after the other.
struct Worker {
    authority: Authority,
    request: pb::BookSessionRequest,
    /// How many half hours after the first it is for next.
    next: AtomicI64,
}

/// What somebody was told of a request.
type Told = (Uuid, Result<pb::Session, Status>);

impl Worker {
    async fn once(&self, actor: &Actor) -> Told {
        let id = Uuid::from_u128(rand::random());
        let seconds = self.next.load(Ordering::SeqCst) * 1_800;
        let mut request = pb::BookSessionRequest { request_id: id.to_string(), ..self.request.clone() };
        request.starts_at.as_mut().unwrap().seconds += seconds;
        let told = book(actor, request).await;
        match &told {
            Ok(_) => _ = self.next.fetch_add(1, Ordering::SeqCst),
            // The machine's time: until the process that answers is gone.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        (id, told)
    }

    /// Until the process that answers is gone.
    async fn work(&self, house: &House, stop: &AtomicBool) -> Vec<Told> {
        let token = house.token("coordinator", self.authority.clone(), house.dial.now());
        let wire = channel(house.services[0].front.address, Duration::from_secs(20));
        let actor = Actor::of(token, wire, None);
        let mut told = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            told.push(self.once(&actor).await);
        }
        told
    }
}

/// The requests that were done.
async fn done(target: &Target) -> Vec<Uuid> {
    let db = Db::open(target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let all: Vec<(Uuid,)> = tx.sql("SELECT request_id FROM request").all().await.unwrap();
    all.into_iter().map(|it| it.0).collect()
}

async fn people(house: &House) -> Vec<Arc<Worker>> {
    let mut app = house.app().await;
    let ngo = Ngo::new(&app, "A").await;
    let first = (app.now() + TimeDelta::days(2)).date_naive();
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let all_day = |it: &mut pb::Counsellor| {
            for hours in &mut it.working_hours {
                hours.starts = Some(crate::support::time_of_day(0, 0));
                hours.ends = Some(crate::support::time_of_day(24, 0));
            }
        };
        let counsellor = ngo.counsellor_with(&format!("C{number}"), pb::Side::Survivor, all_day).await;
        let client = ngo.survivor().await;
        let request = pb::BookSessionRequest {
            length: Some(crate::support::minutes(30)),
            modality: pb::Modality::Remote.into(),
            venue_id: String::new(),
            ..booking(&ngo, &counsellor, &client, &format!("{first}T00:00:00Z"))
        };
        let authority = Authority::Coordinator { organisation_id: ngo.id.parse().unwrap() };
        people.push(Arc::new(Worker { authority, request, next: AtomicI64::new(0) }));
    }
    app.stop().await;
    people
}

async fn nothing_that_was_taken_on_is_lost(engine: Engine) {
    let house = Arc::new(House::build(engine, 1).await);
    let people = people(&house).await;
    let (mut booked, mut turned_away) = (0, 0);
    for round in 0..TIMES {
        house.start(0).await;
        let stop = Arc::new(AtomicBool::new(false));
        let working: Vec<_> = people
            .iter()
            .map(|it| {
                let (it, house, stop) = (it.clone(), house.clone(), stop.clone());
                tokio::spawn(async move { it.work(&house, &stop).await })
            })
            .collect();
        // Not at the same moment of the work each time: the machine's time.
        tokio::time::sleep(Duration::from_millis(150 + 17 * round as u64)).await;
        let (code, log) = house.end(0, "-TERM").await.unwrap();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("within the limit"), "{log}");
        stop.store(true, Ordering::SeqCst);
        let told: Vec<Told> = join_all(working).await.into_iter().flat_map(Result::unwrap).collect();
        let done = done(&house.database().await.target).await;
        for (id, told) in &told {
            match told {
                Ok(_) => assert!(done.contains(id), "round {round}: what was acknowledged is lost"),
                Err(status) => {
                    assert!(!done.contains(id), "round {round}: it was done, and the answer was {status:?}");
                    assert!(
                        [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::Internal].contains(&status.code()),
                        "{status:?}"
                    );
                }
            }
        }
        booked += told.iter().filter(|it| it.1.is_ok()).count();
        turned_away += told.iter().filter(|it| it.1.is_err()).count();
    }
    println!("{engine:?}: {TIMES} times, {booked} booked, {turned_away} not taken on");
    assert!(booked > TIMES * PEOPLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_taken_on_is_lost_on_sqlite() {
    nothing_that_was_taken_on_is_lost(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_taken_on_is_lost_on_postgres() {
    nothing_that_was_taken_on_is_lost(Engine::Postgres).await;
}
