//! Whoever asks and goes away leaves nothing behind: a connection on which nobody waited for the beginning of a
//! transaction is not in one when the next comes. (sqlx-postgres 0.9 forgets it: what comes after would read an old state,
//! or be refused to write.)

use std::time::Duration;

use aftercare::store::{Db, Error, Target};

use crate::support::proxy::{Proxy, Weather};
use crate::support::{Engine, TestDb};

/// A database that is reached through a wire, by one connection that is used already.
async fn behind_a_wire(db: &TestDb) -> (Proxy, Db) {
    let url: String = db.url.clone();
    let (head, database) = url.rsplit_once('/').unwrap();
    let (user, address) = head.rsplit_once('@').unwrap();
    let wire = Proxy::open(Some(address.parse().unwrap())).await;
    let target = Target::Postgres(format!("{user}@{}/{database}", wire.address).into());
    let db = Db::open(&target, 1).await.unwrap();
    db.begin_read().await.unwrap().rollback().await.unwrap();
    (wire, db)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_that_nobody_waited_for_is_undone() {
    let directory = tempfile::tempdir().unwrap();
    let (wire, db) = behind_a_wire(&TestDb::create(Engine::Postgres, directory.path()).await).await;
    for writes in [false, true] {
        wire.set(Weather::Slow(Duration::from_millis(100)));
        let begun = async { if writes { db.begin_write().await } else { db.begin_read().await } };
        assert!(tokio::time::timeout(Duration::from_millis(30), begun).await.is_err(), "nobody waited");
        wire.set(Weather::Fair);
        let mut once = db.read_once().await.unwrap();
        // In no transaction there is none.
        assert!(once.sql("SAVEPOINT here").run().await.is_err(), "{writes}");
        drop(once);
        let mut tx = db.begin_write().await.unwrap();
        tx.sql("UPDATE installation SET id = id").run().await.unwrap();
        tx.rollback().await.unwrap();
    }
}

/// A host that lost its power answers nothing and ends nothing: whoever waits for it is told, and whoever comes next is
/// served by the one that took its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_gone_without_a_word_is_waited_for_no_longer_than_that() {
    let directory = tempfile::tempdir().unwrap();
    let (wire, db) = behind_a_wire(&TestDb::create(Engine::Postgres, directory.path()).await).await;
    let write = async |db: &Db| {
        let mut tx = db.begin_write().await?;
        tx.sql("UPDATE installation SET id = id").run().await?;
        tx.commit().await
    };
    write(&db).await.unwrap();
    // In the middle of a transaction, of a single statement, and of nothing: there is one place, which each has in turn.
    for middle in ["transaction", "statement", "nothing"] {
        match middle {
            "transaction" => {
                let mut tx = db.begin_write().await.unwrap();
                wire.lose();
                let error = tx.sql("UPDATE installation SET id = id").run().await.unwrap_err();
                assert!(matches!(error, Error::Retry(_)), "{error:?}");
            }
            "statement" => {
                let mut once = db.read_once().await.unwrap();
                wire.lose();
                once.sql("SELECT 1").run().await.unwrap_err();
            }
            _ => {
                // Not trusted without being asked any more.
                tokio::time::sleep(Duration::from_millis(1_100)).await;
                wire.lose();
            }
        }
        write(&db).await.unwrap_or_else(|error| panic!("{middle}: {error:?}"));
    }
}
