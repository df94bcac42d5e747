//! What TLS is spoken with: certificate, key and the authorities of clients, read again while the service runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::chain::chain;
use crate::config::Tls;

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A file cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    /// A file has not in it what it should.
    #[error("{0} has no {1} in PEM form")]
    Content(PathBuf, &'static str, #[source] pem::Error),
    /// The private key lies open.
    #[error("refusing the private key {0}: its mode is {1:o}, and others may read or change it; make it 0600")]
    Open(PathBuf, u32),
    /// They do not fit together.
    #[error("certificate, key and authorities do not fit together")]
    Unfit(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Files of TLS, and what was last read from them that can be used.
pub struct Certificates {
    files: Tls,
    current: RwLock<Arc<ServerConfig>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What is in the files.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authority: Option<Vec<u8>>,
}

impl Certificates {
    /// Reads the files, all of which must be good.
    pub fn open(files: Tls) -> Result<Self, Unusable> {
        let current = RwLock::new(Arc::new(config(&files, &Contents::read(&files)?)?));
        Ok(Self { files, current })
    }

    /// What to speak with on a new connection.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up what the files say when they change, or on SIGHUP, for ever. What cannot be used changes nothing but
    /// the log. Connections that stand go on with what they began with.
    pub async fn follow(&self) {
        let mut hangups = Hangups::new();
        let mut seen = digest(&Contents::read(&self.files));
        loop {
            let asked = tokio::select! {
                () = sleep(self.files.looks_every) => false,
                () = hangups.next() => true,
            };
            let contents = Contents::read(&self.files);
            let now = digest(&contents);
            if asked || now != seen {
                self.take_up(contents);
            }
            seen = now;
        }
    }

    fn take_up(&self, contents: Result<Contents, Unusable>) {
        match contents.and_then(|it| config(&self.files, &it)) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!("serving with the certificate that is in the file now");
            }
            Err(error) => {
                let error = chain(&error);
                tracing::error!(error, "the files of TLS cannot be used; serving with the certificate from before");
            }
        }
    }
}

impl Contents {
    fn read(files: &Tls) -> Result<Self, Unusable> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| Unusable::Read(path.into(), error));
        check_mode(&files.key)?;
        let authority = files.client_authority.as_deref().map(read).transpose()?;
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)?, authority })
    }
}

/// By which a change is noticed without keeping the key. Of files that cannot be read, why not.
fn digest(contents: &Result<Contents, Unusable>) -> Vec<u8> {
    let Ok(contents) = contents.as_ref().map_err(ToString::to_string) else {
        return contents.as_ref().err().map(ToString::to_string).unwrap_or_default().into_bytes();
    };
    let mut digest = Sha256::new();
    for part in [Some(&contents.certificate), Some(&contents.key), contents.authority.as_ref()].into_iter().flatten() {
        digest.update(Sha256::digest(part));
    }
    digest.finalize().to_vec()
}

/// TLS 1.2 or 1.3, HTTP/2 or 1.1.
fn config(files: &Tls, contents: &Contents) -> Result<ServerConfig, Unusable> {
    let unfit = |error: rustls::Error| Unusable::Unfit(error.into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(unfit)?;
    let builder = match (&contents.authority, &files.client_authority) {
        (Some(text), Some(path)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path, text)? {
                roots.add(certificate).map_err(unfit)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| Unusable::Unfit(error.into()))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::from_pem_slice(&contents.key);
    let key = key.map_err(|error| Unusable::Content(files.key.clone(), "private key", error))?;
    let chain = certificates(&files.certificate, &contents.certificate)?;
    let mut config = builder.with_single_cert(chain, key).map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let wrong = |error| Unusable::Content(path.into(), "certificate", error);
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let all = all.map_err(wrong)?;
    if all.is_empty() { Err(wrong(pem::Error::NoItemsFound)) } else { Ok(all) }
}

/// A group may read it, as the web servers of one machine do; nobody else may, and nobody else may change it.
#[cfg(unix)]
fn check_mode(key: &Path) -> Result<(), Unusable> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(key).map_err(|error| Unusable::Read(key.into(), error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o027 == 0 { Ok(()) } else { Err(Unusable::Open(key.into(), mode)) }
}

#[cfg(not(unix))]
fn check_mode(_key: &Path) -> Result<(), Unusable> {
    Ok(())
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal {
            signal.recv().await;
            return;
        }
        std::future::pending().await
    }
}
