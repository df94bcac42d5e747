//! The checker is worth something because it finds what is wrong: here it plays in houses that are broken on purpose.

use std::sync::Arc;
use std::time::Duration;

use super::fault::Fault;
use super::{Wanted, play};
use crate::support::Engine;
use crate::support::house::House;
use crate::support::proxy::Weather;

/// More than of a history that must hold: they are to be in one another's way.
const CLIENTS: usize = 24;
/// So many rounds, until what must be found is.
const ROUNDS: u64 = 10;

/// Plays in a house until this is found.
async fn finds(house: House, faults: &[Fault], kind: &str) {
    let house = Arc::new(house);
    let mut wrong = Vec::new();
    for seed in 0..ROUNDS {
        let wanted = Wanted { seed, lasts: Duration::from_secs(4), clients: CLIENTS, faults: faults.to_vec() };
        let played = play(&house, seed, &wanted).await;
        println!("round {seed}: {:?}", played.answers);
        wrong = played.wrong;
        if wrong.iter().any(|it| it.starts_with(kind)) {
            return;
        }
    }
    panic!("nothing was found of {kind}: {}", super::told(&wrong));
}

/// A house whose schema is not what it was.
async fn spoilt(engine: Engine, processes: usize, sqlite: &'static str, postgres: &'static str) -> House {
    let house = House::build(engine, processes).await;
    let mut app = house.app().await;
    app.stop().await;
    house.spoil(sqlite, postgres).await;
    house
}

/// Time is not kept for those whose it is.
async fn without_exclusion(engine: Engine, processes: usize, kind: &str) {
    let house = spoilt(
        engine,
        processes,
        "CREATE TRIGGER forgetful AFTER INSERT ON occupancy
         BEGIN DELETE FROM occupancy WHERE session_id = NEW.session_id AND resource_id = NEW.resource_id; END",
        // Between a look and what is written after it there is time for somebody else.
        "ALTER TABLE occupancy DROP CONSTRAINT occupancy_resource_id_tstzrange_excl;
         CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON occupancy FOR EACH ROW EXECUTE FUNCTION dawdle()",
    );
    finds(house.await, &[], kind).await;
}

/// What was done is not known by its request id.
async fn without_idempotency(engine: Engine, processes: usize) {
    let house = spoilt(
        engine,
        processes,
        "CREATE TRIGGER forgetful AFTER UPDATE ON request BEGIN DELETE FROM request WHERE request_id = NEW.request_id; END",
        "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN DELETE FROM request WHERE request_id = NEW.request_id; RETURN NULL; END $$;
         CREATE TRIGGER forgetful AFTER UPDATE ON request FOR EACH ROW EXECUTE FUNCTION forget()",
    );
    finds(house.await, &[], "repeat").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_is_not_kept_is_found_on_sqlite() {
    // The one writer looks at the sessions too, and so nobody is in two places even then.
    without_exclusion(Engine::Sqlite, 1, "half").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_is_not_kept_is_found_on_postgres() {
    without_exclusion(Engine::Postgres, 3, "overlap").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_not_known_again_are_found_on_sqlite() {
    without_idempotency(Engine::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_not_known_again_are_found_on_postgres() {
    without_idempotency(Engine::Postgres, 1).await;
}

/// A disk that has forgotten what it said to have written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_it_was_kept_is_found_on_sqlite() {
    finds(House::build(Engine::Sqlite, 1).await, &[Fault::Forget], "lost").await;
}

/// A database that says to have committed what it will commit a moment later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_it_was_kept_is_found_on_postgres() {
    let house = House::build(Engine::Postgres, 2).await;
    house.wire.as_ref().unwrap().set(Weather::Lying(Duration::from_millis(50)));
    finds(house, &[Fault::Kill], "lost").await;
}
