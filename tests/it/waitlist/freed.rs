//! What frees a time, for whom, and what the sides and organisations never learn of each other.

use aftercare::grpc::pb;
use chrono::{DateTime, TimeDelta, Utc};
use tonic::Code;

use super::calls::*;
use super::{Stage, TEN};
use crate::on_both_engines;
use crate::support::{Ngo, book, booking, group_of, venue_at};

on_both_engines! {
    async fn a_session_that_is_moved_frees_its_old_time(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let client = ngo.survivor().await;
        join(ngo, &client).await;
        let start: DateTime<Utc> = "2026-11-27T07:30:00Z".parse().unwrap();
        let request = pb::RescheduleSessionRequest {
            session_id: stage.session.id.clone(),
            etag: stage.session.etag.clone(),
            reason: pb::CancelReason::Client.into(),
            starts_at: Some(prost_types::Timestamp { seconds: start.timestamp(), nanos: 0 }),
            ..Default::default()
        };
        ngo.coordinator.scheduling().reschedule_session(request).await.unwrap();
        app.run_jobs().await;
        let hold = the_offer(ngo).await.hold.unwrap();
        assert_eq!((hold.starts_at, &hold.client_id), (stage.session.starts_at, &client.id));
    }

    async fn what_the_provider_cannot_keep_is_offered_to_nobody(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        join(ngo, &ngo.survivor().await).await;
        // The counsellor is ill: what a colleague takes over leaves no time behind.
        let request = pb::ReassignCounsellorRequest {
            session_id: stage.session.id.clone(),
            etag: stage.session.etag.clone(),
            counsellor_id: other.id.clone(),
            ..Default::default()
        };
        let given = ngo.coordinator.scheduling().reassign_counsellor(request).await.unwrap().into_inner();
        let given = given.session.unwrap();
        let request = pb::CancelSessionRequest {
            session_id: given.id,
            etag: given.etag,
            reason: pb::CancelReason::Provider.into(),
            ..Default::default()
        };
        ngo.coordinator.scheduling().cancel_session(request).await.unwrap();
        app.run_jobs().await;
        assert!(offers(ngo).await.is_empty());
    }

    async fn a_time_waits_for_somebody_who_has_another_offer(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let client = ngo.survivor().await;
        let later = booking(ngo, &stage.counsellor, &ngo.survivor().await, "2026-11-27T07:30:00Z");
        let later = book(&ngo.coordinator, later).await.unwrap();
        join(ngo, &client).await;
        for session in [&stage.session, &later] {
            ngo.cancel(session).await.unwrap();
            app.run_jobs().await;
        }
        decline(ngo, &the_offer(ngo).await).await.unwrap();
        app.run_jobs().await;
        let second = the_offer(ngo).await;
        assert_eq!(second.hold.as_ref().unwrap().starts_at, later.starts_at);
        accept(ngo, &second).await.unwrap();
        app.run_jobs().await;
        assert!(offers(ngo).await.is_empty());
    }

    async fn a_group_that_is_cancelled_frees_the_time_of_each_who_led_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        let mut request = group_of(4, std::slice::from_ref(&client), booking(&ngo, &one, &client, TEN));
        if let Some(group) = &mut request.group {
            group.co_facilitator_ids = vec![other.id.clone()];
        }
        let session = book(&ngo.coordinator, request).await.unwrap();
        for _ in 0..3 {
            join(&ngo, &ngo.survivor().await).await;
        }
        ngo.cancel(&session).await.unwrap();
        app.run_jobs().await;
        let mut with: Vec<_> = offers(&ngo).await.into_iter().map(|it| it.hold.unwrap().counsellor_id).collect();
        with.sort();
        let mut both = [one.id, other.id];
        both.sort();
        assert_eq!(with, both);
    }

    async fn a_time_that_comes_too_soon_is_not_offered(app) {
        let stage = Stage::of(&app).await;
        let mut ngo = stage.ngo.with_default_policy(&app).await;
        join(&ngo, &ngo.survivor().await).await;
        let counsellor = &stage.counsellor;
        let soon = book(&ngo.coordinator, booking(&ngo, counsellor, &ngo.survivor().await, "2026-11-27T05:30:00Z")).await.unwrap();
        // Two hours of notice and one to answer: three hours before the first start are enough.
        app.clock.set(TEN.parse::<DateTime<Utc>>().unwrap() - TimeDelta::hours(3));
        ngo.sign_in(&app);
        ngo.cancel(&stage.session).await.unwrap();
        app.run_jobs().await;
        let offer = the_offer(&ngo).await;
        assert_eq!(offer.offer.as_ref().unwrap().expires_at.unwrap().seconds, app.now().timestamp() + 3600);
        decline(&ngo, &offer).await.unwrap();
        app.clock.advance(TimeDelta::hours(1) + TimeDelta::seconds(1));
        ngo.cancel(&soon).await.unwrap();
        app.run_jobs().await;
        assert_eq!(offers(&ngo).await, []);
    }

    async fn nobody_is_offered_a_time_of_another_organisation_or_side(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let (own, other) = (ngo, Ngo::new(&app, "B").await);
        join(&other, &other.survivor().await).await;
        join(own, &own.offender().await).await;
        let waits = own.survivor().await;
        stage.cancel().await;
        app.run_jobs().await;
        assert_eq!((offers(own).await, offers(&other).await), (vec![], vec![]));
        // Now somebody waits; a later time of this counsellor is offered, and only here.
        let entry = join(own, &waits).await;
        let again = book(&own.coordinator, booking(own, &stage.counsellor, &own.survivor().await, TEN)).await.unwrap();
        own.cancel(&again).await.unwrap();
        assert_eq!(asked(&app, own).await, waits.id);
        assert_eq!(offers(&other).await, []);
        // What is another's does not exist.
        let offer = the_offer(own).await;
        for answer_of in [pb::OfferAnswer::Accept, pb::OfferAnswer::Decline] {
            assert_eq!(answer(&other.coordinator, &offer, answer_of).await.unwrap_err().code(), Code::NotFound);
        }
        assert_eq!(leave(&other, &entry).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(try_join(&other.coordinator, joining(&waits)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(places(&other).await.len(), 1);
    }

    async fn who_must_not_meet_is_not_brought_together_by_an_offer(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let mut next_door = Ngo::new(&app, "B").await;
        next_door.venue = venue_at(&app, &next_door.id, "NEXT-DOOR", &ngo.site).await;
        let treats = next_door.counsellor("O1", pb::Side::Offender).await;
        let offender = next_door.offender().await;
        let (linked, other) = (ngo.survivor().await, ngo.survivor().await);
        ngo.party_of("9/2026", "Example Nagar", &linked).await;
        next_door.party_of("9/2026", "Example Nagar", &offender).await;
        // In the evening of that day, far from the gap, there is somebody whom one of them must not meet.
        book(&next_door.coordinator, booking(&next_door, &treats, &offender, "2026-11-27T09:30:00Z")).await.unwrap();
        join(ngo, &linked).await;
        app.clock.advance(TimeDelta::minutes(1));
        join(ngo, &other).await;
        stage.cancel().await;
        assert_eq!(asked(&app, ngo).await, other.id);
        // What is offered keeps the other side away, as a session would.
        let near = booking(&next_door, &treats, &next_door.offender().await, "2026-11-27T06:30:00Z");
        assert_eq!(crate::support::refused(&book(&next_door.coordinator, near.clone()).await.unwrap_err()).items, ["SLOT_NOT_AVAILABLE"]);
        decline(ngo, &the_offer(ngo).await).await.unwrap();
        app.run_jobs().await;
        assert_eq!(offers(ngo).await, []);
        book(&next_door.coordinator, near).await.unwrap();
    }
}
