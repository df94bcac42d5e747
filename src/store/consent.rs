//! Consents.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::codec::Instant;
use super::error::{Error, Result};
use super::noun::{Head, Listing, Stored};
use super::seal::{Place, Sealed};
use super::session::MOST_IDS;
use super::sql::Asked;
use super::tx::{Lock, Tx};
use crate::domain::consent::{Assent, Consent, ConsentEnd, ConsentEnding, ConsentGiver, ConsentPurpose};
use crate::domain::ids::{ClientId, ConsentId, GuardianId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::text::{Code, Language};

const ENDED_REASON: &str = "consent.ended_reason";

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    client_id: ClientId,
    purpose: ConsentPurpose,
    given_by: ConsentGiver,
    guardian_id: Option<GuardianId>,
    assent: Assent,
    language: Language,
    text_version: Code,
    given_on: NaiveDate,
    valid_until: Option<NaiveDate>,
    ended_how: Option<ConsentEnding>,
    ended_at: Option<Instant>,
    ended_reason: Option<Sealed>,
}

impl Row {
    async fn open(mut self, tx: &mut Tx) -> Result<Record<Consent>> {
        let reason = match self.ended_reason.take() {
            Some(sealed) => tx.open(Place::of(self.client_id, self.head.id), ENDED_REASON, sealed).await?,
            None => Personal::default(),
        };
        self.with_reason(reason)
    }

    /// Without the reason for which it ended, which is not even read.
    fn closed(self) -> Result<Record<Consent>> {
        self.with_reason(Personal::default())
    }

    fn with_reason(self, reason: Personal) -> Result<Record<Consent>> {
        let ended = match (self.ended_how, self.ended_at) {
            (None, None) => None,
            (Some(how), Some(at)) => Some(ConsentEnd { how, at: at.0, reason }),
            _ => return Err(Error::Inconsistent { table: "consent", what: self.head.id.to_string() }),
        };
        Ok(self.head.record(Consent {
            client_id: self.client_id,
            purpose: self.purpose,
            given_by: self.given_by,
            guardian_id: self.guardian_id,
            assent: self.assent,
            language: self.language,
            text_version: self.text_version,
            given_on: self.given_on,
            valid_until: self.valid_until,
            ended,
        }))
    }
}

impl Stored for Consent {
    /// Writes one that has not ended.
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "INSERT INTO consent (id, version, created_at, updated_at, client_id, purpose, given_by, guardian_id,
                assent, language, text_version, given_on, valid_until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind_head(it)
        .bind(it.client_id)
        .bind(it.purpose)
        .bind(it.given_by)
        .bind(it.guardian_id)
        .bind(it.assent)
        .bind(it.language.clone())
        .bind(it.text_version.clone())
        .bind(it.given_on)
        .bind(it.valid_until)
        .run()
        .await
        .map(drop)
    }

    /// Writes the version and the end; nothing else about a consent ever changes.
    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let place = Place::of(it.client_id, it.id);
        let reason = tx.seal_some(place, ENDED_REASON, it.ended.as_ref().map(|end| &end.reason)).await?;
        tx.sql(
            "UPDATE consent SET version = $2, updated_at = $3, ended_how = $4, ended_at = $5, ended_reason = $6
              WHERE id = $1",
        )
        .bind(it.id)
        .bind(it.version)
        .bind(Instant(it.updated_at))
        .bind(it.ended.as_ref().map(|end| end.how))
        .bind(it.ended.as_ref().map(|end| Instant(end.at)))
        .bind(reason)
        .run()
        .await
        .map(drop)
    }

    async fn find(tx: &mut Tx, id: ConsentId, lock: Lock) -> Result<Option<Record<Self>>> {
        match tx.sql_locked("SELECT * FROM consent WHERE id = $1", lock).bind(id).maybe::<Row>().await? {
            Some(row) => row.open(tx).await.map(Some),
            None => Ok(None),
        }
    }

    /// Lists with the reasons: whoever asks leaves a trace.
    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT consent.* FROM consent JOIN client ON client.id = consent.client_id
                  WHERE (CAST($1 AS UUID) IS NULL OR client.organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR consent.client_id = $2)
                    AND consent.id > $3 ORDER BY consent.id LIMIT $4",
            )
            .bind_listing(listing)
            .all::<Row>()
            .await?;
        let mut consents = Vec::with_capacity(rows.len());
        for row in rows {
            consents.push(row.open(tx).await?);
        }
        Ok(consents)
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        Ok(super::client::outline(tx, it.client_id, Lock::None).await?.map(|client| client.organisation_id))
    }
}

/// Every consent about a client, without the reasons for which they ended.
pub fn of_client(tx: &mut Tx, client_id: ClientId) -> Asked<Vec<Consent>> {
    let asked = tx.sql("SELECT * FROM consent WHERE client_id = $1 ORDER BY id").bind(client_id).ask::<Row>();
    asked.then(|rows| rows.into_iter().map(|row| Ok(row.closed()?.content)).collect())
}

/// Every consent about clients, by client, without the reasons for which they ended.
pub async fn of_clients(tx: &mut Tx, ids: &[ClientId]) -> Result<BTreeMap<ClientId, Vec<Record<Consent>>>> {
    let mut all: BTreeMap<ClientId, Vec<Record<Consent>>> = BTreeMap::new();
    for some in ids.chunks(MOST_IDS) {
        let sql = tx.sql_each("SELECT * FROM consent WHERE client_id IN ({ids}) ORDER BY id", some.len());
        for row in sql.bind_ids(some).all::<Row>().await? {
            all.entry(row.client_id).or_default().push(row.closed()?);
        }
    }
    Ok(all)
}

/// The clients of an organisation of whom a consent that has not ended expires on one of these days.
pub async fn expiring(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<ClientId>> {
    let sql = tx.sql(
        "SELECT DISTINCT client_id FROM consent JOIN client ON client.id = consent.client_id
          WHERE client.organisation_id = $1 AND client.erased_at IS NULL AND ended_how IS NULL
            AND valid_until IS NOT NULL AND valid_until BETWEEN $2 AND $3",
    );
    let rows = sql.bind(organisation_id).bind(first).bind(last).all::<(ClientId,)>().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
