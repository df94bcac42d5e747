//! Nobody is in two places at once and the two sides never meet, at any moment of the history: of two sessions that are
//! in each other's way, one is known to have ended before anybody was told of the other.

use std::collections::BTreeMap;

use aftercare::grpc::pb;
use chrono::TimeDelta;

use super::History;
use crate::history::act::people;
use crate::history::log::{Moment, Thing};

/// A session as it certainly stood, from when on and until when.
struct Stood<'a> {
    session: &'a pb::Session,
    from: Moment,
    until: Moment,
}

impl Stood<'_> {
    fn starts(&self) -> i64 {
        self.session.starts_at.unwrap().seconds
    }

    fn ends(&self) -> i64 {
        self.session.ends_at.unwrap().seconds
    }

    fn with(&self, other: &Self) -> bool {
        self.session.id != other.session.id && self.from.max(other.from) < self.until.min(other.until)
    }
}

pub fn check(history: &History<'_>) -> Vec<String> {
    let stood = standing(history);
    let mut by_who: BTreeMap<String, Vec<&Stood<'_>>> = BTreeMap::new();
    for it in &stood {
        for who in people(it.session).into_iter().chain([it.session.counsellor_id.clone()]) {
            by_who.entry(who).or_default().push(it);
        }
    }
    let mut wrong = Vec::new();
    for (who, mut all) in by_who {
        pairs(&mut all, 0, |a, b| {
            wrong.push(format!("overlap: {who} is in two places: {:?} {:?}", a.session, b.session))
        });
    }
    let mut at_site: Vec<_> = stood.iter().filter(|it| it.session.modality() == pb::Modality::InPerson).collect();
    pairs(&mut at_site, history.scene.gap.num_seconds(), |a, b| {
        if a.session.service != b.session.service {
            wrong.push(format!("meeting: both sides are at the site: {:?} {:?}", a.session, b.session));
        }
    });
    wrong
}

/// Calls upon whatever stood at once with less than a gap between them.
fn pairs<'a>(all: &mut [&'a Stood<'a>], gap: i64, mut found: impl FnMut(&Stood<'a>, &Stood<'a>)) {
    const LONGEST: i64 = TimeDelta::hours(8).num_seconds();
    all.sort_by_key(|it| it.starts());
    for (at, later) in all.iter().enumerate() {
        let before = all[..at].iter().rev().take_while(|it| it.starts() > later.starts() - LONGEST - gap);
        for earlier in before.filter(|it| it.ends() + gap > later.starts() && it.with(later)) {
            found(earlier, later);
        }
    }
}

/// Each version of each session from the first that knew of it to the first that may have changed it.
fn standing<'a>(history: &History<'a>) -> Vec<Stood<'a>> {
    let mut changed: BTreeMap<&str, Vec<(Moment, Option<i64>)>> = BTreeMap::new();
    for call in &history.calls {
        let Some(session_id) = call.act().and_then(|it| it.changes()) else { continue };
        let thing = Thing::Session(session_id.to_owned());
        let made =
            call.is_exact().then(|| call.seen.iter().find(|it| it.thing == thing).map(|it| it.version)).flatten();
        changed.entry(session_id).or_default().push((call.sent, made));
    }
    let mut all = Vec::new();
    for (thing, seen) in &history.seen {
        let Thing::Session(id) = thing else { continue };
        let mut versions = BTreeMap::new();
        for it in seen {
            let Some(session) = it.session.filter(|it| it.state() == pb::SessionState::Booked) else { continue };
            let entry = versions.entry(it.version).or_insert((session, it.answered));
            entry.1 = entry.1.min(it.answered);
        }
        for (version, (session, from)) in versions {
            let later = changed.get(id.as_str()).into_iter().flatten();
            let later = later.filter(|(_, made)| made.is_none_or(|made| made > version)).map(|(sent, _)| *sent);
            all.push(Stood { session, from, until: later.min().unwrap_or(Moment::MAX) });
        }
    }
    all
}
