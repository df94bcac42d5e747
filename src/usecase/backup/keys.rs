//! A copy of the keys, in which those that wrap and those that are wrapped belong together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::shelf::{Shelf, copy_file};
use super::{Result, Source, file_of};
use crate::domain::backup::KEYS;
use crate::store::keyring::KeyringFile;
use crate::store::{self, Keys, Target, backup, check_keys};

/// How often it is begun anew, when somebody rotates keys meanwhile. \[P\]
const ATTEMPTS: usize = 3;

/// Copies the keys, and removes older copies.
pub(super) async fn copy(source: &Source, shelf: &Shelf, now: DateTime<Utc>) -> Result<PathBuf> {
    let store = file_of(&source.key_store)?;
    shelf.check_room(&[store])?;
    let mut attempt = 1;
    loop {
        let draft = shelf.draft()?;
        match copy_into(source, store, draft.path()).await {
            Err(super::Fault::Store(store::Error::Keys(_))) if attempt < ATTEMPTS => attempt += 1,
            copied => {
                copied?;
                return shelf.put_only(draft, &KEYS.name(now), KEYS).await;
            }
        }
    }
}

/// The keyring comes last: what wraps is there before anything is wrapped with it.
async fn copy_into(source: &Source, store: &Path, to: &Path) -> Result<()> {
    let copy = to.join("keys.db");
    backup::copy(store, &copy).await?;
    for file in source.key_files.iter().filter(|file| file.exists()) {
        copy_file(file, &to.join(file.file_name().unwrap_or_default())).await?;
    }
    let keys = Keys { store: Target::Sqlite(copy.clone()), keyring: Arc::new(KeyringFile::new(to)) };
    check_keys(&keys).await?;
    // Made by who opened it.
    let _ = std::fs::remove_file(copy.with_extension("lock"));
    Ok(())
}
