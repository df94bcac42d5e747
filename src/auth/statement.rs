//! The key with which this process signs statements of compliance, in its data directory.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::key_file::{KeyFile, fresh};
use crate::domain::statement::SigningKey;
use crate::rng::Rng;
use crate::usecase::statement::Keyring;

pub(super) const KEY_FILE: &str = "statement.key";

/// The key in the data directory. It is read each time that something is signed: the file has fewer than a
/// hundred bytes, so nothing is gained by remembering it, and whatever was put there last is what signs.
#[derive(Clone, Debug)]
pub struct StatementKey {
    file: KeyFile,
    rng: Arc<dyn Rng>,
}

impl StatementKey {
    /// The key of a data directory.
    pub fn new(directory: &Path, rng: Arc<dyn Rng>) -> Self {
        Self { file: KeyFile::new(directory, KEY_FILE), rng }
    }
}

impl Keyring for StatementKey {
    fn current(&self) -> io::Result<SigningKey> {
        self.file.open(self.rng.as_ref()).map(SigningKey::from)
    }

    fn fresh(&self) -> SigningKey {
        fresh(self.rng.as_ref()).into()
    }

    fn replace(&self, with: &SigningKey) -> io::Result<()> {
        self.file.replace(with.as_ref(), self.rng.as_ref())
    }
}
