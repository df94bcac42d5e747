//! Who waits for a session. An entry is escalated when a person said so, and as long as one is open about the
//! client: nothing is copied, so neither of the two needs the other's lock.

use chrono::{NaiveDate, TimeDelta};
use sqlx::types::Json;

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::client::Availability;
use crate::domain::code::{CareService, Modality, Side};
use crate::domain::ids::{ClientId, CounsellorId, GuardianId, OrganisationId, SessionId, VenueId, WaitlistEntryId};
use crate::domain::party::Attendee;
use crate::domain::text::Code;
use crate::domain::waitlist::{Entry, EntryEnded, EntryEnding, Wishes};

#[derive(sqlx::FromRow)]
struct Row {
    id: WaitlistEntryId,
    version: i64,
    organisation_id: OrganisationId,
    side: Side,
    client_id: ClientId,
    service: CareService,
    length_minutes: i64,
    counsellor_id: Option<CounsellorId>,
    modality: Option<Modality>,
    venue_id: Option<VenueId>,
    district: Option<Code>,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    times: Json<Vec<Availability>>,
    guardian_id: Option<GuardianId>,
    interpreter: bool,
    escalated: bool,
    /// Something that presses is open about the client, whenever that was raised.
    called_upon: bool,
    joined_at: Instant,
    ended_how: Option<EntryEnding>,
    ended_at: Option<Instant>,
    session_id: Option<SessionId>,
}

impl TryFrom<Row> for Entry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let ended = match (row.ended_how, row.ended_at, row.session_id) {
            (None, None, None) => None,
            (Some(EntryEnding::Booked), Some(at), Some(session_id)) => Some(EntryEnded::Booked(at.0, session_id)),
            (Some(EntryEnding::Left), Some(at), None) => Some(EntryEnded::Left(at.0)),
            _ => return Err(Error::Inconsistent { table: "waitlist_entry", what: row.id.to_string() }),
        };
        Ok(Self {
            id: row.id,
            version: row.version,
            organisation_id: row.organisation_id,
            side: row.side,
            attendee: Attendee {
                client_id: row.client_id,
                guardian_id: row.guardian_id,
                interpreter: row.interpreter,
                order_id: None,
            },
            service: row.service,
            length: TimeDelta::minutes(row.length_minutes),
            wishes: Wishes {
                counsellor_id: row.counsellor_id,
                modality: row.modality,
                venue_id: row.venue_id,
                district: row.district,
                first_day: row.first_day,
                last_day: row.last_day,
                times: row.times.0,
            },
            escalated: row.escalated || row.called_upon,
            joined_at: row.joined_at.0,
            ended,
        })
    }
}

/// Writes a new entry. [`Error::Conflict`] when the client waits for the service already.
pub async fn insert(tx: &mut Tx, it: &Entry) -> Result<()> {
    tx.sql(
        "INSERT INTO waitlist_entry (id, version, organisation_id, side, client_id, service, length_minutes,
            counsellor_id, modality, venue_id, district, first_day, last_day, times, guardian_id, interpreter,
            escalated, joined_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(it.organisation_id)
    .bind(it.side)
    .bind(it.attendee.client_id)
    .bind(it.service)
    .bind(it.length.num_minutes())
    .bind(it.wishes.counsellor_id)
    .bind(it.wishes.modality)
    .bind(it.wishes.venue_id)
    .bind(it.wishes.district.clone())
    .bind(it.wishes.first_day)
    .bind(it.wishes.last_day)
    .bind(Json(it.wishes.times.clone()))
    .bind(it.attendee.guardian_id)
    .bind(it.attendee.interpreter)
    .bind(it.escalated)
    .bind(Instant(it.joined_at))
    .claim()
    .await
}

/// Writes what can change of an entry: how it ended.
pub async fn update(tx: &mut Tx, it: &Entry) -> Result<()> {
    let (how, at, session_id) = match it.ended {
        None => (None, None, None),
        Some(EntryEnded::Booked(at, session_id)) => (Some(EntryEnding::Booked), Some(Instant(at)), Some(session_id)),
        Some(EntryEnded::Left(at)) => (Some(EntryEnding::Left), Some(Instant(at)), None),
    };
    let sql =
        tx.sql("UPDATE waitlist_entry SET version = $2, ended_how = $3, ended_at = $4, session_id = $5 WHERE id = $1");
    let sql = sql.bind(it.id).bind(it.version).bind(how).bind(at).bind(session_id);
    sql.run().await.map(drop)
}

/// Reads one entry.
pub async fn find(tx: &mut Tx, id: WaitlistEntryId, lock: Lock) -> Result<Option<Entry>> {
    let sql = tx.sql_locked(
        "SELECT it.*, EXISTS (SELECT 1 FROM escalation WHERE escalation.client_id = it.client_id
                AND escalation.resolved_at IS NULL) AS called_upon
           FROM waitlist_entry AS it WHERE it.id = $1",
        lock,
    );
    sql.bind(id).maybe::<Row>().await?.map(Entry::try_from).transpose()
}

/// Whether anybody of an organisation and side waits.
pub async fn anybody(tx: &mut Tx, organisation_id: OrganisationId, side: Side) -> Result<bool> {
    let sql =
        tx.sql("SELECT id FROM waitlist_entry WHERE organisation_id = $1 AND side = $2 AND ended_how IS NULL LIMIT 1");
    Ok(sql.bind(organisation_id).bind(side).maybe::<(WaitlistEntryId,)>().await?.is_some())
}

/// Who waits at an organisation, or anywhere, on one side or both; longest first.
pub async fn waiting(tx: &mut Tx, organisation_id: Option<OrganisationId>, side: Option<Side>) -> Result<Vec<Entry>> {
    let sql = tx.sql(
        "SELECT it.*, EXISTS (SELECT 1 FROM escalation WHERE escalation.client_id = it.client_id
                AND escalation.resolved_at IS NULL) AS called_upon
           FROM waitlist_entry AS it
          WHERE it.ended_how IS NULL AND (CAST($1 AS UUID) IS NULL OR it.organisation_id = $1)
            AND (CAST($2 AS TEXT) IS NULL OR it.side = $2)
          ORDER BY it.joined_at, it.id",
    );
    let rows = sql.bind(organisation_id).bind(side).all::<Row>().await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// Every entry of a client, ended ones too, longest first.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<Entry>> {
    let sql = tx.sql(
        "SELECT it.*, EXISTS (SELECT 1 FROM escalation WHERE escalation.client_id = it.client_id
                AND escalation.resolved_at IS NULL) AS called_upon
           FROM waitlist_entry AS it WHERE it.client_id = $1 ORDER BY it.joined_at, it.id",
    );
    sql.bind(id).all::<Row>().await?.into_iter().map(Entry::try_from).collect()
}
