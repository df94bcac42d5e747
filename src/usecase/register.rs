//! What the gate of this process knows beside tokens, in memory: read whenever somebody calls, refreshed at once
//! where it was changed and within moments everywhere else.

use std::sync::{Arc, PoisonError, RwLock};

use super::error::Result;
use super::world::World;
use crate::domain::register::Register;
use crate::store::register;

/// What is known, and of which generation that is.
#[derive(Debug, Default)]
pub struct Known(RwLock<(i64, Arc<Register>)>);

impl Known {
    /// What is known now.
    pub(super) fn now(&self) -> Arc<Register> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    fn generation(&self) -> i64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Takes over what is of a later generation. Whether it was.
    fn learn(&self, generation: i64, register: Register) -> bool {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let later = generation > known.0;
        if later {
            *known = (generation, Arc::new(register));
        }
        later
    }
}

/// Reads what has changed, if anything has; and lets no stream go on that may not.
pub async fn refresh(world: &World) -> Result<()> {
    let mut tx = world.db().begin_read().await?;
    let generation = register::generation(&mut tx).await?;
    if generation == world.known().generation() {
        return Ok(());
    }
    let register = register::load(&mut tx, world.now()).await?;
    drop(tx);
    if world.known().learn(generation, register) {
        // Whoever follows looks whether it may go on.
        world.tide().nudge();
    }
    Ok(())
}
