//! Working days: Monday to Friday without the holidays of a calendar.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};

/// Which days of one zone are working days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkingDays {
    holidays: BTreeSet<NaiveDate>,
}

impl WorkingDays {
    /// Monday to Friday without these days.
    pub fn new(holidays: impl IntoIterator<Item = NaiveDate>) -> Self {
        Self { holidays: holidays.into_iter().collect() }
    }

    /// Whether people work on a day.
    pub fn is(&self, day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&day)
    }

    /// The last of so many working days after a day, which itself does not count; the day itself when none
    /// are asked for.
    pub fn plus(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let mut later = day.iter_days().skip(1).filter(|day| self.is(*day));
        count.checked_sub(1).map_or(day, |before| later.nth(before as usize).unwrap_or(NaiveDate::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn working_days_are_counted_over_weekends_and_holidays() {
        let days = WorkingDays::new([day("2026-01-26")]);
        let plus = |from: &str, count| days.plus(day(from), count).to_string();
        assert_eq!(plus("2026-01-12", 2), "2026-01-14");
        assert_eq!(plus("2026-01-12", 6), "2026-01-20");
        assert_eq!(plus("2026-01-19", 10), "2026-02-03");
        assert_eq!(plus("2026-02-11", 10), "2026-02-25");
        assert_eq!(plus("2026-01-24", 1), "2026-01-27");
        assert_eq!(plus("2026-01-25", 0), "2026-01-25");
        assert_eq!(plus("2026-01-26", 0), "2026-01-26");
        assert_eq!(plus("2028-02-28", 2), "2028-03-01");
        assert_eq!(days.plus(NaiveDate::MAX, 3), NaiveDate::MAX);
        assert!(days.is(day("2026-01-27")) && !days.is(day("2026-01-26")) && !days.is(day("2026-01-25")));
    }

    proptest! {
        #[test]
        fn so_many_working_days_lie_in_between(
            from in 0u64..800, count in 1u32..40, off in proptest::collection::btree_set(0u64..900, 0..30)
        ) {
            let at = |days: u64| day("2026-01-01") + chrono::Days::new(days);
            let days = WorkingDays::new(off.into_iter().map(at));
            let until = days.plus(at(from), count);
            let between = at(from).iter_days().skip(1).take_while(|day| *day <= until).filter(|day| days.is(*day));
            prop_assert!(days.is(until));
            prop_assert_eq!(between.count(), count as usize);
        }
    }
}
