//! Keys that were in use a moment ago. Bounded in number and in time: a key that another process destroys is gone here
//! within a minute.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::cipher::Key;

/// How long a key stays. \[P\]
const KEPT_FOR: TimeDelta = TimeDelta::seconds(60);
/// How many stay at most: about ten megabytes. \[P\]
const MOST: usize = 1 << 16;

/// What is known of an owner's key.
#[derive(Clone, Debug)]
pub enum Held {
    /// The key.
    Key(Key),
    /// It was destroyed.
    Destroyed,
}

/// Keys by owner, and since when they are known.
#[derive(Debug, Default)]
pub struct Cache(HashMap<Uuid, (DateTime<Utc>, Held)>);

impl Cache {
    /// What is known of an owner's key.
    pub fn get(&self, owner: Uuid, now: DateTime<Utc>) -> Option<Held> {
        let (since, held) = self.0.get(&owner)?;
        // A clock that was put back makes nothing last.
        (*since <= now && now < *since + KEPT_FOR).then(|| held.clone())
    }

    /// Keeps a key for a while.
    pub fn put(&mut self, owner: Uuid, held: Held, now: DateTime<Utc>) {
        if self.0.len() >= MOST {
            self.0.retain(|_, (since, _)| *since <= now && now < *since + KEPT_FOR);
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(owner, (now, held));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeededRng;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn keys_stay_for_a_minute_and_not_before_they_came() {
        let mut cache = Cache::default();
        let owner = Uuid::from_u128(1);
        cache.put(owner, Held::Key(Key::fresh(&SeededRng::from_seed(1))), at(0));
        for (seconds, there) in [(0, true), (59, true), (60, false), (-1, false)] {
            assert_eq!(cache.get(owner, at(seconds)).is_some(), there, "{seconds}");
        }
    }

    #[test]
    fn they_are_never_more_than_the_bound() {
        let mut cache = Cache::default();
        for number in 0..=u128::try_from(MOST).unwrap() {
            cache.put(Uuid::from_u128(number), Held::Destroyed, at(0));
            assert!(cache.0.len() <= MOST);
        }
        assert!(cache.get(Uuid::from_u128(u128::try_from(MOST).unwrap()), at(0)).is_some());
    }
}
