//! A list of a day is how things stood at one moment: any two lists of a day can be told which was first, by every
//! session in them; and whoever sees a change sees every change that was answered before that one was sent.

use std::collections::BTreeMap;

use super::History;
use crate::history::log::{Asked, Call, Moment, Thing};
use crate::history::read::Read;

pub fn check(history: &History<'_>) -> Vec<String> {
    let mut lists: BTreeMap<(usize, String), Vec<&Call>> = BTreeMap::new();
    for call in history.calls.iter().filter(|it| it.is_done()) {
        match &call.asked {
            Asked::Read(Read::Day(org, day)) => {
                lists.entry((*org, format!("{:04}-{:02}-{:02}", day.year, day.month, day.day))).or_default().push(call);
            }
            Asked::Read(Read::All(org)) => lists.entry((*org, String::new())).or_default().push(call),
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for ((org, day), lists) in lists {
        let sessions = of(history, org, &day);
        for list in &lists {
            complete(history, list, &sessions, &mut wrong);
        }
        ordered(&lists, &sessions, &mut wrong);
    }
    wrong
}

/// Every session of an organisation on a day that anybody has seen; on any day, if none is named.
fn of(history: &History<'_>, org: usize, day: &str) -> Vec<Thing> {
    let id = &history.scene.orgs[org].id;
    let there = |it: &&super::Sighting<'_>| {
        it.session
            .is_some_and(|it| it.held_until.is_none() && it.organisation_id == *id && it.local_start.starts_with(day))
    };
    history.seen.iter().filter(|(_, seen)| seen.iter().any(|it| there(&it))).map(|(thing, _)| thing.clone()).collect()
}

fn versions<'a>(list: &Call, sessions: &'a [Thing]) -> Vec<(&'a Thing, i64)> {
    let shown: BTreeMap<_, _> = list.seen.iter().map(|it| (&it.thing, it.version)).collect();
    sessions.iter().map(|thing| (thing, shown.get(thing).copied().unwrap_or(0))).collect()
}

/// The latest moment by which everything must be there that was answered before.
fn reaches(history: &History<'_>, list: &Call, shown: &[(&Thing, i64)]) -> Moment {
    let written = shown.iter().flat_map(|(thing, version)| {
        history.seen[*thing].iter().filter(move |it| it.wrote && it.version <= *version).map(|it| it.sent)
    });
    written.chain([list.sent_last]).max().unwrap()
}

fn complete(history: &History<'_>, list: &Call, sessions: &[Thing], wrong: &mut Vec<String>) {
    let shown = versions(list, sessions);
    let reached = reaches(history, list, &shown);
    for (thing, version) in shown {
        let stood =
            |it: &&super::Sighting<'_>| it.answered < reached && it.session.is_some_and(|it| it.held_until.is_none());
        let newest = history.seen[thing].iter().filter(stood).map(|it| it.version).max().unwrap_or(0);
        if version < newest {
            wrong.push(format!("lost: a list shows version {version} of {thing:?}, which had version {newest} before"));
        }
    }
}

fn ordered(lists: &[&Call], sessions: &[Thing], wrong: &mut Vec<String>) {
    let mut all: Vec<_> = lists.iter().map(|list| versions(list, sessions)).collect();
    all.sort_by_key(|shown| shown.iter().map(|it| it.1).sum::<i64>());
    for pair in all.windows(2) {
        if let Some((earlier, later)) = pair[0].iter().zip(&pair[1]).find(|(a, b)| a.1 > b.1) {
            wrong.push(format!("torn: two lists of a day cannot be told which was first: {earlier:?} and {later:?}"));
        }
    }
}
