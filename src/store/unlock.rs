//! How a database of data finds its keys: its key store and its keyring. Both are made for a database that has
//! neither, and never for one that has data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, RwLock};

use uuid::Uuid;

use super::cipher::{Key, context};
use super::codec::Instant;
use super::db::{Db, Target};
use super::error::{KeyFault, Result};
use super::installation;
use super::key_cache::Cache;
use super::key_store::{self, Known};
use super::keyring::{Keyring, Ring};
use super::vault::{ATTEMPTS, Inner, Purpose, Vault, unwrap};
use crate::clock::Clock;
use crate::rng::Rng;

/// Where the keys of a database are.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key store.
    pub store: Target,
    /// The keyring.
    pub keyring: Arc<dyn Keyring>,
}

/// The most connections to the key store: almost everything is in memory.
const CONNECTIONS: u32 = 4;

impl Db {
    /// Checks that these are the keys of this database, and leaves everything as it is.
    pub async fn check_keys(&self, keys: &Keys) -> Result<()> {
        let bound = installation::key_store(&mut self.begin_read().await?).await?;
        let found = check_keys(keys).await?;
        if bound == Some(found) { Ok(()) } else { Err(KeyFault::OtherStore.into()) }
    }

    /// Opens the keys of this database, whose schema is up to date; made if it has none and no data yet.
    pub async fn unlock(self, keys: &Keys, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self> {
        let bound = installation::key_store(&mut self.begin_read().await?).await?;
        // Opening a file makes it.
        if let (Some(_), Target::Sqlite(file)) = (bound, &keys.store)
            && !file.exists()
        {
            return Err(KeyFault::NoStore.into());
        }
        let store = Db::open_keys(&keys.store, CONNECTIONS).await?;
        store.migrate_keys().await?;
        let mut tx = store.begin_write().await?;
        if bound.is_none() {
            key_store::create(&mut tx, fresh_id(rng.as_ref()), Instant(clock.now())).await?;
        }
        let found = key_store::id(&mut tx).await?;
        tx.commit().await?;
        let store_id = match (bound, found) {
            (_, None) => return Err(KeyFault::NoStore.into()),
            (Some(bound), Some(found)) if bound != found => return Err(KeyFault::OtherStore.into()),
            (_, Some(found)) => found,
        };
        let mut inner = Inner {
            keys: store,
            store_id,
            keyring: keys.keyring.clone(),
            ring: RwLock::new(Ring::default()),
            index: BTreeMap::new(),
            cache: Mutex::new(Cache::default()),
            clock,
            rng,
        };
        inner.open_ring().await?;
        inner.index = inner.open_index().await?;
        let mut tx = self.begin_write().await?;
        installation::ensure(&mut tx, fresh_id(inner.rng.as_ref()), store_id).await?;
        let bound = installation::key_store(&mut tx).await?;
        tx.commit().await?;
        // Two that began together, each with a key store of its own: one of them was first.
        if bound != Some(store_id) {
            return Err(KeyFault::OtherStore.into());
        }
        Ok(self.with_vault(Vault::new(inner)))
    }
}

/// Checks that a keyring has the keys of a key store, and makes neither; the id of the key store.
pub async fn check_keys(keys: &Keys) -> Result<Uuid> {
    // Opening a file makes it.
    if matches!(&keys.store, Target::Sqlite(file) if !file.exists()) {
        return Err(KeyFault::NoStore.into());
    }
    let store = Db::open_keys(&keys.store, 1).await?;
    let found = async {
        let mut tx = store.begin_read().await?;
        let id = key_store::id(&mut tx).await?.ok_or(KeyFault::NoStore)?;
        Ok::<_, super::Error>((id, key_store::wrapping_keys(&mut tx).await?))
    };
    let found = found.await;
    store.close().await;
    let (store_id, known) = found?;
    let place = keys.keyring.place();
    let ring = keys.keyring.load().map_err(|error| KeyFault::Keyring(place.clone(), error))?;
    let ring = ring.ok_or_else(|| KeyFault::NoKeyring(place.clone()))?;
    if !has_all(&ring, store_id, &known) {
        return Err(KeyFault::WrongKeyring(place).into());
    }
    Ok(store_id)
}

/// Whether a keyring has what a key store wraps keys by. A key that is missing may have been retired since.
fn has_all(ring: &Ring, store_id: Uuid, known: &[Known]) -> bool {
    let has =
        |it: &Known| ring.get(it.id).is_some_and(|key| key.open(&of_check(store_id, it.id), &it.check_value).is_some());
    known.iter().filter(|it| it.retired_at().is_none()).all(has)
}

/// What the check value of a wrapping key is bound to.
fn of_check(store_id: Uuid, id: Uuid) -> Vec<u8> {
    context(&[b"wrapping_key", store_id.as_bytes(), id.as_bytes()])
}

impl Inner {
    /// Reads the keyring, which must have the keys of the key store; whoever comes first makes its first key.
    async fn open_ring(&self) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let known = key_store::wrapping_keys(&mut self.keys.begin_read().await?).await?;
            if known.is_empty() {
                self.make_first().await?;
                continue;
            }
            let ring = self.reload().await?;
            if has_all(&ring, self.store_id, &known) {
                return Ok(());
            }
        }
        Err(KeyFault::WrongKeyring(self.keyring.place()).into())
    }

    /// Makes the first wrapping key, unless somebody was faster.
    async fn make_first(&self) -> Result<()> {
        let (id, key) = (fresh_id(self.rng.as_ref()), Key::fresh(self.rng.as_ref()));
        let first = move |ring: &mut Ring| {
            if ring.keys().is_empty() {
                ring.add(id, key.clone());
            }
        };
        let ring = self.change(first).await?;
        let mut tx = self.keys.begin_write().await?;
        if let (Some((id, key)), true) = (ring.keys().last(), key_store::wrapping_keys(&mut tx).await?.is_empty()) {
            self.make_known(&mut tx, *id, key).await?;
        }
        tx.commit().await
    }

    /// Makes a key of the ring known to the key store, which wraps with it from then on.
    pub(super) async fn make_known(&self, tx: &mut super::Tx, id: Uuid, key: &Key) -> Result<()> {
        let check = key.seal(self.rng.as_ref(), &of_check(self.store_id, id), &[]);
        key_store::add(tx, id, check, Instant(self.clock.now())).await
    }

    /// The keys of digests; whoever comes first makes them.
    async fn open_index(&self) -> Result<BTreeMap<Purpose, Key>> {
        let mut all = BTreeMap::new();
        for purpose in Purpose::ALL {
            all.insert(purpose, self.index_key(purpose).await?);
        }
        Ok(all)
    }

    async fn index_key(&self, purpose: Purpose) -> Result<Key> {
        let word = purpose.as_str();
        for _ in 0..ATTEMPTS {
            let mut tx = self.keys.begin_write().await?;
            let row = key_store::index_key(&mut tx, word).await?;
            match (row, self.current(&mut tx).await?) {
                (Some((by, wrapped)), _) => {
                    if let Some(key) = self.ring().get(by) {
                        let opened = unwrap(key, &self.of_purpose(word, by), &wrapped);
                        return opened.ok_or_else(|| KeyFault::WrongKeyring(self.keyring.place()).into());
                    }
                }
                (None, Some((by, wrapping))) => {
                    let wrapped = self.wrap(&wrapping, &self.of_purpose(word, by), &Key::fresh(self.rng.as_ref()));
                    key_store::insert_index(&mut tx, word, by, wrapped, Instant(self.clock.now())).await?;
                    tx.commit().await?;
                    // Read again: somebody may have been faster.
                    continue;
                }
                (None, None) => {}
            }
            drop(tx);
            self.reload().await?;
        }
        Err(KeyFault::WrongKeyring(self.keyring.place()).into())
    }
}

/// An id of something that has no order.
pub(super) fn fresh_id(rng: &dyn Rng) -> Uuid {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
