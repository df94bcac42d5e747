//! Exact look-ups of clients of one organisation, by keyed digests: the database tells neither the name nor that two
//! organisations know somebody of the same name.

use std::collections::BTreeSet;

use super::db::Tx;
use super::error::Result;
use super::vault::Purpose;
use crate::domain::client::Client;
use crate::domain::erasure::{name_key, phone_key};
use crate::domain::ids::{ClientId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;

/// Who is sought: by name, by phone, or by both.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// The whole name.
    pub name: Option<Personal>,
    /// The whole number.
    pub phone: Option<Personal>,
}

impl Sought {
    /// Whether nobody is.
    pub fn is_nobody(&self) -> bool {
        self.name.is_none() && self.phone.is_none()
    }
}

/// Makes a client findable who was not before.
pub async fn insert(tx: &mut Tx, it: &Record<Client>) -> Result<()> {
    let keys = [(Purpose::ClientName, name_key(&it.name)), (Purpose::ClientPhone, phone_key(&it.phone))];
    for (purpose, key) in keys {
        let Some(key) = key else { continue };
        let digest = digest(tx, it.organisation_id, purpose, &key)?;
        let sql =
            tx.sql("INSERT INTO client_index (organisation_id, purpose, digest, client_id) VALUES ($1, $2, $3, $4)");
        sql.bind(it.organisation_id).bind(purpose.as_str()).bind(digest).bind(it.id).run().await?;
    }
    Ok(())
}

/// Nobody finds a client any more.
pub async fn delete(tx: &mut Tx, id: ClientId) -> Result<()> {
    tx.sql("DELETE FROM client_index WHERE client_id = $1").bind(id).run().await.map(drop)
}

/// The clients of an organisation to whom everything fits that is sought.
pub async fn find(tx: &mut Tx, organisation_id: OrganisationId, sought: &Sought) -> Result<BTreeSet<ClientId>> {
    let name = sought.name.as_ref().map(|it| (Purpose::ClientName, name_key(it)));
    let phone = sought.phone.as_ref().map(|it| (Purpose::ClientPhone, phone_key(it)));
    let mut found: Option<BTreeSet<ClientId>> = None;
    for (purpose, key) in name.into_iter().chain(phone) {
        let Some(key) = key else { return Ok(BTreeSet::new()) };
        let digest = digest(tx, organisation_id, purpose, &key)?;
        let sql =
            tx.sql("SELECT client_id FROM client_index WHERE organisation_id = $1 AND purpose = $2 AND digest = $3");
        let rows = sql.bind(organisation_id).bind(purpose.as_str()).bind(digest).all::<(ClientId,)>().await?;
        let these: BTreeSet<_> = rows.into_iter().map(|row| row.0).collect();
        found = Some(found.map_or(these.clone(), |those| &those & &these));
    }
    Ok(found.unwrap_or_default())
}

fn digest(tx: &Tx, organisation_id: OrganisationId, purpose: Purpose, key: &Personal) -> Result<Vec<u8>> {
    tx.digest(purpose, &organisation_id.to_string(), key.expose().as_bytes())
}
