//! Seals: puts committed events into one order, each hashed with all before it, and signs the last of each batch.
//!
//! What is hashed is read and hashed before the writer is asked for, and written only if nobody else has sealed
//! meanwhile: so any number of processes may try, and SQLite's one writer is held for a few statements.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::audit::chain::{Entry, Hash, link};
use crate::domain::audit::head::Head;
use crate::domain::audit::verify::{Anchors, StoredHead};
use crate::domain::statement::{PublicKey, SigningKey};
use crate::store::codec::Instant;
use crate::store::{self, audit_chain};
use crate::usecase::call::Call;
use crate::usecase::error::Result;
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// The most events of a batch. \[P\]
const MOST_EVENTS: i64 = 500;
/// From so many subjects on, a batch takes no further event. \[P\]
const MANY_SUBJECTS: usize = 5_000;

/// Seals for a process, with its key.
#[derive(Debug)]
pub struct Sealer {
    world: World,
    key: SigningKey,
    /// The last seal that this process has seen to be right.
    seen: (i64, Hash),
}

impl Sealer {
    /// A sealer whose key is registered.
    pub fn new(world: World, key: SigningKey) -> Self {
        Self { world, key, seen: (0, Hash::GENESIS) }
    }

    /// Seals a batch of what is committed. Whether there may be more. Nothing is put on top of a chain that was
    /// changed: [`store::Error::Inconsistent`].
    pub async fn turn(&mut self) -> Result<bool> {
        let mut tx = self.world.db().begin_read().await?;
        if !audit_chain::waits(&mut tx).await? {
            return Ok(false);
        }
        let tip = audit_chain::tip(&mut tx).await?;
        let head = audit_chain::last_head(&mut tx).await?;
        let stored = anchors(&mut tx, None).await?;
        let was = audit_chain::hash_at(&mut tx, self.seen.0).await?;
        let entries = audit_chain::waiting(&mut tx, MOST_EVENTS).await?;
        drop(tx);
        if was.is_some_and(|was| was != self.seen.1) || (was.is_none() && self.seen.0 > 0) {
            return Err(wrong(format!("what was sealed at {} is not there any more", self.seen.0)));
        }
        check(tip, head.as_ref(), &stored)?;
        self.seen = tip;
        let full = i64::try_from(entries.len()).is_ok_and(|count| count == MOST_EVENTS);
        let batch = Batch::of(tip, &entries)?;
        let Some(last) = batch.seals.last().map(|(position, _, hash)| (*position, *hash)) else { return Ok(false) };
        if !self.write(tip, last, &batch).await? {
            // Somebody else was faster, and may have left something.
            return Ok(true);
        }
        self.seen = last;
        Ok(full || batch.seals.len() < entries.len())
    }

    /// Writes a batch on top of a tip, if that is still the tip; whether it was.
    async fn write(&self, tip: (i64, Hash), last: (i64, Hash), batch: &Batch) -> Result<bool> {
        let kid = self.key.public().kid();
        let head = Head { position: last.0, hash: last.1, sealed_at: self.world.now(), kid };
        let head = head.sign(&self.key);
        let mut tx = self.world.db().begin_alone().await?;
        audit_chain::take_turn(&mut tx).await?;
        if audit_chain::tip(&mut tx).await? != tip {
            tx.rollback().await?;
            return Ok(false);
        }
        audit_chain::seal(&mut tx, &batch.seals).await?;
        audit_chain::index(&mut tx, &batch.subjects).await?;
        audit_chain::add_head(&mut tx, &head).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// The keys of the database, with those that are trusted.
pub(super) async fn anchors(tx: &mut store::Tx, trusted: impl IntoIterator<Item = PublicKey>) -> Result<Anchors> {
    let stored: Vec<_> = audit_chain::keys(tx).await?.into_iter().map(|key| (key.kid, key.public_key)).collect();
    Ok(Anchors::new(trusted, &stored))
}

/// Every seal was written with a head: whoever put others behind the last one would have them signed by us.
fn check(tip: (i64, Hash), head: Option<&StoredHead>, keys: &Anchors) -> Result<()> {
    let Some(head) = head else {
        return if tip.0 == 0 { Ok(()) } else { Err(wrong("seals without a head".into())) };
    };
    let read = head.read().ok_or_else(|| wrong(format!("{} is none", head.position)))?;
    let (key, _) = keys.find(&read.head.kid).ok_or_else(|| wrong(format!("{} has an unknown key", head.position)))?;
    if !read.is_of(key) {
        Err(wrong(format!("{} has a wrong signature", head.position)))
    } else if (read.head.position, read.head.hash) != tip {
        Err(wrong(format!("{} does not fit the last seal, {}", head.position, tip.0)))
    } else {
        Ok(())
    }
}

fn wrong(what: String) -> crate::usecase::Error {
    store::Error::Inconsistent { table: "audit_head", what }.into()
}

/// What is sealed at once.
struct Batch {
    seals: Vec<(i64, Uuid, Hash)>,
    subjects: Vec<(Uuid, i64)>,
}

impl Batch {
    /// The first events, on top of a tip.
    fn of((mut position, mut hash): (i64, Hash), entries: &[Entry]) -> Result<Self> {
        let mut it = Self { seals: Vec::with_capacity(entries.len()), subjects: Vec::new() };
        for entry in entries {
            if it.subjects.len() >= MANY_SUBJECTS {
                break;
            }
            position += 1;
            hash = link(&hash, position, &entry.canonical());
            let unreadable = |_| store::Error::Inconsistent { table: "audit_event", what: "an id".into() };
            it.seals.push((position, Uuid::from_slice(&entry.id).map_err(unreadable)?, hash));
            // What somebody wrote past the service is sealed as it is.
            let subjects: BTreeSet<Uuid> = serde_json::from_slice(&entry.subjects).unwrap_or_default();
            it.subjects.extend(subjects.into_iter().map(|subject| (subject, position)));
        }
        Ok(it)
    }
}

/// Makes the key of this process known, before anything is signed with it.
pub async fn register(world: &World, key: PublicKey) -> Result<()> {
    let known = anchors(&mut world.db().begin_read().await?, None).await?.stores(&key.kid());
    if known { Ok(()) } else { mutate(world, Call::of_program("register-audit-key"), Register(key)).await }
}

struct Register(PublicKey);

impl Mutation for Register {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        audit_chain::add_key(&mut work.tx, self.0, Instant(work.now)).await?;
        work.note(format!("ADDED {}", self.0.kid()));
        Ok(())
    }

    fn result_id(&self, (): &()) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}
