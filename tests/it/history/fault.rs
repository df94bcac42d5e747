//! What goes wrong meanwhile. What somebody chooses and when is a matter of the seed; when exactly it hits whom is not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aftercare::domain::access::Authority;
use aftercare::store::Db;
use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::Engine;
use crate::support::dial::Disk;
use crate::support::house::House;
use crate::support::proxy::{Proxy, Weather};
use crate::transport::peer::{Peer, request};

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A process is killed, and started again.
    Kill,
    /// A process is told to end, and started again.
    Terminate,
    /// Every connection of clients to a process ends.
    Cut,
    /// Whatever clients and a process say to each other takes longer.
    Slow,
    /// Nothing that clients and a process say to each other arrives; then the connections end.
    HalfOpen,
    /// Somebody begins as many calls as a connection may have, several times over, and says none of them to its end.
    Hoard,
    /// The clock goes on by a quarter of an hour and more.
    Forward,
    /// The clock goes back by minutes.
    Back,
    /// Somebody holds what every change needs.
    Busy,
    /// The disk is full.
    FullDisk,
    /// The disk cannot be written to.
    ReadOnlyDisk,
    /// Writing fails.
    FailingDisk,
    /// What is written does not last: its sync fails.
    ForgetfulDisk,
    /// Every process of PostgreSQL is killed, and it is started again.
    KillServer,
    /// Every connection of the processes to the database ends.
    CutServer,
    /// Whatever the processes and the database say to each other takes longer.
    SlowServer,
    /// Nothing that they say arrives; then the connections end.
    HalfOpenServer,
    /// A process is killed and its disk has forgotten the last second: no fault that can be borne, but one that must be
    /// found.
    Forget,
}

use Fault::{
    Back, Busy, Cut, CutServer, FailingDisk, Forget, ForgetfulDisk, Forward, FullDisk, HalfOpen, HalfOpenServer, Hoard,
    Kill, KillServer, ReadOnlyDisk, Slow, SlowServer, Terminate,
};

impl Fault {
    /// What can go wrong with an engine. Time passes more often than anything else, so that sessions end.
    pub const fn of(engine: Engine) -> &'static [Self] {
        match engine {
            Engine::Sqlite => &[
                Kill,
                Terminate,
                Cut,
                Slow,
                HalfOpen,
                Hoard,
                Forward,
                Forward,
                Forward,
                Back,
                Busy,
                FullDisk,
                ReadOnlyDisk,
                FailingDisk,
                ForgetfulDisk,
            ],
            Engine::Postgres => &[
                Kill,
                Terminate,
                Cut,
                Slow,
                HalfOpen,
                Hoard,
                Forward,
                Back,
                Busy,
                KillServer,
                CutServer,
                SlowServer,
                HalfOpenServer,
            ],
        }
    }

    async fn strike(self, house: &House, rng: &mut StdRng) {
        let which = rng.random_range(0..house.services.len());
        let front = &house.services[which].front;
        match self {
            Kill => {
                house.end(which, "-KILL").await;
                house.start(which).await;
            }
            Terminate => {
                let (code, log) = house.end(which, "-TERM").await.unwrap();
                assert_eq!(code, Some(0), "{log}");
                house.start(which).await;
            }
            Cut => front.cut(),
            Slow => weather(front, Weather::Slow(Duration::from_millis(20)), false).await,
            HalfOpen => weather(front, Weather::Still, true).await,
            Hoard => hoard(house, which).await,
            Forward => house.dial.step(TimeDelta::minutes(rng.random_range(15..45))),
            Back => house.dial.step(TimeDelta::minutes(-rng.random_range(1..10))),
            Busy => occupy(house).await,
            FullDisk => disk(house, Disk::Full).await,
            ReadOnlyDisk => disk(house, Disk::ReadOnly).await,
            FailingDisk => disk(house, Disk::Failing).await,
            ForgetfulDisk => disk(house, Disk::Forgetful).await,
            KillServer => {
                let mut server = house.server.as_ref().unwrap().lock().await;
                server.kill();
                server.begin().await;
            }
            CutServer => house.wire.as_ref().unwrap().cut(),
            SlowServer => weather(house.wire.as_ref().unwrap(), Weather::Slow(Duration::from_millis(5)), false).await,
            HalfOpenServer => weather(house.wire.as_ref().unwrap(), Weather::Still, true).await,
            Forget => forget(house, which).await,
        }
    }
}

/// How long what passes lasts. The machine's time: what is waited for are processes.
const WHILE: Duration = Duration::from_millis(800);
/// Calls that a connection may have at a time, and connections.
const STREAMS: u32 = 128;
const CONNECTIONS: usize = 4;

async fn weather(wire: &Proxy, is: Weather, ends: bool) {
    wire.set(is);
    tokio::time::sleep(WHILE).await;
    if ends {
        wire.cut();
    }
    wire.set(Weather::Fair);
}

/// Of calls that are cheap, by somebody who may make them.
async fn hoard(house: &House, which: usize) {
    const RPC: &str = "aftercare.v1.DirectoryService/ListOrganisations";
    let token = house.token("hoarder", Authority::Admin, house.dial.now());
    let mut peers = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut peer = Peer::connect(house.services[which].front.address).await;
        peer.send(&(0..STREAMS).flat_map(|number| request(2 * number + 1, RPC, &token)).collect::<Vec<u8>>()).await;
        peers.push(peer);
    }
    tokio::time::sleep(WHILE).await;
}

async fn disk(house: &House, is: Disk) {
    house.dial.set(is);
    tokio::time::sleep(WHILE).await;
    house.dial.set(Disk::Sound);
}

/// Somebody else writes, and takes his time.
async fn occupy(house: &House) {
    let db = Db::open(&house.database().await.target, 1).await.unwrap();
    let mut tx = db.begin_write().await.unwrap();
    if house.engine == Engine::Postgres {
        tx.sql("LOCK TABLE session IN EXCLUSIVE MODE").run().await.unwrap();
    }
    tokio::time::sleep(WHILE).await;
    tx.rollback().await.unwrap();
    db.close().await;
}

/// The files of the database as they are, and later as they were.
async fn forget(house: &House, which: usize) {
    let kept = tempfile::tempdir().unwrap();
    let files = ["aftercare.db", "aftercare.db-wal"];
    house.services[which].signal("-STOP");
    for name in files {
        std::fs::copy(house.data_dir().join(name), kept.path().join(name)).unwrap();
    }
    house.services[which].signal("-CONT");
    tokio::time::sleep(WHILE).await;
    house.end(which, "-KILL").await;
    for name in files {
        std::fs::copy(kept.path().join(name), house.data_dir().join(name)).unwrap();
    }
    house.start(which).await;
}

/// Lets things go wrong, one after the other, each of them before any comes again; how often each did.
pub async fn strike(house: Arc<House>, faults: Vec<Fault>, seed: u64, stop: Arc<AtomicBool>) -> BTreeMap<Fault, u32> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut left, mut counts) = (Vec::new(), BTreeMap::new());
    while !stop.load(Ordering::SeqCst) && !faults.is_empty() {
        if left.is_empty() {
            left.clone_from(&faults);
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(200..1_500))).await;
        let fault = left.swap_remove(rng.random_range(0..left.len()));
        fault.strike(&house, &mut rng).await;
        *counts.entry(fault).or_default() += 1;
    }
    counts
}
