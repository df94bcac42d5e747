//! The keys that wrap all others: what they are, and another one in their place. Whoever may read the keyring may do
//! it, and nobody over the wire.

use uuid::Uuid;

use super::call::{Call, disclosed};
use super::error::Result;
use super::world::World;
use crate::store::rotation::{Listed, Rotated};

/// Every wrapping key, oldest first.
pub async fn list(world: &World) -> Result<Vec<Listed>> {
    Ok(world.vault().list().await?)
}

/// Puts the next key into the keyring, and does nothing with it yet.
pub async fn prepare(world: &World) -> Result<Uuid> {
    Ok(world.vault().prepare_rotation().await?)
}

/// Wraps every key anew, and leaves a trace of it.
pub async fn rotate(world: &World, told: impl FnMut(usize) + Send) -> Result<Rotated> {
    let rotated = world.vault().rotate(told).await?;
    let detail = format!("REWRAPPED {} RETIRED {}", rotated.rewrapped, rotated.retired);
    disclosed(world, &Call::of_program("rotate-keys"), None, [detail]).await?;
    Ok(rotated)
}
