//! The one path of whatever places a session: lock the facts, judge by the rules, claim time and place.

use chrono_tz::Tz;

use super::scene::Scene;
use crate::domain::directory::{Room, Venue};
use crate::domain::ids::{ClientId, SessionId};
use crate::domain::noun::Noun;
use crate::domain::participant::Participant;
use crate::domain::place::{Place, WantedPlace};
use crate::domain::rules::{self, Candidate, Facts, Occasion, RuleCode, Verdict};
use crate::domain::session::{Overriding, Session, State, Wanted};
use crate::domain::time::Span;
use crate::store::codec::Instant;
use crate::store::{self, overriding, session};
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::facts::{self, Ask, Places};
use crate::usecase::work::Work;

/// How often a placing that lost a race looks again before it gives up. Each further look means
/// that another room was lost, or that a rival took the time and gave it back.
pub const LOOKS: usize = 8;

/// A session as the rules allow it, not yet claimed.
pub struct Draft {
    /// The session.
    pub session: Session,
    overridden: Vec<Overriding>,
}

impl Wanted {
    pub(super) fn place(&self, facts: &Facts) -> Result<Place> {
        let WantedPlace::Venue(venue_id, room_id) = self.place else { return Ok(Place::Remote) };
        let venue = facts.venues.get(&venue_id).ok_or(Error::NotFound(Venue::WORD))?;
        if room_id.is_some_and(|id| !venue.rooms.iter().any(|room| room.id == id)) {
            return Err(Error::NotFound(Room::WORD));
        }
        let room_id = room_id.or_else(|| facts.pick_room(venue_id, self.span, &self.party));
        Ok(Place::Venue { venue_id, site_id: venue.venue.site_id, room_id })
    }

    /// Whether the rules allow it by facts that may change before it is placed.
    pub fn is_allowed(&self, facts: &Facts) -> bool {
        let (counsellor_id, service, span) = (self.counsellor_id, self.service, self.span);
        let candidate = |place| Candidate { counsellor_id, party: &self.party, service, place, span };
        self.place(facts).is_ok_and(|place| rules::allowed(candidate(place), facts))
    }

    /// What is known around some time at the place that is wanted. What a session `except` takes counts as
    /// free.
    pub async fn facts(
        &self,
        work: &mut Work<'_>,
        scene: &Scene,
        around: Span,
        except: Option<SessionId>,
        occasion: Occasion,
    ) -> Result<Facts> {
        let ask = Ask {
            now: work.now,
            organisation_id: scene.organisation_id,
            side: scene.side,
            clients: &scene.clients,
            unlinked: scene.links.is_empty(),
            directories: &scene.directories,
            counsellors: scene.counsellors.iter().collect(),
            places: match self.place {
                WantedPlace::Remote => Places::REMOTE,
                WantedPlace::Venue(venue_id, _) => Places::venue(venue_id),
            },
            district: None,
            around,
            except,
            occasion,
        };
        facts::load(&mut work.tx, ask).await
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
        let facts = self.facts(work, scene, self.span, except, occasion).await?;
        let place = self.place(&facts)?;
        let (counsellor_id, service, span) = (self.counsellor_id, self.service, self.span);
        let candidate = Candidate { counsellor_id, party: &self.party, service, place, span };
        let mut verdict = rules::judge(candidate, &facts, occasion);
        let (overridden, broken) = self.weigh(work, &verdict);
        let Some(zone) = facts.zone_of(counsellor_id, place).filter(|_| broken.is_empty()) else {
            verdict.clients.retain(|(_, rule)| self.party.is_group() && broken.contains(rule));
            let refusal = Refusal::of(broken, self.clone(), except);
            return Err(Error::Refused(Box::new(Refusal { about: verdict.clients, ..refusal })));
        };
        let session = self.session(work, scene, place, zone, &overridden);
        Ok(Draft { session, overridden })
    }

    fn session(&self, work: &Work<'_>, scene: &Scene, place: Place, zone: Tz, overridden: &[Overriding]) -> Session {
        let mut rules: Vec<RuleCode> = overridden.iter().map(|it| it.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        let mut co_facilitators = self.party.co_facilitators.clone();
        // As they are read: whoever books them is told what others are told later.
        co_facilitators.sort_unstable();
        Session {
            id: work.world.id(),
            version: 1,
            organisation_id: scene.organisation_id,
            side: scene.side,
            counsellor_id: self.counsellor_id,
            co_facilitators,
            capacity: self.party.capacity,
            participants: self.participants(work, scene, overridden),
            removed: Vec::new(),
            service: self.service,
            place,
            span: self.span,
            zone,
            state: State::Booked,
            occurrence: self.occurrence,
            milestone_id: self.milestone_id,
            overridden: rules,
            flags: Vec::new(),
            supersedes: None,
            created_at: work.now,
        }
    }

    fn participants(&self, work: &Work<'_>, scene: &Scene, overridden: &[Overriding]) -> Vec<Participant> {
        let about = |id: ClientId| overridden.iter().filter(move |it| it.client_id == Some(id)).map(|it| it.rule);
        let all = scene.clients.iter().zip(&self.party.participants).zip(1..);
        all.map(|((client, attendee), seat)| Participant {
            id: work.world.id(),
            seat,
            attendee: attendee.clone(),
            reference: client.reference.clone(),
            overridden: about(client.id).filter(|rule| rule.is_about_clients()).collect(),
            flags: Vec::new(),
            added_at: work.now,
            attendance_id: None,
        })
        .collect()
    }

    /// The broken rules that are overridden, and the others, each once. A hard one never is.
    pub fn weigh(&self, work: &Work<'_>, verdict: &Verdict) -> (Vec<Overriding>, Vec<RuleCode>) {
        let reason = |rule: RuleCode| {
            let found = self.overrides.iter().find(|it| it.rule == rule && rule.is_soft());
            found.map(|it| it.reason.clone())
        };
        let left = verdict.all().into_iter().filter(|rule| reason(*rule).is_none()).collect();
        // What is said of a meeting one to one is said of its client.
        let whole = self.party.client().map(|it| it.client_id);
        let session = verdict.session.iter().map(|rule| (whole, *rule));
        let clients = verdict.clients.iter().map(|(client_id, rule)| (Some(*client_id), *rule));
        let overridden = session.chain(clients).filter_map(|(client_id, rule)| {
            Some(Overriding {
                rule,
                client_id,
                reason: reason(rule)?,
                principal: work.call.caller().principal.clone(),
                decided_at: work.now,
            })
        });
        (overridden.collect(), left)
    }
}

impl Scene {
    /// Writes a new session and claims its time and place; false when somebody was faster.
    pub async fn claim(&self, work: &mut Work<'_>, draft: &Draft) -> Result<bool> {
        work.tx.savepoint().await?;
        let written = self.write(work, draft).await;
        if written.is_err() {
            work.tx.undo().await?;
        }
        match written {
            Ok(()) => Ok(true),
            // Somebody was faster.
            Err(Error::Unavailable(store::Error::Conflict)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a new session and claims its time and place, and keeps this.
    pub(super) async fn write(&self, work: &mut Work<'_>, draft: &Draft) -> Result<()> {
        session::insert(&mut work.tx, &draft.session, Instant(work.now));
        self.take(work, &draft.session);
        draft.note(work).await?;
        Ok(work.tx.keep().await?)
    }
}

impl Draft {
    /// Writes down which rules were overridden, and why.
    pub async fn note(&self, work: &mut Work<'_>) -> Result<()> {
        note(work, self.session.id, &self.overridden).await
    }
}

/// Writes down which rules of a session were overridden, and why.
pub async fn note(work: &mut Work<'_>, session_id: SessionId, overridden: &[Overriding]) -> Result<()> {
    for it in overridden {
        work.note(format!("OVERRIDDEN {}", it.rule));
        overriding::insert(&mut work.tx, work.world.uuid(), session_id, it).await?;
    }
    Ok(())
}

/// Nobody gave way for too long.
pub fn crowded() -> Error {
    Error::Unavailable(store::Error::Conflict)
}
