//! The keys with which processes sign, and by which everybody checks.
//!
//! Each process has a private key of its own and makes the public one known to all before it signs; so
//! processes need share no secret, and losing one machine is losing one key.

use std::io;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::statement::{KeySet, Kid, KnownKey, PublicKey, SigningKey};
use crate::store::codec::Instant;
use crate::store::statement;
use crate::store::{self, Db};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// The word for a key in sentences.
const WORD: &str = "statement key";

/// Where a process keeps the key with which it signs. It may read and write files.
pub trait Keyring: std::fmt::Debug + Send + Sync {
    /// The key to sign with; made if there is none.
    fn current(&self) -> io::Result<SigningKey>;

    /// A key that nobody has yet, and that nothing keeps yet.
    fn fresh(&self) -> SigningKey;

    /// Keeps a key in the place of the current one, which is gone then.
    fn replace(&self, with: &SigningKey) -> io::Result<()>;
}

/// The key with which to sign now: in the key set, and not revoked. A process whose key was revoked makes
/// itself another one: whoever revokes a key of another machine must not stop that machine.
pub async fn signing_key(world: &World, keys: &Arc<dyn Keyring>) -> Result<SigningKey> {
    let key = off_thread(keys, |keys| keys.current()).await?;
    let mut tx = world.db().read_once().await?;
    let known = statement::key(&mut tx, &key.public().kid()).await?;
    drop(tx);
    match known {
        Some(known) if known.revoked_at.is_none() => Ok(key),
        Some(_) => renew(world, keys, None).await,
        None => {
            let change = Change { add: Some(key.public()), ..Change::default() };
            mutate(world, Call::of_program("register-statement-key"), change).await?;
            Ok(key)
        }
    }
}

/// What a rotation has done.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The key that signs no more.
    pub retired: Kid,
    /// The one that signs instead.
    pub current: Kid,
}

/// Makes a new key in the place of the current one, which stays in the key set.
pub async fn rotate(world: &World, keys: &Arc<dyn Keyring>) -> Result<Rotated> {
    let retired = off_thread(keys, |keys| keys.current()).await?.public().kid();
    let current = renew(world, keys, Some(retired.clone())).await?.public().kid();
    Ok(Rotated { retired, current })
}

/// Takes a key out of the key set, for good; if it is the current one of this keyring, another takes its place,
/// whose name is returned.
pub async fn revoke(world: &World, keys: &Arc<dyn Keyring>, kid: Kid) -> Result<Option<Kid>> {
    let current = off_thread(keys, |keys| keys.current()).await?.public().kid();
    let own = current == kid;
    let change = Change { revoke: Some(kid), ..Change::default() };
    mutate(world, Call::of_program("revoke-statement-key"), change).await?;
    Ok(if own { Some(signing_key(world, keys).await?.public().kid()) } else { None })
}

/// The public keys by which statements are checked now.
pub async fn key_set(db: &Db) -> Result<KeySet> {
    Ok(KeySet::new(keys(db).await?.into_iter().map(|key| key.public)))
}

/// The same with what is known of each key, oldest first.
pub async fn keys(db: &Db) -> Result<Vec<KnownKey>> {
    Ok(statement::keys(&mut db.read_once().await?).await?)
}

/// Puts a fresh key in the place of the current one. It is known to all before it is kept, and so before it
/// signs anything; should it never be kept, it is a public key whose private one nobody has.
async fn renew(world: &World, keys: &Arc<dyn Keyring>, retire: Option<Kid>) -> Result<SigningKey> {
    let fresh = keys.fresh();
    let change = Change { add: Some(fresh.public()), retire, revoke: None };
    mutate(world, Call::of_program("rotate-statement-key"), change).await?;
    let kept = fresh.clone();
    off_thread(keys, move |keys| keys.replace(&kept)).await?;
    Ok(fresh)
}

/// Files are waited for where nobody else is kept waiting.
async fn off_thread<T: Send + 'static>(
    keys: &Arc<dyn Keyring>,
    act: impl FnOnce(&dyn Keyring) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let keys = keys.clone();
    let done = tokio::task::spawn_blocking(move || act(keys.as_ref())).await.map_err(io::Error::other);
    Ok(done.and_then(|result| result).map_err(store::Error::File)?)
}

/// A change of the key set.
#[derive(Default)]
struct Change {
    add: Option<PublicKey>,
    retire: Option<Kid>,
    revoke: Option<Kid>,
}

impl Mutation for Change {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let now = Instant(work.now);
        if let Some(old) = &self.retire {
            statement::retire(&mut work.tx, old, now).await?;
            work.note(format!("RETIRED {old}"));
        }
        if let Some(new) = self.add {
            statement::add_key(&mut work.tx, new, now).await?;
            work.note(format!("ADDED {}", new.kid()));
        }
        if let Some(kid) = &self.revoke {
            statement::key(&mut work.tx, kid).await?.ok_or(Error::NotFound(WORD))?;
            statement::revoke(&mut work.tx, kid, now).await?;
            work.note(format!("REVOKED {kid}"));
        }
        Ok(())
    }

    fn result_id(&self, (): &()) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}
