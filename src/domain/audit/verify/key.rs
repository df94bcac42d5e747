//! The keys by which heads are checked, and where they are known from.

use super::Fault;
use crate::domain::statement::{Kid, PublicKey};

/// Where a key is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// From a file, or the process's own: whoever has only the database cannot have changed it.
    Elsewhere,
    /// From the database alone: whoever changed the chain may have put it there.
    Here,
}

/// The keys of a check.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    trusted: Vec<(Kid, PublicKey)>,
    stored: Vec<(Kid, PublicKey)>,
    misnamed: Vec<String>,
}

impl Anchors {
    /// Keys that are trusted, and those of the database: name and bytes.
    pub fn new(trusted: impl IntoIterator<Item = PublicKey>, stored: &[(String, Vec<u8>)]) -> Self {
        let mut it = Self { trusted: trusted.into_iter().map(|key| (key.kid(), key)).collect(), ..Self::default() };
        for (name, bytes) in stored {
            match PublicKey::from_bytes(bytes) {
                Some(key) if key.kid().as_str() == name => it.stored.push((key.kid(), key)),
                _ => it.misnamed.push(name.clone()),
            }
        }
        it
    }

    /// The names of the keys that are trusted.
    pub fn trusted(&self) -> impl Iterator<Item = &Kid> {
        self.trusted.iter().map(|(kid, _)| kid)
    }

    /// Whether the database has this key.
    pub fn stores(&self, kid: &Kid) -> bool {
        self.stored.iter().any(|(name, _)| name == kid)
    }

    /// The key of a name.
    pub fn find(&self, kid: &Kid) -> Option<(PublicKey, Known)> {
        let named = |keys: &[(Kid, PublicKey)]| keys.iter().find(|(name, _)| name == kid).map(|(_, key)| *key);
        let trusted = named(&self.trusted).map(|key| (key, Known::Elsewhere));
        trusted.or_else(|| named(&self.stored).map(|key| (key, Known::Here)))
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        self.misnamed.iter().map(|name| Fault::KeyForged { name: name.clone() }).collect()
    }
}
