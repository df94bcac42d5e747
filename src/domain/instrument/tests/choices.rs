//! Which instrument at which age.

use super::*;
use crate::domain::followup::template::InstrumentSet;

fn ages(now: std::ops::RangeInclusive<u32>) -> Ages {
    Ages { now, baseline: None }
}

fn suggested(ages: &Ages, set: InstrumentSet) -> String {
    let catalogue = catalogue();
    let codes: Vec<_> = catalogue.suggested(ages, set).into_iter().map(|it| it.code.as_str().to_owned()).collect();
    codes.join(" ")
}

#[test]
fn every_age_has_its_set() {
    for (age, full, trauma, phq, risk) in [
        (3, "", "", "", ""),
        (6, "", "", "", ""),
        (7, "CATS_2", "CATS_2", "CATS_2", ""),
        (8, "CATS_2 CRIES_8", "CRIES_8", "CRIES_8", "CRIES_8"),
        (10, "CATS_2 CRIES_8", "CRIES_8", "CRIES_8", "CRIES_8"),
        (11, "CATS_2 CRIES_8 PHQ_A", "CRIES_8", "CRIES_8 PHQ_A", "CRIES_8"),
        (12, "CATS_2 CRIES_8 PHQ_A GAD_7", "CRIES_8", "CRIES_8 PHQ_A", "CRIES_8"),
        (17, "CATS_2 CRIES_8 PHQ_A GAD_7", "CRIES_8", "CRIES_8 PHQ_A", "CRIES_8"),
        (18, "GAD_7 PC_PTSD_5 PCL_5 PHQ_9", "PCL_5", "PCL_5 PHQ_9", "PC_PTSD_5"),
        (80, "GAD_7 PC_PTSD_5 PCL_5 PHQ_9", "PCL_5", "PCL_5 PHQ_9", "PC_PTSD_5"),
    ] {
        let sets = [
            (InstrumentSet::Full, full),
            (InstrumentSet::Trauma, trauma),
            (InstrumentSet::TraumaAndPhq, phq),
            (InstrumentSet::Risk, risk),
        ];
        for (purpose, set) in sets {
            assert_eq!(suggested(&ages(age..=age), purpose), set, "{age} {purpose}");
        }
    }
}

#[test]
fn what_is_suggested_is_admitted() {
    let catalogue = catalogue();
    for age in 0..=100 {
        for instrument in InstrumentSet::ALL.iter().flat_map(|it| catalogue.suggested(&ages(age..=age), *it)) {
            let admitted = |it: &InformantAges| catalogue.admit(instrument, it.informant, &ages(age..=age)).is_ok();
            assert!(instrument.informants.iter().any(admitted), "{} at {age}", instrument.code);
        }
    }
}

#[test]
fn an_instrument_outside_its_ages_is_refused_with_a_suggestion() {
    let catalogue = catalogue();
    let admit = |code: &str, informant, now: std::ops::RangeInclusive<u32>| {
        let refused = catalogue.admit(catalogue.find(code).unwrap(), informant, &ages(now)).err();
        refused.map(|it| it.suggested.iter().map(Code::to_string).collect::<Vec<_>>().join(" "))
    };
    let own = Informant::SelfReport;
    assert_eq!(admit("PCL_5", own, 17..=17).unwrap(), "CATS_2 CRIES_8 PHQ_A GAD_7");
    assert_eq!(admit("CRIES_8", own, 7..=7).unwrap(), "CATS_2");
    assert_eq!(admit("CATS_2", own, 6..=6).unwrap(), "");
    assert_eq!(admit("CATS_2", own, 18..=18).unwrap(), "GAD_7 PC_PTSD_5 PCL_5 PHQ_9");
    assert_eq!(admit("CRIES_8", Informant::Caregiver, 10..=10).unwrap(), "CATS_2 CRIES_8");
    assert_eq!(admit("SDQ", own, 10..=10).unwrap(), "CATS_2 CRIES_8");
    for (code, informant, now) in [
        ("PCL_5", own, 18..=18),
        ("CRIES_8", own, 18..=18),
        ("CATS_2", Informant::Caregiver, 7..=7),
        ("SDQ", Informant::Caregiver, 4..=4),
        // Only the year of birth is known.
        ("PCL_5", own, 17..=18),
        ("PHQ_A", own, 17..=18),
        ("CRIES_8", own, 7..=8),
    ] {
        assert_eq!(admit(code, informant, now.clone()), None, "{code} {now:?}");
    }
    assert!(admit("PCL_5", own, 16..=17).is_some());
}

#[test]
fn who_comes_of_age_keeps_the_instruments_of_the_baseline() {
    let catalogue = catalogue();
    let grown = Ages { now: 18..=18, baseline: Some(17..=17) };
    assert_eq!(suggested(&grown, InstrumentSet::Full), "CATS_2 CRIES_8 PHQ_A GAD_7 PC_PTSD_5 PCL_5 PHQ_9");
    assert_eq!(suggested(&grown, InstrumentSet::Trauma), "CRIES_8 PCL_5");
    assert_eq!(suggested(&grown, InstrumentSet::TraumaAndPhq), "CRIES_8 PHQ_A PCL_5 PHQ_9");
    let admitted =
        |code: &str, ages: &Ages| catalogue.admit(catalogue.find(code).unwrap(), Informant::SelfReport, ages).is_ok();
    for code in ["CATS_2", "PHQ_A", "CRIES_8", "PCL_5", "PHQ_9"] {
        assert!(admitted(code, &grown), "{code}");
    }
    // Only childhood is outgrown so: nobody is kept on what an adult, or a younger child, began with.
    for (ages, trauma) in [
        (Ages { now: 19..=19, baseline: Some(18..=18) }, "PCL_5"),
        (Ages { now: 11..=11, baseline: Some(10..=10) }, "CRIES_8"),
        (ages(18..=18), "PCL_5"),
        // Perhaps still 17: nothing is added before it is certain.
        (Ages { now: 17..=18, baseline: Some(16..=17) }, "CRIES_8"),
    ] {
        assert_eq!(suggested(&ages, InstrumentSet::Trauma), trauma, "{ages:?}");
    }
    assert!(!admitted("CATS_2", &Ages { now: 19..=19, baseline: Some(18..=18) }));
    assert!(admitted("PHQ_A", &Ages { now: 17..=18, baseline: Some(16..=17) }));
}
