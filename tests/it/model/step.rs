//! What can happen.

use std::fmt;

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};
use super::course::{Daily, Shift};
use super::truth::{Guest, Wanted};

/// One thing that happens. Facts that can be true or not are turned round.
#[derive(Clone, Debug)]
pub enum Step {
    Book(Ask),
    Hold(Ask, i64),
    /// So many holds, one after the other, far away from everything else.
    HoldMany(usize, i64),
    Release(Nth),
    BookHeld(Nth, Soft),
    Pass(i64),
    BookSeries(Ask, Daily),
    MoveSeries(Nth, MoveSeries),
    /// From one of its numbers on.
    CancelSeries(Nth, usize, Stale),
    /// A session under one of the numbers of a series, on another day.
    MakeUp(Nth, usize, i64, Soft),
    Reschedule(Nth, Move),
    /// The part of one of those who lead it goes to another.
    Reassign(Nth, u8, u8, Soft),
    Cancel(Nth, Stale),
    Join(Nth, Newcomer),
    /// One of the clients of a group, or of all, leaves it.
    Remove(Nth, u8, Stale),
    /// A crime and a client, who becomes a party or is none any more.
    Party(usize, Client),
    NoContact(Client, Client),
    Leave(Counsellor, i64),
    Consent(Client),
    Agreement(usize),
    Guardian(Client, bool),
    Conflict(Client, Counsellor),
    Timetable(u8),
    Holiday(Option<i64>),
    Verified(Counsellor, i64),
    Hours(Counsellor),
    PrefersFemale(Client),
    Gap(i64),
}

/// A place in a list, counted round and round.
pub type Nth = usize;
/// Whether every soft rule is overridden.
pub type Soft = bool;
/// Whether an etag of before is sent.
pub type Stale = bool;

/// A client, by name.
#[derive(Clone, Copy)]
pub struct Client(pub usize);
/// A counsellor, by name.
#[derive(Clone, Copy)]
pub struct Counsellor(pub usize);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLIENTS[self.0].name)
    }
}

impl fmt::Debug for Counsellor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COUNSELLORS[self.0].name)
    }
}

/// A session somebody asks for.
#[derive(Clone)]
pub struct Ask {
    pub what: Wanted,
    pub soft: Soft,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", said(&self.what))?;
        f.write_str(if self.soft { ", whatever soft rules say" } else { "" })
    }
}

fn said(it: &Wanted) -> String {
    let guests: Vec<String> = it.guests.iter().map(|guest| guest.to_string()).collect();
    let leaders: Vec<&str> = it.counsellors().map(|at| COUNSELLORS[at].name).collect();
    let (guests, leaders) = (guests.join(", "), leaders.join(" and "));
    let group = if it.is_group() { format!("group of {}: ", it.capacity) } else { String::new() };
    let when = format!("{} for {}", when(it.starts), it.ends - it.starts);
    format!("{group}{guests} with {leaders} for {} at {:?} on {when}", it.service, it.place)
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLIENTS[self.client].name)?;
        f.write_str(if self.guardian { " + guardian" } else { "" })?;
        f.write_str(if self.interpreter { " + interpreter" } else { "" })
    }
}

/// What becomes of a session that is moved.
#[derive(Clone, Copy)]
pub struct Move {
    pub starts: i64,
    /// Another of the counsellors of the organisation and side, or the same.
    pub counsellor: Option<u8>,
    pub place: Option<u8>,
    pub soft: Soft,
    pub stale: Stale,
}

impl fmt::Debug for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {}", when(self.starts))?;
        self.counsellor.map_or(Ok(()), |it| write!(f, ", counsellor {it}"))?;
        self.place.map_or(Ok(()), |it| write!(f, ", place {it}"))?;
        f.write_str(if self.soft { ", soft" } else { "" })?;
        f.write_str(if self.stale { ", stale" } else { "" })
    }
}

/// What is to come of a series is moved, from one of its numbers on.
#[derive(Clone, Copy, Debug)]
pub struct MoveSeries {
    pub from: usize,
    pub to: Shift,
    pub counsellor: Option<u8>,
    pub soft: Soft,
    pub stale: Stale,
}

/// Who joins a group: one of its circle, or somebody who does not belong there.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer {
    pub client: u8,
    pub company: u8,
    pub soft: Soft,
    /// None when no etag is sent.
    pub stale: Option<Stale>,
}

fn when(minute: i64) -> String {
    format!("day {} {:02}:{:02}", minute / DAY, minute % DAY / 60, minute % 60)
}

/// The places that an organisation can use.
pub fn places(org: usize) -> &'static [Place] {
    match org {
        0 => &[Place::Host(0), Place::Host(1), Place::Remote, Place::Host(2)],
        _ => &[Place::Next, Place::Host(0), Place::Remote, Place::Away, Place::Host(1)],
    }
}

/// The counsellors of an organisation and side; of the other side, to be refused, now and then.
pub fn counsellor(org: usize, survivor: bool, pick: u8) -> usize {
    let side = survivor == (pick < 240);
    let own = |at: &usize| COUNSELLORS[*at].org == org && COUNSELLORS[*at].survivor == side;
    let all: Vec<usize> = (0..COUNSELLORS.len()).filter(own).collect();
    all[usize::from(pick) % all.len()]
}

/// Who comes, mostly as they should.
pub fn guest(client: usize, company: u8) -> Guest {
    Guest { client, guardian: CLIENTS[client].child && !company.is_multiple_of(8), interpreter: company >= 96 }
}

/// The clients of an organisation and side.
pub fn circle(org: usize, survivor: bool) -> Vec<usize> {
    (0..CLIENTS.len()).filter(|at| CLIENTS[*at].org == org && CLIENTS[*at].survivor == survivor).collect()
}

/// Things that happen one after the other; printed one on a line.
#[derive(Clone)]
pub struct Story(pub Vec<Step>);

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, step)| write!(f, "\n    {at}: {step:?}"))
    }
}
