//! `aftercare verify-statement`: checks a signed statement of compliance, asking nobody.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;

use super::{Error, configure};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::domain::statement::{Claims, KeySet, Verified, verify};
use crate::store::{Db, Target};
use crate::usecase::statement;

/// Neither a statement nor a key set comes near it.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Exits with 0 if the statement is good, and says what it states; else with 1, and says why. A statement whose
/// day is over is good: it goes on proving what was stated on that day.
#[derive(Args)]
pub(super) struct Options {
    /// The file with the statement; "-" is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The key set to check by, as the service gives it at /.well-known/jwks.json [default: the keys in the
    /// database].
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(options: Options) -> Result<ExitCode, Error> {
    let token = String::from_utf8(read(&options.file)?).map_err(|_| "this is no signed statement: it is not text")?;
    let keys = match &options.keys {
        Some(file) => {
            let wrong = |fault| format!("the key set in {} {fault}", file.display());
            KeySet::parse(&read(file)?).map_err(wrong)?
        }
        None => keys_of_database(options.settings).await?,
    };
    let verified = verify(token.trim(), &keys)?;
    print!("{}", describe(&verified, SystemClock.now()));
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let source: Box<dyn Read> = if file == Path::new("-") { Box::new(std::io::stdin()) } else { Box::new(open(file)?) };
    let mut bytes = Vec::new();
    source.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| cannot_read(file, &error))?;
    Ok(bytes)
}

fn open(file: &Path) -> Result<File, String> {
    File::open(file).map_err(|error| cannot_read(file, &error))
}

fn cannot_read(file: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", file.display())
}

/// The keys of a database that is there already: who only checks changes nothing.
async fn keys_of_database(mut settings: Settings) -> Result<KeySet, Error> {
    settings.log.get_or_insert_with(|| "warn".into());
    let config = configure(settings)?;
    if let Target::Sqlite(file) = &config.database
        && !file.exists()
    {
        return Err(format!("there is no database {}: name a key set with --keys", file.display()).into());
    }
    let db = Db::open(&config.database, 1).await?;
    let keys = statement::key_set(&db).await;
    db.close().await;
    Ok(keys?)
}

/// What a statement says, for people.
fn describe(it: &Verified, now: DateTime<Utc>) -> String {
    let claims = &it.claims;
    let lines = [
        vec![
            "This statement is genuine: nothing in it was changed.".into(),
            String::new(),
            row("signed by key", &it.kid),
            row("order", &claims.sub),
            row("statement", format!("number {} about this order", claims.statement)),
            row("made at", instant(claims.iat)),
            row(if it.is_current(now) { "valid until" } else { "was valid until" }, instant(claims.exp)),
        ],
        answer(claims),
        grounds(claims),
    ];
    lines.concat().iter().map(|line| format!("{line}\n")).collect()
}

fn answer(claims: &Claims) -> Vec<String> {
    let it = &claims.compliance;
    let dates = [
        ("in breach since", it.breach_on),
        ("to be acted on by", it.enforcement_due_on),
        ("unchanged since", Some(it.changed_on)),
    ];
    let mut lines = vec![
        row("as of", it.as_of),
        row("status", it.status),
        row(
            "sessions",
            format!("{} of {} credited, {} not yet recorded", it.credits, it.required, it.unrecorded_sessions),
        ),
    ];
    lines.extend(dates.into_iter().filter_map(|(name, date)| Some(row(name, date?))));
    lines
}

fn grounds(claims: &Claims) -> Vec<String> {
    let dates: Vec<String> = claims.corrections.iter().map(NaiveDate::to_string).collect();
    let corrections = if dates.is_empty() { "none".to_owned() } else { dates.join(", ") };
    vec![
        row("corrections", corrections),
        row("policy", format!("{}, version {}", claims.policy.code, claims.policy.version)),
        row("record", claims.chain.head),
    ]
}

fn row(name: &str, value: impl std::fmt::Display) -> String {
    format!("{name:<18} {value}")
}

fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
