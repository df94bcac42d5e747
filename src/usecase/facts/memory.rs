//! Directories in the memory of this process.
//!
//! What is remembered is never believed: every transaction reads the versions of the directories it uses, by one small
//! statement of its own, and reads anew what has another. So a change that any process has committed is seen by the very
//! next transaction, and what is kept here is nothing but what a version stands for. That also makes it harmless to keep
//! what a transaction has read of its own changes: until they are committed nobody else finds their version, and when they
//! are undone nobody ever does.
//!
//! Whoever places a session reads the versions after locking the rule facts (`Wanted::scene`): who has changed one of
//! them before has committed, so that its version is another, and who is about to waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::directory::{Directories, Directory};
use crate::domain::ids::{OrganisationId, VenueId};
use crate::store::{self, Tx, directory, directory_version};
use crate::usecase::error::{Error, Result};
use crate::usecase::world::World;

/// So many organisations are remembered at most. \[P\]
const MOST_ORGANISATIONS: usize = 256;
/// So many rows are, a few hundred bytes each. \[P\]
const MOST_ROWS: usize = 200_000;

/// The directories that were used last.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    directories: BTreeMap<OrganisationId, (u64, Arc<Directory>)>,
    rows: usize,
    uses: u64,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: OrganisationId) -> Option<Arc<Directory>> {
        let mut kept = self.kept();
        kept.uses += 1;
        let uses = kept.uses;
        let (used, directory) = kept.directories.get_mut(&id)?;
        *used = uses;
        Some(directory.clone())
    }

    fn keep(&self, directory: Arc<Directory>) {
        self.kept().keep(directory, MOST_ORGANISATIONS, MOST_ROWS);
    }
}

impl Kept {
    /// Keeps one instead of whatever was used the longest time ago.
    fn keep(&mut self, directory: Arc<Directory>, most: usize, most_rows: usize) {
        self.uses += 1;
        self.rows += directory.rows();
        let before = self.directories.insert(directory.id(), (self.uses, directory));
        self.rows -= before.map_or(0, |(_, before)| before.rows());
        while self.directories.len() > most || self.rows > most_rows {
            let oldest = self.directories.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            let Some((_, oldest)) = oldest.and_then(|id| self.directories.remove(&id)) else { return };
            self.rows -= oldest.rows();
        }
    }
}

/// How often a directory is read that somebody changes meanwhile.
const LOOKS: usize = 8;

impl Directories {
    /// The directories of an organisation and of those whose venues are named.
    pub async fn around(
        world: &World,
        tx: &mut Tx,
        organisation_id: OrganisationId,
        venues: impl IntoIterator<Item = VenueId>,
    ) -> Result<Self> {
        let own = Self::of(world, tx, [organisation_id]).await?;
        let others: Vec<VenueId> = venues.into_iter().filter(|id| own.venue(*id).is_none()).collect();
        if others.is_empty() {
            return Ok(own);
        }
        // Whose a venue is, and its site, never changes.
        let owners = directory::owners_of(tx, organisation_id, &others).await?;
        Self::of(world, tx, owners.into_iter().chain([organisation_id])).await
    }

    /// The directories of organisations, and of those whose venues and sites they use.
    pub async fn of(
        world: &World,
        tx: &mut Tx,
        organisations: impl IntoIterator<Item = OrganisationId>,
    ) -> Result<Self> {
        let wanted: BTreeSet<OrganisationId> = organisations.into_iter().collect();
        let remembered = wanted.iter().filter_map(|id| world.directories().find(*id));
        let mut all: BTreeSet<_> = remembered.flat_map(|it| it.beside().clone()).collect();
        all.extend(&wanted);
        for _ in 0..LOOKS {
            let Some(found) = read(world, tx, &all).await? else { continue };
            let before = all.len();
            all.extend(found.iter().filter(|it| wanted.contains(&it.id())).flat_map(|it| it.beside()));
            if all.len() == before {
                return Ok(found.into_iter().collect());
            }
        }
        Err(Error::Unavailable(store::Error::Conflict))
    }
}

/// The directories of organisations as they are at one instant; none when they did not hold still for long enough.
async fn read(world: &World, tx: &mut Tx, ids: &BTreeSet<OrganisationId>) -> Result<Option<Vec<Arc<Directory>>>> {
    let versions = directory_version::of(tx, ids).await?;
    let (mut all, mut anew) = (Vec::with_capacity(versions.len()), Vec::new());
    for (id, version) in &versions {
        match world.directories().find(*id).filter(|it| it.version() == *version) {
            Some(directory) => all.push(directory),
            None => anew.extend(Directory::load(tx, *id, *version).await?.map(Arc::new)),
        }
    }
    // The statements of a transaction that writes may see one state each.
    if !anew.is_empty() && directory_version::of(tx, ids).await? != versions {
        return Ok(None);
    }
    for directory in anew {
        world.directories().keep(directory.clone());
        all.push(directory);
    }
    Ok(Some(all))
}

#[cfg(test)]
mod tests;
