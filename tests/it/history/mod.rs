//! Many people work while everything goes wrong, and whatever they were told is checked against whatever they asked: each
//! acknowledged change is there, once; nothing else has half an effect; nobody is in two places and the two sides never
//! meet, at no moment; who asks later sees no earlier state; who asks again is answered alike.
//!
//! `AFTERCARE_HISTORY_SECONDS` plays longer (rounds of `AFTERCARE_HISTORY_ROUND` seconds, until they are over);
//! `AFTERCARE_HISTORY_SEED` makes the people choose otherwise: each by the same numbers again for the same seed, among
//! what there is then; `AFTERCARE_HISTORY_CLIENTS` is how many they are; `AFTERCARE_HISTORY_FAULTS=Kill,Busy` lets only
//! these go wrong.

mod act;
mod broken;
mod check;
mod client;
mod fault;
mod log;
mod plan;
mod read;
mod scene;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use self::act::Act;
use self::client::{Board, Client};
use self::fault::Fault;
use self::log::{Asked, Call, End, Log};
use self::read::Read;
use self::scene::Scene;
use crate::support::house::{House, channel};
use crate::support::{Actor, Engine, unless};

/// How long somebody waits for an answer before asking again.
const WAITS_FOR: Duration = Duration::from_secs(2);

/// What is played.
struct Wanted {
    seed: u64,
    lasts: Duration,
    clients: usize,
    faults: Vec<Fault>,
}

/// What came of a round.
struct Played {
    wrong: Vec<String>,
    /// Answers, by what they were.
    answers: BTreeMap<String, u32>,
    faults: BTreeMap<Fault, u32>,
}

/// One round in a house whose processes do not run, and do not run afterwards.
async fn play(house: &Arc<House>, round: u64, wanted: &Wanted) -> Played {
    let mut app = house.app().await;
    let scene = Arc::new(Scene::set(&app, round).await);
    app.stop().await;
    drop(app);
    for which in 0..house.services.len() {
        house.start(which).await;
    }
    let (board, log) = (Arc::<Board>::default(), Arc::<Log>::default());
    let stop = Arc::new(AtomicBool::new(false));
    let mut working = Vec::new();
    for who in 0..wanted.clients {
        let wire = channel(house.services[who % house.services.len()].front.address, WAITS_FOR);
        let shared = (house.clone(), scene.clone(), board.clone(), log.clone());
        working.push(tokio::spawn(Client::new(who, wanted.seed, shared, wire).work(stop.clone())));
    }
    let striking = tokio::spawn(fault::strike(house.clone(), wanted.faults.clone(), wanted.seed, stop.clone()));
    // What is played is time itself.
    tokio::time::sleep(wanted.lasts).await;
    stop.store(true, Ordering::SeqCst);
    let faults = striking.await.unwrap();
    for it in working {
        it.await.unwrap();
    }
    let wrong = judge(house, &scene, &log).await;
    Played { wrong, answers: answers(&log), faults }
}

/// Ends the processes, looks at what is left, and checks everything.
async fn judge(house: &House, scene: &Scene, log: &Log) -> Vec<String> {
    for which in 0..house.services.len() {
        let (code, said) = house.end(which, "-TERM").await.unwrap();
        assert_eq!(code, Some(0), "{said}");
    }
    let mut app = house.app().await;
    for org in 0..2 {
        let token = house.token("coordinator-last", scene.coordinator(org), house.dial.now());
        look(&app.bearer(token), Read::All(org), log).await;
        for client in scene.orgs[org].clients.iter().filter_map(|it| it.order.as_ref()) {
            let token = house.token("coordinator-last", scene.coordinator(org), house.dial.now());
            look(&app.bearer(token), Read::Order(client.0.clone()), log).await;
        }
    }
    app.stop().await;
    let mut wrong = check::check(scene, log, &house.database().await.target).await;
    wrong.extend(house.errors().into_iter().map(|it| format!("error: {it}")));
    let verified = house.command(&["verify-audit"]).output().unwrap();
    if !verified.status.success() {
        wrong.push(format!("audit: {}", crate::process::text(&verified)));
    }
    wrong
}

async fn look(actor: &Actor, read: Read, log: &Log) {
    let sent = log.now();
    let seen = read.send(actor).await.unwrap();
    log.add(Call {
        asked: Asked::Read(read),
        sent,
        sent_last: sent,
        answered: log.now(),
        attempts: 1,
        replayed: false,
        end: End::Done,
        seen: seen.facts,
        credited: seen.credited,
    });
}

fn answers(log: &Log) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for call in log.calls() {
        let what = match &call.asked {
            Asked::Act(act) => act.name(),
            Asked::Again(..) => "Again",
            Asked::Read(_) => "Read",
        };
        let end = match &call.end {
            End::Done if call.attempts > 1 => "done after an attempt that failed".to_owned(),
            End::Done => "done".to_owned(),
            End::Refused { reason, .. } => reason.clone(),
            End::Unknown => "unknown".to_owned(),
        };
        *counts.entry(format!("{what} {end}")).or_default() += 1;
    }
    counts
}

/// So many of each kind are told.
const SOME: usize = 5;

/// How much of each kind is wrong, and some of each.
fn told(wrong: &[String]) -> String {
    let mut kinds = BTreeMap::<&str, Vec<&str>>::new();
    for it in wrong {
        let kind = it.split(':').next().unwrap();
        kinds.entry(kind).or_default().push(it);
    }
    let some = |all: &Vec<&str>| all.iter().take(SOME).map(|it| format!("\n  {it}")).collect::<String>();
    kinds.iter().map(|(kind, all)| format!("\n{} of {kind}, such as{}", all.len(), some(all))).collect()
}

/// From so many seconds on, everything must have happened.
const LONG: u64 = 120;

/// Plays until the time is over, and fails with the first round that is not as it must be.
async fn holds(engine: Engine, processes: usize) {
    let seconds: u64 = unless("AFTERCARE_HISTORY_SECONDS", 15);
    let round_for = unless("AFTERCARE_HISTORY_ROUND", 15).min(seconds);
    let first: u64 = unless("AFTERCARE_HISTORY_SEED", 1);
    let clients = unless("AFTERCARE_HISTORY_CLIENTS", 8);
    let named = std::env::var("AFTERCARE_HISTORY_FAULTS").ok();
    let is_named =
        |it: &Fault| named.as_ref().is_none_or(|named| named.split(',').any(|name| name == format!("{it:?}")));
    let chosen: Vec<Fault> = Fault::of(engine).iter().copied().filter(is_named).collect();
    let house = Arc::new(House::build(engine, processes).await);
    let (begun, mut answers, mut faults) =
        (Instant::now(), BTreeMap::<String, u32>::new(), BTreeMap::<Fault, u32>::new());
    for round in 0.. {
        let wanted =
            Wanted { seed: first + round, lasts: Duration::from_secs(round_for), clients, faults: chosen.clone() };
        let played = play(&house, round, &wanted).await;
        played.answers.into_iter().for_each(|(what, count)| *answers.entry(what).or_default() += count);
        played.faults.into_iter().for_each(|(what, count)| *faults.entry(what).or_default() += count);
        assert!(played.wrong.is_empty(), "seed {}: {}", wanted.seed, told(&played.wrong));
        if begun.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    }
    let total: u32 = answers.values().sum();
    let done = |what: &str| answers.iter().filter(|(it, _)| it.starts_with(what) && it.contains(" done")).count() > 0;
    assert!(
        total >= 200 && done("Book") && done("Cancel") && done("Read"),
        "{engine:?}: hardly anything was done: {answers:#?}"
    );
    if seconds >= LONG {
        for what in Act::NAMES {
            assert!(done(what), "{engine:?}: {what} was never done: {answers:#?}");
        }
        for fault in &chosen {
            assert!(faults.contains_key(fault), "{engine:?}: {fault:?} never struck: {faults:#?}");
        }
    }
    println!("{engine:?}: {total} answers in {:?}\n{answers:#?}\n{faults:#?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    holds(Engine::Sqlite, 1).await;
}

/// Three processes over one database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    holds(Engine::Postgres, 3).await;
}
