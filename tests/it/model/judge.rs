//! The booking rules, told a second time: plain loops over plain lists. Shares no line with the rules.

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};
use super::truth::{Codes, Guest, On, State, Told, Truth, Wanted, apart};

impl Truth {
    /// What a session breaks; what a session `except` takes counts as free.
    pub fn broken(&self, it: &Wanted, except: &str, on: On) -> Told {
        let mut codes = self.broken_by_leaders(it);
        codes.extend(self.broken_by_calendars(it));
        if on == On::Placing {
            codes.extend(self.broken_by_others(it, except));
        }
        if self.not_available(it, except, on == On::Standing) || self.any_kept_apart(it) {
            codes.insert("SLOT_NOT_AVAILABLE");
        }
        let mut told: Told = codes.into_iter().map(|code| (None, code)).collect();
        for guest in &it.guests {
            let mut codes = self.broken_by_guest(it, guest);
            let busy = |other: &Wanted| other.has(guest.client) && apart(it, other) < 0;
            if on != On::Standing && self.others(except).any(busy) {
                codes.insert("CLIENT_BUSY");
            }
            told.extend(codes.into_iter().map(|code| (Some(guest.client), code)));
        }
        told
    }

    fn others(&self, except: &str) -> impl Iterator<Item = &Wanted> {
        self.standing().filter(move |row| row.id != except).map(|row| &row.what)
    }

    fn broken_by_leaders(&self, it: &Wanted) -> Codes {
        let mut codes = Codes::new();
        let survivors = it.service <= 4;
        if it.clients().any(|client| CLIENTS[client].survivor != survivors) {
            codes.insert("WRONG_SIDE");
        }
        if it.guests.len() > it.capacity {
            codes.insert(if it.is_group() { "GROUP_FULL" } else { "NOT_A_GROUP" });
        }
        for at in it.counsellors() {
            let counsellor = &COUNSELLORS[at];
            if counsellor.survivor != survivors {
                codes.insert("WRONG_SIDE");
            } else if !counsellor.services.contains(&it.service) {
                codes.insert("NOT_QUALIFIED");
            }
            if self.verified_until[at] < it.day() {
                codes.insert("NOT_VERIFIED");
            }
        }
        if !self.agreement[it.org] {
            codes.insert("NO_AGREEMENT");
        }
        codes
    }

    /// What stands against one of those who are to come.
    fn broken_by_guest(&self, it: &Wanted, guest: &Guest) -> Codes {
        let mut codes = Codes::new();
        let (client, safe) = (&CLIENTS[guest.client], self.guardian_safe[guest.client]);
        if it.counsellors().any(|counsellor| self.conflicts.contains(&(guest.client, counsellor))) {
            codes.insert("CONFLICT_OF_INTEREST");
        }
        if self.prefers_female[guest.client] && it.counsellors().any(|at| !COUNSELLORS[at].female) {
            codes.insert("COUNSELLOR_GENDER");
        }
        if client.survivor && !(self.consent[guest.client] && (!client.child || safe)) {
            codes.insert("CONSENT_MISSING");
        }
        if !guest.interpreter && !it.counsellors().any(|at| COUNSELLORS[at].speaks.contains(&client.speaks)) {
            codes.insert("LANGUAGE");
        }
        if client.child && it.place != Place::Remote && !(guest.guardian && safe) {
            codes.insert("GUARDIAN_REQUIRED");
        }
        codes
    }

    fn broken_by_calendars(&self, it: &Wanted) -> Codes {
        let mut codes = Codes::new();
        let (day, from, until) = (it.day(), it.starts % DAY, it.starts % DAY + it.ends - it.starts);
        for at in it.counsellors() {
            let end_of_work = if self.short_hours[at] { 13 * 60 } else { 17 * 60 + 30 };
            if from < 9 * 60 + 30 || until > end_of_work {
                codes.insert("OUTSIDE_WORKING_HOURS");
            }
            if self.leave.contains(&(at, day)) {
                codes.insert("ON_LEAVE");
            }
        }
        if it.place.site() == Some(0) {
            if self.holiday == Some(day) {
                codes.insert("HOLIDAY");
            }
            let (opens, closes) = side_hours(self.timetable, it.survivor, day);
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
        let in_room = |other: &Wanted| it.place.room() != 0 && other.place == it.place && apart(it, other) < 0;
        if self.others(except).any(|other| in_room(other) && other.taker() == it.taker()) {
            codes.insert("ROOM_BUSY");
        }
        for at in it.counsellors() {
            let (counsellor, mut same_day) = (&COUNSELLORS[at], 0);
            for other in self.others(except).filter(|other| other.led_by(at)) {
                same_day += usize::from(other.day() == it.day());
                if apart(it, other) < counsellor.before + counsellor.after {
                    codes.insert("COUNSELLOR_BUSY");
                }
                let sites = it.place.site().zip(other.place.site());
                if sites.is_some_and(|(here, there)| here != there) && apart(it, other) < 30 {
                    codes.insert("TRAVEL");
                }
            }
            if counsellor.daily_limit.is_some_and(|most| same_day >= most) {
                codes.insert("DAILY_LOAD");
            }
        }
        codes
    }

    /// The other side too close, somebody linked there that day, or others in the room. What is only
    /// held does not count against what stands.
    fn not_available(&self, it: &Wanted, except: &str, standing: bool) -> bool {
        self.standing().filter(|row| row.id != except && it.place.site().is_some()).any(|row| {
            let other = &row.what;
            let other_side = other.survivor != it.survivor && other.place.site() == it.place.site();
            let too_close = other_side && apart(it, other) < self.gap;
            let counts = !standing || row.state == State::Booked;
            let linked = counts && other_side && self.any_linked(it, other);
            let same_room = it.place.room() != 0 && other.place == it.place && other.taker() != it.taker();
            too_close || (linked && other.day() == it.day()) || (same_room && apart(it, other) < 0)
        })
    }

    /// Whether anybody of one must never meet anybody of the other.
    pub fn any_linked(&self, one: &Wanted, other: &Wanted) -> bool {
        one.clients().any(|a| other.clients().any(|b| self.linked(a, b)))
    }

    /// Whether two of those who come together must not meet, so it was declared.
    fn any_kept_apart(&self, it: &Wanted) -> bool {
        self.no_contact.iter().any(|(one, other)| it.has(*one) && it.has(*other))
    }

    fn linked(&self, one: usize, other: usize) -> bool {
        let crime = |crime| self.parties.contains(&(crime, one)) && self.parties.contains(&(crime, other));
        let declared = |a, b| self.no_contact.contains(&(a, b));
        (0..2).any(crime) || declared(one, other) || declared(other, one)
    }

    /// The first room that is free, or the first that only others have, or the first of all.
    pub fn with_room(&self, it: &Wanted, except: &str) -> Wanted {
        let taken = |place: Place, own_only: bool| {
            let counts = |other: &Wanted| !own_only || other.taker() == it.taker();
            self.others(except).any(|other| other.place == place && apart(it, other) < 0 && counts(other))
        };
        let rooms = [Place::Host(1), Place::Host(2)];
        let first = |own_only| rooms.into_iter().find(|room| !taken(*room, own_only));
        match it.place {
            Place::Host(0) => Wanted { place: first(false).or(first(true)).unwrap_or(rooms[0]), ..it.clone() },
            _ => it.clone(),
        }
    }
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
