//! Where an order stands: what the compliance function says of it, kept so that a page of orders is read and
//! not computed. It is good until its next change, and then is moved on by the same function.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Order;
use super::history::History;
use crate::domain::compliance::{self, Alert, Assessment, AtRisk, PoliceStatus, Policy, Shown, Status, assess, shown};
use crate::domain::ids::OrderId;
use crate::domain::reference::Reference;
use crate::domain::time::{DayTime, local_day, resolve};
use crate::domain::working_days::WorkingDays;

/// Everything by which an order is judged.
#[derive(Clone, Debug)]
pub struct Docket {
    /// The order.
    pub order: Order,
    /// What was recorded about it.
    pub history: History,
    /// Its policy.
    pub policy: Policy,
    /// Its working days.
    pub days: WorkingDays,
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Which order.
    pub order_id: OrderId,
    /// How often what police see of it has changed, from 1.
    pub version: i64,
    /// For the provider.
    pub status: Status,
    /// What puts it at risk.
    pub at_risk: Vec<AtRisk>,
    /// What the provider must see to.
    pub alerts: Vec<Alert>,
    /// Whether sessions can count towards it.
    pub open: bool,
    /// Whether a breach waits for a person's confirmation.
    pub under_review: bool,
    /// For police.
    pub shown: PoliceStatus,
    /// The day on which that last changed, in the order's zone.
    pub changed_on: NaiveDate,
    /// Whether a correction has changed what police were told once.
    pub corrected: bool,
    /// The day of which this is said, in the order's zone.
    pub as_of_on: NaiveDate,
    /// When it has to be moved on; none when nothing but people can change it.
    pub next_change_at: Option<DateTime<Utc>>,
}

/// What police may know of an order, but for what is counted when they ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoliceView {
    /// The order.
    pub reference: Reference,
    /// The day of which this is said, in the order's zone.
    pub as_of_on: NaiveDate,
    /// Where it stands.
    #[serde(flatten)]
    pub status: PoliceStatus,
    /// The day on which that last changed.
    pub changed_on: NaiveDate,
    /// Whether a correction has changed an earlier answer.
    pub corrected: bool,
}

/// What those who watch a jurisdiction are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComplianceNote {
    /// The order.
    pub reference: Reference,
    /// Where it stands; none when it is not theirs any more.
    pub view: Option<PoliceView>,
}

impl Docket {
    /// Today, where the order is.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        local_day(now, self.order.terms.zone)
    }

    /// What the compliance function says of a day.
    pub fn assess(&self, as_of: NaiveDate) -> Assessment {
        assess(&self.order.terms.judged(), &self.policy, &self.days, &self.facts(), as_of)
    }

    /// What was to be answered to police at an instant, had everything been recorded rightly the first time.
    pub fn rightly(&self, policy: &Policy, at: DateTime<Utc>, as_of: NaiveDate) -> Option<PoliceStatus> {
        let terms = self.history.terms_at(at)?;
        let facts = self.history.facts_rightly(policy, &self.days, terms.zone, at);
        Some(shown(&assess(&terms.judged(), policy, &self.days, &facts, as_of), policy))
    }

    fn facts(&self) -> Vec<compliance::Event> {
        self.history.facts(&self.policy)
    }

    /// Where it stands on a day, after having stood somewhere before, or for the first time.
    pub fn stand(&self, before: Option<&Standing>, as_of: NaiveDate) -> Standing {
        let facts = self.facts();
        let terms = self.order.terms.judged();
        let assessment = assess(&terms, &self.policy, &self.days, &facts, as_of);
        let shown = shown(&assessment, &self.policy);
        let next = compliance::next_change(&terms, &self.policy, &self.days, &facts, as_of);
        let same = before.is_some_and(|before| before.shown == shown);
        Standing {
            order_id: self.order.id,
            version: before.map_or(1, |before| before.version + i64::from(!same)),
            status: assessment.status,
            open: assessment.status != Status::Terminated && assessment.credits < assessment.required,
            under_review: shown.status == Shown::UnderReview,
            at_risk: assessment.at_risk,
            alerts: assessment.alerts,
            shown,
            changed_on: before.filter(|_| same).map_or(as_of, |before| before.changed_on),
            corrected: before.is_some_and(|before| before.corrected),
            as_of_on: as_of,
            next_change_at: next.map(|day| resolve(DayTime::MIDNIGHT.on(day), self.order.terms.zone)),
        }
    }

    /// Where it has stood, change by change, while nothing but time has passed: what comes last is today. Never
    /// empty.
    pub fn moved_on(&self, before: &Standing, now: DateTime<Utc>) -> Vec<Standing> {
        let today = self.today(now);
        let mut all = Vec::new();
        let mut last = before.clone();
        while let Some(at) = last.next_change_at.filter(|at| *at <= now) {
            last = self.stand(Some(&last), self.today(at));
            all.push(last.clone());
        }
        all.push(Standing { as_of_on: today.max(last.as_of_on), ..last });
        all
    }

    /// What police may know of it.
    pub fn view(&self, standing: &Standing) -> PoliceView {
        PoliceView {
            reference: self.order.reference.clone(),
            as_of_on: standing.as_of_on,
            status: standing.shown.clone(),
            changed_on: standing.changed_on,
            corrected: standing.corrected,
        }
    }
}
