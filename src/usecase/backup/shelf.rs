//! A directory of copies: one process at a time puts them there, complete and on disk, under names that say when they
//! were taken.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{At, Fault, Result};
use crate::domain::backup::{DATA, Kind, Plan};
use crate::store::create_private_directory;

/// What a directory of something unfinished begins with. Whoever has the lock removes what others left behind.
const DRAFT: &str = ".unfinished-";
/// What the file with the digest of a copy ends in.
const DIGEST: &str = "sha256";
/// What must be left on a disk beside a copy. \[P\]
const LEFT_OVER: u64 = 64 << 20;

/// A directory of copies that nobody else writes to meanwhile.
#[derive(Debug)]
pub(super) struct Shelf {
    place: PathBuf,
    _lock: File,
}

impl Shelf {
    /// Opens a directory, made if it is missing so that only its owner can enter it.
    pub(super) fn open(place: &Path) -> Result<Self> {
        create_private_directory(place).at(place)?;
        let place = place.canonicalize().at(place)?;
        let lock_file = place.join(".lock");
        let lock = File::options().create(true).append(true).open(&lock_file).at(&lock_file)?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(Fault::Busy(place)),
            Err(TryLockError::Error(error)) => return Err(Fault::File(lock_file, error)),
            Ok(()) => {}
        }
        sweep(&place, DRAFT)?;
        Ok(Self { place, _lock: lock })
    }

    /// Where it is.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// A directory for something unfinished, removed with what is then still in it.
    pub(super) fn draft(&self) -> Result<TempDir> {
        draft_in(&self.place, DRAFT)
    }

    /// Checks that copies of files fit: a disk that is full would stop whoever else writes there.
    pub(super) fn check_room(&self, files: &[&Path]) -> Result<()> {
        let mut needed = LEFT_OVER;
        for file in files {
            // What is in the log beside it may be in the copy too.
            for part in [file.to_path_buf(), PathBuf::from(format!("{}-wal", file.display()))] {
                needed += part.metadata().map_or(0, |it| it.len());
            }
        }
        match room(&self.place) {
            Some(free) if free < needed => Err(Fault::Full { place: self.place.clone(), free, needed }),
            _ => Ok(()),
        }
    }

    /// Puts a finished file here, with its digest beside it.
    pub(super) async fn put_file(&self, file: &Path, name: &str) -> Result<PathBuf> {
        let (from, to) = (file.to_path_buf(), self.place.join(name));
        blocking(move || {
            let digest = digest(&from)?;
            let beside = beside(&to);
            let mut text = File::create(&beside).at(&beside)?;
            let line = format!("{digest}  {}\n", to.file_name().unwrap_or_default().display());
            text.write_all(line.as_bytes()).and_then(|()| text.sync_all()).at(&beside)?;
            put(&from, to)
        })
        .await
    }

    /// Puts a finished directory here, and removes those of its kind that were there before.
    pub(super) async fn put_only(&self, draft: TempDir, name: &str, kind: Kind) -> Result<PathBuf> {
        let (from, to, place) = (draft.keep(), self.place.join(name), self.place.clone());
        blocking(move || {
            for name in names(&from)? {
                let file = from.join(name);
                File::open(&file).and_then(|it| it.sync_all()).at(&file)?;
            }
            let to = put(&from, to)?;
            for (_, older) in taken(&place, kind)?.iter().filter(|(_, path)| *path != to) {
                fs::remove_dir_all(older).at(older)?;
            }
            Ok(to)
        })
        .await
    }

    /// Removes the copies of the data that are too many; how many those were.
    pub(super) fn prune(&self, plan: &Plan, made: DateTime<Utc>) -> Result<usize> {
        let all = taken(&self.place, DATA)?;
        let made = DATA.taken_at(&DATA.name(made)).unwrap_or(made);
        let instants: Vec<_> = all.iter().map(|(at, _)| *at).collect();
        let surplus = plan.surplus(&instants, made);
        for (_, file) in all.iter().filter(|(at, _)| surplus.contains(at)) {
            fs::remove_file(file).at(file)?;
            // One that was put there by hand has none.
            let _ = fs::remove_file(beside(file));
        }
        Ok(surplus.len())
    }
}

/// A directory for something unfinished, which its owner alone can enter.
pub(super) fn draft_in(place: &Path, prefix: &str) -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix(prefix).tempdir_in(place).at(place)
}

/// Removes what was left unfinished in a directory. Whoever does so knows that nobody is at it.
pub(super) fn sweep(place: &Path, prefix: &str) -> Result<()> {
    for name in names(place)?.iter().filter(|name| name.starts_with(prefix)) {
        fs::remove_dir_all(place.join(name)).at(place)?;
    }
    Ok(())
}

/// The newest copy of a kind in a directory, if there is one.
pub(super) fn newest(place: &Path, kind: Kind) -> Result<Option<(DateTime<Utc>, PathBuf)>> {
    if !place.exists() {
        return Ok(None);
    }
    Ok(taken(place, kind)?.into_iter().max())
}

/// Checks a file by the digest beside it; whether there is one.
pub(super) async fn check_digest(file: &Path) -> Result<bool> {
    let file = file.to_path_buf();
    blocking(move || {
        let told = match fs::read_to_string(beside(&file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            told => told.at(&beside(&file))?,
        };
        let told = told.split_whitespace().next().unwrap_or_default();
        if told != digest(&file)? {
            return Err(Fault::Damaged(file, "its SHA-256 is not the one beside it".into()));
        }
        Ok(true)
    })
    .await
}

/// Copies a file so that its owner alone can read the copy, which is on disk then. Nothing is written over.
pub(super) async fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (from.to_path_buf(), to.to_path_buf());
    blocking(move || {
        let mut source = File::open(&from).at(&from)?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut copy = options.open(&to).at(&to)?;
        io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all()).at(&to)
    })
    .await
}

/// Gives something its name, for good.
pub(super) fn put(from: &Path, to: PathBuf) -> Result<PathBuf> {
    File::open(from).and_then(|it| it.sync_all()).at(from)?;
    fs::rename(from, &to).at(&to)?;
    let place = to.parent().unwrap_or(&to);
    File::open(place).and_then(|it| it.sync_all()).at(place)?;
    Ok(to)
}

/// The names in a directory, as far as they can be names of ours.
pub(super) fn names(place: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(place).at(place)?;
    let names: io::Result<Vec<_>> = entries.map(|entry| entry.map(|it| it.file_name())).collect();
    Ok(names.at(place)?.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

fn taken(place: &Path, kind: Kind) -> Result<Vec<(DateTime<Utc>, PathBuf)>> {
    let of_kind = |name: String| Some((kind.taken_at(&name)?, place.join(name)));
    Ok(names(place)?.into_iter().filter_map(of_kind).collect())
}

fn beside(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.{DIGEST}", file.display()))
}

fn digest(file: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    File::open(file).and_then(|mut it| io::copy(&mut it, &mut hasher)).at(file)?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// How many bytes may still be written to where a directory is, if that can be known.
pub fn room(directory: &Path) -> Option<u64> {
    #[cfg(target_os = "linux")]
    return rustix::fs::statvfs(directory).ok().map(|it| it.f_bavail.saturating_mul(it.f_frsize));
    #[cfg(not(target_os = "linux"))]
    return None;
}

/// Does what waits for a disk where nobody waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(gone) => std::panic::resume_unwind(gone.into_panic()),
    }
}
