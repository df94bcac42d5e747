//! The parameters by which the compliance of a treatment order is judged. They are data of the order, so that
//! what is judged of an old order does not change with ours.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::AtRisk;
use crate::domain::text::Fault;

/// The policy of a treatment order. [`Policy::default`] is what an order has that states none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Working days after a failure was established in which its warning is due. Default 2: probation practice
    /// in England.
    pub notice_working_days: u32,
    /// Working days after an absence in which evidence for it is awaited. Default 6: probation practice in
    /// England.
    pub evidence_working_days: u32,
    /// Months after a warning in which a failure is a breach, and after which a failure is spent. Default 12:
    /// Sentencing Act 2020 Sch. 10 para 6.
    pub breach_window_months: u32,
    /// Working days after a breach in which enforcement is due. Default 10: probation practice in England.
    pub enforcement_working_days: u32,
    /// Minutes after the start from which somebody is late: where attendance is recorded. Default 10, a
    /// parameter of ours.
    pub late_grace_minutes: u32,
    /// How often somebody is late until that is a failure. Default 3, a parameter of ours.
    pub lates_per_failure: u32,
    /// Months within which they must fall. Default 12, a parameter of ours.
    pub lates_window_months: u32,
    /// Whoever stays for less of a session than this, in per cent, was absent: where attendance is recorded.
    /// Default 75, a parameter of ours.
    pub partial_min_percent: u32,
    /// Hours before the start from which a cancellation is an absence: where it is recorded. Default 24, a
    /// parameter of ours.
    pub late_cancel_hours: u32,
    /// Days without a credit that are no gap yet. Default 28, a parameter of ours.
    pub gap_days: u32,
    /// How many excused absences are no cause for concern. Default 3, a parameter of ours.
    pub acceptable_limit: u32,
    /// Days for which an excused absence counts, its own among them. Default 90, a parameter of ours.
    pub acceptable_window_days: u32,
    /// The most days of one suspension: where it is recorded. Default 90, a parameter of ours.
    pub max_suspend_days: u32,
    /// For which reasons police see an order at risk. Default: a failure alone, a parameter of ours.
    pub police_at_risk_reasons: Vec<AtRisk>,
    /// Whether police see a breach only after a named person confirmed it. Default: yes, a parameter of ours.
    pub breach_needs_confirmation: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            notice_working_days: 2,
            evidence_working_days: 6,
            breach_window_months: 12,
            enforcement_working_days: 10,
            late_grace_minutes: 10,
            lates_per_failure: 3,
            lates_window_months: 12,
            partial_min_percent: 75,
            late_cancel_hours: 24,
            gap_days: 28,
            acceptable_limit: 3,
            acceptable_window_days: 90,
            max_suspend_days: 90,
            police_at_risk_reasons: vec![AtRisk::Failure],
            breach_needs_confirmation: true,
        }
    }
}

impl Policy {
    /// Checks the bounds of every parameter, which are ours, and names each that is outside.
    pub fn check(&self) -> Result<(), Vec<(&'static str, Fault)>> {
        let bounds: [(&'static str, u32, RangeInclusive<u32>); 13] = [
            ("notice_working_days", self.notice_working_days, 1..=30),
            ("evidence_working_days", self.evidence_working_days, 1..=30),
            ("breach_window_months", self.breach_window_months, 1..=36),
            ("enforcement_working_days", self.enforcement_working_days, 1..=60),
            ("late_grace_minutes", self.late_grace_minutes, 0..=60),
            ("lates_per_failure", self.lates_per_failure, 1..=20),
            ("lates_window_months", self.lates_window_months, 1..=36),
            ("partial_min_percent", self.partial_min_percent, 1..=100),
            ("late_cancel_hours", self.late_cancel_hours, 0..=168),
            ("gap_days", self.gap_days, 7..=366),
            ("acceptable_limit", self.acceptable_limit, 0..=50),
            ("acceptable_window_days", self.acceptable_window_days, 1..=366),
            ("max_suspend_days", self.max_suspend_days, 1..=366),
        ];
        let outside = bounds.into_iter().filter_map(|(name, value, within)| {
            let says = || Fault::new(format!("must be from {} to {}", within.start(), within.end()));
            (!within.contains(&value)).then(|| (name, says()))
        });
        let reasons = &self.police_at_risk_reasons;
        let twice = reasons.iter().enumerate().any(|(at, reason)| reasons[..at].contains(reason));
        let twice = twice.then(|| ("police_at_risk_reasons", Fault::new("must not name a reason twice")));
        let faults: Vec<_> = outside.chain(twice).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}
