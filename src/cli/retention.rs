//! `aftercare retention`: who is to be erased by the policy, and what keeps whom.

use std::collections::BTreeMap;
use std::process::ExitCode;

use chrono::{NaiveDate, SecondsFormat};
use clap::Args;

use super::{Error, configure, open};
use crate::config::Settings;
use crate::domain::retention::{PROPOSAL, Policy, Standing};
use crate::usecase::World;
use crate::usecase::retention::{Surveyed, survey};

/// Shows what the policy of the configuration file, its table `[retention]`, would have erased, and changes nothing. The
/// service does it, some days after it has listed whoever is due: see ListRetentionDue.
///
/// First the policy, by its digest; then every rule: how many are due, how many of these something keeps, and since when
/// the first is due; then one line for each client, tab-separated: id, rule, the day up to which the client was kept,
/// and UNLISTED, LISTED with the instant from which the client may be erased, HELD with what keeps the client, or
/// AGE_UNKNOWN.
#[derive(Args)]
pub(super) struct Options {
    /// Show who is due.
    #[arg(long, required_unless_present = "proposal")]
    dry_run: bool,

    /// Print a policy as we propose it, with its sources, for the configuration file.
    #[arg(long, conflicts_with = "dry_run")]
    proposal: bool,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    if options.proposal {
        print!("{PROPOSAL}");
        return Ok(ExitCode::SUCCESS);
    }
    options.settings.log.get_or_insert_with(|| "warn".into());
    let app = open(&configure(options.settings)?).await?;
    let shown = show(app.world()).await;
    app.world().db().close().await;
    print!("{}", shown?);
    Ok(ExitCode::SUCCESS)
}

async fn show(world: &World) -> Result<String, Error> {
    let policy = world.retention();
    if policy.is_empty() {
        return Ok("no policy: nothing is erased\n".into());
    }
    let all = survey(world).await?;
    let lines: String = all.iter().map(line).collect();
    Ok(format!("policy {}\n{}{lines}", policy.digest(), rules(policy, &all)))
}

/// A line for each rule.
fn rules(policy: &Policy, all: &[Surveyed]) -> String {
    let mut counts: BTreeMap<&str, (usize, usize, Option<NaiveDate>)> = BTreeMap::new();
    for it in all {
        let Standing::Due(until) = it.judged.standing else { continue };
        let (due, held, oldest) = counts.entry(it.judged.rule.as_str()).or_default();
        *due += 1;
        *held += usize::from(!it.judged.hindrances.is_empty());
        *oldest = Some(oldest.map_or(until, |oldest| oldest.min(until)));
    }
    let line = |name: &str| {
        let (due, held, oldest) = counts.get(name).copied().unwrap_or_default();
        let oldest = oldest.map(|day| format!(" oldest {day}")).unwrap_or_default();
        format!("rule {name} due {due} held {held}{oldest}\n")
    };
    policy.rules.iter().map(|rule| line(rule.name.as_str())).collect()
}

fn line(it: &Surveyed) -> String {
    let (id, rule) = (it.id, &it.judged.rule);
    let Standing::Due(until) = it.judged.standing else { return format!("{id}\t{rule}\t\tAGE_UNKNOWN\n") };
    let held: Vec<_> = it.judged.hindrances.iter().map(ToString::to_string).collect();
    let stands = match (it.erasable_at, held.is_empty()) {
        (_, false) => format!("HELD {}", held.join(" ")),
        (Some(at), true) => format!("LISTED {}", at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        (None, true) => "UNLISTED".into(),
    };
    format!("{id}\t{rule}\t{until}\t{stands}\n")
}
