//! What the test itself knows of an order: what it has done, and what follows from that by the function alone, asked
//! of every day. Nothing of how the service keeps or reads it.

use std::collections::{BTreeMap, BTreeSet};

use aftercare::domain::compliance::{Assessment, Event, Fact, PoliceStatus, Policy, Terms, assess, shown};
use aftercare::domain::working_days::WorkingDays;
use aftercare::grpc::pb;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::story::{Act, Said};
use crate::support::treatment::HOUR;

/// What is known of an order.
pub struct Known {
    pub zone: Tz,
    pub terms: Terms,
    pub policy: Policy,
    pub holidays: BTreeSet<NaiveDate>,
    /// By day in UTC; whether it was called off.
    booked: BTreeMap<NaiveDate, bool>,
    /// What was last said of each.
    sessions: BTreeMap<NaiveDate, Session>,
    /// What was decided as a whole, by number.
    acts: BTreeMap<i32, Event>,
    /// What police were to see last, since when, and the day up to which that is known.
    seen: PoliceStatus,
    changed_on: NaiveDate,
    day: NaiveDate,
}

#[derive(Clone, Copy)]
struct Session {
    said: Option<Fact>,
    /// Acceptable, serious, when.
    decided: Option<(bool, bool, NaiveDate)>,
}

/// When a session of a day starts.
pub fn starts_at(day: NaiveDate) -> DateTime<Utc> {
    format!("{day}T04:30:00Z").parse().unwrap()
}

fn fact(said: Said) -> Fact {
    match said {
        Said::Attended | Said::InTime | Said::LeftLate => Fact::Attended,
        Said::Late => Fact::Late,
        Said::MadeUp => Fact::MadeUp,
        Said::DidNotComply => Fact::DidNotComply,
        Said::LeftSoon | Said::NoShow | Said::Medical | Said::Unproven => Fact::Absent,
        Said::NotHeld => Fact::ProviderCancelled,
    }
}

impl Known {
    /// An order of which nothing is recorded.
    pub fn new(terms: Terms, policy: Policy, zone: Tz, holidays: BTreeSet<NaiveDate>, now: DateTime<Utc>) -> Self {
        let day = now.with_timezone(&zone).date_naive();
        let (booked, sessions, acts) = Default::default();
        let nothing = shown(&assess(&terms, &policy, &WorkingDays::default(), &[], day), &policy);
        Self { zone, terms, policy, holidays, booked, sessions, acts, seen: nothing, changed_on: day, day }
    }

    fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.zone).date_naive()
    }

    /// Every event.
    fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> = self.acts.values().cloned().collect();
        for (day, Session { said, decided }) in &self.sessions {
            let on = starts_at(*day).with_timezone(&self.zone).date_naive();
            events.extend(said.map(|fact| Event { on, fact }));
            if let (Some(Fact::Absent), Some((acceptable, serious, decided_on))) = (said, *decided) {
                events.push(Event { on, fact: Fact::Decided { acceptable, serious, decided_on } });
            }
        }
        events
    }

    /// What the function says of a day.
    pub fn assess(&self, day: NaiveDate) -> Assessment {
        let days = WorkingDays::new(self.holidays.iter().copied());
        assess(&self.terms, &self.policy, &days, &self.events(), day)
    }

    /// Lets time pass, day by day. What holds on the last is remembered.
    pub fn pass(&mut self, now: DateTime<Utc>) {
        let today = self.today(now);
        while self.day < today {
            self.day = self.day.succ_opt().unwrap();
            self.look();
        }
    }

    fn look(&mut self) {
        let seen = shown(&self.assess(self.day), &self.policy);
        if seen != self.seen {
            (self.seen, self.changed_on) = (seen, self.day);
        }
    }

    /// What police must be told, and since when it is so.
    pub fn shown(&self) -> (&PoliceStatus, NaiveDate) {
        (&self.seen, self.changed_on)
    }

    /// The first day after today on which something is otherwise, if there is one within two years.
    pub fn next_change_on(&self) -> Option<NaiveDate> {
        let now = self.assess(self.day);
        self.day.iter_days().skip(1).take(800).find(|day| self.assess(*day) != now)
    }

    /// How many sessions have ended of which nobody said anything.
    pub fn unrecorded(&self, now: DateTime<Utc>) -> i32 {
        let open = |(day, called_off): &(&NaiveDate, &bool)| {
            !**called_off && !self.sessions.contains_key(day) && starts_at(**day) + HOUR <= now
        };
        self.booked.iter().filter(open).count() as i32
    }

    pub fn is_recorded(&self, day: NaiveDate) -> bool {
        self.sessions.contains_key(&day)
    }

    pub fn is_booked(&self, day: NaiveDate) -> bool {
        self.booked.contains_key(&day)
    }

    /// The last that can be withdrawn.
    pub fn last_act(&self) -> Option<i32> {
        self.acts.last_key_value().map(|(number, _)| *number)
    }

    /// Notes that something was done, which was the event of this number, if it is one of the order as a whole.
    pub fn note(&mut self, act: &Act, number: i32, now: DateTime<Utc>) {
        let today = self.today(now);
        match *act {
            Act::Book(day) => _ = self.booked.insert(day, false),
            Act::Cancel(day, reason) => self.cancelled(day, reason, now),
            Act::Record(day, said) | Act::Amend(day, said) => {
                // With evidence, it is decided at once.
                let decided = (said == Said::Medical).then_some((true, false, today));
                self.say(day, Some(fact(said)), decided);
            }
            Act::Decide(day, acceptable, serious) => {
                let serious = serious && !acceptable;
                let it = self.sessions.get_mut(&day).unwrap();
                let same = it.decided.is_some_and(|it| (it.0, it.1) == (acceptable, serious));
                if !same {
                    it.decided = Some((acceptable, serious, today));
                }
            }
            Act::Warn(on) => self.act(number, on, Fact::Warned),
            Act::Suspend(on, until) => self.act(number, on, Fact::Suspended { until }),
            Act::Confirm => {
                let failure_on = self.assess(today).breach.unwrap().failure_on;
                self.act(number, today, Fact::Confirmed { failure_on });
            }
            Act::Resolve => self.act(number, today, Fact::Resolved),
            Act::Terminate => self.act(number, today, Fact::Terminated),
            Act::Withdraw => _ = self.acts.pop_last(),
            Act::Order(..) => {}
            Act::Holiday(day) => {
                if !self.holidays.remove(&day) {
                    self.holidays.insert(day);
                }
            }
        }
        self.look();
    }

    /// Other terms, by other rules.
    pub fn amended(&mut self, terms: Terms, policy: Policy) {
        (self.terms, self.policy) = (terms, policy);
        self.look();
    }

    fn act(&mut self, number: i32, on: NaiveDate, fact: Fact) {
        self.acts.insert(number, Event { on, fact });
    }

    fn say(&mut self, day: NaiveDate, said: Option<Fact>, decided: Option<(bool, bool, NaiveDate)>) {
        let before = self.sessions.insert(day, Session { said, decided });
        // Who excuses once more what is excused has excused it before.
        if let Some(Session { said: was, decided: Some(then) }) = before
            && was == said
            && decided.is_some_and(|it| (it.0, it.1) == (then.0, then.1))
            && let Some(it) = self.sessions.get_mut(&day)
        {
            it.decided = Some(then);
        }
    }

    fn cancelled(&mut self, day: NaiveDate, reason: pb::CancelReason, now: DateTime<Utc>) {
        self.booked.insert(day, true);
        let near = starts_at(day) - now < TimeDelta::hours(self.policy.late_cancel_hours.into());
        match (reason, near, self.is_recorded(day)) {
            (pb::CancelReason::Client, true, false) => self.say(day, Some(Fact::Absent), None),
            // Announced, and called off in time.
            (pb::CancelReason::Client, false, true) => self.say(day, None, None),
            (pb::CancelReason::Client, ..) => {}
            _ => self.say(day, Some(Fact::ProviderCancelled), None),
        }
    }
}
