//! Whether a treatment order is complied with: a pure function of the order, its policy and what happened.
//!
//! Nothing is decided by a stored flag, and nothing here asks for the time: every date is a calendar date in the
//! order's zone, and whoever asks says of which day. Facts are never guessed: a session that is not recorded is
//! no event. A correction replaces events, and the answer for every day follows.
//!
//! The warning and its window of twelve months are those of the Sentencing Act 2020 (England), Sch. 10 para 6.
//! Where figures come from stands with the [`Policy`].
//!
//! Decided where the sources are silent:
//! * A warning is the act of a person: it stands although the failure that it was for is excused later, until the
//!   record of it is corrected.
//! * A failure is no breach of a warning that was given on its own day, unless that was for an earlier failure.
//! * A confirmation is of the failure as it stood. When that is excused and then found unacceptable after all,
//!   it is confirmed anew; a decision that only affirms another does not ask for that.
//! * A decision that replaces another moves the day on which a breach was established, even if it only affirms.
//! * A resolution ends neither a gap nor what excused absences say: those blame nobody, they say that treatment
//!   does not take place.
//! * A gap in which the provider cancelled is the provider's as a whole. A credit inside it ends it, and what
//!   follows is a gap of its own.
//! * What happens after completion is judged like anything else; whoever decides about an absence can excuse it.
//! * When the order is over, completed or terminated, there is nothing left that it could be at risk of, and
//!   nothing to alert anybody to.

mod change;
mod event;
mod failures;
mod police;
mod policy;
mod suspension;
mod timeline;

use chrono::NaiveDate;

use self::failures::Findings;
use self::timeline::Timeline;
use super::code::words;
use super::working_days::WorkingDays;

pub use self::change::next_change;
pub use self::event::{Event, Fact, Terms};
pub use self::police::{PoliceStatus, Shown, shown};
pub use self::policy::Policy;

words! {
    /// How a treatment order stands. Of several the gravest is said: see [`assess`].
    Status {
        /// Nothing was attended yet.
        NotStarted = "NOT_STARTED",
        /// As it should be.
        Compliant = "COMPLIANT",
        /// For one or more reasons, each an [`AtRisk`].
        AtRisk = "AT_RISK",
        /// On the day asked about, by a person's decision.
        Suspended = "SUSPENDED",
        /// Enough was attended.
        Completed = "COMPLETED",
        /// Breached and not resolved. Neither time nor attendance nor a suspension ends it.
        Breached = "BREACHED",
        /// Ended for good.
        Terminated = "TERMINATED",
    }

    /// Why an order is at risk.
    AtRisk {
        /// A failure that is not spent.
        Failure = "FAILURE",
        /// More excused absences than the policy allows.
        AcceptableLimit = "ACCEPTABLE_LIMIT",
        /// Too long without a credit, and not for the provider's sake.
        Gap = "GAP",
        /// The order's last day passed before it was completed.
        EndPassed = "END_PASSED",
    }

    /// What the provider has to see to.
    Alert {
        /// A failure whose warning was not given in time.
        WarningOverdue = "WARNING_OVERDUE",
        /// Too long without a credit, and the provider cancelled in between.
        ServiceGap = "SERVICE_GAP",
    }

    /// What a failure consists of.
    FailureKind {
        /// An absence without an acceptable reason.
        Absence = "ABSENCE",
        /// Somebody attended and did not comply.
        DidNotComply = "DID_NOT_COMPLY",
        /// Late as often as makes a failure: the third time, unless the policy says otherwise.
        ThirdLate = "THIRD_LATE",
    }
}

/// A failure to comply. One for each day and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The day of the session.
    pub on: NaiveDate,
    /// When it became a failure: the day of the decision that rules, the first day after evidence was awaited,
    /// or the day of the session.
    pub established_on: NaiveDate,
    /// What it consists of.
    pub kind: FailureKind,
    /// A breach by itself, by decision.
    pub serious: bool,
    /// An absence about which nothing was decided in time.
    pub deemed: bool,
    /// It is a breach, or was one before it was resolved.
    pub breach: bool,
    /// It is not spent. Spent is what was resolved; what is no breach is spent as well when the window of its
    /// warning has ended or, if nobody warned, as long after its own day. A breach is spent by no time.
    pub live: bool,
    /// The warning for it: the first on its day or later, within the window.
    pub warned_on: Option<NaiveDate>,
}

/// The open breach that counts: a confirmed one before others, then the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The day of the failure.
    pub failure_on: NaiveDate,
    /// The day on which that was established.
    pub breach_on: NaiveDate,
    /// The last day for enforcement.
    pub enforcement_due_on: NaiveDate,
    /// Whether a named person confirmed it.
    pub confirmed: bool,
}

/// How an order stands on a day, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// How it stands.
    pub status: Status,
    /// Credits: sessions attended, late or not, and made up.
    pub credits: u32,
    /// Credits that the order asks for.
    pub required: u32,
    /// Days of absences that wait for evidence or a decision, in order. They have no effect yet.
    pub pending: Vec<NaiveDate>,
    /// Days of excused absences that still count, in order.
    pub excused: Vec<NaiveDate>,
    /// Failures in order, spent ones among them.
    pub failures: Vec<Failure>,
    /// The open breach that counts.
    pub breach: Option<Breach>,
    /// Why the order is at risk, also while its status is a graver one; empty when it is over.
    pub at_risk: Vec<AtRisk>,
    /// What the provider has to see to; empty when the order is over.
    pub alerts: Vec<Alert>,
}

/// How an order stands at the end of a day, by what is recorded. Events dated later have no effect, and the order
/// in which they come has none.
///
/// The status is the first that holds: terminated, breached, completed, suspended, at risk, compliant with one
/// credit or more, not started.
pub fn assess(terms: &Terms, policy: &Policy, days: &WorkingDays, events: &[Event], as_of: NaiveDate) -> Assessment {
    let timeline = Timeline::of(events, as_of);
    let findings = Findings::of(&timeline, policy, days);
    let breach = findings.breach(&timeline, policy, days);
    let Findings { pending, excused, found } = findings;
    let mut it = Assessment {
        status: Status::NotStarted,
        credits: timeline.credits,
        required: terms.required,
        pending,
        excused,
        failures: found.into_iter().map(|it| it.failure).collect(),
        breach,
        at_risk: Vec::new(),
        alerts: Vec::new(),
    };
    if !timeline.terminated && it.credits < it.required {
        it.look_for_risks(terms, policy, days, &timeline);
    }
    it.status = it.status_of(&timeline);
    it
}

impl Assessment {
    fn look_for_risks(&mut self, terms: &Terms, policy: &Policy, days: &WorkingDays, timeline: &Timeline) {
        let as_of = timeline.as_of;
        let since = timeline.credited_on.map_or(terms.starts_on, |day| day.max(terms.starts_on));
        let gap = timeline.suspensions.running_days(since, as_of) > policy.gap_days.into();
        let by_provider = timeline.cancelled.last().is_some_and(|day| *day > since);
        let overdue = |it: &Failure| {
            let due_on = days.plus(it.established_on, policy.notice_working_days);
            it.live && !it.breach && it.warned_on.is_none() && due_on < as_of
        };
        let risks = [
            (AtRisk::Failure, self.failures.iter().any(|it| it.live)),
            (AtRisk::AcceptableLimit, self.excused.len() > policy.acceptable_limit as usize),
            (AtRisk::Gap, gap && !by_provider),
            (AtRisk::EndPassed, terms.ends_on.is_some_and(|last| last < as_of)),
        ];
        let alerts =
            [(Alert::WarningOverdue, self.failures.iter().any(overdue)), (Alert::ServiceGap, gap && by_provider)];
        self.at_risk = risks.into_iter().filter_map(|(it, holds)| holds.then_some(it)).collect();
        self.alerts = alerts.into_iter().filter_map(|(it, holds)| holds.then_some(it)).collect();
    }

    fn status_of(&self, timeline: &Timeline) -> Status {
        if timeline.terminated {
            Status::Terminated
        } else if self.breach.is_some() {
            Status::Breached
        } else if self.credits >= self.required {
            Status::Completed
        } else if timeline.suspensions.contain(timeline.as_of) {
            Status::Suspended
        } else if !self.at_risk.is_empty() {
            Status::AtRisk
        } else if self.credits > 0 {
            Status::Compliant
        } else {
            Status::NotStarted
        }
    }
}

impl Failure {
    fn new(on: NaiveDate, established_on: NaiveDate, kind: FailureKind) -> Self {
        let (serious, deemed, breach, live) = (false, false, false, true);
        Self { on, established_on, kind, serious, deemed, breach, live, warned_on: None }
    }
}

#[cfg(test)]
mod tests;
