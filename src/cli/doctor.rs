//! `aftercare doctor`: looks at everything that an installation rests on, changes nothing, and says in words what to do.

mod data;
mod place;

use std::error::Error as StdError;
use std::process::ExitCode;

use clap::Args;

use super::{Error, start_log};
use crate::chain::chain;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Settings};

/// Something has to be done.
const WRONG: u8 = 3;

/// Looks at the configuration, the data directory, keys, disks, certificates, the provider of tokens, the database and its
/// schema, the clock, jobs, what nobody has recorded or taken on, backups, and the audit trail. Changes nothing, and may
/// run while the service does.
///
/// Prints a line for each: "ok", "look" for what somebody should look at, or "WRONG" for what stops or endangers the service;
/// and what to do. Exits with 0 when nothing is wrong, with 3 when something is.
#[derive(Args)]
pub(super) struct Options {
    /// Leave the audit trail out, of which a million events take about ten seconds.
    #[arg(long)]
    no_audit: bool,

    /// How much of each disk must be free, in MiB.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    free: u64,

    #[command(flatten)]
    settings: Settings,
}

/// What was found of one thing.
struct Finding {
    verdict: Verdict,
    thing: &'static str,
    says: String,
    /// What to do about it.
    advice: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Look,
    Wrong,
}

impl Finding {
    fn fine(thing: &'static str, says: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fine, thing, says: says.into(), advice: None }
    }

    fn look(thing: &'static str, says: impl Into<String>, advice: &str) -> Self {
        Self { verdict: Verdict::Look, thing, says: says.into(), advice: Some(advice.into()) }
    }

    fn wrong(thing: &'static str, says: impl Into<String>, advice: &str) -> Self {
        Self { verdict: Verdict::Wrong, thing, says: says.into(), advice: Some(advice.into()) }
    }

    fn failed(thing: &'static str, error: &(dyn StdError + 'static), advice: &str) -> Self {
        // Some errors have several lines.
        let says = chain(error).split_whitespace().collect::<Vec<_>>().join(" ");
        Self::wrong(thing, says, advice)
    }

    fn line(&self) -> String {
        let word = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Look => "look",
            Verdict::Wrong => "WRONG",
        };
        let advice = self.advice.iter().map(|it| format!("{:<16} → {it}\n", ""));
        format!("{word:<6}{:<10} {}\n{}", self.thing, self.says, advice.collect::<String>())
    }
}

pub(super) async fn run(options: Options) -> Result<ExitCode, Error> {
    let findings = examine(options).await?;
    findings.iter().for_each(|finding| print!("{}", finding.line()));
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    println!("{}", if wrong == 0 { "nothing is wrong".into() } else { format!("{wrong} of these have to be seen to") });
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { WRONG.into() })
}

async fn examine(Options { no_audit, free, settings }: Options) -> Result<Vec<Finding>, Error> {
    let config = match Config::new(settings) {
        Ok(config) => config,
        Err(error) => {
            let advice = "correct the setting; `aftercare serve --help` explains each";
            return Ok(vec![Finding::failed("settings", &error, advice)]);
        }
    };
    start_log(config.log_format, "error", None)?;
    let mut findings =
        vec![Finding::fine("settings", format!("they fit together; data in {}", config.data_dir.display()))];
    place::examine(&config, free, &mut findings).await;
    data::examine(&config, SystemClock.now(), !no_audit, &mut findings).await;
    Ok(findings)
}
