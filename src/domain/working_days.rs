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

    #[test]
    fn weekends_and_holidays_are_left_out() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let days = WorkingDays::new([day("2026-01-26")]);
        for (from, count, to) in [
            ("2026-01-12", 2, "2026-01-14"),
            ("2026-01-12", 6, "2026-01-20"),
            ("2026-01-19", 10, "2026-02-03"),
            ("2026-02-11", 10, "2026-02-25"),
            ("2026-01-24", 1, "2026-01-27"),
            ("2026-01-24", 0, "2026-01-24"),
        ] {
            assert_eq!(days.plus(day(from), count), day(to), "{from} + {count}");
        }
    }
}
