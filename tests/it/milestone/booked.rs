//! Sessions that are booked for a milestone.

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneExcuse as Excuse;
use aftercare::grpc::pb::MilestoneStatus as Status;

use super::{not_found, precondition, why};
use crate::on_both_engines;
use crate::support::followup::{Plan, enrolled, excuse, excusing};
use crate::support::{Ngo, book, booking, group_of, refused};

on_both_engines! {
    async fn a_session_is_looked_for_inside_the_window(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-13");
        let milestone = it.plan().await.milestone("MONITOR_2W").clone();
        let search = pb::FindSlotsRequest {
            milestone_id: milestone.id.clone(),
            service: pb::CareService::SurvivorAssessment.into(),
            length: Some(crate::support::minutes(60)),
            modality: pb::Modality::InPerson.into(),
            page_size: 500,
            ..Default::default()
        };
        let find = |request: pb::FindSlotsRequest| {
            let actor = it.ngo.coordinator.clone();
            async move { actor.scheduling().find_slots(request).await.map(|read| read.into_inner().slots) }
        };
        let days = |slots: &[pb::Slot]| {
            let mut days: Vec<String> = slots.iter().map(|slot| {
                let at = slot.starts_at.unwrap();
                let at = chrono::DateTime::from_timestamp(at.seconds, 0).unwrap();
                at.with_timezone(&chrono_tz::Asia::Kolkata).date_naive().to_string()
            }).collect();
            days.sort();
            days.dedup();
            days
        };
        // From the sixteenth to the twenty-sixth, every working hour.
        let window: Vec<String> = (16..=26).map(|day| format!("2026-01-{day}")).collect();
        assert_eq!(days(&find(search.clone()).await.unwrap()), window);
        let part = pb::FindSlotsRequest { window_starts_at: crate::support::at("2026-01-24T18:30:00Z"), ..search.clone() };
        assert_eq!(days(&find(part).await.unwrap()), window[9..]);
        let outside = pb::FindSlotsRequest { window_ends_at: crate::support::at("2026-01-15T18:30:00Z"), ..search.clone() };
        assert_eq!(refused(&find(outside).await.err().unwrap()).items, ["window_ends_at"]);
        let twice = pb::FindSlotsRequest { client_id: it.client.id.clone(), ..search.clone() };
        assert_eq!(refused(&find(twice).await.err().unwrap()).items, ["client_id"]);
        let end = pb::FindSlotsRequest { milestone_id: it.plan().await.milestone("END").id.clone(), ..search.clone() };
        assert_eq!(why(&find(end).await.err().unwrap()), precondition("MILESTONE_NOT_OPEN"));
        let elsewhere = Ngo::new(&app, "B").await;
        let theirs = elsewhere.coordinator.scheduling().find_slots(search.clone()).await.err().unwrap();
        assert_eq!(why(&theirs), not_found());
        // In the midst of it, from now on; after it, late.
        it.go_to(&app, "2026-01-20");
        let read = it.ngo.coordinator.scheduling().find_slots(search.clone()).await.unwrap().into_inner();
        assert_eq!(days(&read.slots), window[4..]);
        it.go_to(&app, "2026-02-20");
        let read = it.ngo.coordinator.scheduling().find_slots(search.clone()).await.unwrap().into_inner();
        assert_eq!(days(&read.slots).first().map(String::as_str), Some("2026-02-20"));
        excuse(&it.responsible(&app), excusing(&it.plan().await.milestone("MONITOR_2W").clone(), Excuse::Declined)).await.unwrap();
        let refusal = it.ngo.coordinator.scheduling().find_slots(search).await.err().unwrap();
        assert_eq!(why(&refusal), precondition("MILESTONE_DONE"));
    }

    async fn a_session_keeps_the_milestone_it_was_booked_for(app) {
        let mut it = enrolled(&app).await;
        let milestone = it.plan().await.milestone("MONITOR_2W").clone();
        let request = |start: &str| pb::BookSessionRequest {
            milestone_id: milestone.id.clone(), ..booking(&it.ngo, &it.counsellor, &it.client, start)
        };
        let of = |plan: &Plan| plan.milestone("MONITOR_2W").session_id.clone();
        let session = book(&it.ngo.coordinator, request("2026-01-19T04:30:00Z")).await.unwrap();
        assert_eq!(session.milestone_id, milestone.id);
        assert_eq!(of(&it.plan().await), session.id);
        assert_eq!(it.ngo.session(&session.id).await.milestone_id, milestone.id);
        // It does not put off the end of treatment.
        assert_eq!(it.plan().await.days("END"), ["", "", ""]);
        let moving = pb::RescheduleSessionRequest {
            session_id: session.id.clone(), etag: session.etag, reason: pb::CancelReason::Client.into(),
            starts_at: crate::support::at("2026-01-20T04:30:00Z"), ..Default::default()
        };
        let moved = it.ngo.coordinator.scheduling().reschedule_session(moving).await.unwrap().into_inner().session.unwrap();
        assert_eq!((moved.milestone_id.as_str(), of(&it.plan().await)), (milestone.id.as_str(), moved.id.clone()));
        it.ngo.cancel(&moved).await.unwrap();
        assert_eq!(of(&it.plan().await), "");
        // A hold is none yet, and keeps it until it is booked.
        let hold = pb::HoldSlotRequest {
            client_id: it.client.id.clone(), counsellor_id: it.counsellor.id.clone(), service: 1, modality: 1,
            venue_id: it.ngo.venue.id.clone(), starts_at: crate::support::at("2026-01-21T04:30:00Z"),
            length: Some(crate::support::minutes(60)), milestone_id: milestone.id.clone(), ..Default::default()
        };
        let scheduling = || it.ngo.coordinator.scheduling();
        let held = scheduling().hold_slot(hold.clone()).await.unwrap().into_inner().hold.unwrap();
        assert_eq!((held.milestone_id.as_str(), of(&it.plan().await)), (milestone.id.as_str(), String::new()));
        scheduling().release_hold(pb::ReleaseHoldRequest { hold_id: held.id, ..Default::default() }).await.unwrap();
        let held = scheduling().hold_slot(hold).await.unwrap().into_inner().hold.unwrap();
        let booked = book(&it.ngo.coordinator, pb::BookSessionRequest { hold_id: held.id, ..Default::default() }).await.unwrap();
        assert_eq!((booked.milestone_id.as_str(), of(&it.plan().await)), (milestone.id.as_str(), booked.id.clone()));
        // Attending it completes nothing.
        it.go_to(&app, "2026-01-22");
        let facts = crate::support::recording(&booked, &it.client, pb::AttendanceOutcome::AttendedComplied);
        crate::support::record(&it.ngo.coordinator, facts).await.unwrap();
        assert_eq!(it.plan().await.status("MONITOR_2W"), Status::Due);
    }

    async fn a_session_is_booked_for_the_clients_own_milestone(app) {
        let it = enrolled(&app).await;
        let other = it.ngo.survivor().await;
        let plan = it.plan().await;
        let fine = |milestone: &str| pb::BookSessionRequest {
            milestone_id: milestone.into(), ..booking(&it.ngo, &it.counsellor, &it.client, "2026-01-19T04:30:00Z")
        };
        let milestone = plan.milestone("MONITOR_2W");
        let not_theirs = pb::BookSessionRequest { client_id: other.id.clone(), ..fine(&milestone.id) };
        assert_eq!(refused(&book(&it.ngo.coordinator, not_theirs).await.err().unwrap()).items, ["milestone_id"]);
        let group = group_of(2, std::slice::from_ref(&it.client), fine(&milestone.id));
        assert_eq!(refused(&book(&it.ngo.coordinator, group).await.err().unwrap()).items, ["milestone_id"]);
        let none = fine("0193a5e0-0000-7000-8000-00000000dead");
        assert_eq!(why(&book(&it.ngo.coordinator, none).await.err().unwrap()), not_found());
        let elsewhere = Ngo::new(&app, "B").await;
        let counsellor = elsewhere.counsellor("C1", pb::Side::Survivor).await;
        let client = elsewhere.survivor().await;
        let foreign = pb::BookSessionRequest {
            milestone_id: milestone.id.clone(), ..booking(&elsewhere, &counsellor, &client, "2026-01-19T04:30:00Z")
        };
        assert_eq!(why(&book(&elsewhere.coordinator, foreign).await.err().unwrap()), not_found());
        excuse(&it.responsible(&app), excusing(milestone, Excuse::NotApplicable)).await.unwrap();
        assert_eq!(why(&book(&it.ngo.coordinator, fine(&milestone.id)).await.err().unwrap()), precondition("MILESTONE_DONE"));
    }
}
