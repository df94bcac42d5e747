//! Guardians.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::error::Result;
use super::noun::{Head, Keyed, Listing, Stored};
use super::seal::{Place, Sealed};
use super::session::MOST_IDS;
use super::sql::Asked;
use super::tx::{Lock, Tx};
use crate::domain::guardian::{Guardian, GuardianStanding};
use crate::domain::ids::{ClientId, GuardianId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::text::Code;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    client_id: ClientId,
    code: Option<Code>,
    name: Sealed,
    phone: Sealed,
    relation: Sealed,
    standing: GuardianStanding,
}

impl Row {
    /// Opens it under the key of the client, with whose data it is erased.
    async fn open(self, tx: &mut Tx) -> Result<Record<Guardian>> {
        let place = Place::of(self.client_id, self.head.id);
        Ok(self.head.record(Guardian {
            client_id: self.client_id,
            code: self.code,
            name: tx.open(place, "guardian.name", self.name).await?,
            phone: tx.open(place, "guardian.phone", self.phone).await?,
            relation: tx.open(place, "guardian.relation", self.relation).await?,
            standing: self.standing,
        }))
    }
}

async fn write(tx: &mut Tx, it: &Record<Guardian>, text: &'static str) -> Result<()> {
    let place = Place::of(it.client_id, it.id);
    let name = tx.seal(place, "guardian.name", &it.name).await?;
    let phone = tx.seal(place, "guardian.phone", &it.phone).await?;
    let relation = tx.seal(place, "guardian.relation", &it.relation).await?;
    let sql = tx.sql(text).bind_head(it).bind(it.client_id).bind(it.code.clone());
    sql.bind(name).bind(phone).bind(relation).bind(it.standing).run().await.map(drop)
}

impl Stored for Guardian {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let text = "INSERT INTO guardian (id, version, created_at, updated_at, client_id, code, name, phone, relation,
                standing)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        write(tx, it, text).await
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let text = "UPDATE guardian SET version = $2, created_at = $3, updated_at = $4, client_id = $5, code = $6,
                name = $7, phone = $8, relation = $9, standing = $10 WHERE id = $1";
        write(tx, it, text).await
    }

    async fn find(tx: &mut Tx, id: GuardianId, lock: Lock) -> Result<Option<Record<Self>>> {
        match tx.sql_locked("SELECT * FROM guardian WHERE id = $1", lock).bind(id).maybe::<Row>().await? {
            Some(row) => row.open(tx).await.map(Some),
            None => Ok(None),
        }
    }

    /// Lists with personal data: whoever asks leaves a trace.
    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT guardian.* FROM guardian JOIN client ON client.id = guardian.client_id
                  WHERE (CAST($1 AS UUID) IS NULL OR client.organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR guardian.client_id = $2)
                    AND guardian.id > $3 ORDER BY guardian.id LIMIT $4",
            )
            .bind_listing(listing)
            .all::<Row>()
            .await?;
        let mut guardians = Vec::with_capacity(rows.len());
        for row in rows {
            guardians.push(row.open(tx).await?);
        }
        Ok(guardians)
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        Ok(super::client::outline(tx, it.client_id, Lock::None).await?.map(|client| client.organisation_id))
    }
}

impl Keyed for Guardian {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM guardian WHERE client_id = $1 AND code = $2");
        match sql.bind(within).bind(code).maybe::<Row>().await? {
            Some(row) => row.open(tx).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The guardians of a client and how they stand, without opening personal data.
pub fn of_client(tx: &mut Tx, client_id: ClientId) -> Asked<Vec<(GuardianId, GuardianStanding)>> {
    tx.sql("SELECT id, standing FROM guardian WHERE client_id = $1 ORDER BY id").bind(client_id).ask()
}

/// The same, of many clients.
pub async fn of_clients(
    tx: &mut Tx,
    ids: &[ClientId],
) -> Result<BTreeMap<ClientId, Vec<(GuardianId, GuardianStanding)>>> {
    let mut all: BTreeMap<ClientId, Vec<_>> = BTreeMap::new();
    for some in ids.chunks(MOST_IDS) {
        let text = "SELECT client_id, id, standing FROM guardian WHERE client_id IN ({ids}) ORDER BY id";
        let sql = tx.sql_each(text, some.len());
        for (client_id, id, standing) in sql.bind_ids(some).all::<(ClientId, GuardianId, GuardianStanding)>().await? {
            all.entry(client_id).or_default().push((id, standing));
        }
    }
    Ok(all)
}
