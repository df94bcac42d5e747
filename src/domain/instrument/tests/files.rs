//! What is an instrument, and what is none.

use super::*;
use crate::domain::followup::template::InstrumentSet;

/// A fictional instrument, with something of everything.
const MOOD: &str = r#"
code = "MOOD_3"
version = "1"
rule_set = "MOOD_3/1"
title = "Fictional mood scale"
for_change = true
least_days_apart = 7

symptoms = [[1], [2, 3], [4]]

[licence]
code = "OURS"
may_reproduce = true

[[informants]]
code = "CAREGIVER"
from_age = 3
to_age = 6

[[recall]]
code = "TODAY"

[[suggested]]
from_age = 3
to_age = 6
sets = ["FULL"]

[[items]]
numbers = [1, 3]
values = [1, 2, 3]
texts = ["Cheerful", "Calm", "Rested"]

[[items]]
numbers = [4, 4]
values = [0, 1]

[total]
symptoms = [1, 2]
least_answered = 1
bands = [{ code = "LOW", from = 2 }, { code = "HIGH", from = 5 }]

[[subscores]]
code = "EXTRA"
title = "Extra"
symptoms = [3]

[[cut_offs]]
code = "OURS"
region = "en-IN"
validated = true
thresholds = [{ code = "HALF", on = "TOTAL", at_least = 4 }, { code = "ANY", on = "EXTRA", at_least = 1 }]

[[algorithms]]
code = "PATTERN"
positive_from = 3
exceptions = [{ symptoms = [3], positive_from = 1 }]
results = [
  { code = "FEW", when = [{ of = [1, 2, 3], at_most = 1 }] },
  { code = "MANY" },
]

[change]
reliable = 2

[[risk.items]]
trigger = "RISK_SYMPTOM"
symptom = 3
levels = [{ at_least = 1, level = "R3" }]
"#;

fn added(text: &str) -> Result<Catalogue, Broken> {
    Catalogue::with(&[("mood.toml", text)])
}

/// The fictional instrument with something said otherwise.
fn but(from: &str, to: &str) -> String {
    assert!(MOOD.contains(from), "{from}");
    added(&MOOD.replacen(from, to, 1)).err().map(|it| it.to_string()).unwrap_or_default()
}

#[test]
fn the_built_in_files_are_instruments() {
    let catalogue = catalogue();
    let codes: Vec<_> = catalogue.current().map(|it| it.code.as_str()).collect();
    assert_eq!(
        codes,
        ["CATS_2", "CRIES_8", "CRIES_13", "CPSS_5", "PHQ_A", "GAD_7", "PC_PTSD_5", "PCL_5", "PHQ_9", "SDQ"]
    );
    let texts = |it: &&Instrument| it.items().any(|item| item.text().is_some());
    let with_text: Vec<_> = catalogue.all().iter().filter(texts).map(|it| it.code.as_str()).collect();
    assert_eq!(with_text, ["GAD_7", "PC_PTSD_5", "PCL_5", "PHQ_9"]);
    for it in catalogue.all() {
        assert_eq!(it.rule_set, format!("{}/1", it.code));
        let whole = it.items().all(|item| item.text().is_some() == it.licence.may_reproduce);
        assert!(whole && it.items().all(|item| !item.label().is_empty()), "{}", it.code);
        assert_eq!(
            it.items().map(|item| item.number).collect::<Vec<_>>(),
            (1..=it.items().count() as u32).collect::<Vec<_>>()
        );
    }
    let pcl = catalogue.find("PCL_5").unwrap();
    assert_eq!(pcl.recall.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["MONTH", "WEEK"]);
    assert_eq!(pcl.item(16).unwrap().text(), Some("Taking too many risks or doing things that could cause you harm?"));
    assert_eq!(catalogue.find("CRIES_8").unwrap().item(3).unwrap().label(), "item 3");
    assert_eq!(catalogue.find("CATS_2").unwrap().range(&(1..=20).collect::<Vec<_>>()), (0, 60));
}

#[test]
fn an_instrument_that_is_added_scores() {
    let catalogue = added(MOOD).unwrap();
    let mood = catalogue.find("MOOD_3").unwrap();
    let score = |text: &str| mood.score(&complete(mood, text));
    let it = score("3 1 2 0");
    assert_eq!((it.total, it.band(), it.reached()), (Some(5), Some("HIGH"), vec![Some(true), Some(false)]));
    assert_eq!((it.found(), it.subscores[0].score), (vec!["FEW"], Some(0)));
    let it = score("3 – – 1");
    assert_eq!((it.total, it.prorated, it.found()), (Some(6), true, vec!["MANY"]));
    assert_eq!(score("3 – 1 0").found(), ["INDETERMINATE"]);
    assert_eq!(score("– – – 0").total, None);
    let ages = Ages { now: 5..=5, baseline: None };
    let codes: Vec<_> =
        catalogue.suggested(&ages, InstrumentSet::Full).into_iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["MOOD_3"]);
    assert_eq!(catalogue.all().len(), 11);
}

#[test]
fn a_new_version_takes_the_place_of_the_old() {
    let newer = MOOD.replace("\"1\"", "\"2\"");
    let catalogue = Catalogue::with(&[("one.toml", MOOD), ("two.toml", &newer)]).unwrap();
    assert_eq!(catalogue.find("MOOD_3").unwrap().version, "2");
    assert_eq!(catalogue.current().filter(|it| it.code.as_str() == "MOOD_3").count(), 1);
    let code = Code::parse("MOOD_3").unwrap();
    assert!(["1", "2"].iter().all(|version| catalogue.version(&code, version).unwrap().version == *version));
    let twice = Catalogue::with(&[("one.toml", MOOD), ("two.toml", MOOD)]).unwrap_err();
    assert_eq!(twice.to_string(), "two.toml is no instrument: MOOD_3 exists in version 1");
}

#[test]
fn a_file_that_is_no_instrument_is_refused_with_the_reason() {
    for (from, to, says) in [
        ("for_change = true", "for_change = true\nfavourite = 1", "unknown field `favourite`"),
        ("title = \"Extra\"", "title = \"Extra\"\nweight = 2", "unknown field `weight`"),
        ("numbers = [4, 4]", "numbers = [5, 5]", "items 5 to 5: numbers must follow each other from 1"),
        ("numbers = [4, 4]", "numbers = [4, 4000]", "to 200 at the most"),
        ("values = [1, 2, 3]", "values = [1, 3, 2]", "items 1 to 3: values must be two or more, ascending"),
        ("values = [1, 2, 3]", "values = [1, 2, 3000]", "1000 at the most"),
        ("values = [0, 1]", "values = [1]", "items 4 to 4: values must be two or more"),
        ("\"Cheerful\", ", "", "items 1 to 3: each must have a text or label, or none"),
        ("[[1], [2, 3], [4]]", "[[1], [2], [4]]", "symptoms must have every item once"),
        ("[[1], [2, 3], [4]]", "[[1], [2, 3, 4]]", "the lines of a symptom must have the same values"),
        ("\"MOOD_3\"", "\"mood\"", "\"mood\" is no code"),
        ("title = \"Fictional mood scale\"", "title = \"\"", "title must not be empty"),
        ("may_reproduce = true", "may_reproduce = false", "the licence allows no text"),
        ("least_days_apart = 7", "least_days_apart = 700", "least_days_apart must be at most 366"),
        ("from_age = 3\nto_age = 6\n\n[[recall]]", "from_age = 7\nto_age = 6\n\n[[recall]]", "ages must ascend"),
        ("to_age = 6\nsets", "to_age = 7\nsets", "must not be suggested at an age at which nobody answers it"),
        ("code = \"CAREGIVER\"", "code = \"NEIGHBOUR\"", "unknown variant `NEIGHBOUR`"),
        ("symptoms = [1, 2]\n", "symptoms = [1, 4]\n", "the total speaks of 4, which there is not"),
        ("symptoms = [1, 2]\n", "symptoms = [1, 1]\n", "the total must have symptoms, each once"),
        ("symptoms = [1, 2]\n", "symptoms = [1, 3]\n", "a prorated total must be of symptoms with the same values"),
        ("least_answered = 1", "least_answered = 3", "least_answered must be from 1 to 2"),
        ("least_answered = 1", "least_answered = 1\nall_required = true", "what requires all must have all answered"),
        ("from = 2 }", "from = 1 }", "bands must ascend from 2, to 6 at the most"),
        ("from = 5 }", "from = 7 }", "bands must ascend from 2, to 6 at the most"),
        (
            "symptoms = [3]\n\n[[cut",
            "symptoms = [3]\npositive_from = 2\n\n[[cut",
            "scale EXTRA: 3 must be able to reach 2",
        ),
        ("code = \"EXTRA\"", "code = \"TOTAL\"", "a scale must not be called TOTAL"),
        ("[[subscores]]", "[[subscales]]", "scale EXTRA has a symptom that the total has not"),
        ("region = \"en-IN\"", "region = \"everywhere\"", "cut-offs OURS: region must be a BCP 47 tag"),
        ("at_least = 4 }", "at_least = 7 }", "cut-off HALF must be above 2, and not above 6"),
        ("at_least = 4 }", "at_least = 2 }", "cut-off HALF must be above 2, and not above 6"),
        ("on = \"EXTRA\"", "on = \"OTHER\"", "cut-off ANY: there is no score OTHER"),
        ("code = \"ANY\"", "code = \"HALF\"", "thresholds has HALF twice"),
        ("positive_from = 3\n", "positive_from = 4\n", "algorithm PATTERN: 1 must be able to reach 4"),
        ("positive_from = 1 }]", "positive_from = 2 }]", "algorithm PATTERN: 3 must be able to reach 2"),
        ("code = \"MANY\"", "code = \"INDETERMINATE\"", "ACUTE_PHASE and INDETERMINATE are not for files"),
        ("  { code = \"MANY\" },\n", "", "the last result, and no other, must be without conditions"),
        ("at_most = 1", "at_most = 3", "a condition must be able to hold, and to fail"),
        ("at_most = 1", "at_least = 4", "a condition must be able to hold, and to fail"),
        ("of = [1, 2, 3], at", "of = [1, 2, 9], at", "algorithm PATTERN speaks of 9, which there is not"),
        ("reliable = 2", "reliable = 5", "change: reliable must be within the range of the total"),
        ("reliable = 2", "reliable = 2\nmeaningful = 2", "change: meaningful must be above 0 and less than reliable"),
        ("reliable = 2", "reliable = 2\nrecovered_at_most = 6", "recovered_at_most must be within the range"),
        ("for_change = true", "for_change = false", "there must be no rule for change where there is none"),
        ("symptom = 3\n", "symptom = 2\n", "risk 2 must be a symptom of one line"),
        ("at_least = 1, level", "at_least = 2, level", "risk: 3 must be able to reach 2"),
        ("level = \"R3\"", "level = \"R9\"", "unknown variant `R9`"),
        ("\"RISK_SYMPTOM\"", "\"RISK_ITEM\"", "or a RISK_ITEM with a level when unasked"),
        ("\"RISK_SYMPTOM\"", "\"TWO_NO_SHOWS\"", "a risk must be a RISK_SYMPTOM"),
    ] {
        let refusal = but(from, to);
        assert!(refusal.starts_with("mood.toml is no instrument: "), "{to}: accepted");
        assert!(refusal.contains(says), "{to}: {refusal}");
    }
    assert!(but("least_answered = 1", "least_answered = 9\nall_required = true").contains("; "), "several at once");
}

#[test]
fn an_algorithm_too_wide_to_be_decided_exactly_is_refused() {
    // Sixteen symptoms that are told apart one by one: 2^16 ways.
    let apart = |count: u32| {
        let when: Vec<_> = (1..=count).map(|it| format!("{{ of = [{it}], at_least = 1 }}")).collect();
        let results = format!("[{{ code = \"ALL\", when = [{}] }}, {{ code = \"NOT_ALL\" }}]", when.join(", "));
        let algorithm = format!("[[algorithms]]\ncode = \"WIDE\"\npositive_from = 1\nresults = {results}\n");
        let items = "[[items]]\nnumbers = [1, 16]\nvalues = [0, 1]\n[total]\nsymptoms = [1]\nleast_answered = 1\n";
        let (head, _) = MOOD.split_once("[[items]]").unwrap();
        let head = head.replace("symptoms = [[1], [2, 3], [4]]", "");
        added(&format!("{head}{items}{algorithm}")).err().map(|it| it.to_string())
    };
    assert_eq!(apart(15), None);
    assert_eq!(apart(16).unwrap(), "mood.toml is no instrument: algorithm WIDE is too wide to be decided exactly");
}

#[test]
fn nothing_about_a_person_is_printed() {
    let it = scored("PHQ_9", "3,3,3,3,3,3,3,3,3");
    for printed in [
        format!("{it:?}"),
        format!("{:?}", it.risks),
        format!("{:?}", it.findings),
        format!("{:?}", it.cut_offs),
        format!("{:?} {:?}", sheet("3 3 3"), Answer::Value(3)),
        format!("{:?}", occasion(catalogue().find("PHQ_9").unwrap(), "2026-01-01", Some(27))),
        format!("{:?}", Change::Compared { delta: 27, class: None }),
    ] {
        assert!(
            printed.contains("redacted") && !printed.contains(['3', '7']) && !printed.contains("MAJOR"),
            "{printed}"
        );
    }
}

#[test]
fn a_score_comes_back_as_it_was_stored() {
    let it = scored("CATS_2", "2 2 0 0 0 2 2 2 – – – – 2 2 2 2 2 2 2 2 2 2 2 2 2 1 0 – 0 0");
    let stored = serde_json::to_string(&it).unwrap();
    assert!(serde_json::from_str::<Score>(&stored).unwrap() == it && stored.contains("\"total\":"));
    let catalogue = catalogue();
    let phq = catalogue.find("PHQ_9").unwrap();
    let sheet = complete(phq, "2,2,1,1,1,1,1,–,x");
    assert!(serde_json::from_str::<Complete>(&serde_json::to_string(&sheet).unwrap()).unwrap() == sheet);
}
