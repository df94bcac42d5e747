//! A database of its own for every run.

use std::path::Path;

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
    /// How many connections the service has.
    pub connections: u32,
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
        let connections = options.database_connections;
        if options.engine == Engine::Sqlite {
            return Ok(Self { target: sqlite(directory.path()), directory, connections, server: None });
        }
        let url = options.database_url.as_ref().ok_or("--engine postgres needs --database-url")?;
        let server = Server { url: url.expose_secret().into(), name: format!("load_{}", std::process::id()) };
        server.run(&format!("CREATE DATABASE {}", server.name)).await?;
        Ok(Self { target: Target::Postgres(server.database()?.into()), directory, connections, server: Some(server) })
    }

    /// A copy of it, while nobody has it open.
    pub async fn copy(&self, word: &str) -> Result<Self> {
        let above = self.directory.path().parent().ok_or("a directory without another above")?;
        let directory = tempfile::Builder::new().prefix(&format!("load-{word}-")).tempdir_in(above)?;
        copy_files(self.directory.path(), directory.path())?;
        let connections = self.connections;
        let Some(server) = &self.server else {
            return Ok(Self { target: sqlite(directory.path()), directory, connections, server: None });
        };
        let copy = Server { url: server.url.clone(), name: format!("{}_{word}", server.name) };
        copy.run(&format!("CREATE DATABASE {} TEMPLATE {}", copy.name, server.name)).await?;
        Ok(Self { target: Target::Postgres(copy.database()?.into()), directory, connections, server: Some(copy) })
    }

    /// The same database, reached through a port of this machine.
    pub fn through(self, port: u16) -> Result<Self> {
        let url = self.url()?;
        let (scheme, rest) = url.split_once("//").ok_or("a URL without a host")?;
        let (host, path) = rest.split_once('/').ok_or("a URL without a database")?;
        let user = host.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
        let target = Target::Postgres(format!("{scheme}//{user}127.0.0.1:{port}/{path}").into());
        Ok(Self { target, ..self })
    }

    /// The URL of a database on a server.
    pub fn url(&self) -> Result<String> {
        self.server.as_ref().ok_or("no server")?.database()
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

fn sqlite(directory: &Path) -> Target {
    Target::Sqlite(directory.join("aftercare.db"))
}

/// The files of a data directory, which has no others in it.
pub fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn connected(url: &str, sql: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
