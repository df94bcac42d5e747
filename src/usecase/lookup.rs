//! Finds things by the codes people know, for the command line.

use uuid::Uuid;

use super::error::{Error, Result};
use super::world::World;
use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::Organisation;
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId};
use crate::domain::noun::Noun;
use crate::domain::reference::Reference;
use crate::domain::service_account::ServiceAccount;
use crate::store::client;
use crate::store::noun::Keyed;

/// The organisation of a code.
pub async fn organisation(world: &World, code: &str) -> Result<OrganisationId> {
    let mut tx = world.db().read_once().await?;
    let found = Organisation::find_by_code(&mut tx, Uuid::nil(), code).await?;
    found.map(|it| it.id).ok_or(Error::NotFound(Organisation::WORD))
}

/// The counsellor of a code in an organisation.
pub async fn counsellor(world: &World, organisation_id: OrganisationId, code: &str) -> Result<CounsellorId> {
    let mut tx = world.db().begin_read().await?;
    let found = Counsellor::find_by_code(&mut tx, organisation_id.0, code).await?;
    found.map(|it| it.id).ok_or(Error::NotFound(Counsellor::WORD))
}

/// The subject of the service account of a code.
pub async fn service_account(world: &World, code: &str) -> Result<String> {
    let mut tx = world.db().begin_read().await?;
    let found = ServiceAccount::find_by_code(&mut tx, Uuid::nil(), code).await?;
    found.map(|it| it.content.principal).ok_or(Error::NotFound(ServiceAccount::WORD))
}

/// The client of a reference.
pub async fn client(world: &World, reference: &Reference) -> Result<ClientId> {
    let mut tx = world.db().read_once().await?;
    let found = client::outline_by_reference(&mut tx, reference).await?;
    found.map(|it| it.id).ok_or(Error::NotFound(Client::WORD))
}
