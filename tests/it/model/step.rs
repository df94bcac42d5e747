//! What can happen.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};
use super::truth::Wanted;

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
    Reschedule(Nth, Move),
    Reassign(Nth, u8, Soft),
    Cancel(Nth, Stale),
    /// A crime and a client, who becomes a party or is none any more.
    Party(usize, Client),
    NoContact(Client, Client),
    Leave(Counsellor, i64),
    Consent(Client),
    Agreement(usize),
    Guardian(bool),
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
#[derive(Clone, Copy)]
pub struct Ask {
    pub what: Wanted,
    pub soft: Soft,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let it = &self.what;
        let (client, counsellor) = (Client(it.client), Counsellor(it.counsellor));
        write!(f, "{client:?} with {counsellor:?} for {} at {:?} on {}", it.service, it.place, when(it.starts))?;
        write!(f, " for {}", it.ends - it.starts)?;
        f.write_str(if it.guardian { " with guardian" } else { "" })?;
        f.write_str(if self.soft { ", whatever soft rules say" } else { "" })
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

fn starts() -> impl Strategy<Value = i64> {
    let times = select(vec![600i64, 630, 660, 720, 779, 870, 960, 1020]);
    let days = prop_oneof![1 => Just(0i64), 5 => Just(1), 2 => Just(2)];
    (days, times).prop_map(|(day, time)| day * DAY + time)
}

fn asks() -> impl Strategy<Value = Ask> {
    let soft = proptest::bool::weighted(0.2);
    let length = select(vec![30i64, 60, 60, 90]);
    let company = proptest::bool::weighted(0.8);
    (0..CLIENTS.len(), any::<u8>(), any::<u8>(), 0usize..8, starts(), length, company, soft).prop_map(
        |(client, pick, service, place, starts, length, company, soft)| {
            let it = &CLIENTS[client];
            let services = if it.survivor == (service < 245) { [1, 2] } else { [5, 6] };
            let places = places(it.org);
            let what = Wanted {
                client,
                counsellor: counsellor(it.org, it.survivor, pick),
                service: services[usize::from(service % 4 == 0)],
                place: places[place % places.len()],
                starts,
                ends: starts + length,
                guardian: it.child && company,
            };
            Ask { what, soft }
        },
    )
}

fn moves() -> impl Strategy<Value = Move> {
    let soft = proptest::bool::weighted(0.2);
    let stale = proptest::bool::weighted(0.08);
    let counsellor = proptest::option::weighted(0.3, any::<u8>());
    (starts(), counsellor, proptest::option::weighted(0.3, any::<u8>()), soft, stale)
        .prop_map(|(starts, counsellor, place, soft, stale)| Move { starts, counsellor, place, soft, stale })
}

fn clients() -> impl Strategy<Value = Client> {
    (0..CLIENTS.len()).prop_map(Client)
}

fn counsellors() -> impl Strategy<Value = Counsellor> {
    (0..COUNSELLORS.len()).prop_map(Counsellor)
}

fn scheduling() -> impl Strategy<Value = Step> {
    let soft = || proptest::bool::weighted(0.2);
    let hold_for = || select(vec![1i64, 5, 15]);
    prop_oneof![
        12 => asks().prop_map(Step::Book),
        5 => (asks(), hold_for()).prop_map(|(ask, minutes)| Step::Hold(ask, minutes)),
        1 => (8usize..12, hold_for()).prop_map(|(count, minutes)| Step::HoldMany(count, minutes)),
        1 => (0..40usize).prop_map(Step::Release),
        4 => ((0..40usize), soft()).prop_map(|(nth, soft)| Step::BookHeld(nth, soft)),
        3 => select(vec![1i64, 3, 5, 10, 15, 45, 120, 300]).prop_map(Step::Pass),
        4 => ((0..40usize), moves()).prop_map(|(nth, to)| Step::Reschedule(nth, to)),
        3 => ((0..40usize), any::<u8>(), soft()).prop_map(|(nth, pick, soft)| Step::Reassign(nth, pick, soft)),
        3 => ((0..40usize), proptest::bool::weighted(0.1)).prop_map(|(nth, stale)| Step::Cancel(nth, stale)),
    ]
}

fn facts() -> impl Strategy<Value = Step> {
    let (survivors, offenders) = (0usize..4, 4usize..7);
    prop_oneof![
        4 => (0usize..2, clients()).prop_map(|(crime, client)| Step::Party(crime, client)),
        2 => (survivors, offenders, any::<bool>()).prop_map(|(one, other, turned)| match turned {
            true => Step::NoContact(Client(other), Client(one)),
            false => Step::NoContact(Client(one), Client(other)),
        }),
        2 => (counsellors(), 0i64..3).prop_map(|(counsellor, day)| Step::Leave(counsellor, day)),
        2 => (0usize..4).prop_map(|client| Step::Consent(Client(client))),
        1 => (0usize..2).prop_map(Step::Agreement),
        1 => any::<bool>().prop_map(Step::Guardian),
        2 => (clients(), any::<u8>()).prop_map(|(client, pick)| {
            let it = &CLIENTS[client.0];
            Step::Conflict(client, Counsellor(counsellor(it.org, it.survivor, pick)))
        }),
        1 => (0u8..3).prop_map(Step::Timetable),
        1 => proptest::option::of(0i64..3).prop_map(Step::Holiday),
        2 => (counsellors(), prop_oneof![3 => Just(0i64), 1 => Just(1), 2 => Just(999)]).prop_map(|(it, day)| Step::Verified(it, day)),
        1 => counsellors().prop_map(Step::Hours),
        2 => (0..CLIENTS.len()).prop_map(|it| Step::PrefersFemale(Client(it))),
        1 => select(vec![60i64, 120, 180]).prop_map(Step::Gap),
    ]
}

/// Things that happen one after the other; printed one on a line.
#[derive(Clone)]
pub struct Story(pub Vec<Step>);

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, step)| write!(f, "\n    {at}: {step:?}"))
    }
}

/// Two who come to the shared site on one day, and are linked only then.
fn meeting() -> impl Strategy<Value = [Step; 4]> {
    let book = |client: usize, starts| {
        let it = &CLIENTS[client];
        let (counsellor, service) = (counsellor(it.org, it.survivor, 0), if it.survivor { 1 } else { 5 });
        let place = places(it.org)[0];
        let starts = DAY + starts;
        let what = Wanted { client, counsellor, service, place, starts, ends: starts + 60, guardian: it.child };
        Step::Book(Ask { what, soft: false })
    };
    (0usize..4, 4usize..7, any::<bool>(), 0usize..2).prop_map(move |(one, other, declared, crime)| {
        let link = match declared {
            true => [Step::NoContact(Client(one), Client(other)), Step::Pass(1)],
            false => [Step::Party(crime, Client(one)), Step::Party(crime, Client(other))],
        };
        let [first, second] = link;
        [book(one, 600), book(other, 870), first, second]
    })
}

/// What ends such a meeting: one of the two does not come, comes on another day, or the link is undone.
fn parting() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..2).prop_map(|nth| Step::Cancel(nth, false)),
        (0usize..2, moves()).prop_map(|(nth, to)| Step::Reschedule(nth, Move { stale: false, ..to })),
    ]
}

/// A meeting or some bookings, then some dozens of things.
pub fn stories() -> impl Strategy<Value = Story> {
    // Options, because what fails shrinks to those steps that matter, which may be few.
    let some = |step| proptest::option::weighted(0.99, step);
    let bookings = |count| proptest::collection::vec(some(asks().prop_map(Step::Book).boxed()), count);
    let met = (meeting(), any::<bool>()).prop_map(|(steps, undone)| {
        let undo = undone.then(|| steps[2].clone());
        steps.into_iter().chain(undo).map(Some).collect::<Vec<_>>()
    });
    let parted = (met, bookings(0..3), some(parting().boxed()))
        .prop_map(|(met, more, parting)| met.into_iter().chain(more).chain([parting]).collect::<Vec<_>>());
    let first = prop_oneof![bookings(5..10), parted];
    let then = proptest::collection::vec(some(prop_oneof![5 => scheduling(), 3 => facts()].boxed()), 12..30);
    (first, then).prop_map(|(first, then)| Story(first.into_iter().chain(then).flatten().collect()))
}
