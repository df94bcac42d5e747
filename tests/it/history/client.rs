//! Somebody who works with the service all day: asks for one thing after the other, of what is known so far, and asks
//! again when no answer comes, under the same request id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code as DistrictCode;
use aftercare::grpc::pb;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use super::act::Act;
use super::log::{Asked, Call, End, Fact, Log, Thing};
use super::plan::Plan;
use super::read::{Read, Seen};
use super::scene::Scene;
use crate::support::house::House;
use crate::support::{Actor, refused};

/// Something that was done, by whom, and what it was answered with.
type Done = (Act, String, BTreeSet<Thing>);

/// What everybody knows of the sessions, from what anybody was told.
#[derive(Default)]
pub struct Board {
    sessions: [Mutex<BTreeMap<String, pb::Session>>; 2],
    /// Which records of attendance stand.
    records: [Mutex<BTreeMap<(String, String), i64>>; 2],
    orders: Mutex<BTreeMap<String, i64>>,
    done: [Mutex<Vec<Done>>; 2],
}

impl Board {
    fn learn(&self, org: usize, facts: &[Fact]) {
        for fact in facts {
            match (&fact.thing, &fact.session) {
                (Thing::Session(id), Some(session)) => {
                    self.sessions[org].lock().unwrap().insert(id.clone(), session.clone());
                }
                (Thing::Attendance(session, client), _) => {
                    let mut records = self.records[org].lock().unwrap();
                    records.insert((session.clone(), client.clone()), fact.version);
                }
                (Thing::Order(id), _) => {
                    self.orders.lock().unwrap().insert(id.clone(), fact.version);
                }
                _ => {}
            }
        }
    }

    pub fn sessions(&self, org: usize, which: impl Fn(&pb::Session) -> bool) -> Vec<pb::Session> {
        self.sessions[org].lock().unwrap().values().filter(|it| which(it)).cloned().collect()
    }

    pub fn records(&self, org: usize) -> Vec<((String, String), i64)> {
        self.records[org].lock().unwrap().iter().map(|(key, version)| (key.clone(), *version)).collect()
    }

    pub fn order(&self, id: &str) -> i64 {
        self.orders.lock().unwrap().get(id).copied().unwrap_or(1)
    }
}

/// One of those who work, with one wire to one process.
pub struct Client {
    pub who: usize,
    pub org: usize,
    pub rng: StdRng,
    pub house: Arc<House>,
    pub scene: Arc<Scene>,
    pub board: Arc<Board>,
    pub log: Arc<Log>,
    pub channel: Channel,
}

/// How often somebody asks before giving up, in most cases; others give up earlier.
const PATIENCE: u32 = 60;

impl Client {
    pub fn new(
        who: usize,
        seed: u64,
        shared: (Arc<House>, Arc<Scene>, Arc<Board>, Arc<Log>),
        channel: Channel,
    ) -> Self {
        let (house, scene, board, log) = shared;
        let rng = StdRng::seed_from_u64(seed ^ (who as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { who, org: who % 2, rng, house, scene, board, log, channel }
    }

    /// Works until it is told to stop.
    pub async fn work(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::SeqCst) {
            let again = self.rng.random_ratio(1, 25);
            if again && self.again().await.is_some() {
                continue;
            }
            match Plan::draw(&mut self) {
                Some(Plan::Act(act)) => self.act(*act).await,
                Some(Plan::Read(read)) => self.read(read).await,
                None => {}
            }
        }
    }

    async fn act(&mut self, act: Act) {
        let id = Uuid::from_bytes(self.rng.random());
        let act = act.under(id);
        let (principal, authority) = self.acting(&act);
        let patience = if self.rng.random_ratio(1, 8) { self.rng.random_range(1..3) } else { PATIENCE };
        let call = self.ask(Asked::Act(act.clone()), (&principal, authority), patience).await;
        if call.is_done() {
            let things = call.seen.iter().map(|it| it.thing.clone()).collect();
            self.board.done[self.org].lock().unwrap().push((act, principal, things));
        }
        self.log.add(call);
    }

    /// Sends something again that was done.
    async fn again(&mut self) -> Option<()> {
        let (act, principal, things) = {
            let done = self.board.done[self.org].lock().unwrap();
            done.choose(&mut self.rng)?.clone()
        };
        let authority = self.acting(&act).1;
        let call = self.ask(Asked::Again(act, things), (&principal, authority), PATIENCE).await;
        self.log.add(call);
        Some(())
    }

    async fn read(&mut self, read: Read) {
        let who = match &read {
            // Nobody may look up much.
            Read::Police { .. } => {
                let jurisdiction = DistrictCode::parse("KL-TVM").unwrap();
                (format!("officer-{}", Uuid::from_bytes(self.rng.random())), Authority::Police { jurisdiction })
            }
            _ => self.coordinating(),
        };
        let call = self.ask(Asked::Read(read), (&who.0, who.1), PATIENCE).await;
        self.log.add(call);
    }

    fn coordinating(&self) -> (String, Authority) {
        (format!("coordinator-{}", self.who), self.scene.coordinator(self.org))
    }

    fn acting(&self, act: &Act) -> (String, Authority) {
        let Act::Assess(it) = act else { return self.coordinating() };
        let clients = &self.scene.orgs[self.org].clients;
        let responsible = &clients.iter().find(|client| client.id == it.client_id).unwrap().responsible;
        (format!("counsellor-{}", self.who), self.scene.counsellor(self.org, responsible))
    }

    /// Asks until there is an answer.
    async fn ask(&mut self, asked: Asked, (principal, authority): (&str, Authority), patience: u32) -> Call {
        let sent = self.log.now();
        let mut call = Call {
            asked: asked.clone(),
            sent,
            sent_last: sent,
            answered: u64::MAX,
            attempts: 0,
            replayed: false,
            end: End::Unknown,
            seen: Vec::new(),
            credited: None,
        };
        while call.attempts < patience {
            let token = self.house.token(principal, authority.clone(), self.house.dial.now());
            let actor = Actor::of(token, self.channel.clone(), None);
            call.attempts += 1;
            call.sent_last = self.log.now();
            let answer = match &asked {
                Asked::Act(act) | Asked::Again(act, _) => {
                    act.send(&actor).await.map(|facts| Seen { facts, credited: None })
                }
                Asked::Read(read) => read.send(&actor).await,
            };
            let answered = self.log.now();
            match answer {
                Ok(seen) => {
                    self.board.learn(self.org, &seen.facts);
                    (call.seen, call.credited, call.answered, call.end) =
                        (seen.facts, seen.credited, answered, End::Done);
                    return call;
                }
                Err(status) if is_unsure(&status) => {
                    // The time of the machine: what is waited for is a process.
                    let pause = rand::random_range(10..120);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(status) => {
                    let refusal = refused(&status);
                    if !is_refusal(&refusal.code) || refusal.reason.is_empty() {
                        self.log.odd(format!("{:?} was answered with {status:?}", call.asked));
                    }
                    (call.answered, call.end) =
                        (answered, End::Refused { reason: refusal.reason, rules: refusal.items });
                    return call;
                }
            }
        }
        call
    }
}

/// Nobody knows whether it was done; the service itself says so by UNAVAILABLE and DEADLINE_EXCEEDED.
fn is_unsure(status: &Status) -> bool {
    let said = !refused(status).reason.is_empty();
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => true,
        // What the wire and the library make of a connection that ends.
        Code::Unknown | Code::Internal => !said,
        _ => false,
    }
}

/// What is asked of what changed meanwhile may be wrong in itself, such as a session given to who has it already.
fn is_refusal(code: &Code) -> bool {
    use Code::{Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted};
    [Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted].contains(code)
}
