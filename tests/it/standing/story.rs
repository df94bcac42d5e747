//! What may happen under an order, made up from a seed: told once, played as often as one likes.

use aftercare::grpc::pb;
use chrono::{Days, NaiveDate};
use pb::AttendanceOutcome as Outcome;

use crate::support::facts;
use crate::support::treatment::{late, left_after};

/// Where an order's days are meant; the sessions are at 04:30 UTC wherever that is.
const ZONES: [&str; 5] =
    ["Asia/Kolkata", "Pacific/Kiritimati", "America/Los_Angeles", "Africa/Cairo", "Pacific/Chatham"];

/// How many days a story lasts.
const LENGTH: u64 = 100;

/// What is said of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Attended,
    InTime,
    Late,
    LeftLate,
    LeftSoon,
    MadeUp,
    DidNotComply,
    NoShow,
    /// Excused, with evidence.
    Medical,
    /// As it was said to be, without any.
    Unproven,
    NotHeld,
}

/// Something that somebody does in the afternoon of a day. Sessions are named by their day in UTC.
#[derive(Clone, Debug)]
pub enum Act {
    Book(NaiveDate),
    Cancel(NaiveDate, pb::CancelReason),
    Record(NaiveDate, Said),
    Amend(NaiveDate, Said),
    /// Acceptable? Serious?
    Decide(NaiveDate, bool, bool),
    Warn(NaiveDate),
    Suspend(NaiveDate, NaiveDate),
    Confirm,
    Resolve,
    Terminate,
    /// Whatever was last recorded that can be withdrawn.
    Withdraw,
    /// Other terms: how many sessions more or less, until when, and whether by the other policy.
    Order(i32, Option<NaiveDate>, bool),
    /// A day that was no holiday is one, or the other way round.
    Holiday(NaiveDate),
}

/// A story: acts by day.
#[derive(Clone, Debug)]
pub struct Story {
    pub zone: &'static str,
    pub required: i32,
    pub short_policy: bool,
    pub first: NaiveDate,
    pub last: NaiveDate,
    pub acts: Vec<(NaiveDate, Act)>,
}

/// Chance, by a seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0, less than `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len() as u64) as usize]
    }
}

impl Said {
    const ALL: [Said; 14] = [
        Said::Attended,
        Said::Attended,
        Said::Attended,
        Said::InTime,
        Said::Late,
        Said::Late,
        Said::LeftLate,
        Said::LeftSoon,
        Said::MadeUp,
        Said::DidNotComply,
        Said::NoShow,
        Said::Unproven,
        Said::Medical,
        Said::NotHeld,
    ];

    pub fn facts(self) -> pb::AttendanceFacts {
        match self {
            Said::Attended => facts(Outcome::AttendedComplied),
            Said::InTime => late(5),
            Said::Late => late(20),
            Said::LeftLate => left_after(50),
            Said::LeftSoon => left_after(30),
            Said::MadeUp => facts(Outcome::MadeUp),
            Said::DidNotComply => facts(Outcome::AttendedDidNotComply),
            Said::NoShow => facts(Outcome::NoShow),
            Said::Medical => pb::AttendanceFacts {
                evidence_reference: "Example certificate 7".into(),
                verifier: "Example verifier".into(),
                ..facts(Outcome::AcceptableMedical)
            },
            Said::Unproven => facts(Outcome::AcceptableMedical),
            Said::NotHeld => facts(Outcome::ProviderCancelled),
        }
    }
}

pub fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day + Days::new(days)
}

/// A story of its seed.
pub fn told(seed: u64) -> Story {
    let mut dice = Dice::new(seed.wrapping_mul(1_000_003));
    let first: NaiveDate = "2026-01-05".parse().unwrap();
    let last = after(first, LENGTH);
    let mut acts = Vec::new();
    let mut day = first;
    while day < last {
        acts.extend(of_session(&mut dice, first, day));
        day = after(day, 1 + dice.roll(5));
    }
    for day in first.iter_days().take_while(|day| *day <= last) {
        acts.extend(of_order(&mut dice, day, last).into_iter().map(|act| (day, act)));
    }
    acts.retain(|(day, _)| *day <= last);
    // The sort is stable: what is said of a session comes in its order.
    acts.sort_by_key(|(day, _)| *day);
    let zone = ZONES[seed as usize % ZONES.len()];
    let required = 6 + dice.roll(30) as i32;
    Story { zone, required, short_policy: dice.one_in(2), first, last, acts }
}

/// What becomes of a session.
fn of_session(dice: &mut Dice, first: NaiveDate, day: NaiveDate) -> Vec<(NaiveDate, Act)> {
    let before = |days: u64| (day - Days::new(days)).max(first - Days::new(4));
    let mut acts = vec![(before(4), Act::Book(day))];
    let reasons = [pb::CancelReason::Client, pb::CancelReason::Provider, pb::CancelReason::Court];
    match dice.roll(10) {
        0 => return [acts, vec![(before(1), Act::Cancel(day, dice.of(&reasons)))]].concat(),
        1 => return [acts, vec![(before(3), Act::Cancel(day, dice.of(&reasons)))]].concat(),
        2 => acts.push((before(1), Act::Record(day, Said::Medical))),
        // Never recorded, or by an amendment that is refused.
        3 if dice.one_in(2) => {}
        _ => {
            let delay = if dice.one_in(3) { dice.roll(10) } else { 0 };
            acts.push((after(day, delay), Act::Record(day, dice.of(&Said::ALL))));
        }
    }
    for _ in 0..2 {
        if dice.one_in(2) {
            acts.push((after(day, dice.roll(12)), Act::Decide(day, dice.one_in(2), dice.one_in(5))));
        }
    }
    if dice.one_in(4) {
        acts.push((after(day, dice.roll(15)), Act::Amend(day, dice.of(&Said::ALL))));
    }
    acts
}

/// What is decided on a day about the order as a whole.
fn of_order(dice: &mut Dice, today: NaiveDate, last: NaiveDate) -> Option<Act> {
    Some(match dice.roll(60) {
        0..3 => Act::Warn(today),
        3 => Act::Warn(today - Days::new(dice.roll(12))),
        4..6 => {
            let from = after(today, dice.roll(3));
            Act::Suspend(from, after(from, 1 + dice.roll(10)))
        }
        6..11 => Act::Confirm,
        11..14 => Act::Resolve,
        14 if today > last - Days::new(8) => Act::Terminate,
        15..18 => Act::Withdraw,
        18..20 => {
            let ends_on = dice.one_in(2).then(|| after(today, dice.roll(30)));
            Act::Order(dice.roll(7) as i32 - 2, ends_on, dice.one_in(2))
        }
        20..26 => Act::Holiday(after(today, dice.roll(15)) - Days::new(7)),
        _ => return None,
    })
}
