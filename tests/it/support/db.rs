//! A fresh database on either engine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aftercare::store::keyring::KeyringFile;
use aftercare::store::{Db, Keys, Target};
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
    /// A file, on either engine, unless the test is about keys.
    pub key_store: Target,
    /// When the keys are in a second database.
    pub key_store_url: Option<String>,
}

impl TestDb {
    pub async fn create(engine: Engine, directory: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::in_file(directory, "aftercare.db"),
            Engine::Postgres => Self::on_server(directory, &format!("TEMPLATE {}", template().await)).await,
        }
    }

    /// A database without any schema.
    pub async fn create_empty(engine: Engine, directory: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::in_file(directory, "empty.db"),
            Engine::Postgres => Self::on_server(directory, "").await,
        }
    }

    fn in_file(directory: &Path, name: &str) -> Self {
        let file = directory.join(name);
        let url = format!("sqlite://{}", file.display());
        let key_store = Target::Sqlite(directory.join("keys.db"));
        Self { target: Target::Sqlite(file), url, key_store, key_store_url: None }
    }

    async fn on_server(directory: &Path, like: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        admin(&format!("CREATE DATABASE {name} {like}")).await;
        let url = url_of(&name);
        let key_store = Target::Sqlite(directory.join("keys.db"));
        Self { target: Target::Postgres(url.clone().into()), url, key_store, key_store_url: None }
    }

    /// The same with its keys in a second database of the server.
    pub async fn with_key_database(self, directory: &Path) -> Self {
        let keys = Self::on_server(directory, "").await;
        Self { key_store: keys.target, key_store_url: Some(keys.url), ..self }
    }

    /// Where its keys are, with the keyring of a data directory.
    pub fn keys(&self, data_dir: &Path) -> Keys {
        Keys { store: self.key_store.clone(), keyring: Arc::new(KeyringFile::new(data_dir)) }
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
