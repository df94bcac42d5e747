//! `aftercare verify-audit`: checks the sealed audit trail, and changes nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Error, configure};
use crate::auth::known_audit_key;
use crate::config::{Config, Settings};
use crate::domain::audit::head::{Exported, Forged};
use crate::domain::audit::verify::Report;
use crate::domain::statement::{KeySet, PublicKey};
use crate::store::{Db, Target};
use crate::usecase::audit;

/// Something is wrong with the trail.
pub(super) const WRONG: u8 = 3;
/// Nothing was found wrong, and no key that is known from elsewhere proves it.
const UNPROVEN: u8 = 4;

/// Checks every sealed event of the audit trail, the order of them and the signed heads, and names what is wrong:
/// events that were changed, deleted, swapped or put in, seals that are missing, heads that do not fit, and with --head
/// a trail that was cut off or exchanged.
///
/// What a signature proves depends on where its key is known from. Trusted are the keys of the --key files; without
/// them, the key of the --head file and audit.key of the data directory. A key that only the database knows proves
/// little: whoever can change the trail can put one there. Events of the last seconds are not sealed yet; what was
/// deleted before it was sealed leaves no trace, unless it was waiting to be.
///
/// Exits with 0 when nothing is wrong and a trusted key has signed the end of the chain, with 4 when nothing is wrong
/// and none has, with 3 when something is wrong, with 1 when it cannot check.
#[derive(Args)]

pub(super) struct Options {
    /// A head that `audit-head` or GetAuditHead gave, and that was kept elsewhere.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,

    /// Keys to trust and no others: a JSON Web Key Set, as ListAuditKeys gives it, or an exported head. May be given
    /// several times.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

/// A key that is trusted, and why.
type Trusted = (PublicKey, String);

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    options.settings.log.get_or_insert_with(|| "warn".into());
    let config = configure(options.settings)?;
    let kept = options.head.as_deref().map(read).transpose()?.map(|json| Exported::parse(&json));
    let trusted = trusted(&config, &options.key, kept.as_ref())?;
    let db = open_existing(&config).await?;
    let keys = trusted.iter().map(|(key, _)| *key).collect();
    let report = audit::verify_whole(&db, keys, kept.clone().and_then(Result::ok)).await;
    db.close().await;
    let mut wrong = kept_faults(kept.as_ref(), &trusted);
    let report = report?;
    wrong.extend(report.faults.iter().map(ToString::to_string));
    print!("{}", describe(&report, &trusted, &wrong));
    Ok(match (wrong.is_empty(), report.proven_until == report.end) {
        (false, _) => WRONG.into(),
        (true, false) => UNPROVEN.into(),
        (true, true) => ExitCode::SUCCESS,
    })
}

/// What is wrong with a kept head by itself.
fn kept_faults(kept: Option<&Result<Exported, Forged>>, trusted: &[Trusted]) -> Vec<String> {
    match kept {
        Some(Err(forged)) => vec![format!("kept head: {forged}")],
        Some(Ok(kept)) if !trusted.iter().any(|(key, _)| *key == kept.key) => {
            vec![format!("kept head: its key {} is not among the keys to be trusted", kept.key.kid())]
        }
        _ => Vec::new(),
    }
}

fn trusted(config: &Config, files: &[PathBuf], kept: Option<&Result<Exported, Forged>>) -> Result<Vec<Trusted>, Error> {
    let mut trusted = Vec::new();
    for file in files {
        let wrong = |fault| format!("the key set in {} {fault}", file.display());
        let keys = KeySet::parse(&read(file)?).map_err(wrong)?;
        trusted.extend(keys.iter().map(|key| (key, format!("from {}", file.display()))));
    }
    if files.is_empty() {
        if let Some(Ok(kept)) = kept {
            trusted.push((kept.key, "of the kept head".into()));
        }
        if let Some(own) = known_audit_key(&config.data_dir)? {
            trusted.push((own.public(), format!("of {}", config.data_dir.display())));
        }
    }
    Ok(trusted)
}

/// A database that is there already: who only checks changes nothing.
pub(super) async fn open_existing(config: &Config) -> Result<Db, Error> {
    if let Target::Sqlite(file) = &config.database
        && !file.exists()
    {
        return Err(format!("there is no database {}", file.display()).into());
    }
    Ok(Db::open(&config.database, 2).await?)
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// What was found, for people.
fn describe(report: &Report, trusted: &[Trusted], wrong: &[String]) -> String {
    let mut lines = vec![format!("checked    {} events, {} heads", report.events, report.heads)];
    for (key, why) in trusted {
        lines.push(format!("trusted    key {} {why}", key.kid()));
    }
    if trusted.is_empty() {
        lines.push("trusted    no key".into());
    }
    if report.proven_until > 0 {
        lines.push(format!("proven     up to position {} by a head of a trusted key", report.proven_until));
    }
    if report.proven_until < report.end {
        let from = report.proven_until + 1;
        lines.push(format!(
            "unproven   positions {from} to {}: no head of a trusted key; keys that only the database knows prove little",
            report.end
        ));
    }
    lines.extend(wrong.iter().map(|fault| format!("WRONG      {fault}")));
    match report.unnamed {
        0 if wrong.is_empty() => lines.push("nothing is wrong".into()),
        0 => {}
        more => lines.push(format!("WRONG      and {more} more")),
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
