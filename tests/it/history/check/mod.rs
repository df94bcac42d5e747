//! What must hold of everything that was asked and answered, and of what is left in the end.

mod overlap;
mod refusal;
mod rows;
mod snapshot;
mod trail;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;
use aftercare::store::{Db, Target};

use super::act::Act;
use super::log::{Asked, Call, End, Fact, Log, Moment, Thing};
use super::read::Read;
use super::scene::Scene;

/// A history, and what is asked of it more than once.
pub struct History<'a> {
    pub scene: &'a Scene,
    pub calls: Vec<Call>,
    /// Everything that was seen of a thing.
    pub seen: BTreeMap<Thing, Vec<Sighting<'a>>>,
}

/// A version of a thing that was seen, by a call.
#[derive(Clone, Copy)]
pub struct Sighting<'a> {
    pub sent: Moment,
    pub answered: Moment,
    pub version: i64,
    /// It was made by this call, and is no later one.
    pub wrote: bool,
    pub session: Option<&'a pb::Session>,
}

fn sightings(calls: &[Call]) -> BTreeMap<Thing, Vec<Sighting<'_>>> {
    let mut seen: BTreeMap<Thing, Vec<Sighting<'_>>> = BTreeMap::new();
    for call in calls {
        for Fact { thing, version, session } in &call.seen {
            // Records are never changed, so what is asked for again is the one that was made.
            if matches!(thing, Thing::Attendance(..)) && !call.is_exact() {
                continue;
            }
            let (wrote, session) = (call.is_exact(), session.as_ref());
            let sighting =
                Sighting { sent: call.sent_last, answered: call.answered, version: *version, wrote, session };
            seen.entry(thing.clone()).or_default().push(sighting);
        }
    }
    seen
}

/// Everything that is wrong with a history and with what is left of it, each with the word by which it is known.
pub async fn check(scene: &Scene, log: &Log, left: &Target) -> Vec<String> {
    let db = Db::open(left, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let mut calls = log.calls();
    let mut wrong = trail::compare(&trail::read(&mut tx).await, &mut calls);
    wrong.extend(rows::check(&mut tx).await);
    drop(tx);
    db.close().await;
    wrong.extend(said(scene, log, calls));
    wrong
}

fn said(scene: &Scene, log: &Log, calls: Vec<Call>) -> Vec<String> {
    let seen = sightings(&calls);
    let history = History { scene, calls: calls.clone(), seen };
    let mut wrong: Vec<String> = log.oddities().into_iter().map(|it| format!("odd: {it}")).collect();
    wrong.extend(version::check(&history));
    wrong.extend(snapshot::check(&history));
    wrong.extend(overlap::check(&history));
    wrong.extend(refusal::check(&history));
    wrong.extend(repeats(&calls));
    wrong.extend(credits(&history));
    wrong
}

/// Whoever asks for the same again is answered alike.
fn repeats(calls: &[Call]) -> Vec<String> {
    let mut wrong = Vec::new();
    for call in calls {
        let Asked::Again(act, things) = &call.asked else { continue };
        let alike = match &call.end {
            // Others may stand under its numbers by now.
            End::Done if matches!(act, Act::Series(_)) => {
                things.iter().any(|it| matches!(it, Thing::Series(_)) && seen(call).contains(it))
            }
            End::Done => seen(call) == *things,
            // A hold that has expired is gone.
            End::Refused { reason, .. } => matches!(act, Act::Hold(_)) && reason == "NOT_FOUND",
            End::Unknown => true,
        };
        if !alike {
            wrong.push(format!("repeat: {act:?} was answered with {things:?}, then {:?} {:?}", call.end, call.seen));
        }
    }
    wrong
}

fn seen(call: &Call) -> BTreeSet<Thing> {
    call.seen.iter().map(|it| it.thing.clone()).collect()
}

/// An order counts what was acknowledged, and nothing that nobody asked for.
fn credits(history: &History<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    // The order of a session, by everything that was seen of it.
    let order_of = |session_id: &str| {
        let seen = history.seen.get(&Thing::Session(session_id.to_owned()))?;
        seen.iter().find_map(|it| it.session).map(|it| it.order_id.clone()).filter(|it| !it.is_empty())
    };
    // By order and session.
    let mut attended: BTreeMap<String, BTreeMap<String, (Moment, Moment)>> = BTreeMap::new();
    for call in &history.calls {
        let Some(act) = call.act() else { continue };
        let (session_id, facts) = match act {
            Act::Attend(it) => (&it.session_id, &it.facts),
            Act::Amend(it) => (&it.session_id, &it.facts),
            _ => continue,
        };
        if *facts != Some(crate::support::treatment::attended()) {
            continue;
        }
        let Some(order_id) = order_of(session_id) else { continue };
        let entry =
            attended.entry(order_id).or_default().entry(session_id.clone()).or_insert((call.sent, call.answered));
        *entry = (entry.0.min(call.sent), entry.1.min(call.answered));
    }
    let none = BTreeMap::new();
    for call in history.calls.iter().filter(|it| it.is_done()) {
        let (Some(credited), Asked::Read(read)) = (call.credited, &call.asked) else { continue };
        let (Read::Order(order_id) | Read::Police { order_id, .. }) = read else { continue };
        let all = attended.get(order_id).unwrap_or(&none);
        let least = all.values().filter(|(_, answered)| *answered < call.sent_last).count();
        let most = all.values().filter(|(sent, _)| *sent < call.answered).count();
        if !(least..=most).contains(&usize::try_from(credited).unwrap()) {
            wrong.push(format!("credit: order {order_id} had {credited} credits, and {least} to {most} were recorded"));
        }
    }
    wrong
}
