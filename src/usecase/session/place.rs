//! The one path of whatever places a session: lock the facts, judge by the rules, claim time and place.

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Room, Site, Venue};
use crate::domain::guardian::Guardian;
use crate::domain::ids::SessionId;
use crate::domain::noun::{Noun, Record};
use crate::domain::place::{Place, WantedPlace};
use crate::domain::rules::{self, Candidate, Facts, Occasion, RuleCode};
use crate::domain::session::{Overriding, Session, State, Wanted};
use crate::store::client::Subject;
use crate::store::noun::Stored;
use crate::store::placement::{self, Claim};
use crate::store::{self, Lock, Savepoint, client, guardian, overriding, session};
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::facts::{self, Ask, Places};
use crate::usecase::work::Work;

/// How often a placing that lost a race looks again before it gives up. Each further look means
/// that another room was lost, or that a rival took the time and gave it back.
pub const LOOKS: usize = 8;

/// Whom and what a wanted session is about; none of it changes until the transaction ends.
pub struct Scene {
    /// The client.
    pub client: Subject,
    /// The counsellor.
    pub counsellor: Record<Counsellor>,
    /// The site; none when remote.
    pub site: Option<Record<Site>>,
}

/// A session as the rules allow it, not yet claimed.
pub struct Draft {
    /// The session.
    pub session: Session,
    overridden: Vec<Overriding>,
}

impl Wanted {
    /// Locks client, counsellor, venue and site, in this order, and checks that the caller may use them.
    pub async fn scene(&self, work: &mut Work<'_>) -> Result<Scene> {
        let client = client::subject(&mut work.tx, self.client_id, Lock::Share).await?;
        let client = client.ok_or(Error::NotFound(Client::WORD))?;
        work.call.manages(Some(client.organisation_id), Client::WORD)?;
        // Not a share lock: limits and travel rest on the counsellor's other sessions, and no constraint holds them.
        let counsellor = Counsellor::find(&mut work.tx, self.counsellor_id, Lock::Update).await?;
        let counsellor = counsellor
            .filter(|counsellor| counsellor.organisation_id == client.organisation_id)
            .ok_or(Error::NotFound(Counsellor::WORD))?;
        let site = self.site(work, &client).await?;
        if let Some(id) = self.guardian_id {
            let guardians = guardian::of_client(&mut work.tx, client.id).await?;
            guardians.iter().find(|(own, _)| *own == id).ok_or(Error::NotFound(Guardian::WORD))?;
        }
        Ok(Scene { client, counsellor, site })
    }

    async fn site(&self, work: &mut Work<'_>, client: &Subject) -> Result<Option<Record<Site>>> {
        let WantedPlace::Venue(venue_id, _) = self.place else { return Ok(None) };
        let not_found = || Error::NotFound(Venue::WORD);
        let venue = Venue::find(&mut work.tx, venue_id, Lock::Share).await?.ok_or_else(not_found)?;
        if !Venue::visible(&mut work.tx, &venue, client.organisation_id).await? {
            return Err(not_found());
        }
        Site::find(&mut work.tx, venue.site_id, Lock::Share).await?.ok_or_else(not_found).map(Some)
    }

    fn place(&self, facts: &Facts) -> Result<Place> {
        let WantedPlace::Venue(venue_id, room_id) = self.place else { return Ok(Place::Remote) };
        let venue = facts.venues.get(&venue_id).ok_or(Error::NotFound(Venue::WORD))?;
        if room_id.is_some_and(|id| !venue.rooms.iter().any(|room| room.id == id)) {
            return Err(Error::NotFound(Room::WORD));
        }
        let room_id = room_id.or_else(|| facts.pick_room(venue_id, self.span));
        Ok(Place::Venue { venue_id, site_id: venue.venue.site_id, room_id })
    }

    /// The session that is wanted, or every rule that stands in the way. What a session `except`
    /// takes counts as free.
    pub async fn judge(
        &self,
        work: &mut Work<'_>,
        scene: &Scene,
        except: Option<SessionId>,
        occasion: Occasion,
    ) -> Result<Draft> {
        let ask = Ask {
            now: work.now,
            client: &scene.client,
            counsellors: vec![scene.counsellor.clone()],
            places: match self.place {
                WantedPlace::Remote => Places::REMOTE,
                WantedPlace::Venue(venue_id, _) => Places::venue(venue_id),
            },
            district: None,
            around: self.span,
            except,
            occasion,
            lock: Lock::Share,
        };
        let facts = facts::load(&mut work.tx, ask).await?;
        let place = self.place(&facts)?;
        let (counsellor_id, service, span) = (self.counsellor_id, self.service, self.span);
        let (guardian_id, interpreter) = (self.guardian_id, self.interpreter);
        let candidate = Candidate { counsellor_id, service, place, span, guardian_id, interpreter };
        let (overridden, broken) = self.weigh(work, rules::broken(candidate, &facts, occasion));
        let Some(zone) = facts.zone_of(counsellor_id, place).filter(|_| broken.is_empty()) else {
            return Err(Error::Refused(Box::new(Refusal::of(broken, self.clone(), except))));
        };
        let session = self.session(work, scene, place, zone, &overridden);
        Ok(Draft { session, overridden })
    }

    fn session(&self, work: &Work<'_>, scene: &Scene, place: Place, zone: Tz, overridden: &[Overriding]) -> Session {
        Session {
            id: work.world.id(),
            version: 1,
            organisation_id: scene.client.organisation_id,
            client_id: scene.client.id,
            client_reference: scene.client.reference.clone(),
            side: scene.client.side,
            counsellor_id: self.counsellor_id,
            service: self.service,
            place,
            span: self.span,
            zone,
            state: State::Booked,
            guardian_id: self.guardian_id,
            interpreter: self.interpreter,
            overridden: overridden.iter().map(|it| it.rule).collect(),
            flags: Vec::new(),
            supersedes: None,
            created_at: work.now,
        }
    }

    /// The broken rules that are overridden, and the others. A hard one never is.
    fn weigh(&self, work: &Work<'_>, broken: Vec<RuleCode>) -> (Vec<Overriding>, Vec<RuleCode>) {
        let (mut overridden, mut left) = (Vec::new(), Vec::new());
        for rule in broken {
            match self.overrides.iter().find(|it| it.rule == rule && rule.is_soft()) {
                Some(it) => overridden.push(Overriding {
                    rule,
                    reason: it.reason.clone(),
                    principal: work.call.caller().principal.clone(),
                    decided_at: work.now,
                }),
                None => left.push(rule),
            }
        }
        (overridden, left)
    }
}

impl Scene {
    /// Writes a new session and claims its time and place; false when somebody was faster.
    pub async fn claim(&self, work: &mut Work<'_>, draft: &Draft) -> Result<bool> {
        let claimed = self.try_claim(work, draft);
        unit(claimed.await)
    }

    async fn try_claim(&self, work: &mut Work<'_>, draft: &Draft) -> Result<()> {
        work.tx.savepoint(Savepoint::Unit).await?;
        let result = self.write(work, draft).await;
        match &result {
            Ok(()) => work.tx.release(Savepoint::Unit).await?,
            Err(_) => work.tx.rollback_to(Savepoint::Unit).await?,
        }
        result
    }

    async fn write(&self, work: &mut Work<'_>, draft: &Draft) -> Result<()> {
        session::insert(&mut work.tx, &draft.session).await?;
        self.take(work, &draft.session).await?;
        draft.note(work).await
    }

    /// Claims time and place of a session that is written already.
    pub async fn take(&self, work: &mut Work<'_>, session: &Session) -> Result<()> {
        let links = client::links(&mut work.tx, session.client_id).await?;
        let separation_gap_for = self.site.as_ref().map_or(TimeDelta::zero(), |site| site.separation_gap_for);
        let claim = Claim { session, counsellor: &self.counsellor, separation_gap_for, links: &links };
        Ok(placement::claim(&mut work.tx, &claim).await?)
    }
}

impl Draft {
    /// Writes down which rules were overridden, and why.
    pub async fn note(&self, work: &mut Work<'_>) -> Result<()> {
        for it in &self.overridden {
            work.note(format!("OVERRIDDEN {}", it.rule));
            overriding::insert(&mut work.tx, &self.session, it).await?;
        }
        Ok(())
    }
}

/// A conflict means that somebody was faster.
fn unit(result: Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(Error::Unavailable(store::Error::Conflict)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Nobody gave way for too long.
pub fn crowded() -> Error {
    Error::Unavailable(store::Error::Conflict)
}
