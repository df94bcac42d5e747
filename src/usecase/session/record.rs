//! Writes down a session that took place without having been booked.

use uuid::Uuid;

use super::book::touch;
use super::find;
use crate::domain::attendance;
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, Id, SessionId};
use crate::domain::noun::Noun;
use crate::domain::personal::Personal;
use crate::domain::rules::{Occasion, RuleCode, WALK_IN};
use crate::domain::session::{Override, Overriding, Session, Wanted};
use crate::store::codec::Instant;
use crate::store::{Lock, client, overriding, session};
use crate::usecase::attendance::{check, write};
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::followup;
use crate::usecase::link;
use crate::usecase::work::{Mutation, Work};

/// Writes down a session that took place. It takes no time or room: what is past can be in nobody's way,
/// but the linked, from whom it takes the rest of its day. The rules about who may see whom hold as on that day; those about calendars do not.
#[derive(Clone, Debug)]
pub struct RecordPastSession {
    /// What took place.
    pub wanted: Wanted,
    /// Why it was not booked.
    pub reason: Personal,
    /// What became of it for each client, once: who writes down a session knows who was there.
    pub attendances: Vec<(ClientId, attendance::Draft)>,
}

impl Mutation for RecordPastSession {
    type Answer = Session;

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        touch(work, &self.wanted.party);
        if self.wanted.span.starts_at() >= work.now - WALK_IN {
            return Err(Error::field("starts_at", "must be more than 15 minutes ago; what starts later is booked"));
        }
        if self.wanted.span.ends_at() > work.now {
            return Err(Error::field("length", "must end in the past"));
        }
        let wanted = Wanted { overrides: Vec::<Override>::new(), ..self.wanted.clone() };
        let clients = wanted.party.clients();
        for id in &clients {
            let client = client::outline(&mut work.tx, *id, Lock::None).await?;
            work.call.manages(client.map(|client| client.organisation_id), Client::WORD)?;
        }
        // Without occupancy it is this lock, and the scene's of the counsellor, that keep two from
        // writing down the same hour.
        link::lock_around(work, &clients, None).await?;
        let scene = wanted.scene(work).await?;
        let mut draft = wanted.judge(work, &scene, None, Occasion::Recording).await?;
        draft.session.overridden = vec![RuleCode::InThePast];
        self.check_attendances(work, &draft.session)?;
        session::insert(&mut work.tx, &draft.session, Instant(work.now));
        let why = Overriding {
            rule: RuleCode::InThePast,
            client_id: wanted.party.client().map(|it| it.client_id),
            reason: self.reason.clone(),
            principal: work.call.caller().principal.clone(),
            decided_at: work.now,
        };
        overriding::insert(&mut work.tx, work.world.uuid(), draft.session.id, &why).await?;
        self.write_attendances(work, &draft.session).await?;
        work.note("RECORDED_AFTERWARDS");
        work.touched(draft.session.id.uuid());
        // Who was there takes the day from those who must not meet.
        link::lock_linked_sessions(work, &clients, &[]).await?;
        link::settle_all(work, &clients).await?;
        followup::session_changed(work, &draft.session).await?;
        find(work, draft.session.id, Lock::None).await
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}

impl RecordPastSession {
    /// Refuses what cannot have become of the session, for any of its clients.
    fn check_attendances(&self, work: &Work<'_>, session: &Session) -> Result<()> {
        let all = self.attendances.iter().enumerate();
        let wrong = all.flat_map(|(at, (_, draft))| check(work, session, draft, &format!("attendances[{at}].facts")));
        let wrong: Vec<FieldViolation> = wrong.collect();
        if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
    }

    async fn write_attendances(&self, work: &mut Work<'_>, session: &Session) -> Result<()> {
        for participant in &session.participants {
            let mine = self.attendances.iter().find(|(client_id, _)| *client_id == participant.attendee.client_id);
            let says = "must have one for each client";
            let (_, draft) = mine.ok_or_else(|| Error::field("attendances", says))?;
            write(work, session, participant, draft.clone()).await?;
        }
        Ok(())
    }
}
