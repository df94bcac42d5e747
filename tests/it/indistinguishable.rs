//! To an organisation, a room taken by another one, the other side nearby, and a linked person that
//! day are one answer, byte for byte.

use aftercare::grpc::pb;
use prost::Message;

use crate::on_both_engines;
use crate::support::{Ngo, TestApp, at, book, booking, minutes};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

/// Two organisations: the host shares a venue with one room, the guest wants to use it.
struct Street {
    host: Ngo,
    guest: Ngo,
    counsellor: pb::Counsellor,
    client: pb::Client,
    session: pb::Session,
    /// The room of the host that is left.
    room: pb::Room,
}

impl Street {
    async fn new(app: &TestApp) -> Self {
        let (mut host, mut guest) = (Ngo::new(app, "A").await, Ngo::new(app, "B").await);
        host.venue.shared = true;
        let request = pb::UpdateVenueRequest { venue: Some(host.venue.clone()), ..Default::default() };
        let changed = host.coordinator.directory().update_venue(request).await.unwrap().into_inner();
        host.venue = changed.venue.unwrap();
        let room = host.room("R1").await;
        guest.venue = host.venue.clone();
        let counsellor = guest.counsellor("C1", pb::Side::Survivor).await;
        let client = guest.survivor().await;
        // A session of another day, to be moved.
        let there = booking(&guest, &counsellor, &client, "2026-11-26T04:30:00Z");
        let session = book(&guest.coordinator, there).await.unwrap();
        Self { host, guest, counsellor, client, session, room }
    }

    /// Every answer that the guest gets about ten o'clock, as bytes.
    async fn answers(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut scheduling = self.guest.coordinator.scheduling();
        let wanted = booking(&self.guest, &self.counsellor, &self.client, TEN);
        let find = pb::FindSlotsRequest {
            client_id: self.client.id.clone(),
            service: wanted.service,
            length: Some(minutes(60)),
            window_starts_at: at(TEN),
            window_ends_at: at("2026-11-24T04:31:00Z"),
            venue_id: self.guest.venue.id.clone(),
            ..Default::default()
        };
        let found = scheduling.find_slots(find).await.unwrap().into_inner();
        let hold = pb::HoldSlotRequest {
            client_id: wanted.client_id.clone(),
            counsellor_id: wanted.counsellor_id.clone(),
            service: wanted.service,
            modality: wanted.modality,
            venue_id: wanted.venue_id.clone(),
            starts_at: wanted.starts_at,
            length: wanted.length,
            ..Default::default()
        };
        let held = scheduling.hold_slot(hold).await.unwrap_err();
        let booked = scheduling.book_session(wanted).await.unwrap_err();
        let reschedule = pb::RescheduleSessionRequest {
            session_id: self.session.id.clone(),
            etag: self.session.etag.clone(),
            reason: pb::CancelReason::Client.into(),
            starts_at: at(TEN),
            ..Default::default()
        };
        let moved = scheduling.reschedule_session(reschedule).await.unwrap_err();
        let bytes = |status: tonic::Status| {
            let code = i32::from(status.code()).to_string();
            [code.as_bytes(), status.message().as_bytes(), status.details()].concat()
        };
        vec![
            ("FindSlots", found.encode_to_vec()),
            ("HoldSlot", bytes(held)),
            ("BookSession", bytes(booked)),
            ("RescheduleSession", bytes(moved)),
        ]
    }
}

on_both_engines! {
    async fn three_reasons_and_one_answer(app) {
        let street = Street::new(&app).await;
        let counted = street.compare(&app, false).await;
        assert_eq!(counted, 1);
    }

    /// The guest itself has the first room: what becomes of the second is one answer too.
    async fn three_reasons_and_one_answer_beside_an_own_session(app) {
        let mut street = Street::new(&app).await;
        street.room = street.host.room("R2").await;
        let (colleague, other) = (street.guest.counsellor("C2", pb::Side::Survivor).await, street.guest.survivor().await);
        let beside = booking(&street.guest, &colleague, &other, TEN);
        book(&street.guest.coordinator, beside).await.unwrap();
        let counted = street.compare(&app, true).await;
        // It stands against the colleague too, who is busy beside.
        assert_eq!(counted, 2);
    }
}

impl Street {
    /// Compares what the guest is told for each of the reasons; says for how many counsellors it is
    /// that the slot is not available.
    async fn compare(&self, app: &TestApp, beside_an_own: bool) -> i32 {
        let (street, host) = (self, &self.host);
        let free = {
            let wanted = booking(&street.guest, &street.counsellor, &street.client, TEN);
            let session = book(&street.guest.coordinator, wanted).await.unwrap();
            street.guest.cancel(&session).await.unwrap();
            "ten o'clock is free when nobody is there"
        };
        // The room is taken by the host, for the same side.
        let (staff, theirs) = (host.counsellor("H1", pb::Side::Survivor).await, host.survivor().await);
        let room = pb::BookSessionRequest { room_id: self.room.id.clone(), ..booking(host, &staff, &theirs, TEN) };
        let taken = book(&host.coordinator, room).await.unwrap();
        let room_taken = street.answers().await;
        host.cancel(&taken).await.unwrap();
        // Somebody of the other side is in another office of the building.
        let office = crate::support::venue_at(app, &host.id, "UPSTAIRS", &host.site).await;
        let (treats, offender) = (host.counsellor("H2", pb::Side::Offender).await, host.offender().await);
        let upstairs =
            |start| pb::BookSessionRequest { venue_id: office.id.clone(), ..booking(host, &treats, &offender, start) };
        let near = book(&host.coordinator, upstairs("2026-11-24T05:30:00Z")).await;
        let other_side = match &near {
            Ok(near) => {
                let answers = street.answers().await;
                host.cancel(near).await.unwrap();
                answers
            }
            // Beside a session of its own the guest never meets this reason.
            Err(_) => room_taken.clone(),
        };
        assert_eq!(near.is_err(), beside_an_own);
        // A linked person comes that evening, long after the gap.
        host.party_of("5/2026", "Example Nagar PS", &offender).await;
        street.guest.party_of("5/2026", "Example Nagar", &street.client).await;
        let evening = book(&host.coordinator, upstairs("2026-11-24T11:00:00Z")).await.unwrap();
        let linked = street.answers().await;
        host.cancel(&evening).await.unwrap();

        assert_eq!(room_taken, other_side, "{free}");
        assert_eq!(room_taken, linked);
        let found = pb::FindSlotsResponse::decode(&room_taken[0].1[..]).unwrap();
        assert_eq!(found.slots, []);
        let here = found.exclusions.iter().find(|it| it.rule() == pb::BookingRule::SlotNotAvailable);
        here.map_or(0, |it| it.counsellors)
    }
}
