//! Proposes who stands in for a counsellor, session by session, and applies what is confirmed.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::reassign::ReassignCounsellor;
use super::search::{own_client, window};
use super::{WORD, find, hold};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, Id, SessionId, SiteId, VenueId};
use crate::domain::noun::{Noun, Record};
use crate::domain::rules::Occasion;
use crate::domain::session::{Session, StateWord};
use crate::domain::substitute::{MOST_AT_ONCE, Proposal, propose};
use crate::domain::time::Span;
use crate::store::client::Subject;
use crate::store::noun::Stored;
use crate::store::session::Listing;
use crate::store::{Lock, agreement, client, counsellor, session};
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::facts::{self, Ask, Directories, Places};
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Asks who could stand in for a counsellor.
#[derive(Clone, Debug)]
pub struct ProposeSubstitutes {
    /// Who cannot come.
    pub counsellor_id: CounsellorId,
    /// Sessions start from then on; now when absent.
    pub window_starts_at: Option<DateTime<Utc>>,
    /// Sessions start before; [`super::DEFAULT_WINDOW`] after the start when absent.
    pub window_ends_at: Option<DateTime<Utc>>,
}

/// What is proposed.
#[derive(Clone, Debug)]
pub struct Proposals {
    /// For each session, by start.
    pub all: Vec<Proposal>,
    /// From when on to ask again, when there are more sessions than are looked at at once.
    pub next_window_starts_at: Option<DateTime<Utc>>,
}

/// Proposes substitutes for the coming sessions that a counsellor leads, alone or with others. Whoever takes
/// the first of each neither meets two at once nor has more than a day or a week should hold.
pub async fn propose_substitutes(world: &World, call: &Call, wanted: &ProposeSubstitutes) -> Result<Proposals> {
    traced(world, call, wanted.counsellor_id.uuid(), look(world, call, wanted).await).await
}

async fn look(world: &World, call: &Call, wanted: &ProposeSubstitutes) -> Result<Proposals> {
    let now = world.now();
    let window = window(wanted.window_starts_at, wanted.window_ends_at, now)?;
    let mut tx = world.db().begin_read().await?;
    let ill = Counsellor::find(&mut tx, wanted.counsellor_id, Lock::None).await?;
    let ill = ill.ok_or(Error::NotFound(Counsellor::WORD))?;
    call.manages(Some(ill.organisation_id), Counsellor::WORD)?;
    let listing = Listing {
        organisation_id: Some(ill.organisation_id),
        counsellor_id: Some(ill.id),
        // What has started is a matter of attendance.
        starts_from: Some(window.starts_at().max(now + TimeDelta::microseconds(1))),
        starts_before: Some(window.ends_at()),
        states: vec![StateWord::Booked],
        most: i64::try_from(MOST_AT_ONCE + 1).unwrap_or(i64::MAX),
        ..Listing::default()
    };
    let mut sessions = session::list(&mut tx, &listing).await?;
    let next_window_starts_at = sessions.get(MOST_AT_ONCE).map(|it| it.span.starts_at());
    sessions.truncate(MOST_AT_ONCE);
    let venues = sessions.iter().filter_map(|it| it.place.venue_id());
    let directories = Directories::around(world, &mut tx, ill.organisation_id, venues).await?;
    let team = directories.active(ill.organisation_id, ill.side, None);
    let mut taken: Vec<(CounsellorId, Span, Option<SiteId>)> = Vec::new();
    let mut all = Vec::with_capacity(sessions.len());
    for session in sessions {
        let mut clients = Vec::new();
        for id in session.clients() {
            clients.push(own_client(&mut tx, call, id).await?);
        }
        let mut facts = facts::load(&mut tx, ask(&session, now, &clients, &directories, &team)).await?;
        for (id, span, site_id) in &taken {
            if let Some(counsellor) = facts.counsellors.get_mut(id) {
                counsellor.take(*span, *site_id);
            }
        }
        let proposal = propose(&session, ill.id, &facts);
        let best = proposal.substitutes.first();
        taken.extend(best.map(|it| (it.counsellor_id, session.span, session.place.site_id())));
        all.push(proposal);
    }
    Ok(Proposals { all, next_window_starts_at })
}

/// What is asked about a session that goes to somebody else.
fn ask<'a>(
    session: &Session,
    now: DateTime<Utc>,
    clients: &'a [Subject],
    directories: &'a Directories,
    team: &[&'a Arc<Record<Counsellor>>],
) -> Ask<'a> {
    let beside = &session.co_facilitators;
    let mut counsellors: Vec<_> = beside.iter().filter_map(|id| directories.counsellor(*id)).collect();
    counsellors.extend(team.iter().filter(|it| !beside.contains(&it.id)));
    Ask {
        now,
        organisation_id: session.organisation_id,
        side: session.side,
        clients,
        unlinked: false,
        directories,
        counsellors,
        places: session.place.venue_id().map_or(Places::REMOTE, Places::venue),
        district: None,
        around: session.span,
        except: Some(session.id),
        occasion: Occasion::Reassigning,
    }
}

/// Gives many sessions to other counsellors: each, or says why not.
#[derive(Clone, Debug)]
pub struct ReassignSessions(pub Vec<ReassignCounsellor>);

/// What became of one of them.
pub type Outcome = (SessionId, Result<Session>);

impl Mutation for ReassignSessions {
    /// In the order asked for.
    type Answer = Vec<Outcome>;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<Outcome>> {
        self.lock(work).await?;
        let mut outcomes = Vec::with_capacity(self.0.len());
        for one in &self.0 {
            outcomes.push((one.session_id, apply(work, one).await?));
        }
        Ok(outcomes)
    }

    fn result_id(&self, _answer: &Vec<Outcome>) -> Uuid {
        self.0.first().map_or(Uuid::nil(), |it| it.session_id.uuid())
    }

    /// What was done stands; what was refused is tried again, as every refusal is.
    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<Outcome>> {
        self.lock(work).await?;
        let mut outcomes = Vec::with_capacity(self.0.len());
        for one in &self.0 {
            let done = match find(work, one.session_id, Lock::None).await {
                Ok(it) => work.call.manages(Some(it.organisation_id), WORD).is_ok() && one.is_done(&it),
                Err(Error::NotFound(_)) => false,
                Err(error) => return Err(error),
            };
            let outcome = match done {
                true => find(work, one.session_id, Lock::None).await,
                false => apply(work, one).await?,
            };
            outcomes.push((one.session_id, outcome));
        }
        Ok(outcomes)
    }
}

/// Gives one session to somebody else, or undoes what was written of it.
async fn apply(work: &mut Work<'_>, one: &ReassignCounsellor) -> Result<Result<Session>> {
    work.tx.savepoint().await?;
    match one.reassign(work).await {
        Ok(session) => {
            work.tx.keep().await?;
            Ok(Ok(session))
        }
        Err(refusal) if refusal.is_refusal() => {
            work.tx.undo().await?;
            work.note(format!("REFUSED {} {}", one.session_id, refusal.reason()));
            Ok(Err(refusal))
        }
        Err(failure) => Err(failure),
    }
}

impl ReassignSessions {
    /// Locks what all of them are about in the one order in which everybody locks it. Each locks its own
    /// again, which then waits for nobody.
    async fn lock(&self, work: &mut Work<'_>) -> Result<()> {
        let mut own: Vec<Session> = Vec::with_capacity(self.0.len());
        for one in &self.0 {
            let found = session::find(&mut work.tx, one.session_id, Lock::None).await?;
            own.extend(found.filter(|it| work.call.manages(Some(it.organisation_id), WORD).is_ok()));
        }
        let clients: BTreeSet<ClientId> = own.iter().flat_map(Session::clients).collect();
        for id in clients {
            client::outline(&mut work.tx, id, Lock::Share).await?;
        }
        let new = self.0.iter().map(|it| it.counsellor_id);
        let leading = own.iter().flat_map(|it| it.party().counsellors(it.counsellor_id).collect::<Vec<_>>());
        work.tx.tell(|tx| counsellor::lock(tx, &new.chain(leading).collect())).await?;
        for id in own.iter().filter_map(|it| it.place.venue_id()).collect::<BTreeSet<VenueId>>() {
            Venue::find(&mut work.tx, id, Lock::Share).await?;
        }
        for id in own.iter().filter_map(|it| it.place.site_id()).collect::<BTreeSet<SiteId>>() {
            Site::find(&mut work.tx, id, Lock::Share).await?;
        }
        if let Some(it) = own.first() {
            agreement::hold(&mut work.tx, it.organisation_id).await?;
        }
        let ids: Vec<SessionId> = own.iter().map(|it| it.id).collect();
        session::lock_these(&mut work.tx, &ids).await?;
        Ok(())
    }
}
