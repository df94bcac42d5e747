//! How the demo puts things.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeDelta};

use super::Error;
use crate::grpc::pb;
use crate::usecase::import::Report;

/// Names of counsellors, venues and rooms by their ids.
pub(super) type Names = BTreeMap<String, String>;

/// The heading of a step.
pub(super) fn step(number: u32, says: &str, method: &str) {
    println!("\n{number}. {says:<70} {method}");
}

/// The start of a slot or session in its own zone.
pub(super) fn local(start: &str) -> Result<DateTime<FixedOffset>, Error> {
    Ok(DateTime::parse_from_rfc3339(start)?)
}

/// When, with whom and where.
pub(super) fn slot(slot: &pb::Slot, names: &Names) -> Result<String, Error> {
    let starts = local(&slot.local_start)?;
    let ends = starts + TimeDelta::seconds(slot.length.as_ref().map_or(0, |it| it.seconds));
    Ok(line(starts, ends, [&slot.counsellor_id, &slot.venue_id, &slot.room_id], names))
}

/// When, with whom and where.
pub(super) fn session(session: &pb::Session, names: &Names) -> Result<String, Error> {
    let starts = local(&session.local_start)?;
    let seconds = |at: &Option<prost_types::Timestamp>| at.as_ref().map_or(0, |at| at.seconds);
    let ends = starts + TimeDelta::seconds(seconds(&session.ends_at) - seconds(&session.starts_at));
    Ok(line(starts, ends, [&session.counsellor_id, &session.venue_id, &session.room_id], names))
}

fn line(starts: DateTime<FixedOffset>, ends: DateTime<FixedOffset>, ids: [&String; 3], names: &Names) -> String {
    let names: Vec<&str> = ids.into_iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
    format!("   {}–{}  {}", starts.format("%a %d %b %H:%M"), ends.format("%H:%M"), names.join(", "))
}

/// What an import brought, in one line.
pub(super) fn imported(report: &Report) -> String {
    let word = |noun: &str, count: usize| match noun.strip_suffix("ty") {
        _ if count == 1 || noun == "leave" => noun.to_owned(),
        Some(stem) => format!("{stem}ties"),
        None => format!("{noun}s"),
    };
    let tally = |it: &crate::usecase::import::Tally| format!("{} {}", it.created, word(it.noun, it.created));
    report.tallies.iter().map(tally).collect::<Vec<_>>().join(", ")
}
