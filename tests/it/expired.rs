//! A hold that has expired keeps nothing from anybody, and one that is booked is a session from then on.

use aftercare::grpc::pb;
use chrono::TimeDelta;
use futures_util::future::join_all;
use tonic::Status;

use crate::on_both_engines;
use crate::support::{Ngo, book, booking, minutes, refused};

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

    async fn an_expired_hold_is_not_in_the_way_of_a_wider_gap(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (survivors, offenders) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        book(&ngo.coordinator, booking(&ngo, &survivors, &survivor, "2026-11-24T04:30:00Z")).await.unwrap();
        // Two hours after the survivor has left.
        hold(&ngo, booking(&ngo, &offenders, &offender, "2026-11-24T07:30:00Z"), 5).await.unwrap();
        let site = pb::Site { separation_gap: Some(minutes(180)), ..ngo.site.clone() };
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        let refusal = refused(&app.admin().directory().update_site(request.clone()).await.unwrap_err());
        assert_eq!(refusal.reason, "SEPARATION_GAP_IN_USE");
        app.clock.advance(TimeDelta::minutes(5));
        app.admin().directory().update_site(request).await.unwrap();
        // The wider gap holds from now on.
        let late = booking(&ngo, &offenders, &offender, "2026-11-24T08:30:00Z");
        book(&ngo.coordinator, late).await.unwrap();
    }

    async fn an_expired_hold_is_not_in_the_way_of_booking_another(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (survivors, offenders) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        let case = ngo.party_of("12/2026", "Example Nagar", &offender).await;
        let kept = hold(&ngo, booking(&ngo, &survivors, &survivor, "2026-11-24T04:30:00Z"), 15).await.unwrap();
        hold(&ngo, booking(&ngo, &offenders, &offender, "2026-11-24T10:30:00Z"), 5).await.unwrap();
        ngo.add_party(&case, &survivor, 1).await;
        assert_eq!(refused(&book_held(&ngo, &kept).await.unwrap_err()).items, ["SLOT_NOT_AVAILABLE"]);
        app.clock.advance(TimeDelta::minutes(5));
        book_held(&ngo, &kept).await.unwrap();
    }

    async fn an_expired_hold_is_not_in_the_way_of_longer_buffers(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (one, other) = (ngo.survivor().await, ngo.survivor().await);
        let kept = hold(&ngo, booking(&ngo, &counsellor, &one, "2026-11-24T04:30:00Z"), 15).await.unwrap();
        hold(&ngo, booking(&ngo, &counsellor, &other, "2026-11-24T05:30:00Z"), 5).await.unwrap();
        let slower = pb::Counsellor { buffer_after: Some(minutes(15)), ..counsellor };
        let request = pb::UpdateCounsellorRequest { counsellor: Some(slower), ..Default::default() };
        ngo.coordinator.directory().update_counsellor(request).await.unwrap();
        app.clock.advance(TimeDelta::minutes(5));
        book_held(&ngo, &kept).await.unwrap();
    }

    async fn of_many_who_come_after_an_expired_hold_one_is_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = join_all((0..9).map(|_| ngo.survivor())).await;
        let at = |client: &pb::Client| booking(&ngo, &counsellor, client, "2026-11-24T04:30:00Z");
        hold(&ngo, at(&clients[0]), 5).await.unwrap();
        app.clock.advance(TimeDelta::minutes(5));
        let (_, rivals) = clients.split_first().unwrap();
        let answers = join_all(rivals.iter().map(|client| book(&ngo.coordinator, at(client)))).await;
        let (booked, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(booked.len(), 1);
        for status in lost.into_iter().filter_map(Result::err) {
            assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY"]);
        }
    }
}
