//! Sessions that count towards orders: what became of them, as it is recorded, amended and decided.

use uuid::Uuid;

use super::ledger::{self, Entry, Ledger};
use super::{lock_client_of, refused};
use crate::domain::ids::{ClientId, Id, OrderId, ParticipantId, SessionId};
use crate::domain::participant::Participant;
use crate::domain::session::{Session, State};
use crate::domain::time::local_day;
use crate::domain::treatment::act::{Act, Effect};
use crate::store::attendance::{self, Texts};
use crate::store::codec::Instant;
use crate::store::{Lock, session};
use crate::usecase::attendance::changed;
use crate::usecase::error::{Error, Result};
use crate::usecase::session as sessions;
use crate::usecase::work::{Mutation, Work};

/// What is now known of a client's session.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// What became of it.
    pub effect: Effect,
    /// Whether the absence was acceptable, and whether it is a breach by itself, if somebody has decided.
    pub decision: Option<(bool, bool)>,
}

/// Tells the order of a participant, if there is one, what is now known of the session. The client must be locked.
pub async fn count(work: &mut Work<'_>, session: &Session, of: &Participant, counted: Counted) -> Result<()> {
    let Some(order_id) = of.attendee.order_id else { return Ok(()) };
    let mut ledger = ledger::open(work, order_id).await?;
    ledger.tell(work, session, of.id, counted).await?;
    ledger.settle(work).await.map(drop)
}

impl Ledger {
    async fn tell(&mut self, work: &mut Work<'_>, session: &Session, of: ParticipantId, it: Counted) -> Result<()> {
        let zone = self.docket.order.terms.zone;
        let (on, today) = (local_day(session.span.starts_at(), zone), self.docket.today(work.now));
        let history = &self.docket.history;
        let (effect, mut decision) = history.last_about(of);
        let about = history.about(of).unwrap_or(history.next_number());
        let entry = |on, act, corrects| Entry { on, act, participant_id: Some(of), reason: None, corrects };
        let news = effect != Some(it.effect) || (decision.is_some() && it.decision.is_none());
        if news && (effect.is_some() || it.effect != Effect::Nothing) {
            let act = Act::Attendance { about, effect: it.effect };
            self.record(work, entry(on, act, effect.is_some())).await?;
            // What was decided was about what had been said.
            decision = None;
        }
        let Some((acceptable, serious)) = it.decision.filter(|_| it.decision != decision) else { return Ok(()) };
        let deemed_after = self.docket.days.plus(on, self.docket.policy.evidence_working_days);
        let corrects = decision.is_some() || today > deemed_after;
        self.record(work, entry(today, Act::Decision { about, acceptable, serious }, corrects)).await
    }
}

/// Whether calling off a session now is too late for a participant's order.
pub async fn is_too_late(work: &mut Work<'_>, session: &Session, of: &Participant) -> Result<bool> {
    let Some(order_id) = of.attendee.order_id else { return Ok(false) };
    let ledger = ledger::open(work, order_id).await?;
    let late = chrono::TimeDelta::hours(i64::from(ledger.docket.policy.late_cancel_hours));
    Ok(session.span.starts_at() - work.now < late)
}

/// Counts a session towards an order that was booked towards none: before the order was known, or by mistake.
#[derive(Clone, Debug)]
pub struct CountSession {
    /// The order.
    pub order_id: OrderId,
    /// The session.
    pub session_id: SessionId,
}

impl Mutation for CountSession {
    type Answer = Session;

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        work.touched(self.session_id.uuid());
        let client_id = lock_client_of(work, self.order_id).await?;
        let not_found = || Error::NotFound(sessions::WORD);
        let found = session::find(&mut work.tx, self.session_id, Lock::Update).await?.ok_or_else(not_found)?;
        work.call.manages(Some(found.organisation_id), sessions::WORD)?;
        match found.state {
            State::Booked => {}
            State::Held { .. } => return Err(not_found()),
            State::Cancelled { .. } | State::Rescheduled { .. } => {
                return Err(refused("SESSION_NOT_STANDING", "the session was cancelled or moved"));
            }
        }
        let of = self.participant(&found, client_id)?;
        let ledger = ledger::open(work, self.order_id).await?;
        if !ledger.standing.open {
            return Err(refused("ORDER_NOT_OPEN", "the order is completed or terminated"));
        }
        let terms = &ledger.docket.order.terms;
        if local_day(found.span.starts_at(), terms.zone) < terms.starts_on {
            return Err(refused("SESSION_BEFORE_ORDER", "the session lies before the first day of the order"));
        }
        let counted = found.counted(of, self.order_id);
        session::update(&mut work.tx, &counted, Instant(work.now)).await?;
        if let Some(participant) = counted.participants.iter().find(|it| it.id == of) {
            let history = attendance::history(&mut work.tx, participant, Texts::Closed).await?;
            changed(work, &counted, participant, &history).await?;
        }
        Ok(counted)
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        session::find(&mut work.tx, SessionId(result_id), Lock::None).await?.ok_or(Error::NotFound(sessions::WORD))
    }
}

impl CountSession {
    fn participant(&self, session: &Session, client_id: ClientId) -> Result<ParticipantId> {
        let of = session.participants.iter().find(|it| it.attendee.client_id == client_id);
        let of = of.ok_or(Error::NotFound(sessions::WORD))?;
        match of.attendee.order_id {
            None => Ok(of.id),
            Some(order_id) if order_id == self.order_id => {
                Err(refused("ALREADY_COUNTED", "the session counts towards this order already"))
            }
            Some(_) => Err(refused("TWO_ORDERS", "the session counts towards another order")),
        }
    }
}
