//! The walk through the times of a search, best first, before it is known what other sessions take.
//!
//! Whoever shows a page needs to know only what is taken at the times that the walk has come by.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::merit::merit;
use super::start::{grid, places, worked_at};
use super::{Merit, Rank, Search, Start, leads};
use crate::domain::code::Modality;
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
    next: BinaryHeap<Reverse<Next>>,
}

/// The next time of a way, or one before which there is none until somebody looks: these come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    merit: Merit,
    at: DateTime<Utc>,
    is_found: bool,
    way: usize,
}

impl<'f> Walk<'f> {
    /// Begins at the times of a rank, or with the best. The facts need not tell what is taken.
    pub fn new(search: &'f Search, facts: &'f Facts, at: Option<Rank>) -> Self {
        let mut walk = Self { search, facts, ways: Vec::new(), next: BinaryHeap::new() };
        let (at, begin) = (at.map(|rank| rank.time()), search.window.starts_at());
        for (id, counsellor) in leads(search, facts) {
            // Who suits at one place suits at every other of its kind.
            let mut suits: BTreeMap<Modality, bool> = BTreeMap::new();
            for place in places(search, counsellor, facts) {
                let Some(zone) = facts.zone_of(*id, place) else { continue };
                let merit = merit(search, facts, *id, place);
                let way = Way { counsellor_id: *id, place, zone, worked: worked_at(counsellor, place), merit };
                let from = match at {
                    Some((done, _)) if merit < done => continue,
                    Some((same, starts_at)) if merit == same => starts_at.max(begin),
                    _ => begin,
                };
                if *suits.entry(place.modality()).or_insert_with(|| way.suits(search, facts)) {
                    walk.ways.push(way);
                    walk.follow(walk.ways.len() - 1, from);
                }
            }
        }
        walk
    }

    /// How many counsellors have that much for the client.
    pub fn peers(&self, merit: Merit) -> usize {
        let peers = self.ways.iter().filter(|way| way.merit == merit).map(|way| way.counsellor_id);
        peers.collect::<BTreeSet<_>>().len()
    }

    /// The best times that are left.
    pub fn tie(&mut self) -> Option<Tie> {
        while let Some(Reverse(next)) = self.next.peek().copied().filter(|Reverse(next)| !next.is_found) {
            self.next.pop();
            if let Some(start) = self.ways[next.way].first(self.search, self.facts, next.at) {
                self.next.push(Reverse(Next { at: start.span.starts_at(), is_found: true, ..next }));
            }
        }
        let Reverse(Next { merit, at, .. }) = *self.next.peek()?;
        let mut starts = Vec::new();
        while let Some(Reverse(next)) = self.next.peek().copied().filter(|Reverse(it)| (it.merit, it.at) == (merit, at))
        {
            self.next.pop();
            starts.extend(self.ways[next.way].start(Span::lasting(at, self.search.length)));
            self.follow(next.way, at + TimeDelta::microseconds(1));
        }
        Some(Tie { merit, starts_at: at, starts })
    }

    /// Goes on along a way, from when its counsellor works again.
    fn follow(&mut self, way: usize, from: DateTime<Utc>) {
        let it = &self.ways[way];
        let worked = it.worked.get(it.worked.partition_point(|worked| worked.ends_at() <= from));
        if let Some(worked) = worked {
            let at = worked.starts_at().max(from);
            self.next.push(Reverse(Next { merit: it.merit, at, is_found: false, way }));
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
