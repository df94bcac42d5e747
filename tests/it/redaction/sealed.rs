//! Whatever the store seals looks sealed, in a form that a search for planted texts need not know.

use std::fs;
use std::path::Path;

use aftercare::store::{Db, Target};

use crate::support::TestApp;

/// Every text that the store seals, by table and column, as its sources say.
fn sealed_columns() -> Vec<(String, String)> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut all = Vec::new();
    // What stands in directories are tests.
    for entry in fs::read_dir(store).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let text = fs::read_to_string(entry.path()).unwrap();
        for literal in text.split('"').skip(1).step_by(2) {
            let word = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            match literal.split_once('.') {
                Some((table, column))
                    if word(table)
                        && word(column)
                        && !matches!(table, "toml" | "transaction")
                        && !matches!(column, "toml" | "db") =>
                {
                    all.push((table.to_owned(), column.to_owned()));
                }
                _ => {}
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The lengths and the first bytes of what stands in a column.
async fn column(app: &TestApp, table: &str, column: &str) -> Vec<(i64, Vec<u8>)> {
    let of = match app.db.target {
        Target::Sqlite(_) => {
            format!("SELECT length({column}), substr({column}, 1, 1) FROM {table} WHERE {column} IS NOT NULL")
        }
        Target::Postgres(_) => {
            format!(
                "SELECT length({column})::bigint, substring({column} FROM 1 FOR 1) FROM {table} WHERE {column} IS NOT NULL"
            )
        }
    };
    let mut tx = Db::open(&app.db.target, 1).await.unwrap().begin_read().await.unwrap();
    tx.sql(Box::leak(of.into_boxed_str())).all().await.unwrap()
}

/// Fails for a text that stands somewhere unsealed or unpadded.
pub async fn everything_is_sealed(app: &TestApp) {
    let columns = sealed_columns();
    assert!(columns.len() > 25, "{columns:?}");
    let mut empty = Vec::new();
    for (table, name) in &columns {
        let all = column(app, table, name).await;
        if all.is_empty() {
            empty.push(format!("{table}.{name}"));
        }
        for (length, first) in all {
            assert_eq!((first.as_slice(), length % 32), (&[1u8][..], 29), "{table}.{name}");
        }
    }
    assert_eq!(empty, [""; 0], "nothing was planted there");
}
