//! A session is found, booked, read, cancelled; each rule that stands in the way says so.

use aftercare::grpc::pb;
use tonic::Code;

use crate::on_both_engines;
use crate::support::{Ngo, book, booking, date, minutes, refused, time_of_day};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

fn find(ngo: &Ngo, client: &pb::Client, from: &str, until: &str) -> pb::FindSlotsRequest {
    let at = |text: &str| {
        let at: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
        Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 })
    };
    pb::FindSlotsRequest {
        client_id: client.id.clone(),
        service: booking(ngo, &pb::Counsellor::default(), client, TEN).service,
        length: Some(minutes(60)),
        window_starts_at: at(from),
        window_ends_at: at(until),
        modality: pb::Modality::InPerson.into(),
        page_size: 500,
        ..Default::default()
    }
}

async fn codes(ngo: &Ngo, request: pb::BookSessionRequest) -> Vec<String> {
    let status = book(&ngo.coordinator, request).await.unwrap_err();
    let refused = refused(&status);
    assert_eq!(refused.code, Code::FailedPrecondition, "{status}");
    assert_eq!(refused.reason, "BOOKING_REFUSED");
    refused.items
}

on_both_engines! {
    async fn a_slot_is_found_booked_and_gone(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut scheduling = ngo.coordinator.scheduling();

        let day = find(&ngo, &client, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
        let slots = scheduling.find_slots(day.clone()).await.unwrap().into_inner().slots;
        // 09:30 to 16:30 every quarter of an hour.
        assert_eq!(slots.len(), 29);
        assert_eq!(slots[0].local_start, "2026-11-24T09:30:00+05:30");
        assert_eq!(slots[28].local_start, "2026-11-24T16:30:00+05:30");
        assert!(!slots[0].reasons.contains(&pb::SlotReason::Continuity.into()));

        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        assert_eq!(session.state, i32::from(pb::SessionState::Booked));
        assert_eq!(session.local_start, "2026-11-24T10:00:00+05:30");
        assert_eq!(session.client_reference, client.reference);
        assert_eq!(ngo.session(&session.id).await, session);

        let slots = scheduling.find_slots(day.clone()).await.unwrap().into_inner().slots;
        // Starts from 09:15 to 10:45 are gone: 09:30, 09:45, 10:00, 10:15, 10:30, 10:45.
        assert_eq!(slots.len(), 23);
        assert_eq!(slots[0].local_start, "2026-11-24T11:00:00+05:30");
        assert!(slots[0].reasons.contains(&pb::SlotReason::Continuity.into()));

        let cancelled = ngo.cancel(&session).await.unwrap();
        assert_eq!(cancelled.state, i32::from(pb::SessionState::Cancelled));
        assert_eq!(cancelled.cancel_reason, i32::from(pb::CancelReason::Client));
        assert_ne!(cancelled.etag, session.etag);
        assert_eq!(scheduling.find_slots(day).await.unwrap().into_inner().slots.len(), 29);
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
    }

    async fn pages_of_slots_are_the_whole_answer_in_order(app) {
        let ngo = Ngo::new(&app, "A").await;
        for code in ["C1", "C2", "C3"] {
            ngo.counsellor(code, pb::Side::Survivor).await;
        }
        let client = ngo.survivor().await;
        let mut scheduling = ngo.coordinator.scheduling();
        let whole = find(&ngo, &client, "2026-11-24T00:00:00Z", "2026-11-26T00:00:00Z");
        let expected = scheduling.find_slots(whole.clone()).await.unwrap().into_inner().slots;
        assert_eq!(expected.len(), 3 * 2 * 29);
        let mut found = Vec::new();
        let mut page = pb::FindSlotsRequest { page_size: 50, ..whole };
        loop {
            let answer = scheduling.find_slots(page.clone()).await.unwrap().into_inner();
            found.extend(answer.slots);
            if answer.next_page_token.is_empty() {
                break;
            }
            page.page_token = answer.next_page_token;
        }
        assert_eq!(found, expected);
    }

    async fn a_holiday_closes_the_site_but_not_the_telephone(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let holiday = pb::Holiday { date: Some(date("2026-11-24")), name: "Example Day".into() };
        let calendar = pb::HolidayCalendar {
            organisation_id: ngo.id.clone(),
            code: "CAL".into(),
            name: "Example".into(),
            holidays: vec![holiday],
            ..Default::default()
        };
        let mut directory = app.admin().directory();
        let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
        let calendar = directory.create_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap();
        let site = pb::Site { holiday_calendar_id: calendar.id, ..ngo.site.clone() };
        let mask = prost_types::FieldMask { paths: vec!["holiday_calendar_id".into()] };
        let request = pb::UpdateSiteRequest { site: Some(site), update_mask: Some(mask), ..Default::default() };
        let updated = directory.update_site(request).await.unwrap().into_inner().site.unwrap();
        assert_eq!(updated.name, ngo.site.name);

        assert_eq!(codes(&ngo, booking(&ngo, &counsellor, &client, TEN)).await, ["HOLIDAY"]);
        let remote = pb::BookSessionRequest {
            modality: pb::Modality::Remote.into(),
            venue_id: String::new(),
            ..booking(&ngo, &counsellor, &client, TEN)
        };
        book(&ngo.coordinator, remote).await.unwrap();
    }

    async fn no_agreement_no_session(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut agreement = ngo.agreement(&app).await;
        let mut directory = app.admin().directory();
        let good = pb::Agreement { valid_until: Some(date("2026-11-24")), ..agreement.clone() };
        let bad = [
            pb::Agreement { valid_until: Some(date("2026-11-23")), ..good.clone() },
            pb::Agreement { valid_from: Some(date("2026-11-25")), valid_until: None, ..good.clone() },
            pb::Agreement { status: pb::AgreementStatus::Suspended.into(), ..good.clone() },
            pb::Agreement { districts: vec!["KL-EKM".into()], ..good.clone() },
            pb::Agreement { services: vec![2], ..good.clone() },
        ];
        for wrong in bad {
            let wrong = pb::Agreement { etag: agreement.etag.clone(), ..wrong };
            let request = pb::UpdateAgreementRequest { agreement: Some(wrong), ..Default::default() };
            agreement = directory.update_agreement(request).await.unwrap().into_inner().agreement.unwrap();
            let request = booking(&ngo, &counsellor, &client, TEN);
            assert_eq!(codes(&ngo, request).await, ["NO_AGREEMENT"], "{agreement:?}");
        }
        let good = pb::Agreement { etag: agreement.etag.clone(), ..good };
        let request = pb::UpdateAgreementRequest { agreement: Some(good), ..Default::default() };
        directory.update_agreement(request).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
    }

    async fn every_broken_rule_is_named_at_once_with_what_is_free_instead(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let offenders = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.survivor().await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        // The client, the room and the counsellor are all taken.
        let status = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap_err();
        let refusal = refused(&status);
        assert_eq!(refusal.items, ["COUNSELLOR_BUSY", "CLIENT_BUSY", "ROOM_BUSY"]);
        let starts: Vec<_> = refusal.alternatives.iter().map(|slot| slot.local_start.as_str()).collect();
        assert_eq!(starts, ["2026-11-24T11:00:00+05:30", "2026-11-24T11:15:00+05:30", "2026-11-24T11:30:00+05:30"]);
        // An alternative is a slot: it can be booked as it is.
        let slot = &refusal.alternatives[0];
        let request = pb::BookSessionRequest {
            counsellor_id: slot.counsellor_id.clone(),
            venue_id: slot.venue_id.clone(),
            room_id: slot.room_id.clone(),
            starts_at: slot.starts_at,
            ..booking(&ngo, &counsellor, &client, TEN)
        };
        book(&ngo.coordinator, request).await.unwrap();
        // A counsellor of the other side never becomes right: the alternatives name another.
        let request = booking(&ngo, &offenders, &client, "2026-11-24T15:00:00Z");
        let refusal = refused(&book(&ngo.coordinator, request).await.unwrap_err());
        assert_eq!(refusal.items, ["WRONG_SIDE", "OUTSIDE_WORKING_HOURS"]);
        assert!(refusal.alternatives.iter().all(|slot| slot.counsellor_id == counsellor.id));
        assert_eq!(refusal.alternatives.len(), 3);
    }

    async fn the_first_free_room_is_taken(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (second, first) = (ngo.room("R2").await, ngo.room("R1").await);
        let mut taken = Vec::new();
        for code in ["C1", "C2"] {
            let counsellor = ngo.counsellor(code, pb::Side::Survivor).await;
            let client = ngo.survivor().await;
            taken.push(book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap().room_id);
        }
        assert_eq!(taken, [first.id, second.id]);
        let counsellor = ngo.counsellor("C3", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        assert_eq!(codes(&ngo, booking(&ngo, &counsellor, &client, TEN)).await, ["ROOM_BUSY"]);
    }

    async fn hours_of_one_venue_hold_there_only(app) {
        let ngo = Ngo::new(&app, "A").await;
        let hours = pb::WorkingHours {
            day: 2,
            starts: Some(time_of_day(20, 0)),
            ends: Some(time_of_day(24, 0)),
            venue_id: ngo.venue.id.clone(),
            valid_from: Some(date("2026-11-24")),
            valid_until: Some(date("2026-11-24")),
            ..Default::default()
        };
        let night = |it: &mut pb::Counsellor| it.working_hours = vec![hours];
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, night).await;
        let client = ngo.survivor().await;
        // Until midnight on the 24th, in person; not remotely, and not a week later.
        let request = booking(&ngo, &counsellor, &client, "2026-11-24T17:30:00Z");
        let remote = pb::BookSessionRequest { modality: 2, venue_id: String::new(), ..request.clone() };
        assert_eq!(codes(&ngo, remote).await, ["OUTSIDE_WORKING_HOURS"]);
        let later = booking(&ngo, &counsellor, &client, "2026-12-01T17:30:00Z");
        assert_eq!(codes(&ngo, later).await, ["OUTSIDE_WORKING_HOURS"]);
        book(&ngo.coordinator, request).await.unwrap();
    }

    async fn a_session_is_cancelled_once_and_before_it_starts(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let cancelled = ngo.cancel(&session).await.unwrap();
        let stale = refused(&ngo.cancel(&session).await.unwrap_err());
        assert_eq!((stale.code, stale.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let twice = refused(&ngo.cancel(&cancelled).await.unwrap_err());
        assert_eq!((twice.code, twice.reason.as_str()), (Code::FailedPrecondition, "ALREADY_CANCELLED"));

        let noon = "2026-11-23T06:30:00Z";
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, noon)).await.unwrap();
        app.clock.set(noon.parse().unwrap());
        let late = refused(&ngo.cancel(&session).await.unwrap_err());
        assert_eq!((late.code, late.reason.as_str()), (Code::FailedPrecondition, "ALREADY_STARTED"));
    }

    async fn sessions_are_listed_by_day_person_and_state(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut booked = Vec::new();
        for start in ["2026-11-24T04:30:00Z", "2026-11-24T06:30:00Z", "2026-11-25T04:30:00Z"] {
            booked.push(book(&ngo.coordinator, booking(&ngo, &counsellor, &client, start)).await.unwrap());
        }
        let own = book(&ngo.coordinator, booking(&ngo, &other, &client, "2026-11-26T04:30:00Z")).await.unwrap();
        booked[1] = ngo.cancel(&booked[1]).await.unwrap();
        let mut scheduling = ngo.coordinator.scheduling();
        let today = pb::ListSessionsRequest { on_date: Some(date("2026-11-24")), ..Default::default() };
        let listed = scheduling.list_sessions(today.clone()).await.unwrap().into_inner().sessions;
        assert_eq!(listed, booked[..2]);
        for (states, expected) in [(vec![1], &booked[..1]), (vec![2], &booked[1..2]), (vec![2, 1], &booked[..2]), (vec![3], &[])] {
            let these = pb::ListSessionsRequest { states, ..today.clone() };
            assert_eq!(scheduling.list_sessions(these).await.unwrap().into_inner().sessions, expected);
        }
        let by_site = pb::ListSessionsRequest { site_id: ngo.site.id.clone(), page_size: 3, ..Default::default() };
        let page = scheduling.list_sessions(by_site.clone()).await.unwrap().into_inner();
        assert_eq!(page.sessions, booked);
        let next = pb::ListSessionsRequest { page_token: page.next_page_token, ..by_site };
        assert_eq!(scheduling.list_sessions(next).await.unwrap().into_inner().sessions, std::slice::from_ref(&own));
        // A counsellor sees the own calendar, whatever is asked.
        let mut theirs = ngo.as_counsellor(&app, &other).scheduling();
        let everything = pb::ListSessionsRequest::default();
        assert_eq!(theirs.list_sessions(everything).await.unwrap().into_inner().sessions, [own]);
        let foreign = pb::ListSessionsRequest { counsellor_id: counsellor.id.clone(), ..Default::default() };
        assert!(theirs.list_sessions(foreign).await.unwrap().into_inner().sessions.is_empty());
        let foreign = pb::GetSessionRequest { session_id: booked[0].id.clone() };
        assert_eq!(theirs.get_session(foreign).await.unwrap_err().code(), Code::NotFound);
    }
}
