//! A fresh database on either engine.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use aftercare::store::{Db, Target};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A database of its own, with the schema of today.
pub struct TestDb {
    pub target: Target,
    /// For tests that go past the service.
    pub url: String,
}

impl TestDb {
    pub async fn create(engine: Engine, directory: &Path) -> Self {
        match engine {
            Engine::Sqlite => {
                let file = directory.join("aftercare.db");
                let url = format!("sqlite://{}", file.display());
                Self { target: Target::Sqlite(file), url }
            }
            Engine::Postgres => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let template = template().await;
                let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                admin(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
                let url = url_of(&name);
                Self { target: Target::Postgres(url.clone().into()), url }
            }
        }
    }
}

/// A database with the schema, to be copied: migrating every test's own would take most of its time.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("template_{}", std::process::id());
            admin(&format!("CREATE DATABASE {name}")).await;
            let db = Db::open(&Target::Postgres(url_of(&name).into()), 1).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
            name
        })
        .await
}

async fn admin(sql: &str) {
    // PostgreSQL copies a template only while nobody else does.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    let mut connection = PgConnection::connect(&server()).await.expect("the PostgreSQL of tests/run.sh");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn server() -> String {
    std::env::var("AFTERCARE_TEST_POSTGRES").expect("no PostgreSQL for the tests: run tests/run.sh")
}

fn url_of(name: &str) -> String {
    let server = server();
    let (base, _) = server.rsplit_once('/').expect("a URL that ends in a database");
    format!("{base}/{name}")
}
