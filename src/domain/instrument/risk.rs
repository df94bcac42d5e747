//! What calls for a person: answers and changes (followup, "Escalation").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::Occasion;
use super::redacted::redacted;
use super::sheet::Complete;
use super::{Instrument, Item};
use crate::domain::escalation::{Alarm, Level, Trigger};

/// What of an instrument calls for a person.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRules {
    /// Answers.
    #[serde(default)]
    pub items: Vec<RiskItem>,
    /// Totals that rise into a range.
    #[serde(default)]
    pub rises: Vec<Rise>,
    /// Totals that are worse than they were.
    #[serde(default)]
    pub worsens: Vec<Worsening>,
}

/// An answer that calls for a person. Its symptom is one line, so that there is one answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskItem {
    /// Why: RISK_ITEM asks after risk itself, RISK_SYMPTOM after a symptom that stands for it.
    pub trigger: Trigger,
    /// The symptom.
    pub symptom: u32,
    /// From which value how soon; ascending, the last that is reached counts.
    pub levels: Vec<RiskLevel>,
    /// How soon when there is no answer. Where that calls for a person, which it must for a RISK_ITEM, the assessment
    /// cannot be closed before somebody has asked.
    pub unasked: Option<Level>,
}

/// From which value how soon.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskLevel {
    /// From this value.
    pub at_least: u32,
    /// How soon.
    pub level: Level,
}

/// A total that rises into a range: it is in there, and the one before was not, or there was none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rise {
    /// The least total of the range.
    pub into: u32,
    /// How soon.
    pub level: Level,
}

/// A total that is higher than at the baseline or the time before, whichever was lower.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worsening {
    /// By at least so much.
    pub by: u32,
    /// How soon.
    pub level: Level,
}

/// The answer to an item that somebody's safety may depend on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskAnswer {
    /// The number of the item.
    pub item: u32,
    /// The value; none is unknown, and never "no".
    pub value: Option<u32>,
    /// Whether a person must ask before the assessment can be closed, should it be unknown.
    pub must_be_asked: bool,
}

redacted!(RiskAnswer);

/// What is compared with: earlier assessments of the same person. Those that were made otherwise do not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// The first of the course.
    pub baseline: Option<&'a Occasion>,
    /// The last before this one.
    pub previous: Option<&'a Occasion>,
}

impl RiskAnswer {
    /// Whether it does not stand in the way of closing the assessment.
    pub fn may_close(&self) -> bool {
        self.value.is_some() || !self.must_be_asked
    }
}

impl Instrument {
    /// Whether an answer to an item may call for a person.
    pub fn is_risk(&self, item: &Item<'_>) -> bool {
        self.risk.items.iter().any(|rule| self.lines(rule.symptom).contains(&item.number))
    }

    /// The answers to the items of its risk rules. What a shut gate left unasked is unknown.
    pub(super) fn risks(&self, sheet: &Complete) -> Vec<RiskAnswer> {
        let answer = |rule: &RiskItem| {
            let item = self.lines(rule.symptom).first().copied()?;
            Some(RiskAnswer { item, value: sheet.value(item), must_be_asked: rule.unasked.is_some() })
        };
        self.risk.items.iter().filter_map(answer).collect()
    }

    /// Why a person must look at an assessment, given what was before it, each reason once and with the soonest
    /// level. How long ago that was makes no difference.
    pub fn alarms(&self, sheet: &Complete, now: &Occasion, before: Before<'_>) -> Vec<Alarm> {
        let comparable = |it: Option<&Occasion>| it.filter(|it| it.form == now.form).and_then(|it| it.total);
        let (baseline, previous) = (comparable(before.baseline), comparable(before.previous));
        let rises = self.risk.rises.iter().filter(|rule| {
            let below = |total: u32| total < rule.into;
            now.total.is_some_and(|total| !below(total)) && previous.is_none_or(below)
        });
        let worsens = self.risk.worsens.iter().filter(|rule| {
            let lowest = baseline.into_iter().chain(previous).min();
            now.total.zip(lowest).is_some_and(|(total, lowest)| total >= lowest.saturating_add(rule.by))
        });
        let answers = self.risk.items.iter().zip(self.risks(sheet)).filter_map(|(rule, it)| rule.alarm(it.value));
        let rises = rises.map(|rule| Alarm { level: rule.level, trigger: Trigger::TotalRose });
        let worsens = worsens.map(|rule| Alarm { level: rule.level, trigger: Trigger::Worsened });
        let mut soonest = BTreeMap::new();
        for Alarm { level, trigger } in answers.chain(rises).chain(worsens) {
            let known = soonest.entry(trigger).or_insert(level);
            *known = level.max(*known);
        }
        soonest.into_iter().map(|(trigger, level)| Alarm { level, trigger }).collect()
    }
}

impl RiskItem {
    fn alarm(&self, value: Option<u32>) -> Option<Alarm> {
        let Some(value) = value else {
            return self.unasked.map(|level| Alarm { level, trigger: Trigger::RiskItemUnknown });
        };
        let reached = self.levels.iter().rev().find(|it| it.at_least <= value)?;
        Some(Alarm { level: reached.level, trigger: self.trigger })
    }
}
