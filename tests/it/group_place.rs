//! Groups: where and when they find a place, who must not sit together, and who leads them.

use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Ngo, at, book, booking, group_of, join, joining, leaving, minutes, refused, remove};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata
const NOON: &str = "2026-11-24T06:30:00Z";

fn broken(status: Status) -> Vec<String> {
    let refusal = refused(&status);
    assert_eq!(refusal.code, Code::FailedPrecondition, "{status:?}");
    refusal.items
}

async fn room_for(ngo: &Ngo, code: &str, capacity: Option<i32>) -> pb::Room {
    let room = pb::Room { capacity, ..ngo.room(code).await };
    let request = pb::UpdateRoomRequest { room: Some(room), ..Default::default() };
    ngo.coordinator.directory().update_room(request).await.unwrap().into_inner().room.unwrap()
}

/// A group of some places without anybody yet, and who leads it.
fn empty(
    ngo: &Ngo,
    lead: &pb::Counsellor,
    beside: &[&pb::Counsellor],
    capacity: i32,
    start: &str,
) -> pb::BookSessionRequest {
    let group = pb::WantedGroup {
        capacity,
        participants: Vec::new(),
        co_facilitator_ids: beside.iter().map(|it| it.id.clone()).collect(),
    };
    pb::BookSessionRequest {
        counsellor_id: lead.id.clone(),
        service: pb::CareService::Treatment.into(),
        modality: pb::Modality::InPerson.into(),
        venue_id: ngo.venue.id.clone(),
        starts_at: at(start),
        length: Some(minutes(60)),
        group: Some(group),
        ..Default::default()
    }
}

on_both_engines! {
    async fn a_group_gets_the_smallest_room_that_holds_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (small, unknown) = (room_for(&ngo, "R1", Some(5)).await, room_for(&ngo, "R2", None).await);
        let (large, fitting) = (room_for(&ngo, "R3", Some(40)).await, room_for(&ngo, "R4", Some(8)).await);
        assert_eq!((small.capacity, unknown.capacity), (Some(5), None));
        let wrong = pb::UpdateRoomRequest { room: Some(pb::Room { capacity: Some(501), ..small.clone() }), ..Default::default() };
        let status = ngo.coordinator.directory().update_room(wrong).await.unwrap_err();
        assert_eq!(refused(&status).items, ["room.capacity"]);
        let mut leads = Vec::new();
        for code in ["O1", "O2", "O3", "O4", "O5", "O6"] {
            leads.push(ngo.counsellor(code, pb::Side::Offender).await);
        }
        // Six places and two who lead are eight people; for the fourth group only the small room is left.
        let mut rooms = Vec::new();
        for lead in &leads[..3] {
            rooms.push(book(&ngo.coordinator, empty(&ngo, lead, &[], 7, TEN)).await.unwrap().room_id);
        }
        assert_eq!(rooms, [fitting.id.clone(), large.id, unknown.id]);
        let request = empty(&ngo, &leads[3], &[], 7, TEN);
        assert_eq!(broken(book(&ngo.coordinator, request.clone()).await.unwrap_err()), ["ROOM_CAPACITY"]);
        let overrides = vec![pb::RuleOverride { rule: pb::BookingRule::RoomCapacity.into(), reason: "half of them come".into() }];
        let squeezed = book(&ngo.coordinator, pb::BookSessionRequest { overrides, ..request }).await.unwrap();
        assert_eq!((&squeezed.room_id, squeezed.flags.len()), (&small.id, 0));
        // It was decided for the group, so nobody who joins or takes over needs to decide it again.
        join(&ngo.coordinator, joining(&squeezed, &ngo.offender().await)).await.unwrap();
        // Who leads counts, and one to one the first room is as good as ever.
        let two = empty(&ngo, &leads[4], &[&leads[5]], 7, NOON);
        let two = pb::BookSessionRequest { room_id: fitting.id, ..two };
        assert_eq!(broken(book(&ngo.coordinator, two).await.unwrap_err()), ["ROOM_CAPACITY"]);
        let alone = book(&ngo.coordinator, booking(&ngo, &leads[4], &ngo.offender().await, NOON)).await.unwrap();
        assert_eq!(alone.room_id, small.id);
    }

    async fn what_is_offered_to_a_group_is_accepted(app) {
        let ngo = Ngo::new(&app, "A").await;
        room_for(&ngo, "R1", Some(3)).await;
        let large = room_for(&ngo, "R2", Some(12)).await;
        let (lead, beside) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let (client, other) = (ngo.offender().await, ngo.offender().await);
        // One facilitator until eleven, one of the clients from half past eleven to half past twelve.
        let third = ngo.counsellor("O3", pb::Side::Offender).await;
        ngo.leave(&third, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        book(&ngo.coordinator, booking(&ngo, &beside, &ngo.offender().await, TEN)).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &lead, &client, "2026-11-24T06:00:00Z")).await.unwrap();
        let wanted = empty(&ngo, &lead, &[&beside], 6, TEN).group.unwrap();
        let group = group_of(6, &[client.clone(), other.clone()], booking(&ngo, &lead, &client, TEN)).group.unwrap();
        let group = pb::WantedGroup { co_facilitator_ids: wanted.co_facilitator_ids, ..group };
        let search = pb::FindSlotsRequest {
            service: pb::CareService::Treatment.into(),
            modality: pb::Modality::InPerson.into(),
            length: Some(minutes(60)),
            step: Some(minutes(30)),
            window_starts_at: at(TEN),
            window_ends_at: at("2026-11-24T08:00:00Z"),
            group: Some(group.clone()),
            page_size: 500,
            ..Default::default()
        };
        let found = ngo.coordinator.scheduling().find_slots(search.clone()).await.unwrap().into_inner();
        // Of the two who could lead, one is away.
        assert_eq!(found.counsellors, 2);
        let starts: Vec<_> = found.slots.iter().map(|it| it.local_start.as_str()).collect();
        assert_eq!(starts, ["2026-11-24T12:30:00+05:30", "2026-11-24T13:00:00+05:30"]);
        assert!(found.slots.iter().all(|it| it.room_id == large.id && it.counsellor_id == lead.id));
        let away = found.exclusions.iter().find(|it| it.rule == i32::from(pb::BookingRule::OnLeave)).unwrap();
        assert_eq!(away.counsellors, 1);
        let slot = &found.slots[0];
        let request = pb::BookSessionRequest { starts_at: slot.starts_at, room_id: slot.room_id.clone(), ..empty(&ngo, &lead, &[], 6, TEN) };
        book(&ngo.coordinator, pb::BookSessionRequest { group: Some(group), ..request }).await.unwrap();
        // A group may still have nobody in it; and what is one client's is none of a group's.
        let nobody = pb::FindSlotsRequest { group: Some(empty(&ngo, &lead, &[], 6, TEN).group.unwrap()), ..search.clone() };
        assert!(!ngo.coordinator.scheduling().find_slots(nobody).await.unwrap().into_inner().slots.is_empty());
        let wrong = pb::FindSlotsRequest { client_id: client.id, counsellor_id: beside.id, ..search };
        let status = ngo.coordinator.scheduling().find_slots(wrong).await.unwrap_err();
        assert_eq!(refused(&status).items, ["client_id", "group.co_facilitator_ids"]);
    }

    async fn those_who_must_not_meet_never_sit_in_one_group(app) {
        let ngo = Ngo::new(&app, "A").await;
        let lead = ngo.counsellor("O1", pb::Side::Offender).await;
        let (one, other, third) = (ngo.offender().await, ngo.offender().await, ngo.offender().await);
        let before = group_of(6, &[one.clone(), other.clone()], booking(&ngo, &lead, &one, TEN));
        let together = book(&ngo.coordinator, before).await.unwrap();
        let declare = pb::DeclareNoContactRequest {
            client_id: one.id.clone(),
            other_reference: other.reference.clone(),
            ..Default::default()
        };
        let declared = ngo.coordinator.clients().declare_no_contact(declare).await.unwrap().into_inner();
        // Those who sit together already are flagged, and no more is said than that.
        let apart: Vec<i32> = vec![pb::BookingRule::SlotNotAvailable.into()];
        let flagged = ngo.session(&together.id).await;
        assert_eq!(flagged.flags, apart);
        assert!(flagged.group.as_ref().unwrap().participants.iter().all(|it| it.flags.is_empty()));
        for clients in [[one.clone(), other.clone()], [other.clone(), one.clone()]] {
            let remote = pb::BookSessionRequest {
                modality: pb::Modality::Remote.into(),
                venue_id: String::new(),
                ..group_of(6, &clients, booking(&ngo, &lead, &one, NOON))
            };
            assert_eq!(broken(book(&ngo.coordinator, remote).await.unwrap_err()), ["SLOT_NOT_AVAILABLE"]);
        }
        let session = book(&ngo.coordinator, group_of(6, &[other.clone(), third], booking(&ngo, &lead, &one, NOON))).await.unwrap();
        assert_eq!(broken(join(&ngo.coordinator, joining(&session, &one)).await.unwrap_err()), ["SLOT_NOT_AVAILABLE"]);
        // When one of them leaves, the other may stay; and may come back when it is withdrawn.
        let left = remove(&ngo.coordinator, leaving(&flagged, &other)).await.unwrap();
        assert_eq!(left.flags, [0; 0]);
        assert_eq!(broken(join(&ngo.coordinator, joining(&left, &other)).await.unwrap_err()), ["SLOT_NOT_AVAILABLE"]);
        let declaration = declared.no_contact.unwrap();
        let withdraw = pb::WithdrawNoContactRequest { no_contact_id: declaration.id, etag: declaration.etag, ..Default::default() };
        ngo.coordinator.clients().withdraw_no_contact(withdraw).await.unwrap();
        join(&ngo.coordinator, joining(&left, &other)).await.unwrap();
    }

    async fn each_of_those_who_lead_can_be_replaced(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut all = Vec::new();
        for code in ["O1", "O2", "O3", "O4"] {
            all.push(ngo.counsellor(code, pb::Side::Offender).await);
        }
        let survivors = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.offender().await;
        let mut request = empty(&ngo, &all[0], &[&all[1], &all[2]], 6, TEN);
        request.group.as_mut().unwrap().participants = vec![pb::WantedParticipant { client_id: client.id.clone(), ..Default::default() }];
        let session = book(&ngo.coordinator, request).await.unwrap();
        let give = |session: &pb::Session, to: &pb::Counsellor, instead_of: &str| {
            let request = pb::ReassignCounsellorRequest {
                session_id: session.id.clone(),
                etag: session.etag.clone(),
                counsellor_id: to.id.clone(),
                replaces_counsellor_id: instead_of.into(),
                ..Default::default()
            };
            let actor = ngo.coordinator.clone();
            async move {
                actor.scheduling().reassign_counsellor(request).await.map(|it| it.into_inner().session.unwrap())
            }
        };
        let beside = |session: &pb::Session| session.group.as_ref().unwrap().co_facilitator_ids.clone();
        assert_eq!(refused(&give(&session, &all[3], &survivors.id).await.unwrap_err()).items, ["replaces_counsellor_id"]);
        assert_eq!(refused(&give(&session, &all[1], &all[2].id).await.unwrap_err()).items, ["counsellor_id"]);
        assert_eq!(broken(give(&session, &survivors, &all[2].id).await.unwrap_err()), ["WRONG_SIDE"]);
        let given = give(&session, &all[3], &all[1].id).await.unwrap();
        let mut two = [all[2].id.clone(), all[3].id.clone()];
        two.sort_unstable();
        assert_eq!((&given.counsellor_id, beside(&given)), (&all[0].id, two.to_vec()));
        assert_eq!(ngo.session(&session.id).await, given);
        // The one is free, the other is not.
        let elsewhere = |counsellor, start| booking(&ngo, counsellor, &client, start);
        let busy = broken(book(&ngo.coordinator, elsewhere(&all[3], TEN)).await.unwrap_err());
        assert_eq!(busy, ["COUNSELLOR_BUSY", "CLIENT_BUSY"]);
        let free = broken(book(&ngo.coordinator, elsewhere(&all[1], TEN)).await.unwrap_err());
        assert_eq!(free, ["CLIENT_BUSY"]);
        // And the one who leads: no name, or the own.
        let led = give(&given, &all[1], "").await.unwrap();
        assert_eq!((&led.counsellor_id, beside(&led)), (&all[1].id, beside(&given)));
        let led = give(&led, &all[0], &all[1].id).await.unwrap();
        assert_eq!((&led.counsellor_id, led.group.as_ref().unwrap().participants.len()), (&all[0].id, 1));
    }
}
