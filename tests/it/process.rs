//! The program itself: its configuration, its key, its signals, its death.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use aftercare::grpc::pb;
use aftercare::grpc::pb::client_service_client::ClientServiceClient;
use aftercare::grpc::pb::directory_service_client::DirectoryServiceClient;
use tonic::Request;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::plant::MARK;
use crate::support::{Engine, TestDb, own_consent};

const ID: &str = "0193a5e0-0000-7000-8000-000000000001";

pub fn aftercare(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.env_remove("AFTERCARE_DATABASE_URL").env("AFTERCARE_DATA_DIR", data_dir);
    command
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A serving process and its address.
pub struct Serving {
    child: Child,
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    log: Option<std::thread::JoinHandle<String>>,
}

/// A test that fails leaves no process behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Serving {
    pub fn start(data_dir: &Path, database_url: Option<&str>) -> Self {
        let database: Vec<&str> = database_url.iter().flat_map(|url| ["--database-url", url]).collect();
        Self::start_with(data_dir, &database)
    }

    pub fn start_with(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = aftercare(data_dir);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", "trace"]).args(arguments);
        Self::begin(command).expect("the process says where it serves")
    }

    /// What a command that serves, with a log in JSON, makes; or what it said before it ended.
    pub fn begin(mut command: Command) -> Result<Self, String> {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut seen, mut metrics) = (String::new(), None);
        let address = loop {
            let Some(line) = lines.next() else {
                child.wait().unwrap();
                return Err(seen);
            };
            let line = line.unwrap();
            seen.push_str(&line);
            seen.push('\n');
            // What makes it end is said in plain words.
            let Ok(line) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            let address = || line["fields"]["address"].as_str().unwrap().parse().unwrap();
            match line["fields"]["message"].as_str() {
                Some("telling metrics") => metrics = Some(address()),
                Some("serving") => break address(),
                _ => {}
            }
        };
        let log = std::thread::spawn(move || lines.map_while(Result::ok).fold(seen, |all, line| all + &line + "\n"));
        Ok(Self { child, address, metrics, log: Some(log) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it tells metrics.
    pub fn metrics(&self) -> SocketAddr {
        self.metrics.unwrap()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    /// Sends a signal and waits for the end; gives the exit code and the log.
    pub fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let (code, log) = (self.child.wait().unwrap().code(), self.log.take().unwrap().join().unwrap());
        assert!(!log.contains(MARK), "{log}");
        (code, log)
    }
}

pub fn token(data_dir: &Path, arguments: &[&str]) -> String {
    let output = aftercare(data_dir).arg("token").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn organisation() -> pb::CreateOrganisationRequest {
    let organisation = pb::Organisation {
        code: "EXAMPLE".into(),
        name: "Example Trust".into(),
        kind: 1,
        district: "KL-TVM".into(),
        ..Default::default()
    };
    pb::CreateOrganisationRequest { request_id: ID.into(), organisation: Some(organisation) }
}

/// Serves, writes, is killed, serves again: what was acknowledged is there, once.
async fn survives(data_dir: &Path, database_url: Option<&str>) {
    let database: Vec<&str> = database_url.iter().flat_map(|url| ["--database-url", url]).collect();
    let admin = token(data_dir, &[&["--role", "admin"], &database[..]].concat());
    let serving = Serving::start(data_dir, database_url);
    let mut health = HealthClient::new(serving.channel().await);
    for service in ["", "aftercare.v1.SchedulingService", "aftercare.v1.AttendanceService"] {
        let answer = health.check(HealthCheckRequest { service: service.into() }).await.unwrap().into_inner();
        assert_eq!(answer.status, 1, "{service}");
    }
    let mut directory = DirectoryServiceClient::new(serving.channel().await);
    let made = directory.create_organisation(with_token(&admin, organisation())).await.unwrap().into_inner();
    serving.signal("-HUP");
    directory.list_organisations(with_token(&admin, pb::ListOrganisationsRequest::default())).await.unwrap();
    assert_eq!(serving.end("-KILL").0, None);

    let serving = Serving::start(data_dir, database_url);
    let mut directory = DirectoryServiceClient::new(serving.channel().await);
    let again = directory.create_organisation(with_token(&admin, organisation())).await.unwrap().into_inner();
    assert_eq!(again, made);
    let all = directory.list_organisations(with_token(&admin, pb::ListOrganisationsRequest::default())).await;
    assert_eq!(all.unwrap().into_inner().organisations.len(), 1);
    let coordinator =
        token(data_dir, &[&["--role", "coordinator", "--organisation", "EXAMPLE"], &database[..]].concat());
    let own = pb::ListOrganisationsRequest::default();
    let seen = directory.list_organisations(with_token(&coordinator, own)).await.unwrap().into_inner();
    assert_eq!(seen.organisations, all_of(&made));
    let mut clients = ClientServiceClient::new(serving.channel().await);
    let client = clients.create_client(with_token(&coordinator, planted())).await.unwrap().into_inner().client.unwrap();
    let guardian = pb::Guardian {
        client_id: client.id.clone(),
        name: "Guardian Planted-Name".into(),
        phone: "555-0100-planted".into(),
        relation: "planted relation".into(),
        standing: 1,
        ..Default::default()
    };
    let create = pb::CreateGuardianRequest { guardian: Some(guardian), ..Default::default() };
    clients.create_guardian(with_token(&coordinator, create)).await.unwrap();
    let record = pb::RecordConsentRequest { consent: Some(own_consent(&client)), ..Default::default() };
    let consent = clients.record_consent(with_token(&coordinator, record)).await.unwrap().into_inner().consent.unwrap();
    let withdraw = pb::WithdrawConsentRequest {
        consent_id: consent.id,
        etag: consent.etag,
        reason: "a planted reason".into(),
        ..Default::default()
    };
    clients.withdraw_consent(with_token(&coordinator, withdraw)).await.unwrap();
    let get = pb::GetClientRequest { client_id: client.id };
    assert_eq!(
        clients.get_client(with_token(&coordinator, get)).await.unwrap().into_inner().client.unwrap().name,
        NAME
    );
    // What recurs is queued once, however often a process begins.
    let jobs = aftercare(data_dir).args(["jobs", "list"]).args(&database).output().unwrap();
    assert_eq!(text(&jobs).matches("\tQUEUED\tforget_old\t0\t").count(), 1, "{}", text(&jobs));
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    // The log says everything there is to say, and nothing about a person.
    assert!(log.contains("stopped") && log.contains("TRACE"));
    for planted in [NAME, "555-0100-planted", "1 Planted Street", "2011-02-03", "Guardian Planted", "planted re"] {
        assert!(!log.contains(planted), "{planted}");
    }
}

const NAME: &str = "Person Planted-Name";

/// A client of whom nothing may be logged.
pub fn planted() -> pb::CreateClientRequest {
    let client = pb::Client {
        side: 1,
        name: NAME.into(),
        phone: "555-0100-planted".into(),
        address: "1 Planted Street".into(),
        born_on: Some(crate::support::date("2011-02-03")),
        spoken_languages: vec!["ml".into()],
        ..Default::default()
    };
    pb::CreateClientRequest { client: Some(client), ..Default::default() }
}

fn all_of(made: &pb::CreateOrganisationResponse) -> Vec<pb::Organisation> {
    made.organisation.clone().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    survives(directory.path(), None).await;
    #[cfg(unix)]
    for name in ["aftercare.db", "issuer.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill_on_postgres() {
    let directory = tempfile::tempdir().unwrap();
    let db = TestDb::create(Engine::Postgres, directory.path()).await;
    survives(directory.path(), Some(&db.url)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_first_makes_the_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = aftercare(directory.path());
        command.args(["token", "--role", "admin"]).stdout(Stdio::piped()).spawn().unwrap()
    };
    let racing: Vec<Child> = (0..8).map(|_| start()).collect();
    let serving = Serving::start(directory.path(), None);
    let mut directory_service = DirectoryServiceClient::new(serving.channel().await);
    for child in racing {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let token = String::from_utf8(output.stdout).unwrap();
        let list = with_token(token.trim(), pb::ListOrganisationsRequest::default());
        directory_service.list_organisations(list).await.unwrap();
    }
    assert_eq!(serving.end("-TERM").0, Some(0));
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().starts_with("issuer.key.")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_its_token_by_the_code_of_its_account() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path(), None);
    let channel = serving.channel().await;
    let admin = token(directory.path(), &["--role", "admin"]);
    let account = pb::ServiceAccount {
        code: "BOARD".into(),
        principal: "board".into(),
        role: pb::AccountRole::Admin.into(),
        methods: vec!["aftercare.v1.DirectoryService/ListOrganisations".into()],
        ..Default::default()
    };
    let create = pb::CreateServiceAccountRequest { service_account: Some(account), ..Default::default() };
    let mut access = pb::access_service_client::AccessServiceClient::new(channel.clone());
    access.create_service_account(with_token(&admin, create)).await.unwrap();
    let program = token(directory.path(), &["--service-account", "BOARD"]);
    let list = with_token(&program, pb::ListOrganisationsRequest::default());
    DirectoryServiceClient::new(channel).list_organisations(list).await.unwrap();
    let denied = access.list_revocations(with_token(&program, pb::ListRevocationsRequest::default())).await;
    assert_eq!(denied.unwrap_err().code(), tonic::Code::PermissionDenied);
    let output = aftercare(directory.path()).args(["token", "--service-account", "OTHER"]).output().unwrap();
    assert!(text(&output).contains("service account not found"), "{}", text(&output));
    assert_eq!(serving.end("-TERM").0, Some(0));
}

#[test]
fn a_wrong_configuration_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let toml = directory.path().join("aftercare.toml");
    let run = |content: &str, arguments: &[&str]| {
        std::fs::write(&toml, content).unwrap();
        let output = aftercare(directory.path()).arg("serve").arg("--config").arg(&toml).args(arguments).output();
        let output = output.unwrap();
        assert!(!output.status.success());
        text(&output)
    };
    assert!(run("listen = \"0.0.0.0:50051\"", &[]).contains("loopback only"));
    assert!(run("lisen = \"127.0.0.1:1\"", &[]).contains("unknown field `lisen`"));
    assert!(run("behind_proxy = true", &[]).contains("the built-in issuer is for loopback only"));
    let provider = "issuer = \"https://login.example.org\"";
    assert!(run(provider, &["--listen", "0.0.0.0:1"]).contains("refusing to listen on 0.0.0.0:1 without TLS"));
    assert!(run(provider, &["--issuer-ca", "/nowhere"]).contains("cannot use the file of --issuer-ca"));
    assert!(run(&format!("{provider}\n[claims]\nrole = 7"), &[]).contains("is not a configuration"));
    assert!(run(&format!("{provider}\n[claims.roles]\nboss = \"owner\""), &[]).contains("owner"));
    assert!(run("", &["--tls-cert", "/nowhere"]).contains("--tls-cert needs --tls-key"));
    assert!(run("", &["--tls-key", "/nowhere"]).contains("--tls-key needs --tls-cert"));
    assert!(run("", &["--tls-client-ca", "/nowhere"]).contains("--tls-client-ca needs"));
    assert!(run("connections = 0", &[]).contains("connections must be at least 1"));
    for wrong in ["elsewhere", "http://example.org", "ftp://example.org", "https://", "https://example.org/?tenant=1"] {
        assert!(run("", &["--issuer", wrong]).contains("the https:// URL of a provider"), "{wrong}");
        assert!(run(&format!("issuer = {wrong:?}"), &[]).contains("the https:// URL of a provider"), "{wrong}");
    }
    // A flag wins over the file.
    assert!(run("listen = \"127.0.0.1:1\"", &["--listen", "[::]:1"]).contains("[::]:1"));
    let wrong = run("database_url = \"postgres://user:planted@127.0.0.1:1/x\"", &[]);
    assert!(wrong.contains("cannot open the database") && !wrong.contains("planted"), "{wrong}");
    let elsewhere = ["token", "--role", "admin", "--issuer", "https://login.example.org"];
    let output = aftercare(directory.path()).args(elsewhere).output().unwrap();
    assert!(text(&output).contains("tokens come from https://login.example.org"));
    let output = aftercare(directory.path()).args(["token", "--role", "coordinator"]).output().unwrap();
    assert!(text(&output).contains("--organisation is required"));
}
