//! The world a request acts on: a database, a clock, randomness, instruments.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::error::Result;
use super::facts::Memory;
use super::feed::Tide;
use super::limit::Limits;
use super::register::{self, Known};
use crate::clock::Clock;
use crate::domain::ids::Id;
use crate::domain::instrument::Catalogue;
use crate::domain::limit::Quotas;
use crate::domain::reference::Reference;
use crate::domain::register::Register;
use crate::domain::retention::Policy;
use crate::rng::Rng;
use crate::store::{Db, Purpose, Vault};

/// The world a request acts on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct World(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    instruments: Catalogue,
    retention: Policy,
    vault: Vault,
    enqueued: Notify,
    committed: Notify,
    tide: Tide,
    known: Known,
    directories: Memory,
    limits: Limits,
    calls: watch::Sender<usize>,
}

/// A call that is being answered, until it is dropped.
#[derive(Debug)]
pub struct Answering(World);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.calls.send_modify(|calls| *calls -= 1);
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("db", &self.db).finish_non_exhaustive()
    }
}

impl World {
    /// The world over a database that is unlocked.
    pub async fn open(db: Db, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>, instruments: Catalogue) -> Result<Self> {
        Self::open_within(db, clock, rng, instruments, (&Quotas::OFF, Policy::default())).await
    }

    /// The same with a limit to how often one may call, and one to how long people are kept.
    pub async fn open_within(
        db: Db,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        instruments: Catalogue,
        (quotas, retention): (&Quotas, Policy),
    ) -> Result<Self> {
        let vault = db.vault()?.clone();
        let (enqueued, committed, tide) = (Notify::new(), Notify::new(), Tide::default());
        let (known, directories) = (Known::default(), Memory::default());
        let (limits, calls) = (Limits::new(quotas), watch::Sender::new(0));
        let world = Self(Arc::new(Inner {
            db,
            clock,
            rng,
            instruments,
            retention,
            vault,
            enqueued,
            committed,
            tide,
            known,
            directories,
            limits,
            calls,
        }));
        register::refresh(&world).await?;
        Ok(world)
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The keys to what is sealed in the database.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The instruments that are known.
    pub fn instruments(&self) -> &Catalogue {
        &self.0.instruments
    }

    /// For how long people are kept.
    pub fn retention(&self) -> &Policy {
        &self.0.retention
    }

    /// The present.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// A new id, in order of time.
    pub fn id<I: Id>(&self) -> I {
        I::from_uuid(self.uuid())
    }

    /// A new UUIDv7.
    pub fn uuid(&self) -> Uuid {
        new_uuid(self.0.clock.as_ref(), self.0.rng.as_ref())
    }

    /// A new reference code.
    pub fn reference(&self) -> Reference {
        let mut bytes = [0; 8];
        self.0.rng.fill(&mut bytes);
        Reference::from_random(bytes)
    }

    /// Any number.
    pub fn chance(&self) -> u32 {
        let mut bytes = [0; 4];
        self.0.rng.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Resolves when this process has enqueued a job, from the moment of this call on.
    pub fn enqueued(&self) -> Notified<'_> {
        self.0.enqueued.notified()
    }

    /// Tells the workers of this process that a job was enqueued.
    pub(super) fn tell_workers(&self) {
        self.0.enqueued.notify_waiters();
    }

    /// Resolves when this process has committed something, from the moment of this call on.
    pub fn committed(&self) -> Notified<'_> {
        self.0.committed.notified()
    }

    /// Tells whoever orders the feed that something was committed.
    pub(super) fn tell_pump(&self) {
        self.0.committed.notify_waiters();
    }

    /// How far the topics of the feed have come.
    pub fn tide(&self) -> &Tide {
        &self.0.tide
    }

    /// What the gate knows beside tokens.
    pub fn register(&self) -> Arc<Register> {
        self.0.known.now()
    }

    pub(super) fn known(&self) -> &Known {
        &self.0.known
    }

    /// The directories that were used last.
    pub(super) fn directories(&self) -> &Memory {
        &self.0.directories
    }

    /// How often one may call.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Counts a call until what is returned is dropped. A stream counts until it begins.
    pub fn answering(&self) -> Answering {
        self.0.calls.send_modify(|calls| *calls += 1);
        Answering(self.clone())
    }

    /// How many calls are being answered.
    pub fn calls(&self) -> usize {
        *self.0.calls.borrow()
    }

    /// Resolves when no call is being answered.
    pub async fn idle(&self) {
        // The other end is in this world.
        let _ = self.0.calls.subscribe().wait_for(|calls| *calls == 0).await;
    }

    /// A keyed digest that every process of this installation makes alike.
    pub fn digest(&self, purpose: &str, bytes: &[u8]) -> Vec<u8> {
        self.0.vault.digest(Purpose::Installation, purpose, bytes)
    }
}

fn new_uuid(clock: &dyn Clock, rng: &dyn Rng) -> Uuid {
    let mut random = [0; 10];
    rng.fill(&mut random);
    let millis = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
