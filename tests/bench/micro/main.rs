//! What the pure parts cost, without network or database: `cargo bench --bench micro [-- TEXT]` measures those whose
//! name holds the text.
//!
//! Each is run in batches that take about a hundredth of a second, and the median of the batches is told beside the
//! fastest and the slowest of them.

mod facts;

use std::hint::black_box;
use std::time::{Duration, Instant};

use aftercare::auth::{Builtin, Grant};
use aftercare::domain::access::Authority;
use aftercare::domain::audit::chain::{Entry, Hash, link};
use aftercare::domain::code::CareService;
use aftercare::domain::compliance::{self, Event, Fact};
use aftercare::domain::ids::Id;
use aftercare::domain::instrument::{Answer, Catalogue, Sheet};
use aftercare::domain::party::{Attendee, Party};
use aftercare::domain::slots::{DEFAULT_STEP, Search, find};
use aftercare::domain::time::Span;
use aftercare::domain::working_days::WorkingDays;
use aftercare::rng::SeededRng;
use aftercare::usecase::call::Authenticator;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use self::facts::facts;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The present: a Monday, 09:30 in Asia/Kolkata.
const NOW: &str = "2026-11-23T04:00:00Z";
/// Batches of each, and for how long one lasts at least.
const BATCHES: usize = 51;
const BATCH: Duration = Duration::from_millis(10);
/// Counsellors who are searched, days, and sessions of an order.
const COUNSELLORS: u128 = 20;
const DAYS: u64 = 14;
const SESSIONS: u64 = 200;

fn main() -> Result<()> {
    let only = std::env::args().skip(1).find(|it| !it.starts_with("--")).unwrap_or_default();
    println!("{:<48} {:>12} {:>12} {:>12}", "", "median", "least", "most");
    let now: DateTime<Utc> = NOW.parse()?;
    slots(&only, now)?;
    order(&only, now.date_naive());
    questionnaires(&only)?;
    token(&only, now)?;
    trail(&only);
    Ok(())
}

/// Runs it, and says what one run costs.
fn time<T>(only: &str, name: &str, mut run: impl FnMut() -> T) {
    if !name.contains(only) {
        return;
    }
    let mut size = 1_u32;
    while batch(size, &mut run) < BATCH {
        size = size.saturating_mul(2);
    }
    let mut all: Vec<Duration> = (0..BATCHES).map(|_| batch(size, &mut run) / size).collect();
    all.sort_unstable();
    let (least, median, most) = (all[0], all[BATCHES / 2], all[BATCHES - 1]);
    println!("{name:<48} {:>12} {:>12} {:>12}", told(median), told(least), told(most));
}

fn told(it: Duration) -> String {
    format!("{:.3} µs", it.as_secs_f64() * 1e6)
}

#[allow(clippy::disallowed_methods, reason = "what is measured is the machine's time")]
fn batch<T>(size: u32, run: &mut impl FnMut() -> T) -> Duration {
    let begun = Instant::now();
    for _ in 0..size {
        black_box(run());
    }
    begun.elapsed()
}

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn slots(only: &str, now: DateTime<Utc>) -> Result<()> {
    let facts = facts(now)?;
    let window = Span::lasting(now, TimeDelta::days(DAYS.cast_signed())).ok_or("an empty window")?;
    let attendee = Attendee { client_id: id(1), guardian_id: None, interpreter: false, order_id: None };
    let search = Search {
        service: CareService::Counselling,
        length: TimeDelta::minutes(60),
        window,
        step: DEFAULT_STEP,
        modality: None,
        preferred_counsellor_id: None,
        party: Party::one_to_one(attendee),
    };
    let found = find(&search, &facts).slots.len();
    if found == 0 {
        return Err("nothing is free".into());
    }
    let name = format!("slots of {COUNSELLORS} counsellors, {DAYS} days ({found})");
    time(only, &name, || find(black_box(&search), black_box(&facts)));
    Ok(())
}

/// An order of which every tenth session was missed without excuse.
fn order(only: &str, today: NaiveDate) {
    let day = |number: u64| today - Days::new(SESSIONS - number);
    let missed = |number: u64| number.is_multiple_of(10);
    let fact = |number| if missed(number) { Fact::Absent } else { Fact::Attended };
    let decided = |number| Fact::Decided { acceptable: true, serious: false, decided_on: day(number) };
    let event = |number: u64, fact| Event { on: day(number), fact };
    let mut events: Vec<_> = (0..SESSIONS).map(|number| event(number, fact(number))).collect();
    events.extend((0..SESSIONS).filter(|number| missed(*number)).map(|number| event(number, decided(number))));
    let terms = compliance::Terms { starts_on: day(0), ends_on: None, required: 400 };
    let (policy, days) = (compliance::Policy::default(), WorkingDays::new([today - Days::new(40)]));
    let name = format!("compliance of an order with {SESSIONS} sessions");
    time(only, &name, || compliance::assess(&terms, &policy, &days, black_box(&events), today));
}

fn questionnaires(only: &str) -> Result<()> {
    for instrument in Catalogue::built_in()?.current() {
        let value = |values: &[u32], number: usize| Answer::Value(values[number % values.len()]);
        let answers = (1..).zip(instrument.items().enumerate());
        let answers = answers.map(|(item, (number, it))| (item, value(it.values(), number))).collect();
        let sheet = Sheet { gate: instrument.gate.is_some().then_some(true), answers };
        let complete = instrument.check(&sheet).map_err(|wrong| format!("{}: {wrong:?}", instrument.code))?;
        let name = format!("score of {}", instrument.code);
        time(only, &name, || instrument.score(black_box(&complete)));
    }
    Ok(())
}

fn token(only: &str, now: DateTime<Utc>) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let issuer = Builtin::open(directory.path(), &SeededRng::from_seed(1))?;
    let authority = Some(Authority::Coordinator { organisation_id: id(1) });
    let (principal, life) = ("coordinator@example".to_owned(), TimeDelta::hours(1));
    let token = issuer.issue(&Grant { principal, authority, at: now, life, id: Uuid::from_u128(1) })?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(issuer.identify(&token, now)).map_err(|refused| refused.to_string())?;
    time(only, "check of a token", || runtime.block_on(issuer.identify(black_box(&token), now)).is_ok());
    Ok(())
}

fn trail(only: &str) {
    let id = |number| Uuid::from_u128(number).as_bytes().to_vec();
    let entry = Entry {
        id: id(1),
        occurred_at: 1_795_406_400_000_000,
        principal: b"coordinator@example".to_vec(),
        role: b"coordinator".to_vec(),
        organisation_id: Some(id(2)),
        action: b"aftercare.v1.SchedulingService/BookSession".to_vec(),
        outcome: b"DONE".to_vec(),
        reason: None,
        details: b"[]".to_vec(),
        subjects: format!("[\"{}\",\"{}\"]", Uuid::from_u128(3), Uuid::from_u128(4)).into_bytes(),
        request_id: Some(id(5)),
    };
    let (mut last, mut position) = (Hash([0; 32]), 0);
    time(only, "chain of the audit trail, per event", || {
        position += 1;
        last = link(&last, position, &black_box(&entry).canonical());
        last
    });
}
