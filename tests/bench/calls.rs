//! The calls that are measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use aftercare::domain::code::Side;
use aftercare::grpc::pb;
use chrono::Datelike;
use pb::directory_service_client::DirectoryServiceClient;
use pb::google::r#type::Date;
use pb::scheduling_service_client::SchedulingServiceClient;
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use uuid::Uuid;

use super::load::{Call, Failure};
use super::people::Organisation;
use super::service::{Cast, Token};
use super::sessions::{LENGTH, Opening};

/// The empty call: through the whole stack but for the token, the database and the use cases. Everything
/// is told as a share of it.
const EMPTY: &str = "empty (health check)";

impl Call {
    /// Whether it is the empty call.
    pub fn is_empty(&self) -> bool {
        self.name() == EMPTY
    }
}

/// Every call: what it is compared with first, what changes the world last.
pub fn all(cast: &Cast, seed: u64) -> Vec<Call> {
    let mut calls = vec![empty(), get_organisation(cast), get_session(cast), my_today(cast)];
    calls.extend(find_slots(cast));
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
    let day = cast.today;
    let day = Date { year: day.year(), month: day.month() as i32, day: day.day() as i32 };
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

/// The first page of fourteen days, for one counsellor and for all of each organisation.
fn find_slots(cast: &Cast) -> Vec<Call> {
    let survivors = |it: &Organisation| it.of_side(&cast.people, Side::Survivor);
    let mut sizes: Vec<_> = cast.people.organisations.iter().map(survivors).enumerate().collect();
    sizes.reverse();
    let smaller = sizes.first().map(|(place, seats)| find_slots_among(cast, *place, seats, true));
    let others = sizes.iter().filter(|(_, seats)| seats.len() > 1);
    let mut calls: Vec<Call> =
        smaller.into_iter().chain(others.map(|(place, seats)| find_slots_among(cast, *place, seats, false))).collect();
    calls.dedup_by(|one, other| one.name() == other.name());
    calls
}

fn find_slots_among(cast: &Cast, organisation: usize, seats: &[usize], alone: bool) -> Call {
    let among = if alone { 1 } else { seats.len() };
    let asks = Turns::new(seats.iter().map(|place| {
        let seat = &cast.people.seats[*place];
        let message = pb::FindSlotsRequest {
            client_id: seat.clients[0].id.to_string(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(LENGTH)),
            counsellor_id: if alone { seat.counsellor.id.to_string() } else { String::new() },
            ..Default::default()
        };
        (cast.coordinator(organisation).clone(), message)
    }));
    Call::new(format!("FindSlots among {among}, 14 days"), move |channel| {
        let request = asks.next();
        async move {
            let found = SchedulingServiceClient::new(channel).find_slots(request).await?.into_inner();
            let right = usize::try_from(found.counsellors) == Ok(among) && !found.slots.is_empty();
            let says = || format!("{} slots of {} counsellors", found.slots.len(), found.counsellors);
            if right { Ok(()) } else { Err(Failure::Wrong(says())) }
        }
    })
}

/// Times that are free, each booked once, each under a request id.
fn book_session(cast: &Cast, seed: u64) -> Call {
    let booking = |opening: &Opening| {
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
    };
    let bookings: Arc<Vec<_>> = Arc::new(cast.filled.free.iter().map(booking).collect());
    let next = AtomicU64::new(0);
    Call::new("BookSession", move |channel| {
        let (bookings, turn) = (bookings.clone(), next.fetch_add(1, Ordering::Relaxed));
        async move {
            let (token, booking) = bookings.get(turn as usize).ok_or(Failure::Exhausted)?;
            let request_id = Uuid::from_u64_pair(seed, turn + 1).to_string();
            let request = token.on(pb::BookSessionRequest { request_id, ..booking.clone() });
            SchedulingServiceClient::new(channel).book_session(request).await?;
            Ok(())
        }
    })
}

/// What sessions of a side are for.
pub fn service_of(side: Side) -> pb::CareService {
    match side {
        Side::Survivor => pb::CareService::Counselling,
        Side::Offender => pb::CareService::Treatment,
    }
}

/// A length on the wire.
pub fn minutes(count: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: count * 60, nanos: 0 }
}
