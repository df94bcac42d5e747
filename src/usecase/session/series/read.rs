//! Reads a series: coordinators those of their organisation, counsellors what they lead of one.

use super::{View, WORD};
use crate::domain::ids::{Id, SeriesId};
use crate::store;
use crate::store::Lock;
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::world::World;

/// Reads a series with its sessions as they stand.
pub async fn get_series(world: &World, call: &Call, id: SeriesId) -> Result<View> {
    traced(world, call, id.uuid(), read(world, call, id).await).await
}

async fn read(world: &World, call: &Call, id: SeriesId) -> Result<View> {
    let mut tx = world.db().begin_read().await?;
    let series = store::series::find(&mut tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    call.manages(Some(series.organisation_id), WORD)?;
    let mut view = View::of(&mut tx, series).await?;
    if let Some(own) = call.caller().authority.counsellor_id() {
        view.sessions.retain(|_, session| session.is_led_by(own));
        let sessions = &view.sessions;
        view.series.plan.retain(|it| sessions.contains_key(&it.number));
        if view.sessions.is_empty() {
            return Err(Error::NotFound(WORD));
        }
    }
    Ok(view)
}
