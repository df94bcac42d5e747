//! Reads a document of the provider: over TLS, from where it was said to be and nowhere else, not too long, not for long.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::config::SafeUrl;

/// How long one document may take, from the connection to its last byte. \[P\]
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of a document; key sets of large providers have about ten thousand. \[P\]
const LARGEST: usize = 256 * 1024;

/// Why a document cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the provider cannot be reached")]
    Connection(#[from] io::Error),
    #[error("it is not on this machine, and not secured")]
    NotHere,
    #[error("the provider does not speak HTTP")]
    Http(#[from] hyper::Error),
    #[error("the provider answers {0}")]
    Status(StatusCode),
    #[error("the answer is cut off or too long")]
    Body,
    #[error("there was no answer in time")]
    Slow,
    #[error("the answer is not {0}")]
    Content(&'static str),
}

/// Reads documents.
pub(super) struct Fetcher {
    connector: TlsConnector,
}

impl Fetcher {
    /// Trusts the public authorities, or those in a file alone.
    pub(super) fn new(authority: Option<&Path>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        match authority {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let wrong =
                    || io::Error::new(io::ErrorKind::InvalidData, format!("{}: no certificates", path.display()));
                for certificate in CertificateDer::pem_file_iter(path).map_err(|_| wrong())? {
                    roots.add(certificate.map_err(|_| wrong())?).map_err(|_| wrong())?;
                }
                if roots.is_empty() {
                    return Err(wrong());
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { connector: Arc::new(config).into() })
    }

    /// The document at a place. Whoever sends elsewhere is not followed.
    pub(super) async fn get(&self, url: &SafeUrl) -> Result<Bytes, Unreadable> {
        tokio::time::timeout(PATIENCE, self.get_now(url)).await.unwrap_or(Err(Unreadable::Slow))
    }

    async fn get_now(&self, url: &SafeUrl) -> Result<Bytes, Unreadable> {
        let uri = url.uri();
        let secured = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if secured { 443 } else { 80 });
        let plain = TcpStream::connect((host, port)).await?;
        if secured {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            ask(self.connector.connect(name, plain).await?, url).await
        } else if plain.peer_addr()?.ip().is_loopback() {
            ask(plain, url).await
        } else {
            Err(Unreadable::NotHere)
        }
    }
}

async fn ask(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, url: &SafeUrl) -> Result<Bytes, Unreadable> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await?;
    // Ends with this function, however that ends.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let uri = url.uri();
    let request = Request::get(uri.path_and_query().map_or("/", |it| it.as_str()))
        .header(HOST, uri.authority().map_or("", |it| it.as_str()))
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "aftercare")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(Unreadable::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    Ok(body.map_err(|_| Unreadable::Body)?.to_bytes())
}
