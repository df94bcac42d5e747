//! What people decide about an order: warn, suspend, confirm, resolve, terminate, and take back what was a mistake.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::ledger::{self, Entry, Ledger};
use super::read::{Overview, after, again};
use super::{lock_client_of, refused};
use crate::domain::compliance::Status;
use crate::domain::ids::{Id, OrderId};
use crate::domain::personal::Personal;
use crate::domain::treatment::TerminationReason;
use crate::domain::treatment::act::Act;
use crate::usecase::error::{Error, Result};
use crate::usecase::work::{Mutation, Work};

/// Something a person decides about an order.
pub trait Step: Send + Sync + 'static {
    /// What is to be recorded, or why it cannot be.
    fn entry(&self, ledger: &Ledger, today: NaiveDate) -> Result<Entry>;
}

/// A step, on an order as it was read.
#[derive(Clone, Debug)]
pub struct Warranted<S> {
    /// Which order.
    pub order_id: OrderId,
    /// The version last read.
    pub version: i64,
    /// What is decided.
    pub step: S,
}

impl<S: Step> Mutation for Warranted<S> {
    type Answer = Overview;

    async fn run(&self, work: &mut Work<'_>) -> Result<Overview> {
        lock_client_of(work, self.order_id).await?;
        let mut ledger = ledger::open(work, self.order_id).await?;
        ledger.docket.check(self.version)?;
        let entry = self.step.entry(&ledger, ledger.docket.today(work.now))?;
        ledger.record(work, entry).await?;
        let docket = ledger.settle(work).await?;
        after(work, docket).await
    }

    fn result_id(&self, _answer: &Overview) -> Uuid {
        self.order_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Overview> {
        again(work, self.order_id).await
    }
}

impl Ledger {
    /// Refuses what cannot be decided about an order that has ended.
    fn check_not_terminated(&self) -> Result<()> {
        match self.standing.status {
            Status::Terminated => Err(refused("ORDER_TERMINATED", "the order has ended")),
            _ => Ok(()),
        }
    }

    /// Refuses a day before the order's first.
    fn check_begun(&self, on: NaiveDate, reason: &'static str) -> Result<()> {
        match on < self.docket.order.terms.starts_on {
            true => Err(refused(reason, "the day lies before the first day of the order")),
            false => Ok(()),
        }
    }
}

/// A day that is said, or today; never one to come.
fn said(on: Option<NaiveDate>, today: NaiveDate, field: &str) -> Result<NaiveDate> {
    match on {
        Some(on) if on > today => Err(Error::field(field, "must not lie in the future, in the order's zone")),
        on => Ok(on.unwrap_or(today)),
    }
}

/// Issues a warning.
#[derive(Clone, Debug)]
pub struct IssueWarning {
    /// On which day; today, unless said.
    pub issued_on: Option<NaiveDate>,
    /// Why, for the provider.
    pub reason: Option<Personal>,
}

impl Step for IssueWarning {
    fn entry(&self, ledger: &Ledger, today: NaiveDate) -> Result<Entry> {
        let on = said(self.issued_on, today, "issued_on")?;
        ledger.check_not_terminated()?;
        ledger.check_begun(on, "WARNING_BEFORE_ORDER")?;
        Ok(Entry::of(on, Act::Warned, self.reason.clone()))
    }
}

/// Suspends what is asked of the person, for a while.
#[derive(Clone, Debug)]
pub struct SuspendOrder {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
    /// Why.
    pub reason: Personal,
}

impl Step for SuspendOrder {
    fn entry(&self, ledger: &Ledger, _today: NaiveDate) -> Result<Entry> {
        ledger.check_not_terminated()?;
        ledger.check_begun(self.from, "SUSPENSION_BEFORE_ORDER")?;
        let most = Days::new(u64::from(ledger.docket.policy.max_suspend_days));
        // The first day counts.
        if self.from.checked_add_days(most).is_some_and(|past| self.until >= past) {
            return Err(refused("SUSPENSION_TOO_LONG", "it lasts longer than the order's policy allows"));
        }
        let overlaps = |on: NaiveDate, until: NaiveDate| self.from <= until && on <= self.until;
        let overlap = ledger.docket.history.standing().any(|event| match event.act {
            Act::Suspended { until } => overlaps(event.on, until),
            _ => false,
        });
        if overlap {
            return Err(refused("SUSPENSION_OVERLAPS", "the order is suspended on some of these days already"));
        }
        Ok(Entry::of(self.from, Act::Suspended { until: self.until }, Some(self.reason.clone())))
    }
}

/// Confirms that what was computed is a breach; from now on police see it, with its dates.
#[derive(Clone, Debug)]
pub struct ConfirmBreach {
    /// Why.
    pub reason: Option<Personal>,
}

impl Step for ConfirmBreach {
    fn entry(&self, ledger: &Ledger, today: NaiveDate) -> Result<Entry> {
        match ledger.docket.assess(today).breach {
            Some(breach) if !breach.confirmed => {
                let act = Act::Confirmed { failure_on: breach.failure_on };
                Ok(Entry::of(today, act, self.reason.clone()))
            }
            _ => Err(refused("NO_BREACH_TO_CONFIRM", "no breach waits for confirmation")),
        }
    }
}

/// Records that the open breach was dealt with, and that the order goes on.
#[derive(Clone, Debug)]
pub struct ResolveBreach {
    /// On which day; today, unless said.
    pub resolved_on: Option<NaiveDate>,
    /// How.
    pub reason: Personal,
}

impl Step for ResolveBreach {
    fn entry(&self, ledger: &Ledger, today: NaiveDate) -> Result<Entry> {
        let on = said(self.resolved_on, today, "resolved_on")?;
        match ledger.docket.assess(today).breach {
            Some(breach) if breach.breach_on <= on => Ok(Entry::of(on, Act::Resolved, Some(self.reason.clone()))),
            Some(_) => Err(Error::field("resolved_on", "must not lie before the breach")),
            None => Err(refused("NO_OPEN_BREACH", "no breach is open")),
        }
    }
}

/// Records that the order has ended before it was completed.
#[derive(Clone, Debug)]
pub struct TerminateOrder {
    /// On which day; today, unless said.
    pub terminated_on: Option<NaiveDate>,
    /// Why.
    pub why: TerminationReason,
    /// In words, for the provider.
    pub reason: Option<Personal>,
}

impl Step for TerminateOrder {
    fn entry(&self, ledger: &Ledger, today: NaiveDate) -> Result<Entry> {
        let on = said(self.terminated_on, today, "terminated_on")?;
        ledger.check_not_terminated()?;
        ledger.check_begun(on, "TERMINATION_BEFORE_ORDER")?;
        Ok(Entry::of(on, Act::Terminated { reason: self.why }, self.reason.clone()))
    }
}

/// Withdraws what was recorded by mistake: from now on it counts as if it never was.
#[derive(Clone, Debug)]
pub struct WithdrawEvent {
    /// Its number in the history of the order.
    pub number: u32,
    /// Why.
    pub reason: Personal,
}

impl Step for WithdrawEvent {
    fn entry(&self, ledger: &Ledger, today: NaiveDate) -> Result<Entry> {
        let history = &ledger.docket.history;
        let event = history.all().iter().find(|event| event.number == self.number);
        let event = event.ok_or(Error::NotFound("event of the order"))?;
        if !event.act.can_be_withdrawn() {
            return Err(refused("NOT_WITHDRAWABLE", "it is amended or decided anew, not withdrawn"));
        }
        if history.is_withdrawn(self.number) {
            return Err(refused("ALREADY_WITHDRAWN", "it was withdrawn before"));
        }
        let act = Act::Withdrawn { number: self.number };
        Ok(Entry { corrects: true, ..Entry::of(today, act, Some(self.reason.clone())) })
    }
}
