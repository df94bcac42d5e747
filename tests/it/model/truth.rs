//! The world as it should be: plain lists, in whole minutes since local midnight of the first day
//! (Asia/Kolkata, where no clock ever changes).

use std::collections::{BTreeMap, BTreeSet};

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};

/// Codes of broken rules.
pub type Codes = BTreeSet<&'static str>;

/// Codes of broken rules, each with the client whom it is about; none is the session as a whole.
pub type Told = BTreeSet<(Option<usize>, &'static str)>;

/// The soft rules that this world can break.
pub const SOFT: [&str; 7] =
    ["OUTSIDE_WORKING_HOURS", "ON_LEAVE", "HOLIDAY", "DAILY_LOAD", "TRAVEL", "LANGUAGE", "GUARDIAN_REQUIRED"];

/// A client who is to come, and with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guest {
    pub client: usize,
    pub guardian: bool,
    pub interpreter: bool,
}

/// Who, what, where and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub org: usize,
    pub guests: Vec<Guest>,
    /// For how many; one to one is 1.
    pub capacity: usize,
    pub counsellor: usize,
    /// Who leads a group beside the counsellor.
    pub beside: Vec<usize>,
    pub service: i32,
    pub place: Place,
    pub starts: i64,
    pub ends: i64,
}

impl Wanted {
    pub fn is_group(&self) -> bool {
        self.capacity > 1
    }

    pub fn clients(&self) -> impl Iterator<Item = usize> {
        self.guests.iter().map(|it| it.client)
    }

    pub fn has(&self, client: usize) -> bool {
        self.clients().any(|it| it == client)
    }

    pub fn counsellors(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.counsellor).chain(self.beside.iter().copied())
    }

    pub fn led_by(&self, counsellor: usize) -> bool {
        self.counsellors().any(|it| it == counsellor)
    }

    /// The side of those who come, or of who waits for them.
    pub fn survivor(&self) -> bool {
        self.guests.first().map_or(COUNSELLORS[self.counsellor].survivor, |it| CLIENTS[it.client].survivor)
    }

    /// For whom a room is taken.
    pub fn taker(&self) -> (usize, bool) {
        (self.org, self.survivor())
    }

    pub fn day(&self) -> i64 {
        self.starts / DAY
    }

    /// In an order that does not matter.
    pub fn sorted(mut self) -> Self {
        self.guests.sort_unstable();
        self.beside.sort_unstable();
        self
    }

    /// What is told of it to those who see it: of one to one everything is told of the whole, of a
    /// group everything once more.
    pub fn tell(&self, told: &Told) -> Told {
        let of_whole = told.iter().map(|(_, code)| (None, *code));
        let of_guests = told.iter().filter(|_| self.is_group()).copied();
        of_whole.chain(of_guests).collect()
    }
}

/// Where a session stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Held { until: i64 },
    Booked,
    Cancelled,
    Moved { to: String },
}

/// A session or a hold.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    pub what: Wanted,
    pub state: State,
    pub overridden: Told,
    pub supersedes: String,
    /// The flags with which it started, after which nothing changes them.
    pub started_with: Option<Told>,
}

/// The world as it should be.
#[derive(Clone, Debug)]
pub struct Truth {
    pub now: i64,
    pub rows: Vec<Row>,
    /// By organisation.
    pub agreement: [bool; 2],
    /// By client.
    pub consent: [bool; CLIENTS.len()],
    pub prefers_female: [bool; CLIENTS.len()],
    /// By child.
    pub guardian_safe: [bool; CLIENTS.len()],
    /// By counsellor.
    pub verified_until: [i64; COUNSELLORS.len()],
    pub short_hours: [bool; COUNSELLORS.len()],
    /// Counsellor and day, whole days.
    pub leave: BTreeSet<(usize, i64)>,
    /// Client and counsellor.
    pub conflicts: BTreeSet<(usize, usize)>,
    /// Crime and client.
    pub parties: BTreeSet<(usize, usize)>,
    /// Who declared, and whom.
    pub no_contact: BTreeSet<(usize, usize)>,
    pub timetable: u8,
    pub holiday: Option<i64>,
    pub gap: i64,
}

impl Truth {
    pub fn new(now: i64) -> Self {
        Self {
            now,
            rows: Vec::new(),
            agreement: [true; 2],
            consent: [true; CLIENTS.len()],
            prefers_female: [false; CLIENTS.len()],
            guardian_safe: [true; CLIENTS.len()],
            verified_until: [999; COUNSELLORS.len()],
            short_hours: [false; COUNSELLORS.len()],
            leave: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            parties: BTreeSet::new(),
            no_contact: BTreeSet::new(),
            timetable: 0,
            holiday: None,
            gap: 120,
        }
    }

    /// Sessions, and holds that have not expired.
    pub fn standing(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.state == State::Booked || self.is_held(row))
    }

    pub fn is_held(&self, row: &Row) -> bool {
        matches!(row.state, State::Held { until } if until > self.now)
    }

    /// The flags that a row should have now, as they are told.
    pub fn flags(&self, row: &Row) -> Told {
        match (&row.state, &row.started_with) {
            (State::Booked, Some(flags)) => flags.clone(),
            (State::Booked, None) => {
                let broken = self.broken(&row.what, &row.id, true);
                row.what.tell(&broken.difference(&row.overridden).copied().collect())
            }
            _ => Told::new(),
        }
    }

    /// The flags of every row, by id.
    pub fn all_flags(&self) -> BTreeMap<String, Told> {
        self.rows.iter().map(|row| (row.id.clone(), self.flags(row))).collect()
    }

    /// Lets time pass. What has started keeps its flags.
    pub fn pass(&mut self, minutes: i64) {
        self.now += minutes;
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            if row.state == State::Booked && row.started_with.is_none() && row.what.starts <= self.now {
                let flags = self.flags(row);
                self.rows[at].started_with = Some(flags);
            }
        }
    }

    /// Whether two of different sides at the shared site are closer than a gap.
    pub fn anybody_closer_than(&self, gap: i64) -> bool {
        let here: Vec<&Wanted> = self.standing().map(|row| &row.what).filter(|it| it.place.site() == Some(0)).collect();
        let close = |one: &Wanted, other: &Wanted| one.survivor() != other.survivor() && apart(one, other) < gap;
        here.iter().any(|one| here.iter().any(|other| close(one, other)))
    }

    /// What no state may ever show, whatever led to it.
    pub fn violations(&self) -> Vec<String> {
        let all: Vec<&Row> = self.standing().collect();
        let mut found = Vec::new();
        for (at, one) in all.iter().enumerate() {
            if one.what.guests.len() > one.what.capacity || self.is_mixed(&one.what) {
                found.push(format!("{:?}", one.what));
            }
            let others = all[at + 1..].iter().filter(|other| self.collide(one, other));
            found.extend(others.map(|other| format!("{:?} and {:?}", one.what, other.what)));
        }
        for org in 0..2 {
            if all.iter().filter(|row| self.is_held(row) && row.what.org == org).count() > 10 {
                found.push(format!("more than ten holds of organisation {org}"));
            }
        }
        found
    }

    fn is_mixed(&self, it: &Wanted) -> bool {
        let sides: BTreeSet<bool> = it.clients().map(|it| CLIENTS[it].survivor).collect();
        sides.len() > 1
    }

    fn collide(&self, one: &Row, other: &Row) -> bool {
        let (a, b) = (&one.what, &other.what);
        let here = a.place.site().is_some() && a.place.site() == b.place.site();
        let sides = a.survivor() != b.survivor();
        let busy = |it: usize| b.led_by(it) && apart(a, b) < COUNSELLORS[it].before + COUNSELLORS[it].after;
        let room = a.place.room() != 0 && a.place == b.place;
        let flagged = |row: &Row| row.what.starts <= self.now || !self.flags(row).is_empty();
        let booked = one.state == State::Booked && other.state == State::Booked;
        let meet = here && sides && booked && self.any_linked(a, b) && a.day() == b.day();
        (a.clients().any(|it| b.has(it)) && apart(a, b) < 0)
            || a.counsellors().any(busy)
            || (room && apart(a, b) < 0)
            || (here && sides && apart(a, b) < self.gap)
            || (meet && !(flagged(one) && flagged(other)))
    }
}

/// Minutes between the end of one and the start of the other; less than none when they overlap.
pub fn apart(one: &Wanted, other: &Wanted) -> i64 {
    (one.starts - other.ends).max(other.starts - one.ends)
}
