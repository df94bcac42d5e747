//! The database: whether it answers, whose schema and keys it has, what waits in it, and its audit trail.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Finding;
use crate::auth::known_audit_key;
use crate::cli::verify_audit::open_existing;
use crate::config::Config;
use crate::store::keyring::KeyringFile;
use crate::store::{Db, Keys, Schema};
use crate::usecase::audit;
use crate::usecase::figures::{Backlog, last_event, read_backlog};

/// Machines' clocks may differ by so much. \[P\]
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// What is committed is sealed within moments; after so long something is in the way. \[P\]
const SEALED_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// A job that is due is begun within moments; after so long nobody does any. \[P\]
const DONE_WITHIN: TimeDelta = TimeDelta::hours(1);

pub(super) async fn examine(config: &Config, now: DateTime<Utc>, audit: bool, findings: &mut Vec<Finding>) {
    let away = "start it, or correct --database-url; if its disk failed, restore it from a copy";
    let db = match open_existing(config).await {
        Ok(db) => db,
        Err(error) => return findings.push(Finding::failed("database", error.as_ref(), away)),
    };
    match db.schema().await {
        Err(error) => findings.push(Finding::failed("database", &error, away)),
        Ok(schema) => {
            findings.push(Finding::fine("database", "it answers"));
            let is_current = schema == Schema::Current;
            findings.push(of_schema(schema));
            if is_current {
                findings.push(keys(&db, config).await);
                findings.push(clock(&db, now).await);
                findings.extend(work(&db, now).await);
                if audit {
                    findings.push(trail(&db, config).await);
                }
            }
        }
    }
    db.close().await;
}

fn of_schema(schema: Schema) -> Finding {
    match schema {
        Schema::Current => Finding::fine("schema", "it is that of this program"),
        Schema::Behind(count) => {
            let says = format!("{count} migrations are missing");
            Finding::look("schema", says, "the next start of the service applies them; make a backup first")
        }
        Schema::Newer(version) => {
            let says = format!("a newer program has brought it to version {version}");
            Finding::wrong("schema", says, "run that program, or restore a copy from before")
        }
    }
}

async fn keys(db: &Db, config: &Config) -> Finding {
    let keys = Keys { store: config.key_store.clone(), keyring: Arc::new(KeyringFile::new(&config.data_dir)) };
    match db.check_keys(&keys).await {
        Ok(()) => Finding::fine("keys", "key store and keyring are those of this database"),
        Err(error) => {
            Finding::failed("keys", &error, "bring back the newest copy of the keys that belongs to this data")
        }
    }
}

async fn clock(db: &Db, now: DateTime<Utc>) -> Finding {
    match last_event(db).await {
        Err(error) => Finding::failed("clock", &error, "see the database"),
        Ok(Some(at)) if at > now + SKEW => {
            let says = format!("it says {now}, and something happened already at {at}");
            Finding::wrong(
                "clock",
                says,
                "set the clocks of all machines by a time server: every deadline rests on them",
            )
        }
        Ok(_) => Finding::fine("clock", format!("it says {}, which nothing contradicts", now.format("%F %T UTC"))),
    }
}

async fn work(db: &Db, now: DateTime<Utc>) -> Vec<Finding> {
    match read_backlog(db, now).await {
        Err(error) => vec![Finding::failed("jobs", &error, "see the database")],
        Ok(backlog) => vec![jobs(&backlog, now), seals(&backlog, now), people(&backlog)],
    }
}

fn waits(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> TimeDelta {
    since.map_or(TimeDelta::zero(), |since| now - since)
}

fn jobs(backlog: &Backlog, now: DateTime<Utc>) -> Finding {
    if backlog.dead_jobs > 0 {
        let says = format!("{} were given up", backlog.dead_jobs);
        return Finding::wrong("jobs", says, "aftercare jobs list --dead says why; then aftercare jobs retry");
    }
    if waits(backlog.job_since, now) > DONE_WITHIN {
        let says = format!("{} are due, the first since {}", backlog.jobs, backlog.job_since.unwrap_or(now));
        return Finding::wrong("jobs", says, "no process does jobs: start one with --workers 1 or more");
    }
    Finding::fine("jobs", format!("{} are due, none was given up", backlog.jobs))
}

fn seals(backlog: &Backlog, now: DateTime<Utc>) -> Finding {
    if waits(backlog.unsealed_since, now) > SEALED_WITHIN {
        let says = format!(
            "{} events are not sealed, the first for {} minutes",
            backlog.unsealed,
            waits(backlog.unsealed_since, now).num_minutes()
        );
        return Finding::look("seals", says, "start the service, or look in its log why it cannot seal");
    }
    Finding::fine("seals", format!("{} events wait to be sealed", backlog.unsealed))
}

fn people(backlog: &Backlog) -> Finding {
    let says = format!(
        "{} escalations are overdue, {} sessions have no record a day after their end",
        backlog.overdue, backlog.unrecorded
    );
    if backlog.overdue > 0 {
        return Finding::wrong(
            "people",
            says,
            "somebody waits for an answer: ring the clinical leads (ListEscalations)",
        );
    }
    if backlog.unrecorded > 0 {
        return Finding::look(
            "people",
            says,
            "ask the counsellors (ListUnrecorded): what is unknown counts neither way",
        );
    }
    Finding::fine("people", says)
}

async fn trail(db: &Db, config: &Config) -> Finding {
    let advice = "keep everything as it is, make a copy, and find out who had access (aftercare verify-audit)";
    let own = match known_audit_key(&config.data_dir) {
        Ok(own) => own,
        Err(error) => return Finding::failed("audit", &error, "restore audit.key"),
    };
    match audit::verify_whole(db, own.map(|key| key.public()).into_iter().collect(), None).await {
        Err(error) => Finding::failed("audit", &error, "see the database"),
        Ok(report) => match report.faults.first() {
            Some(fault) => Finding::wrong("audit", fault.to_string(), advice),
            None => Finding::fine("audit", format!("{} events, nothing is wrong", report.events)),
        },
    }
}
