//! The key with which this process signs the heads of the audit trail, in its data directory.

use std::io;
use std::path::Path;

use super::key_file::KeyFile;
use crate::domain::statement::SigningKey;
use crate::rng::Rng;

pub(super) const KEY_FILE: &str = "audit.key";

/// The key of a data directory; made if there is none.
pub fn audit_key(directory: &Path, rng: &dyn Rng) -> io::Result<SigningKey> {
    KeyFile::new(directory, KEY_FILE).open(rng).map(SigningKey::from)
}

/// The key of a data directory, if it has one: for who only checks.
pub fn known_audit_key(directory: &Path) -> io::Result<Option<SigningKey>> {
    Ok(KeyFile::new(directory, KEY_FILE).find()?.map(SigningKey::from))
}
