//! Absences, failures, and what makes a breach of a failure.

use std::collections::VecDeque;

use chrono::NaiveDate;

use super::timeline::{Decision, Timeline, days_after, months_after};
use super::{Breach, Failure, FailureKind, Policy};
use crate::domain::working_days::WorkingDays;

/// What is known of absences and failures by the day of a timeline.
pub(super) struct Findings {
    /// Days of absences that wait for evidence or a decision.
    pub pending: Vec<NaiveDate>,
    /// Days of excused absences that still count.
    pub excused: Vec<NaiveDate>,
    /// Failures, in order; those of one day by kind.
    pub found: Vec<Found>,
}

/// A failure.
pub(super) struct Found {
    /// What is said of it.
    pub failure: Failure,
    /// Since when it stands: of several decisions the first that nothing reversed.
    stands_since: NaiveDate,
}

enum Verdict {
    Pending,
    Excused,
    Unacceptable(Found),
}

impl Findings {
    pub fn of(timeline: &Timeline, policy: &Policy, days: &WorkingDays) -> Self {
        let mut it = Self { pending: Vec::new(), excused: Vec::new(), found: Vec::new() };
        for (on, decisions) in &timeline.absences {
            match judge(*on, decisions, timeline.as_of, days.plus(*on, policy.evidence_working_days)) {
                Verdict::Pending => it.pending.push(*on),
                Verdict::Excused => it.excused.push(*on),
                Verdict::Unacceptable(found) => it.found.push(found),
            }
        }
        it.excused.retain(|on| timeline.as_of < days_after(*on, policy.acceptable_window_days.into()));
        it.found.extend(timeline.did_not_comply.iter().map(|on| Found::at_once(*on, FailureKind::DidNotComply)));
        it.found.extend(third_lates(timeline, policy).into_iter().map(|on| Found::at_once(on, FailureKind::ThirdLate)));
        it.found.sort_unstable_by_key(|it| (it.failure.on, it.failure.kind));
        it.weigh(timeline, policy);
        it
    }

    /// Sets what follows from warnings and resolutions.
    fn weigh(&mut self, timeline: &Timeline, policy: &Policy) {
        for found in &mut self.found {
            found.failure.warned_on = warned_on(found.failure.on, timeline, policy);
        }
        let breaches: Vec<_> =
            self.found.iter().map(|found| self.is_breach(&found.failure, timeline, policy)).collect();
        for (Found { failure, .. }, breach) in self.found.iter_mut().zip(breaches) {
            let spent_on = months_after(failure.warned_on.unwrap_or(failure.on), policy.breach_window_months);
            let resolved = timeline.resolved_after(failure.on).is_some();
            failure.breach = breach;
            failure.live = !resolved && (breach || timeline.as_of < spent_on);
        }
    }

    /// Whether a failure is a breach: a serious one, or one within the window of a warning (Sentencing Act 2020
    /// Sch. 10 para 6: whoever was warned and fails again). A warning given on the day of the failure counts
    /// if it was for an earlier failure, which stood by then and stands still; a failure is never a breach of
    /// the warning that it alone brought about.
    fn is_breach(&self, failure: &Failure, timeline: &Timeline, policy: &Policy) -> bool {
        let on = failure.on;
        let before = timeline.warnings.range(..on).next_back();
        let warned = |warning: &NaiveDate| {
            timeline.are_joined(*warning, on) && on < months_after(*warning, policy.breach_window_months)
        };
        let is_answered = |earlier: &Found| {
            earlier.failure.on < on && earlier.stands_since <= on && earlier.failure.warned_on == Some(on)
        };
        failure.serious || before.is_some_and(warned) || self.found.iter().any(is_answered)
    }

    /// The open breach that counts: a confirmed one before others, then the earliest.
    pub fn breach(&self, timeline: &Timeline, policy: &Policy, days: &WorkingDays) -> Option<Breach> {
        let open = self.found.iter().filter(|it| it.failure.breach && it.failure.live);
        let breaches = open.map(|it| Breach {
            failure_on: it.failure.on,
            breach_on: it.failure.established_on,
            enforcement_due_on: days.plus(it.failure.established_on, policy.enforcement_working_days),
            confirmed: it.is_confirmed(timeline),
        });
        breaches.min_by_key(|it| (!it.confirmed, it.breach_on, it.failure_on))
    }
}

impl Found {
    fn at_once(on: NaiveDate, kind: FailureKind) -> Self {
        Self { failure: Failure::new(on, on, kind), stands_since: on }
    }

    /// Whether it was confirmed as it stands. What was confirmed, then excused, then found unacceptable after
    /// all, must be confirmed anew.
    fn is_confirmed(&self, timeline: &Timeline) -> bool {
        let on = self.failure.on;
        timeline.confirmed.range((on, self.stands_since)..=(on, NaiveDate::MAX)).next().is_some()
    }
}

/// What an absence is by a day. The decision that rules says it; without one it is unacceptable from the day after
/// the last on which evidence is awaited.
fn judge(on: NaiveDate, decisions: &[Decision], as_of: NaiveDate, evidence_until: NaiveDate) -> Verdict {
    let deemed_on = days_after(evidence_until, 1);
    let Some(ruling) = decisions.last() else {
        return if as_of <= evidence_until {
            Verdict::Pending
        } else {
            let failure = Failure { deemed: true, ..Failure::new(on, deemed_on, FailureKind::Absence) };
            Verdict::Unacceptable(Found { failure, stands_since: deemed_on })
        };
    };
    if ruling.acceptable {
        return Verdict::Excused;
    }
    let first = decisions.iter().rev().take_while(|it| !it.acceptable).last().unwrap_or(ruling);
    let reverses = decisions.iter().any(|it| it.acceptable);
    let stands_since = if reverses { first.on } else { first.on.min(deemed_on) };
    // An absence may be judged before its day, and is none until then.
    let failure = Failure { serious: !ruling.minor, ..Failure::new(on, ruling.on.max(on), FailureKind::Absence) };
    Verdict::Unacceptable(Found { failure, stands_since })
}

/// The days of those late arrivals that complete a failure. Each counts towards one.
fn third_lates(timeline: &Timeline, policy: &Policy) -> Vec<NaiveDate> {
    let mut counting: VecDeque<NaiveDate> = VecDeque::new();
    let mut failures = Vec::new();
    for late in &timeline.lates {
        counting.retain(|earlier| {
            timeline.are_joined(*earlier, *late) && *late < months_after(*earlier, policy.lates_window_months)
        });
        counting.push_back(*late);
        if counting.len() >= policy.lates_per_failure as usize {
            counting.clear();
            failures.push(*late);
        }
    }
    failures.dedup();
    failures
}

/// The warning for a failure: the first on its day or later, before the failure is spent or ended.
fn warned_on(on: NaiveDate, timeline: &Timeline, policy: &Policy) -> Option<NaiveDate> {
    let warning = *timeline.warnings.range(on..).next()?;
    let in_time = warning < months_after(on, policy.breach_window_months);
    (in_time && timeline.are_joined(on, warning)).then_some(warning)
}
