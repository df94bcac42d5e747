//! Whoever is refused for somebody else's sake is so by somebody: at some moment of the question there was, or may have
//! been, a session in the way.

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;

use super::History;
use crate::history::act::{Act, Want, people};
use crate::history::log::{Asked, Call, End, Moment, Thing};

/// A time that may have been taken, from when on and until when at the latest.
struct Taken {
    want: Want,
    from: Moment,
    until: Moment,
}

pub fn check(history: &History<'_>) -> Vec<String> {
    let taken = taken(history);
    let mut by_who: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for it in &taken {
        for who in it.want.client_ids.iter().chain([&it.want.counsellor_id]) {
            by_who.entry(who).or_default().push(it);
        }
    }
    let justified = |who: &str, want: &Want, call: &Call| {
        let mut all = by_who.get(who).into_iter().flatten();
        all.any(|it| {
            it.from < call.answered
                && it.until > call.sent_last
                && it.want.starts < want.ends
                && it.want.ends > want.starts
        })
    };
    let mut wrong = Vec::new();
    for call in &history.calls {
        let (Asked::Act(act), End::Refused { rules, .. }) = (&call.asked, &call.end) else { continue };
        // Series and what is held are not looked into.
        let Some(mut want) = act.want(of(history, act)).pop() else { continue };
        if !matches!(act, Act::Add(_)) {
            want.client_ids.extend(guests(history, act));
        }
        for rule in rules {
            let stands = match rule.as_str() {
                "COUNSELLOR_BUSY" => justified(&want.counsellor_id, &want, call),
                "CLIENT_BUSY" => want.client_ids.iter().any(|who| justified(who, &want, call)),
                _ => true,
            };
            if !stands {
                wrong.push(format!("unfounded: {rule} of {act:?} for {want:?}, and nobody was in the way"));
            }
        }
    }
    wrong
}

/// The session that something changes, as it was known then.
fn of<'a>(history: &History<'a>, act: &Act) -> Option<&'a pb::Session> {
    let seen = history.seen.get(&Thing::Session(act.changes()?.to_owned()))?;
    let known = |it: &&super::Sighting<'a>| act.etag().is_none_or(|etag| it.version == etag);
    seen.iter().filter(known).find_map(|it| it.session)
}

/// Whoever was ever to be at the session that something changes.
fn guests(history: &History<'_>, act: &Act) -> BTreeSet<String> {
    let seen = act.changes().and_then(|id| history.seen.get(&Thing::Session(id.to_owned())));
    seen.into_iter().flatten().filter_map(|it| it.session).flat_map(people).collect()
}

fn taken(history: &History<'_>) -> Vec<Taken> {
    let mut all = Vec::new();
    // What may have been done, and nobody was told, or only how things stood later.
    for call in history.calls.iter().filter(|it| !it.is_exact()) {
        let Some(act) = call.act() else { continue };
        let wants = match act {
            Act::Series(_) => continue,
            _ => act.want(of(history, act)),
        };
        all.extend(wants.into_iter().map(|want| Taken { want, from: call.sent, until: Moment::MAX }));
    }
    let mut made: BTreeMap<&str, Moment> = BTreeMap::new();
    for call in &history.calls {
        let Some(act) = call.act() else { continue };
        for it in &call.seen {
            if let Thing::Session(id) = &it.thing
                && act.changes() != Some(id)
            {
                made.insert(id, call.sent);
            }
        }
    }
    for (thing, seen) in &history.seen {
        let Thing::Session(id) = thing else { continue };
        // Whoever once was to be there, from whenever it can have been made until it was known to be over.
        let stands = |it: &pb::Session| [pb::SessionState::Booked, pb::SessionState::Held].contains(&it.state());
        let over = seen.iter().filter(|it| it.session.is_some_and(|it| !stands(it))).map(|it| it.answered).min();
        for session in seen.iter().filter_map(|it| it.session) {
            let want = Want {
                counsellor_id: session.counsellor_id.clone(),
                client_ids: people(session),
                starts: session.starts_at.unwrap().seconds,
                ends: session.ends_at.unwrap().seconds,
            };
            all.push(Taken {
                want,
                from: made.get(id.as_str()).copied().unwrap_or(0),
                until: over.unwrap_or(Moment::MAX),
            });
        }
    }
    all
}
