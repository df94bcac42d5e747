//! The way back: keys first, then the data, under its name only once it has been opened with them and checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::shelf::{check_digest, copy_file, draft_in, names, newest, put, sweep};
use super::{At, Fault, Result, check};
use crate::clock::Clock;
use crate::domain::audit::verify::Report;
use crate::domain::backup::{DATA, KEYS};
use crate::domain::statement::PublicKey;
use crate::rng::Rng;
use crate::store::{Db, Keys, Target, create_private_directory, feed, take_turns};
use crate::usecase::call::{Call, disclosed};
use crate::usecase::followup::instrument;
use crate::usecase::world::World;

/// What a directory begins with in which something is being restored.
const DRAFT: &str = ".restoring-";

/// What is restored, and where to.
#[derive(Clone, Debug)]
pub struct Restore {
    /// A copy of the data, or a directory of such copies, of which the newest is taken.
    pub from: PathBuf,
    /// The database file, which does not exist yet.
    pub database: PathBuf,
    /// The keys, which do.
    pub keys: Keys,
    /// By whose heads the audit trail is checked.
    pub trusted: Vec<PublicKey>,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The copy.
    pub from: PathBuf,
    /// When it was taken, if its name says so.
    pub taken_at: Option<DateTime<Utc>>,
    /// Whether its digest was beside it, and checked.
    pub digest: bool,
    /// What the check of its audit trail found.
    pub trail: Report,
}

/// Keys that were put in their place; unless they are kept, they are removed again.
#[derive(Debug, Default)]
pub struct PlacedKeys(Vec<PathBuf>);

impl PlacedKeys {
    /// Leaves them where they are.
    pub fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for PlacedKeys {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = std::fs::remove_file(file);
            // Made by who opened it.
            let _ = std::fs::remove_file(file.with_extension("lock"));
        }
    }
}

/// Copies keys into a data directory that has none: from a copy of them, or the newest of a directory of such copies.
pub async fn place_keys(from: &Path, data_dir: &Path) -> Result<PlacedKeys> {
    let from = match newest(from, KEYS)? {
        Some((_, newest)) => newest,
        None if from.exists() => from.to_path_buf(),
        None => return Err(Fault::Missing(from.to_path_buf())),
    };
    create_private_directory(data_dir).at(data_dir)?;
    let files = names(&from)?;
    if !files.iter().any(|name| name == "keyring.toml") {
        return Err(Fault::Missing(from.join("keyring.toml")));
    }
    if let Some(there) = files.iter().map(|name| data_dir.join(name)).find(|file| file.exists()) {
        return Err(Fault::Exists(there));
    }
    let mut placed = PlacedKeys::default();
    for name in files {
        let to = data_dir.join(&name);
        placed.0.push(to.clone());
        copy_file(&from.join(name), &to).await?;
    }
    Ok(placed)
}

/// Restores the data; every cursor that was given before is at its end then, and the audit trail says what was done.
pub async fn restore(wanted: Restore, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Restored> {
    let Restore { from, database, keys, trusted } = wanted;
    let from = match newest(&from, DATA) {
        Ok(Some((_, newest))) => newest,
        _ if from.is_file() => from,
        _ => return Err(Fault::Missing(from)),
    };
    let directory = database.parent().unwrap_or(&database).to_path_buf();
    create_private_directory(&directory).at(&directory)?;
    // Who starts the service meanwhile waits, and finds it restored.
    let turn = take_turns(&database).await?;
    for there in [database.clone(), PathBuf::from(format!("{}-wal", database.display()))] {
        if there.exists() {
            return Err(Fault::Exists(there));
        }
    }
    sweep(&directory, DRAFT)?;
    let digest = check_digest(&from).await?;
    let draft = draft_in(&directory, DRAFT)?;
    let copy = draft.path().join("aftercare.db");
    copy_file(&from, &copy).await?;
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let trail = check(&copy, trusted).await?;
    begin_again(&copy, &keys, &name, clock, rng).await?;
    put(&copy, database)?;
    drop(turn);
    Ok(Restored { taken_at: DATA.taken_at(&name), from, digest, trail })
}

/// Opens a copy with its keys, and makes it the data that goes on.
async fn begin_again(file: &Path, keys: &Keys, name: &str, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<()> {
    let db = Db::open(&Target::Sqlite(file.to_path_buf()), 2).await?;
    let fit = async {
        db.migrate().await?;
        db.check_keys(keys).await
    };
    if let Err(misfit) = fit.await {
        db.close().await;
        return Err(misfit.into());
    }
    let db = db.unlock(keys, clock.clone(), rng.clone()).await?;
    let world = World::open(db, clock, rng, instrument::catalogue(None)?).await?;
    let adopted = adopt(&world, name).await;
    world.db().close().await;
    adopted
}

/// Makes what was restored, from here or by the database's own tools, the data that goes on: every cursor that was given
/// before is at its end, because what it was given after may never have happened now.
pub async fn adopt(world: &World, from: &str) -> Result<()> {
    let mut tx = world.db().begin_alone().await?;
    feed::outrun(&mut tx).await?;
    tx.commit().await?;
    Ok(disclosed(world, &Call::of_program("restore"), None, [format!("RESTORED {from}")]).await?)
}
