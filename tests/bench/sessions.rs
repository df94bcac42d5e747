//! What is booked and what is free: week after week the counsellors' openings are shuffled, the first
//! of them become sessions, and the others of the coming weeks stay free. Before the first week, only offenders were
//! seen: theirs is the attendance that can be recorded.
//!
//! Sessions are written through the store, with their claims and their audit events, as if each had
//! been booked a week before; the constraints of the schema look at every one. [`super::check`] shows
//! that the rules would have let them pass.

use aftercare::domain::audit::Outcome;
use aftercare::domain::code::{CareService, Side};
use aftercare::domain::ids::{ClientId, SessionId};
use aftercare::domain::participant::Participant;
use aftercare::domain::party::Attendee;
use aftercare::domain::place::Place;
use aftercare::domain::session::{Session, State};
use aftercare::domain::time::{DayTime, Span, local_day, resolve};
use aftercare::store::codec::Instant;
use aftercare::store::placement::{self, Claim};
use aftercare::store::{audit, client, session};
use aftercare::usecase::Call;
use aftercare::usecase::call::admit;
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use super::people::{CARED_FOR, CLIENTS, FOUNDED, People, Seat, ZONE};
use super::service::{Service, coordinator};
use super::{Options, Result};

/// How long each session lasts, in minutes.
pub const LENGTH: i64 = 60;
/// How much of the counsellors' time is booked, in percent.
const BOOKED: usize = 60;
/// How many sessions are written by one transaction.
const AT_ONCE: usize = 5_000;
/// How many weeks ahead openings are offered: an organisation books 180 days ahead.
const AHEAD: usize = 24;
/// How many stored sessions are kept in mind to be asked for.
const SAMPLE: usize = 10_000;
/// How many sessions of offenders are over, if a quarter of the world is as many.
const TREATED: usize = 10_000;
/// In at most so many weeks before the first.
const TREATED_WEEKS: usize = 40;
/// How many sessions are stored between two words about it.
const TOLD: usize = 100_000;

/// A time at which a counsellor can see a client.
#[derive(Clone, Copy)]
pub struct Opening {
    /// The counsellor, by place in [`People::seats`].
    pub seat: usize,
    /// The client, by place in [`Seat::clients`].
    pub client: usize,
    /// When.
    pub starts_at: DateTime<Utc>,
    /// By telephone.
    pub remote: bool,
}

/// What is stored, and what is free.
pub struct Filled {
    /// How many sessions are stored.
    pub stored: usize,
    /// Some of them, with the counsellor's place in [`People::seats`].
    pub sample: Vec<(usize, Session)>,
    /// Sessions that are over and count towards an order, with the counsellor's place in [`People::seats`].
    pub treated: Vec<(usize, SessionId, ClientId)>,
    /// How many sessions each counsellor has today, by place in [`People::seats`].
    pub today: Vec<usize>,
    /// What can still be booked, in no order.
    pub free: Vec<Opening>,
    /// Digest of who meets whom when: the same for the same world, whatever ids it has.
    pub digest: [u8; 32],
}

/// The hours at which sites receive a side, and its counsellors work.
pub fn hours(side: Side) -> (u32, u32) {
    match side {
        Side::Survivor => (9, 15),
        Side::Offender => (17, 20),
    }
}

/// The days of a year on which all sites are closed.
pub fn holidays(year: i32) -> impl Iterator<Item = NaiveDate> {
    let days = [(1, 26), (8, 15), (10, 2)];
    days.into_iter().filter_map(move |(month, day)| NaiveDate::from_ymd_opt(year, month, day))
}

/// Stores the sessions.
pub async fn fill(service: &Service, people: &People, options: &Options, now: DateTime<Utc>) -> Result<Filled> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let today = local_day(now, ZONE);
    let weeks = weeks(people, options.sessions, today)?;
    let today_of_each = vec![0; people.seats.len()];
    let (sample, treated, free, digest) = (Vec::new(), Vec::new(), Vec::new(), [0; 32]);
    let mut filled = Filled { stored: 0, sample, treated, today: today_of_each, free, digest };
    let (begun, mut told) = (present(), 0);
    for Week { monday, until, treats } in weeks {
        let mut openings = openings(people, monday, &mut rng);
        openings.retain(|it| !treats || people.seats[it.seat].side() == Side::Offender);
        openings.shuffle(&mut rng);
        let free = openings.split_off((until - filled.stored).min(openings.len()));
        service.clock.set(now.min(resolve(DayTime::MIDNIGHT.on(monday), ZONE) - TimeDelta::weeks(1)));
        for openings in openings.chunks(AT_ONCE) {
            write(service, people, openings, &mut filled, now, options.sessions.div_ceil(SAMPLE)).await?;
        }
        if monday > today {
            filled.free.extend(free);
        }
        for opening in openings.iter().filter(|it| local_day(it.starts_at, ZONE) == today) {
            filled.today[opening.seat] += 1;
        }
        if filled.stored - told >= TOLD || (filled.stored == options.sessions && told < filled.stored) {
            told = filled.stored;
            let seconds = begun.elapsed().as_secs_f64();
            let rate = told as f64 / seconds;
            eprintln!("Stored {told} of {} sessions in {seconds:.0} s, {rate:.0}/s", options.sessions);
        }
    }
    filled.treated.shuffle(&mut rng);
    filled.free.shuffle(&mut rng);
    service.clock.set(now);
    Ok(filled)
}

/// A week.
struct Week {
    monday: NaiveDate,
    /// How many sessions are stored by its end.
    until: usize,
    /// Only offenders are seen.
    treats: bool,
}

/// The first week with sessions to the last that can be booked. A quarter of the weeks with sessions is over, or more if they are many.
fn weeks(people: &People, sessions: usize, today: NaiveDate) -> Result<Vec<Week>> {
    let a_week: usize = people.seats.iter().map(|seat| starts(seat).count()).sum();
    let offenders = people.seats.iter().filter(|seat| seat.side() == Side::Offender);
    // No more than two in three of what there is: holidays take some.
    let treats = offenders.map(|seat| starts(seat).count()).sum::<usize>() * 2 / 3;
    let before = TREATED.min(sessions / 4).checked_div(treats).unwrap_or_default().min(TREATED_WEEKS);
    let treated = before * treats;
    let sessions = sessions - treated;
    let count = (sessions * 100).div_ceil(a_week * BOOKED).max(1);
    let past = (count / 4).max(count.saturating_sub(AHEAD));
    let this = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let first = this - Days::new(7 * (past + before) as u64);
    if first <= FOUNDED + Days::new(7) {
        return Err("so many sessions need more counsellors: name --counsellors".into());
    }
    let until = |week: usize| match week.checked_sub(before) {
        None => treats * (week + 1),
        Some(week) => treated + sessions * (week + 1).min(count) / count,
    };
    let week =
        |week: usize| Week { monday: first + Days::new(7 * week as u64), until: until(week), treats: week < before };
    Ok((0..=before + past + AHEAD).map(week).collect())
}

/// When in a week a counsellor can see somebody: day after Monday, hour, minute, by telephone. A
/// quarter of an hour after each session is the counsellor's own.
fn starts(seat: &Seat) -> impl Iterator<Item = (u64, u32, bool)> {
    let (opens, closes) = hours(seat.side());
    let grid = |opens: u32, closes: u32| (opens * 60..).step_by(75).take_while(move |at| at + 60 <= closes * 60);
    let weekdays = (0..5).flat_map(move |day| grid(opens, closes).map(move |at| (day, at, false)));
    let saturday = seat.on_saturdays().then(|| grid(10, 13).map(|at| (5, at, true)));
    weekdays.chain(saturday.into_iter().flatten())
}

/// Everything that could be booked in a week.
fn openings(people: &People, monday: NaiveDate, rng: &mut StdRng) -> Vec<Opening> {
    let closed: Vec<_> = holidays(monday.year()).collect();
    let mut openings = Vec::new();
    for (place, seat) in people.seats.iter().enumerate() {
        for (day, minutes, remote) in starts(seat) {
            let day = monday + Days::new(day);
            let Some(time) = DayTime::new(minutes / 60, minutes % 60).filter(|_| !closed.contains(&day)) else {
                continue;
            };
            let (client, starts_at) = (rng.random_range(0..CLIENTS), resolve(time.on(day), ZONE));
            openings.push(Opening { seat: place, client, starts_at, remote });
        }
    }
    openings
}

async fn write(
    service: &Service,
    people: &People,
    openings: &[Opening],
    filled: &mut Filled,
    now: DateTime<Utc>,
    every: usize,
) -> Result<()> {
    let mut calls: Vec<Call> = Vec::new();
    for organisation in &people.organisations {
        let rpc = "aftercare.v1.SchedulingService/BookSession";
        calls.push(admit(&service.world, coordinator(organisation.id), rpc).await?);
    }
    let mut tx = service.world.db().begin_write().await?;
    for opening in openings {
        let seat = &people.seats[opening.seat];
        let session = opening.session(service, seat, now)?;
        session::insert(&mut tx, &session, Instant(session.created_at));
        let client_id = session.participants[0].attendee.client_id;
        let links = tx.tell(|tx| client::links(tx, client_id)).await?.into_iter().collect();
        let gap = seat.site.separation_gap_for;
        let claim = Claim {
            session: &session,
            counsellors: std::slice::from_ref(&seat.counsellor),
            separation_gap_for: gap,
            links: &links,
        };
        placement::claim(&mut tx, &claim);
        let mut event = calls[people.organisation_of(opening.seat)].event(&service.world, Outcome::Done, None);
        event.subjects = vec![client_id.0, session.id.0];
        audit::append(&mut tx, &event)?;
        filled.remember(*opening, session, now, every);
    }
    Ok(tx.commit().await?)
}

impl Filled {
    /// Counts a stored session, and keeps one of so many.
    fn remember(&mut self, opening: Opening, session: Session, now: DateTime<Utc>, every: usize) {
        let mut digest = Sha256::new_with_prefix(self.digest);
        for number in [opening.seat as i64, opening.client as i64, opening.starts_at.timestamp()] {
            digest.update(number.to_be_bytes());
        }
        self.digest = digest.finalize().into();
        let attendee = &session.participants[0].attendee;
        if attendee.order_id.is_some() && session.span.ends_at() < now && self.treated.len() < 2 * TREATED {
            self.treated.push((opening.seat, session.id, attendee.client_id));
        }
        if self.stored.is_multiple_of(every) {
            self.sample.push((opening.seat, session));
        }
        self.stored += 1;
    }
}

impl Opening {
    /// What it is for.
    pub fn service(self, seat: &Seat) -> CareService {
        match seat.side() {
            Side::Survivor => CareService::Counselling,
            Side::Offender => CareService::Treatment,
        }
    }

    fn session(self, service: &Service, seat: &Seat, now: DateTime<Utc>) -> Result<Session> {
        let client = &seat.clients[self.client];
        let order = client.order.as_ref().filter(|_| self.starts_at > now - CARED_FOR + TimeDelta::days(1));
        let (venue_id, site_id, room_id) = (seat.venue_id, seat.site.id, Some(seat.room_id));
        Ok(Session {
            id: service.world.id(),
            version: 1,
            organisation_id: seat.organisation_id,
            side: seat.side(),
            counsellor_id: seat.counsellor.id,
            co_facilitators: Vec::new(),
            capacity: 1,
            participants: vec![Participant {
                id: service.world.id(),
                seat: 1,
                attendee: Attendee {
                    client_id: client.id,
                    guardian_id: None,
                    interpreter: false,
                    order_id: order.map(|it| it.id),
                },
                reference: client.reference.clone(),
                overridden: Vec::new(),
                flags: Vec::new(),
                added_at: service.world.now(),
                attendance_id: None,
            }],
            removed: Vec::new(),
            service: self.service(seat),
            place: if self.remote { Place::Remote } else { Place::Venue { venue_id, site_id, room_id } },
            span: Span::lasting(self.starts_at, TimeDelta::minutes(LENGTH)).ok_or("a session without length")?,
            zone: ZONE,
            state: State::Booked,
            occurrence: None,
            milestone_id: None,
            overridden: Vec::new(),
            flags: Vec::new(),
            supersedes: None,
            created_at: service.world.now(),
        })
    }
}

#[allow(clippy::disallowed_methods, reason = "what is measured is the machine's time")]
fn present() -> std::time::Instant {
    std::time::Instant::now()
}
