//! Reads sessions: coordinators those of their organisation, counsellors their own.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::feed::Topic;
use crate::domain::ids::{ClientId, CounsellorId, Id, SeriesId, SessionId, SiteId};
use crate::domain::session::{Overriding, Session, StateWord};
use crate::store::session::Listing;
use crate::store::{self, Lock, overriding, session};
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::feed;
use crate::usecase::page::Page;
use crate::usecase::session::WORD;
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// Which sessions; joined by AND.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// At this site.
    pub site_id: Option<SiteId>,
    /// On this local day.
    pub on_date: Option<NaiveDate>,
    /// Starting at or after.
    pub starts_from: Option<DateTime<Utc>>,
    /// Starting before.
    pub starts_before: Option<DateTime<Utc>>,
    /// In one of these states; in any, but merely held, when empty.
    pub states: Vec<StateWord>,
    /// Of this series.
    pub series_id: Option<SeriesId>,
    /// Only those that a person must resolve.
    pub flagged: bool,
}

/// Reads one session.
pub async fn get_session(world: &World, call: &Call, id: SessionId) -> Result<Session> {
    traced(world, call, id.uuid(), read(world, call, id).await).await
}

async fn read(world: &World, call: &Call, id: SessionId) -> Result<Session> {
    let mut tx = world.db().read_once().await?;
    let session = session::find(&mut tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    call.manages(Some(session.organisation_id), WORD)?;
    match call.caller().authority.counsellor_id() {
        Some(own) if !session.is_led_by(own) => Err(Error::NotFound(WORD)),
        _ => Ok(session),
    }
}

/// Sessions, and from where on to watch them.
#[derive(Debug)]
pub struct Listed {
    /// A page of them.
    pub sessions: Vec<Session>,
    /// Token of the next page.
    pub next: String,
    /// The cursor of the moment that the page is of: whoever watches from there on misses nothing.
    pub watch: String,
}

/// Lists sessions by start.
pub async fn list_sessions(world: &World, call: &Call, filter: Filter, page: &Page) -> Result<Listed> {
    let listing = listing(call, filter, page.most())?;
    let after = page.after(world, call)?;
    let topic = topic(call)?;
    // One transaction, which sees one state: what the page does not have yet comes after the cursor.
    let mut tx = world.db().begin_read().await?;
    let watch = feed::cursor(world, &topic, store::feed::last(&mut tx, &topic).await?);
    let rows = match listing {
        Some(listing) => session::list(&mut tx, &Listing { after, ..listing }).await?,
        None => Vec::new(),
    };
    let (sessions, next) = page.cut(world, call, rows, |session| (session.span.starts_at(), session.id));
    Ok(Listed { sessions, next, watch })
}

/// The sessions that a caller may follow: of the own organisation.
pub(super) fn topic(call: &Call) -> Result<Topic> {
    call.caller().authority.organisation_id().map(Topic::Sessions).ok_or(Error::Denied)
}

/// At most so many of the sessions that the caller may see; nothing when a counsellor asks for another's.
pub(super) fn listing(call: &Call, filter: Filter, most: usize) -> Result<Option<Listing>> {
    let own = call.caller().authority.counsellor_id();
    if own.is_some() && filter.counsellor_id.is_some() && filter.counsellor_id != own {
        return Ok(None);
    }
    Ok(Some(Listing {
        organisation_id: call.sees()?,
        counsellor_id: own.or(filter.counsellor_id),
        client_id: filter.client_id,
        site_id: filter.site_id,
        on_date: filter.on_date,
        starts_from: filter.starts_from,
        starts_before: filter.starts_before,
        states: filter.states,
        series_id: filter.series_id,
        flagged: filter.flagged,
        after: None,
        most: i64::try_from(most).unwrap_or(i64::MAX),
    }))
}

/// Why rules of a session were broken. What people wrote may be personal, so the read is audited.
pub async fn list_overrides(world: &World, call: Call, id: SessionId) -> Result<Vec<Overriding>> {
    mutate(world, call, RevealOverrides(id)).await
}

struct RevealOverrides(SessionId);

impl Mutation for RevealOverrides {
    type Answer = Vec<Overriding>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<Overriding>> {
        work.touched(self.0.uuid());
        let session = super::find(work, self.0, Lock::None).await?;
        work.call.manages(Some(session.organisation_id), WORD)?;
        Ok(overriding::list(&mut work.tx, session.id).await?)
    }

    fn result_id(&self, _answer: &Vec<Overriding>) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<Overriding>> {
        self.run(work).await
    }
}
