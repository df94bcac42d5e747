//! The first start is killed at any moment, and the next one goes on: the schema, the keys and everything else that an
//! installation begins with come to be as if nobody had been interrupted.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use tokio::time::Instant;

use crate::process::{aftercare, text};
use crate::support::{Engine, TestDb, tool};

/// At so many moments of the first start.
const MOMENTS: u32 = 12;

fn migrating(data_dir: &Path, db: &TestDb, engine: Engine) -> Command {
    let mut command = aftercare(data_dir);
    command.arg("migrate");
    if engine == Engine::Postgres {
        command.args(["--database-url", &db.url]);
    }
    command
}

/// Everything that the schema is made of.
async fn schema(data_dir: &Path, db: &TestDb, engine: Engine) -> String {
    if engine == Engine::Postgres {
        let output = tool("AFTERCARE_TEST_PG_DUMP").args(["--schema-only", "--no-owner", &db.url]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        // Newer ones begin with a word of their own, by chance.
        return text(&output).lines().filter(|line| !line.contains("restrict")).collect::<Vec<_>>().join("\n");
    }
    let target = aftercare::store::Target::Sqlite(data_dir.join("aftercare.db"));
    let opened = aftercare::store::Db::open(&target, 1).await.unwrap();
    let mut tx = opened.begin_read().await.unwrap();
    let sql = "SELECT name, coalesce(sql, '') FROM sqlite_master ORDER BY name, type";
    let all: Vec<(String, String)> = tx.sql(sql).all().await.unwrap();
    all.into_iter().map(|(name, sql)| format!("{name}: {sql}\n")).collect()
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

/// Starts for the first time and is killed after a time; then goes on, and is looked at.
async fn interrupted(engine: Engine, after: Option<Duration>) -> (String, Duration) {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let db = TestDb::create_empty(engine, directory.path()).await;
    let begun = Instant::now();
    if let Some(after) = after {
        let mut first = migrating(&data_dir, &db, engine).spawn().unwrap();
        // The machine's time: what is met is a moment of another process.
        tokio::time::sleep(after).await;
        first.kill().unwrap();
        first.wait().unwrap();
    }
    done(&migrating(&data_dir, &db, engine).output().unwrap());
    let lasted = begun.elapsed();
    // Once more, with nothing left to do; and whatever can be wrong with an installation is not.
    done(&migrating(&data_dir, &db, engine).output().unwrap());
    let mut doctor = aftercare(&data_dir);
    doctor.args(["doctor", "--listen", "127.0.0.1:0"]);
    if engine == Engine::Postgres {
        doctor.args(["--database-url", &db.url]);
    }
    let said = text(&doctor.output().unwrap());
    for what in ["keyring", "database", "schema", "keys", "jobs", "audit"] {
        assert!(said.contains(&format!("ok    {what} ")), "{said}");
    }
    let schema = schema(&data_dir, &db, engine).await;
    (schema, lasted)
}

async fn the_next_start_goes_on(engine: Engine) {
    let (whole, lasts) = interrupted(engine, None).await;
    for moment in 0..MOMENTS {
        let (schema, _) = interrupted(engine, Some(lasts * moment / MOMENTS)).await;
        assert!(schema == whole, "killed at {moment} of {MOMENTS}: {schema}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_start_goes_on_on_sqlite() {
    the_next_start_goes_on(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_start_goes_on_on_postgres() {
    the_next_start_goes_on(Engine::Postgres).await;
}
