//! No statement of the store reads a whole table that grows with the work: SQLite says how it would run each of them in a
//! database that nobody has told anything about its rows. What PostgreSQL does depends on the rows; see `plans`.

use std::collections::BTreeSet;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, SqlSafeStr};

use super::statements;
use crate::support::{Engine, TestDb};

/// Tables that do not grow with sessions: what an installation has few of, and what waits for a moment only.
const SMALL: &[&str] = &[
    "_sqlx_migrations",
    "audit_key",
    "audit_pending",
    "feed_head",
    "feed_pending",
    "feed_topic",
    "index_key",
    "installation",
    "key_store",
    "organisation",
    "revocation",
    "service_account",
    "site",
    "statement_key",
    "wrapping_key",
];

/// How those begin that may read everything.
const WHOLE: &[&str] = &[
    // Whoever checks the whole trail reads it.
    "SELECT (SELECT COUNT(*) FROM audit_event)",
    "SELECT id FROM audit_event WHERE NOT EXISTS",
    // Notices are worked out anew, all of them.
    "DELETE FROM retention_notice",
    // The command line's, of the jobs that wait.
    "SELECT id, kind, state, due_at, leased_by, attempts, last_error FROM job",
];

/// What a database has.
struct Schema {
    tables: BTreeSet<String>,
    /// Indexes of some rows only: who reads all of one reads no more than these.
    partial: BTreeSet<String>,
}

async fn names(connection: &mut SqliteConnection, sql: &'static str) -> BTreeSet<String> {
    sqlx::query_scalar(sql).fetch_all(connection).await.unwrap().into_iter().collect()
}

impl Schema {
    async fn read(connection: &mut SqliteConnection) -> Self {
        let tables = names(connection, "SELECT name FROM sqlite_master WHERE type = 'table'").await;
        let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'";
        Self { tables, partial: names(connection, sql).await }
    }

    /// The table that a plan reads whole, if it does and the table grows.
    fn scanned(&self, statement: &str, step: &str) -> Option<String> {
        let mut words = step.strip_prefix("SCAN ")?.split_whitespace();
        let name = words.next()?;
        let index = step.split_once(" INDEX ").map(|it| it.1);
        if index.is_some_and(|index| self.partial.contains(index)) {
            return None;
        }
        let table = match statement.split_once(&format!(" AS {name} ")) {
            Some((before, _)) => before.rsplit([' ', '(']).next()?,
            None => name,
        };
        // What is no table is a subquery, whose own steps are told too.
        (self.tables.contains(table) && !SMALL.contains(&table)).then(|| table.to_owned())
    }
}

async fn steps(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")).into_sql_str();
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(text).fetch_all(connection).await.unwrap();
    rows.into_iter().map(|row| row.3).collect()
}

/// Which tables are read whole by which of these statements.
async fn scans(test: &TestDb, statements: &[String]) -> Vec<String> {
    let options: SqliteConnectOptions = test.url.parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    let schema = Schema::read(&mut connection).await;
    let mut found = Vec::new();
    // What is written as it is bound reads nothing: a key that others name is looked for there only while one is missing.
    let reads = |statement: &&String| !statement.starts_with("INSERT ") || statement.contains("SELECT ");
    for statement in statements.iter().filter(reads) {
        let statement = statement.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let steps = steps(&mut connection, &statement).await;
        // Stops once the page is full.
        let is_page = statement.contains(" LIMIT ")
            && !statement.contains(" WHERE ")
            && !steps.iter().any(|step| step.contains("TEMP B-TREE"));
        if is_page || WHOLE.iter().any(|beginning| statement.starts_with(beginning)) {
            continue;
        }
        let whole = steps.iter().filter_map(|step| schema.scanned(&statement, step));
        found.extend(whole.map(|table| format!("{table}: {statement}")));
    }
    found
}

#[tokio::test]
async fn no_statement_reads_the_whole_of_a_table_that_grows() {
    let directory = tempfile::tempdir().unwrap();
    let test = TestDb::create(Engine::Sqlite, directory.path()).await;
    aftercare::store::Db::open(&test.target, 1).await.unwrap().migrate().await.unwrap();
    let found = scans(&test, &statements(false)).await;
    assert!(found.is_empty(), "{}", found.join("\n"));

    let test = TestDb::create_empty(Engine::Sqlite, directory.path()).await;
    aftercare::store::Db::open(&test.target, 1).await.unwrap().migrate_keys().await.unwrap();
    let found = scans(&test, &statements(true)).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn what_would_be_read_whole_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let test = TestDb::create(Engine::Sqlite, directory.path()).await;
    aftercare::store::Db::open(&test.target, 1).await.unwrap().migrate().await.unwrap();
    for statement in ["SELECT id FROM session WHERE on_date = $1", "SELECT it.id FROM client AS it ORDER BY it.name"] {
        assert_eq!(scans(&test, &[statement.to_owned()]).await.len(), 1, "{statement}");
    }
}
