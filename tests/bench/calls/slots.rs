//! Free times: the first page of fourteen days, and all of them.

use aftercare::domain::code::Side;
use aftercare::grpc::pb;
use pb::scheduling_service_client::SchedulingServiceClient;
use tonic::Request;
use tonic::transport::Channel;

use super::{Turns, minutes};
use crate::load::{Call, Failure};
use crate::people::Organisation;
use crate::service::Cast;
use crate::sessions::LENGTH;

/// Slots on a first page.
const PAGE: i32 = 20;
/// Slots on each page of the whole.
const LARGEST_PAGE: i32 = 500;
/// Above so many counsellors nobody reads all of them.
const WHOLE_AMONG: usize = 200;

/// For one counsellor, and for all of each organisation.
pub fn find_slots(cast: &Cast) -> Vec<Call> {
    let survivors = |it: &Organisation| it.of_side(&cast.people, Side::Survivor);
    let mut sizes: Vec<_> = cast.people.organisations.iter().map(survivors).enumerate().collect();
    sizes.reverse();
    sizes.dedup_by_key(|(_, seats)| seats.len());
    let mut calls = Vec::new();
    if let Some((place, seats)) = sizes.first() {
        calls.push(first_page(cast, *place, seats, true));
    }
    sizes.retain(|(_, seats)| seats.len() > 1);
    calls.extend(sizes.iter().map(|(place, seats)| first_page(cast, *place, seats, false)));
    let small = sizes.iter().filter(|(_, seats)| seats.len() <= WHOLE_AMONG);
    calls.extend(small.map(|(place, seats)| whole(cast, *place, seats)));
    calls
}

fn asks(
    cast: &Cast,
    organisation: usize,
    seats: &[usize],
    alone: bool,
    page_size: i32,
) -> std::sync::Arc<Turns<pb::FindSlotsRequest>> {
    Turns::new(seats.iter().map(|place| {
        let seat = &cast.people.seats[*place];
        let message = pb::FindSlotsRequest {
            client_id: seat.clients[0].id.to_string(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(LENGTH)),
            counsellor_id: if alone { seat.counsellor.id.to_string() } else { String::new() },
            page_size,
            ..Default::default()
        };
        (cast.coordinator(organisation).clone(), message)
    }))
}

fn first_page(cast: &Cast, organisation: usize, seats: &[usize], alone: bool) -> Call {
    let among = if alone { 1 } else { seats.len() };
    let asks = asks(cast, organisation, seats, alone, PAGE);
    Call::new(format!("FindSlots among {among}, 14 days"), move |channel| {
        let request = asks.next();
        async move { page(channel, request, among).await.map(drop) }
    })
}

/// Every page, one after the other: one figure for all of them.
fn whole(cast: &Cast, organisation: usize, seats: &[usize]) -> Call {
    let among = seats.len();
    let asks = asks(cast, organisation, seats, false, LARGEST_PAGE);
    Call::new(format!("FindSlots among {among}, every page"), move |channel| {
        let mut request = asks.next();
        async move {
            loop {
                let (metadata, extensions, message) = request.into_parts();
                let this = Request::from_parts(metadata.clone(), extensions.clone(), message.clone());
                let page_token = page(channel.clone(), this, among).await?;
                if page_token.is_empty() {
                    return Ok(());
                }
                request = Request::from_parts(metadata, extensions, pb::FindSlotsRequest { page_token, ..message });
            }
        }
    })
}

/// One page; answers where the next begins.
async fn page(channel: Channel, request: Request<pb::FindSlotsRequest>, among: usize) -> Result<String, Failure> {
    let found = SchedulingServiceClient::new(channel).find_slots(request).await?.into_inner();
    let right = usize::try_from(found.counsellors) == Ok(among) && !found.slots.is_empty();
    let says = || format!("{} slots of {} counsellors", found.slots.len(), found.counsellors);
    if right { Ok(found.next_page_token) } else { Err(Failure::Wrong(says())) }
}
