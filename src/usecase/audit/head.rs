//! The signed head, to be kept elsewhere, and how much is not yet sealed.

use chrono::{DateTime, Utc};

use crate::domain::audit::head::Exported;
use crate::domain::statement::PublicKey;
use crate::store::{self, Db, Tx, audit_chain};
use crate::usecase::call::{Call, disclosed};
use crate::usecase::error::Result;
use crate::usecase::world::World;

/// How far sealing has come.
#[derive(Clone, Debug)]
pub struct Tip {
    /// The last head; none before the first batch.
    pub head: Option<Exported>,
    /// What is not sealed yet.
    pub lag: Lag,
}

/// What is not sealed yet.
#[derive(Clone, Copy, Debug)]
pub struct Lag {
    /// How many events.
    pub events: u64,
    /// When the oldest of them occurred.
    pub oldest_at: Option<DateTime<Utc>>,
    /// When this was true.
    pub as_of: DateTime<Utc>,
}

/// Reads the last head and the lag; the read is audited before it is answered.
pub async fn get_head(world: &World, call: &Call) -> Result<Tip> {
    let mut tx = world.db().begin_read().await?;
    let head = last(&mut tx).await?;
    let (events, oldest) = audit_chain::lag(&mut tx).await?;
    drop(tx);
    let at = head.as_ref().map_or(0, |it| it.head.head.position);
    disclosed(world, call, None, [format!("HEAD {at}")]).await?;
    let events = u64::try_from(events).unwrap_or_default();
    Ok(Tip { head, lag: Lag { events, oldest_at: oldest.map(|at| at.0), as_of: world.now() } })
}

/// The last head of a database, to be kept elsewhere.
pub async fn exported(db: &Db) -> Result<Option<Exported>> {
    last(&mut db.begin_read().await?).await
}

async fn last(tx: &mut Tx) -> Result<Option<Exported>> {
    let Some(stored) = audit_chain::last_head(tx).await? else { return Ok(None) };
    let wrong = || store::Error::Inconsistent { table: "audit_head", what: stored.position.to_string() };
    let head = stored.read().ok_or_else(wrong)?;
    let (key, _) = super::seal::anchors(tx, None).await?.find(&head.head.kid).ok_or_else(wrong)?;
    // Nobody is given a head that would be taken for a forgery.
    if head.is_of(key) { Ok(Some(Exported { head, key })) } else { Err(wrong().into()) }
}

/// Every key that signs or has signed heads, oldest first, and since when it is known; the read is audited.
pub async fn list_keys(world: &World, call: &Call) -> Result<Vec<(PublicKey, DateTime<Utc>)>> {
    let stored = audit_chain::keys(&mut world.db().read_once().await?).await?;
    let key = |it: audit_chain::StoredKey| {
        let key = PublicKey::from_bytes(&it.public_key).filter(|key| key.kid().as_str() == it.kid);
        key.map(|key| (key, it.created_at.0)).ok_or(store::Error::Inconsistent { table: "audit_key", what: it.kid })
    };
    let keys = stored.into_iter().map(key).collect::<store::Result<Vec<_>>>()?;
    disclosed(world, call, None, [format!("KEYS {}", keys.len())]).await?;
    Ok(keys)
}
