//! The keyring: the keys that wrap all others, kept apart from both databases.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use uuid::Uuid;

use super::cipher::Key;

/// The keys of a keyring, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Ring(Vec<(Uuid, Key)>);

impl Ring {
    /// The key of an id.
    pub fn get(&self, id: Uuid) -> Option<&Key> {
        self.0.iter().find(|it| it.0 == id).map(|it| &it.1)
    }

    /// Every key, oldest first.
    pub fn keys(&self) -> &[(Uuid, Key)] {
        &self.0
    }

    /// Puts a key in as the newest.
    pub fn add(&mut self, id: Uuid, key: Key) {
        self.0.push((id, key));
    }

    /// Takes a key out, for good.
    pub fn remove(&mut self, id: Uuid) {
        self.0.retain(|it| it.0 != id);
    }
}

/// Where the wrapping keys are kept. It may read and write files, or ask another machine.
pub trait Keyring: Debug + Send + Sync {
    /// Where that is, for people.
    fn place(&self) -> String;

    /// The keys; nothing when there is no keyring.
    fn load(&self) -> io::Result<Option<Ring>>;

    /// Changes the keys, or makes the keyring; nobody else does meanwhile. Gives what is kept from now on.
    fn change(&self, change: &mut dyn FnMut(&mut Ring)) -> io::Result<Ring>;
}

/// A keyring in a file that its owner alone can read. It is under its name only once it is complete.
#[derive(Clone, Debug)]
pub struct KeyringFile(PathBuf);

/// What stands above the keys.
const HEAD: &str = "# The keys of this installation. Whoever has this file and the key store can read everything; without it,\n\
                    # nobody can. Keep a copy of it in another place than the backups of the databases.\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    key: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Uuid,
    secret: SecretString,
}

impl KeyringFile {
    /// The keyring of a data directory.
    pub fn new(directory: &Path) -> Self {
        Self(directory.join("keyring.toml"))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Under its name only once it is on disk.
    fn write(&self, ring: &Ring) -> io::Result<()> {
        let mut text = Zeroizing::new(String::with_capacity(HEAD.len() + ring.0.len() * 128));
        text.push_str(HEAD);
        for (id, key) in &ring.0 {
            let secret = Zeroizing::new(STANDARD.encode(key.expose()));
            for part in ["\n[[key]]\nid = \"", &id.to_string(), "\"\nsecret = \"", &secret, "\"\n"] {
                text.push_str(part);
            }
        }
        let temporary = self.0.with_extension("toml.new");
        let mut file = private(OpenOptions::new().write(true).create(true).truncate(true), &temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &self.0)?;
        match self.0.parent() {
            Some(directory) => File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Keyring for KeyringFile {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn load(&self) -> io::Result<Option<Ring>> {
        let mut file = match File::open(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        refuse_readable(&file)?;
        let mut text = Zeroizing::new(String::new());
        io::Read::read_to_string(&mut file, &mut text)?;
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it does not have the form of a keyring");
        // The parser's own words would quote the file.
        let text: Text = toml::from_str(&text).map_err(|_| wrong())?;
        let mut ring = Ring::default();
        for entry in text.key {
            let bytes = Zeroizing::new(STANDARD.decode(entry.secret.expose_secret()).map_err(|_| wrong())?);
            ring.add(entry.id, Key::of(&bytes).ok_or_else(wrong)?);
        }
        Ok(Some(ring))
    }

    fn change(&self, change: &mut dyn FnMut(&mut Ring)) -> io::Result<Ring> {
        let lock = private(OpenOptions::new().append(true).create(true), &self.0.with_extension("lock"))?;
        lock.lock()?;
        let mut ring = self.load()?.unwrap_or_default();
        change(&mut ring);
        self.write(&ring)?;
        Ok(ring)
    }
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// A keyring that others can read is one that others may have read.
fn refuse_readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 != 0 {
        let says = "others may read it: make it readable by its owner alone (chmod 600), and rotate the keys";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, says));
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
