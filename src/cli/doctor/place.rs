//! What stands around the data: directories, files of keys, disks, certificates, the provider of tokens, backups.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use super::Finding;
use crate::app::backup_of;
use crate::auth::{key_files, reach};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::store::Target;
use crate::store::keyring::{Keyring, KeyringFile};
use crate::transport::Certificates;
use crate::usecase::backup::{last, room};

const MIB: u64 = 1 << 20;

pub(super) async fn examine(config: &Config, free: u64, findings: &mut Vec<Finding>) {
    findings.push(directory(&config.data_dir));
    findings.push(keys(config));
    findings.extend(disks(config, free));
    findings.extend(config.tls.clone().map(|tls| match Certificates::open(tls) {
        Ok(_) => Finding::fine("tls", "certificate and key fit together"),
        Err(error) => Finding::failed("tls", &error, "put the right files there; the service takes them up by itself"),
    }));
    if let Some(provider) = &config.provider {
        findings.push(match reach(provider).await {
            Ok(count) => Finding::fine("provider", format!("it has {count} keys that can sign tokens")),
            Err(error) => {
                let advice = "nobody is let in until it answers: check its URL, its certificate and the network";
                Finding::failed("provider", error.as_ref(), advice)
            }
        });
    }
    if matches!(config.database, Target::Sqlite(_)) {
        findings.push(backups(config));
    }
}

fn directory(directory: &Path) -> Finding {
    match directory.metadata() {
        Err(error) => Finding::failed("directory", &error, "start the service once, or name another --data-dir"),
        Ok(found) if !found.is_dir() => Finding::wrong("directory", "it is a file", "name another --data-dir"),
        Ok(found) if others_may_enter(&found) => {
            let says = format!("others may enter {}", directory.display());
            Finding::wrong("directory", says, "chmod 700; then rotate the keys, which others may have read")
        }
        Ok(_) => Finding::fine("directory", "its owner alone can enter it"),
    }
}

#[cfg(unix)]
fn others_may_enter(found: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_enter(_: &std::fs::Metadata) -> bool {
    false
}

/// The files by themselves; whether they fit the data is seen with it.
fn keys(config: &Config) -> Finding {
    let restore = "restore it from the copy of the keys (aftercare restore --keys-from): without it nothing opens";
    match KeyringFile::new(&config.data_dir).load() {
        Err(error) => return Finding::failed("keyring", &error, restore),
        Ok(None) => return Finding::wrong("keyring", "there is no keyring.toml", restore),
        Ok(Some(_)) => {}
    }
    let missing = key_files(&config.data_dir).into_iter().find(|file| !file.exists());
    match missing.filter(|file| config.provider.is_none() || !file.ends_with("issuer.key")) {
        Some(file) => {
            let says = format!("there is no {}", file.display());
            Finding::look("keyring", says, "restore it, or a new one is made: what the old one signed stays good")
        }
        None => Finding::fine("keyring", "the files of keys are there"),
    }
}

fn disks(config: &Config, free: u64) -> Vec<Finding> {
    let mut places = vec![config.data_dir.as_path()];
    places
        .extend([Some(&config.backup.to), config.backup.keys_to.as_ref()].into_iter().flatten().map(PathBuf::as_path));
    let examined = places.into_iter().filter_map(|place| Some((place, room(place)? / MIB)));
    let finding = |(place, left): (&Path, u64)| {
        let says = format!("{left} MiB are free in {}", place.display());
        if left < free {
            Finding::wrong("disk", says, "make room: a full disk stops every change, though it loses none")
        } else {
            Finding::fine("disk", says)
        }
    };
    examined.map(finding).collect()
}

fn backups(config: &Config) -> Finding {
    let advice = "run aftercare backup, and look in the log of the service why it made none";
    let newest = backup_of(config).map_err(Into::into).and_then(|wanted| last(&wanted).map_err(super::Error::from));
    match newest {
        Err(error) => Finding::failed("backup", error.as_ref(), advice),
        Ok(None) => Finding::look("backup", format!("there is none in {}", config.backup.to.display()), advice),
        Ok(Some(at)) => {
            let age = SystemClock.now() - at;
            let says = format!("the newest is from {} hours ago", age.num_hours());
            let late = config.backup.plan.every.max(TimeDelta::days(1)) * 2;
            if age > late { Finding::wrong("backup", says, advice) } else { Finding::fine("backup", says) }
        }
    }
}
