//! Clients.

use std::collections::BTreeSet;

use sqlx::types::Json;
use uuid::Uuid;

use super::client_index;
use super::codec::Instant;
use super::error::Result;
use super::noun::{Head, Keyed, Listing, Stored};
use super::seal::{Place, Sealed};
use super::sql::{Asked, Sql};
use super::tx::{Lock, Tx};
use crate::domain::client::{AgeBasis, Availability, Client};
use crate::domain::code::{Gender, Modality, Side};
use crate::domain::ids::{ClientId, CounsellorId, LinkId, OrganisationId, VenueId};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::text::{Code, Language};

const NAME: &str = "client.name";
const PHONE: &str = "client.phone";
const ADDRESS: &str = "client.address";
const BORN_ON: &str = "client.born_on";

/// What may be known of a client without opening personal data.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Outline {
    /// Id.
    pub id: ClientId,
    /// The organisation that cares for the client.
    pub organisation_id: OrganisationId,
    /// Reference code.
    pub reference: Reference,
    /// Side.
    pub side: Side,
    /// Whether the client was erased.
    pub erased: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    reference: Reference,
    side: Side,
    name: Sealed,
    phone: Sealed,
    address: Sealed,
    born_on: Sealed,
    age_basis: Option<AgeBasis>,
    spoken_languages: Json<Vec<Language>>,
    reading_language: Option<Language>,
    counsellor_gender: Option<Gender>,
    file_number: Option<Code>,
    availability: Json<Vec<Availability>>,
    preferred_modality: Option<Modality>,
    preferred_venue_id: Option<VenueId>,
    erased_at: Option<Instant>,
}

impl Row {
    /// With the personal fields, of which nothing is left once the client is erased.
    async fn open(self, tx: &mut Tx) -> Result<Record<Client>> {
        if self.erased_at.is_some() {
            return Ok(self.closed());
        }
        let place = Place::of(self.head.id, self.head.id);
        Ok(self.head.record(Client {
            organisation_id: self.organisation_id,
            reference: self.reference,
            side: self.side,
            name: tx.open(place, NAME, self.name).await?,
            phone: tx.open(place, PHONE, self.phone).await?,
            address: tx.open(place, ADDRESS, self.address).await?,
            born_on: tx.open(place, BORN_ON, self.born_on).await?,
            age_basis: self.age_basis,
            spoken_languages: self.spoken_languages.0,
            reading_language: self.reading_language,
            counsellor_gender: self.counsellor_gender,
            file_number: self.file_number,
            availability: self.availability.0,
            preferred_modality: self.preferred_modality,
            preferred_venue_id: self.preferred_venue_id,
            erased_at: self.erased_at.map(|at| at.0),
        }))
    }

    /// Without the personal fields, which are not even read.
    fn closed(self) -> Record<Client> {
        self.head.record(Client {
            organisation_id: self.organisation_id,
            reference: self.reference,
            side: self.side,
            name: Personal::default(),
            phone: Personal::default(),
            address: Personal::default(),
            born_on: Personal::default(),
            age_basis: self.age_basis,
            spoken_languages: self.spoken_languages.0,
            reading_language: self.reading_language,
            counsellor_gender: self.counsellor_gender,
            file_number: self.file_number,
            availability: self.availability.0,
            preferred_modality: self.preferred_modality,
            preferred_venue_id: self.preferred_venue_id,
            erased_at: self.erased_at.map(|at| at.0),
        })
    }
}

async fn bind<'t>(tx: &'t mut Tx, it: &Record<Client>, text: &'static str) -> Result<Sql<'t>> {
    let place = Place::of(it.id, it.id);
    let name = tx.seal(place, NAME, &it.name).await?;
    let phone = tx.seal(place, PHONE, &it.phone).await?;
    let address = tx.seal(place, ADDRESS, &it.address).await?;
    let born_on = tx.seal(place, BORN_ON, &it.born_on).await?;
    Ok(tx
        .sql(text)
        .bind_head(it)
        .bind(it.organisation_id)
        .bind(it.reference.clone())
        .bind(it.side)
        .bind(name)
        .bind(phone)
        .bind(address)
        .bind(born_on)
        .bind(Json(it.spoken_languages.clone()))
        .bind(it.reading_language.clone())
        .bind(it.counsellor_gender)
        .bind(it.file_number.clone())
        .bind(Json(it.availability.clone()))
        .bind(it.preferred_modality)
        .bind(it.preferred_venue_id)
        .bind(it.age_basis))
}

impl Stored for Client {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let text = "INSERT INTO client (id, version, created_at, updated_at, organisation_id, reference, side, name,
                phone, address, born_on, spoken_languages, reading_language, counsellor_gender, file_number,
                availability, preferred_modality, preferred_venue_id, age_basis)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
        bind(tx, it, text).await?.run().await?;
        client_index::insert(tx, it).await
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let text = "UPDATE client SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5,
                reference = $6, side = $7, name = $8, phone = $9, address = $10, born_on = $11,
                spoken_languages = $12, reading_language = $13, counsellor_gender = $14, file_number = $15,
                availability = $16, preferred_modality = $17, preferred_venue_id = $18, age_basis = $19 WHERE id = $1";
        bind(tx, it, text).await?.run().await?;
        client_index::delete(tx, it.id).await?;
        client_index::insert(tx, it).await
    }

    async fn find(tx: &mut Tx, id: ClientId, lock: Lock) -> Result<Option<Record<Self>>> {
        let sql = tx.sql_locked("SELECT * FROM client WHERE id = $1", lock);
        match sql.bind(id).maybe::<Row>().await? {
            Some(row) => row.open(tx).await.map(Some),
            None => Ok(None),
        }
    }

    /// Lists without personal data; `within` is a counsellor whose client it is ([`seen_by`]).
    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT * FROM client
                  WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR EXISTS (
                         SELECT 1 FROM own_client AS own WHERE own.client_id = client.id AND own.counsellor_id = $2))
                    AND id > $3 AND (CAST($5 AS TEXT) IS NULL OR side = $5)
                  ORDER BY id LIMIT $4",
            )
            .bind_listing(listing)
            .bind(listing.side)
            .all::<Row>()
            .await?;
        Ok(rows.into_iter().map(Row::closed).collect())
    }
}

impl Keyed for Client {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM client WHERE organisation_id = $1 AND file_number = $2");
        match sql.bind(within).bind(code).maybe::<Row>().await? {
            Some(row) => row.open(tx).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The client of a session: what booking rules look at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What may be known without opening personal data.
    pub outline: Outline,
    /// Date of birth, opened for the rules that ask for the age.
    pub born_on: Personal,
    /// Languages spoken.
    pub spoken_languages: Vec<Language>,
    /// The counsellor's gender the client asks for.
    pub counsellor_gender: Option<Gender>,
    /// The weekly times at which the client can come; any when there are none.
    pub availability: Vec<Availability>,
    /// How the client would rather meet.
    pub preferred_modality: Option<Modality>,
    /// Where the client would rather come.
    pub preferred_venue_id: Option<VenueId>,
}

impl std::ops::Deref for Subject {
    type Target = Outline;

    fn deref(&self) -> &Outline {
        &self.outline
    }
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    #[sqlx(flatten)]
    outline: Outline,
    born_on: Sealed,
    spoken_languages: Json<Vec<Language>>,
    counsellor_gender: Option<Gender>,
    availability: Json<Vec<Availability>>,
    preferred_modality: Option<Modality>,
    preferred_venue_id: Option<VenueId>,
}

impl FactsRow {
    async fn open(self, tx: &mut Tx) -> Result<Subject> {
        Ok(Subject {
            born_on: tx.open(Place::of(self.outline.id, self.outline.id), BORN_ON, self.born_on).await?,
            outline: self.outline,
            spoken_languages: self.spoken_languages.0,
            counsellor_gender: self.counsellor_gender,
            availability: self.availability.0,
            preferred_modality: self.preferred_modality,
            preferred_venue_id: self.preferred_venue_id,
        })
    }
}

/// Reads what booking rules look at.
pub async fn subject(tx: &mut Tx, id: ClientId, lock: Lock) -> Result<Option<Subject>> {
    let sql = tx.sql_locked(
        "SELECT id, organisation_id, reference, side, erased_at IS NOT NULL AS erased, born_on, spoken_languages, counsellor_gender, availability,
            preferred_modality, preferred_venue_id FROM client WHERE id = $1",
        lock,
    );
    match sql.bind(id).maybe::<FactsRow>().await? {
        Some(row) => row.open(tx).await.map(Some),
        None => Ok(None),
    }
}

/// Reads what booking rules look at, of many clients.
pub async fn subjects(tx: &mut Tx, ids: &[ClientId]) -> Result<Vec<Subject>> {
    tx.prepare_keys(ids.iter().map(|id| id.0)).await?;
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(1024) {
        let sql = tx.sql_each(
            "SELECT id, organisation_id, reference, side, erased_at IS NOT NULL AS erased, born_on, spoken_languages, counsellor_gender, availability,
                preferred_modality, preferred_venue_id FROM client WHERE id IN ({ids})",
            some.len(),
        );
        for row in sql.bind_ids(some).all::<FactsRow>().await? {
            all.push(row.open(tx).await?);
        }
    }
    Ok(all)
}

/// What may be known of a client without opening personal data.
pub async fn outline(tx: &mut Tx, id: ClientId, lock: Lock) -> Result<Option<Outline>> {
    let sql = tx.sql_locked(
        "SELECT id, organisation_id, reference, side, erased_at IS NOT NULL AS erased FROM client WHERE id = $1",
        lock,
    );
    sql.bind(id).maybe().await
}

/// The client of a reference code.
pub async fn outline_by_reference(tx: &mut Tx, reference: &Reference) -> Result<Option<Outline>> {
    let sql = tx.sql(
        "SELECT id, organisation_id, reference, side, erased_at IS NOT NULL AS erased FROM client WHERE reference = $1",
    );
    sql.bind(reference.clone()).maybe().await
}

/// Clients by id, without personal data.
pub async fn by_ids(tx: &mut Tx, ids: &[ClientId]) -> Result<Vec<Record<Client>>> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(1024) {
        let sql = tx.sql_each("SELECT * FROM client WHERE id IN ({ids})", some.len());
        all.extend(sql.bind_ids(some).all::<Row>().await?.into_iter().map(Row::closed));
    }
    Ok(all)
}

/// Whether a client is a counsellor's own: there is or was a session with that counsellor, or an open follow-up plan
/// for which that counsellor is responsible. A cancelled session gives nobody access.
pub async fn seen_by(tx: &mut Tx, id: ClientId, counsellor_id: CounsellorId) -> Result<bool> {
    let sql = tx.sql("SELECT client_id FROM own_client WHERE client_id = $1 AND counsellor_id = $2 LIMIT 1");
    Ok(sql.bind(id).bind(counsellor_id).maybe::<(Uuid,)>().await?.is_some())
}

/// The counsellors with whom a client has or had a session that was not cancelled.
pub fn counsellors_of(tx: &mut Tx, id: ClientId) -> Asked<Vec<CounsellorId>> {
    let sql = tx.sql("SELECT DISTINCT counsellor_id FROM seen WHERE client_id = $1");
    sql.bind(id).ask::<(CounsellorId,)>().map(|rows| rows.into_iter().map(|row| row.0).collect())
}

/// Locks clients, in order, so that no session is placed for them meanwhile.
pub async fn lock(tx: &mut Tx, ids: &[ClientId]) -> Result<()> {
    for id in ids {
        tx.sql_locked("SELECT id FROM client WHERE id = $1", Lock::Update).bind(*id).maybe::<(ClientId,)>().await?;
    }
    Ok(())
}

/// The links a client belongs to, in order.
pub fn links(tx: &mut Tx, id: ClientId) -> Asked<Vec<LinkId>> {
    let sql = tx.sql("SELECT DISTINCT link_id FROM link_party WHERE client_id = $1 ORDER BY link_id");
    sql.bind(id).ask::<(LinkId,)>().map(|rows| rows.into_iter().map(|row| row.0).collect())
}

/// The parties of a link, in order.
pub async fn parties(tx: &mut Tx, link_id: LinkId) -> Result<Vec<ClientId>> {
    let sql = tx.sql("SELECT DISTINCT client_id FROM link_party WHERE link_id = $1 ORDER BY client_id");
    Ok(sql.bind(link_id).all::<(ClientId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// The pairs among clients of whom it was declared that they must not meet.
pub fn declared_apart(tx: &mut Tx, ids: &[ClientId]) -> Asked<Vec<(ClientId, ClientId)>> {
    let sql = tx.sql_each(
        "SELECT no_contact.client_id, client.id
           FROM no_contact JOIN client ON client.reference = no_contact.other_reference
          WHERE no_contact.client_id IN ({ids}) ORDER BY no_contact.client_id, client.id",
        ids.len(),
    );
    let among: BTreeSet<ClientId> = ids.iter().copied().collect();
    let pairs = sql.bind_ids(ids).ask::<(ClientId, ClientId)>();
    pairs.map(move |pairs| pairs.into_iter().filter(|(_, other)| among.contains(other)).collect())
}
