//! Whether the world is one that the service could have written itself.

use aftercare::domain::place::Place;
use aftercare::domain::session::Session;
use aftercare::grpc::pb;
use pb::scheduling_service_client::SchedulingServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use super::calls::{minutes, service_of, today_of};
use super::service::{Cast, Token, broken_rules, explain};
use super::sessions::LENGTH;
use super::{Result, people::Seat};

type Client = SchedulingServiceClient<Channel>;

/// How many sessions of the sample are looked at.
const LOOKS: usize = 20;

/// Asks the service about some of what was stored. The sessions it moves are booked again.
pub async fn check(cast: &Cast, channel: Channel) -> Result<()> {
    let mut client = SchedulingServiceClient::new(channel);
    let sample = &cast.filled.sample;
    for (seat, session) in sample.iter().step_by(sample.len().div_ceil(LOOKS).max(1)) {
        let token = cast.coordinator(cast.people.organisation_of(*seat));
        let found = get(&mut client, token, &session.id.to_string()).await?;
        compare(session, &found)?;
        let is_to_come = session.on_date() > cast.today;
        if is_to_come {
            let booking = booking_of(&cast.people.seats[*seat], session);
            refuse_a_second(&mut client, token, &booking).await?;
            book_again(&mut client, token, found, booking).await?;
        }
    }
    for seat in (0..cast.people.seats.len()).step_by(cast.people.seats.len().div_ceil(LOOKS)) {
        let found = client.list_sessions(today_of(cast, seat)).await.map_err(|status| explain(&status))?.into_inner();
        let (found, stored) = (found.sessions.len(), cast.filled.today[seat]);
        expect(found == stored, || format!("{found} of a counsellor's {stored} sessions of today are listed"))?;
    }
    eprintln!("The service knows the sessions, refuses to book them twice, and would book them again");
    Ok(())
}

async fn get(client: &mut Client, token: &Token, id: &str) -> Result<pb::Session> {
    let request = token.on(pb::GetSessionRequest { session_id: id.into() });
    let found = client.get_session(request).await.map_err(|status| explain(&status))?.into_inner();
    found.session.ok_or_else(|| "an answer without a session".into())
}

fn compare(stored: &Session, found: &pb::Session) -> Result<()> {
    let client = &stored.participants[0];
    let same = found.client_id == client.attendee.client_id.to_string()
        && found.client_reference == client.reference.as_str()
        && found.counsellor_id == stored.counsellor_id.to_string()
        && found.room_id == stored.place.room_id().map(|id| id.to_string()).unwrap_or_default()
        && found.starts_at.is_some_and(|at| at.seconds == stored.span.starts_at().timestamp())
        && found.state() == pb::SessionState::Booked
        && found.flags.is_empty();
    expect(same, || format!("stored {stored:?}, found {found:?}"))
}

/// Nobody and no room is booked twice.
async fn refuse_a_second(client: &mut Client, token: &Token, booking: &pb::BookSessionRequest) -> Result<()> {
    let Err(status) = client.book_session(token.on(booking.clone())).await else {
        return Err("a session was booked twice".into());
    };
    let broken = broken_rules(&status);
    let names = |rule: &str| broken.iter().any(|it| it == rule);
    let right = status.code() == Code::FailedPrecondition && names("COUNSELLOR_BUSY") && names("CLIENT_BUSY");
    if right { Ok(()) } else { Err(explain(&status)) }
}

/// What is stored obeys the rules: once cancelled, it can be booked.
async fn book_again(
    client: &mut Client,
    token: &Token,
    found: pb::Session,
    booking: pb::BookSessionRequest,
) -> Result<()> {
    let reason = pb::CancelReason::Other.into();
    let cancel = pb::CancelSessionRequest { session_id: found.id, etag: found.etag, reason, ..Default::default() };
    client.cancel_session(token.on(cancel)).await.map_err(|status| explain(&status))?;
    client.book_session(token.on(booking)).await.map_err(|status| explain(&status))?;
    Ok(())
}

/// The request that would have made a session.
fn booking_of(seat: &Seat, session: &Session) -> pb::BookSessionRequest {
    let remote = session.place == Place::Remote;
    let text = |id: Option<String>| id.unwrap_or_default();
    pb::BookSessionRequest {
        client_id: session.participants[0].attendee.client_id.to_string(),
        counsellor_id: session.counsellor_id.to_string(),
        service: service_of(seat.side()).into(),
        modality: if remote { pb::Modality::Remote } else { pb::Modality::InPerson }.into(),
        venue_id: text(session.place.venue_id().map(|id| id.to_string())),
        room_id: text(session.place.room_id().map(|id| id.to_string())),
        starts_at: Some(prost_types::Timestamp { seconds: session.span.starts_at().timestamp(), nanos: 0 }),
        length: Some(minutes(LENGTH)),
        ..Default::default()
    }
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
