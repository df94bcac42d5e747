//! Hunts for the best free times: it follows the walk through the times of a search, and reads what other sessions take
//! at those times alone, until a page is full.

use std::collections::{BTreeSet, VecDeque};

use chrono::TimeDelta;

use crate::domain::ids::{CounsellorId, VenueId};
use crate::domain::rules::Facts;
use crate::domain::slots::{Rank, Search, Slot, Start, Tie, Walk, free, note_lightest};
use crate::domain::time::Span;
use crate::store::Tx;
use crate::usecase::error::Result;
use crate::usecase::facts::{self, Ask, FEW_COUNSELLORS, Known, Places};

/// Of a time at which more counsellors could start, so many are looked at first, and each time four times as many. \[P\]
const FIRST: usize = 32;
/// So many times are looked at together at most. \[P\]
const MOST: usize = 8_192;
/// The first times that are looked at together lie within this, if many counsellors suit as well: what is taken at one is
/// near what is taken at the others. \[P\]
const REACH: TimeDelta = TimeDelta::hours(18);
/// How far it grows: where little is free, a look each day costs more than what it reads. \[P\]
const MOST_REACH: TimeDelta = TimeDelta::days(4);
/// How far it grows if few do, such as the one whom the client has seen before, of whom everything is read anyway. \[P\]
const MOST_REACH_OF_FEW: TimeDelta = TimeDelta::days(14);

/// What is needed to hunt for free times.
pub(super) struct Hunt<'a> {
    ask: &'a Ask<'a>,
    known: &'a Known,
    search: &'a Search,
    /// What is known whoever takes what.
    untaken: Facts,
    after: Option<Rank>,
    most: usize,
}

/// Times in the order of the walk that nobody has looked at yet.
struct Ahead<'h> {
    walk: Walk<'h>,
    tie: Option<Tie>,
    /// The rest of a tie that is too large to be looked at at once, by load.
    rest: VecDeque<Start>,
}

impl<'a> Hunt<'a> {
    /// For at least so many free times after a rank, if there are.
    pub(super) fn new(
        ask: &'a Ask<'a>,
        known: &'a Known,
        search: &'a Search,
        after: Option<Rank>,
        most: usize,
    ) -> Result<Self> {
        Ok(Self { ask, known, search, untaken: facts::untaken(ask, known)?, after, most })
    }

    /// The best free times among those that will do, in order; fewer than were hunted for are all there are.
    pub(super) async fn run(&self, tx: &mut Tx, will_do: impl Fn(&Slot) -> bool) -> Result<Vec<Slot>> {
        let walk = Walk::new(self.search, &self.untaken, self.after);
        let mut ahead = Ahead { walk, tie: None, rest: VecDeque::new() };
        let wanted = |slot: &Slot| self.after.is_none_or(|after| slot.rank > after) && will_do(slot);
        let (mut found, mut enough, mut size) = (Vec::new(), 0, FIRST);
        while enough < self.most {
            let starts = self.next(tx, &mut ahead, size).await?;
            if starts.is_empty() {
                break;
            }
            let more = free(starts.iter().copied(), self.search, &self.about(tx, &starts).await?);
            enough += more.iter().filter(|slot| wanted(slot)).count();
            found.extend(more);
            size = MOST.min(size * 4);
        }
        // Whoever starts with the first of a page may stand on the page before, or be looked at before the others.
        note_lightest(&mut found);
        found.retain(wanted);
        Ok(found)
    }

    /// About so many times, of one merit and not far from each other.
    async fn next(&self, tx: &mut Tx, ahead: &mut Ahead<'_>, size: usize) -> Result<Vec<Start>> {
        let mut starts: Vec<Start> = ahead.rest.drain(..size.min(ahead.rest.len())).collect();
        let mut first: Option<(Tie, TimeDelta)> = None;
        while starts.len() < MOST && ahead.rest.is_empty() {
            let Some(mut tie) = ahead.tie.take().or_else(|| ahead.walk.tie()) else { break };
            let fits = first
                .as_ref()
                .is_none_or(|(first, reach)| first.merit == tie.merit && tie.starts_at < first.starts_at + *reach);
            let is_large = tie.starts.len() > 2 * size;
            if !starts.is_empty() && (first.is_none() || !fits || is_large) {
                ahead.tie = Some(tie);
                break;
            }
            if is_large {
                self.sort_by_load(tx, &mut tie.starts).await?;
                ahead.rest = tie.starts.split_off(size).into();
            }
            starts.append(&mut tie.starts);
            let reach = reach(size, ahead.walk.peers(tie.merit));
            first.get_or_insert((tie, reach));
        }
        Ok(starts)
    }

    /// Sorts times that start together as they rank.
    async fn sort_by_load(&self, tx: &mut Tx, starts: &mut [Start]) -> Result<()> {
        let Some(first) = starts.first() else { return Ok(()) };
        // The day on which they start.
        let around = Span::lasting(first.span.starts_at(), TimeDelta::microseconds(1)).unwrap_or(first.span);
        let loads = facts::loads_on(tx, &self.ask_about(starts, around)).await?;
        let load = |id: CounsellorId| loads.get(&id).copied().unwrap_or_default();
        starts.sort_by_key(|it| (load(it.counsellor_id), it.counsellor_id, it.place.venue_id()));
        Ok(())
    }

    /// What is known about some times.
    async fn about(&self, tx: &mut Tx, starts: &[Start]) -> Result<Facts> {
        let from = starts.iter().map(|it| it.span.starts_at()).min();
        let until = starts.iter().map(|it| it.span.ends_at()).max();
        let around = from.zip(until).and_then(|(from, until)| Span::new(from, until)).unwrap_or(self.ask.around);
        facts::load_taken(tx, &self.ask_about(starts, around), self.known).await
    }

    /// The question about the counsellors and places of some times.
    fn ask_about(&self, starts: &[Start], around: Span) -> Ask<'a> {
        let mut counsellors: BTreeSet<CounsellorId> = starts.iter().map(|it| it.counsellor_id).collect();
        counsellors.extend(&self.search.party.co_facilitators);
        let venues: BTreeSet<VenueId> = starts.iter().filter_map(|it| it.place.venue_id()).collect();
        let remote = starts.iter().any(|it| it.place.venue_id().is_none());
        Ask {
            counsellors: counsellors.iter().filter_map(|id| self.ask.directories.counsellor(*id)).collect(),
            places: Places::These(venues.into_iter().collect(), remote),
            around,
            ..self.ask.clone()
        }
    }
}

/// How far times may lie apart that are looked at together, if so many counsellors suit as well.
fn reach(size: usize, peers: usize) -> TimeDelta {
    let most = if peers > FEW_COUNSELLORS { MOST_REACH } else { MOST_REACH_OF_FEW };
    let times = (FIRST / peers.max(1)).max(1) * (size / FIRST);
    most.min(REACH * i32::try_from(times).unwrap_or(1))
}
