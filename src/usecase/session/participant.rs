//! Adds clients to groups and removes them: of one session, or of it and the rest of its series.
//!
//! Who joins rests on facts of the client, whose row is locked, and of the session, whose row is locked
//! too: whoever changes any other fact judges the session anew after that, and so sees who has joined.

use uuid::Uuid;

use super::place::{LOOKS, crowded, note};
use super::{WORD, find, hold, refused, scene};
use crate::domain::client::Client;
use crate::domain::code::Side;
use crate::domain::ids::{ClientId, Id, SessionId};
use crate::domain::noun::Noun;
use crate::domain::participant::Participant;
use crate::domain::party::Attendee;
use crate::domain::rules::{self, Occasion, RuleCode};
use crate::domain::session::{CancelReason, Override, Overriding, Session, Wanted};
use crate::store::client::Subject;
use crate::store::codec::Instant;
use crate::store::session::Of;
use crate::store::{self, participant, placement, session};
use crate::usecase::attendance::{How, called_off};
use crate::usecase::error::{Error, Refusal, Result};
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;
use crate::usecase::{followup, link, orphan};

/// Adds a client to a group.
#[derive(Clone, Debug)]
pub struct AddParticipant {
    /// The session.
    pub session_id: SessionId,
    /// The version last read, if it matters: who joins does not depend on who else does.
    pub version: Option<i64>,
    /// Who joins.
    pub attendee: Attendee,
    /// The later sessions of the series too.
    pub rest_of_series: bool,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

impl Mutation for AddParticipant {
    /// The sessions that the client has joined, by number.
    type Answer = Vec<Session>;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<Session>> {
        let client_id = self.attendee.client_id;
        touch(work, self.session_id, client_id);
        let scope = scope(work, self.session_id, self.rest_of_series).await?;
        let newcomer = self.newcomer(work, &scope.first).await?;
        let mut sessions = scope.lock(work, self.version).await?;
        sessions.retain(|it| !it.expects(client_id));
        if sessions.is_empty() {
            let says = "the client is planned to be there already";
            return Err(Error::Precondition { reason: "ALREADY_PARTICIPATES", says, subjects: Vec::new() });
        }
        for _ in 0..LOOKS {
            let judged = self.judge(work, &newcomer, &sessions).await?;
            if self.seat(work, &judged).await? {
                if newcomer.side == Side::Survivor {
                    followup::sessions_changed(work, &[client_id]).await?;
                }
                judged.iter().for_each(|it| touch(work, it.session.id, client_id));
                return Ok(judged.into_iter().map(|it| it.session).collect());
            }
        }
        Err(crowded())
    }

    fn result_id(&self, _answer: &Vec<Session>) -> Uuid {
        self.session_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<Session>> {
        let mut all = as_they_stand(work, self.session_id, self.rest_of_series).await?;
        all.retain(|it| it.id == self.session_id || it.expects(self.attendee.client_id));
        Ok(all)
    }
}

/// A session that somebody has joined, not yet written.
struct Joined {
    session: Session,
    participant: Participant,
    overridden: Vec<Overriding>,
}

impl AddParticipant {
    /// Who joins; does not change until the transaction ends.
    async fn newcomer(&self, work: &mut Work<'_>, session: &Session) -> Result<Subject> {
        let clients = scene::clients(work, std::slice::from_ref(&self.attendee)).await?;
        let client = clients.into_iter().next().filter(|it| it.organisation_id == session.organisation_id);
        let client = client.ok_or(Error::NotFound(Client::WORD))?;
        scene::check_guardian(work, &self.attendee).await?;
        Ok(client)
    }

    /// The sessions with the newcomer, or every rule that stands in the way of any of them.
    async fn judge(&self, work: &mut Work<'_>, newcomer: &Subject, sessions: &[Session]) -> Result<Vec<Joined>> {
        let (mut judged, mut refused) = (Vec::with_capacity(sessions.len()), Vec::new());
        // The sessions of a series have, as a rule, the same clients.
        for some in sessions.chunk_by(|one, next| one.clients() == next.clients()) {
            let mut clients = some.first().map(Session::clients).unwrap_or_default();
            clients.push(newcomer.id);
            let facts = orphan::facts_of(work, newcomer.organisation_id, &clients, some, Occasion::Joining).await?;
            for session in some {
                let wanted = self.wanted(session);
                let verdict = rules::judge(session.candidate(&wanted.party), &facts, Occasion::Joining);
                let verdict = verdict.of_newcomer(newcomer.id, &session.overridden);
                let (overridden, broken) = wanted.weigh(work, &verdict);
                match session.free_seat().filter(|_| broken.is_empty()) {
                    Some(seat) => judged.push(self.joined(work, newcomer, session, seat, overridden)),
                    None => refused.push((session.id, broken)),
                }
            }
        }
        match sessions.first() {
            Some(first) if !refused.is_empty() => Err(self.refusal(first, refused)),
            _ => Ok(judged),
        }
    }

    fn wanted(&self, session: &Session) -> Wanted {
        Wanted { party: session.party_with(self.attendee.clone()), ..session.wanted(self.overrides.clone()) }
    }

    fn refusal(&self, first: &Session, refused: Vec<(SessionId, Vec<RuleCode>)>) -> Error {
        let mut broken: Vec<RuleCode> = refused.iter().flat_map(|(_, broken)| broken).copied().collect();
        broken.sort_unstable();
        broken.dedup();
        let by_session = if self.rest_of_series { refused } else { Vec::new() };
        let about_client = broken.iter().filter(|rule| rule.is_about_clients());
        let about = about_client.map(|rule| (self.attendee.client_id, *rule)).collect();
        let refusal = Refusal::of(broken, self.wanted(first), Some(first.id));
        Error::Refused(Box::new(Refusal { about, by_session, ..refusal }))
    }

    fn joined(
        &self,
        work: &Work<'_>,
        newcomer: &Subject,
        session: &Session,
        seat: u32,
        overridden: Vec<Overriding>,
    ) -> Joined {
        let of = |client_id: Option<ClientId>| -> Vec<RuleCode> {
            overridden.iter().filter(|it| it.client_id == client_id).map(|it| it.rule).collect()
        };
        let participant = Participant {
            id: work.world.id(),
            seat,
            attendee: self.attendee.clone(),
            reference: newcomer.reference.clone(),
            overridden: of(Some(newcomer.id)),
            flags: Vec::new(),
            added_at: work.now,
            attendance_id: None,
        };
        let session = session.clone().joined(participant.clone(), &of(None));
        Joined { session, participant, overridden }
    }

    /// Writes who has joined, in every session or in none; false when somebody was faster.
    async fn seat(&self, work: &mut Work<'_>, judged: &[Joined]) -> Result<bool> {
        work.tx.savepoint().await?;
        let mut written = Ok(());
        for it in judged {
            written = self.write(work, it).await;
            if written.is_err() {
                break;
            }
        }
        match &written {
            Ok(()) => work.tx.keep().await?,
            Err(_) => work.tx.undo().await?,
        }
        match written {
            Err(Error::Unavailable(store::Error::Conflict)) => Ok(false),
            written => written.map(|()| true),
        }
    }

    async fn write(&self, work: &mut Work<'_>, it: &Joined) -> Result<()> {
        let client_id = self.attendee.client_id;
        participant::insert(&mut work.tx, &it.session, &it.participant).await?;
        session::update(&mut work.tx, &it.session, Instant(work.now)).await?;
        let links = link::of(work, &[client_id]).await?;
        placement::join(&mut work.tx, &it.session, client_id, &links).await?;
        note(work, it.session.id, &it.overridden).await
    }
}

/// Removes a client from a group, before it starts.
#[derive(Clone, Debug)]
pub struct RemoveParticipant {
    /// The session.
    pub session_id: SessionId,
    /// The version last read.
    pub version: i64,
    /// Who is not to be there.
    pub client_id: ClientId,
    /// Nor at the later sessions of the series.
    pub rest_of_series: bool,
    /// Why.
    pub reason: CancelReason,
}

impl Mutation for RemoveParticipant {
    /// The sessions that the client has left, by number.
    type Answer = Vec<Session>;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Vec<Session>> {
        touch(work, self.session_id, self.client_id);
        let scope = scope(work, self.session_id, self.rest_of_series).await?;
        if !scope.first.is_group() {
            let says = "a session one to one is not emptied; cancel it";
            return Err(Error::Precondition { reason: "NOT_A_GROUP", says, subjects: Vec::new() });
        }
        // Clients before sessions: the order in which a late link locks them too.
        link::lock_around(work, &[self.client_id], None).await?;
        let course = scope.first.occurrence.filter(|_| self.rest_of_series).map(|it| Of::Series(it.series_id));
        link::lock_linked_sessions(work, &[self.client_id], course.as_slice()).await?;
        let mut sessions = scope.lock(work, Some(self.version)).await?;
        if !sessions.first().is_some_and(|it| it.expects(self.client_id)) {
            return Err(Error::NotFound("participant"));
        }
        sessions.retain(|it| it.expects(self.client_id));
        let ids: Vec<SessionId> = sessions.iter().map(|it| it.id).collect();
        for session in sessions {
            self.remove(work, session).await?;
        }
        // Whoever stays may have had a flag because of who left, and who is linked may now come.
        link::settle_all(work, &[self.client_id]).await?;
        let left = session::lock_these(&mut work.tx, &ids).await?;
        orphan::reassess_these(work, left).await?;
        let mut left = session::lock_these(&mut work.tx, &ids).await?;
        left.sort_by_key(|it| ids.iter().position(|id| *id == it.id));
        for session in &left {
            touch(work, session.id, self.client_id);
        }
        if scope.first.side == Side::Survivor {
            followup::sessions_changed(work, &[self.client_id]).await?;
        }
        Ok(left)
    }

    fn result_id(&self, _answer: &Vec<Session>) -> Uuid {
        self.session_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Vec<Session>> {
        let mut all = as_they_stand(work, self.session_id, self.rest_of_series).await?;
        all.retain(|it| it.removed.iter().any(|it| it.client_id == self.client_id));
        Ok(all)
    }
}

impl RemoveParticipant {
    async fn remove(&self, work: &mut Work<'_>, session: Session) -> Result<()> {
        let gone: Vec<Participant> =
            session.participants.iter().filter(|it| it.attendee.client_id == self.client_id).cloned().collect();
        called_off(work, &session, &gone, How::Left, self.reason).await?;
        let session = session.without(self.client_id, work.now, self.reason);
        let (own, others) = (link::of(work, &[self.client_id]).await?, link::of(work, &session.clients()).await?);
        let links: Vec<_> = own.difference(&others).copied().collect();
        participant::remove(&mut work.tx, session.id, self.client_id, Instant(work.now), self.reason).await?;
        session::update(&mut work.tx, &session, Instant(work.now)).await?;
        Ok(placement::leave(&mut work.tx, session.id, self.client_id, &links).await?)
    }
}

fn touch(work: &mut Work<'_>, session_id: SessionId, client_id: ClientId) {
    work.touched(session_id.uuid());
    work.touched(client_id.uuid());
}

/// A session as it was when it was first read, and all that are meant with it. No series gets or loses
/// sessions meanwhile.
struct Scope {
    first: Session,
    ids: Vec<SessionId>,
}

async fn scope(work: &mut Work<'_>, id: SessionId, rest_of_series: bool) -> Result<Scope> {
    let first = find(work, id, store::Lock::None).await?;
    work.call.manages(Some(first.organisation_id), WORD)?;
    let mut ids = vec![id];
    if rest_of_series {
        let none = || Error::field("rest_of_series", "must be false for a session that belongs to no series");
        let from = first.occurrence.ok_or_else(none)?;
        ids.extend(participant::rest_of_series(&mut work.tx, from).await?);
    }
    Ok(Scope { first, ids })
}

impl Scope {
    /// Locks the sessions that have not started yet, the first one first, then by number. The first must be
    /// open, and at the version last read if one is given.
    async fn lock(&self, work: &mut Work<'_>, version: Option<i64>) -> Result<Vec<Session>> {
        let mut sessions = session::lock_these(&mut work.tx, &self.ids).await?;
        let first = match sessions.iter().find(|it| it.id == self.first.id) {
            Some(first) => first.clone(),
            None => find(work, self.first.id, store::Lock::None).await?,
        };
        if version.is_some_and(|version| version != first.version) {
            return Err(Error::EtagMismatch(WORD));
        }
        first.check_open(work.now).map_err(refused)?;
        sessions.retain(|it| it.check_open(work.now).is_ok());
        sessions.sort_by_key(|it| (it.id != first.id, it.occurrence.map(|it| it.number)));
        Ok(sessions)
    }
}

/// A session and, if they are meant too, the later ones of its series, as they now stand.
async fn as_they_stand(work: &mut Work<'_>, id: SessionId, rest_of_series: bool) -> Result<Vec<Session>> {
    let scope = scope(work, id, rest_of_series).await?;
    let mut all = vec![scope.first];
    for other in scope.ids.into_iter().filter(|it| *it != id) {
        all.push(find(work, other, store::Lock::None).await?);
    }
    all.sort_by_key(|it| it.occurrence.map(|it| it.number));
    Ok(all)
}
