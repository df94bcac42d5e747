//! Copies of the data and of the keys of an SQLite installation, made while it serves; and the way back.
//!
//! The two go to places of their own. Of the data several copies are kept; of the keys the newest alone, because whoever
//! was erased since an older one would be readable by it. Data is copied before keys: a client's key is written before the
//! client, so no copy of the data needs a key that the keys copied after it lack. Each copy is opened and checked before
//! it gets its name, and it is on disk when it has it. PostgreSQL has tools of its own.

mod keys;
mod restore;
mod shelf;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

pub use shelf::room;

pub use restore::{PlacedKeys, Restore, Restored, adopt, place_keys, restore};

use self::shelf::Shelf;
use crate::domain::audit::verify::Report;
use crate::domain::backup::{DATA, KEYS, Plan};
use crate::domain::statement::PublicKey;
use crate::store::{self, Db, Target, backup};
use crate::usecase::audit;
use crate::usecase::followup::instrument::Unusable;

/// What is copied, and where to.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The installation.
    pub source: Source,
    /// Where copies of the data go.
    pub to: Option<PathBuf>,
    /// Where the newest copy of the keys goes.
    pub keys_to: Option<PathBuf>,
    /// How often, and how many are kept.
    pub plan: Plan,
}

/// The files of an installation.
#[derive(Clone, Debug)]
pub struct Source {
    /// The data.
    pub database: Target,
    /// The key store.
    pub key_store: Target,
    /// The keyring and the other keys, as far as there are such files.
    pub key_files: Vec<PathBuf>,
    /// By whose heads the audit trail is checked.
    pub trusted: Vec<PublicKey>,
}

/// Copies that were made.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Of the data.
    pub data: Option<Data>,
    /// Of the keys.
    pub keys: Option<PathBuf>,
    /// How many older copies of the data were removed.
    pub removed: usize,
}

/// A copy of the data.
#[derive(Clone, Debug)]
pub struct Data {
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What the check of its audit trail found.
    pub trail: Report,
}

/// Why something cannot be copied or restored.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file or directory.
    #[error("cannot use {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// Not ours to copy.
    #[error("PostgreSQL is copied and restored with its own tools (pg_dump, or a standby and its log): see the README")]
    Server,
    /// Nothing to copy.
    #[error("there is no {0}")]
    Missing(PathBuf),
    /// Nowhere to copy to.
    #[error("say where to: --to for the data, --keys-to for the keys")]
    Nowhere,
    /// Another process copies to the same place.
    #[error("another backup is being made in {0}")]
    Busy(PathBuf),
    /// Whoever has the backup of the data would have the keys too.
    #[error("{0} and {1} must not lie in one another: whoever gets the copies of the data would get the keys")]
    Together(PathBuf, PathBuf),
    /// A full disk would stop the service.
    #[error("{place} has {free} bytes left, and a copy may need {needed}")]
    Full {
        /// Where.
        place: PathBuf,
        /// How many are left.
        free: u64,
        /// How many it takes.
        needed: u64,
    },
    /// A file that is not what it should be.
    #[error("{0} is damaged: {1}")]
    Damaged(PathBuf, String),
    /// What is there is never written over.
    #[error("there is {0} already: move it away first, or choose another --data-dir")]
    Exists(PathBuf),
    /// The database, or its keys.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The world that is restored.
    #[error(transparent)]
    World(#[from] crate::usecase::Error),
    /// The built-in instruments, which every world has.
    #[error(transparent)]
    Instruments(#[from] Unusable),
}

type Result<T> = std::result::Result<T, Fault>;

/// Names the file that something could not be done with.
trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Fault::File(path.to_path_buf(), error))
    }
}

/// Makes the copies for which it is time: if only the other kind could be made last time, that one is not made again.
/// Whoever finds that another process makes them leaves it to that one.
pub async fn take_if_due(wanted: &Backup, now: DateTime<Utc>) -> Result<Option<Taken>> {
    let due = |place: &Option<PathBuf>, kind| -> Result<Option<PathBuf>> {
        let Some(place) = place else { return Ok(None) };
        let newest = shelf::newest(place, kind)?.map(|(taken_at, _)| taken_at);
        Ok(Some(place.clone()).filter(|_| wanted.plan.is_due(newest, now)))
    };
    let (to, keys_to) = (due(&wanted.to, DATA)?, due(&wanted.keys_to, KEYS)?);
    if to.is_none() && keys_to.is_none() {
        return Ok(None);
    }
    match take(&Backup { to, keys_to, ..wanted.clone() }, now).await {
        Err(Fault::Busy(_)) => Ok(None),
        taken => taken.map(Some),
    }
}

/// When the newest copy of the data was made, if there is one.
pub fn last(wanted: &Backup) -> Result<Option<DateTime<Utc>>> {
    let newest = wanted.to.as_deref().map(|to| shelf::newest(to, DATA)).transpose()?.flatten();
    Ok(newest.map(|(taken_at, _)| taken_at))
}

/// Makes copies, and removes those that are too many.
pub async fn take(wanted: &Backup, now: DateTime<Utc>) -> Result<Taken> {
    let source = &wanted.source;
    // Nothing is made where there is nothing to copy.
    wanted.to.as_ref().map(|_| file_of(&source.database)).transpose()?;
    wanted.keys_to.as_ref().map(|_| file_of(&source.key_store)).transpose()?;
    let data = wanted.to.as_deref().map(Shelf::open).transpose()?;
    let keys = wanted.keys_to.as_deref().map(Shelf::open).transpose()?;
    match (&data, &keys) {
        (None, None) => return Err(Fault::Nowhere),
        (Some(data), Some(keys)) => apart(data.place(), keys.place())?,
        _ => {}
    }
    let mut taken = Taken { data: None, keys: None, removed: 0 };
    if let Some(shelf) = data {
        taken.data = Some(copy_data(source, &shelf, now).await?);
        taken.removed = shelf.prune(&wanted.plan, now)?;
    }
    if let Some(shelf) = keys {
        taken.keys = Some(keys::copy(source, &shelf, now).await?);
    }
    Ok(taken)
}

fn apart(one: &Path, other: &Path) -> Result<()> {
    let together = one.starts_with(other) || other.starts_with(one);
    if together { Err(Fault::Together(one.to_path_buf(), other.to_path_buf())) } else { Ok(()) }
}

async fn copy_data(source: &Source, shelf: &Shelf, now: DateTime<Utc>) -> Result<Data> {
    let from = file_of(&source.database)?;
    shelf.check_room(&[from])?;
    let draft = shelf.draft()?;
    let copy = draft.path().join("aftercare.db");
    backup::copy(from, &copy).await?;
    let trail = check(&copy, source.trusted.clone()).await?;
    let file = shelf.put_file(&copy, &DATA.name(now)).await?;
    let bytes = std::fs::metadata(&file).at(&file)?.len();
    Ok(Data { file, bytes, trail })
}

/// The file of a database that is one.
fn file_of(target: &Target) -> Result<&Path> {
    match target {
        Target::Postgres(_) => Err(Fault::Server),
        Target::Sqlite(file) if file.exists() => Ok(file),
        Target::Sqlite(file) => Err(Fault::Missing(file.clone())),
    }
}

/// Opens a copy of the data, which must be whole, and checks its audit trail.
async fn check(file: &Path, trusted: Vec<PublicKey>) -> Result<Report> {
    if let Some(first) = backup::faults(file).await?.into_iter().next() {
        return Err(Fault::Damaged(file.to_path_buf(), first));
    }
    let db = Db::open(&Target::Sqlite(file.to_path_buf()), 2).await?;
    let trail = audit::verify_whole(&db, trusted, None).await;
    db.close().await;
    Ok(trail?)
}
