//! `aftercare import`: reads a directory of CSV files and calendars, all or nothing.

use std::fs::{self, File};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;

use super::{Error, configure, open};
use crate::config::Settings;
use crate::usecase::Error as Refused;
use crate::usecase::error::FieldViolation;
use crate::usecase::import::{Files, LeftOut, MOST_BYTES, Progress, Report, Watch, is_ignored, shapes, watched};

/// The most files of a directory.
const MOST_FILES: usize = 500;

/// What the files look like, for `--help`.
fn format() -> String {
    let sheet = |(file, columns): (&str, &[&str])| format!("  {file:<22} {}\n", columns.join(","));
    let sheets: String = shapes().map(sheet).collect();
    format!(
        "Files, as far as there are any, with a header of their columns in any order (UTF-8, commas):\n{sheets}  \
         {:<22} all-day events; a row of holiday_calendars.csv names each file\n\
         Dates are YYYY-MM-DD, times of day HH:MM, the times of leave YYYY-MM-DD HH:MM in the counsellor's zone; \
         lists have \";\" between their values; shared, inactive and off are yes or no. The days of hours are MON to SUN \
         and dates, or a rule (RRULE:FREQ=MONTHLY;BYDAY=2SA); off takes the time away. The hours of a site are \
         written SURVIVOR MON 09:00-13:00. Rows are known by their codes: \
         equal ones stay, others are updated, what no row is about is untouched. A counsellor with rows in hours.csv \
         gets exactly those hours; a consent or session that is stored is never changed. One mistake anywhere, and \
         nothing is imported; a session that a hard booking rule forbids is left out and reported.",
        "*.ics"
    )
}

#[derive(Args)]
#[command(after_long_help = format())]
pub(super) struct Options {
    /// The directory with the files; README and hidden files are passed over.
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    // The report says what a log at level info would repeat.
    options.settings.log.get_or_insert_with(|| "warn".into());
    let config = configure(options.settings)?;
    let files = read(&options.directory)?;
    let app = open(&config).await?;
    let result = watched(app.world(), &files, options.dry_run, progress()).await;
    app.world().db().close().await;
    match result {
        Ok(report) => {
            print!("{}", describe(&report, options.dry_run));
            Ok(ExitCode::SUCCESS)
        }
        Err(Refused::Invalid(problems)) => {
            eprint!("{}", describe_problems(&problems));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// The files of a directory, each read up to just past the size at which it is refused.
fn read(directory: &Path) -> Result<Files, Error> {
    let cannot = |path: &Path, error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut files = Files::new();
    for entry in fs::read_dir(directory).map_err(|error| cannot(directory, error))? {
        let path = entry.map_err(|error| cannot(directory, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_ignored(&name) {
            continue;
        }
        if !path.is_file() {
            return Err(format!("{} is not a file; an import has files only", path.display()).into());
        }
        if files.len() == MOST_FILES {
            return Err(format!("{} has more than {MOST_FILES} files", directory.display()).into());
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(MOST_BYTES)? + 1;
        let read = File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        read.map_err(|error| cannot(&path, error))?;
        files.insert(name, bytes);
    }
    if files.is_empty() {
        return Err(format!("{} has no files to import", directory.display()).into());
    }
    Ok(files)
}

/// Shows people at a terminal how far it is; a file of the log gets nothing of it.
fn progress() -> Arc<Watch> {
    if !std::io::stderr().is_terminal() {
        return Arc::new(|_| {});
    }
    let shown = Mutex::new(("", 0));
    Arc::new(move |at: Progress| {
        let percent = at.read * 100 / at.rows.max(1);
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != (at.file, percent) {
            *shown = (at.file, percent);
            let end = if at.read == at.rows { "\r\x1b[K" } else { "" };
            // Whether it can be shown or not, the import goes on.
            let _ = write!(std::io::stderr(), "\r\x1b[K{:<22} {percent:>3} %{end}", at.file);
        }
    })
}

/// What an import did, for people.
fn describe(report: &Report, dry_run: bool) -> String {
    let mut text = String::new();
    for tally in &report.tallies {
        let (noun, created, updated, unchanged) = (tally.noun, tally.created, tally.updated, tally.unchanged);
        text += &format!("{noun:<17} {created:>6} created {updated:>6} updated {unchanged:>6} unchanged\n");
    }
    if !report.updates.is_empty() {
        text += "\nUpdated:\n";
    }
    for update in &report.updates {
        text += &format!("  {} {}: {}\n", update.noun, update.key, update.columns.join(", "));
    }
    if !report.left_out.is_empty() {
        text += "\nNot imported, as booking rules forbid it:\n";
    }
    for LeftOut { place, rules } in &report.left_out {
        let codes: Vec<_> = rules.iter().map(ToString::to_string).collect();
        text += &format!("  {place}: {}\n", codes.join(", "));
    }
    if dry_run {
        text += "\nA dry run: nothing was changed.\n";
    }
    text
}

fn describe_problems(problems: &[FieldViolation]) -> String {
    let count = match problems.len() {
        1 => "one problem".into(),
        many => format!("{many} problems"),
    };
    let line = |it: &FieldViolation| format!("  {}: {}\n", it.field, it.says);
    format!("Nothing was imported: {count}.\n{}", problems.iter().map(line).collect::<String>())
}
