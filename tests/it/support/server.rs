//! A PostgreSQL server of a test's own, which can be killed: unlike the one that `tests/run.sh` starts, it keeps what it
//! has acknowledged.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::Instant;

/// The server and its directory.
pub struct Server {
    directory: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// PostgreSQL refuses to run as root; its package made a user for it.
fn program(name: &str) -> Command {
    let bin = PathBuf::from(std::env::var_os("AFTERCARE_TEST_PG_DUMP").expect("run tests/run.sh"));
    let program = bin.parent().unwrap().join(name);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

impl Server {
    /// In a directory that is there, and that everybody may pass through.
    pub async fn start(directory: &Path) -> Self {
        let directory = directory.join("server");
        std::fs::create_dir(&directory).unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres:").arg(&directory).status().unwrap().success());
        }
        let mut initdb = program("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        let output = initdb.arg("--pgdata").arg(&directory).current_dir(&directory).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut server = Self { directory, port, process: None };
        server.begin().await;
        server
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn url(&self, database: &str) -> String {
        url(self.address(), database)
    }

    /// Starts it, and waits until it answers.
    pub async fn begin(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.process.is_none() {
            let mut postgres = program("postgres");
            postgres.arg("-D").arg(&self.directory).args(["-p", &self.port.to_string()]);
            for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"] {
                postgres.args(["-c", setting]);
            }
            let log = std::fs::File::options().create(true).append(true).open(self.directory.with_extension("log"));
            postgres.current_dir(&self.directory).stdout(Stdio::null()).stderr(log.unwrap());
            let mut process = postgres.spawn().unwrap();
            loop {
                assert!(Instant::now() < deadline, "PostgreSQL does not start");
                if PgConnection::connect(&self.url("postgres")).await.is_ok() {
                    self.process = Some(process);
                    break;
                }
                // What was killed a moment ago may still hold its memory: then it is tried again.
                if process.try_wait().unwrap().is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Kills every process of it, as the end of power does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let id = process.id().to_string();
            let children = Command::new("pgrep").args(["-P", &id]).output().unwrap().stdout;
            let children = String::from_utf8(children).unwrap();
            // Some may have ended meanwhile.
            let _ = Command::new("kill").arg("-KILL").arg(&id).args(children.split_whitespace()).output();
            process.wait().unwrap();
        }
    }

    /// Does something in it, past the service.
    pub async fn run(&self, database: &str, sql: &str) {
        let mut connection = PgConnection::connect(&self.url(database)).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// Where a database is that is reached by an address.
pub fn url(address: SocketAddr, database: &str) -> String {
    format!("postgres://postgres@{address}/{database}")
}
