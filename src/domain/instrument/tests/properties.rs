//! What holds of every sheet of every instrument.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::algorithm::{Condition, Known, Outcome};
use super::*;

/// Any of the built-in instruments, and a sheet of it: of ten answers about one is missing.
fn sheets() -> impl Strategy<Value = (Instrument, Vec<Option<u32>>)> {
    any::<Index>().prop_flat_map(|at| {
        let all = catalogue().all().to_vec();
        let instrument = all[at.index(all.len())].clone();
        let answer = |values: &[u32]| {
            let values = values.to_vec();
            let least = values.first().copied().filter(|_| instrument.total.all_required);
            let any = any::<Index>().prop_map(move |at| values[at.index(values.len())]);
            weighted(0.9, any).prop_map(move |it| it.or(least))
        };
        let answers: Vec<_> = instrument.items().map(|item| answer(item.values())).collect();
        (Just(instrument), answers)
    })
}

fn check(instrument: &Instrument, answers: &[Option<u32>]) -> Complete {
    let answer = |it: &Option<u32>| it.map_or(Answer::Skipped, Answer::Value);
    let answers = (1..).zip(answers.iter().map(answer)).collect();
    instrument.check(&Sheet { gate: instrument.gate.as_ref().map(|_| true), answers }).unwrap()
}

/// A small algorithm over symptoms of the values 0 to 2, and what is known of each.
fn small() -> impl Strategy<Value = (Algorithm, Vec<Option<u32>>)> {
    (2u32..=6).prop_flat_map(|symptoms| {
        let numbers: Vec<u32> = (1..=symptoms).collect();
        let size = numbers.len();
        let of = subsequence(numbers.clone(), 1..=size);
        let condition = (of, weighted(0.7, 0..=3u32), weighted(0.4, 0..=3u32));
        let condition = condition.prop_map(|(of, at_least, at_most)| Condition { of, at_least, at_most });
        let results = vec(vec(condition, 1..3), 1..4);
        let exceptions = subsequence(numbers, 0..=size);
        (results, 1..=2u32, exceptions, vec(weighted(0.5, 0..=2u32), size)).prop_map(
            |(results, from, except, values)| {
                let codes = ["FIRST", "SECOND", "THIRD", "LAST"].map(|it| Code::parse(it).unwrap());
                let last = [Outcome { code: codes[3].clone(), when: vec![] }];
                let results = results.into_iter().zip(&codes).map(|(when, code)| Outcome { code: code.clone(), when });
                let exceptions = vec![algorithm::Exception { symptoms: except, positive_from: 3 - from }];
                let algorithm = Algorithm {
                    code: codes[0].clone(),
                    positive_from: from,
                    exceptions,
                    acute_phase: None,
                    results: results.chain(last).collect(),
                };
                (algorithm, values)
            },
        )
    })
}

/// The result when nothing is missing, found by reading the conditions one by one.
fn told(algorithm: &Algorithm, values: &[u32]) -> Code {
    let positive = |symptom: u32| {
        let except = algorithm.exceptions.iter().find(|it| it.symptoms.contains(&symptom));
        values[symptom as usize - 1] >= except.map_or(algorithm.positive_from, |it| it.positive_from)
    };
    for Outcome { code, when } in &algorithm.results {
        let mut holds = true;
        for condition in when {
            let count = condition.of.iter().filter(|it| positive(**it)).count() as u32;
            holds &= count >= condition.at_least.unwrap_or(0) && count <= condition.at_most.unwrap_or(99);
        }
        if holds {
            return code.clone();
        }
    }
    unreachable!("the last result has no conditions")
}

/// Every way to complete what is missing.
fn completions(values: &[Option<u32>]) -> Vec<Vec<u32>> {
    let mut all = vec![vec![]];
    for value in values {
        let each = value.map_or((0..=2).collect(), |it| vec![it]);
        all = all.iter().flat_map(|so_far| each.iter().map(move |it| [so_far.as_slice(), &[*it]].concat())).collect();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_result_is_given_exactly_when_every_completion_gives_it((algorithm, values) in small()) {
        let decided = algorithm.decide(|symptom| match values[symptom as usize - 1] {
            None => Known::Open,
            Some(value) if value >= algorithm.positive_from(symptom) => Known::Positive,
            Some(_) => Known::Negative,
        });
        let mut told: Vec<_> = completions(&values).iter().map(|it| told(&algorithm, it)).collect();
        told.dedup();
        let expected = (told.len() == 1).then(|| told[0].clone());
        prop_assert_eq!(decided.map(|it| it.code.clone()), expected);
    }
}

proptest! {
    #[test]
    fn totals_are_the_sum_of_the_subscales_that_they_consist_of((instrument, answers) in sheets()) {
        let it = instrument.score(&check(&instrument, &answers));
        let parts: Option<Vec<u32>> = it.scales().into_iter().collect();
        if let (Some(parts), Some(total), false) = (parts.filter(|it| !it.is_empty()), it.total, it.prorated) {
            prop_assert_eq!(parts.into_iter().sum::<u32>(), total);
        }
        let (lowest, highest) = instrument.range(&instrument.total.symptoms);
        prop_assert!(it.total.is_none_or(|total| (lowest..=highest).contains(&total)));
    }

    #[test]
    fn a_prorated_total_is_one_that_the_missing_answers_could_have_made((instrument, answers) in sheets()) {
        let with = |missing: fn(&[u32]) -> u32| -> Vec<_> {
            instrument.items().zip(&answers).map(|(item, it)| it.or(Some(missing(item.values())))).collect()
        };
        let total = |answers: &[Option<u32>]| instrument.score(&check(&instrument, answers)).total;
        if let Some(prorated) = total(&answers) {
            let least = total(&with(|values| values[0])).unwrap();
            let most = total(&with(|values| values[values.len() - 1])).unwrap();
            prop_assert!((least..=most).contains(&prorated), "{least} {prorated} {most}");
        }
    }

    #[test]
    fn what_was_found_stays_found_when_the_missing_answers_come((instrument, answers) in sheets(), fill: [Index; 30]) {
        let it = instrument.score(&check(&instrument, &answers));
        let filled = instrument.items().zip(&answers).zip(&fill);
        let filled: Vec<_> = filled.map(|((item, it), at)| it.or(Some(item.values()[at.index(item.values().len())]))).collect();
        let whole = instrument.score(&check(&instrument, &filled));
        prop_assert!(whole.missing.is_empty() && !whole.prorated && whole.total.is_some());
        for (before, after) in it.findings.iter().zip(&whole.findings) {
            prop_assert!(after.verdict != Verdict::Indeterminate);
            prop_assert!(before.verdict == after.verdict || before.verdict == Verdict::Indeterminate);
        }
        for (before, after) in it.risks.iter().zip(&whole.risks) {
            prop_assert!(after.value.is_some() && before.value.is_none_or(|it| Some(it) == after.value));
        }
    }

    #[test]
    fn worse_answers_never_make_a_better_score((instrument, answers) in sheets(), at: Index) {
        let place = at.index(answers.len());
        let (mut best, mut worst) = (answers.clone(), answers);
        let values = instrument.item(place as u32 + 1).unwrap().values();
        (best[place], worst[place]) = (values.first().copied(), values.last().copied());
        let score = |answers: &[Option<u32>]| instrument.score(&check(&instrument, answers));
        let (best, worst) = (score(&best), score(&worst));
        prop_assert!(best.total <= worst.total);
        prop_assert!(best.cut_offs.iter().zip(&worst.cut_offs).all(|(one, other)| one.reached <= other.reached));
    }

    #[test]
    fn there_and_back_is_no_change(from in 0u32..=80, to in 0u32..=80) {
        let catalogue = catalogue();
        let pcl = catalogue.find("PCL_5").unwrap();
        let change = |one: u32, other: u32| {
            let (one, other) = (occasion(pcl, "2026-01-01", Some(one)), occasion(pcl, "2026-03-01", Some(other)));
            match pcl.change(&one, &other) {
                Change::Compared { delta, class: Some(class) } => (delta, class),
                _ => panic!("they can be compared"),
            }
        };
        use ChangeClass::*;
        let ((there, better), (back, worse)) = (change(from, to), change(to, from));
        prop_assert_eq!(there, -back);
        let mirrored = match better {
            Recovered | ReliableImprovement => ReliableWorsening,
            MeaningfulImprovement => MeaningfulWorsening,
            other => other,
        };
        prop_assert!(there < 0 || worse == mirrored);
    }
}
