//! Bearer tokens, which say who calls, by the service's own issuer or by a provider (implements
//! [`crate::usecase::call::Authenticator`]); and the keys of signatures under statements and under heads of the audit
//! trail.

mod audit;
mod builtin;
mod key_file;
mod memory;
mod oidc;
mod statement;

use std::path::{Path, PathBuf};

pub use audit::{audit_key, known_audit_key};
pub use builtin::{Builtin, Grant, LONGEST_LIFE};
pub use oidc::{Provider, reach};
pub use statement::StatementKey;

/// The files of keys in a data directory that are made when they are needed.
pub fn key_files(directory: &Path) -> Vec<PathBuf> {
    [audit::KEY_FILE, builtin::KEY_FILE, statement::KEY_FILE].map(|name| directory.join(name)).into()
}
