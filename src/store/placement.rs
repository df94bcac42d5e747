//! Time and place taken by sessions: the rows behind the invariants of the schema.
//!
//! Rows are claimed with `ON CONFLICT DO NOTHING` (a bare insert into a table with an exclusion
//! constraint deadlocks), sorted by table, then resource, so that rivals queue in one order.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::sql::{Asked, Sql};
use super::tx::Tx;
use crate::domain::code::{Side, words};
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{ClientId, CounsellorId, LinkId, OrganisationId, SessionId, SiteId};
use crate::domain::noun::Record;
use crate::domain::rules::presence;
use crate::domain::session::{Session, State};
use crate::domain::time::Span;

words! {
    /// What a row of `occupancy` keeps busy.
    Resource {
        /// A client.
        Client = "CLIENT",
        /// A counsellor, buffers included.
        Counsellor = "COUNSELLOR",
        /// A room.
        Room = "ROOM",
    }
}

/// What a session takes besides its own row.
pub struct Claim<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its counsellors, for the buffers.
    pub counsellors: &'a [Arc<Record<Counsellor>>],
    /// The separation gap of its site.
    pub separation_gap_for: TimeDelta,
    /// The links of its clients, each once.
    pub links: &'a BTreeSet<LinkId>,
}

/// Claims time and place of a session, with the next statement: that is [`super::Error::Conflict`] when any of it is
/// taken. What was claimed until then stays in the transaction, so claim inside a savepoint.
pub fn claim(tx: &mut Tx, claim: &Claim<'_>) {
    let session = claim.session;
    let clients = session.clients().into_iter().map(|id| (id.0, Resource::Client, session.span));
    let counsellors = claim.counsellors.iter().map(|it| (it.id.0, Resource::Counsellor, it.occupied_by(session.span)));
    let mut resources: Vec<_> = clients.chain(counsellors).collect();
    resources.extend(session.place.room_id().map(|room| (room.0, Resource::Room, session.span)));
    resources.sort_unstable_by_key(|(id, ..)| *id);
    claim_times(tx, session, &resources);
    // Where no clients come, there is nobody to be kept apart.
    if let Some(site_id) = session.place.site_id().filter(|_| session.service.side().is_some()) {
        let span = presence(session.span, claim.separation_gap_for);
        sql_of_presence(tx, session.id, site_id, session.side, span, expiry(session)).claim_later(1);
        let links: Vec<LinkId> = claim.links.iter().copied().collect();
        claim_links(tx, session, &links);
    }
}

/// Claims the times of resources, which are sorted by id: all of them or none.
fn claim_times(tx: &mut Tx, session: &Session, resources: &[(Uuid, Resource, Span)]) {
    let mut sql = tx.sql_rows(
        "INSERT INTO occupancy (session_id, resource_id, kind, organisation_id, side, starts_at, ends_at, expires_at)
         VALUES {($1, $2, $3, $4, $5, $6, $7, $8)} ON CONFLICT DO NOTHING",
        resources.len(),
    );
    for (resource_id, kind, span) in resources {
        sql = sql
            .bind(session.id)
            .bind(*resource_id)
            .bind(kind.as_str())
            .bind(session.organisation_id)
            .bind(session.side)
            .bind(Instant(span.starts_at()))
            .bind(Instant(span.ends_at()))
            .bind(expiry(session));
    }
    sql.claim_later(resources.len());
}

fn expiry(session: &Session) -> Option<Instant> {
    match session.state {
        State::Held { until, .. } => Some(Instant(until)),
        _ => None,
    }
}

fn sql_of_presence(
    tx: &mut Tx,
    session_id: SessionId,
    site_id: SiteId,
    side: Side,
    padded: Span,
    expires_at: Option<Instant>,
) -> Sql<'_> {
    tx.sql(
        "INSERT INTO site_presence (session_id, site_id, side, padded_from, padded_until, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(session_id)
    .bind(site_id)
    .bind(side)
    .bind(Instant(padded.starts_at()))
    .bind(Instant(padded.ends_at()))
    .bind(expires_at)
}

/// Gives a session's time from one of its counsellors to another: the new one's is claimed before the old
/// one's is given back, so that nobody waits for a row that was only almost given back.
pub async fn reassign(tx: &mut Tx, session: &Session, from: CounsellorId, to: &Record<Counsellor>) -> Result<()> {
    claim_times(tx, session, &[(to.id.0, Resource::Counsellor, to.occupied_by(session.span))]);
    tx.sql("DELETE FROM occupancy WHERE session_id = $1 AND resource_id = $2")
        .bind(session.id)
        .bind(from)
        .run()
        .await
        .map(drop)
}

/// Claims the days of a session at its site for one link of its client.
pub async fn claim_link(tx: &mut Tx, session: &Session, link_id: LinkId) -> Result<()> {
    claim_links(tx, session, &[link_id]);
    tx.send().await
}

/// The same for links sorted by id: all of them or none.
fn claim_links(tx: &mut Tx, session: &Session, links: &[LinkId]) {
    let Some(site_id) = session.place.site_id() else { return };
    let days: Vec<_> = session.span.local_days(session.zone).collect();
    let rows: Vec<_> = links.iter().flat_map(|link_id| days.iter().map(move |day| (*link_id, *day))).collect();
    for some in rows.chunks(MOST_ROWS) {
        let mut sql = tx.sql_rows(
            "INSERT INTO link_presence (session_id, site_id, link_id, on_date, side)
             VALUES {($1, $2, $3, $4, $5)} ON CONFLICT DO NOTHING",
            some.len(),
        );
        for (link_id, day) in some {
            sql = sql.bind(session.id).bind(site_id).bind(*link_id).bind(*day).bind(session.side);
        }
        sql.claim_later(some.len());
    }
}

/// So many rows are claimed at once, far below the most parameters of either engine.
const MOST_ROWS: usize = 256;

/// Claims a session's time for one client more, and its days for those links that it has not claimed yet.
/// [`super::Error::Conflict`] as of [`claim`].
pub async fn join(tx: &mut Tx, session: &Session, client_id: ClientId, links: &BTreeSet<LinkId>) -> Result<()> {
    claim_times(tx, session, &[(client_id.0, Resource::Client, session.span)]);
    let sql = tx.sql("SELECT DISTINCT link_id FROM link_presence WHERE session_id = $1");
    let claimed: Vec<(LinkId,)> = sql.bind(session.id).all().await?;
    let links: Vec<LinkId> = links.iter().copied().filter(|link_id| !claimed.contains(&(*link_id,))).collect();
    claim_links(tx, session, &links);
    tx.send().await
}

/// Gives back what a session took for one of its clients, whose links are none of the others'.
pub async fn leave(tx: &mut Tx, id: SessionId, client_id: ClientId, links: &[LinkId]) -> Result<()> {
    let sql = tx.sql("DELETE FROM occupancy WHERE session_id = $1 AND resource_id = $2");
    sql.bind(id).bind(client_id).run().await?;
    let sql = tx.sql_each("DELETE FROM link_presence WHERE session_id = $1 AND link_id IN ({ids})", links.len());
    sql.bind(id).bind_ids(links).run().await.map(drop)
}

/// Gives back everything a session took.
pub async fn release(tx: &mut Tx, id: SessionId) -> Result<()> {
    tx.sql("DELETE FROM occupancy WHERE session_id = $1").bind(id).run().await?;
    tx.sql("DELETE FROM site_presence WHERE session_id = $1").bind(id).run().await?;
    tx.sql("DELETE FROM link_presence WHERE session_id = $1").bind(id).run().await?;
    Ok(())
}

/// Gives back the days that a client's sessions took for one link.
pub async fn release_link(tx: &mut Tx, link_id: LinkId, client_id: ClientId) -> Result<()> {
    tx.sql(
        "DELETE FROM link_presence WHERE link_id = $1
            AND session_id IN (SELECT session_id FROM session_participant AS mine WHERE mine.client_id = $2
                AND NOT EXISTS (SELECT 1 FROM session_participant AS other
                                  JOIN link_party ON link_party.client_id = other.client_id
                                 WHERE other.session_id = mine.session_id AND other.removed_at IS NULL
                                   AND other.client_id <> $2 AND link_party.link_id = $1))",
    )
    .bind(link_id)
    .bind(client_id)
    .run()
    .await
    .map(drop)
}

/// A time that a resource is taken.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Busy {
    /// The session or hold.
    pub session_id: SessionId,
    /// Whose time it is.
    pub resource_id: Uuid,
    /// The organisation that took it.
    pub organisation_id: OrganisationId,
    /// The side of the client it was taken for.
    pub side: Side,
    starts_at: Instant,
    ends_at: Instant,
}

impl Busy {
    /// When.
    pub fn span(&self) -> Option<Span> {
        Span::new(self.starts_at.0, self.ends_at.0)
    }
}

/// When clients, counsellors and rooms are taken, within an interval.
pub fn busy(tx: &mut Tx, resources: &[Uuid], around: Span, now: Instant) -> Asked<Vec<Busy>> {
    tx.sql_each(
        "SELECT session_id, resource_id, organisation_id, side, starts_at, ends_at FROM occupancy
          WHERE starts_at > $1 AND starts_at < $2 AND ends_at > $3 AND (expires_at IS NULL OR expires_at > $4)
            AND resource_id IN ({ids})",
        resources.len(),
    )
    .bind_reaching(around, LONGEST)
    .bind(now)
    .bind_ids(resources)
    .ask()
}

/// Padded presences of one side at sites, within an interval.
pub fn presences(tx: &mut Tx, sites: &[SiteId], side: Side, around: Span, now: Instant) -> Asked<Vec<(SiteId, Span)>> {
    let sql = tx.sql_each(
        "SELECT site_id, padded_from, padded_until FROM site_presence
          WHERE padded_from > $1 AND padded_from < $2 AND padded_until > $3 AND side = $4
            AND (expires_at IS NULL OR expires_at > $5) AND site_id IN ({ids})",
        sites.len(),
    );
    spans(sql.bind_reaching(around, LONGEST_PRESENCE).bind(side).bind(now).bind_ids(sites))
}

/// Sessions, within an interval, of people of one side whom a client must never meet: by the facts
/// rather than by `link_presence`, which lacks those that a late link could not claim. What is held
/// counts until `holds_after`. SQLite joins in this order, from the client on: the sites have far more sessions.
pub fn linked(
    tx: &mut Tx,
    client_id: ClientId,
    sites: &[SiteId],
    side: Side,
    around: Span,
    holds_after: Instant,
) -> Asked<Vec<(SiteId, Span)>> {
    let sql = tx.sql_each(
        "SELECT session.site_id, session.starts_at, session.ends_at FROM link_party AS mine
          CROSS JOIN link_party AS theirs CROSS JOIN session_participant AS planned CROSS JOIN session
          WHERE theirs.link_id = mine.link_id AND planned.client_id = theirs.client_id AND planned.removed_at IS NULL
            AND session.id = planned.session_id AND session.starts_at > $1 AND session.starts_at < $2
            AND session.ends_at > $3 AND session.side = $4 AND mine.client_id = $5
            AND (session.state = 'BOOKED' OR session.held_until > $6) AND session.site_id IN ({ids})",
        sites.len(),
    );
    spans(sql.bind_reaching(around, LONGEST).bind(side).bind(client_id).bind(holds_after).bind_ids(sites))
}

fn spans(sql: Sql<'_>) -> Asked<Vec<(SiteId, Span)>> {
    let span = |(site, from, until): (SiteId, Instant, Instant)| Some((site, Span::new(from.0, until.0)?));
    sql.ask().map(move |rows| rows.into_iter().filter_map(span).collect())
}

/// The sessions that ended after `since` and have claimed days for a link.
pub async fn claimed_for(tx: &mut Tx, link_id: LinkId, since: Instant) -> Result<Vec<SessionId>> {
    let sql = tx.sql(
        "SELECT DISTINCT link_presence.session_id FROM link_presence
           JOIN session ON session.id = link_presence.session_id
          WHERE link_presence.link_id = $1 AND session.ends_at > $2",
    );
    Ok(sql.bind(link_id).bind(since).all::<(SessionId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// A presence to be padded anew.
#[derive(sqlx::FromRow)]
struct Presence {
    id: SessionId,
    side: Side,
    starts_at: Instant,
    ends_at: Instant,
    held_until: Option<Instant>,
}

/// Pads the presences of a site, of sessions that ended after `since`, with another gap; returns the sessions that
/// would then be too close to the other side, and whose presences are now missing. What is held no more is
/// left to those who forget it.
pub async fn repad(
    tx: &mut Tx,
    site_id: SiteId,
    since: Instant,
    now: Instant,
    separation_gap_for: TimeDelta,
) -> Result<Vec<SessionId>> {
    let rows = tx
        .sql(
            "SELECT id, side, starts_at, ends_at, held_until FROM session
              WHERE site_id = $1 AND (state = 'BOOKED' OR held_until > $3) AND ends_at > $2 ORDER BY starts_at, id",
        )
        .bind(site_id)
        .bind(since)
        .bind(now)
        .all::<Presence>()
        .await?;
    let mut present_before = Vec::new();
    for row in rows {
        let deleted = tx.sql("DELETE FROM site_presence WHERE session_id = $1").bind(row.id).run().await?;
        present_before.extend((deleted > 0).then_some(row));
    }
    let mut too_close = Vec::new();
    for row in present_before {
        let Some(span) = Span::new(row.starts_at.0, row.ends_at.0) else { continue };
        let span = presence(span, separation_gap_for);
        match sql_of_presence(tx, row.id, site_id, row.side, span, row.held_until).claim().await {
            Err(Error::Conflict) => too_close.push(row.id),
            result => result?,
        }
    }
    Ok(too_close)
}

/// No occupancy, and so no session, lasts longer (`CHECK` of the schema).
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// No presence lasts longer (`CHECK` of the schema).
const LONGEST_PRESENCE: TimeDelta = TimeDelta::hours(48);

impl Sql<'_> {
    /// Binds the bounds of whatever reaches into an interval: after what it starts if nothing lasts longer than this,
    /// before what it starts, and after what it ends.
    pub(super) fn bind_reaching(self, around: Span, longest: TimeDelta) -> Self {
        let (from, until) = (around.starts_at(), around.ends_at());
        self.bind(Instant(from - longest)).bind(Instant(until)).bind(Instant(from))
    }
}
