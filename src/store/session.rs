//! Sessions.

use chrono::NaiveDate;
use uuid::Uuid;

use super::codec::{Instant, Zone};
use super::db::{Lock, Tx};
use super::error::{Error, Result};
use crate::domain::code::{CareService, Modality, Side};
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, RoomId, SessionId, SiteId, VenueId};
use crate::domain::reference::Reference;
use crate::domain::session::{CancelReason, Place, Session, State, StateWord};
use crate::domain::time::Span;

#[derive(sqlx::FromRow)]
struct Row {
    id: SessionId,
    version: i64,
    created_at: Instant,
    organisation_id: OrganisationId,
    client_id: ClientId,
    client_reference: Reference,
    side: Side,
    counsellor_id: CounsellorId,
    service: CareService,
    modality: Modality,
    venue_id: Option<VenueId>,
    site_id: Option<SiteId>,
    room_id: Option<RoomId>,
    starts_at: Instant,
    ends_at: Instant,
    zone: Zone,
    state: StateWord,
    cancelled_at: Option<Instant>,
    cancel_reason: Option<CancelReason>,
    needs_rescheduling: bool,
}

impl Row {
    fn session(self) -> Result<Session> {
        let wrong = || Error::Inconsistent { table: "session", what: self.id.to_string() };
        let place = match (self.modality, self.venue_id, self.site_id) {
            (Modality::Remote, None, None) => Place::Remote,
            (Modality::InPerson, Some(venue_id), Some(site_id)) => {
                Place::Venue { venue_id, site_id, room_id: self.room_id }
            }
            _ => return Err(wrong()),
        };
        let state = match (self.state, self.cancelled_at, self.cancel_reason) {
            (StateWord::Booked, None, None) => State::Booked,
            (StateWord::Cancelled, Some(at), Some(reason)) => State::Cancelled { at: at.0, reason },
            _ => return Err(wrong()),
        };
        Ok(Session {
            id: self.id,
            version: self.version,
            organisation_id: self.organisation_id,
            client_id: self.client_id,
            span: Span::new(self.starts_at.0, self.ends_at.0).ok_or_else(wrong)?,
            client_reference: self.client_reference,
            side: self.side,
            counsellor_id: self.counsellor_id,
            service: self.service,
            place,
            zone: self.zone.0,
            state,
            needs_rescheduling: self.needs_rescheduling,
            created_at: self.created_at.0,
        })
    }
}

/// Writes a new session; its time and place are claimed by [`super::placement::claim`].
pub async fn insert(tx: &mut Tx, it: &Session) -> Result<()> {
    tx.sql(
        "INSERT INTO session (id, version, created_at, organisation_id, client_id, client_reference, side,
            counsellor_id, service, modality, venue_id, site_id, room_id, starts_at, ends_at, on_date, zone, state,
            needs_rescheduling)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(Instant(it.created_at))
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(it.client_reference.clone())
    .bind(it.side)
    .bind(it.counsellor_id)
    .bind(it.service)
    .bind(it.place.modality())
    .bind(it.place.venue_id())
    .bind(it.place.site_id())
    .bind(it.place.room_id())
    .bind(Instant(it.span.starts_at()))
    .bind(Instant(it.span.ends_at()))
    .bind(it.on_date())
    .bind(Zone(it.zone))
    .bind(it.state.word())
    .bind(it.needs_rescheduling)
    .run()
    .await
    .map(drop)
}

/// Writes the state, the version and the flag of a session.
pub async fn update_state(tx: &mut Tx, it: &Session) -> Result<()> {
    let (cancelled_at, reason) = match &it.state {
        State::Booked => (None, None),
        State::Cancelled { at, reason } => (Some(Instant(*at)), Some(*reason)),
    };
    tx.sql(
        "UPDATE session SET version = $2, state = $3, cancelled_at = $4, cancel_reason = $5, needs_rescheduling = $6
          WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(it.state.word())
    .bind(cancelled_at)
    .bind(reason)
    .bind(it.needs_rescheduling)
    .run()
    .await
    .map(drop)
}

/// Reads one session.
pub async fn find(tx: &mut Tx, id: SessionId, lock: Lock) -> Result<Option<Session>> {
    let row = tx.sql_locked("SELECT * FROM session WHERE id = $1", lock).bind(id).maybe::<Row>().await?;
    row.map(Row::session).transpose()
}

/// Booked sessions of a client at a site that end after `since`, oldest first.
pub async fn at_sites(tx: &mut Tx, client_id: ClientId, since: Instant, lock: Lock) -> Result<Vec<Session>> {
    let sql = tx.sql_locked(
        "SELECT * FROM session WHERE client_id = $1 AND ends_at > $2 AND state = 'BOOKED' AND site_id IS NOT NULL
          ORDER BY starts_at, id",
        lock,
    );
    sql.bind(client_id).bind(since).all::<Row>().await?.into_iter().map(Row::session).collect()
}

/// Which sessions.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Of this counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// At this site.
    pub site_id: Option<SiteId>,
    /// On this local day.
    pub on_date: Option<NaiveDate>,
    /// Starting at or after.
    pub starts_from: Option<chrono::DateTime<chrono::Utc>>,
    /// Starting before.
    pub starts_before: Option<chrono::DateTime<chrono::Utc>>,
    /// In this state.
    pub state: Option<StateWord>,
    /// After this start and id.
    pub after: Option<(chrono::DateTime<chrono::Utc>, SessionId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of sessions, by start.
pub async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Session>> {
    let (after_start, after_id) = listing.after.unwrap_or((chrono::DateTime::UNIX_EPOCH, SessionId(Uuid::nil())));
    let rows = tx
        .sql(
            "SELECT * FROM session
              WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR counsellor_id = $2)
                AND (CAST($3 AS UUID) IS NULL OR client_id = $3)
                AND (CAST($4 AS UUID) IS NULL OR site_id = $4)
                AND (CAST($5 AS DATE) IS NULL OR on_date = $5)
                AND (CAST($6 AS TIMESTAMPTZ) IS NULL OR starts_at >= $6)
                AND (CAST($7 AS TIMESTAMPTZ) IS NULL OR starts_at < $7)
                AND (CAST($8 AS TEXT) IS NULL OR state = $8)
                AND (starts_at, id) > ($9, $10)
              ORDER BY starts_at, id LIMIT $11",
        )
        .bind(listing.organisation_id)
        .bind(listing.counsellor_id)
        .bind(listing.client_id)
        .bind(listing.site_id)
        .bind(listing.on_date)
        .bind(listing.starts_from.map(Instant))
        .bind(listing.starts_before.map(Instant))
        .bind(listing.state)
        .bind(Instant(after_start))
        .bind(after_id)
        .bind(listing.most)
        .all::<Row>()
        .await?;
    rows.into_iter().map(Row::session).collect()
}
