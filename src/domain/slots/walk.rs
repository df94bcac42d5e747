//! The walk through the times of a search, best first, before it is known what other sessions take.
//!
//! Whoever shows a page needs to know only what is taken at the times that the walk has come by.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Merit, Rank, Search, Start, grid, leads, merit, places, worked_at};
use crate::domain::ids::CounsellorId;
use crate::domain::place::Place;
use crate::domain::rules::{Basis, Facts, keeps};
use crate::domain::time::Span;

/// A counsellor at a place.
struct Way<'f> {
    counsellor_id: CounsellorId,
    place: Place,
    zone: Tz,
    worked: &'f [Span],
    merit: Merit,
}

/// Times that nothing but the load of the counsellors tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// What they have for the client.
    pub merit: Merit,
    /// When all of them start.
    pub starts_at: DateTime<Utc>,
    /// Each of them.
    pub starts: Vec<Start>,
}

/// The times of a search at which nothing but other sessions may stand in the way, best first.
pub struct Walk<'f> {
    search: &'f Search,
    facts: &'f Facts,
    ways: Vec<Way<'f>>,
    /// The next time of every way.
    next: BinaryHeap<Reverse<(Merit, DateTime<Utc>, usize)>>,
    /// The ways of the last tie, whose next times nobody has looked for yet.
    behind: Vec<(usize, DateTime<Utc>)>,
}

impl<'f> Walk<'f> {
    /// Begins at the times of a rank, or with the best. The facts need not tell what is taken.
    pub fn new(search: &'f Search, facts: &'f Facts, at: Option<Rank>) -> Self {
        let mut walk = Self { search, facts, ways: Vec::new(), next: BinaryHeap::new(), behind: Vec::new() };
        let at = at.map(|rank| rank.time());
        for (id, counsellor) in leads(search, facts) {
            for place in places(search, counsellor, facts) {
                let (merit, _) = merit(search, facts, *id, place);
                let from = match at {
                    Some((done, _)) if merit < done => continue,
                    Some((same, starts_at)) if merit == same => starts_at.max(search.window.starts_at()),
                    _ => search.window.starts_at(),
                };
                let Some(zone) = facts.zone_of(*id, place) else { continue };
                let way = Way { counsellor_id: *id, place, zone, worked: worked_at(counsellor, place), merit };
                if way.suits(search, facts) {
                    walk.ways.push(way);
                    walk.advance(walk.ways.len() - 1, from);
                }
            }
        }
        walk
    }

    /// The best times that are left.
    pub fn tie(&mut self) -> Option<Tie> {
        for (way, from) in std::mem::take(&mut self.behind) {
            self.advance(way, from);
        }
        let Reverse((merit, starts_at, _)) = *self.next.peek()?;
        let mut starts = Vec::new();
        while let Some(Reverse((_, _, way))) =
            self.next.peek().copied().filter(|it| (it.0.0, it.0.1) == (merit, starts_at))
        {
            self.next.pop();
            starts.extend(self.ways[way].start(Span::lasting(starts_at, self.search.length)));
            self.behind.push((way, starts_at + TimeDelta::microseconds(1)));
        }
        Some(Tie { merit, starts_at, starts })
    }

    /// Finds the next time of a way.
    fn advance(&mut self, way: usize, from: DateTime<Utc>) {
        let it = &self.ways[way];
        if let Some(start) = it.first(self.search, self.facts, from) {
            self.next.push(Reverse((it.merit, start.span.starts_at(), way)));
        }
    }
}

impl Way<'_> {
    fn start(&self, span: Option<Span>) -> Option<Start> {
        Some(Start { counsellor_id: self.counsellor_id, place: self.place, span: span?, zone: self.zone })
    }

    /// Whether there can be a time at all.
    fn suits(&self, search: &Search, facts: &Facts) -> bool {
        let some_time = self.start(Span::lasting(search.window.starts_at(), search.length));
        some_time.is_some_and(|start| keeps(start.anywhere(search), facts, Basis::Meeting))
    }

    /// The first time from some time on.
    fn first(&self, search: &Search, facts: &Facts, from: DateTime<Utc>) -> Option<Start> {
        let past = self.worked.partition_point(|worked| worked.ends_at() <= from);
        let spans = self.worked[past..].iter().flat_map(|worked| grid(search, *worked, from, self.zone));
        let mut starts = spans.filter_map(|span| self.start(Some(span)));
        starts.find(|start| keeps(start.anywhere(search), facts, Basis::Time))
    }
}
