//! Statements that wait for each other: each is answered as if it had been alone, and what is undone never was.

use aftercare::store::codec::Instant;
use aftercare::store::sql::Asked;
use aftercare::store::{Db, Error, Tx};
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::TestApp;

async fn begin(app: &TestApp) -> Tx {
    Db::open(&app.db.target, 1).await.unwrap().begin_write().await.unwrap()
}

/// Claims a number that nobody else may have, with the next statement.
fn claim(tx: &mut Tx, number: u128, method: &str) {
    let sql = tx.sql(
        "INSERT INTO request (principal, request_id, method, digest, created_at) VALUES ('example', $1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    );
    let at = Instant("2026-11-23T04:00:00Z".parse().unwrap());
    sql.bind(Uuid::from_u128(number)).bind(method.to_owned()).bind(Vec::<u8>::new()).bind(at).claim_later(1);
}

fn methods(tx: &mut Tx, of: &str) -> Asked<Vec<(String,)>> {
    let sql = tx.sql("SELECT method FROM request WHERE principal = 'example' AND method LIKE $1 ORDER BY method");
    sql.bind(of.to_owned()).ask()
}

async fn told(tx: &mut Tx) -> Vec<String> {
    tx.tell(|tx| methods(tx, "%")).await.unwrap().into_iter().map(|row| row.0).collect()
}

on_both_engines! {
    async fn what_waits_is_written_in_its_order_and_with_the_commit(app) {
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        tx.sql("UPDATE request SET method = $2 WHERE request_id = $1").bind(Uuid::from_u128(1)).bind("first").later();
        claim(&mut tx, 2, "two");
        assert_eq!(told(&mut tx).await, ["first", "two"]);
        tx.sql("DELETE FROM request WHERE request_id = $1").bind(Uuid::from_u128(2)).later();
        tx.commit().await.unwrap();
        assert_eq!(told(&mut begin(&app).await).await, ["first"]);
    }

    async fn each_question_gets_its_own_answer(app) {
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        let ones = methods(&mut tx, "one");
        let none = methods(&mut tx, "nothing");
        claim(&mut tx, 2, "two");
        let all = methods(&mut tx, "%").map(|rows| rows.len());
        assert_eq!(tx.answer(all).await.unwrap(), 2);
        assert!(tx.answer(none).await.unwrap().is_empty());
        assert_eq!(tx.answer(ones).await.unwrap(), [("one".to_owned(),)]);
    }

    async fn a_claim_that_is_lost_fails_the_next_statement_and_can_be_undone(app) {
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        tx.savepoint().await.unwrap();
        claim(&mut tx, 2, "two");
        claim(&mut tx, 1, "again");
        // What rests on what was not claimed fails for no other reason.
        tx.sql("INSERT INTO session_facilitator (session_id, counsellor_id, side) VALUES ($1, $1, 'SURVIVOR')")
            .bind(Uuid::from_u128(7))
            .later();
        assert!(matches!(tx.keep().await, Err(Error::Conflict)));
        tx.undo().await.unwrap();
        assert_eq!(told(&mut tx).await, ["one"]);
        claim(&mut tx, 3, "three");
        tx.commit().await.unwrap();
        assert_eq!(told(&mut begin(&app).await).await, ["one", "three"]);
    }

    async fn what_was_not_sent_is_undone_without_a_word(app) {
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        tx.savepoint().await.unwrap();
        claim(&mut tx, 2, "two");
        let asked = methods(&mut tx, "%");
        tx.undo().await.unwrap();
        claim(&mut tx, 3, "three");
        assert_eq!(told(&mut tx).await, ["one", "three"]);
        assert!(tx.answer(asked).await.unwrap().is_empty());
        tx.start_over().await.unwrap();
        claim(&mut tx, 4, "four");
        tx.commit().await.unwrap();
        assert_eq!(told(&mut begin(&app).await).await, ["four"]);
    }

    async fn a_commit_that_loses_a_claim_writes_nothing(app) {
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        tx.commit().await.unwrap();
        let mut tx = begin(&app).await;
        claim(&mut tx, 2, "two");
        claim(&mut tx, 1, "again");
        assert!(matches!(tx.commit().await, Err(Error::Conflict)));
        assert_eq!(told(&mut begin(&app).await).await, ["one"]);
    }

    async fn what_is_read_together_is_of_one_state(app) {
        let db = Db::open(&app.db.target, 2).await.unwrap();
        let mut reading = db.begin_read().await.unwrap();
        assert!(told(&mut reading).await.is_empty());
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        tx.commit().await.unwrap();
        assert!(told(&mut reading).await.is_empty());
        drop(reading);
        assert_eq!(told(&mut db.begin_read().await.unwrap()).await, ["one"]);
    }

    async fn what_reads_once_is_told_one_thing(app) {
        let mut tx = begin(&app).await;
        claim(&mut tx, 1, "one");
        tx.commit().await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut once = db.read_once().await.unwrap();
        assert_eq!(told(&mut once).await, ["one"]);
        assert!(once.tell(|tx| methods(tx, "%")).await.is_err(), "it might be of another state");
        drop(once);
        let mut once = db.read_once().await.unwrap();
        let (one, other) = (methods(&mut once, "%"), methods(&mut once, "one"));
        assert!(once.answer(one).await.is_err() && once.answer(other).await.is_ok_and(|rows| rows.is_empty()));
        drop(once);
        assert_eq!(told(&mut db.read_once().await.unwrap()).await, ["one"]);
    }
}
