//! Series, told a second time: which of their sessions are booked, skipped and refused, and which are moved.

use std::cmp::Reverse;

use super::cast::{DAY, Place};
use super::truth::{Codes, On, Row, State, Told, Truth, Wanted};

/// A series: what was planned under each number.
#[derive(Clone, Debug)]
pub struct Course {
    pub id: String,
    /// Who, what and where; its start is that of no session.
    pub what: Wanted,
    pub plan: Vec<Planned>,
    /// Days that were left out because of a closure.
    pub skipped: Vec<(i64, Codes)>,
}

/// What was planned under a number, and what stood in the way when it was last asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub starts: i64,
    pub length: i64,
    pub refused: Codes,
}

/// A daily series that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct Daily {
    pub days: i64,
    /// Which of them is left out from the beginning.
    pub except: Option<i64>,
    pub whole: bool,
    /// Whether it goes on after days on which nobody can meet.
    pub skips: bool,
}

/// How what is to come of a series is moved.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// To the days from this one on; to their own when none.
    pub first_day: Option<i64>,
    /// Minute of the day.
    pub time: i64,
    pub whole: bool,
}

/// What becomes of one session of a series that is asked for or moved: with what rules overridden it is
/// placed, or what stands in the way.
pub struct Tried {
    pub number: usize,
    pub what: Wanted,
    /// The session whose place it takes, when it is moved.
    pub old: Option<usize>,
    pub told: Result<Told, Codes>,
}

impl Truth {
    fn try_to_place(&self, it: &Wanted, except: &str, allowed: &Codes) -> (Wanted, Result<Told, Codes>) {
        let what = self.with_room(it, except);
        let (overridden, left): (Told, Told) =
            self.broken(&what, except, On::Placing).into_iter().partition(|(_, code)| allowed.contains(code));
        let left: Codes = left.into_iter().map(|(_, code)| code).collect();
        (what, if left.is_empty() { Ok(overridden) } else { Err(left) })
    }

    /// What a daily series leads to, by number, and the days that it skips.
    pub fn daily(&self, it: &Wanted, how: &Daily, allowed: &Codes) -> (Vec<Tried>, Vec<(i64, Codes)>) {
        let mut world = self.clone();
        let (mut all, mut skipped) = (Vec::new(), Vec::new());
        let count = how.days - i64::from(how.except.is_some());
        let mut days = (0..).filter(|day| Some(*day) != how.except);
        while (all.len() as i64) < count {
            let starts = it.starts + days.next().unwrap_or_default() * DAY;
            let wanted = Wanted { starts, ends: starts + it.ends - it.starts, ..it.clone() };
            let (what, told) = world.try_to_place(&wanted, "", allowed);
            match &told {
                Err(codes) if how.skips && codes.iter().all(|it| ["HOLIDAY", "ON_LEAVE"].contains(it)) => {
                    skipped.push((starts, codes.clone()));
                    continue;
                }
                Ok(_) => world.rows.push(Row::new("", what.clone(), State::Booked, Told::new(), "", self.now)),
                Err(_) => {}
            }
            all.push(Tried { number: all.len() + 1, what, old: None, told });
        }
        (all, skipped)
    }

    /// The sessions of a series from a number on that can still be moved or cancelled, by number.
    pub fn open_of(&self, course: usize, from: usize) -> Vec<usize> {
        let open = |row: &Row| {
            let number = row.series.filter(|(of, _)| *of == course).map(|(_, number)| number);
            row.state == State::Booked && row.what.starts > self.now && number.is_some_and(|it| it >= from)
        };
        let mut all: Vec<usize> = (0..self.rows.len()).filter(|at| open(&self.rows[*at])).collect();
        all.sort_by_key(|at| self.rows[*at].series);
        all
    }

    /// What moving sessions leads to. Those that come earlier go first, then those that come later, the
    /// last of them first.
    pub fn shift(&self, open: &[usize], how: &Shift, leader: Option<usize>, allowed: &Codes) -> Vec<Tried> {
        let mut moves = Vec::new();
        for (nth, at) in open.iter().enumerate() {
            let old = &self.rows[*at].what;
            let day = how.first_day.map_or(old.day(), |first| first + nth as i64);
            let starts = day * DAY + how.time;
            let place = if let Place::Host(_) = old.place { Place::Host(0) } else { old.place };
            let counsellor = leader.unwrap_or(old.counsellor);
            let wanted = Wanted { starts, ends: starts + old.ends - old.starts, counsellor, place, ..old.clone() };
            if starts != old.starts || counsellor != old.counsellor {
                moves.push((*at, wanted));
            }
        }
        let mut world = self.clone();
        let later = |(at, to): &(usize, Wanted)| to.starts > self.rows[*at].what.starts;
        let (mut backward, forward): (Vec<_>, Vec<_>) = moves.into_iter().partition(|it| !later(it));
        let (mut forward, was) = (forward, |at: usize| self.rows[at].what.starts);
        backward.sort_by_key(|(at, _)| was(*at));
        forward.sort_by_key(|(at, _)| Reverse(was(*at)));
        let mut all = Vec::new();
        for (at, wanted) in backward.into_iter().chain(forward) {
            let (what, told) = world.try_to_place(&wanted, &self.rows[at].id, allowed);
            if told.is_ok() {
                world.rows[at].state = State::Cancelled;
                world.rows.push(Row::new("", what.clone(), State::Booked, Told::new(), "", self.now));
            }
            let number = self.rows[at].series.map_or(0, |(_, number)| number);
            all.push(Tried { number, what, old: Some(at), told });
        }
        all.sort_by_key(|it| it.number);
        all
    }

    /// The session that stands under a number, or those of which one was the last that did.
    pub fn under(&self, course: usize, number: usize) -> Vec<&Row> {
        let mut all: Vec<&Row> = self.rows.iter().filter(|it| it.series == Some((course, number))).collect();
        all.retain(|it| !matches!(it.state, State::Moved { .. }));
        if let Some(booked) = all.iter().find(|it| it.state == State::Booked) {
            return vec![booked];
        }
        let last = all.iter().map(|it| it.created).max();
        all.retain(|it| Some(it.created) == last);
        all
    }
}
