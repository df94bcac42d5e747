//! What must be true, told a second time: plain loops over plain lists, in whole minutes since local
//! midnight of the first day (Asia/Kolkata, where no clock ever changes). Shares no line with the rules.

use std::collections::{BTreeMap, BTreeSet};

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};

/// Codes of broken rules.
pub type Codes = BTreeSet<&'static str>;

/// The soft rules that this world can break.
pub const SOFT: [&str; 6] =
    ["OUTSIDE_WORKING_HOURS", "ON_LEAVE", "HOLIDAY", "DAILY_LOAD", "TRAVEL", "GUARDIAN_REQUIRED"];

/// Who, what, where and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    pub client: usize,
    pub counsellor: usize,
    pub service: i32,
    pub place: Place,
    pub starts: i64,
    pub ends: i64,
    pub guardian: bool,
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
    pub overridden: Codes,
    pub supersedes: String,
    /// The flags with which it started, after which nothing changes them.
    pub started_with: Option<Codes>,
}

/// The world as it should be.
#[derive(Clone, Debug)]
pub struct Truth {
    pub now: i64,
    pub rows: Vec<Row>,
    /// By organisation.
    pub agreement: [bool; 2],
    /// By client.
    pub consent: [bool; 7],
    pub prefers_female: [bool; 7],
    pub guardian_safe: bool,
    /// By counsellor.
    pub verified_until: [i64; 6],
    pub short_hours: [bool; 6],
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
            consent: [true; 7],
            prefers_female: [false; 7],
            guardian_safe: true,
            verified_until: [999; 6],
            short_hours: [false; 6],
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

    fn linked(&self, one: usize, other: usize) -> bool {
        let crime = |crime| self.parties.contains(&(crime, one)) && self.parties.contains(&(crime, other));
        let declared = |a, b| self.no_contact.contains(&(a, b));
        (0..2).any(crime) || declared(one, other) || declared(other, one)
    }

    /// What a session breaks: when it is to be placed, or (`standing`) when it stands already.
    pub fn broken(&self, it: &Wanted, except: &str, standing: bool) -> Codes {
        let mut codes = self.broken_by_people(it);
        codes.extend(self.broken_by_calendars(it));
        if !standing {
            codes.extend(self.broken_by_others(it, except));
        }
        if self.not_available(it, except, standing) {
            codes.insert("SLOT_NOT_AVAILABLE");
        }
        codes
    }

    fn broken_by_people(&self, it: &Wanted) -> Codes {
        let mut codes = Codes::new();
        let (client, counsellor, day) = (&CLIENTS[it.client], &COUNSELLORS[it.counsellor], it.starts / DAY);
        if client.survivor != counsellor.survivor || client.survivor != (it.service <= 4) {
            codes.insert("WRONG_SIDE");
        }
        if counsellor.survivor == (it.service <= 4) && !counsellor.services.contains(&it.service) {
            codes.insert("NOT_QUALIFIED");
        }
        if self.verified_until[it.counsellor] < day {
            codes.insert("NOT_VERIFIED");
        }
        if !self.agreement[client.org] {
            codes.insert("NO_AGREEMENT");
        }
        if self.conflicts.contains(&(it.client, it.counsellor)) {
            codes.insert("CONFLICT_OF_INTEREST");
        }
        if self.prefers_female[it.client] && !counsellor.female {
            codes.insert("COUNSELLOR_GENDER");
        }
        if client.survivor && !(self.consent[it.client] && (!client.child || self.guardian_safe)) {
            codes.insert("CONSENT_MISSING");
        }
        if client.child && it.place != Place::Remote && !(it.guardian && self.guardian_safe) {
            codes.insert("GUARDIAN_REQUIRED");
        }
        codes
    }

    fn broken_by_calendars(&self, it: &Wanted) -> Codes {
        let mut codes = Codes::new();
        let (day, from, until) = (it.starts / DAY, it.starts % DAY, it.starts % DAY + it.ends - it.starts);
        let end_of_work = if self.short_hours[it.counsellor] { 13 * 60 } else { 17 * 60 + 30 };
        if from < 9 * 60 + 30 || until > end_of_work {
            codes.insert("OUTSIDE_WORKING_HOURS");
        }
        if self.leave.contains(&(it.counsellor, day)) {
            codes.insert("ON_LEAVE");
        }
        if it.place.site() == Some(0) {
            if self.holiday == Some(day) {
                codes.insert("HOLIDAY");
            }
            let (opens, closes) = side_hours(self.timetable, CLIENTS[it.client].survivor, day);
            if from < opens || until > closes {
                codes.insert("VENUE_SIDE_HOURS");
            }
        }
        codes
    }

    fn broken_by_others(&self, it: &Wanted, except: &str) -> Codes {
        let mut codes = Codes::new();
        if it.starts < self.now - 15 {
            codes.insert("IN_THE_PAST");
        }
        let counsellor = &COUNSELLORS[it.counsellor];
        let (mut same_day, around) = (0, counsellor.before + counsellor.after);
        for other in self.standing().filter(|row| row.id != except).map(|row| &row.what) {
            if other.client == it.client && apart(it, other) < 0 {
                codes.insert("CLIENT_BUSY");
            }
            let same_taker = taker(other) == taker(it);
            if it.place.room() != 0 && other.place == it.place && same_taker && apart(it, other) < 0 {
                codes.insert("ROOM_BUSY");
            }
            if other.counsellor == it.counsellor {
                same_day += usize::from(other.starts / DAY == it.starts / DAY);
                if apart(it, other) < around {
                    codes.insert("COUNSELLOR_BUSY");
                }
                let sites = it.place.site().zip(other.place.site());
                if sites.is_some_and(|(here, there)| here != there) && apart(it, other) < 30 {
                    codes.insert("TRAVEL");
                }
            }
        }
        if counsellor.daily_limit.is_some_and(|most| same_day >= most) {
            codes.insert("DAILY_LOAD");
        }
        codes
    }

    /// The other side too close, somebody linked there that day, or others in the room. What is only
    /// held does not count against what stands.
    fn not_available(&self, it: &Wanted, except: &str, standing: bool) -> bool {
        let survivor = CLIENTS[it.client].survivor;
        self.standing().filter(|row| row.id != except && it.place.site().is_some()).any(|row| {
            let other = &row.what;
            let other_side = CLIENTS[other.client].survivor != survivor && other.place.site() == it.place.site();
            let too_close = other_side && apart(it, other) < self.gap;
            let counts = !standing || row.state == State::Booked;
            let linked = counts && other_side && self.linked(it.client, other.client);
            let same_room = it.place.room() != 0 && other.place == it.place && taker(other) != taker(it);
            too_close || (linked && other.starts / DAY == it.starts / DAY) || (same_room && apart(it, other) < 0)
        })
    }

    /// The first room that is free, or the first that only others have, or the first of all.
    pub fn with_room(&self, it: &Wanted, except: &str) -> Wanted {
        let taken = |place: Place, own_only: bool| {
            let mut others = self.standing().filter(|row| row.id != except).map(|row| &row.what);
            let counts = |other: &Wanted| !own_only || taker(other) == taker(it);
            others.any(|other| other.place == place && apart(it, other) < 0 && counts(other))
        };
        let rooms = [Place::Host(1), Place::Host(2)];
        let first = |own_only| rooms.into_iter().find(|room| !taken(*room, own_only));
        match it.place {
            Place::Host(0) => Wanted { place: first(false).or(first(true)).unwrap_or(rooms[0]), ..*it },
            _ => *it,
        }
    }

    /// The flags that a row should have now.
    pub fn flags(&self, row: &Row) -> Codes {
        match (&row.state, &row.started_with) {
            (State::Booked, Some(flags)) => flags.clone(),
            (State::Booked, None) => {
                self.broken(&row.what, &row.id, true).difference(&row.overridden).copied().collect()
            }
            _ => Codes::new(),
        }
    }

    /// The flags of every row, by id.
    pub fn all_flags(&self) -> BTreeMap<String, Codes> {
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
        let here = |row: &&Row| row.what.place.site() == Some(0);
        self.standing().filter(here).any(|one| {
            let survivor = CLIENTS[one.what.client].survivor;
            let others = self.standing().filter(here).filter(|other| CLIENTS[other.what.client].survivor != survivor);
            others.into_iter().any(|other| apart(&one.what, &other.what) < gap)
        })
    }

    /// What no state may ever show, whatever led to it.
    pub fn violations(&self) -> Vec<String> {
        let all: Vec<&Row> = self.standing().collect();
        let mut found = Vec::new();
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                let (a, b) = (&one.what, &other.what);
                let here = a.place.site().is_some() && a.place.site() == b.place.site();
                let sides = CLIENTS[a.client].survivor != CLIENTS[b.client].survivor;
                let around = COUNSELLORS[a.counsellor].before + COUNSELLORS[a.counsellor].after;
                let room = a.place.room() != 0 && a.place == b.place;
                let flagged = |row: &Row| row.what.starts <= self.now || !self.flags(row).is_empty();
                let booked = one.state == State::Booked && other.state == State::Booked;
                let meets =
                    here && sides && booked && self.linked(a.client, b.client) && a.starts / DAY == b.starts / DAY;
                let wrong = (a.client == b.client && apart(a, b) < 0)
                    || (a.counsellor == b.counsellor && apart(a, b) < around)
                    || (room && apart(a, b) < 0)
                    || (here && sides && apart(a, b) < self.gap)
                    || (meets && !(flagged(one) && flagged(other)));
                if wrong {
                    found.push(format!("{a:?} and {b:?}"));
                }
            }
        }
        for org in 0..2 {
            if all.iter().filter(|row| self.is_held(row) && CLIENTS[row.what.client].org == org).count() > 10 {
                found.push(format!("more than ten holds of organisation {org}"));
            }
        }
        found
    }
}

/// Minutes between the end of one and the start of the other; less than none when they overlap.
fn apart(one: &Wanted, other: &Wanted) -> i64 {
    (one.starts - other.ends).max(other.starts - one.ends)
}

fn taker(it: &Wanted) -> (usize, bool) {
    (CLIENTS[it.client].org, CLIENTS[it.client].survivor)
}

/// When the shared site is open for a side, in minutes of a day: by no timetable, by one that divides
/// every day, by one that gives Monday and Wednesday to survivors and Tuesday to offenders.
fn side_hours(timetable: u8, survivor: bool, day: i64) -> (i64, i64) {
    match (timetable, survivor) {
        (0, _) => (0, 2 * DAY),
        (1, true) => (9 * 60, 12 * 60),
        (1, false) => (15 * 60, 18 * 60),
        (_, _) if survivor == (day % 7 == 0 || day % 7 == 2) && day % 7 < 3 => (9 * 60, 18 * 60),
        _ => (0, 0),
    }
}
