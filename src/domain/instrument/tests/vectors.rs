//! The vectors of the sources: what a sheet comes to.

use super::*;

#[test]
fn pcl_5() {
    let zeros = "0 ".repeat(20);
    let it = scored("PCL_5", &zeros);
    assert_eq!((it.scales(), it.total), (vec![Some(0); 4], Some(0)));
    assert_eq!((it.found(), it.reached()), (vec!["NOT_MET"], vec![Some(false), Some(false)]));
    for (answers, scales, positives, total, found, reached) in [
        ("4,4,4,4,4/4,4/4,1,1,1,1,1,1/1,1,1,1,1,1", [20, 8, 10, 6], [5, 2, 1, 0], 44, "NOT_MET", [true, true]),
        ("2,0,0,0,0/2,0/2,2,0,0,0,0,0/2,2,0,0,0,0", [2, 2, 4, 4], [1, 1, 2, 2], 12, "MET", [false, false]),
        ("2,2,2,2,2/2,1/2,2,2,1,1,1,1/2,2,1,1,1,1", [10, 3, 10, 8], [5, 1, 3, 2], 31, "MET", [true, false]),
    ] {
        let it = scored("PCL_5", answers);
        assert_eq!(it.scales(), scales.map(Some), "{answers}");
        assert_eq!(it.positives(), positives.map(Some), "{answers}");
        assert_eq!((it.total, it.found(), it.reached()), (Some(total), vec![found], reached.map(Some).into()));
        assert!(it.band.is_none() && !it.prorated && it.may_close());
    }
}

#[test]
fn pcl_5_with_missing_items() {
    // Four missing: 16 answered with 2 are 32, and 40 of 80.
    let it = scored("PCL_5", "2,2,2,2,–/2,2/2,2,2,2,2,2,–/2,2,2,2,–,x");
    assert_eq!((it.total, it.prorated, it.missing.clone()), (Some(40), true, vec![5, 14, 19, 20]));
    assert_eq!(it.scales(), [None, Some(4), None, None]);
    assert_eq!((it.positives(), it.found()), (vec![None, Some(2), None, None], vec!["MET"]));
    // Five missing: no total, and the algorithm is still certain.
    let it = scored("PCL_5", "2,2,2,2,–/2,2/2,2,2,2,2,2,–/2,2,2,–,–,–");
    assert_eq!((it.total, it.prorated, it.found(), it.reached()), (None, false, vec!["MET"], vec![None, None]));
    // The one answer of cluster C that is missing decides.
    let it = scored("PCL_5", "2,2,2,2,2/1,–/2,2,2,2,2,2,2/2,2,2,2,2,2");
    assert_eq!(it.found(), ["INDETERMINATE"]);
    // Nothing missing could make up for cluster D.
    let it = scored("PCL_5", "2,2,2,2,–/2,–/1,1,1,1,1,1,1/2,2,2,2,2,2");
    assert_eq!(it.found(), ["NOT_MET"]);
    // Half up: 16 answered, 17 in all: 21.25; and 18: 22.5.
    let odd = |first: u32| scored("PCL_5", &format!("{first},1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,–,–,–,–")).total;
    assert_eq!((odd(2), odd(3)), (Some(21), Some(23)));
}

#[test]
fn what_is_provisional_is_no_label_soon_after_the_event() {
    let catalogue = catalogue();
    let met = [
        ("PCL_5", "2,0,0,0,0/2,0/2,2,0,0,0,0,0/2,2,0,0,0,0", vec!["ACUTE_PHASE"]),
        ("CATS_2", "2 2 0 0 0 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 1 0 0 0 0", vec!["ACUTE_PHASE", "ACUTE_PHASE"]),
    ];
    for (code, answers, acute) in met {
        let instrument = catalogue.find(code).unwrap();
        let on = |assessed_on: &str| Timing { assessed_on: day(assessed_on), event_on: Some(day("2026-03-01")) };
        let found = |answers: &str, timing| {
            let score = instrument.score(&complete(instrument, answers));
            let says = score.findings.iter().map(|it| it.says(timing).to_owned()).collect::<Vec<_>>();
            assert_eq!(score.is_acute(timing), says.contains(&"ACUTE_PHASE".to_owned()));
            says
        };
        assert_eq!(found(answers, on("2026-03-30")), acute, "{code} after 29 days");
        assert!(found(answers, on("2026-03-31")).iter().all(|it| *it == "MET"), "{code} after 30 days");
        let unknown = Timing { event_on: None, ..on("2026-03-02") };
        assert!(found(answers, unknown).iter().all(|it| *it == "MET"));
        let nothing = "0 ".repeat(instrument.items().count());
        assert!(found(&nothing, on("2026-03-02")).iter().all(|it| *it == "NOT_MET"), "{code}");
    }
    // Depression is no label that depends on an event.
    let phq = catalogue.find("PHQ_9").unwrap();
    let soon = Timing { assessed_on: day("2026-03-02"), event_on: Some(day("2026-03-01")) };
    assert_eq!(phq.score(&complete(phq, "2,2,2,2,1,1,1,0,1")).findings[0].says(soon), "MAJOR");
}

#[test]
fn pc_ptsd_5() {
    let it = scored("PC_PTSD_5", "yes; 1,1,1,0,0".replace(';', "").as_str());
    assert_eq!((it.total, it.reached()), (Some(3), vec![Some(true), Some(false)]));
    let it = scored("PC_PTSD_5", "no");
    assert_eq!((it.total, it.reached(), it.missing.len()), (Some(0), vec![Some(false), Some(false)], 0));
    assert_eq!(scored("PC_PTSD_5", "yes 1 1 1 – 0").total, None);
    let present = [0, 1, 2, 3, 4].map(|at| format!("answers[{at}].item"));
    assert_eq!(paths("PC_PTSD_5", "no 1,1,1,1,1"), present);
    assert_eq!(paths("PC_PTSD_5", "1,1,1,1,1"), ["gate"]);
    assert_eq!(paths("GAD_7", "yes 1,1,1,1,1,1,1"), ["gate"]);
}

#[test]
fn cries() {
    for (code, answers, scales, total, positive) in [
        ("CRIES_8", "5,1,3,1,3,0,3,1", vec![11, 6], 17, true),
        ("CRIES_8", "5,0,5,0,0,5,5,0", vec![20, 0], 20, true),
        ("CRIES_8", "5,1,3,1,3,0,3,0", vec![11, 5], 16, false),
        ("CRIES_13", "3,3,1,3,1,3,3,3,3,3,1,1,1", vec![12, 12, 5], 29, false),
        ("CRIES_13", "3,3,1,3,1,3,3,3,3,3,1,1,3", vec![12, 12, 7], 31, true),
    ] {
        let it = scored(code, answers);
        assert_eq!(it.scales(), scales.into_iter().map(Some).collect::<Vec<_>>(), "{answers}");
        assert_eq!((it.total, it.reached()), (Some(total), vec![Some(positive)]), "{answers}");
    }
    assert_eq!(paths("CRIES_8", "5,2,3,4,3,0,3,1"), ["answers[1].value", "answers[3].value"]);
    assert_eq!(paths("CRIES_8", "5,–,3,x,3,0,3,1"), ["answers[1].value", "answers[3].value"]);
}

#[test]
fn phq_9() {
    for (answers, total, band, found, item_9) in [
        ("2,2,2,2,1,1,1,0,1", 12, "MODERATE", "MAJOR", Some(1)),
        ("0,0,3,3,3,3,3,3,0", 18, "MODERATELY_SEVERE", "NONE", Some(0)),
        ("2,2,1,1,1,1,1,–,–", 12, "MODERATE", "OTHER", None),
        ("2,2,2,1,1,1,1,–,–", 13, "MODERATE", "INDETERMINATE", None),
        ("0,0,0,0,0,0,0,0,0", 0, "MINIMAL", "NONE", Some(0)),
        ("2,0,2,0,0,0,0,0,0", 4, "MINIMAL", "OTHER", Some(0)),
        ("2,0,2,0,0,0,0,0,1", 5, "MILD", "OTHER", Some(1)),
        ("3,3,3,3,3,1,1,1,1", 19, "MODERATELY_SEVERE", "MAJOR", Some(1)),
        ("3,3,3,3,3,2,1,1,1", 20, "SEVERE", "MAJOR", Some(1)),
    ] {
        let it = scored("PHQ_9", answers);
        assert_eq!((it.total, it.band(), it.found()), (Some(total), Some(band), vec![found]), "{answers}");
        assert_eq!((it.risks[0].value, it.may_close()), (item_9, item_9.is_some()), "{answers}");
        assert_eq!((it.prorated, it.reached()), (it.missing.len() == 2, vec![Some(total >= 10)]), "{answers}");
    }
    let it = scored("PHQ_9", "2,2,2,1,1,1,–,–,–");
    assert_eq!((it.total, it.band(), it.reached()), (None, None, vec![None]));
    assert_eq!(scored("PHQ_9", "x,0,0,0,0,0,0,0,0").found(), ["NONE"]);
}

#[test]
fn gad_7_and_phq_a() {
    let it = scored("GAD_7", "2,2,1,1,2,1,1");
    assert_eq!((it.total, it.band(), it.reached()), (Some(10), Some("MODERATE"), vec![Some(true)]));
    assert_eq!((scored("GAD_7", "3,3,3,2,2,1,–").total, scored("GAD_7", "3,3,3,2,2,–,–").total), (Some(16), None));
    let it = scored("PHQ_A", "2,2,2,2,1,1,0,0,0");
    assert_eq!((it.total, it.band(), it.reached()), (Some(10), Some("MODERATE"), vec![Some(false)]));
    assert_eq!(scored("PHQ_A", "2,2,2,2,1,1,1,0,0").reached(), [Some(true)]);
}

#[test]
fn cats_2() {
    let lines = "2,0,0,1,0,2,1,0,1,3,0,2,0,2,1,0,1,0,2,3,0,2,1,1,2";
    let it = scored("CATS_2", &format!("{lines} / 1,0,0,0,0"));
    assert_eq!((it.scales(), it.total), ([3, 3, 7, 9].map(Some).into(), Some(22)));
    assert_eq!((it.found(), it.subscores[0].score), (vec!["MET", "NOT_MET"], Some(6)));
    assert_eq!(it.reached(), [true, false, false, false].map(Some));
    assert_eq!(it.positives(), [1, 1, 2, 3].map(Some));
    // No impairment, no label; an impairment that was not asked leaves it open.
    assert_eq!(scored("CATS_2", &format!("{lines} / 0,0,0,0,0")).found(), ["NOT_MET", "NOT_MET"]);
    assert_eq!(scored("CATS_2", &format!("{lines} / 0,0,–,0,0")).found(), ["INDETERMINATE", "NOT_MET"]);
}

#[test]
fn a_group_of_lines_is_missing_only_when_every_line_is() {
    let zeros = |ninth: &str| format!("0 0 0 0 0 0 0 0 {ninth} 0 0 {} / 0 0 0 0 0", "0 ".repeat(10));
    let partly = scored("CATS_2", &format!("0 0 0 0 0 0 0 0 – 3 – 0 {} / 0 0 0 0 0", "0 ".repeat(13)));
    assert_eq!((partly.total, partly.prorated, partly.scales()[2]), (Some(3), false, Some(3)));
    let whole = scored("CATS_2", &format!("0 0 0 0 0 0 0 0 – – – – {} / 0 0 0 0 0", "0 ".repeat(13)));
    assert_eq!((whole.total, whole.prorated, whole.scales()[2]), (Some(0), true, None));
    assert_eq!(paths("CATS_2", &zeros("0")), ["answers"]);
    // Two of twenty symptoms may be missing, not three.
    let missing = |count: usize| format!("{}{}/ 0 0 0 0 0", "– ".repeat(count), "1 ".repeat(25 - count));
    assert_eq!(scored("CATS_2", &missing(2)).total, Some(20));
    assert_eq!(scored("CATS_2", &missing(3)).total, None);
}

#[test]
fn a_line_of_a_group_that_is_missing_leaves_an_algorithm_open() {
    // Symptom 9 is the second of cluster D, if the line that is missing is 2 or more.
    let it = |lines: &str| scored("CATS_2", &format!("2 0 0 0 0 2 0 2 {lines} 0 0 0 0 0 0 2 0 2 0 0 0 0 / 1 0 0 0 0"));
    assert_eq!(it("0 0 0 –").found()[0], "INDETERMINATE");
    assert_eq!(it("0 0 2 –").found()[0], "MET");
    assert_eq!(it("0 0 1 1").found()[0], "NOT_MET");
}

#[test]
fn cpss_5() {
    let it = scored("CPSS_5", "4,4,4,4,4/4,4/3,0,0,0,0,0,0/0,0,0,0,0,0/1,1,0,0,0,0,1");
    assert_eq!((it.scales(), it.total, it.reached()), ([20, 8, 3, 0].map(Some).into(), Some(31), vec![Some(true)]));
    assert_eq!((it.subscores[0].score, it.found()), (Some(3), vec![]));
    let missing = |count: usize| format!("{}{}/ 0 0 0 0 0 0 0", "– ".repeat(count), "1 ".repeat(20 - count));
    assert_eq!((scored("CPSS_5", &missing(2)).total, scored("CPSS_5", &missing(3)).total), (Some(20), None));
}

#[test]
fn sdq_scores_come_from_paper() {
    let it = scored("SDQ", "5 4 7 2 8");
    assert_eq!((it.total, it.subscores[0].score), (Some(18), Some(8)));
    let catalogue = catalogue();
    let labels: Vec<_> = catalogue.find("SDQ").unwrap().items().map(|it| it.label()).collect();
    assert_eq!(labels, ["Emotional problems", "Conduct problems", "Hyperactivity", "Peer problems", "Prosocial"]);
}

#[test]
fn changes_mean_what_the_studies_say() {
    use ChangeClass::*;
    let catalogue = catalogue();
    let change = |code: &str, from, to| {
        let instrument = catalogue.find(code).unwrap();
        let (one, other) =
            (occasion(instrument, "2026-01-01", Some(from)), occasion(instrument, "2026-03-01", Some(to)));
        instrument.change(&one, &other)
    };
    for (code, from, to, delta, class) in [
        ("PCL_5", 45, 41, 4, Some(NoReliableChange)),
        ("PCL_5", 45, 34, 11, Some(MeaningfulImprovement)),
        ("PCL_5", 45, 28, 17, Some(Recovered)),
        ("PCL_5", 30, 46, -16, Some(ReliableWorsening)),
        ("PCL_5", 45, 30, 15, Some(ReliableImprovement)),
        ("PCL_5", 45, 29, 16, Some(ReliableImprovement)),
        ("PCL_5", 28, 10, 18, Some(ReliableImprovement)),
        ("PCL_5", 29, 14, 15, Some(Recovered)),
        ("PCL_5", 45, 31, 14, Some(MeaningfulImprovement)),
        ("PCL_5", 30, 20, 10, Some(MeaningfulImprovement)),
        ("PCL_5", 30, 21, 9, Some(NoReliableChange)),
        ("PCL_5", 30, 39, -9, Some(NoReliableChange)),
        ("PCL_5", 30, 40, -10, Some(MeaningfulWorsening)),
        ("PCL_5", 30, 44, -14, Some(MeaningfulWorsening)),
        ("PCL_5", 30, 45, -15, Some(ReliableWorsening)),
        ("PHQ_9", 15, 9, 6, Some(Recovered)),
        ("PHQ_9", 16, 10, 6, Some(ReliableImprovement)),
        ("PHQ_9", 9, 3, 6, Some(ReliableImprovement)),
        ("PHQ_9", 15, 10, 5, Some(NoReliableChange)),
        ("PHQ_9", 10, 16, -6, Some(ReliableWorsening)),
        ("GAD_7", 11, 7, 4, Some(Recovered)),
        ("GAD_7", 12, 8, 4, Some(ReliableImprovement)),
        ("GAD_7", 10, 7, 3, Some(NoReliableChange)),
        ("CRIES_8", 30, 10, 20, None),
        ("CATS_2", 30, 40, -10, None),
        ("CPSS_5", 30, 30, 0, None),
        ("PHQ_A", 20, 10, 10, None),
    ] {
        assert!(change(code, from, to) == Change::Compared { delta, class }, "{code} {from} → {to}");
    }
    assert!(change("PC_PTSD_5", 5, 0) == Change::NotComparable(vec![Incomparable::NotForChange]));
}

#[test]
fn only_like_is_compared_with_like() {
    let catalogue = catalogue();
    let pcl = catalogue.find("PCL_5").unwrap();
    let base = occasion(pcl, "2026-01-01", Some(40));
    let later = || occasion(pcl, "2026-01-29", Some(20));
    let with = |change: fn(&mut Occasion)| {
        let mut it = later();
        change(&mut it);
        it
    };
    use Incomparable::*;
    for (other, reasons) in [
        (with(|it| it.form.version = "2014".into()), vec![Version]),
        (with(|it| it.form.informant = super::Informant::Caregiver), vec![Informant]),
        (with(|it| it.form.recall = Code::parse("WEEK").unwrap()), vec![Recall]),
        (with(|it| it.form.language = super::Language::parse("ml").unwrap()), vec![Language]),
        (with(|it| it.on = day("2026-01-28")), vec![TooSoon]),
        (with(|it| it.too_soon = true), vec![TooSoon]),
        (with(|it| it.total = None), vec![NoTotal]),
        (with(|it| (it.total, it.form.version) = (None, "2014".into())), vec![Version, NoTotal]),
        (with(|it| it.form.instrument = Code::parse("PHQ_9").unwrap()), vec![Instrument]),
    ] {
        assert!(pcl.change(&base, &other) == Change::NotComparable(reasons.clone()), "{reasons:?}");
    }
    assert!(matches!(pcl.change(&base, &later()), Change::Compared { delta: 20, .. }));
    assert!(pcl.too_soon(day("2026-01-28"), base.on) && !pcl.too_soon(day("2026-01-29"), base.on));
}

#[test]
fn a_person_must_look() {
    let catalogue = catalogue();
    let alarms = |code: &str, answers: &str, baseline: Option<u32>, previous: Option<u32>| -> Vec<String> {
        let instrument = catalogue.find(code).unwrap();
        let sheet = complete(instrument, answers);
        let now = occasion(instrument, "2026-04-01", instrument.score(&sheet).total);
        let baseline = baseline.map(|it| occasion(instrument, "2026-01-01", Some(it)));
        let previous = previous.map(|it| occasion(instrument, "2026-03-25", Some(it)));
        let before = Before { baseline: baseline.as_ref(), previous: previous.as_ref() };
        let alarms = instrument.alarms(&sheet, &now, before);
        alarms.into_iter().map(|it| format!("{} {}", it.trigger, it.level)).collect()
    };
    let pcl = |total: usize| format!("{} / 0 0 0 0 0", "1 ".repeat(total) + &"0 ".repeat(15 - total));
    for (code, answers, baseline, previous, expected) in [
        ("PHQ_9", "0,0,0,0,0,0,0,0,0", None, None, vec![]),
        ("PHQ_9", "0,0,0,0,0,0,0,0,1", None, None, vec!["RISK_ITEM R2"]),
        ("PHQ_9", "0,0,0,0,0,0,0,0,2", None, None, vec!["RISK_ITEM R3"]),
        ("PHQ_A", "0,0,0,0,0,0,0,0,3", None, None, vec!["RISK_ITEM R3"]),
        ("PHQ_A", "0,0,0,0,0,0,0,0,–", None, None, vec!["RISK_ITEM_UNKNOWN R1"]),
        ("PHQ_9", "0,0,0,0,0,0,0,0,x", None, None, vec!["RISK_ITEM_UNKNOWN R1"]),
        ("PHQ_9", "3,3,3,3,3,3,2,0,0", Some(20), Some(19), vec!["TOTAL_ROSE R1"]),
        ("PHQ_9", "3,3,3,3,3,3,2,0,0", None, None, vec!["TOTAL_ROSE R1"]),
        ("PHQ_A", "3,3,3,3,3,3,2,0,0", Some(5), Some(20), vec![]),
        ("PHQ_9", "3,3,3,3,3,3,1,0,0", None, None, vec![]),
        ("PHQ_9", "3,3,3,3,3,3,3,3,3", None, Some(8), vec!["RISK_ITEM R3", "TOTAL_ROSE R1"]),
        ("PCL_5", &pcl(15), Some(5), Some(14), vec!["WORSENED R1"]),
        ("PCL_5", &pcl(15), Some(14), Some(5), vec!["WORSENED R1"]),
        ("PCL_5", &pcl(15), None, Some(5), vec!["WORSENED R1"]),
        ("PCL_5", &pcl(15), Some(6), Some(6), vec![]),
        ("PCL_5", &pcl(15), None, None, vec![]),
        ("PCL_5", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 0 0 0", None, None, vec!["RISK_SYMPTOM R1"]),
        ("PCL_5", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 4 2 4 0 0 0", None, None, vec![]),
        ("PCL_5", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 – 0 0 0 0", None, None, vec![]),
        ("CPSS_5", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4 0 0 0 0 0 0 0 0 0 0 0", None, None, vec!["RISK_SYMPTOM R1"]),
        ("CATS_2", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 0 0 0 2 0 0 0 0 0 0 0 0 0", None, None, vec!["RISK_SYMPTOM R1"]),
        ("CATS_2", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 0 0 0 1 3 0 0 0 0 0 0 0 0", None, None, vec![]),
    ] {
        assert_eq!(alarms(code, answers, baseline, previous), expected, "{code} {answers} {baseline:?} {previous:?}");
    }
}

#[test]
fn what_was_made_otherwise_raises_no_alarm_and_settles_none() {
    let catalogue = catalogue();
    let (pcl, phq) = (catalogue.find("PCL_5").unwrap(), catalogue.find("PHQ_9").unwrap());
    let other = |instrument: &Instrument, total| {
        let mut it = occasion(instrument, "2026-01-01", Some(total));
        it.form.language = Language::parse("ml").unwrap();
        it
    };
    let (before, now) = (other(pcl, 0), occasion(pcl, "2026-04-01", Some(15)));
    let sheet = complete(pcl, &format!("{}{}", "1 ".repeat(15), "0 ".repeat(5)));
    assert!(pcl.alarms(&sheet, &now, Before { baseline: None, previous: Some(&before) }).is_empty());
    let (before, now) = (other(phq, 20), occasion(phq, "2026-04-01", Some(20)));
    let sheet = complete(phq, "3,3,3,3,3,3,2,0,0");
    assert_eq!(phq.alarms(&sheet, &now, Before { baseline: None, previous: Some(&before) }).len(), 1);
}

#[test]
fn every_bad_answer_is_named_at_once() {
    let answers = [(1, 0), (2, 4), (2, 0), (10, 0), (0, 1), (5, 9), (6, 0), (7, 0)];
    let answers = answers.map(|(item, value)| (item, Answer::Value(value))).into();
    assert_eq!(
        refused("PHQ_9", &Sheet { gate: Some(true), answers }),
        [
            "gate: must be absent: there is no such question",
            "answers[1].value: must be one of 0, 1, 2, 3",
            "answers[2].item: must not answer item 2 again",
            "answers[3].item: must be from 1 to 9",
            "answers[4].item: must be from 1 to 9",
            "answers[5].value: must be one of 0, 1, 2, 3",
            "answers: must have an answer, if only a skipped one, for each of the items 3, 4, 8, 9",
        ]
    );
    let too_many = Sheet { gate: None, answers: vec![(1, Answer::Value(9)); 1000] };
    assert_eq!(refused("PHQ_9", &too_many), ["answers: must have 9 answers"]);
    assert_eq!(refused("CRIES_8", &Sheet::default()).len(), 1);
}
