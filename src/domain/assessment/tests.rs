use uuid::Uuid;

use super::*;
use crate::domain::access::Role;
use crate::domain::instrument::{Answer, Incomparable, Informant, Sheet};
use crate::domain::text::{Code, Language};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A PCL-5 of a day with so many ones, the nth of its series.
fn made(number: u128, on: &str, total: u32) -> Assessment {
    let catalogue = Catalogue::built_in().unwrap();
    let pcl = catalogue.find("PCL_5").unwrap();
    let value = |item: u32| total / 20 + u32::from(item <= total % 20);
    let answers = (1..=20).map(|item| (item, Answer::Value(value(item)))).collect();
    let answers = pcl.check(&Sheet { gate: None, answers }).unwrap();
    Assessment {
        id: AssessmentId(Uuid::from_u128(number)),
        organisation_id: OrganisationId(Uuid::nil()),
        client_id: ClientId(Uuid::nil()),
        plan_id: PlanId(Uuid::nil()),
        milestone_id: None,
        form: Form {
            instrument: pcl.code.clone(),
            version: pcl.version.clone(),
            informant: Informant::SelfReport,
            recall: Code::parse("MONTH").unwrap(),
            language: Language::parse("en").unwrap(),
        },
        assessed_on: day(on),
        closed: true,
        result: Scored { score: pcl.score(&answers), flags: BTreeSet::new() },
        answers,
        recorded_at: DateTime::UNIX_EPOCH,
        recorded_by: Author { principal: "somebody".into(), role: Role::Counsellor },
        supersedes: None,
        stands: true,
    }
}

fn read(series: Vec<Assessment>) -> Vec<Reading> {
    beside_each_other(&Catalogue::built_in().unwrap(), series, None)
}

/// The other number of a comparison, and the difference.
fn told(it: Option<&Comparison>) -> Option<(u128, Option<i64>)> {
    let it = it?;
    let delta = match &it.change {
        Some(Change::Compared { delta, .. }) => Some(*delta),
        Some(Change::NotComparable(_)) | None => None,
    };
    Some((it.since.0.as_u128(), delta))
}

#[test]
fn what_comes_too_soon_counts_for_nobody() {
    let weekly = ["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-29", "2026-02-05", "2026-02-26"];
    let series =
        weekly.iter().zip([1u32, 2, 3, 4, 5, 6]).map(|(on, nth)| made(nth.into(), on, 50 - 5 * nth)).rev().collect();
    let readings = read(series);
    assert_eq!(readings.iter().map(|it| it.too_soon).collect::<Vec<_>>(), [false, true, true, false, true, false]);
    let baselines: Vec<_> = readings.iter().map(|it| told(it.since_baseline.as_ref()).unwrap()).collect();
    assert_eq!(baselines, [(1, None), (1, None), (1, None), (1, Some(15)), (1, None), (1, Some(25))]);
    let previous: Vec<_> = readings.iter().map(|it| told(it.since_previous.as_ref())).collect();
    assert_eq!(
        previous,
        [None, Some((1, None)), Some((1, None)), Some((1, Some(15))), Some((4, None)), Some((4, Some(10)))]
    );
    assert!(readings[1].flags().contains(&Flag::TooSoon) && readings[3].flags().is_empty());
    let reasons = readings[1].since_baseline.as_ref().unwrap().change.clone().unwrap();
    assert!(reasons == Change::NotComparable(vec![Incomparable::TooSoon]));
}

#[test]
fn a_comparison_says_with_what_care() {
    let mut uncertain = made(2, "2026-03-01", 30);
    uncertain.result.flags.insert(Flag::AgeUncertain);
    let mut prorated = made(3, "2026-05-01", 20);
    prorated.result.score.prorated = true;
    let care: Vec<_> = read(vec![made(1, "2026-01-01", 40), uncertain, prorated])
        .into_iter()
        .map(|it| it.since_previous.map(|it| it.care.into_iter().collect::<Vec<_>>()).unwrap_or_default())
        .collect();
    assert_eq!(care, [vec![], vec![Care::AgeUncertain], vec![Care::Prorated, Care::AgeUncertain]]);
}

#[test]
fn an_instrument_that_nobody_knows_any_more_is_not_compared() {
    let mut series = vec![made(1, "2026-01-01", 40), made(2, "2026-01-02", 30)];
    series.iter_mut().for_each(|it| it.form.version = "0".into());
    let readings = read(series);
    assert!(readings.iter().all(|it| !it.too_soon) && readings[1].since_baseline.is_none());
}

#[test]
fn where_the_first_does_not_compare_the_first_that_does_is_the_baseline() {
    let mut other = made(1, "2026-01-01", 60);
    other.form.language = Language::parse("ml").unwrap();
    let series = vec![other, made(2, "2026-02-01", 40), made(3, "2026-03-01", 30), made(4, "2026-03-02", 20)];
    let readings = read(series);
    let told = |pick: fn(&Reading) -> Option<&Comparison>| readings.iter().map(|it| told(pick(it))).collect::<Vec<_>>();
    assert_eq!(
        told(|it| it.since_baseline.as_ref()),
        [Some((1, None)), Some((1, None)), Some((2, Some(10))), Some((1, None))]
    );
    assert_eq!(told(|it| it.since_previous.as_ref()), [None, Some((1, None)), Some((2, Some(10))), Some((3, None))]);
    let care = |at: usize| readings[at].since_baseline.clone().unwrap().care.contains(&Care::LaterBaseline);
    assert!(!care(1) && care(2) && !care(3));
}

#[test]
fn what_is_learned_of_the_event_changes_what_may_be_said() {
    let mut label = made(1, "2026-01-20", 40);
    assert_eq!(label.result.score.findings[0].says(Reading::alone(label.clone(), None).timing()), "MET");
    let event_on = Some(day("2026-01-01"));
    let reading = &beside_each_other(&Catalogue::built_in().unwrap(), vec![label.clone()], event_on)[0];
    assert!(reading.flags().contains(&Flag::AcutePhase));
    label.assessed_on = day("2026-02-20");
    assert!(Reading::alone(label, event_on).flags().is_empty());
}
