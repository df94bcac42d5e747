use std::time::Duration;

use sqlx::sqlite::SqliteJournalMode;
use tempfile::TempDir;

use super::super::queue::Want;
use super::*;

/// A file with one number, which somebody else writes.
struct File {
    readers: Readers,
    elsewhere: SqliteConnection,
    _directory: TempDir,
}

const NUMBER: &str = "SELECT number FROM one";
/// What takes long and gives rows all the while: who reads them is gone before its end.
const LONG: &str =
    "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 100000000) SELECT n FROM up";

impl File {
    async fn new(most: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(directory.path().join("reader.db")).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let mut elsewhere = options.connect().await.unwrap();
        elsewhere.execute("CREATE TABLE one (number INTEGER) STRICT; INSERT INTO one VALUES (1)").await.unwrap();
        let readers = Readers::open(options.pragma("query_only", "ON"), most).await.unwrap();
        Self { readers, elsewhere, _directory: directory }
    }

    async fn write(&mut self, number: i64) {
        sqlx::query("UPDATE one SET number = $1").bind(number).execute(&mut self.elsewhere).await.unwrap();
    }

    /// Nobody keeps an old state, for only then is everything written back, and the log begins anew.
    async fn nobody_reads(&mut self) {
        let until = async {
            loop {
                let text = "PRAGMA wal_checkpoint(TRUNCATE)";
                let told: (i64, i64, i64) = sqlx::query_as(text).fetch_one(&mut self.elsewhere).await.unwrap();
                if told.0 == 0 {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), until).await.expect("nobody reads any more");
    }
}

async fn ask(reader: &mut Reader, text: &'static str) -> Result<i64> {
    let mut queue = Queue::sqlite();
    queue.begin();
    let ticket = queue.end(text.into(), Want::Rows);
    reader.send(&mut queue).await?;
    Ok(queue.take(ticket).rows::<(i64,)>()?[0].0)
}

#[tokio::test]
async fn a_transaction_sees_the_state_of_its_first_statement() {
    let mut file = File::new(2).await;
    let mut reader = file.readers.begin().await.unwrap();
    // Nothing was sent yet.
    file.write(2).await;
    assert_eq!(ask(&mut reader, NUMBER).await.unwrap(), 2);
    file.write(3).await;
    assert_eq!(ask(&mut reader, NUMBER).await.unwrap(), 2);
    drop(reader);
    let mut next = file.readers.begin().await.unwrap();
    assert_eq!(ask(&mut next, NUMBER).await.unwrap(), 3);
    drop(next);
    file.nobody_reads().await;
}

#[tokio::test]
async fn who_reads_once_keeps_no_state() {
    let mut file = File::new(1).await;
    let mut reader = file.readers.once().await.unwrap();
    assert_eq!(ask(&mut reader, NUMBER).await.unwrap(), 1);
    file.write(2).await;
    file.nobody_reads().await;
    drop(reader);
    let mut next = file.readers.begin().await.unwrap();
    assert_eq!(ask(&mut next, NUMBER).await.unwrap(), 2);
}

#[tokio::test]
async fn the_next_one_begins_anew_whoever_went_away_in_the_middle() {
    let mut file = File::new(1).await;
    for number in 2..20 {
        let mut reader = file.readers.begin().await.unwrap();
        if number % 2 == 0 {
            ask(&mut reader, NUMBER).await.unwrap();
        }
        let halfway = tokio::time::timeout(Duration::from_millis(number), ask(&mut reader, LONG)).await;
        assert!(halfway.is_err());
        drop(reader);
        file.write(i64::try_from(number).unwrap()).await;
        let mut next = file.readers.begin().await.unwrap();
        assert_eq!(ask(&mut next, NUMBER).await.unwrap(), i64::try_from(number).unwrap());
        drop(next);
        file.nobody_reads().await;
    }
}

#[tokio::test]
async fn the_next_one_begins_anew_whatever_failed() {
    let mut file = File::new(1).await;
    // Before it begins, in the middle of a text, and of what was begun.
    let wrong = [
        "SELECT nothing FROM one",
        "SELECT number FROM one; SELECT abs(-9223372036854775808)",
        "UPDATE one SET number = 9",
    ];
    for (number, text) in (2..).zip(wrong) {
        for begun in [false, true] {
            let mut reader = file.readers.begin().await.unwrap();
            if begun {
                ask(&mut reader, NUMBER).await.unwrap();
            }
            assert!(ask(&mut reader, text).await.is_err(), "{text}");
            assert!(ask(&mut reader, NUMBER).await.is_err(), "it may see another state: {text}");
            drop(reader);
            file.write(number).await;
            let mut next = file.readers.begin().await.unwrap();
            assert_eq!(ask(&mut next, NUMBER).await.unwrap(), number, "{text}");
            drop(next);
            file.nobody_reads().await;
        }
    }
}

#[tokio::test]
async fn the_next_one_begins_anew_when_somebody_panics() {
    let mut file = File::new(1).await;
    let readers = file.readers.clone();
    let panics = tokio::spawn(async move {
        let mut reader = readers.begin().await.unwrap();
        ask(&mut reader, NUMBER).await.unwrap();
        panic!("while it reads");
    });
    assert!(panics.await.unwrap_err().is_panic());
    file.write(2).await;
    let mut next = file.readers.begin().await.unwrap();
    assert_eq!(ask(&mut next, NUMBER).await.unwrap(), 2);
    drop(next);
    file.nobody_reads().await;
}

#[tokio::test]
async fn there_are_no_more_of_them_than_there_may_be() {
    let file = File::new(2).await;
    let (one, other) = (file.readers.begin().await.unwrap(), file.readers.once().await.unwrap());
    let mut third = Box::pin(file.readers.begin());
    assert!(tokio::time::timeout(Duration::ZERO, &mut third).await.is_err());
    drop(one);
    drop(third.await.unwrap());
    let mut closed = Box::pin(file.readers.close());
    assert!(tokio::time::timeout(Duration::ZERO, &mut closed).await.is_err(), "somebody still reads");
    drop(other);
    closed.await;
    assert!(matches!(file.readers.begin().await, Err(Error::Retry(_))));
}
