//! The instruments that are known: those built in, and those that an installation adds.

use super::{Code, Instrument};
use crate::domain::text::Fault;

/// The instruments that are known, in the order in which they are suggested; every one is checked.
#[derive(Clone, Debug)]
pub struct Catalogue(Vec<Instrument>);

/// A file that is no instrument.
#[derive(Debug, thiserror::Error)]
#[error("{file} is no instrument: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Broken {
    /// Its name.
    pub file: String,
    /// Everything that is wrong with it, as far as it could be read.
    pub faults: Vec<Fault>,
}

macro_rules! built_in {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("catalogue/", $name)))),*]
    };
}

/// The built-in files.
const FILES: [(&str, &str); 10] = built_in![
    "cats2.toml",
    "cries8.toml",
    "cries13.toml",
    "cpss5.toml",
    "phq_a.toml",
    "gad7.toml",
    "pc_ptsd5.toml",
    "pcl5.toml",
    "phq9.toml",
    "sdq.toml"
];

impl Catalogue {
    /// Those built in.
    pub fn built_in() -> Result<Self, Broken> {
        Self::with(&[])
    }

    /// Those built in and others, each a name of a file and what is in it. A new version of an instrument takes its
    /// place for new assessments; an edition that exists is refused.
    pub fn with(extra: &[(&str, &str)]) -> Result<Self, Broken> {
        let mut all = Vec::with_capacity(FILES.len() + extra.len());
        for (file, text) in FILES.iter().chain(extra) {
            let broken = |faults| Broken { file: (*file).to_owned(), faults };
            let instrument = Instrument::read(text).map_err(broken)?;
            if find(&all, &instrument.code, &instrument.version).is_some() {
                let says = format!("{} exists in version {}", instrument.code, instrument.version);
                return Err(broken(vec![Fault::new(says)]));
            }
            all.push(instrument);
        }
        Ok(Self(all))
    }

    /// All of them, in every version.
    pub fn all(&self) -> &[Instrument] {
        &self.0
    }

    /// The newest version of each.
    pub fn current(&self) -> impl Iterator<Item = &Instrument> {
        let replaced = |at: usize, it: &Instrument| self.0[at + 1..].iter().any(|later| later.code == it.code);
        self.0.iter().enumerate().filter(move |(at, it)| !replaced(*at, it)).map(|(_, it)| it)
    }

    /// The newest version of one.
    pub fn find(&self, code: &str) -> Option<&Instrument> {
        self.0.iter().rev().find(|it| it.code.as_str() == code)
    }

    /// One in a version.
    pub fn version(&self, code: &Code, version: &str) -> Option<&Instrument> {
        find(&self.0, code, version)
    }
}

fn find<'a>(all: &'a [Instrument], code: &Code, version: &str) -> Option<&'a Instrument> {
    all.iter().find(|it| it.code == *code && it.version == version)
}
