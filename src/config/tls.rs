//! What the service shows to prove who it is, and whom it asks for the same.

use std::path::PathBuf;
use std::time::Duration;

/// How often the files are looked at: reading a few kilobytes costs nothing, and who has just replaced a certificate
/// waits to see it. \[P\]
pub const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// The files of TLS, all PEM. They may be replaced while the service runs.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate, followed by those that lead from it to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who vouches for clients; when named, a client without a certificate of theirs is refused.
    pub client_authority: Option<PathBuf>,
    /// How often the files are looked at.
    pub looks_every: Duration,
}
