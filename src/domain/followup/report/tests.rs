use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// Holds that nobody who sees what is shown, and knows the rules, can compute a few: of all tables that look alike,
/// those quantities that are the same in every one of them are never few.
fn hold<S: std::hash::Hash + Eq + std::fmt::Debug>(
    rule: Rule,
    tables: impl Iterator<Item = (S, Vec<u32>)>,
    knows: &str,
) {
    let mut alike: HashMap<S, (Vec<u32>, Vec<bool>)> = HashMap::new();
    for (shown, quantities) in tables {
        let (first, certain) = alike.entry(shown).or_insert_with(|| (quantities.clone(), vec![true; quantities.len()]));
        for (place, quantity) in quantities.iter().enumerate() {
            certain[place] &= first[place] == *quantity;
        }
    }
    assert!(!alike.is_empty());
    for (shown, (quantities, certain)) in alike {
        for (place, quantity) in quantities.iter().enumerate() {
            assert!(!(certain[place] && rule.is_few(*quantity)), "{knows}: {shown:?} tells {quantities:?} at {place}");
        }
    }
}

fn boxed(most: u32, places: usize) -> impl Iterator<Item = Vec<u32>> {
    let base = most + 1;
    (0..base.pow(u32::try_from(places).unwrap())).map(move |mut number| {
        let mut digit = || {
            let digit = number % base;
            number /= base;
            digit
        };
        (0..places).map(|_| digit()).collect()
    })
}

fn due_of(parts: &[u32]) -> Due {
    let [done, done_late, missed, open] = *parts else { panic!() };
    Due { due: done + done_late + missed + open, done, done_late, missed }
}

#[test]
fn no_few_that_fell_due_can_be_computed() {
    let rule = Rule { enough: ENOUGH };
    let tables = || boxed(7, 4).map(|parts| (due_of(&parts), parts[3]));
    let row = |(due, open): (Due, u32)| (rule.due(due), vec![due.due, due.done, due.done_late, due.missed, open]);
    hold(rule, tables().map(row), "nothing");
    // Of a period that is over, nothing is open.
    hold(rule, tables().filter(|it| it.1 == 0).map(row), "that nothing is open");
}

#[test]
fn no_few_of_a_part_can_be_computed() {
    let rule = Rule { enough: ENOUGH };
    let tables = (0..30).flat_map(|sum| (0..=sum).map(move |part| (sum, part)));
    hold(rule, tables.map(|(sum, part)| (rule.part(sum, part), vec![sum, part, sum - part])), "nothing");
}

#[test]
fn no_few_can_be_computed_from_intakes_and_baselines_together() {
    // Of smaller numbers, so that there are not too many tables.
    let rule = Rule { enough: 3 };
    let tables = || {
        boxed(4, 5).flat_map(move |it| {
            let (due, open, excused) = (due_of(&it[..4]), it[3], it[4]);
            let intakes = due.due + excused;
            (0..=intakes).map(move |attended| {
                let shown = (rule.due(due), rule.taken_in(intakes, attended, due));
                let Due { due, done, done_late, missed } = due;
                let rest = intakes - attended;
                (shown, vec![due, done, done_late, missed, open, excused, intakes, attended, rest])
            })
        })
    };
    hold(rule, tables(), "nothing");
    hold(rule, tables().filter(|it| it.1[4] == 0), "that nothing is open");
    hold(rule, tables().filter(|it| it.1[5] == 0), "that nothing was excused");
    hold(rule, tables().filter(|it| it.1[4] == 0 && it.1[5] == 0), "both");
}

#[test]
fn what_is_not_few_is_shown() {
    let due = |due, done, done_late, missed| Due { due, done, done_late, missed };
    let days = (1..=20).rev().collect();
    let counts = Counts {
        milestones: BTreeMap::from([
            ("BASELINE".to_owned(), due(30, 25, 5, 0)),
            ("END".to_owned(), due(20, 12, 0, 3)),
            ("FU_1M".to_owned(), Due::default()),
        ]),
        intakes: 30,
        days_to_first_session: days,
        closed: 12,
        dropped_out: 10,
    };
    let report = counts.report();
    let shown = |code: &str| {
        let it = report.milestones[code];
        [it.due, it.done, it.done_late, it.missed, it.response_per_cent()]
    };
    assert_eq!(shown("BASELINE"), [Some(30), Some(25), Some(5), Some(0), Some(83)]);
    assert_eq!(shown("END"), [None, Some(12), Some(0), None, None]);
    assert_eq!(shown("FU_1M"), [Some(0), Some(0), Some(0), Some(0), None]);
    assert_eq!((report.intakes, report.first_sessions), (Some(30), Some(20)));
    assert_eq!((report.median_days, report.ninth_decile_days), (Some(10), None));
    let waits = |count: u32| {
        let report =
            Counts { intakes: count, days_to_first_session: (1..=count).collect(), ..Counts::default() }.report();
        (report.median_days, report.ninth_decile_days)
    };
    // Without baselines that fell due, all were excused.
    assert_eq!([9, 10, 49, 50].map(waits), [(None, None), (Some(5), None), (Some(25), None), (Some(25), Some(45))]);
    assert_eq!((report.closed, report.dropped_out), (Some(12), None));
    // Two of thirty were excused from the baseline.
    let baseline = due(28, 23, 5, 0);
    let two = Counts { milestones: BTreeMap::from([("BASELINE".to_owned(), baseline)]), ..counts };
    let report = two.report();
    assert_eq!((report.milestones["BASELINE"].due, report.intakes), (Some(28), None));
    assert_eq!((report.first_sessions, report.median_days, report.ninth_decile_days), (None, None, None));
}

#[test]
fn quantiles_are_days_that_somebody_waited() {
    assert_eq!([5, 9].map(|tenths| quantile(&[], tenths)), [None, None]);
    assert_eq!([5, 9].map(|tenths| quantile(&[7], tenths)), [Some(7), Some(7)]);
    assert_eq!([5, 9].map(|tenths| quantile(&[1, 2, 3, 4], tenths)), [Some(2), Some(4)]);
    assert_eq!([5, 9].map(|tenths| quantile(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], tenths)), [Some(5), Some(9)]);
}

proptest! {
    #[test]
    fn no_shown_number_is_few(
        rows in proptest::collection::btree_map("[A-Z]{3}|BASELINE", (0u32..12, 0u32..12, 0u32..12, 0u32..12), 0..5),
        days in proptest::collection::vec(0u32..90, 0..14), more in 0u32..12, dropped_out in 0u32..12, others in 0u32..12
    ) {
        let milestones = rows.into_iter().map(|(code, it)| (code, due_of(&[it.0, it.1, it.2, it.3]))).collect();
        let intakes = u32::try_from(days.len()).unwrap() + more;
        let closed = dropped_out + others;
        let report = Counts { milestones, intakes, days_to_first_session: days, closed, dropped_out }.report();
        let rows = report.milestones.values().flat_map(|it| [it.due, it.done, it.done_late, it.missed]);
        let others = [report.intakes, report.first_sessions, report.closed, report.dropped_out];
        for count in rows.chain(others).flatten() {
            prop_assert!(count == 0 || count >= ENOUGH);
        }
    }
}
