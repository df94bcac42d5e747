//! The real program over the filled world: how large it is, how soon it serves, and how much memory it takes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aftercare::clock::{Clock, SystemClock};
use aftercare::grpc::pb;
use pb::scheduling_service_client::SchedulingServiceClient;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::database::Fresh;
use super::load::present;
use super::people::People;
use super::report;
use super::service::{Token, coordinator, explain, sign};
use super::sessions::Filled;
use super::{Options, Result};

/// How many clients call at once, each on a connection of its own, and for how long.
const CLIENTS: usize = 64;
const WINDOW: Duration = Duration::from_secs(3);
/// How long it may take to serve.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program, ended when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it over a world that nobody has open, and says what it takes.
pub async fn measure(options: &Options, fresh: &Fresh, people: &People, filled: &Filled) -> Result<()> {
    let binary = options.program.clone().unwrap_or_else(release);
    if !binary.is_file() {
        println!("\n{} is not built: neither its start nor its memory is measured", binary.display());
        return Ok(());
    }
    let size = std::fs::metadata(&binary)?.len();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let (begun, program) = (present(), start(&binary, fresh, port)?);
    let url = format!("http://127.0.0.1:{port}");
    serving(&url, begun).await?;
    let (took, idle) = (begun.elapsed().as_secs_f64() * 1e3, resident(program.0.id())?);
    let answers = busy(&url, fresh, people, filled).await?;
    let loaded = resident(program.0.id())?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "\nThe program: {:.1} MiB; serving after {took:.0} ms; resident {:.1} MiB then, {:.1} MiB under {CLIENTS} clients \
         ({answers} answers)",
        mib(size),
        mib(idle),
        mib(loaded)
    );
    let sessions = options.sessions;
    report::line(
        options,
        &json!({
            "program_bytes": size, "serving_after_ms": took, "resident_idle": idle, "resident_loaded": loaded,
            "clients": CLIENTS, "answers": answers, "sessions": sessions,
        }),
    )
}

fn release() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    target.join("release/aftercare")
}

fn start(binary: &Path, fresh: &Fresh, port: u16) -> Result<Program> {
    // As in the other figures, nobody is held to a number of calls.
    let settings = fresh.directory.path().join("program.toml");
    std::fs::write(&settings, "[limits]\nread = { per_minute = 0, burst = 0 }\n")?;
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--log", "warn", "--data-dir"]);
    command.arg(fresh.directory.path()).arg("--config").arg(settings).stdin(Stdio::null()).stdout(Stdio::null());
    if let aftercare::store::Target::Postgres(url) = &fresh.target {
        command.env("AFTERCARE_DATABASE_URL", url.expose_secret());
    }
    Ok(Program(command.spawn()?))
}

/// Asks for its health until it serves.
async fn serving(url: &str, begun: Instant) -> Result<()> {
    loop {
        if let Ok(channel) = Channel::from_shared(url.to_owned())?.connect().await {
            let health = HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await;
            if health.is_ok_and(|it| it.into_inner().status() == ServingStatus::Serving) {
                return Ok(());
            }
        }
        if begun.elapsed() > PATIENCE {
            return Err("the program does not serve".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Has sessions read by many at once; answers how many were.
async fn busy(url: &str, fresh: &Fresh, people: &People, filled: &Filled) -> Result<u64> {
    let now = SystemClock.now();
    let mut tokens = Vec::new();
    for organisation in &people.organisations {
        tokens.push(sign(fresh, coordinator(organisation.id), now)?);
    }
    let sample = filled.sample.iter().map(|(seat, session)| {
        (tokens[people.organisation_of(*seat)].clone(), pb::GetSessionRequest { session_id: session.id.to_string() })
    });
    let asks: std::sync::Arc<Vec<(Token, pb::GetSessionRequest)>> = std::sync::Arc::new(sample.collect());
    let until = present() + WINDOW;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (asks, channel) = (asks.clone(), Channel::from_shared(url.to_owned())?.connect().await?);
        clients.spawn(async move {
            let (mut client, mut answers) = (SchedulingServiceClient::new(channel), 0_u64);
            for (token, message) in asks.iter().cycle().skip(number) {
                if present() >= until {
                    break;
                }
                client.get_session(token.on(message.clone())).await.map_err(|status| explain(&status))?;
                answers += 1;
            }
            Ok::<_, super::Error>(answers)
        });
    }
    let mut answers = 0;
    while let Some(client) = clients.join_next().await {
        answers += client??;
    }
    Ok(answers)
}

/// The bytes of memory that a process has.
pub fn resident(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no resident set is told")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}
