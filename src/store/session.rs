//! Sessions.

use std::collections::BTreeSet;

use sqlx::types::Json;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::participant::{self, Clients};
pub use super::session_list::{Listing, list};
use super::tx::{Lock, Tx};
use super::{feed, session_whole, unrecorded};
use crate::domain::code::{CareService, Modality, Side};
use crate::domain::feed::{SessionNote, Topic};
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, RoomId, SeriesId, SessionId, SiteId, VenueId};
use crate::domain::place::Place;
use crate::domain::rules::RuleCode;
use crate::domain::session::{CancelReason, Occurrence, Session, State, StateWord};
use crate::domain::time::Span;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: SessionId,
    version: i64,
    created_at: Instant,
    organisation_id: OrganisationId,
    side: Side,
    capacity: i64,
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
    series_id: Option<SeriesId>,
    series_number: Option<i64>,
    overridden: Json<Vec<RuleCode>>,
    flags: Json<Vec<RuleCode>>,
}

impl Row {
    /// The session, without who is to be there.
    pub(super) fn session(self) -> Result<Session> {
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
        let number = self.series_number.map(u32::try_from).transpose().map_err(|_| wrong())?;
        let occurrence = self.series_id.zip(number);
        Ok(Session {
            id: self.id,
            version: self.version,
            organisation_id: self.organisation_id,
            span: Span::new(self.starts_at.0, self.ends_at.0).ok_or_else(wrong)?,
            side: self.side,
            counsellor_id: self.counsellor_id,
            co_facilitators: Vec::new(),
            capacity: u32::try_from(self.capacity).map_err(|_| wrong())?,
            participants: Vec::new(),
            removed: Vec::new(),
            service: self.service,
            place,
            zone: self.zone.0,
            state,
            occurrence: occurrence.map(|(series_id, number)| Occurrence { series_id, number }),
            milestone_id: None,
            overridden: self.overridden.0,
            flags: self.flags.0,
            supersedes: self.supersedes_id,
            created_at: self.created_at.0,
        })
    }
}

/// The sessions of rows, with who is to be there.
pub(super) async fn complete(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Session>> {
    let mut sessions: Vec<Session> = rows.into_iter().map(Row::session).collect::<Result<_>>()?;
    for some in sessions.chunks_mut(MOST_IDS) {
        let ids: Vec<SessionId> = some.iter().map(|it| it.id).collect();
        let mut clients = participant::of_sessions(tx, &ids).await?;
        let groups: Vec<SessionId> = some.iter().filter(|it| it.is_group()).map(|it| it.id).collect();
        let facilitators =
            if groups.is_empty() { Vec::new() } else { participant::facilitators_of(tx, &groups).await? };
        for session in some {
            let beside = facilitators.iter().filter(|(id, _)| *id == session.id);
            let beside = beside.map(|(_, counsellor_id)| *counsellor_id).collect();
            fill(session, clients.remove(&session.id).unwrap_or_default(), beside);
        }
    }
    Ok(sessions)
}

/// Says of a session who is to be there.
pub(super) fn fill(session: &mut Session, clients: Clients, beside: Vec<CounsellorId>) {
    (session.participants, session.removed) = (clients.planned, clients.removed);
    session.milestone_id = clients.milestone_id;
    session.co_facilitators = beside;
}

/// Writes a new session or hold with who is to be there, and the milestone that it is for; its time and place are claimed by [`super::placement::claim`].
/// Whoever follows the sessions of the organisation hears of it, unless it is a hold.
/// With the next statement, which is [`Error::Conflict`] when the hold's number, the session it supersedes, or its number
/// in a series is taken.
pub fn insert(tx: &mut Tx, it: &Session, now: Instant) {
    let (held_until, held_by, hold_number) = match &it.state {
        State::Held { until, by, number } => (Some(Instant(*until)), Some(by.clone()), Some(*number)),
        _ => (None, None, None),
    };
    tx.sql(
        "INSERT INTO session (id, version, created_at, organisation_id, side, capacity, counsellor_id,
            service, modality, venue_id, site_id, room_id, starts_at, ends_at, on_date, zone, state,
            held_until, held_by, hold_number, series_id, series_number, overridden, flags, supersedes_id, unrecorded)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(Instant(it.created_at))
    .bind(it.organisation_id)
    .bind(it.side)
    .bind(i64::from(it.capacity))
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
    .bind(it.occurrence.map(|it| it.series_id))
    .bind(it.occurrence.map(|it| i64::from(it.number)))
    .bind(Json(it.overridden.clone()))
    .bind(Json(it.flags.clone()))
    .bind(it.supersedes)
    .bind(unrecorded::at_first(it))
    .claim_later(1);
    participant::insert_all(tx, it);
    if let Some(milestone_id) = it.milestone_id {
        let sql = tx.sql("INSERT INTO milestone_session (session_id, milestone_id) VALUES ($1, $2)");
        sql.bind(it.id).bind(milestone_id).later();
    }
    note(tx, it, Vec::new(), now);
}

/// Writes what can change of a session that stands: its state, version, flags, its counsellor, and when
/// what was held is booked; and what can change of who is to be there, or leads a group with its counsellor.
/// Whoever follows the sessions of the organisation hears of it.
pub async fn update(tx: &mut Tx, it: &Session, now: Instant) -> Result<()> {
    let lead = tx.sql("SELECT counsellor_id FROM session WHERE id = $1").bind(it.id).maybe::<(CounsellorId,)>().await?;
    let beside = if it.is_group() { participant::facilitators_of(tx, &[it.id]).await? } else { Vec::new() };
    let beside: Vec<CounsellorId> = beside.into_iter().map(|(_, counsellor_id)| counsellor_id).collect();
    let (cancelled_at, reason, successor_id) = match &it.state {
        State::Held { .. } | State::Booked => (None, None, None),
        State::Cancelled { at, reason } => (Some(Instant(*at)), Some(*reason), None),
        State::Rescheduled { at, reason, successor } => (Some(Instant(*at)), Some(*reason), Some(*successor)),
    };
    // A hold is only ever booked or deleted, so what is written here is none any more.
    tx.sql(
        "UPDATE session SET version = $2, state = $3, cancelled_at = $4, cancel_reason = $5, successor_id = $6,
            counsellor_id = $7, overridden = $8, flags = $9, zone = $10, on_date = $11, created_at = $12,
            held_until = NULL, held_by = NULL, hold_number = NULL
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
    .bind(Instant(it.created_at))
    .run()
    .await?;
    participant::update_all(tx, it, &beside).await?;
    let led = lead.into_iter().map(|row| row.0).chain(beside);
    note(tx, it, led.filter(|led| !it.is_led_by(*led)).collect(), now);
    Ok(())
}

/// Notes for the feed that a session was written, and who does not lead it any more. A hold is nobody's business.
fn note(tx: &mut Tx, it: &Session, left: Vec<CounsellorId>, now: Instant) {
    if it.state.word() == StateWord::Held {
        return;
    }
    let payload = (!left.is_empty()).then(|| serde_json::json!(SessionNote { left }));
    feed::note(tx, &Topic::Sessions(it.organisation_id), it.id.0, it.version, payload, now);
}

/// Reads one session; without a lock, by one statement.
pub async fn find(tx: &mut Tx, id: SessionId, lock: Lock) -> Result<Option<Session>> {
    if lock == Lock::None {
        return session_whole::find(tx, id).await;
    }
    // Who is there is read once nobody can change it any more.
    let row = tx.sql_locked("SELECT * FROM session WHERE id = $1", lock).bind(id).maybe::<Row>().await?;
    Ok(complete(tx, row.into_iter().collect()).await?.pop())
}

/// Reads sessions, in no order; those that are not there are left out.
pub async fn by_ids(tx: &mut Tx, ids: &[SessionId]) -> Result<Vec<Session>> {
    let sql = tx.sql_each("SELECT * FROM session WHERE id IN ({ids})", ids.len());
    let rows = sql.bind_ids(ids).all::<Row>().await?;
    complete(tx, rows).await
}

/// Booked sessions of a client at a site that end after `since`, by id.
pub async fn at_sites(tx: &mut Tx, client_id: ClientId, since: Instant) -> Result<Vec<Session>> {
    let sql = tx.sql(
        "SELECT session.* FROM session_participant AS mine JOIN session ON session.id = mine.session_id
          WHERE mine.client_id = $1 AND mine.removed_at IS NULL
            AND session.ends_at > $2 AND session.state = 'BOOKED' AND session.site_id IS NOT NULL
          ORDER BY session.id",
    );
    let rows = sql.bind(client_id).bind(since).all::<Row>().await?;
    complete(tx, rows).await
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
    /// Of a series.
    Series(SeriesId),
}

const OF_CLIENT: &str =
    "SELECT session.id FROM session_participant AS mine JOIN session ON session.id = mine.session_id
      WHERE mine.client_id = $1 AND mine.removed_at IS NULL AND session.starts_at > $2 AND session.state = 'BOOKED'";
const OF_COUNSELLOR: &str = "SELECT id FROM session WHERE counsellor_id = $1 AND starts_at > $2 AND state = 'BOOKED'
      UNION ALL
     SELECT session.id FROM session_facilitator AS led JOIN session ON session.id = led.session_id
      WHERE led.counsellor_id = $1 AND session.starts_at > $2 AND session.state = 'BOOKED'";

/// Locks the booked sessions of these that start after an instant: in one order, whoever does it.
pub async fn lock(tx: &mut Tx, of: &[Of], after: Instant) -> Result<Vec<Session>> {
    let mut ids = Vec::new();
    for of in of {
        let (text, id) = match *of {
            Of::Client(id) => (OF_CLIENT, id.0),
            Of::Counsellor(id) => (OF_COUNSELLOR, id.0),
            Of::Site(id) => ("SELECT id FROM session WHERE site_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0),
            Of::Venue(id) => {
                // A venue is at one site, whose sessions have an index.
                let text = "SELECT id FROM session WHERE site_id = (SELECT site_id FROM venue WHERE id = $1)
                    AND venue_id = $1 AND starts_at > $2 AND state = 'BOOKED'";
                (text, id.0)
            }
            Of::Series(id) => {
                ("SELECT id FROM session WHERE series_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0)
            }
            Of::Organisation(id) => {
                ("SELECT id FROM session WHERE organisation_id = $1 AND starts_at > $2 AND state = 'BOOKED'", id.0)
            }
        };
        ids.extend(tx.sql(text).bind(id).bind(after).all::<(SessionId,)>().await?);
    }
    let ids: Vec<SessionId> = ids.into_iter().map(|row| row.0).collect();
    lock_these(tx, &ids).await
}

/// Locks those of these sessions that are booked, and returns them by id: in one order, whoever does it.
pub async fn lock_these(tx: &mut Tx, ids: &[SessionId]) -> Result<Vec<Session>> {
    let ids: Vec<SessionId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut sessions = Vec::with_capacity(ids.len());
    for some in ids.chunks(MOST_IDS) {
        let sql = tx.sql_each_locked(
            "SELECT * FROM session WHERE id IN ({ids}) AND state = 'BOOKED' ORDER BY id",
            some.len(),
            Lock::Update,
        );
        let rows = sql.bind_ids(some).all::<Row>().await?;
        sessions.extend(complete(tx, rows).await?);
    }
    Ok(sessions)
}

/// Every session that a client was ever planned to be at, held, called off and left ones too, by start.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<Session>> {
    let sql = tx.sql(
        "SELECT * FROM session WHERE id IN (SELECT session_id FROM session_participant WHERE client_id = $1)
          ORDER BY starts_at, id",
    );
    let rows = sql.bind(id).all::<Row>().await?;
    complete(tx, rows).await
}

/// The most ids of one statement; both engines take more.
pub const MOST_IDS: usize = 1024;
