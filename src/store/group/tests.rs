use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

/// A file with the number of each member whose work is durable, and who looks at it from elsewhere.
struct File {
    writer: Writer,
    elsewhere: SqlitePool,
    directory: TempDir,
}

async fn pool(directory: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(directory.join("group.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

impl File {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (writer, elsewhere) = (pool(directory.path()).await, pool(directory.path()).await);
        let schema = "CREATE TABLE whole (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES whole (id)
            DEFERRABLE INITIALLY DEFERRED, bytes BLOB) STRICT";
        writer.execute(schema).await.unwrap();
        Self { writer: Writer::over(writer), elsewhere, directory }
    }

    /// The next member; whoever has the seat knows that it waits.
    async fn queue(&self) -> JoinHandle<Result<Member>> {
        let (writer, before) = (self.writer.clone(), self.writer.waiting.load(Ordering::SeqCst));
        let queued = tokio::spawn(async move { writer.join().await });
        while self.writer.waiting.load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
        queued
    }

    async fn stored(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT id FROM whole ORDER BY id").fetch_all(&self.elsewhere).await.unwrap()
    }
}

async fn write(member: &mut Member, id: i64) {
    sqlx::query("INSERT INTO whole (id) VALUES ($1)").bind(id).execute(member.connection()).await.unwrap();
}

/// A member that has done its work and waits, and the next one, who has the seat.
async fn one_waits(file: &File) -> (JoinHandle<Result<()>>, Member) {
    let mut first = file.writer.join().await.unwrap();
    write(&mut first, 1).await;
    let queued = file.queue().await;
    let first = tokio::spawn(first.commit());
    let second = queued.await.unwrap().unwrap();
    assert!(!first.is_finished());
    assert!(file.stored().await.is_empty());
    (first, second)
}

#[tokio::test]
async fn who_is_alone_waits_for_nobody() {
    let file = File::new().await;
    let mut only = file.writer.join().await.unwrap();
    write(&mut only, 1).await;
    only.commit().await.unwrap();
    assert_eq!(file.stored().await, [1]);
}

#[tokio::test]
async fn who_leaves_while_another_waits_is_acknowledged_with_them() {
    let file = File::new().await;
    let (first, mut second) = one_waits(&file).await;
    write(&mut second, 2).await;
    second.commit().await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(file.stored().await, [1, 2]);
}

#[tokio::test]
async fn what_one_undoes_concerns_nobody_else() {
    let file = File::new().await;
    let (first, mut second) = one_waits(&file).await;
    write(&mut second, 2).await;
    second.start_over().await.unwrap();
    write(&mut second, 3).await;
    second.commit().await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(file.stored().await, [1, 3]);

    let (file, again) = (File::new().await, "who leaves without effect");
    let (first, mut second) = one_waits(&file).await;
    write(&mut second, 2).await;
    second.rollback().await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(file.stored().await, [1], "{again}");
}

#[tokio::test]
async fn who_goes_away_without_a_word_has_done_nothing_and_holds_up_nobody() {
    let file = File::new().await;
    let (first, mut second) = one_waits(&file).await;
    write(&mut second, 2).await;
    drop(second);
    first.await.unwrap().unwrap();
    assert_eq!(file.stored().await, [1]);
    // Neither does who was alone.
    let mut third = file.writer.join().await.unwrap();
    write(&mut third, 3).await;
    drop(third);
    file.writer.close().await;
    assert_eq!(file.stored().await, [1]);
}

#[tokio::test]
async fn a_commit_that_fails_fails_for_everybody() {
    let file = File::new().await;
    let (first, mut second) = one_waits(&file).await;
    let nobody = sqlx::query("INSERT INTO whole (id, owner) VALUES (2, 99)");
    nobody.execute(second.connection()).await.unwrap();
    assert!(second.commit().await.is_err());
    assert!(matches!(first.await.unwrap(), Err(Error::Retry(_))));
    assert!(file.stored().await.is_empty());
    let mut third = file.writer.join().await.unwrap();
    write(&mut third, 3).await;
    third.commit().await.unwrap();
    assert_eq!(file.stored().await, [3]);
}

#[tokio::test]
async fn the_end_of_the_transaction_is_the_end_of_all_its_members() {
    let file = File::new().await;
    let (first, mut second) = one_waits(&file).await;
    // As SQLite does when the disk fails.
    second.connection().execute("ROLLBACK").await.unwrap();
    assert!(second.start_over().await.is_err());
    drop(second);
    assert!(matches!(first.await.unwrap(), Err(Error::Retry(_))));
    assert!(file.stored().await.is_empty());
}

#[tokio::test]
async fn a_full_disk_is_nobodys_fault_and_passes() {
    let file = File::new().await;
    let (first, mut second) = one_waits(&file).await;
    second.connection().execute("PRAGMA max_page_count = 4").await.unwrap();
    let large = sqlx::query("INSERT INTO whole (id, bytes) VALUES (2, zeroblob(100000))");
    let full = Error::from(large.execute(second.connection()).await.unwrap_err());
    assert!(matches!(full, Error::Retry(_)), "{full:?}");
    drop(second);
    let acknowledged = first.await.unwrap().is_ok();
    assert_eq!(file.stored().await, if acknowledged { vec![1] } else { vec![] });
    let mut third = file.writer.join().await.unwrap();
    third.connection().execute("PRAGMA max_page_count = 4000").await.unwrap();
    write(&mut third, 3).await;
    third.commit().await.unwrap();
    assert!(file.stored().await.ends_with(&[3]));
}

#[tokio::test]
async fn nobody_waits_for_what_takes_long() {
    let file = File::new().await;
    let mut first = file.writer.join().await.unwrap();
    write(&mut first, 1).await;
    let writer = file.writer.clone();
    let queued = tokio::spawn(async move { writer.alone().await });
    while file.writer.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let first = tokio::spawn(first.commit());
    let mut long = queued.await.unwrap().unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(file.stored().await, [1]);
    write(&mut long, 2).await;
    // Nor do they for others.
    let queued = file.queue().await;
    long.commit().await.unwrap();
    assert_eq!(file.stored().await, [1, 2]);
    drop(queued.await);
}

#[tokio::test]
async fn so_many_share_a_commit_and_no_more() {
    let file = File::new().await;
    let mut waiting = Vec::new();
    let mut member = file.writer.join().await.unwrap();
    for id in 1..=MOST as i64 {
        write(&mut member, id).await;
        let queued = file.queue().await;
        waiting.push(tokio::spawn(member.commit()));
        member = queued.await.unwrap().unwrap();
    }
    for it in waiting {
        it.await.unwrap().unwrap();
    }
    assert_eq!(file.stored().await.len(), MOST);
}

#[tokio::test]
async fn who_stands_aside_waits_for_what_is_shared() {
    let file = File::new().await;
    let (first, second) = one_waits(&file).await;
    let aside = file.writer.aside();
    let leave = async { second.commit().await.unwrap() };
    let (aside, ()) = tokio::join!(aside, leave);
    aside.unwrap().pool().execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(file.stored().await, [1]);
}

/// How a member goes.
#[derive(Clone, Copy, Debug)]
enum Goes {
    Committing,
    AfterStartingOver,
    RollingBack,
    Away,
    TakingAllWithIt,
}

async fn go(writer: Writer, id: i64, goes: Goes) -> bool {
    let mut member = writer.join().await.unwrap();
    write(&mut member, id).await;
    match goes {
        Goes::Committing => member.commit().await.is_ok(),
        Goes::AfterStartingOver => {
            member.start_over().await.unwrap();
            write(&mut member, id).await;
            member.commit().await.is_ok()
        }
        Goes::RollingBack => member.rollback().await.is_err(),
        Goes::Away => false,
        Goes::TakingAllWithIt => {
            member.connection().execute("ROLLBACK").await.unwrap();
            false
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_acknowledged_is_there_and_nothing_else(
        all in prop::collection::vec(prop_oneof![
            5 => Just(Goes::Committing), 1 => Just(Goes::AfterStartingOver), 1 => Just(Goes::RollingBack),
            1 => Just(Goes::Away), 1 => Just(Goes::TakingAllWithIt),
        ], 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let file = File::new().await;
            let going = all.iter().zip(1..).map(|(goes, id)| tokio::spawn(go(file.writer.clone(), id, *goes)));
            let mut acknowledged = Vec::new();
            for (id, it) in (1..).zip(going.collect::<Vec<_>>()) {
                if it.await.unwrap() {
                    acknowledged.push(id);
                }
            }
            file.writer.close().await;
            assert_eq!(file.stored().await, acknowledged);
        });
    }
}

/// Where the process below works.
const WHERE: &str = "AFTERCARE_TEST_GROUP";

#[ignore = "what the test below starts as a process of its own"]
#[tokio::test]
async fn child() {
    let Ok(directory) = std::env::var(WHERE) else { return };
    let writer = Writer::over(pool(directory.as_ref()).await);
    let mut acknowledged = writer.join().await.unwrap();
    write(&mut acknowledged, 1).await;
    acknowledged.commit().await.unwrap();
    let mut first = writer.join().await.unwrap();
    write(&mut first, 2).await;
    let next = writer.clone();
    let queued = tokio::spawn(async move { next.join().await });
    while writer.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let _first = tokio::spawn(first.commit());
    let mut second = queued.await.unwrap().unwrap();
    write(&mut second, 3).await;
    Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status().unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn who_is_killed_between_work_and_commit_has_acknowledged_nothing_that_is_lost() {
    let file = File::new().await;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "store::group::tests::child"]).env(WHERE, file.directory.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), None, "{output:?}");
    assert_eq!(file.stored().await, [1]);
}
