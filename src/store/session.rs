//! Sessions.

use chrono::NaiveDate;
use sqlx::types::Json;
use uuid::Uuid;

use super::codec::{Instant, Zone};
use super::db::{Lock, Tx};
use super::error::{Error, Result};
use crate::domain::code::{CareService, Modality, Side};
use crate::domain::ids::{ClientId, CounsellorId, GuardianId, OrganisationId, RoomId, SessionId, SiteId, VenueId};
use crate::domain::place::Place;
use crate::domain::reference::Reference;
use crate::domain::rules::RuleCode;
use crate::domain::session::{CancelReason, Session, State, StateWord};
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
    successor_id: Option<SessionId>,
    supersedes_id: Option<SessionId>,
    held_until: Option<Instant>,
    held_by: Option<String>,
    hold_number: Option<i64>,
    guardian_id: Option<GuardianId>,
    interpreter: bool,
    overridden: Json<Vec<RuleCode>>,
    flags: Json<Vec<RuleCode>>,
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
        let hold = (self.held_until, self.held_by, self.hold_number);
        let state = match (self.state, self.cancelled_at, self.cancel_reason, self.successor_id, hold) {
            (StateWord::Held, None, None, None, (Some(until), Some(by), Some(number))) => {
                State::Held { until: until.0, by, number }
            }
            (StateWord::Booked, None, None, None, (None, None, None)) => State::Booked,
            (StateWord::Cancelled, Some(at), Some(reason), None, _) => State::Cancelled { at: at.0, reason },
            (StateWord::Rescheduled, Some(at), Some(reason), Some(successor), _) => {
                State::Rescheduled { at: at.0, reason, successor }
            }
            _ => return Err(Error::Inconsistent { table: "session", what: self.id.to_string() }),
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
            guardian_id: self.guardian_id,
            interpreter: self.interpreter,
            overridden: self.overridden.0,
            flags: self.flags.0,
            supersedes: self.supersedes_id,
            created_at: self.created_at.0,
        })
    }
}

/// Writes a new session or hold; its time and place are claimed by [`super::placement::claim`].
/// [`Error::Conflict`] when the hold's number, or the session it supersedes, is taken.
pub async fn insert(tx: &mut Tx, it: &Session) -> Result<()> {
    let (held_until, held_by, hold_number) = match &it.state {
        State::Held { until, by, number } => (Some(Instant(*until)), Some(by.clone()), Some(*number)),
        _ => (None, None, None),
    };
    tx.sql(
        "INSERT INTO session (id, version, created_at, organisation_id, client_id, client_reference, side,
            counsellor_id, service, modality, venue_id, site_id, room_id, starts_at, ends_at, on_date, zone, state,
            held_until, held_by, hold_number, guardian_id, interpreter, overridden, flags, supersedes_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26) ON CONFLICT DO NOTHING",
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
    .bind(held_until)
    .bind(held_by)
    .bind(hold_number)
    .bind(it.guardian_id)
    .bind(it.interpreter)
    .bind(Json(it.overridden.clone()))
    .bind(Json(it.flags.clone()))
    .bind(it.supersedes)
    .claim()
    .await
}

/// Writes what can change of a session that stands: its state, version, flags, its counsellor, and when
/// what was held is booked.
pub async fn update(tx: &mut Tx, it: &Session) -> Result<()> {
    let (cancelled_at, reason, successor_id) = match &it.state {
        State::Held { .. } | State::Booked => (None, None, None),
        State::Cancelled { at, reason } => (Some(Instant(*at)), Some(*reason), None),
        State::Rescheduled { at, reason, successor } => (Some(Instant(*at)), Some(*reason), Some(*successor)),
    };
    // A hold is only ever booked or deleted, so what is written here is none any more.
    tx.sql(
        "UPDATE session SET version = $2, state = $3, cancelled_at = $4, cancel_reason = $5, successor_id = $6,
            counsellor_id = $7, overridden = $8, flags = $9, zone = $10, on_date = $11, guardian_id = $12,
            interpreter = $13, created_at = $14, held_until = NULL, held_by = NULL, hold_number = NULL
          WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(it.state.word())
    .bind(cancelled_at)
    .bind(reason)
    .bind(successor_id)
    .bind(it.counsellor_id)
    .bind(Json(it.overridden.clone()))
    .bind(Json(it.flags.clone()))
    .bind(Zone(it.zone))
    .bind(it.on_date())
    .bind(it.guardian_id)
    .bind(it.interpreter)
    .bind(Instant(it.created_at))
    .run()
    .await
    .map(drop)
}

/// Reads one session.
pub async fn find(tx: &mut Tx, id: SessionId, lock: Lock) -> Result<Option<Session>> {
    let row = tx.sql_locked("SELECT * FROM session WHERE id = $1", lock).bind(id).maybe::<Row>().await?;
    row.map(Row::session).transpose()
}

/// Booked sessions of a client at a site that end after `since`, by id.
pub async fn at_sites(tx: &mut Tx, client_id: ClientId, since: Instant) -> Result<Vec<Session>> {
    let sql = tx.sql(
        "SELECT * FROM session WHERE client_id = $1 AND ends_at > $2 AND state = 'BOOKED' AND site_id IS NOT NULL
          ORDER BY id",
    );
    sql.bind(client_id).bind(since).all::<Row>().await?.into_iter().map(Row::session).collect()
}

/// Whose sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of a client.
    Client(ClientId),
    /// Of a counsellor.
    Counsellor(CounsellorId),
    /// At a site.
    Site(SiteId),
    /// At a venue.
    Venue(VenueId),
    /// Of an organisation.
    Organisation(OrganisationId),
}

/// Locks the booked sessions of these that start after an instant: in one order, whoever does it.
pub async fn lock(tx: &mut Tx, of: &[Of], after: Instant) -> Result<Vec<Session>> {
    let mut ids = Vec::new();
    for of in of {
        let (text, id) = match *of {
            Of::Client(id) => {
                ("SELECT id FROM session WHERE client_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0)
            }
            Of::Counsellor(id) => {
                ("SELECT id FROM session WHERE counsellor_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0)
            }
            Of::Site(id) => ("SELECT id FROM session WHERE site_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0),
            Of::Venue(id) => {
                ("SELECT id FROM session WHERE venue_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0)
            }
            Of::Organisation(id) => {
                ("SELECT id FROM session WHERE organisation_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0)
            }
        };
        ids.extend(tx.sql(text).bind(id).bind(after).all::<(SessionId,)>().await?);
    }
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<SessionId> = ids.into_iter().map(|row| row.0).collect();
    let mut sessions = Vec::with_capacity(ids.len());
    for some in ids.chunks(MOST_IDS) {
        let sql = tx.sql_each_locked(
            "SELECT * FROM session WHERE id IN ({ids}) AND state = 'BOOKED' ORDER BY id",
            some.len(),
            Lock::Update,
        );
        let rows = sql.bind_ids(some).all::<Row>().await?;
        sessions.extend(rows.into_iter().map(Row::session).collect::<Result<Vec<_>>>()?);
    }
    Ok(sessions)
}

/// The most ids of one statement; both engines take more.
const MOST_IDS: usize = 1024;

/// When and where somebody has a session or a hold.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Visit {
    /// The session or hold.
    pub id: SessionId,
    /// The client.
    pub client_id: ClientId,
    /// The counsellor.
    pub counsellor_id: CounsellorId,
    /// The site; none when remote.
    pub site_id: Option<SiteId>,
    starts_at: Instant,
    ends_at: Instant,
}

impl Visit {
    /// When, without buffers.
    pub fn span(&self) -> Option<Span> {
        Span::new(self.starts_at.0, self.ends_at.0)
    }
}

/// The sessions of counsellors, and of a client, that start within an interval, what is held included;
/// those recorded after they took place too, which take no time in `occupancy`.
pub async fn visits(
    tx: &mut Tx,
    client_id: ClientId,
    counsellors: &[CounsellorId],
    around: Span,
    now: Instant,
) -> Result<Vec<Visit>> {
    const CLIENT: &str = "SELECT id, client_id, counsellor_id, site_id, starts_at, ends_at FROM session
          WHERE client_id = $1 AND starts_at >= $2 AND starts_at < $3
            AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $4))";
    let (from, until) = (Instant(around.starts_at()), Instant(around.ends_at()));
    let mut all = tx.sql(CLIENT).bind(client_id).bind(from).bind(until).bind(now).all::<Visit>().await?;
    if !counsellors.is_empty() {
        let sql = tx.sql_each(
            "SELECT id, client_id, counsellor_id, site_id, starts_at, ends_at FROM session
              WHERE starts_at >= $1 AND starts_at < $2 AND (state = 'BOOKED' OR (state = 'HELD' AND held_until > $3))
                AND counsellor_id IN ({ids})",
            counsellors.len(),
        );
        let theirs = sql.bind(from).bind(until).bind(now).bind_ids(counsellors).all::<Visit>().await?;
        // One session is both the client's and a counsellor's.
        all.extend(theirs.into_iter().filter(|it| it.client_id != client_id));
    }
    Ok(all)
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
    /// In one of these states; in any, but that of a mere hold, when empty.
    pub states: Vec<StateWord>,
    /// Only those that a person must resolve.
    pub flagged: bool,
    /// After this start and id.
    pub after: Option<(chrono::DateTime<chrono::Utc>, SessionId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of sessions, by start.
pub async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Session>> {
    let wanted = |word: &&StateWord| match listing.states.is_empty() {
        true => **word != StateWord::Held,
        false => listing.states.contains(*word),
    };
    let states: String = StateWord::ALL.iter().filter(wanted).map(|word| format!(",{word},")).collect();
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
                AND $8 LIKE '%,' || state || ',%'
                AND (starts_at, id) > ($9, $10)
                AND ($12 = FALSE OR flags <> '[]')
              ORDER BY starts_at, id LIMIT $11",
        )
        .bind(listing.organisation_id)
        .bind(listing.counsellor_id)
        .bind(listing.client_id)
        .bind(listing.site_id)
        .bind(listing.on_date)
        .bind(listing.starts_from.map(Instant))
        .bind(listing.starts_before.map(Instant))
        .bind(states)
        .bind(Instant(after_start))
        .bind(after_id)
        .bind(listing.most)
        .bind(listing.flagged)
        .all::<Row>()
        .await?;
    rows.into_iter().map(Row::session).collect()
}
