//! The one path of whatever is recorded about an order: open it, record, settle where it stands.
//!
//! Whoever records locks the client first, then the order. Whoever only moves an order on because time has
//! passed locks the order alone, and waits for nobody while it is locked.

use chrono::NaiveDate;

use super::{WORD, correction};
use crate::domain::directory::HolidayCalendar;
use crate::domain::feed::Topic;
use crate::domain::ids::{Id, OrderId, ParticipantId};
use crate::domain::personal::Personal;
use crate::domain::text::Code;
use crate::domain::treatment::act::{Act, Event};
use crate::domain::treatment::history::History;
use crate::domain::treatment::standing::{ComplianceNote, Docket, Standing};
use crate::domain::treatment::{Order, PolicyVersion, Published};
use crate::domain::working_days::WorkingDays;
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::session::Of;
use crate::store::{self, Lock, Tx, compliance, feed, treatment};
use crate::usecase::error::{Error, Result};
use crate::usecase::orphan;
use crate::usecase::work::Work;

/// An order that is locked, with everything by which it is judged.
pub struct Ledger {
    /// The order and its history.
    pub docket: Docket,
    /// Where it stands today, by what was recorded before.
    pub standing: Standing,
    /// The police to whom it was answered when it was opened.
    answered_to: Option<Code>,
    /// The number of the first event of this request that corrects another.
    corrects: Option<u32>,
}

/// Something to be recorded.
pub struct Entry {
    /// The day it is about.
    pub on: NaiveDate,
    /// What.
    pub act: Act,
    /// About whose place in which session.
    pub participant_id: Option<ParticipantId>,
    /// Why.
    pub reason: Option<Personal>,
    /// Whether it corrects what was recorded or deemed before.
    pub corrects: bool,
}

impl Entry {
    /// Something a person decided about the order as a whole.
    pub fn of(on: NaiveDate, act: Act, reason: Option<Personal>) -> Self {
        Self { on, act, participant_id: None, reason, corrects: false }
    }
}

/// Everything by which an order is judged.
pub async fn docket(tx: &mut Tx, order: Order) -> Result<Docket> {
    let history = History::from(treatment::events(tx, order.id).await?);
    let policy = policy(tx, &order.terms.policy).await?.policy;
    let days = working_days(tx, &order).await?;
    Ok(Docket { order, history, policy, days })
}

/// A version of a policy that somebody is judged by.
pub async fn policy(tx: &mut Tx, version: &PolicyVersion) -> Result<Published> {
    let missing = || store::Error::Inconsistent { table: "compliance_policy", what: version.code.to_string() };
    Ok(treatment::policy(tx, version).await?.ok_or_else(missing)?)
}

async fn working_days(tx: &mut Tx, order: &Order) -> Result<WorkingDays> {
    let Some(id) = order.terms.holiday_calendar_id else { return Ok(WorkingDays::new([])) };
    let missing = || store::Error::Inconsistent { table: "holiday_calendar", what: id.to_string() };
    let calendar = HolidayCalendar::find(tx, id, Lock::None).await?.ok_or_else(missing)?;
    Ok(WorkingDays::new(calendar.content.holidays.into_keys()))
}

/// Opens an order, and moves it on to today.
pub async fn open(work: &mut Work<'_>, id: OrderId) -> Result<Ledger> {
    let order = treatment::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
    work.touched(id.uuid());
    let docket = docket(&mut work.tx, order).await?;
    opened(work, docket).await
}

/// As [`open`], of an order whose calendar this request has changed: until now, the days before were its working
/// days, and what time has changed was changed by them.
pub async fn open_with(work: &mut Work<'_>, id: OrderId, before: &WorkingDays) -> Result<Ledger> {
    let order = treatment::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
    work.touched(id.uuid());
    let mut docket = docket(&mut work.tx, order).await?;
    let days = std::mem::replace(&mut docket.days, before.clone());
    let mut ledger = opened(work, docket).await?;
    ledger.docket.days = days;
    Ok(ledger)
}

async fn opened(work: &mut Work<'_>, docket: Docket) -> Result<Ledger> {
    let id = docket.order.id;
    let missing = || store::Error::Inconsistent { table: "compliance", what: id.to_string() };
    let mut standing = compliance::find(&mut work.tx, id).await?.ok_or_else(missing)?;
    if standing.next_change_at.is_some_and(|at| at <= work.now) {
        for next in docket.moved_on(&standing, work.now) {
            compliance::write(&mut work.tx, &docket.order, &next).await?;
            if next.version != standing.version {
                announce(work, &docket, &next).await?;
            }
            standing = next;
        }
    }
    let answered_to = docket.order.terms.answered_to().cloned();
    Ok(Ledger { docket, standing, answered_to, corrects: None })
}

/// Begins the ledger of a new order.
pub async fn begin(work: &mut Work<'_>, order: Order, reason: Option<Personal>) -> Result<Ledger> {
    let (on, act) = (order.terms.starts_on, Act::Created { terms: order.terms.clone() });
    let (policy, days) = (policy(&mut work.tx, &order.terms.policy).await?, working_days(&mut work.tx, &order).await?);
    let mut docket = Docket { order, history: History::default(), policy: policy.policy, days };
    let first = entered(work, &mut docket, Entry::of(on, act, reason.clone()));
    treatment::insert(&mut work.tx, &docket.order).await?;
    treatment::append(&mut work.tx, &docket.order, &first, reason.as_ref()).await?;
    work.touched(docket.order.id.uuid());
    let standing = docket.stand(None, docket.today(work.now));
    compliance::write(&mut work.tx, &docket.order, &standing).await?;
    announce(work, &docket, &standing).await?;
    let answered_to = docket.order.terms.answered_to().cloned();
    Ok(Ledger { docket, standing, answered_to, corrects: None })
}

/// Adds an entry to the history and to the chain of an order.
fn entered(work: &Work<'_>, docket: &mut Docket, entry: Entry) -> Event {
    let event = Event {
        number: docket.history.next_number(),
        on: entry.on,
        act: entry.act,
        participant_id: entry.participant_id,
        recorded_at: work.now,
        recorded_by: work.call.caller().principal.clone(),
    };
    docket.order.head = work.world.digest("treatment", &event.bytes(&docket.order.head));
    docket.order.version = i64::from(event.number);
    docket.order.updated_at = work.now;
    docket.history.push(event.clone());
    event
}

impl Ledger {
    /// Records something.
    pub async fn record(&mut self, work: &mut Work<'_>, entry: Entry) -> Result<()> {
        let (reason, corrects) = (entry.reason.clone(), entry.corrects);
        if let Act::Amended { terms } = &entry.act {
            self.docket.order.terms = terms.clone();
            self.docket.policy = policy(&mut work.tx, &terms.policy).await?.policy;
            self.docket.days = working_days(&mut work.tx, &self.docket.order).await?;
        }
        let event = entered(work, &mut self.docket, entry);
        if corrects {
            self.corrects.get_or_insert(event.number);
        }
        treatment::append(&mut work.tx, &self.docket.order, &event, reason.as_ref()).await?;
        work.note(event.act.word().as_str());
        Ok(treatment::update(&mut work.tx, &self.docket.order).await?)
    }

    /// Settles where the order stands now. The client must be locked: coming sessions may rest on it.
    pub async fn settle(mut self, work: &mut Work<'_>) -> Result<Docket> {
        let before = self.standing.clone();
        let mut standing = self.docket.stand(Some(&before), self.docket.today(work.now));
        if let Some(number) = self.corrects.take() {
            standing.corrected |= correction::note(work, &self.docket, number).await?;
        }
        let answered_to = self.docket.order.terms.answered_to();
        let moved = answered_to != self.answered_to.as_ref();
        if moved || standing.corrected != before.corrected {
            standing.version = before.version + 1;
        }
        if moved {
            // What was before is nothing to those who are answered from now on.
            standing.changed_on = standing.as_of_on;
        }
        compliance::write(&mut work.tx, &self.docket.order, &standing).await?;
        if let Some(before) = self.answered_to.as_ref().filter(|_| moved) {
            let gone = ComplianceNote { reference: self.docket.order.reference.clone(), view: None };
            note(work, before, &standing, &gone).await?;
        }
        if standing.version != before.version {
            announce(work, &self.docket, &standing).await?;
        }
        if standing.open != before.open {
            orphan::reassess(work, &[Of::Client(self.docket.order.client_id)]).await?;
        }
        Ok(self.docket)
    }
}

/// Tells the police who watch where an order stands now, if it is for them.
async fn announce(work: &mut Work<'_>, docket: &Docket, standing: &Standing) -> Result<()> {
    let Some(jurisdiction) = docket.order.terms.answered_to() else { return Ok(()) };
    let view = docket.view(standing);
    let said = ComplianceNote { reference: view.reference.clone(), view: Some(view) };
    note(work, jurisdiction, standing, &said).await
}

async fn note(work: &mut Work<'_>, to: &Code, standing: &Standing, said: &ComplianceNote) -> Result<()> {
    let wrong = |_| store::Error::Inconsistent { table: "compliance", what: standing.order_id.to_string() };
    let payload = serde_json::to_value(said).map_err(wrong)?;
    let (topic, id, now) = (Topic::Compliance(to.clone()), standing.order_id.uuid(), Instant(work.now));
    feed::note(&mut work.tx, &topic, id, standing.version, Some(payload), now);
    Ok(())
}
