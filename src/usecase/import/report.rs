//! What an import did: counts for every kind of thing, and every change by its columns. Values are
//! left out; they may be personal.

use crate::domain::rules::RuleCode;

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file.
    pub file: &'static str,
    /// How many of its rows were read.
    pub read: usize,
    /// How many it has.
    pub rows: usize,
}

/// Whoever is told how far an import has come.
pub type Watch = dyn Fn(Progress) + Send + Sync;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// For every kind of thing that was in the files, in the order in which they were written.
    pub tallies: Vec<Tally>,
    /// Every stored thing that was changed.
    pub updates: Vec<Update>,
    /// Every session that a hard rule forbids, while everything else was imported.
    pub left_out: Vec<LeftOut>,
}

/// A session that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// File and line: `sessions.csv:3`.
    pub place: String,
    /// The hard rules that stand in the way.
    pub rules: Vec<RuleCode>,
}

/// How many things of a kind were created, updated, or found equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The word for the kind.
    pub noun: &'static str,
    /// New.
    pub created: usize,
    /// Stored with other values before.
    pub updated: usize,
    /// Stored with the same values.
    pub unchanged: usize,
}

/// A stored thing that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The word for its kind.
    pub noun: &'static str,
    /// Its codes: of the organisation, then its own.
    pub key: String,
    /// The columns in which it differed.
    pub columns: Vec<&'static str>,
}

/// What was done about a row.
#[derive(Clone, Debug)]
pub enum Done {
    /// It was new.
    Created,
    /// It differed in these columns.
    Updated(Vec<&'static str>),
    /// It was stored like that.
    Unchanged,
}

impl Report {
    /// Notes what was done about the thing of a key.
    pub fn note(&mut self, noun: &'static str, key: &str, done: Done) {
        let tally = self.tally(noun);
        match done {
            Done::Created => tally.created += 1,
            Done::Unchanged => tally.unchanged += 1,
            Done::Updated(columns) => {
                tally.updated += 1;
                self.updates.push(Update { noun, key: key.into(), columns });
            }
        }
    }

    fn tally(&mut self, noun: &'static str) -> &mut Tally {
        let at = self.tallies.iter().position(|tally| tally.noun == noun).unwrap_or_else(|| {
            self.tallies.push(Tally { noun, created: 0, updated: 0, unchanged: 0 });
            self.tallies.len() - 1
        });
        &mut self.tallies[at]
    }
}
