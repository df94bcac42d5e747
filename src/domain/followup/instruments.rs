//! Which instruments a milestone asks for (instruments, "Which instrument at which age").

use super::template::InstrumentSet as Set;
use crate::domain::age::ADULT;

/// From which age to which, itself included, an instrument is in which sets.
const TABLE: &[(&str, u32, u32, &[Set])] = &[
    ("CATS_2", 7, 7, &[Set::Full, Set::Trauma, Set::TraumaAndPhq]),
    ("CATS_2", 8, 17, &[Set::Full]),
    ("CRIES_8", 8, 17, &[Set::Full, Set::Trauma, Set::TraumaAndPhq, Set::Risk]),
    ("PHQ_A", 11, 17, &[Set::Full, Set::TraumaAndPhq]),
    ("GAD_7", 12, u32::MAX, &[Set::Full]),
    ("PC_PTSD_5", 18, u32::MAX, &[Set::Full, Set::Risk]),
    ("PCL_5", 18, u32::MAX, &[Set::Full, Set::Trauma, Set::TraumaAndPhq]),
    ("PHQ_9", 18, u32::MAX, &[Set::Full, Set::TraumaAndPhq]),
];

/// The instruments of a set for somebody of an age, each once. Whoever has come of age since the baseline keeps those
/// of that age, and gets the others in addition.
pub fn suggested(set: Set, age: u32, at_baseline: u32) -> Vec<&'static str> {
    let of_age = |age: u32| {
        let rows = TABLE.iter().filter(move |(_, from, to, sets)| (*from..=*to).contains(&age) && sets.contains(&set));
        rows.map(|(code, ..)| *code)
    };
    let kept: Vec<_> = if at_baseline < ADULT && ADULT <= age { of_age(at_baseline).collect() } else { Vec::new() };
    let added = of_age(age).filter(|code| !kept.contains(code)).collect::<Vec<_>>();
    kept.into_iter().chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_says_which() {
        for (age, full, tracking, risk) in [
            (6, vec![], vec![], vec![]),
            (7, vec!["CATS_2"], vec!["CATS_2"], vec![]),
            (8, vec!["CATS_2", "CRIES_8"], vec!["CRIES_8"], vec!["CRIES_8"]),
            (11, vec!["CATS_2", "CRIES_8", "PHQ_A"], vec!["CRIES_8", "PHQ_A"], vec!["CRIES_8"]),
            (17, vec!["CATS_2", "CRIES_8", "PHQ_A", "GAD_7"], vec!["CRIES_8", "PHQ_A"], vec!["CRIES_8"]),
            (18, vec!["GAD_7", "PC_PTSD_5", "PCL_5", "PHQ_9"], vec!["PCL_5", "PHQ_9"], vec!["PC_PTSD_5"]),
        ] {
            assert_eq!(suggested(Set::Full, age, age), full, "{age}");
            assert_eq!(suggested(Set::TraumaAndPhq, age, age), tracking, "{age}");
            assert_eq!(suggested(Set::Risk, age, age), risk, "{age}");
            assert_eq!(suggested(Set::Trauma, age, age), tracking[..tracking.len().min(1)], "{age}");
        }
    }

    #[test]
    fn who_comes_of_age_keeps_what_was_asked_at_first() {
        assert_eq!(suggested(Set::Trauma, 18, 17), ["CRIES_8", "PCL_5"]);
        assert_eq!(suggested(Set::TraumaAndPhq, 18, 17), ["CRIES_8", "PHQ_A", "PCL_5", "PHQ_9"]);
        assert_eq!(
            suggested(Set::Full, 18, 17),
            ["CATS_2", "CRIES_8", "PHQ_A", "GAD_7", "PC_PTSD_5", "PCL_5", "PHQ_9"]
        );
        assert_eq!(suggested(Set::Full, 17, 16), suggested(Set::Full, 17, 17));
        assert_eq!(suggested(Set::Full, 19, 18), suggested(Set::Full, 19, 19));
    }
}
