//! Which stories are played: what can happen, how often, and to whom.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place, SURVIVORS};
use super::course::{Daily, Shift};
use super::step::{
    Ask, Client, Counsellor, Move, MoveSeries, Newcomer, Step, Story, circle, counsellor, guest, places,
};
use super::truth::{Guest, Wanted};

fn starts() -> impl Strategy<Value = i64> {
    let times = select(vec![600i64, 630, 660, 720, 779, 870, 960, 1020]);
    let days = prop_oneof![1 => Just(0i64), 5 => Just(1), 2 => Just(2)];
    (days, times).prop_map(|(day, time)| day * DAY + time)
}

fn lengths() -> impl Strategy<Value = i64> {
    select(vec![30i64, 60, 60, 90])
}

fn soft() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.2)
}

/// For a service of the side, or of the other, to be refused, now and then.
fn service(survivor: bool, pick: u8) -> i32 {
    let services = if survivor == (pick < 250) { [1, 2] } else { [5, 6] };
    services[usize::from(pick.is_multiple_of(4))]
}

/// One client with one counsellor.
fn alone() -> impl Strategy<Value = Ask> {
    let people = (0..CLIENTS.len(), any::<u8>(), any::<u8>(), any::<u8>());
    (people, 0usize..8, starts(), lengths(), soft()).prop_map(|(people, place, starts, length, soft)| {
        let (client, pick, serve, company) = people;
        let it = &CLIENTS[client];
        let what = Wanted {
            org: it.org,
            survivor: it.survivor,
            guests: vec![guest(client, company)],
            capacity: 1,
            counsellor: counsellor(it.org, it.survivor, pick),
            beside: Vec::new(),
            service: service(it.survivor, serve),
            place: places(it.org)[place % places(it.org).len()],
            starts,
            ends: starts + length,
        };
        Ask { what, soft }
    })
}

/// A few clients of one organisation and side, and now and then somebody who does not belong there.
fn guests(org: usize, survivor: bool) -> impl Strategy<Value = Vec<Guest>> {
    let own = circle(org, survivor);
    let most = own.len();
    let stranger = proptest::option::weighted(0.05, 0..CLIENTS.len());
    let company = proptest::collection::vec(any::<u8>(), CLIENTS.len());
    (subsequence(own, most / 2..=most), stranger, company).prop_map(|(mut clients, stranger, company)| {
        clients.extend(stranger.filter(|it| !clients.contains(it)));
        clients.into_iter().map(|client| guest(client, company[client])).collect()
    })
}

/// A group of the clients of one organisation and side, with one counsellor or more.
fn together() -> impl Strategy<Value = Ask> {
    let whose = prop_oneof![6 => Just((0, true)), 4 => Just((1, false)), 1 => Just((1, true)), 1 => Just((0, false))];
    let who = whose.prop_flat_map(|(org, survivor)| (Just((org, survivor)), guests(org, survivor)));
    let leaders = (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..3));
    let size = prop_oneof![3 => 4usize..=5, 1 => 2usize..4];
    (who, leaders, any::<u8>(), size, 0usize..8, starts(), lengths(), soft()).prop_map(
        |(((org, survivor), guests), (pick, beside), serve, capacity, place, starts, length, soft)| {
            let lead = counsellor(org, survivor, pick);
            let mut all = vec![lead];
            for it in beside.into_iter().map(|pick| counsellor(org, survivor, pick)) {
                if !all.contains(&it) {
                    all.push(it);
                }
            }
            let first = guests.first().map_or(COUNSELLORS[lead].survivor, |it: &Guest| CLIENTS[it.client].survivor);
            let what = Wanted {
                org,
                survivor: first,
                guests,
                capacity,
                counsellor: lead,
                beside: all.split_off(1),
                service: service(survivor, serve),
                place: places(org)[place % places(org).len()],
                starts,
                ends: starts + length,
            };
            Ask { what, soft }
        },
    )
}

fn asks() -> impl Strategy<Value = Ask> {
    prop_oneof![3 => alone(), 2 => together()]
}

fn moves() -> impl Strategy<Value = Move> {
    let stale = proptest::bool::weighted(0.08);
    let counsellor = proptest::option::weighted(0.3, any::<u8>());
    (starts(), counsellor, proptest::option::weighted(0.3, any::<u8>()), soft(), stale)
        .prop_map(|(starts, counsellor, place, soft, stale)| Move { starts, counsellor, place, soft, stale })
}

fn clients() -> impl Strategy<Value = Client> {
    (0..CLIENTS.len()).prop_map(Client)
}

fn counsellors() -> impl Strategy<Value = Counsellor> {
    (0..COUNSELLORS.len()).prop_map(Counsellor)
}

fn children() -> impl Strategy<Value = Client> {
    select((0..SURVIVORS).filter(|at| CLIENTS[*at].child).map(Client).collect::<Vec<_>>())
}

fn joins() -> impl Strategy<Value = Step> {
    let etag = prop_oneof![6 => Just(None), 3 => Just(Some(false)), 1 => Just(Some(true))];
    ((0..40usize), any::<u8>(), any::<u8>(), soft(), etag)
        .prop_map(|(nth, client, company, soft, stale)| Step::Join(nth, Newcomer { client, company, soft, stale }))
}

fn dailies() -> impl Strategy<Value = Daily> {
    (2i64..5, proptest::option::weighted(0.2, 0i64..5), any::<bool>(), any::<bool>())
        .prop_map(|(days, except, whole, skips)| Daily { days, except: except.filter(|it| *it < days), whole, skips })
}

fn moves_of_series() -> impl Strategy<Value = MoveSeries> {
    let (stale, counsellor) = (proptest::bool::weighted(0.08), proptest::option::weighted(0.2, any::<u8>()));
    let first_day = proptest::option::weighted(0.3, 0i64..3);
    (1..4usize, first_day, starts(), any::<bool>(), counsellor, soft(), stale).prop_map(
        |(from, first_day, at, whole, counsellor, soft, stale)| MoveSeries {
            from,
            to: Shift { first_day, time: at % DAY, whole },
            counsellor,
            soft,
            stale,
        },
    )
}

fn scheduling() -> impl Strategy<Value = Step> {
    let hold_for = || select(vec![1i64, 5, 15]);
    prop_oneof![
        12 => asks().prop_map(Step::Book),
        5 => (asks(), hold_for()).prop_map(|(ask, minutes)| Step::Hold(ask, minutes)),
        1 => (8usize..12, hold_for()).prop_map(|(count, minutes)| Step::HoldMany(count, minutes)),
        1 => (0..40usize).prop_map(Step::Release),
        4 => ((0..40usize), soft()).prop_map(|(nth, soft)| Step::BookHeld(nth, soft)),
        3 => select(vec![1i64, 3, 5, 10, 15, 45, 120, 300]).prop_map(Step::Pass),
        4 => ((0..40usize), moves()).prop_map(|(nth, to)| Step::Reschedule(nth, to)),
        3 => ((0..40usize), any::<u8>(), any::<u8>(), soft())
            .prop_map(|(nth, from, to, soft)| Step::Reassign(nth, from, to, soft)),
        3 => ((0..40usize), proptest::bool::weighted(0.1)).prop_map(|(nth, stale)| Step::Cancel(nth, stale)),
        5 => joins(),
        4 => (asks(), dailies()).prop_map(|(ask, how)| Step::BookSeries(ask, how)),
        3 => (0..9usize, moves_of_series()).prop_map(|(nth, how)| Step::MoveSeries(nth, how)),
        2 => (0..9usize, 1..4usize, proptest::bool::weighted(0.1))
            .prop_map(|(nth, from, stale)| Step::CancelSeries(nth, from, stale)),
        3 => (0..9usize, 1..6usize, starts(), soft())
            .prop_map(|(nth, number, starts, soft)| Step::MakeUp(nth, number, starts, soft)),
        4 => ((0..40usize), any::<u8>(), proptest::bool::weighted(0.1))
            .prop_map(|(nth, pick, stale)| Step::Remove(nth, pick, stale)),
    ]
}

fn facts() -> impl Strategy<Value = Step> {
    let until = prop_oneof![3 => Just(0i64), 1 => Just(1), 2 => Just(999)];
    prop_oneof![
        4 => (0usize..2, clients()).prop_map(|(crime, client)| Step::Party(crime, client)),
        2 => (0..SURVIVORS, SURVIVORS..CLIENTS.len(), any::<bool>()).prop_map(|(one, other, turned)| match turned {
            true => Step::NoContact(Client(other), Client(one)),
            false => Step::NoContact(Client(one), Client(other)),
        }),
        1 => (0..SURVIVORS, 1..SURVIVORS).prop_map(|(one, more)| {
            Step::NoContact(Client(one), Client((one + more) % SURVIVORS))
        }),
        2 => (counsellors(), 0i64..3).prop_map(|(counsellor, day)| Step::Leave(counsellor, day)),
        2 => (0..SURVIVORS).prop_map(|client| Step::Consent(Client(client))),
        1 => (0usize..2).prop_map(Step::Agreement),
        1 => (children(), any::<bool>()).prop_map(|(child, safe)| Step::Guardian(child, safe)),
        2 => (clients(), any::<u8>()).prop_map(|(client, pick)| {
            let it = &CLIENTS[client.0];
            Step::Conflict(client, Counsellor(counsellor(it.org, it.survivor, pick)))
        }),
        1 => (0u8..3).prop_map(Step::Timetable),
        1 => proptest::option::of(0i64..3).prop_map(Step::Holiday),
        2 => (counsellors(), until).prop_map(|(it, day)| Step::Verified(it, day)),
        1 => counsellors().prop_map(Step::Hours),
        2 => clients().prop_map(Step::PrefersFemale),
        1 => select(vec![60i64, 120, 180]).prop_map(Step::Gap),
    ]
}

/// A session for a client, alone or with everybody else of the circle.
fn visit(client: usize, starts: i64, crowd: bool) -> Ask {
    let it = &CLIENTS[client];
    let all = if crowd { circle(it.org, it.survivor) } else { vec![client] };
    let guests = all.into_iter().map(|client| Guest { client, guardian: CLIENTS[client].child, interpreter: true });
    let what = Wanted {
        org: it.org,
        survivor: it.survivor,
        guests: guests.collect(),
        capacity: if crowd { 4 } else { 1 },
        counsellor: counsellor(it.org, it.survivor, 0),
        beside: Vec::new(),
        service: if it.survivor { 1 } else { 5 },
        place: if it.org == 0 { Place::Host(0) } else { Place::Next },
        starts,
        ends: starts + 60,
    };
    Ask { what, soft: false }
}

/// Two who come to the shared site on one day, and are linked only then.
fn meeting() -> impl Strategy<Value = [Step; 4]> {
    let (survivors, offenders, crowd) = (0..SURVIVORS, SURVIVORS..CLIENTS.len(), any::<(bool, bool)>());
    (survivors, offenders, crowd, any::<bool>(), 0usize..2).prop_map(|(one, other, crowd, declared, crime)| {
        let link = match declared {
            true => [Step::NoContact(Client(one), Client(other)), Step::Pass(1)],
            false => [Step::Party(crime, Client(one)), Step::Party(crime, Client(other))],
        };
        let [first, second] = link;
        let visits = [visit(one, DAY + 600, crowd.0), visit(other, DAY + 870, crowd.1)].map(Step::Book);
        let [here, there] = visits;
        [here, there, first, second]
    })
}

/// One of a group must never meet somebody who comes that day only when that one does not any more.
fn leaving() -> impl Strategy<Value = Vec<Step>> {
    (select(circle(0, true)), SURVIVORS..CLIENTS.len(), 0usize..2).prop_map(|(one, other, crime)| {
        let at = circle(0, true).iter().position(|it| *it == one).unwrap_or_default();
        vec![
            Step::Party(crime, Client(one)),
            Step::Party(crime, Client(other)),
            Step::Book(visit(one, DAY + 600, true)),
            Step::Book(visit(other, DAY + 870, false)),
            Step::Remove(0, at as u8, false),
            Step::Book(visit(other, DAY + 870, false)),
        ]
    })
}

/// A series that has begun is moved, or comes to an end.
fn begun() -> impl Strategy<Value = Vec<Step>> {
    let then = prop_oneof![
        (1..3usize).prop_map(|from| Step::CancelSeries(0, from, false)),
        moves_of_series().prop_map(|how| Step::MoveSeries(0, MoveSeries { stale: false, ..how })),
        // Each to where the next one is.
        soft().prop_map(|soft| {
            let to = Shift { first_day: Some(2), time: 600, whole: true };
            Step::MoveSeries(0, MoveSeries { from: 1, to, counsellor: None, soft, stale: false })
        }),
    ];
    (0..CLIENTS.len(), any::<bool>(), dailies(), then).prop_map(|(client, crowd, how, then)| {
        vec![Step::BookSeries(visit(client, 600, crowd), how), Step::Pass(45), then]
    })
}

/// What ends such a meeting: one of the two does not come, comes on another day, or the link is undone.
fn parting() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..2).prop_map(|nth| Step::Cancel(nth, false)),
        any::<u8>().prop_map(|pick| Step::Remove(0, pick, false)),
        (0usize..2, moves()).prop_map(|(nth, to)| Step::Reschedule(nth, Move { stale: false, ..to })),
    ]
}

/// A meeting or some bookings, then some dozens of things.
pub fn stories() -> impl Strategy<Value = Story> {
    let bookings = |count| proptest::collection::vec(asks().prop_map(Step::Book), count);
    let met = (meeting(), any::<bool>()).prop_map(|(steps, undone)| {
        let undo = undone.then(|| steps[2].clone());
        steps.into_iter().chain(undo).collect::<Vec<_>>()
    });
    let parted = (met, bookings(0..3), parting())
        .prop_map(|(met, more, parting)| met.into_iter().chain(more).chain([parting]).collect::<Vec<_>>());
    let first = prop_oneof![3 => bookings(5..10), 3 => parted, 1 => leaving(), 1 => begun()];
    let then = proptest::collection::vec(prop_oneof![5 => scheduling(), 3 => facts()], 12..30);
    (first, then).prop_map(|(first, then)| Story(first.into_iter().chain(then).collect()))
}
