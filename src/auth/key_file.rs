//! Private keys in the data directory: one file each, PKCS #8, readable by its owner alone, and under its
//! name only once it is complete.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};

use crate::rng::Rng;

/// A private key and where it is kept.
#[derive(Clone, Debug)]
pub(super) struct KeyFile {
    directory: PathBuf,
    name: &'static str,
}

impl KeyFile {
    /// The file of this name, whether or not there is one yet.
    pub(super) fn new(directory: &Path, name: &'static str) -> Self {
        Self { directory: directory.to_path_buf(), name }
    }

    /// The key in the file; whoever comes first makes it.
    pub(super) fn open(&self, rng: &dyn Rng) -> io::Result<SigningKey> {
        if let Some(key) = self.find()? {
            return Ok(key);
        }
        self.create(&fresh(rng), rng)?;
        self.find()?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The key in the file, if there is one.
    pub(super) fn find(&self) -> io::Result<Option<SigningKey>> {
        let path = self.path();
        let der = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a key", path.display()));
        SigningKey::from_pkcs8_der(&der).map(Some).map_err(wrong)
    }

    /// Puts another key in the place of the one there is, which is gone then.
    pub(super) fn replace(&self, key: &SigningKey, rng: &dyn Rng) -> io::Result<()> {
        let temporary = self.write(key, rng)?;
        fs::rename(&temporary, self.path()).inspect_err(|_| drop(fs::remove_file(&temporary)))
    }

    /// Gives a complete file its name, if the name is free: of two that start together, one wins and both use
    /// the winner's.
    fn create(&self, key: &SigningKey, rng: &dyn Rng) -> io::Result<()> {
        let temporary = self.write(key, rng)?;
        let linked = fs::hard_link(&temporary, self.path());
        fs::remove_file(&temporary)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn write(&self, key: &SigningKey, rng: &dyn Rng) -> io::Result<PathBuf> {
        let der = key.to_pkcs8_der().map_err(io::Error::other)?;
        let mut suffix = [0; 8];
        rng.fill(&mut suffix);
        let temporary = self.directory.join(format!("{}.{:016x}", self.name, u64::from_be_bytes(suffix)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(der.as_bytes())?;
        file.sync_all()?;
        Ok(temporary)
    }

    fn path(&self) -> PathBuf {
        self.directory.join(self.name)
    }
}

/// A key that nobody has yet.
pub(super) fn fresh(rng: &dyn Rng) -> SigningKey {
    let mut seed = [0; 32];
    rng.fill(&mut seed);
    SigningKey::from_bytes(&seed)
}
