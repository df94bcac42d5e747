//! Copies of the data: what they are called, when the next one is due, and which of them are kept.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// When copies are made, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long after the last one the next is made.
    pub every: TimeDelta,
    /// How many are kept, the newest; at least one is.
    pub keep: usize,
}

/// A kind of copy, as its names say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    before: &'static str,
    after: &'static str,
}

/// A copy of the data: a database file.
pub const DATA: Kind = Kind { before: "aftercare-", after: ".db" };
/// A copy of the keys: a directory.
pub const KEYS: Kind = Kind { before: "aftercare-keys-", after: "" };

/// An instant in a name, in UTC: names sort by time.
const FORM: &str = "%Y%m%dT%H%M%SZ";

impl Kind {
    /// What a copy of an instant is called.
    pub fn name(self, taken_at: DateTime<Utc>) -> String {
        format!("{}{}{}", self.before, taken_at.format(FORM), self.after)
    }

    /// When a copy of this name was taken; nothing for a name that is no copy's of this kind.
    pub fn taken_at(self, name: &str) -> Option<DateTime<Utc>> {
        let middle = name.strip_prefix(self.before)?.strip_suffix(self.after)?;
        let at = NaiveDateTime::parse_from_str(middle, FORM).ok()?.and_utc();
        // A year, a leap second or a space that is written otherwise would name another file.
        (self.name(at) == name).then_some(at)
    }
}

impl Plan {
    /// Whether another one is due, when the newest was taken then. A clock that was set back is not waited for: one that
    /// was taken in the future does not count.
    pub fn is_due(&self, newest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        newest.is_none_or(|newest| newest > now || now - newest >= self.every)
    }

    /// Which of these are too many, beside the one that was just made.
    pub fn surplus(&self, taken: &[DateTime<Utc>], made: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut others: Vec<_> = taken.iter().copied().filter(|at| *at != made).collect();
        others.sort_unstable_by(|one, other| other.cmp(one));
        others.split_off(others.len().min(self.keep.max(1) - 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_name_says_when() {
        let name = DATA.name("2026-11-23T04:00:00Z".parse().unwrap());
        assert_eq!(name, "aftercare-20261123T040000Z.db");
        for other in ["aftercare-20261123T040000Z.db.sha256", "aftercare-.db", "aftercare-2026112T040000Z.db", "x.db"] {
            assert_eq!(DATA.taken_at(other), None, "{other}");
        }
        assert_eq!(DATA.taken_at(&KEYS.name(at(0))), None);
        assert_eq!(KEYS.taken_at(&KEYS.name(at(0))), Some(at(0)));
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(seconds in 0_i64..250_000_000_000) {
            for kind in [DATA, KEYS] {
                prop_assert_eq!(kind.taken_at(&kind.name(at(seconds))), Some(at(seconds)));
            }
        }

        #[test]
        fn the_newest_stay_and_what_was_just_made(
            taken in proptest::collection::btree_set(0_i64..1_000, 0..20), made in 0_i64..1_000, keep in 0_usize..8,
        ) {
            let plan = Plan { every: TimeDelta::hours(1), keep };
            let mut all: Vec<_> = taken.into_iter().map(at).collect();
            if !all.contains(&at(made)) {
                all.push(at(made));
            }
            let gone = plan.surplus(&all, at(made));
            prop_assert!(!gone.contains(&at(made)));
            prop_assert_eq!(all.len() - gone.len(), all.len().min(keep.max(1)));
            let stays = |it: &&DateTime<Utc>| **it != at(made) && !gone.contains(it);
            let oldest = all.iter().filter(stays).min();
            prop_assert!(oldest.is_none_or(|oldest| gone.iter().all(|it| it < oldest)));
        }

        #[test]
        fn one_is_due_once_in_a_while(newest in 0_i64..1_000_000, now in 0_i64..1_000_000, hours in 1_i64..100) {
            let plan = Plan { every: TimeDelta::hours(hours), keep: 1 };
            let due = plan.is_due(Some(at(newest)), at(now));
            prop_assert_eq!(due, newest > now || now - newest >= hours * 3_600);
            prop_assert!(plan.is_due(None, at(now)));
        }
    }
}
