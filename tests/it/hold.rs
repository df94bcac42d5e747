//! A time is held for a few minutes: for one caller, ten at most, and not a moment longer.

use aftercare::grpc::pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, at, book, booking, minutes, refused, venue_at};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

pub async fn hold(actor: &Actor, request: pb::BookSessionRequest) -> Result<pb::Session, Status> {
    let request = pb::HoldSlotRequest {
        request_id: request.request_id,
        client_id: request.client_id,
        counsellor_id: request.counsellor_id,
        service: request.service,
        modality: request.modality,
        venue_id: request.venue_id,
        room_id: request.room_id,
        guardian_id: request.guardian_id,
        starts_at: request.starts_at,
        length: request.length,
        overrides: request.overrides,
        ..Default::default()
    };
    Ok(actor.scheduling().hold_slot(request).await?.into_inner().hold.unwrap())
}

async fn book_held(actor: &Actor, hold: &pb::Session) -> Result<pb::Session, Status> {
    book(actor, pb::BookSessionRequest { hold_id: hold.id.clone(), ..Default::default() }).await
}

async fn release(actor: &Actor, hold: &pb::Session) -> Result<(), Status> {
    let request = pb::ReleaseHoldRequest { hold_id: hold.id.clone(), ..Default::default() };
    actor.scheduling().release_hold(request).await.map(drop)
}

on_both_engines! {
    async fn what_is_held_is_kept_and_then_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        let (client, rival) = (ngo.survivor().await, ngo.survivor().await);
        let held = hold(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        assert_eq!(held.state, i32::from(pb::SessionState::Held));
        assert_eq!(held.held_until, at("2026-11-23T04:05:00Z"));
        // A hold is no session: it is read by its id, and listed only when asked for.
        assert_eq!(ngo.session(&held.id).await, held);
        let mut scheduling = ngo.coordinator.scheduling();
        let listed = scheduling.list_sessions(pb::ListSessionsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.sessions, []);
        let holds = pb::ListSessionsRequest { states: vec![pb::SessionState::Held.into()], ..Default::default() };
        assert_eq!(scheduling.list_sessions(holds).await.unwrap().into_inner().sessions, std::slice::from_ref(&held));
        // Nor can it be cancelled or moved like one.
        assert_eq!(ngo.cancel(&held).await.unwrap_err().code(), Code::NotFound);
        // It keeps counsellor, client and room.
        let status = book(&ngo.coordinator, booking(&ngo, &counsellor, &rival, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY", "ROOM_BUSY"]);
        let status = book(&ngo.coordinator, booking(&ngo, &other, &client, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["CLIENT_BUSY", "ROOM_BUSY"]);
        // And the site, against the other side.
        let (treats, offender) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.offender().await);
        let later = booking(&ngo, &treats, &offender, "2026-11-24T06:30:00Z");
        assert_eq!(refused(&book(&ngo.coordinator, later).await.unwrap_err()).items, ["SLOT_NOT_AVAILABLE"]);
        // Only its holder books it, and nothing beside it.
        let second = Ngo::new(&app, "B").await;
        assert_eq!(book_held(&second.coordinator, &held).await.unwrap_err().code(), Code::NotFound);
        let both = pb::BookSessionRequest { hold_id: held.id.clone(), ..booking(&ngo, &counsellor, &client, TEN) };
        assert_eq!(refused(&book(&ngo.coordinator, both).await.unwrap_err()).items, ["hold_id"]);
        let session = book_held(&ngo.coordinator, &held).await.unwrap();
        assert_eq!((&session.id, session.state), (&held.id, pb::SessionState::Booked.into()));
        assert_eq!((session.starts_at, &session.room_id), (held.starts_at, &held.room_id));
        assert_eq!(session.held_until, None);
        assert_eq!(book_held(&ngo.coordinator, &held).await.unwrap_err().code(), Code::NotFound);
        // What was held stays taken when the hold's time is over.
        app.clock.set("2026-11-23T05:00:00Z".parse().unwrap());
        let status = book(&ngo.coordinator, booking(&ngo, &counsellor, &rival, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY", "ROOM_BUSY"]);
    }

    async fn a_hold_outlives_a_crash_but_not_its_time(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, rival) = (ngo.survivor().await, ngo.survivor().await);
        let held = hold(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        app.restart().await;
        let coordinator = app.bearer(ngo.coordinator.token.clone());
        let find = pb::FindSlotsRequest {
            client_id: rival.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(60)),
            window_starts_at: at(TEN),
            window_ends_at: at("2026-11-24T04:31:00Z"),
            modality: pb::Modality::InPerson.into(),
            ..Default::default()
        };
        app.clock.set("2026-11-23T04:04:59Z".parse().unwrap());
        let slots = coordinator.scheduling().find_slots(find.clone()).await.unwrap().into_inner().slots;
        assert_eq!(slots, []);
        let status = book(&coordinator, booking(&ngo, &counsellor, &rival, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY"]);
        // To the second: it is offered to, and booked by, somebody else.
        app.clock.set("2026-11-23T04:05:00Z".parse().unwrap());
        let slots = coordinator.scheduling().find_slots(find).await.unwrap().into_inner().slots;
        assert_eq!(slots.len(), 1);
        book(&coordinator, booking(&ngo, &counsellor, &rival, TEN)).await.unwrap();
        assert_eq!(book_held(&coordinator, &held).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(release(&coordinator, &held).await.unwrap_err().code(), Code::NotFound);
    }

    async fn an_expired_hold_blocks_nobody(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, treats) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (client, offender) = (ngo.survivor().await, ngo.offender().await);
        let case = ngo.party_of("3/2026", "Example Nagar", &client).await;
        ngo.add_party(&case, &offender, 2).await;
        // The site, the day of a linked client, and ten numbers.
        for hour in 4..14 {
            let request = booking(&ngo, &counsellor, &client, &format!("2026-11-24T{hour:02}:30:00Z"));
            let overrides = vec![pb::RuleOverride {
                rule: pb::BookingRule::OutsideWorkingHours.into(),
                reason: "an exception".into(),
            }];
            hold(&ngo.coordinator, pb::BookSessionRequest { overrides, ..request }).await.unwrap();
        }
        let theirs = booking(&ngo, &treats, &offender, "2026-11-24T08:30:00Z");
        assert_eq!(refused(&book(&ngo.coordinator, theirs.clone()).await.unwrap_err()).items, ["SLOT_NOT_AVAILABLE"]);
        app.clock.set("2026-11-23T04:05:00Z".parse().unwrap());
        book(&ngo.coordinator, theirs).await.unwrap();
        hold(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-25T04:30:00Z")).await.unwrap();
    }

    async fn the_eleventh_hold_is_refused(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let on = |day: u32| booking(&ngo, &counsellor, &client, &format!("2026-12-{day:02}T04:30:00Z"));
        let mut held = Vec::new();
        for day in 1..=10 {
            held.push(hold(&ngo.coordinator, on(day)).await.unwrap());
        }
        let status = hold(&ngo.coordinator, on(11)).await.unwrap_err();
        let refusal = refused(&status);
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_HOLDS"));
        let retry = status.get_error_details().retry_info().and_then(|info| info.retry_delay).unwrap();
        assert_eq!(retry.as_secs(), 300);
        // Another principal, even of the same organisation, has ten of its own.
        let other = ngo.another_coordinator(&app);
        let theirs = hold(&other, on(11)).await.unwrap();
        assert_eq!(release(&ngo.coordinator, &theirs).await.unwrap_err().code(), Code::NotFound);
        // One given back, or booked, makes room for one.
        release(&ngo.coordinator, &held[0]).await.unwrap();
        hold(&ngo.coordinator, on(1)).await.unwrap();
        book_held(&ngo.coordinator, &held[1]).await.unwrap();
        hold(&ngo.coordinator, on(12)).await.unwrap();
        assert_eq!(hold(&ngo.coordinator, on(13)).await.unwrap_err().code(), Code::ResourceExhausted);
    }

    async fn a_hold_does_not_outlive_the_facts_it_rests_on(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let held = hold(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        ngo.leave(&counsellor, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        let refusal = refused(&book_held(&ngo.coordinator, &held).await.unwrap_err());
        assert_eq!(refusal.items, ["ON_LEAVE"]);
        // The hold still stands, and its own time is no hindrance to an override.
        let request = pb::BookSessionRequest {
            hold_id: held.id.clone(),
            overrides: vec![pb::RuleOverride { rule: pb::BookingRule::OnLeave.into(), reason: "comes in anyway".into() }],
            ..Default::default()
        };
        let session = book(&ngo.coordinator, request).await.unwrap();
        assert_eq!(session.overridden, [i32::from(pb::BookingRule::OnLeave)]);
    }

    async fn a_link_recorded_while_a_time_is_held_counts_when_it_is_booked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut next_door = Ngo::new(&app, "B").await;
        next_door.venue = venue_at(&app, &next_door.id, "NEXT-DOOR", &ngo.site).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let treats = next_door.counsellor("O1", pb::Side::Offender).await;
        let (client, offender) = (ngo.survivor().await, next_door.offender().await);
        let held = hold(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        ngo.party_of("9/2026", "Example Nagar", &client).await;
        next_door.party_of("9/2026", "Example Nagar", &offender).await;
        // Both want the same day: while one holds it, the other is refused; once booked, the day is taken.
        let evening = booking(&next_door, &treats, &offender, "2026-11-24T10:30:00Z");
        let refusal = refused(&book(&next_door.coordinator, evening.clone()).await.unwrap_err());
        assert_eq!(refusal.items, ["SLOT_NOT_AVAILABLE"]);
        book_held(&ngo.coordinator, &held).await.unwrap();
        app.clock.set("2026-11-23T05:00:00Z".parse().unwrap());
        let refusal = refused(&book(&next_door.coordinator, evening).await.unwrap_err());
        assert_eq!(refusal.items, ["SLOT_NOT_AVAILABLE"]);
    }
}
