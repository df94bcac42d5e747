//! Rotation of the wrapping key, while services run: the next key is put into the keyring, becomes the current one, takes
//! over what the others wrap, and these are retired and leave the keyring. Each step can be the last one before the
//! process is killed: the next rotation goes on from there.

use uuid::Uuid;

use super::cipher::Key;
use super::codec::Instant;
use super::error::{Error, KeyFault, Result};
use super::key_store::{self, Known};
use super::tx::Tx;
use super::unlock::fresh_id;
use super::vault::{ATTEMPTS, Inner, Vault, unwrap};

/// How many keys are wrapped anew in one transaction: few enough that nobody waits for it for long. \[P\]
const BATCH: i64 = 500;

/// What a rotation has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Keys that were wrapped anew.
    pub rewrapped: usize,
    /// Wrapping keys that are retired now.
    pub retired: usize,
}

/// A wrapping key, as people see it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What the key store knows; nothing of a key that is only in the keyring yet.
    pub known: Option<Known>,
    /// Its id.
    pub id: Uuid,
    /// Whether the keyring has it.
    pub in_ring: bool,
    /// How many keys of owners it wraps.
    pub wraps: i64,
}

impl Vault {
    /// Puts a key into the keyring that the next rotation goes over to, unless there is one.
    pub async fn prepare_rotation(&self) -> Result<Uuid> {
        let known = self.known().await?;
        let ring = self.0.reload().await?;
        if let Some((id, _)) = ring.keys().iter().rev().find(|(id, _)| !known.iter().any(|it| it.id == *id)) {
            return Ok(*id);
        }
        let (id, key) = (fresh_id(self.rng()), Key::fresh(self.rng()));
        self.0.change(move |ring| ring.add(id, key.clone())).await?;
        Ok(id)
    }

    /// Goes over to another wrapping key; or, if a rotation was interrupted, to the end of that one. `told` hears how many
    /// keys are wrapped anew so far.
    pub async fn rotate(&self, mut told: impl FnMut(usize) + Send) -> Result<Rotated> {
        if !self.is_rotating().await? {
            self.prepare_rotation().await?;
        }
        self.begin().await?;
        let mut done = Rotated::default();
        for _ in 0..ATTEMPTS {
            while let Some(count) = self.batch().await? {
                done.rewrapped += count;
                told(done.rewrapped);
            }
            match self.retire().await {
                // A process that had missed it wrapped something meanwhile.
                Err(Error::InUse) => continue,
                retired => done.retired += retired?,
            }
            self.0.keys.forget_log().await?;
            self.leave_ring().await?;
            return Ok(done);
        }
        Err(Error::InUse)
    }

    /// Every wrapping key, oldest first.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        let mut tx = self.0.keys.begin_read().await?;
        let (known, counts) = (key_store::wrapping_keys(&mut tx).await?, key_store::counts(&mut tx).await?);
        drop(tx);
        let ring = self.0.reload().await?;
        let wraps = |id: Uuid| counts.iter().find(|it| it.0 == id).map_or(0, |it| it.1);
        let prepared = ring.keys().iter().filter(|(id, _)| !known.iter().any(|it| it.id == *id));
        let prepared = prepared.map(|(id, _)| Listed { known: None, id: *id, in_ring: true, wraps: 0 });
        let prepared: Vec<_> = prepared.collect();
        let listed = |it: Known| {
            let (id, in_ring) = (it.id, ring.get(it.id).is_some());
            Listed { known: Some(it), id, in_ring, wraps: wraps(id) }
        };
        Ok(known.into_iter().map(listed).chain(prepared).collect())
    }

    /// Whether a rotation was begun and not ended.
    async fn is_rotating(&self) -> Result<bool> {
        let known = self.known().await?;
        let ring = self.0.reload().await?;
        let retired = |it: &Known| it.retired_at().is_some();
        let active = known.iter().filter(|it| !retired(it)).count();
        Ok(active > 1 || known.iter().any(|it| retired(it) && ring.get(it.id).is_some()))
    }

    /// Makes a key that is in the keyring alone the current one.
    async fn begin(&self) -> Result<()> {
        let ring = self.0.reload().await?;
        let mut tx = self.0.keys.begin_write().await?;
        let known = key_store::wrapping_keys(&mut tx).await?;
        if let Some((id, key)) = ring.keys().iter().rev().find(|(id, _)| !known.iter().any(|it| it.id == *id)) {
            self.0.make_known(&mut tx, *id, key).await?;
        }
        tx.commit().await
    }

    /// Wraps some keys anew under the current one; nothing when there are none left.
    async fn batch(&self) -> Result<Option<usize>> {
        let inner = &self.0;
        let mut tx = inner.keys.begin_write().await?;
        let Some((current, wrapping)) = inner.current(&mut tx).await? else {
            return Err(KeyFault::WrongKeyring(inner.keyring.place()).into());
        };
        let mut count = 0;
        for it in key_store::wrapping_keys(&mut tx).await?.iter().filter(|it| it.id != current) {
            if it.retired_at().is_some() {
                continue;
            }
            let ring = inner.ring();
            let old = ring.get(it.id).ok_or_else(|| KeyFault::WrongKeyring(inner.keyring.place()))?;
            count += inner.move_owners(&mut tx, (it.id, old), (current, &wrapping)).await?;
            count += inner.move_purposes(&mut tx, (it.id, old), (current, &wrapping)).await?;
        }
        tx.commit().await?;
        Ok(Some(count).filter(|count| *count > 0))
    }

    /// Retires every key but the current one.
    async fn retire(&self) -> Result<usize> {
        let mut tx = self.0.keys.begin_write().await?;
        let known = key_store::wrapping_keys(&mut tx).await?;
        let active: Vec<_> = known.iter().filter(|it| it.retired_at().is_none()).collect();
        let old = active.split_last().map_or(&[][..], |(_, old)| old);
        for it in old {
            key_store::retire(&mut tx, it.id, Instant(self.now())).await?;
        }
        tx.commit().await?;
        Ok(old.len())
    }

    /// Takes the retired keys out of the keyring.
    async fn leave_ring(&self) -> Result<()> {
        let retired: Vec<_> =
            self.known().await?.iter().filter(|it| it.retired_at().is_some()).map(|it| it.id).collect();
        self.0.change(move |ring| retired.iter().for_each(|id| ring.remove(*id))).await.map(drop)
    }

    async fn known(&self) -> Result<Vec<Known>> {
        key_store::wrapping_keys(&mut self.0.keys.begin_read().await?).await
    }
}

/// A wrapping key and its id.
type Wrapping<'a> = (Uuid, &'a Key);

impl Inner {
    async fn move_owners(&self, tx: &mut Tx, from: Wrapping<'_>, to: Wrapping<'_>) -> Result<usize> {
        let rows = key_store::data_keys_under(tx, from.0, BATCH).await?;
        for it in &rows {
            let wrong = || Error::Inconsistent { table: "data_key", what: it.owner_id.to_string() };
            let wrapped = it.wrapped.as_ref().ok_or_else(wrong)?;
            let key = unwrap(from.1, &self.of_owner(it.owner_id, from.0), wrapped).ok_or_else(wrong)?;
            let wrapped = self.wrap(to.1, &self.of_owner(it.owner_id, to.0), &key);
            key_store::rewrap(tx, it.owner_id, to.0, wrapped).await?;
        }
        Ok(rows.len())
    }

    async fn move_purposes(&self, tx: &mut Tx, from: Wrapping<'_>, to: Wrapping<'_>) -> Result<usize> {
        let purposes = key_store::purposes_under(tx, from.0).await?;
        for purpose in &purposes {
            let wrong = || Error::Inconsistent { table: "index_key", what: purpose.clone() };
            let (_, wrapped) = key_store::index_key(tx, purpose).await?.ok_or_else(wrong)?;
            let key = unwrap(from.1, &self.of_purpose(purpose, from.0), &wrapped).ok_or_else(wrong)?;
            let wrapped = self.wrap(to.1, &self.of_purpose(purpose, to.0), &key);
            key_store::rewrap_index(tx, purpose, to.0, wrapped).await?;
        }
        Ok(purposes.len())
    }
}
