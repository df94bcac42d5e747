//! What holds of every history.

use super::super::*;
use super::history::{day, working_days};
use super::oracle;
use chrono::Days;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const FIRST: &str = "2025-12-01";
/// How many days a history lasts.
const LENGTH: u64 = 480;

#[derive(Clone, Debug)]
struct History {
    terms: Terms,
    policy: Policy,
    events: Vec<Event>,
}

impl History {
    fn on(&self, as_of: NaiveDate) -> Assessment {
        assess(&self.terms, &self.policy, &working_days(), &self.events, as_of)
    }

    fn with(&self, event: Event) -> Self {
        let mut it = self.clone();
        it.events.push(event);
        it
    }

    fn next_change(&self, as_of: NaiveDate) -> Option<NaiveDate> {
        next_change(&self.terms, &self.policy, &working_days(), &self.events, as_of)
    }
}

fn at(days: u64) -> NaiveDate {
    day(FIRST) + Days::new(days)
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0..LENGTH).prop_map(at)
}

/// Few enough days that events meet on them, and near enough to fall in the same windows.
fn session_day() -> impl Strategy<Value = NaiveDate> {
    prop_oneof![3 => (0u64..12).prop_map(|week| at(35 + 7 * week)), 1 => any_day()]
}

/// A few events that belong together.
fn happenings() -> impl Strategy<Value = Vec<Event>> {
    let one = |days: BoxedStrategy<NaiveDate>, fact: Fact| days.prop_map(move |on| vec![Event { on, fact }]).boxed();
    let decision = || (any::<bool>(), any::<bool>(), 0u64..30);
    let decided = |on: NaiveDate, (acceptable, grave, after): (bool, bool, u64)| {
        let fact = Fact::Decided { acceptable, serious: grave && !acceptable, decided_on: on + Days::new(after) };
        Event { on, fact }
    };
    let absence = (session_day(), vec(decision(), 0..3)).prop_map(move |(on, decisions)| {
        let decisions = decisions.into_iter().map(|it| decided(on, it));
        [Event { on, fact: Fact::Absent }].into_iter().chain(decisions).collect::<Vec<_>>()
    });
    let confirmation = (session_day(), 0u64..40).prop_map(|(failure_on, after)| {
        vec![Event { on: failure_on + Days::new(after), fact: Fact::Confirmed { failure_on } }]
    });
    let suspension = (any_day(), 0u64..60)
        .prop_map(|(on, length)| vec![Event { on, fact: Fact::Suspended { until: on + Days::new(length) } }]);
    prop_oneof![
        4 => one(session_day().boxed(), Fact::Attended),
        4 => one(session_day().boxed(), Fact::Late),
        1 => one(any_day().boxed(), Fact::MadeUp),
        3 => one(session_day().boxed(), Fact::DidNotComply),
        6 => absence,
        2 => one(session_day().boxed(), Fact::ProviderCancelled),
        4 => one(prop_oneof![session_day(), any_day()].boxed(), Fact::Warned),
        2 => one(prop_oneof![session_day(), any_day()].boxed(), Fact::Resolved),
        2 => confirmation,
        3 => suspension,
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    (1u32..14, 1u32..4, 1u32..14, 7u32..40, (0u32..3, 5u32..100), 1u32..9).prop_map(
        |(breach_window_months, lates_per_failure, lates_window_months, gap_days, (limit, window), evidence)| Policy {
            breach_window_months,
            lates_per_failure,
            lates_window_months,
            gap_days,
            acceptable_limit: limit,
            acceptable_window_days: window,
            evidence_working_days: evidence,
            ..Policy::default()
        },
    )
}

fn histories() -> impl Strategy<Value = History> {
    let terms = (0u64..60, option::of(100u64..LENGTH), 1u32..12).prop_map(|(starts, ends, required)| Terms {
        starts_on: at(starts),
        ends_on: ends.map(at),
        required,
    });
    let ending = option::weighted(0.1, any_day());
    (terms, policies(), vec(happenings(), 0..16), ending).prop_map(|(terms, policy, events, ending)| {
        let ending = ending.map(|on| Event { on, fact: Fact::Terminated });
        History { terms, policy, events: events.into_iter().flatten().chain(ending).collect() }
    })
}

/// How bad a status is for the person.
fn badness(status: Status) -> u8 {
    match status {
        Status::Completed => 0,
        Status::Compliant => 1,
        Status::NotStarted => 2,
        Status::Suspended => 3,
        Status::AtRisk => 4,
        Status::Breached => 5,
        Status::Terminated => 6,
    }
}

/// What an assessment says about absences, failures and breaches.
fn record(it: &Assessment) -> (&[NaiveDate], &[NaiveDate], &[Failure], Option<Breach>) {
    (&it.pending, &it.excused, &it.failures, it.breach)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_events_has_no_meaning(
        (history, shuffled) in histories().prop_flat_map(|it| (Just(it.clone()), Just(it.events).prop_shuffle())),
        as_of in any_day(),
    ) {
        let other = History { events: shuffled, ..history.clone() };
        prop_assert_eq!(history.on(as_of), other.on(as_of));
        prop_assert_eq!(history.next_change(as_of), other.next_change(as_of));
    }

    /// One thing can be lost by coming: a gap for which the provider answered ends, and another begins.
    #[test]
    fn coming_never_makes_it_worse(history in histories(), on in any_day(), as_of in any_day()) {
        let before = history.on(as_of);
        let after = history.with(Event { on, fact: Fact::Attended }).on(as_of);
        prop_assert_eq!(record(&before), record(&after));
        prop_assert_eq!(after.credits, before.credits + u32::from(on <= as_of));
        let services = before.alerts.contains(&Alert::ServiceGap);
        let had = |risk: &AtRisk| before.at_risk.contains(risk) || services && *risk == AtRisk::Gap;
        prop_assert!(after.at_risk.iter().all(had));
        prop_assert!(after.alerts.iter().all(|it| before.alerts.contains(it)));
        let gap_alone = services && after.at_risk == [AtRisk::Gap];
        prop_assert!(badness(after.status) <= badness(before.status) || gap_alone, "{before:?} {after:?}");
    }

    #[test]
    fn what_the_provider_cancels_never_counts_against_the_person(
        history in histories(), on in any_day(), as_of in any_day(),
    ) {
        let before = history.on(as_of);
        let after = history.with(Event { on, fact: Fact::ProviderCancelled }).on(as_of);
        prop_assert_eq!(record(&before), record(&after));
        prop_assert_eq!(after.credits, before.credits);
        prop_assert!(after.at_risk.iter().all(|it| before.at_risk.contains(it)));
        prop_assert!(badness(after.status) <= badness(before.status));
    }

    #[test]
    fn what_is_spent_or_a_breach_stays_so_by_time_alone(
        history in histories(), as_of in any_day(), later in 1u64..900,
    ) {
        let mut known = history;
        known.events.retain(|it| it.effective_on() <= as_of);
        let (now, then) = (known.on(as_of), known.on(as_of + Days::new(later)));
        for failure in now.failures {
            let same = then.failures.iter().find(|it| (it.on, it.kind) == (failure.on, failure.kind)).unwrap();
            prop_assert!(failure.live || !same.live);
            prop_assert_eq!(Failure { live: same.live, ..failure }, *same);
        }
        prop_assert!(now.breach.is_none() || then.breach.is_some());
        let times = then.failures.iter().filter(|it| it.established_on > as_of);
        prop_assert!(times.into_iter().all(|it| it.deemed && now.pending.contains(&it.on)));
    }

    #[test]
    fn rules_hold_when_told_day_by_day(history in histories(), as_of in any_day()) {
        let History { terms, policy, events } = &history;
        let events: Vec<_> = events.iter().filter(|it| it.effective_on() <= as_of).cloned().collect();
        let it = history.on(as_of);
        let lates = it.failures.iter().filter(|it| it.kind == FailureKind::ThirdLate).map(|it| it.on);
        prop_assert_eq!(lates.collect::<Vec<_>>(), oracle::third_lates(day(FIRST), policy, &events, as_of));
        prop_assert_eq!(&it.excused, &oracle::excused(policy, &events, as_of));
        for failure in &it.failures {
            let own = events.contains(&Event { on: failure.on, fact: Fact::Warned });
            prop_assert!(own || failure.breach == oracle::is_breach(policy, &events, failure), "{failure:?}");
        }
        let (length, by_provider) = oracle::gap(terms, &events, as_of);
        let gap = length > policy.gap_days && it.credits < it.required && it.status != Status::Terminated;
        prop_assert_eq!(it.at_risk.contains(&AtRisk::Gap), gap && !by_provider);
        prop_assert_eq!(it.alerts.contains(&Alert::ServiceGap), gap && by_provider);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_before_the_next_change(history in histories(), from in any_day()) {
        let mut as_of = from;
        // By then every window of every event has ended.
        let last = at(LENGTH + 31 * 40);
        for step in 0.. {
            prop_assert!(step <= 8 * (history.events.len() + 1), "it never ends");
            let (now, next) = (history.on(as_of), history.next_change(as_of));
            prop_assert!(next.is_none_or(|day| as_of < day && day <= last));
            for day in as_of.iter_days().skip(1).take_while(|day| *day < next.unwrap_or(last)) {
                prop_assert_eq!(&history.on(day), &now, "{} to {:?}: {}", as_of, next, day);
            }
            match next {
                Some(next) => {
                    prop_assert_ne!(history.on(next), now, "{} to {}", as_of, next);
                    as_of = next;
                }
                None => break,
            }
        }
    }
}
