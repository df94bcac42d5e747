//! Copies of an SQLite installation, made while it serves.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::Deserialize;

use crate::domain::backup::Plan;

/// The table `[backup]` of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupTable {
    /// Where copies of the data go [default: `backups` in the data directory].
    pub to: Option<PathBuf>,
    /// Where the newest copy of the keys goes, which must be another place [default: none is made].
    pub keys_to: Option<PathBuf>,
    /// How many hours after one copy the service makes the next; 0 is never [default: 24].
    pub every_hours: Option<u32>,
    /// How many copies of the data are kept [default: 7].
    pub keep: Option<u32>,
}

/// Where copies go, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where copies of the data go.
    pub to: PathBuf,
    /// Where the newest copy of the keys goes, if one is made.
    pub keys_to: Option<PathBuf>,
    /// How often the service makes them, and how many are kept.
    pub plan: Plan,
    /// Whether the service makes any by itself.
    pub scheduled: bool,
}

impl Backup {
    /// What a table says, completed by the defaults.
    pub fn new(table: BackupTable, data_dir: &Path) -> Self {
        let hours = table.every_hours.unwrap_or(24);
        let keep = usize::try_from(table.keep.unwrap_or(7)).unwrap_or(usize::MAX);
        Self {
            to: table.to.unwrap_or_else(|| data_dir.join("backups")),
            keys_to: table.keys_to,
            plan: Plan { every: TimeDelta::hours(hours.into()), keep },
            scheduled: hours > 0,
        }
    }
}
