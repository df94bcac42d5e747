//! Instruments: which there are.

use std::path::{Path, PathBuf};

use crate::domain::instrument::{Broken, Catalogue, Instrument};
use crate::usecase::world::World;

/// Why instruments cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The directory, or a file in it, cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// A file is no instrument.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// The instruments that are built in and, by name, those that the `.toml` files of a directory add.
pub fn catalogue(directory: Option<&Path>) -> Result<Catalogue, Unusable> {
    let files = match directory {
        Some(directory) => files(directory).map_err(|error| Unusable::Read(directory.into(), error))?,
        None => Vec::new(),
    };
    let mut extra = Vec::with_capacity(files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| Unusable::Read(file.clone(), error))?;
        extra.push((file.display().to_string(), text));
    }
    let extra: Vec<_> = extra.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    Ok(Catalogue::with(&extra)?)
}

fn files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(directory)?.map(|entry| entry.map(|it| it.path()));
    let mut files: Vec<_> = paths.collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|it| it == "toml"));
    files.sort();
    Ok(files)
}

/// The newest version of each instrument, by code; at an age, of those that somebody may answer.
pub fn list_instruments(world: &World, age: Option<u32>) -> Vec<&Instrument> {
    let mut all: Vec<_> = world.instruments().current().filter(|it| age.is_none_or(|age| it.is_for_age(age))).collect();
    all.sort_by_key(|it| &it.code);
    all
}
