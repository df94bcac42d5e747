//! Everything that was recorded about an order, and what of it counts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::Terms;
use super::act::{Act, ActWord, Effect, Event};
use crate::domain::compliance::{self, Fact, Policy};
use crate::domain::ids::ParticipantId;
use crate::domain::time::{DayTime, resolve};
use crate::domain::working_days::WorkingDays;

/// Everything that was recorded about an order, in the order in which it was recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(Vec<Event>);

/// What was recorded about one session.
#[derive(Clone, Debug)]
struct Said {
    on: NaiveDate,
    effect: Effect,
    since: DateTime<Utc>,
    /// The decision that rules, and when the first was made.
    decision: Option<Decision>,
}

#[derive(Clone, Copy, Debug)]
struct Decision {
    acceptable: bool,
    serious: bool,
    on: NaiveDate,
    first_on: NaiveDate,
    first_at: DateTime<Utc>,
}

/// How decisions are dated.
#[derive(Clone, Copy)]
enum Dating<'d> {
    /// As they were made.
    AsMade,
    /// As what they replace: an earlier decision, or the deeming. By what could be known at an instant.
    AsReplaced(DateTime<Utc>, &'d WorkingDays, Tz),
}

impl From<Vec<Event>> for History {
    fn from(events: Vec<Event>) -> Self {
        Self(events)
    }
}

impl History {
    /// Every event.
    pub fn all(&self) -> &[Event] {
        &self.0
    }

    /// Adds what was recorded last.
    pub fn push(&mut self, event: Event) {
        self.0.push(event);
    }

    /// The number of the next event.
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The terms that stood at an instant; the first ones before that.
    pub fn terms_at(&self, at: DateTime<Utc>) -> Option<&Terms> {
        let terms = |event: &Event| match &event.act {
            Act::Created { .. } => true,
            Act::Amended { .. } => event.recorded_at <= at,
            _ => false,
        };
        match &self.0.iter().rev().find(|event| terms(event))?.act {
            Act::Created { terms } | Act::Amended { terms } => Some(terms),
            _ => None,
        }
    }

    /// The first event about a participant's session.
    pub fn about(&self, participant_id: ParticipantId) -> Option<u32> {
        self.0.iter().find(|event| event.participant_id == Some(participant_id)).map(|event| event.number)
    }

    /// What was last recorded about a participant's session: what became of it, and the decision.
    pub fn last_about(&self, participant_id: ParticipantId) -> (Option<Effect>, Option<(bool, bool)>) {
        let (mut effect, mut decision) = (None, None);
        for event in self.0.iter().filter(|event| event.participant_id == Some(participant_id)) {
            match event.act {
                Act::Attendance { effect: it, .. } => (effect, decision) = (Some(it), None),
                Act::Decision { acceptable, serious, .. } => decision = Some((acceptable, serious)),
                _ => {}
            }
        }
        (effect, decision)
    }

    /// Whether an act was withdrawn.
    pub fn is_withdrawn(&self, number: u32) -> bool {
        self.0.iter().any(|event| event.act == Act::Withdrawn { number })
    }

    /// The acts of people that stand, withdrawn ones left out.
    pub fn standing(&self) -> impl Iterator<Item = &Event> {
        let withdrawn: BTreeSet<u32> = self
            .0
            .iter()
            .filter_map(|event| match event.act {
                Act::Withdrawn { number } => Some(number),
                _ => None,
            })
            .collect();
        self.0.iter().filter(move |event| !withdrawn.contains(&event.number))
    }

    /// Which events have taken the place of which, or withdrawn them: the earlier by the later.
    pub fn replaced(&self) -> BTreeMap<u32, u32> {
        let (mut last, mut replaced) = (BTreeMap::new(), BTreeMap::new());
        for event in &self.0 {
            let before = match event.act {
                Act::Attendance { about, .. } => last.insert((ActWord::Attendance, about), event.number),
                Act::Decision { about, .. } => last.insert((ActWord::Decision, about), event.number),
                Act::Created { .. } | Act::Amended { .. } => last.insert((ActWord::Amended, 0), event.number),
                Act::Withdrawn { number } => Some(number),
                _ => None,
            };
            replaced.extend(before.map(|before| (event.number, before)));
        }
        replaced
    }

    /// What counts, for the compliance function.
    pub fn facts(&self, policy: &Policy) -> Vec<compliance::Event> {
        self.select(policy, Dating::AsMade)
    }

    /// What would have counted at an instant, had everything been recorded rightly the first time: what
    /// corrects something counts from when that was recorded.
    pub fn facts_rightly(
        &self,
        policy: &Policy,
        days: &WorkingDays,
        zone: Tz,
        at: DateTime<Utc>,
    ) -> Vec<compliance::Event> {
        self.select(policy, Dating::AsReplaced(at, days, zone))
    }

    fn select(&self, policy: &Policy, dating: Dating<'_>) -> Vec<compliance::Event> {
        let mut facts = Vec::with_capacity(self.0.len());
        let known = |since: DateTime<Utc>| match dating {
            Dating::AsMade => true,
            Dating::AsReplaced(at, ..) => since <= at,
        };
        for said in self.sessions().into_values().filter(|said| known(said.since)) {
            let Some(fact) = said.effect.fact(policy) else { continue };
            let decided = said.decision.filter(|_| fact == Fact::Absent);
            facts.push(compliance::Event { on: said.on, fact });
            facts.extend(decided.and_then(|decision| decision.fact(said.on, policy, dating)));
        }
        for event in self.standing().filter(|event| known(event.recorded_at)) {
            let fact = match event.act {
                Act::Warned => Fact::Warned,
                Act::Suspended { until } => Fact::Suspended { until },
                Act::Confirmed { failure_on } => Fact::Confirmed { failure_on },
                Act::Resolved => Fact::Resolved,
                Act::Terminated { .. } => Fact::Terminated,
                _ => continue,
            };
            facts.push(compliance::Event { on: event.on, fact });
        }
        facts
    }

    /// What was said about each session last, by the number of its first event.
    fn sessions(&self) -> BTreeMap<u32, Said> {
        let mut sessions: BTreeMap<u32, Said> = BTreeMap::new();
        for event in &self.0 {
            match event.act {
                Act::Attendance { about, effect } => {
                    let since = event.recorded_at;
                    let said = Said { on: event.on, effect, since, decision: None };
                    let said = sessions.entry(about).or_insert(said);
                    // What was decided was about what had been said.
                    (said.effect, said.decision) = (effect, None);
                }
                Act::Decision { about, acceptable, serious } => {
                    let Some(said) = sessions.get_mut(&about) else { continue };
                    let first = said.decision.map_or((event.on, event.recorded_at), |it| (it.first_on, it.first_at));
                    let (first_on, first_at) = first;
                    said.decision = Some(Decision { acceptable, serious, on: event.on, first_on, first_at });
                }
                _ => {}
            }
        }
        sessions
    }
}

impl Decision {
    /// What it is to the compliance function, about the absence of a day.
    fn fact(self, absent_on: NaiveDate, policy: &Policy, dating: Dating<'_>) -> Option<compliance::Event> {
        let Self { acceptable, serious, .. } = self;
        let decided_on = match dating {
            Dating::AsMade => self.on,
            Dating::AsReplaced(at, days, zone) => {
                let deemed_on = days.plus(absent_on, policy.evidence_working_days).succ_opt()?;
                let deemed_at = resolve(DayTime::MIDNIGHT.on(deemed_on), zone);
                (self.first_at.min(deemed_at) <= at).then_some(self.first_on.min(deemed_on))?
            }
        };
        Some(compliance::Event { on: absent_on, fact: Fact::Decided { acceptable, serious, decided_on } })
    }
}
