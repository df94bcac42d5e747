//! What the statements of a call cost by themselves: the service's own are recorded, with their parameters, and said
//! again to the database as it was before, without gRPC, use cases or pool.
//!
//! The recording is made on one copy of the world by the use cases themselves, without the service's chores; it is said
//! again to another copy, so that every id, time and constraint is as it was, and nothing has to be made up.

mod costs;
mod postgres;
mod sqlite;

use std::time::Duration;

use aftercare::domain::access::{Authority, Caller};
use aftercare::domain::client::CrimeNumber;
use aftercare::domain::party::{Attendee, Party};
use aftercare::domain::place::WantedPlace;
use aftercare::domain::police::Purpose;
use aftercare::domain::session::Wanted;
use aftercare::domain::time::Span;
use aftercare::usecase::call::{Request, admit};
use aftercare::usecase::session::BookSession;
use aftercare::usecase::treatment::{CheckCompliance, Inquiry};
use aftercare::usecase::{Call, World, mutate};
use chrono::TimeDelta;
use hdrhistogram::Histogram;

use self::costs::Costs;
use super::database::Fresh;
use super::load::Measured;
use super::people::{People, district};
use super::report::{How, Report, Row};
use super::service::{self, coordinator};
use super::sessions::{Filled, LENGTH};
use super::{Engine, Options, Result};

/// How many calls are recorded at most, for each way of saying them again; fewer when figures are to be quick.
const CALLS: usize = 1_024;
const CALLS_PER_SECOND: usize = 256;
/// How many commit together on SQLite, and how many connections speak to PostgreSQL.
const GROUP: usize = 64;
const CONNECTIONS: usize = 16;

/// A statement as the service said it.
#[derive(Clone, Debug)]
pub struct Said {
    text: String,
    values: Vec<Bound>,
    /// Sent as text, without being prepared.
    simple: bool,
}

/// A parameter as it was bound.
#[derive(Clone, Debug, PartialEq)]
enum Bound {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
    /// In PostgreSQL's own form, with the number of its type.
    Raw(u32, Option<Vec<u8>>),
}

/// The statements of each recorded call.
pub struct Tapes(Vec<(&'static str, Vec<Vec<Said>>)>);

/// Records both calls on a copy of the world.
pub async fn record(options: &Options, fresh: &Fresh, people: &People, filled: &Filled) -> Result<Tapes> {
    let mut copy = fresh.copy("record").await?;
    let tapes = match options.engine {
        Engine::Sqlite => {
            sqlite::listen()?;
            let tapes = on(options, &copy, people, filled, &sqlite::take).await;
            sqlite::listen_no_more();
            tapes
        }
        Engine::Postgres => {
            let proxy = postgres::Proxy::start(&copy).await?;
            copy = copy.through(proxy.port())?;
            on(options, &copy, people, filled, &|| proxy.take()).await
        }
    };
    copy.drop().await?;
    tapes
}

async fn on(
    options: &Options,
    copy: &Fresh,
    people: &People,
    filled: &Filled,
    take: &(dyn Fn() -> Vec<Said> + Sync),
) -> Result<Tapes> {
    let now = super::NOW.parse()?;
    let app = service::assemble(copy, options.seed ^ 0x7a9e, now).await?;
    let calls = CALLS.min(usize::try_from(options.seconds)?.saturating_mul(CALLS_PER_SECOND));
    let (mut booked, mut checked) = (Vec::new(), Vec::new());
    for opening in filled.free.iter().take(2 * calls) {
        let seat = &people.seats[opening.seat];
        let client_id = seat.clients[opening.client].id;
        let attendee = Attendee { client_id, guardian_id: None, interpreter: false, order_id: None };
        let place = if opening.remote { WantedPlace::Remote } else { WantedPlace::Venue(seat.venue_id, None) };
        let wanted = Wanted {
            counsellor_id: seat.counsellor.id,
            party: Party::one_to_one(attendee),
            service: opening.service(seat),
            place,
            span: Span::lasting(opening.starts_at, TimeDelta::minutes(LENGTH)).ok_or("a session without length")?,
            occurrence: None,
            milestone_id: None,
            overrides: Vec::new(),
        };
        let call = call(app.world(), coordinator(seat.organisation_id), "SchedulingService/BookSession").await?;
        let request = Request { id: app.world().uuid(), digest: vec![0; 32] };
        take();
        mutate(app.world(), call.under(Some(request)), BookSession(wanted)).await?;
        booked.push(take());
    }
    let orders = people.seats.iter().flat_map(|seat| &seat.clients).filter_map(|it| it.order.as_ref());
    for (number, order) in orders.cycle().take(2 * calls).enumerate() {
        let officer =
            Caller::without_token(format!("officer-{number}@example"), Authority::Police { jurisdiction: district() });
        let call = call(app.world(), officer, "ComplianceService/CheckCompliance").await?;
        let crime_number = CrimeNumber::parse("101/2025").map_err(|fault| fault.to_string())?;
        let inquiry = Inquiry { purpose: Purpose::Supervision, crime_number };
        take();
        CheckCompliance { inquiry, reference: order.reference.clone() }.run(app.world(), call).await?;
        checked.push(take());
    }
    app.world().db().close().await;
    Ok(Tapes(vec![("BookSession", booked), ("CheckCompliance", checked)]))
}

async fn call(world: &World, caller: Caller, rpc: &str) -> Result<Call> {
    Ok(admit(world, caller, &format!("aftercare.v1.{rpc}")).await?)
}

/// Says all of it again, each call to a copy of its own, and reports what that cost.
pub async fn measure(options: &Options, fresh: &Fresh, tapes: &Tapes, report: &mut Report<'_>) -> Result<()> {
    for (call, tape) in &tapes.0 {
        let copy = fresh.copy("replay").await?;
        let result = replay(options, &copy, call, tape, report).await;
        copy.drop().await?;
        result?;
    }
    Ok(())
}

async fn replay(
    options: &Options,
    copy: &Fresh,
    call: &str,
    tape: &[Vec<Said>],
    report: &mut Report<'_>,
) -> Result<()> {
    let (first, second) = tape.split_at(tape.len() / 2);
    for (part, callers) in [(first, GROUP), (second, 1)] {
        let connections = callers.min(CONNECTIONS);
        let (name, (measured, costs)) = match options.engine {
            Engine::Sqlite => (format!("{call}, SQL alone"), sqlite::say(copy, part, callers).await?),
            Engine::Postgres => {
                (format!("{call}, SQL alone, on {connections}"), postgres::say(copy, part, connections).await?)
            }
        };
        report.add(Row { name, how: How::Callers(callers) }, &measured)?;
        if options.costs && callers == 1 {
            costs.tell(call, part.len());
        }
    }
    Ok(())
}

/// What was measured, of so many latencies.
fn measured(latencies: Histogram<u64>, lasted: Duration) -> Measured {
    Measured { latencies, refused: Default::default(), lasted, exhausted: false, unanswered: 0 }
}

/// Whatever says to SQLite where a transaction begins and ends: here that is said otherwise.
fn is_frame(text: &str) -> bool {
    let text = text.trim();
    let word = text.split([' ', ';']).next().unwrap_or_default();
    matches!(word, "BEGIN" | "COMMIT" | "PRAGMA") || text == "ROLLBACK" || text.ends_with(" member")
}
