//! Cases, their parties, and the link that joins every organisation's record of one crime.

use super::error::{Error, Result};
use super::noun::{Head, Listing, Stored};
use super::sql::Sql;
use super::tx::{Lock, Tx};
use crate::domain::client::{Case, CaseRole, CrimeNumber};
use crate::domain::ids::{CaseId, ClientId, LinkId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::text::Code;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    crime_number: CrimeNumber,
    police_station: String,
    district: Code,
}

impl Row {
    async fn with_parties(self, tx: &mut Tx) -> Result<Record<Case>> {
        let sql = tx.sql("SELECT client_id, role FROM case_party WHERE case_file_id = $1 ORDER BY client_id");
        let parties = sql.bind(self.head.id).all::<(ClientId, CaseRole)>().await?;
        Ok(self.head.record(Case {
            organisation_id: self.organisation_id,
            crime_number: self.crime_number,
            police_station: self.police_station,
            district: self.district,
            parties,
        }))
    }
}

fn bind<'t>(sql: Sql<'t>, it: &Record<Case>) -> Sql<'t> {
    sql.bind_head(it)
        .bind(it.organisation_id)
        .bind(it.crime_number.clone())
        .bind(it.police_station.clone())
        .bind(it.district.clone())
}

/// The link of a crime, made when it is the first record of it. `fresh` is its id in that case.
async fn joint_link(tx: &mut Tx, joint_key: &str, fresh: LinkId) -> Result<LinkId> {
    let key = tx.digest(super::Purpose::Installation, "case", joint_key.as_bytes())?;
    tx.sql("INSERT INTO link (id, joint_key) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(fresh)
        .bind(key.clone())
        .run()
        .await?;
    let found = tx.sql("SELECT id FROM link WHERE joint_key = $1").bind(key).maybe::<(LinkId,)>().await?;
    found.map(|row| row.0).ok_or_else(|| Error::Inconsistent { table: "link", what: fresh.to_string() })
}

impl Stored for Case {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let link_id = joint_link(tx, &it.joint_key(), LinkId(it.id.0)).await?;
        let sql = tx.sql(
            "INSERT INTO case_file (id, version, created_at, updated_at, organisation_id, crime_number,
                police_station, district, link_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        bind(sql, it).bind(link_id).run().await.map(drop)
    }

    /// Writes the version and the parties; what identifies the crime never changes.
    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql("UPDATE case_file SET version = $2, updated_at = $3 WHERE id = $1");
        sql.bind(it.id).bind(it.version).bind(super::codec::Instant(it.updated_at)).run().await?;
        tx.sql("DELETE FROM case_party WHERE case_file_id = $1").bind(it.id).run().await?;
        for (client_id, role) in &it.parties {
            tx.sql("INSERT INTO case_party (case_file_id, client_id, role) VALUES ($1, $2, $3)")
                .bind(it.id)
                .bind(*client_id)
                .bind(*role)
                .run()
                .await?;
        }
        Ok(())
    }

    async fn find(tx: &mut Tx, id: CaseId, lock: Lock) -> Result<Option<Record<Self>>> {
        match tx.sql_locked("SELECT * FROM case_file WHERE id = $1", lock).bind(id).maybe::<Row>().await? {
            Some(row) => row.with_parties(tx).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT * FROM case_file
                  WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                    AND id > $3 ORDER BY id LIMIT $4",
            )
            .bind_listing(listing)
            .all::<Row>()
            .await?;
        let mut cases = Vec::with_capacity(rows.len());
        for row in rows {
            cases.push(row.with_parties(tx).await?);
        }
        Ok(cases)
    }
}

/// An organisation's record of a crime, by [`Case::joint_key`].
pub async fn find_by_key(tx: &mut Tx, organisation_id: OrganisationId, joint_key: &str) -> Result<Option<CaseId>> {
    let key = tx.digest(super::Purpose::Installation, "case", joint_key.as_bytes())?;
    let sql = tx.sql(
        "SELECT case_file.id FROM case_file JOIN link ON link.id = case_file.link_id
          WHERE link.joint_key = $1 AND case_file.organisation_id = $2",
    );
    Ok(sql.bind(key).bind(organisation_id).maybe::<(CaseId,)>().await?.map(|row| row.0))
}

/// The cases in which a client is a party.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<CaseId>> {
    let sql = tx.sql("SELECT case_file_id FROM case_party WHERE client_id = $1 ORDER BY case_file_id");
    Ok(sql.bind(id).all::<(CaseId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// The link of a case; its row is locked, so that two who add parties of one crime take turns.
pub async fn link(tx: &mut Tx, id: CaseId) -> Result<Option<LinkId>> {
    let found = tx.sql("SELECT link_id FROM case_file WHERE id = $1").bind(id).maybe::<(LinkId,)>().await?;
    if let Some((link_id,)) = found {
        tx.sql_locked("SELECT id FROM link WHERE id = $1", Lock::Update).bind(link_id).maybe::<(LinkId,)>().await?;
    }
    Ok(found.map(|row| row.0))
}
