//! How old somebody certainly is, when often only the year of birth is known.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};

use super::client::birth_parts;
use super::code::Side;
use super::personal::Personal;

/// The age from which people consent for themselves (privacy, "Consent").
pub const ADULT: u32 = 18;

/// The first day on which somebody is certainly [`ADULT`]: the birthday, 1 March for who was born on
/// 29 February, 1 January of the nineteenth year after when only the year is known. None when nothing is.
pub fn adult_from(born_on: &Personal) -> Option<NaiveDate> {
    let (year, month, day) = birth_parts(born_on)?;
    let turns = year.checked_add_unsigned(ADULT)?;
    if month == 0 {
        return NaiveDate::from_ymd_opt(turns.checked_add(1)?, 1, 1);
    }
    NaiveDate::from_ymd_opt(turns, month, day).or_else(|| NaiveDate::from_ymd_opt(turns, 3, 1))
}

/// The ages in full years that somebody may have on a day: one, or two when only the year of birth is
/// known. None when nothing is, and before birth.
pub fn ages_on(born_on: &Personal, on: NaiveDate) -> Option<RangeInclusive<u32>> {
    let (year, month, day) = birth_parts(born_on)?;
    let years = u32::try_from(on.year().checked_sub(year)?).ok()?;
    match month {
        0 => Some(years.saturating_sub(1)..=years),
        _ if (on.month(), on.day()) >= (month, day) => Some(years..=years),
        _ => years.checked_sub(1).map(|years| years..=years),
    }
}

/// The age in full years that somebody has reached with certainty on a day.
pub fn age_on(born_on: &Personal, on: NaiveDate) -> Option<u32> {
    ages_on(born_on, on).map(|ages| *ages.start())
}

/// Whether somebody is, or for want of a birth date must be taken for, a child on a day. A survivor of
/// unknown age is protected as a child is; an offender of unknown age is not presumed to be one.
pub fn is_child(adult_from: Option<NaiveDate>, side: Side, day: NaiveDate) -> bool {
    adult_from.map_or(side == Side::Survivor, |adult_from| day < adult_from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::client::birth;
    use super::*;

    fn born(text: &str) -> Personal {
        Personal::new(text.into())
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn somebody_is_an_adult_from_the_eighteenth_birthday() {
        for (of, from) in [
            ("2008-11-23", "2026-11-23"),
            ("2008-12-31", "2026-12-31"),
            ("2008-02-29", "2026-03-01"),
            ("2008-02-28", "2026-02-28"),
            ("2008", "2027-01-01"),
        ] {
            assert_eq!(adult_from(&born(of)), Some(day(from)), "{of}");
        }
        assert_eq!(adult_from(&born("")), None);
    }

    #[test]
    fn an_age_is_the_one_reached_with_certainty() {
        for (of, on, age) in [
            ("2019-11-23", "2026-11-22", Some(6)),
            ("2019-11-23", "2026-11-23", Some(7)),
            ("2016-02-29", "2027-02-28", Some(10)),
            ("2016-02-29", "2027-03-01", Some(11)),
            ("2016-02-29", "2028-02-28", Some(11)),
            ("2016-02-29", "2028-02-29", Some(12)),
            ("2019", "2026-12-31", Some(6)),
            ("2019", "2027-01-01", Some(7)),
            ("2026", "2026-01-01", Some(0)),
            ("2026-01-02", "2026-01-01", None),
            ("2027", "2026-01-01", None),
            ("", "2026-01-01", None),
        ] {
            assert_eq!(age_on(&born(of), day(on)), age, "{of} {on}");
        }
        assert_eq!(ages_on(&born("2019"), day("2026-06-01")), Some(6..=7));
    }

    proptest! {
        #[test]
        fn who_is_an_adult_has_the_age_of_one(
            (year, month, date) in (1950i32..2030, 1u32..=12, 1u32..=31), only_year: bool, after in 0u64..20_000
        ) {
            let (month, date) = if only_year { (0, 0) } else { (month, date) };
            let Ok(of) = birth(year, month, date) else { return Ok(()) };
            let on = NaiveDate::from_ymd_opt(year, 1, 1).unwrap() + chrono::Days::new(after);
            let adult = adult_from(&of).is_some_and(|from| from <= on);
            prop_assert_eq!(adult, age_on(&of, on).is_some_and(|age| age >= ADULT));
        }
    }
}
