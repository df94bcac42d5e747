//! A hold that has expired keeps nothing from anybody, and one that is booked is a session from then on.

use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::Status;

use crate::on_both_engines;
use crate::support::{Ngo, book, booking, minutes};

async fn hold(ngo: &Ngo, it: pb::BookSessionRequest, hold_for: i64) -> Result<pb::Session, Status> {
    let request = pb::HoldSlotRequest {
        client_id: it.client_id,
        counsellor_id: it.counsellor_id,
        service: it.service,
        modality: it.modality,
        venue_id: it.venue_id,
        starts_at: it.starts_at,
        length: it.length,
        hold_for: Some(minutes(hold_for)),
        ..Default::default()
    };
    Ok(ngo.coordinator.scheduling().hold_slot(request).await?.into_inner().hold.unwrap())
}

async fn book_held(ngo: &Ngo, held: &pb::Session) -> Result<pb::Session, Status> {
    book(&ngo.coordinator, pb::BookSessionRequest { hold_id: held.id.clone(), ..Default::default() }).await
}

on_both_engines! {
    async fn what_was_held_is_booked_when_it_is_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        let held = hold(&ngo, booking(&ngo, &counsellor, &client, "2026-11-24T04:30:00Z"), 5).await.unwrap();
        app.clock.advance(TimeDelta::minutes(2));
        let booked = book_held(&ngo, &held).await.unwrap();
        assert_eq!(booked.created_at.unwrap().seconds, app.now().timestamp());
        assert_eq!(ngo.session(&held.id).await, booked);
    }
}
