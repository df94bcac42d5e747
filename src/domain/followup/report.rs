//! Counts for an organisation, of which those that could point to a person are withheld (privacy, "Who sees what").
//!
//! Few are one to four. Nobody is few, and is shown: that nobody missed is what a report is for. Whatever would give a
//! few away is withheld as well, whoever knows these rules and what periods have passed:
//!
//! * What fell due, done, late, missed, and still open: a part that is few is withheld, and with any of them the sum.
//! * What is a part of a sum alone: where the part or the rest is few, the part is withheld; the sum, where it is few.
//! * Intakes are the baselines that fell due and those that were excused, so they are withheld when the former are or
//!   the latter are few; and then how many attended is, too.
//!
//! How long people waited is told of enough people only that it is nobody's own wait that stands apart.
//!
//! This holds within one report. Periods are whole months, so that nobody subtracts two which differ by a day; who has
//! reports of overlapping periods can still subtract months.

use std::collections::BTreeMap;

/// The least number that is not few (privacy: counts under 5 are suppressed).
pub const ENOUGH: u32 = 5;

/// How many there are at least when half of them is told, and when a tenth is: no fewer than [`ENOUGH`] on either side.
const ENOUGH_FOR_MEDIAN: u32 = 10;
const ENOUGH_FOR_DECILE: u32 = 50;

/// The milestone that is due on the day of intake.
const AT_INTAKE: &str = "BASELINE";

/// How many milestones of one code fell due, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Fell due; excused ones are not counted.
    pub due: u32,
    /// Of these, done inside their window.
    pub done: u32,
    /// Of these, done after it.
    pub done_late: u32,
    /// Of these, missed.
    pub missed: u32,
}

/// What there is to report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By code of the milestone.
    pub milestones: BTreeMap<String, Due>,
    /// Survivors taken in.
    pub intakes: u32,
    /// Of these, how many days later each attended a session, of those who did.
    pub days_to_first_session: Vec<u32>,
    /// Plans closed.
    pub closed: u32,
    /// Of these, dropped out.
    pub dropped_out: u32,
}

/// What of [`Due`] is shown; none is withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DueShown {
    /// See [`Due::due`].
    pub due: Option<u32>,
    /// See [`Due::done`].
    pub done: Option<u32>,
    /// See [`Due::done_late`].
    pub done_late: Option<u32>,
    /// See [`Due::missed`].
    pub missed: Option<u32>,
}

/// What of [`Counts`] is shown; none is withheld.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By code of the milestone.
    pub milestones: BTreeMap<String, DueShown>,
    /// See [`Counts::intakes`].
    pub intakes: Option<u32>,
    /// How many of these have attended a session.
    pub first_sessions: Option<u32>,
    /// The days after which half of those had, the lower of two in the middle; of ten people or more.
    pub median_days: Option<u32>,
    /// The days after which nine of ten had; of fifty people or more.
    pub ninth_decile_days: Option<u32>,
    /// See [`Counts::closed`].
    pub closed: Option<u32>,
    /// See [`Counts::dropped_out`].
    pub dropped_out: Option<u32>,
}

impl Counts {
    /// What can be shown of it.
    pub fn report(&self) -> Report {
        let rule = Rule { enough: ENOUGH };
        let baseline = self.milestones.get(AT_INTAKE).copied().unwrap_or_default();
        let attended = u32::try_from(self.days_to_first_session.len()).unwrap_or(u32::MAX);
        let (intakes, first_sessions) = rule.taken_in(self.intakes, attended, baseline);
        let (closed, dropped_out) = rule.part(self.closed, self.dropped_out);
        let mut days = self.days_to_first_session.clone();
        days.sort_unstable();
        let tenths = |tenths, least| quantile(&days, tenths).filter(|_| first_sessions.is_some_and(|it| it >= least));
        Report {
            milestones: self.milestones.iter().map(|(code, due)| (code.clone(), rule.due(*due))).collect(),
            intakes,
            first_sessions,
            median_days: tenths(5, ENOUGH_FOR_MEDIAN),
            ninth_decile_days: tenths(9, ENOUGH_FOR_DECILE),
            closed,
            dropped_out,
        }
    }
}

impl DueShown {
    /// Done of due, in per cent, rounded down; none when a number it rests on is withheld, or nothing was due.
    pub fn response_per_cent(&self) -> Option<u32> {
        let (due, done) = self.due.zip(self.done)?;
        u32::try_from((u64::from(done) * 100).checked_div(u64::from(due))?).ok()
    }
}

/// The least of sorted numbers that so many tenths of them do not exceed.
fn quantile(sorted: &[u32], tenths: usize) -> Option<u32> {
    sorted.get((sorted.len() * tenths).div_ceil(10).checked_sub(1)?).copied()
}

/// What is withheld, by the least number that is not few.
#[derive(Clone, Copy, Debug)]
struct Rule {
    enough: u32,
}

impl Rule {
    fn is_few(self, count: u32) -> bool {
        (1..self.enough).contains(&count)
    }

    fn unless_few(self, count: u32) -> Option<u32> {
        (!self.is_few(count)).then_some(count)
    }

    /// A sum of which three parts are told, and the rest, which is still open, is not.
    fn due(self, it: Due) -> DueShown {
        let open = it.due.saturating_sub(it.done + it.done_late + it.missed);
        let any = [it.due, it.done, it.done_late, it.missed, open].into_iter().any(|count| self.is_few(count));
        DueShown {
            due: (!any).then_some(it.due),
            done: self.unless_few(it.done),
            done_late: self.unless_few(it.done_late),
            missed: self.unless_few(it.missed),
        }
    }

    /// A sum of which one part is told.
    fn part(self, sum: u32, part: u32) -> (Option<u32>, Option<u32>) {
        let rest = sum.saturating_sub(part);
        (self.unless_few(sum), self.unless_few(part).filter(|_| !self.is_few(rest)))
    }

    /// Intakes, and how many of them have attended a session.
    fn taken_in(self, intakes: u32, attended: u32, baseline: Due) -> (Option<u32>, Option<u32>) {
        let (sum, part) = self.part(intakes, attended);
        let told = self.due(baseline).due.is_some() && !self.is_few(intakes.abs_diff(baseline.due));
        let sum = sum.filter(|_| told);
        (sum, part.filter(|_| sum.is_some()))
    }
}

#[cfg(test)]
mod tests;
