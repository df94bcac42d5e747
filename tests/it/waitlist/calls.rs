//! The waitlist in the words of its users.

use aftercare::grpc::pb;
use tonic::Status;

use crate::support::{Actor, Ngo, TestApp, minutes};

/// An hour for a client: counselling or treatment, by the client's side.
pub fn joining(client: &pb::Client) -> pb::JoinWaitlistRequest {
    let survivor = client.side == i32::from(pb::Side::Survivor);
    let service = if survivor { pb::CareService::Counselling } else { pb::CareService::Treatment };
    pb::JoinWaitlistRequest {
        client_id: client.id.clone(),
        service: service.into(),
        length: Some(minutes(60)),
        ..Default::default()
    }
}

pub async fn try_join(actor: &Actor, request: pb::JoinWaitlistRequest) -> Result<pb::WaitlistEntry, Status> {
    Ok(actor.scheduling().join_waitlist(request).await?.into_inner().entry.unwrap())
}

pub async fn join(ngo: &Ngo, client: &pb::Client) -> pb::WaitlistEntry {
    try_join(&ngo.coordinator, joining(client)).await.unwrap()
}

pub async fn join_with(ngo: &Ngo, client: &pb::Client, wishes: pb::WaitlistWishes) -> pb::WaitlistEntry {
    try_join(&ngo.coordinator, pb::JoinWaitlistRequest { wishes: Some(wishes), ..joining(client) }).await.unwrap()
}

pub async fn leave(ngo: &Ngo, entry: &pb::WaitlistEntry) -> Result<pb::WaitlistEntry, Status> {
    let request = pb::LeaveWaitlistRequest { entry_id: entry.id.clone(), ..Default::default() };
    Ok(ngo.coordinator.scheduling().leave_waitlist(request).await?.into_inner().entry.unwrap())
}

/// Everybody who waits, in order.
pub async fn places(ngo: &Ngo) -> Vec<pb::WaitlistPlace> {
    listed(ngo, pb::ListWaitlistRequest { page_size: 500, ..Default::default() }).await
}

pub async fn listed(ngo: &Ngo, request: pb::ListWaitlistRequest) -> Vec<pb::WaitlistPlace> {
    ngo.coordinator.scheduling().list_waitlist(request).await.unwrap().into_inner().places
}

/// Everything that is offered.
pub async fn offers(ngo: &Ngo) -> Vec<pb::OpenOffer> {
    let request = pb::ListOffersRequest { page_size: 500, ..Default::default() };
    ngo.coordinator.scheduling().list_offers(request).await.unwrap().into_inner().offers
}

/// The only thing that is offered.
pub async fn the_offer(ngo: &Ngo) -> pb::OpenOffer {
    let all = offers(ngo).await;
    <[pb::OpenOffer; 1]>::try_from(all).map(|[it]| it).expect("one offer")
}

/// Lets the jobs do what is due, and says to whom the only offer is made.
pub async fn asked(app: &TestApp, ngo: &Ngo) -> String {
    app.run_jobs().await;
    the_offer(ngo).await.entry.unwrap().client_id
}

pub async fn answer(
    actor: &Actor,
    offer: &pb::OpenOffer,
    answer: pb::OfferAnswer,
) -> Result<pb::AnswerOfferResponse, Status> {
    let offer_id = offer.offer.clone().unwrap().id;
    let request = pb::AnswerOfferRequest { offer_id, answer: answer.into(), ..Default::default() };
    Ok(actor.scheduling().answer_offer(request).await?.into_inner())
}

pub async fn accept(ngo: &Ngo, offer: &pb::OpenOffer) -> Result<pb::Session, Status> {
    Ok(answer(&ngo.coordinator, offer, pb::OfferAnswer::Accept).await?.session.unwrap())
}

pub async fn decline(ngo: &Ngo, offer: &pb::OpenOffer) -> Result<(), Status> {
    answer(&ngo.coordinator, offer, pb::OfferAnswer::Decline).await.map(drop)
}

/// Everything listed of one state; in any but held when unspecified.
pub async fn sessions(ngo: &Ngo, state: pb::SessionState) -> Vec<pb::Session> {
    let request = pb::ListSessionsRequest { states: vec![state.into()], page_size: 500, ..Default::default() };
    ngo.coordinator.scheduling().list_sessions(request).await.unwrap().into_inner().sessions
}
