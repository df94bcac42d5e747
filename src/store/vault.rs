//! The vault: hands out the keys of owners, and keeps them wrapped in the key store. The only transactions that begin
//! below the use cases are its own, in a database that holds nothing but keys.
//!
//! A new owner's key is committed here before the data that is sealed with it, in one transaction for all of a request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::cipher::{Digest, Key, context};
use super::codec::Instant;
use super::db::Db;
use super::error::{Error, KeyFault, Result};
use super::key_cache::{Cache, Held};
use super::key_store::{self, Wrapped};
use super::keyring::{Keyring, Ring};
use super::tx::Tx;
use crate::clock::Clock;
use crate::rng::Rng;

/// What keyed digests are for; each purpose has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Whatever an installation has to know again: pages, cursors, requests, joint keys of cases, heads of histories.
    Installation,
    /// Looking clients up by name.
    ClientName,
    /// Looking clients up by phone.
    ClientPhone,
    /// Looking up who comes of age on a day.
    ClientOfAge,
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Installation, Self::ClientName, Self::ClientPhone, Self::ClientOfAge];

    /// Its word in the databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Installation => "INSTALLATION",
            Self::ClientName => "CLIENT_NAME",
            Self::ClientPhone => "CLIENT_PHONE",
            Self::ClientOfAge => "CLIENT_OF_AGE",
        }
    }
}

/// The keys of an installation. Cheap to clone; prints none of them.
#[derive(Clone)]
pub struct Vault(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) keys: Db,
    pub(super) store_id: Uuid,
    pub(super) keyring: Arc<dyn Keyring>,
    pub(super) ring: RwLock<Ring>,
    pub(super) index: BTreeMap<Purpose, Key>,
    pub(super) cache: Mutex<Cache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Arc<dyn Rng>,
}

/// How often what met a rotation is tried again.
pub(super) const ATTEMPTS: u32 = 5;

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("store_id", &self.0.store_id).finish_non_exhaustive()
    }
}

impl Vault {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The key store.
    pub fn store(&self) -> &Db {
        &self.0.keys
    }

    /// A keyed digest that every process of this installation makes alike.
    pub fn digest(&self, of: Purpose, purpose: &str, text: &[u8]) -> Digest {
        self.0.index[&of].digest(purpose, text)
    }

    /// Destroys the keys of owners for good: what they sealed opens for nobody any more, wherever it is kept.
    pub async fn destroy(&self, owners: &[Uuid]) -> Result<()> {
        let mut tx = self.0.keys.begin_write().await?;
        for owner in owners {
            key_store::destroy(&mut tx, *owner, Instant(self.now())).await?;
        }
        tx.commit().await?;
        for owner in owners {
            self.cache().put(*owner, Held::Destroyed, self.now());
        }
        self.0.keys.forget_log().await
    }

    /// Makes the keys of these owners ready, which takes one question instead of many.
    pub async fn prepare(&self, owners: impl IntoIterator<Item = Uuid>) -> Result<()> {
        let mut missing: Vec<_> = {
            let (cache, now) = (self.cache(), self.now());
            owners.into_iter().filter(|owner| cache.get(*owner, now).is_none()).collect()
        };
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() { Ok(()) } else { self.load(&missing).await.map(drop) }
    }

    /// What is known of an owner's key; nothing when there never was one.
    pub(super) async fn find(&self, owner: Uuid) -> Result<Option<Held>> {
        let cached = self.cache().get(owner, self.now());
        match cached {
            Some(held) => Ok(Some(held)),
            None => Ok(self.load(&[owner]).await?.pop()),
        }
    }

    /// Randomness, for nonces and keys.
    pub(super) fn rng(&self) -> &dyn Rng {
        self.0.rng.as_ref()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads keys from the key store, and keeps them for a while.
    async fn load(&self, owners: &[Uuid]) -> Result<Vec<Held>> {
        for _ in 0..ATTEMPTS {
            let mut tx = self.0.keys.begin_read().await?;
            let rows = key_store::data_keys(&mut tx, owners).await?;
            drop(tx);
            let held: Result<Option<Vec<_>>> = rows.iter().map(|row| self.0.held(row)).collect();
            let Some(held) = held? else {
                // Rotated since the ring was read; or, if the ring is ahead, since the rows were.
                self.0.reload().await?;
                continue;
            };
            let now = self.now();
            let mut cache = self.cache();
            held.iter().for_each(|(owner, held)| cache.put(*owner, held.clone(), now));
            return Ok(held.into_iter().map(|it| it.1).collect());
        }
        Err(KeyFault::WrongKeyring(self.0.keyring.place()).into())
    }

    /// Commits the keys of new owners. [`Error::Conflict`] when another process gave one of them another key.
    pub(super) async fn keep(&self, fresh: &BTreeMap<Uuid, Key>) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let mut tx = self.0.keys.begin_write().await?;
            let Some((by, wrapping)) = self.0.current(&mut tx).await? else {
                drop(tx);
                self.0.reload().await?;
                continue;
            };
            match self.keep_under(&mut tx, fresh, by, &wrapping).await {
                Err(Error::Retired) => continue,
                kept => kept?,
            }
            tx.commit().await?;
            let now = self.now();
            let mut cache = self.cache();
            fresh.iter().for_each(|(owner, key)| cache.put(*owner, Held::Key(key.clone()), now));
            return Ok(());
        }
        Err(KeyFault::WrongKeyring(self.0.keyring.place()).into())
    }

    async fn keep_under(&self, tx: &mut Tx, fresh: &BTreeMap<Uuid, Key>, by: Uuid, wrapping: &Key) -> Result<()> {
        let wrapped = |(owner, key): (&Uuid, &Key)| (*owner, self.0.wrap(wrapping, &self.0.of_owner(*owner, by), key));
        let wrapped: Vec<_> = fresh.iter().map(wrapped).collect();
        key_store::insert(tx, &wrapped, by, Instant(self.now())).await
    }
}

impl Inner {
    /// The key that wraps what is new; nothing when the ring that was read does not have it.
    pub(super) async fn current(&self, tx: &mut Tx) -> Result<Option<(Uuid, Key)>> {
        let Some(known) = key_store::current(tx).await? else { return Ok(None) };
        Ok(self.ring().get(known.id).map(|key| (known.id, key.clone())))
    }

    /// The key of a row; nothing when the ring that was read does not have what wraps it.
    fn held(&self, row: &Wrapped) -> Result<Option<(Uuid, Held)>> {
        match (row.wrapping_key_id, &row.wrapped) {
            (Some(by), Some(wrapped)) => {
                let Some(wrapping) = self.ring().get(by).cloned() else { return Ok(None) };
                let key = unwrap(&wrapping, &self.of_owner(row.owner_id, by), wrapped);
                let wrong = || Error::Inconsistent { table: "data_key", what: row.owner_id.to_string() };
                Ok(Some((row.owner_id, Held::Key(key.ok_or_else(wrong)?))))
            }
            _ => Ok(Some((row.owner_id, Held::Destroyed))),
        }
    }

    /// What binds an owner's wrapped key to its place.
    pub(super) fn of_owner(&self, owner: Uuid, by: Uuid) -> Vec<u8> {
        context(&[b"data_key", self.store_id.as_bytes(), owner.as_bytes(), by.as_bytes()])
    }

    /// What binds a purpose's wrapped key to its place.
    pub(super) fn of_purpose(&self, purpose: &str, by: Uuid) -> Vec<u8> {
        context(&[b"index_key", self.store_id.as_bytes(), purpose.as_bytes(), by.as_bytes()])
    }

    /// Wraps a key.
    pub(super) fn wrap(&self, wrapping: &Key, context: &[u8], key: &Key) -> Vec<u8> {
        wrapping.seal(self.rng.as_ref(), context, key.expose())
    }

    pub(super) fn ring(&self) -> Ring {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keyring again.
    pub(super) async fn reload(&self) -> Result<Ring> {
        let place = self.keyring.place();
        let ring = off_thread(&self.keyring, |it| it.load()).await?.ok_or(KeyFault::NoKeyring(place))?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring.clone();
        Ok(ring)
    }

    /// Changes the keyring, and goes on with what it is then.
    pub(super) async fn change(&self, mut change: impl FnMut(&mut Ring) + Send + 'static) -> Result<Ring> {
        let ring = off_thread(&self.keyring, move |it| it.change(&mut change)).await?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring.clone();
        Ok(ring)
    }
}

/// A key that was wrapped in this context.
pub(super) fn unwrap(wrapping: &Key, context: &[u8], wrapped: &[u8]) -> Option<Key> {
    Key::of(&wrapping.open(context, wrapped)?)
}

/// Files are waited for where nobody else is kept waiting.
pub(super) async fn off_thread<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    act: impl FnOnce(&dyn Keyring) -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let (place, keyring) = (keyring.place(), keyring.clone());
    let done = tokio::task::spawn_blocking(move || act(keyring.as_ref())).await.map_err(std::io::Error::other);
    done.and_then(|result| result).map_err(|error| KeyFault::Keyring(place, error).into())
}
