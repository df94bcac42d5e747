use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Either, Executor as _, Row as _, SqliteConnection};

use super::*;

const ROWS: &str = "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 3000) SELECT n FROM up";
const FOREVER: &str =
    "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 100000000) SELECT n FROM up";

async fn connection(rows_ahead: usize) -> SqliteConnection {
    let options = SqliteConnectOptions::new().in_memory(true).row_buffer_size(rows_ahead);
    options.connect().await.unwrap()
}

/// The numbers that are answered, up to what fails.
async fn numbers(bell: &Bell, connection: &mut SqliteConnection, text: &'static str) -> (Vec<i64>, bool) {
    let number = |row: SqliteRow| row.get(0);
    let (mut numbers, mut failed) = (Vec::new(), false);
    for result in bell.all(connection.fetch_many(sqlx::query(text))).await {
        match result {
            Ok(Either::Right(row)) => numbers.push(number(row)),
            Ok(Either::Left(_)) => {}
            Err(_) => failed = true,
        }
    }
    (numbers, failed)
}

/// Counts how often whoever waits is woken.
async fn woken<T>(waits: impl Future<Output = T>) -> (T, usize) {
    let (mut waits, mut polls) = (pin!(waits), 0);
    let answer = std::future::poll_fn(|cx| {
        polls += 1;
        waits.as_mut().poll(cx)
    });
    (answer.await, polls)
}

#[tokio::test]
async fn whoever_waits_is_not_woken_at_each_row() {
    let (bell, mut connection) = (Bell::new(), connection(100_000).await);
    let ((numbers, _), polls) = woken(numbers(&bell, &mut connection, ROWS)).await;
    assert_eq!(numbers, (1..=3000).collect::<Vec<_>>());
    assert!(polls < 300, "{polls}");
}

#[tokio::test]
async fn more_rows_than_may_wait_come_all_the_same() {
    let (bell, mut connection) = (Bell::new(), connection(7).await);
    let (numbers, _) = numbers(&bell, &mut connection, ROWS).await;
    assert_eq!(numbers, (1..=3000).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_answered_before_a_failure_is_answered_with_it() {
    let (bell, mut connection) = (Bell::new(), connection(100).await);
    assert_eq!(numbers(&bell, &mut connection, "SELECT 1; SELECT * FROM nowhere").await, (vec![1], true));
    assert_eq!(numbers(&bell, &mut connection, "SELECT 2; SELECT 3").await, (vec![2, 3], false));
}

#[tokio::test]
async fn what_somebody_gave_up_waiting_for_keeps_nobody_else_from_its_own() {
    let (bell, mut connection) = (Bell::new(), connection(100).await);
    for number in 0..20 {
        let mut given_up = Box::pin(numbers(&bell, &mut connection, FOREVER));
        let poll = given_up.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending(), "{number}");
        drop(given_up);
        assert_eq!(numbers(&bell, &mut connection, "SELECT 2").await, (vec![2], false));
    }
    assert!(bell.calls.locked().calls.is_empty());
}

/// Takes note of the spans that are entered and left.
#[derive(Clone, Default)]
struct Visitors(Arc<[AtomicUsize; 2]>);

impl Subscriber for Visitors {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        self.0[0].fetch_add(1, Ordering::SeqCst);
    }

    fn exit(&self, _: &Id) {
        self.0[1].fetch_add(1, Ordering::SeqCst);
    }

    fn current_span(&self) -> Current {
        Current::new(Id::from_u64(1), &TEXT)
    }
}

#[tokio::test]
async fn what_the_thread_logs_belongs_to_whoever_sent_the_text() {
    let (bell, mut connection) = (Bell::new(), connection(100).await);
    let visitors = Visitors::default();
    let _here = dispatcher::set_default(&Dispatch::new(visitors.clone()));
    numbers(&bell, &mut connection, "SELECT 1").await;
    assert_eq!(visitors.0.each_ref().map(|it| it.load(Ordering::SeqCst)), [1, 1]);
}

#[tokio::test]
async fn a_driver_that_takes_no_span_along_is_waited_for_all_the_same() {
    let (give, take) = tokio::sync::mpsc::channel(1);
    let giving = tokio::spawn(async move {
        for number in 0..5 {
            tokio::task::yield_now().await;
            give.send(number).await.unwrap();
        }
    });
    let all = Bell::new().all(tokio_stream::wrappers::ReceiverStream::new(take)).await;
    assert_eq!(all, [0, 1, 2, 3, 4]);
    giving.await.unwrap();
}
