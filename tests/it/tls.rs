//! TLS: who is served, by what, and what happens when the files change.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aftercare::config::Tls;
use aftercare::grpc::pb;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use crate::process::{Serving, aftercare, text, token, with_token};
use crate::support::certificates::{Authority, Issued};
use crate::support::{Beside, Door, Engine, TestApp};

/// Certificates of a service, in files.
struct Files {
    directory: tempfile::TempDir,
    authority: Authority,
    clients: Authority,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = Self { directory, authority: Authority::new("Services"), clients: Authority::new("Clients") };
        files.put(&files.authority.issue("localhost"));
        files.clients.write(&files.path("clients.pem"));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn put(&self, issued: &Issued) {
        issued.write_certificate(&self.path("certificate.pem"));
        issued.write_key(&self.path("key.pem"));
    }

    fn tls(&self) -> Tls {
        Tls {
            certificate: self.path("certificate.pem"),
            key: self.path("key.pem"),
            client_authority: None,
            looks_every: Duration::from_millis(20),
        }
    }

    async fn serve(&self, app: &TestApp, tls: Tls) -> Beside {
        assert!(tls.certificate.starts_with(self.directory.path()));
        app.beside_with(Door { tls: Some(tls), ..Door::default() }).await
    }

    /// What an honest client expects.
    fn client(&self, identity: Option<Issued>, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(own) => builder.with_client_auth_cert(vec![own.certificate.clone()], own.key()).unwrap(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    async fn handshake(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        handshake(address, self.client(None, rustls::ALL_VERSIONS)).await
    }

    /// What the service shows to whoever comes now.
    async fn shown(&self, address: SocketAddr) -> CertificateDer<'static> {
        let stream = self.handshake(address).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    }

    /// Waits until it shows this one.
    async fn shows(&self, address: SocketAddr, wanted: &Issued) {
        let waiting = async {
            while self.shown(address).await != wanted.certificate {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the new certificate");
    }
}

async fn handshake(address: SocketAddr, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

async fn channel(address: SocketAddr, config: ClientConfig) -> Result<Channel, tonic::transport::Error> {
    let connect = tower::service_fn(move |_| {
        let config = config.clone();
        async move { handshake(address, config).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connect).await
}

/// Whether somebody is served.
async fn call(app: &TestApp, channel: Channel) -> Result<(), tonic::Status> {
    let mut directory = pb::directory_service_client::DirectoryServiceClient::new(channel);
    let request = with_token(&app.admin().token, pb::ListOrganisationsRequest::default());
    directory.list_organisations(request).await.map(drop)
}

async fn is_served(app: &TestApp, door: &Beside, config: ClientConfig) -> bool {
    match channel(door.address, config).await {
        Ok(channel) => call(app, channel).await.is_ok(),
        Err(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_speaks_tls_of_these_days_is_served() {
    let (app, files) = (TestApp::start(Engine::Sqlite).await, Files::new());
    let door = files.serve(&app, files.tls()).await;
    for version in [&version::TLS12, &version::TLS13] {
        assert!(is_served(&app, &door, files.client(None, &[version])).await, "{version:?}");
    }
    let stream = files.handshake(door.address).await.unwrap();
    let session = stream.get_ref().1;
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    // A browser, or a curl.
    let mut config = files.client(None, rustls::ALL_VERSIONS);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut stream = handshake(door.address, config).await.unwrap();
    let request = b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    // It may close without a goodbye.
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    // Who expects somebody else goes away.
    let other = Files::new();
    assert!(other.handshake(door.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_is_not() {
    let (app, files) = (TestApp::start(Engine::Sqlite).await, Files::new());
    let door = files.serve(&app, files.tls()).await;
    // A hello of TLS 1.1: no session, two suites of that time, no compression, no extensions.
    let mut old = vec![0x16, 0x03, 0x01, 0x00, 0x2f, 0x01, 0x00, 0x00, 0x2b, 0x03, 0x02];
    old.extend([7; 32]);
    old.extend([0x00, 0x00, 0x04, 0xc0, 0x13, 0x00, 0x2f, 0x01, 0x00]);
    let plain = b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec();
    for (what, bytes) in [("TLS 1.1", old), ("HTTP/1.1", plain), ("HTTP/2", preface)] {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
        // It may hang up before everything is read.
        let _ = read.expect("an end");
        assert!(answer.is_empty() || answer[0] == 0x15, "{what}: {answer:?}");
        assert!(answer.len() <= 7, "{what}: an alert and nothing else");
    }
    let clear = Endpoint::from_shared(format!("http://{}", door.address)).unwrap().connect_lazy();
    assert!(call(&app, clear).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_clients_must_show_a_certificate_only_theirs_will_do() {
    let (app, files) = (TestApp::start(Engine::Sqlite).await, Files::new());
    let tls = Tls { client_authority: Some(files.path("clients.pem")), ..files.tls() };
    let door = files.serve(&app, tls).await;
    for version in [&version::TLS12, &version::TLS13] {
        let with = |identity| files.client(identity, &[version]);
        assert!(is_served(&app, &door, with(Some(files.clients.issue("console")))).await);
        assert!(!is_served(&app, &door, with(None)).await);
        assert!(!is_served(&app, &door, with(Some(Authority::new("Clients").issue("console")))).await);
        // The authority of the service vouches for nobody but the service.
        assert!(!is_served(&app, &door, with(Some(files.authority.issue("console")))).await);
    }
    // Whom it trusts can change too.
    let others = Authority::new("Other clients");
    others.write(&files.path("clients.pem"));
    let waiting = async {
        while !is_served(&app, &door, files.client(Some(others.issue("console")), rustls::ALL_VERSIONS)).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the new authority");
    let before = files.client(Some(files.clients.issue("console")), rustls::ALL_VERSIONS);
    assert!(!is_served(&app, &door, before).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_replaced_while_it_serves_and_broken_ones_change_nothing() {
    let (app, files) = (TestApp::start(Engine::Sqlite).await, Files::new());
    let door = files.serve(&app, files.tls()).await;
    let before = channel(door.address, files.client(None, rustls::ALL_VERSIONS)).await.unwrap();
    call(&app, before.clone()).await.unwrap();
    // For a moment the key is not the certificate's.
    let next = files.authority.issue("localhost");
    files.put(&next);
    files.shows(door.address, &next).await;
    call(&app, before).await.unwrap();
    let third = files.authority.issue("localhost");
    let break_it: [(&str, &dyn Fn()); 4] = [
        ("no certificate", &|| std::fs::write(files.path("certificate.pem"), "nothing").unwrap()),
        ("another's certificate", &|| third.write_certificate(&files.path("certificate.pem"))),
        ("no key", &|| std::fs::remove_file(files.path("key.pem")).unwrap()),
        ("no file", &|| std::fs::remove_file(files.path("certificate.pem")).unwrap()),
    ];
    for (what, broken) in break_it {
        broken();
        // Long enough that it is looked at several times.
        let until = tokio::time::Instant::now() + Duration::from_millis(200);
        while tokio::time::Instant::now() < until {
            assert!(files.shown(door.address).await == next.certificate, "{what}");
        }
    }
    files.put(&third);
    files.shows(door.address, &third).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_takes_up_new_files_when_it_is_told_to() {
    let (files, data) = (Files::new(), tempfile::tempdir().unwrap());
    let (certificate, key) = (files.path("certificate.pem"), files.path("key.pem"));
    let arguments = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let admin = token(data.path(), &["--role", "admin"]);
    let serving = Serving::start_with(data.path(), &arguments);
    let channel = channel(serving.address(), files.client(None, rustls::ALL_VERSIONS)).await.unwrap();
    let mut directory = pb::directory_service_client::DirectoryServiceClient::new(channel);
    let list = || with_token(&admin, pb::ListOrganisationsRequest::default());
    directory.list_organisations(list()).await.unwrap();
    let next = files.authority.issue("localhost");
    files.put(&next);
    serving.signal("-HUP");
    files.shows(serving.address(), &next).await;
    directory.list_organisations(list()).await.unwrap();
    std::fs::write(&certificate, "nothing").unwrap();
    serving.signal("-HUP");
    assert!(files.shown(serving.address()).await == next.certificate);
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0));
    assert!(log.contains("serving with the certificate that is in the file now"), "{log}");
    assert!(!log.contains("PRIVATE KEY"));
}

#[test]
fn files_that_cannot_be_used_are_refused_in_words() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new();
    let data = tempfile::tempdir().unwrap();
    let run = |certificate: &str, key: &str| {
        let mut command = aftercare(data.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--tls-cert"]).arg(files.path(certificate));
        let output = command.arg("--tls-key").arg(files.path(key)).output().unwrap();
        assert!(!output.status.success());
        text(&output)
    };
    assert!(run("nowhere.pem", "key.pem").contains("cannot read"));
    assert!(run("key.pem", "key.pem").contains("has no certificate in PEM form"));
    assert!(run("certificate.pem", "clients.pem").contains("refusing the private key"));
    files.authority.issue("localhost").write_key(&files.path("other.pem"));
    assert!(run("certificate.pem", "other.pem").contains("do not fit together"));
    for mode in [0o644, 0o604, 0o620, 0o602] {
        std::fs::set_permissions(files.path("key.pem"), std::fs::Permissions::from_mode(mode)).unwrap();
        let said = run("certificate.pem", "key.pem");
        assert!(said.contains("refusing the private key") && said.contains(&format!("{mode:o}")), "{said}");
    }
}
