//! What the gate knows, as a whole, and how often it has changed.

use chrono::{DateTime, TimeDelta, Utc};

use super::codec::Instant;
use super::error::Result;
use super::tx::Tx;
use super::{revocation, service_account};
use crate::domain::register::Register;
use crate::domain::revocation::Revoked;

/// For how long after its end a token may still be let in, because clocks differ, and more.
const CLOCKS_DIFFER_BY: TimeDelta = TimeDelta::minutes(5);

/// How often it has changed.
pub async fn generation(tx: &mut Tx) -> Result<i64> {
    let row = tx.sql("SELECT generation FROM register_state WHERE id = 1").maybe::<(i64,)>().await?;
    Ok(row.map_or(0, |row| row.0))
}

/// Notes that it changes in this transaction. Whoever else changes it waits.
pub async fn touch(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE register_state SET generation = generation + 1 WHERE id = 1").run().await.map(drop)
}

/// What matters from an instant on.
pub async fn load(tx: &mut Tx, now: DateTime<Utc>) -> Result<Register> {
    let rulings = revocation::standing(tx, Instant(now - CLOCKS_DIFFER_BY)).await?;
    let accounts = service_account::all(tx).await?;
    Ok(Register::new(Revoked::new(rulings), accounts))
}
