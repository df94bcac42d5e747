//! Each thing is one at a time: its versions are written once each, and whoever asks later sees no earlier one.

use std::collections::BTreeMap;

use super::History;
use crate::history::log::{Asked, Thing};

pub fn check(history: &History<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (thing, seen) in &history.seen {
        backwards(thing, seen, &mut wrong);
        contents(thing, seen, &mut wrong);
        writes(thing, seen, &mut wrong);
    }
    claimed(history, &mut wrong);
    wrong
}

/// A version that was answered is there for everybody who asks afterwards. A hold may be gone.
fn backwards(thing: &Thing, seen: &[super::Sighting<'_>], wrong: &mut Vec<String>) {
    let held = |it: &&super::Sighting<'_>| it.session.is_some_and(|it| it.held_until.is_some());
    let mut answered: Vec<_> = seen.iter().filter(|it| !held(it)).collect();
    answered.sort_by_key(|it| it.answered);
    let mut sent: Vec<_> = seen.iter().collect();
    sent.sort_by_key(|it| it.sent);
    let (mut next, mut newest) = (0, 0);
    for it in sent {
        while next < answered.len() && answered[next].answered < it.sent {
            newest = newest.max(answered[next].version);
            next += 1;
        }
        if it.version < newest {
            let what = if it.version == 0 { "was gone" } else { "was an earlier one" };
            wrong.push(format!("lost: {thing:?} had version {newest} and {what}: {}", it.version));
        }
    }
}

/// One version is one content.
fn contents(thing: &Thing, seen: &[super::Sighting<'_>], wrong: &mut Vec<String>) {
    let mut by_version = BTreeMap::new();
    for it in seen {
        let Some(session) = it.session else { continue };
        let first = by_version.entry(it.version).or_insert(session);
        if *first != session {
            wrong.push(format!("content: {thing:?} version {} is {first:?} and {session:?}", it.version));
        }
    }
}

/// Nobody writes what somebody else has written, and nobody sees what is not written yet.
fn writes(thing: &Thing, seen: &[super::Sighting<'_>], wrong: &mut Vec<String>) {
    let mut by_version = BTreeMap::new();
    for it in seen.iter().filter(|it| it.wrote) {
        if by_version.insert(it.version, it).is_some() {
            wrong.push(format!("twice: {thing:?} version {} was written twice", it.version));
        }
    }
    for (version, write) in by_version {
        if seen.iter().any(|it| it.version >= version && it.answered < write.sent) {
            wrong.push(format!("early: {thing:?} version {version} was seen before it was written"));
        }
    }
}

/// Who names the version that is to be changed makes the next one.
fn claimed(history: &History<'_>, wrong: &mut Vec<String>) {
    for call in history.calls.iter().filter(|it| it.is_exact()) {
        let Asked::Act(act) = &call.asked else { continue };
        let (Some(etag), Some(session_id)) = (act.etag(), act.changes()) else { continue };
        let thing = Thing::Session(session_id.to_owned());
        let made = call.seen.iter().find(|it| it.thing == thing).map(|it| it.version);
        if made != Some(etag + 1) {
            wrong.push(format!("twice: {} of {thing:?} at version {etag} made {made:?}", act.name()));
        }
    }
}
