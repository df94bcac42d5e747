//! Books one session, or says every rule that stands in the way.

use uuid::Uuid;

use crate::domain::client::Client;
use crate::domain::code::CareService;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Room, Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, Id, RoomId, SessionId, VenueId};
use crate::domain::noun::{Noun, Record};
use crate::domain::rules::{self, Candidate, Facts};
use crate::domain::session::{Place, Session, State};
use crate::domain::time::Span;
use crate::store::client::Outline;
use crate::store::noun::Stored;
use crate::store::placement::{self, Claim};
use crate::store::{self, Lock, Savepoint, client, session};
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::facts::{self, Ask, Places};
use crate::usecase::work::{Mutation, Work};

/// A session somebody wants.
#[derive(Clone, Debug)]
pub struct BookSession {
    /// For whom.
    pub client_id: ClientId,
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: Wanted,
    /// When.
    pub span: Span,
}

/// Where somebody wants it.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// By telephone or video.
    Remote,
    /// At a venue, in a room or in the first that is free.
    Venue(VenueId, Option<RoomId>),
}

/// How often a booking that lost a race looks again before it gives up. Each further look means
/// that another room was lost, or that a rival took the time and gave it back.
const LOOKS: usize = 8;

impl Mutation for BookSession {
    type Answer = Session;

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        work.touched(self.client_id.uuid());
        let client = client::outline(&mut work.tx, self.client_id, Lock::Share).await?;
        let client = client.ok_or(Error::NotFound(Client::WORD))?;
        work.call.manages(Some(client.organisation_id), Client::WORD)?;
        let counsellor = self.counsellor(work, &client).await?;
        let site = self.site(work, &client).await?;
        for _ in 0..LOOKS {
            let facts = self.facts(work, &client, &counsellor).await?;
            let place = self.place(&facts)?;
            let session = self.decide(work, &client, place, &facts)?;
            let gap = site.as_ref().map_or(chrono::TimeDelta::zero(), |site| site.separation_gap_for);
            if self.claim(work, &session, &counsellor, gap).await? {
                work.touched(session.id.uuid());
                return Ok(session);
            }
        }
        Err(Error::Unavailable(store::Error::Conflict))
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        let found = session::find(&mut work.tx, SessionId(result_id), Lock::None).await?;
        found.ok_or(Error::NotFound(crate::usecase::session::WORD))
    }
}

impl BookSession {
    async fn counsellor(&self, work: &mut Work<'_>, client: &Outline) -> Result<Record<Counsellor>> {
        let found = Counsellor::find(&mut work.tx, self.counsellor_id, Lock::Share).await?;
        found
            .filter(|counsellor| counsellor.organisation_id == client.organisation_id)
            .ok_or(Error::NotFound(Counsellor::WORD))
    }

    /// The site, whose row is locked; `None` when remote.
    async fn site(&self, work: &mut Work<'_>, client: &Outline) -> Result<Option<Record<Site>>> {
        let Wanted::Venue(venue_id, _) = self.place else { return Ok(None) };
        let not_found = || Error::NotFound(Venue::WORD);
        let venue = Venue::find(&mut work.tx, venue_id, Lock::Share).await?.ok_or_else(not_found)?;
        if !Venue::visible(&mut work.tx, &venue, client.organisation_id).await? {
            return Err(not_found());
        }
        Site::find(&mut work.tx, venue.site_id, Lock::Share).await?.ok_or_else(not_found).map(Some)
    }

    async fn facts(&self, work: &mut Work<'_>, client: &Outline, counsellor: &Record<Counsellor>) -> Result<Facts> {
        let ask = Ask {
            now: work.now,
            client,
            counsellors: vec![counsellor.clone()],
            places: match self.place {
                Wanted::Remote => Places::Remote,
                Wanted::Venue(venue_id, _) => Places::Venue(venue_id),
            },
            district: None,
            around: self.span,
            lock: Lock::Share,
        };
        facts::load(&mut work.tx, ask).await
    }

    fn place(&self, facts: &Facts) -> Result<Place> {
        let Wanted::Venue(venue_id, room_id) = self.place else { return Ok(Place::Remote) };
        let venue = facts.venues.get(&venue_id).ok_or(Error::NotFound(Venue::WORD))?;
        if room_id.is_some_and(|id| !venue.rooms.iter().any(|room| room.id == id)) {
            return Err(Error::NotFound(Room::WORD));
        }
        let room_id = room_id.or_else(|| facts.pick_room(venue_id, self.span));
        Ok(Place::Venue { venue_id, site_id: venue.venue.site_id, room_id })
    }

    fn decide(&self, work: &Work<'_>, client: &Outline, place: Place, facts: &Facts) -> Result<Session> {
        let candidate = Candidate { counsellor_id: self.counsellor_id, service: self.service, place, span: self.span };
        let broken = rules::broken(candidate, facts);
        let zone = facts.zone_of(self.counsellor_id, place);
        let Some(zone) = zone.filter(|_| broken.is_empty()) else {
            return Err(Error::Refused(Box::new(Refusal { broken, alternatives: Vec::new() })));
        };
        Ok(Session {
            id: work.world.id(),
            version: 1,
            organisation_id: client.organisation_id,
            client_id: client.id,
            client_reference: client.reference.clone(),
            side: client.side,
            counsellor_id: self.counsellor_id,
            service: self.service,
            place,
            span: self.span,
            zone,
            state: State::Booked,
            needs_rescheduling: false,
            created_at: work.now,
        })
    }

    /// Whether nobody was faster.
    async fn claim(
        &self,
        work: &mut Work<'_>,
        session: &Session,
        counsellor: &Record<Counsellor>,
        separation_gap_for: chrono::TimeDelta,
    ) -> Result<bool> {
        let links = client::links(&mut work.tx, self.client_id).await?;
        work.tx.savepoint(Savepoint::Unit).await?;
        session::insert(&mut work.tx, session).await?;
        let claim = Claim { session, counsellor, separation_gap_for, links: &links };
        match placement::claim(&mut work.tx, &claim).await {
            Ok(()) => {
                work.tx.release(Savepoint::Unit).await?;
                Ok(true)
            }
            Err(store::Error::Conflict) => {
                work.tx.rollback_to(Savepoint::Unit).await?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
