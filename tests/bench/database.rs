//! A database of its own for every run.

use aftercare::store::Target;
use secrecy::ExposeSecret;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;

use super::{Engine, Options, Result};

/// A fresh database and the directory of the keys.
pub struct Fresh {
    /// Where the service finds it.
    pub target: Target,
    /// The data directory; removed when dropped.
    pub directory: TempDir,
    server: Option<Server>,
}

/// The PostgreSQL server the database was made on.
struct Server {
    url: String,
    name: String,
}

impl Fresh {
    /// Makes one.
    pub async fn create(options: &Options) -> Result<Self> {
        // Not the system's temporary directory: where that is memory, nothing is ever written through.
        let above = options.directory.clone().unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
        let directory = tempfile::Builder::new().prefix("load-").tempdir_in(above)?;
        if options.engine == Engine::Sqlite {
            let target = Target::Sqlite(directory.path().join("aftercare.db"));
            return Ok(Self { target, directory, server: None });
        }
        let url = options.database_url.as_ref().ok_or("--engine postgres needs --database-url")?;
        let server = Server { url: url.expose_secret().into(), name: format!("load_{}", std::process::id()) };
        server.run(&format!("CREATE DATABASE {}", server.name)).await?;
        Ok(Self { target: Target::Postgres(server.database()?.into()), directory, server: Some(server) })
    }

    /// Gathers statistics, as a server would have done by itself by the time a database is as full as
    /// this. SQLite never does, and the service does not ask it to.
    pub async fn settle(&self) -> Result<()> {
        match &self.server {
            Some(server) => connected(&server.database()?, "VACUUM ANALYZE").await,
            None => Ok(()),
        }
    }

    /// What it is, as far as figures depend on it.
    pub async fn describe(&self) -> Result<String> {
        let Some(server) = &self.server else {
            return Ok(format!("SQLite, WAL, synchronous=FULL, in {}", self.directory.path().display()));
        };
        let mut connection = PgConnection::connect(&server.url).await?;
        let sql = "SELECT current_setting('server_version') || ', fsync=' || current_setting('fsync')
            || ', full_page_writes=' || current_setting('full_page_writes')
            || ', shared_buffers=' || current_setting('shared_buffers')";
        let says: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(format!("PostgreSQL {says}"))
    }

    /// A number that the database answers, asked beside the service.
    pub async fn count(&self, sql: &'static str) -> Result<i64> {
        match &self.server {
            Some(server) => {
                let mut connection = PgConnection::connect(&server.database()?).await?;
                let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(count)
            }
            None => {
                let file = self.directory.path().join("aftercare.db");
                let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
                let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(count)
            }
        }
    }

    /// Removes it.
    pub async fn drop(self) -> Result<()> {
        match &self.server {
            Some(server) => server.run(&format!("DROP DATABASE {} WITH (FORCE)", server.name)).await,
            None => Ok(()),
        }
    }
}

impl Server {
    /// The URL of the fresh database: the server's with another name at its end.
    fn database(&self) -> Result<String> {
        let (before, parameters) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (base, _) = before.rsplit_once('/').ok_or("--database-url must end in a database: postgres://host/name")?;
        let mark = if parameters.is_empty() { "" } else { "?" };
        Ok(format!("{base}/{}{mark}{parameters}", self.name))
    }

    async fn run(&self, sql: &str) -> Result<()> {
        connected(&self.url, sql).await
    }
}

async fn connected(url: &str, sql: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
