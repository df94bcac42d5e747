//! Programmes: what may be put into them, and what they said.

use super::call::Call;
use super::directory::check_organisation;
use super::error::{Error, Result};
use super::noun::{Managed, get};
use super::work::Work;
use super::world::World;
use crate::domain::ids::ProgrammeId;
use crate::domain::noun::Record;
use crate::domain::programme::Programme;
use crate::store::programme;

impl Managed for Programme {
    /// The side never changes: series of its people were planned by it.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        check_organisation(work, it.organisation_id, before.map(|it| it.organisation_id), "programme").await?;
        if before.is_some_and(|before| before.service.side() != it.service.side()) {
            return Err(Error::field("programme.service", "must be a service for the same side as before"));
        }
        Ok(())
    }
}

/// Reads a programme as it is, or as it was in a version.
pub async fn get_programme(
    world: &World,
    call: &Call,
    id: ProgrammeId,
    version: Option<i64>,
) -> Result<Record<Programme>> {
    let present = get::<Programme>(world, call, id).await?;
    let Some(version) = version else { return Ok(present) };
    let mut tx = world.db().begin_read().await?;
    let then = programme::in_version(&mut tx, &present, version).await?;
    then.ok_or(Error::NotFound("version of the programme"))
}
