//! Jobs: work that is done later, by whichever process comes first; and when a failed one is tried again.

use chrono::{DateTime, TimeDelta, Utc};

use super::code::words;
use super::ids::JobId;

words! {
    /// What becomes of a job. One that is done leaves no row.
    JobState {
        /// It waits for its time, or somebody is at it.
        Queued = "QUEUED",
        /// It was given up, and waits for a person.
        Dead = "DEAD",
    }
}

/// How long whoever takes a job has it to themselves. \[P\]: twice the longest request. Clocks of two machines
/// that differ by more cost attempts, and nothing else.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often a job is tried, which takes about three hours. \[P\]
pub const MOST_ATTEMPTS: i64 = 12;
/// How long the first retry waits at most; each next one waits twice as long. \[P\]
const FIRST_DELAY: TimeDelta = TimeDelta::seconds(10);
/// The longest that a retry waits. \[P\]
const LONGEST_DELAY: TimeDelta = TimeDelta::hours(1);

/// A job as people see it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// What became of it.
    pub state: JobState,
    /// When it may be taken, or was given up.
    pub due_at: DateTime<Utc>,
    /// Whether somebody is at it until then.
    pub leased: bool,
    /// How often it was begun.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// What follows from a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this long.
    Retry(TimeDelta),
    /// Leave this turn of a recurring job out; the next is this long away.
    Skip(TimeDelta),
    /// Give it up, and leave it to a person.
    Bury,
}

/// What follows from a job's failed attempt, by how often it was begun, by whether trying again may help,
/// and by how often it recurs. A recurring job never dies. Chance spreads the retries of many jobs that
/// failed together.
pub fn verdict(attempts: i64, may_help: bool, every: Option<TimeDelta>, chance: u32) -> Verdict {
    if may_help && attempts < MOST_ATTEMPTS {
        return Verdict::Retry(delay(attempts, chance));
    }
    every.map_or(Verdict::Bury, Verdict::Skip)
}

/// Between half of the delay and all of it.
fn delay(attempts: i64, chance: u32) -> TimeDelta {
    let doublings = (attempts - 1).clamp(0, 16);
    let whole = (FIRST_DELAY * (1 << doublings)).min(LONGEST_DELAY).num_milliseconds();
    TimeDelta::milliseconds(whole / 2 + whole / 2 * i64::from(chance) / i64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_retry_waits_longer_up_to_a_bound() {
        let bounds = |attempts| (delay(attempts, 0), delay(attempts, u32::MAX));
        let seconds = TimeDelta::seconds;
        assert_eq!(bounds(1), (seconds(5), seconds(10)));
        assert_eq!(bounds(2), (seconds(10), seconds(20)));
        assert_eq!(bounds(9), (seconds(1280), seconds(2560)));
        assert_eq!(bounds(10), (seconds(1800), seconds(3600)));
        assert_eq!(bounds(i64::MAX), bounds(10));
    }

    #[test]
    fn a_job_is_given_up_when_nothing_helps() {
        assert_eq!(verdict(1, false, None, 0), Verdict::Bury);
        assert_eq!(verdict(MOST_ATTEMPTS - 1, true, None, 0), Verdict::Retry(TimeDelta::minutes(30)));
        assert_eq!(verdict(MOST_ATTEMPTS, true, None, 0), Verdict::Bury);
    }

    #[test]
    fn a_recurring_job_is_never_given_up() {
        let hour = TimeDelta::hours(1);
        assert_eq!(verdict(1, true, Some(hour), 0), Verdict::Retry(TimeDelta::seconds(5)));
        assert_eq!(verdict(1, false, Some(hour), 0), Verdict::Skip(hour));
        assert_eq!(verdict(MOST_ATTEMPTS, true, Some(hour), 0), Verdict::Skip(hour));
    }
}
