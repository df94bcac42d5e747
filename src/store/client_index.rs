//! Exact look-ups of clients of one organisation, by keyed digests: the database tells neither the name nor that two
//! organisations know somebody of the same name. The day on which somebody comes of age is kept so too: in clear it
//! would tell the date of birth.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::error::Result;
use super::session::MOST_IDS;
use super::tx::Tx;
use super::vault::Purpose;
use crate::domain::age::adult_from;
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
    let of_age = adult_from(&it.born_on).map(day_key);
    let keys = [
        (Purpose::ClientName, name_key(&it.name)),
        (Purpose::ClientPhone, phone_key(&it.phone)),
        (Purpose::ClientOfAge, of_age),
    ];
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

/// The clients of an organisation who come of age on one of these days.
pub async fn of_age(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    days: impl Iterator<Item = NaiveDate>,
) -> Result<Vec<ClientId>> {
    let mut digests = Vec::new();
    for day in days {
        digests.push(digest(tx, organisation_id, Purpose::ClientOfAge, &day_key(day))?);
    }
    let mut all = Vec::new();
    for some in digests.chunks(MOST_IDS) {
        let sql = tx.sql_each(
            "SELECT client_id FROM client_index WHERE organisation_id = $1 AND purpose = $2 AND digest IN ({ids})",
            some.len(),
        );
        let some: Vec<&[u8]> = some.iter().map(Vec::as_slice).collect();
        let sql = sql.bind(organisation_id).bind(Purpose::ClientOfAge.as_str()).bind_each(&some);
        all.extend(sql.all::<(ClientId,)>().await?.into_iter().map(|row| row.0));
    }
    Ok(all)
}

fn day_key(day: NaiveDate) -> Personal {
    Personal::new(day.to_string())
}

fn digest(tx: &Tx, organisation_id: OrganisationId, purpose: Purpose, key: &Personal) -> Result<Vec<u8>> {
    tx.digest(purpose, &organisation_id.to_string(), key.expose().as_bytes())
}
