//! Every SQL text of the store is prepared on both engines: a misspelt column is found here, not
//! by whoever first calls it.

mod scans;

use std::fs;
use std::path::Path;

use aftercare::store::Db;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, SqlSafeStr};

use crate::support::{Engine, TestDb};

/// The file with the statements of the key store, which has a schema of its own.
const KEY_STORE: &str = "key_store.rs";

/// Every string literal of the store that begins like a statement: of the data, or of the key store.
fn statements(of_keys: bool) -> Vec<String> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = Vec::new();
    for entry in fs::read_dir(store).unwrap().map(Result::unwrap) {
        // What stands in directories are tests.
        if entry.path().is_dir() || (entry.file_name() == KEY_STORE) != of_keys {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        // Literals stand between quotes; the store has no quote inside one.
        found.extend(code.split('"').skip(1).step_by(2).filter(|literal| is_statement(literal)).map(whole));
    }
    found
}

fn is_statement(literal: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| literal.starts_with(verb))
}

/// With one place for a set of ids, one row of several, and one direction of two.
fn whole(literal: &str) -> String {
    let fixed = (1..=30).rev().find(|place| literal.contains(&format!("${place}"))).unwrap_or(0);
    let literal = literal
        .replace("{by}", "organisation_id = $1")
        .replace("{beyond}", ">")
        .replace("{within}", "<")
        .replace("{order}", "ASC");
    literal.replace("{ids}", &format!("${}", fixed + 1)).replace(['{', '}'], "")
}

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    let (of_data, of_keys) = (statements(false), statements(true));
    assert!(of_data.len() > 60 && of_keys.len() > 10, "{} and {} statements", of_data.len(), of_keys.len());
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let directory = tempfile::tempdir().unwrap();
        let test = TestDb::create(engine, directory.path()).await;
        Db::open(&test.target, 1).await.unwrap().migrate().await.unwrap();
        prepare(engine, &test, &of_data).await;
        let test = TestDb::create_empty(engine, directory.path()).await;
        Db::open(&test.target, 1).await.unwrap().migrate_keys().await.unwrap();
        prepare(engine, &test, &of_keys).await;
    }
}

async fn prepare(engine: Engine, test: &TestDb, statements: &[String]) {
    for statement in statements {
        let text = AssertSqlSafe(statement.clone()).into_sql_str();
        let prepared = match engine {
            Engine::Sqlite => {
                let options: sqlx::sqlite::SqliteConnectOptions = test.url.parse().unwrap();
                options.connect().await.unwrap().prepare(text).await.map(drop)
            }
            Engine::Postgres => {
                let options: sqlx::postgres::PgConnectOptions = test.url.parse().unwrap();
                options.connect().await.unwrap().prepare(text).await.map(drop)
            }
        };
        assert!(prepared.is_ok(), "{engine:?}: {statement}: {prepared:?}");
    }
}
