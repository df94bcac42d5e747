//! The calls that are measured.

mod care;
mod slots;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use aftercare::domain::code::Side;
use aftercare::grpc::pb;
use chrono::{Datelike, NaiveDate};
use pb::directory_service_client::DirectoryServiceClient;
use pb::google::r#type::Date;
use pb::scheduling_service_client::SchedulingServiceClient;
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use uuid::Uuid;

use super::load::{Call, Failure};
use super::service::{Cast, Token};
use super::sessions::{LENGTH, Opening};

/// The empty call: through the whole stack but for the token, the database and the use cases. Everything
/// is told as a share of it.
pub const EMPTY: &str = "empty (health check)";

impl Call {
    /// Whether it is the empty call.
    pub fn is_empty(&self) -> bool {
        self.name() == EMPTY
    }
}

/// Every call: what it is compared with first, what changes the world last.
pub fn all(cast: &Cast, seed: u64) -> Vec<Call> {
    let mut calls = vec![empty(), get_organisation(cast), get_session(cast), my_today(cast)];
    calls.push(care::check_compliance(cast, seed));
    calls.extend(slots::find_slots(cast));
    calls.push(care::record_attendance(cast, seed));
    calls.push(care::submit_assessment(cast, seed));
    calls.push(book_session(cast, seed));
    calls
}

/// What is asked for in turn, each with the token of who asks.
struct Turns<M> {
    asks: Vec<(Token, M)>,
    next: AtomicUsize,
}

impl<M: Clone> Turns<M> {
    fn new(asks: impl IntoIterator<Item = (Token, M)>) -> Arc<Self> {
        Arc::new(Self { asks: asks.into_iter().collect(), next: AtomicUsize::new(0) })
    }

    /// The next, the first again after the last.
    fn next(&self) -> Request<M> {
        let (token, message) = &self.asks[self.next.fetch_add(1, Ordering::Relaxed) % self.asks.len()];
        token.on(message.clone())
    }
}

fn empty() -> Call {
    Call::new(EMPTY, |channel| async move {
        HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await?;
        Ok(())
    })
}

/// A token, a transaction and one row: the least that a call with an answer needs.
fn get_organisation(cast: &Cast) -> Call {
    let asks = cast.people.organisations.iter().enumerate();
    let asks = Turns::new(asks.map(|(place, it)| {
        let message = pb::GetOrganisationRequest { organisation_id: it.id.to_string() };
        (cast.coordinator(place).clone(), message)
    }));
    Call::new("GetOrganisation", move |channel| {
        let request = asks.next();
        async move {
            DirectoryServiceClient::new(channel).get_organisation(request).await?;
            Ok(())
        }
    })
}

fn get_session(cast: &Cast) -> Call {
    let asks = Turns::new(cast.filled.sample.iter().map(|(seat, session)| {
        let message = pb::GetSessionRequest { session_id: session.id.to_string() };
        (cast.coordinator(cast.people.organisation_of(*seat)).clone(), message)
    }));
    Call::new("GetSession", move |channel| {
        let request = asks.next();
        async move {
            SchedulingServiceClient::new(channel).get_session(request).await?;
            Ok(())
        }
    })
}

/// What a counsellor asks in the morning.
pub fn today_of(cast: &Cast, seat: usize) -> Request<pb::ListSessionsRequest> {
    let day = date(cast.today);
    cast.counsellor(seat).on(pb::ListSessionsRequest { on_date: Some(day), ..Default::default() })
}

fn my_today(cast: &Cast) -> Call {
    let seats = 0..cast.people.seats.len();
    let asks = seats.map(|seat| (cast.counsellor(seat).clone(), today_of(cast, seat).into_inner()));
    let asks = Turns::new(asks);
    Call::new("ListSessions, my today", move |channel| {
        let request = asks.next();
        async move {
            SchedulingServiceClient::new(channel).list_sessions(request).await?;
            Ok(())
        }
    })
}

/// Times that are free, each booked once, each under a request id.
fn book_session(cast: &Cast, seed: u64) -> Call {
    let bookings = cast.filled.free.iter().map(|opening| booking(cast, opening));
    let bookings = Once::new(bookings, (seed, 0));
    Call::new("BookSession", move |channel| {
        let turn = bookings.next(|booking, request_id| booking.request_id = request_id);
        async move {
            SchedulingServiceClient::new(channel).book_session(turn?).await?;
            Ok(())
        }
    })
}

/// The request that takes an opening, with the token of who asks.
pub fn booking(cast: &Cast, opening: &Opening) -> (Token, pb::BookSessionRequest) {
    let seat = &cast.people.seats[opening.seat];
    let request = pb::BookSessionRequest {
        client_id: seat.clients[opening.client].id.to_string(),
        counsellor_id: seat.counsellor.id.to_string(),
        service: service_of(seat.side()).into(),
        modality: if opening.remote { pb::Modality::Remote } else { pb::Modality::InPerson }.into(),
        venue_id: if opening.remote { String::new() } else { seat.venue_id.to_string() },
        starts_at: Some(prost_types::Timestamp { seconds: opening.starts_at.timestamp(), nanos: 0 }),
        length: Some(minutes(LENGTH)),
        ..Default::default()
    };
    (cast.coordinator(cast.people.organisation_of(opening.seat)).clone(), request)
}

/// What can be asked for once, each with the token of who asks, and each under a request id.
struct Once<M> {
    asks: Vec<(Token, M)>,
    next: AtomicU64,
    /// Seed and kind of the request ids: nobody else uses them.
    ids: (u64, u64),
}

impl<M: Clone> Once<M> {
    fn new(asks: impl IntoIterator<Item = (Token, M)>, ids: (u64, u64)) -> Self {
        Self { asks: asks.into_iter().collect(), next: AtomicU64::new(0), ids }
    }

    /// The next, under an id of its own.
    fn next(&self, under: impl FnOnce(&mut M, String)) -> Result<Request<M>, Failure> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let ask = usize::try_from(turn).ok().and_then(|turn| self.asks.get(turn));
        let (token, mut message) = ask.cloned().ok_or(Failure::Exhausted)?;
        under(&mut message, Uuid::from_u64_pair(self.ids.0, (self.ids.1 << 48) + turn + 1).to_string());
        Ok(token.on(message))
    }
}

/// What sessions of a side are for.
pub fn service_of(side: Side) -> pb::CareService {
    match side {
        Side::Survivor => pb::CareService::Counselling,
        Side::Offender => pb::CareService::Treatment,
    }
}

/// A day on the wire.
fn date(day: NaiveDate) -> Date {
    Date { year: day.year(), month: day.month() as i32, day: day.day() as i32 }
}

/// A length on the wire.
pub fn minutes(count: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: count * 60, nanos: 0 }
}
