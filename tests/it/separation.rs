//! Survivors and offenders never meet: at one site, across organisations, and when a link is
//! recorded after sessions were booked.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;

use crate::on_both_engines;
use crate::support::{Ngo, TestApp, book, booking, minutes, refused, venue_at};

async fn codes(ngo: &Ngo, request: pb::BookSessionRequest) -> Vec<String> {
    refused(&book(&ngo.coordinator, request).await.unwrap_err()).items
}

/// A second organisation with a venue on the first one's site.
async fn neighbour(app: &TestApp, host: &Ngo) -> Ngo {
    let mut ngo = Ngo::new(app, "B").await;
    ngo.venue = venue_at(app, &ngo.id, "NEXT-DOOR", &host.site).await;
    ngo
}

async fn declare(ngo: &Ngo, client: &pb::Client, other: &pb::Client) -> pb::NoContact {
    let request = pb::DeclareNoContactRequest {
        client_id: client.id.clone(),
        other_reference: other.reference.clone(),
        ..Default::default()
    };
    ngo.coordinator.clients().declare_no_contact(request).await.unwrap().into_inner().no_contact.unwrap()
}

const NOON: &str = "2026-11-26T06:30:00Z";

/// Everything an answer says but for what is free instead.
fn without_alternatives(status: &tonic::Status) -> (tonic::Code, String, Vec<tonic_types::pb::Status>) {
    use prost::Message;
    let mut all = tonic_types::pb::Status::decode(status.details()).unwrap();
    all.details.retain(|any| !any.type_url.ends_with("BookingAlternatives"));
    (status.code(), status.message().to_owned(), vec![all])
}

on_both_engines! {
    async fn the_gap_holds_between_organisations_on_one_site(app) {
        // The vector of the booking rules: offender 10:00 to 11:30, gap 120 minutes.
        let host = Ngo::new(&app, "A").await;
        let guest = neighbour(&app, &host).await;
        let (offenders, survivors) =
            (host.counsellor("O1", pb::Side::Offender).await, guest.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (host.offender().await, guest.survivor().await);
        let long = pb::BookSessionRequest {
            length: Some(minutes(90)),
            ..booking(&host, &offenders, &offender, "2026-11-24T04:30:00Z")
        };
        book(&host.coordinator, long).await.unwrap();
        let at = |start| booking(&guest, &survivors, &survivor, start);
        // 13:00 is 90 minutes after the end, 13:29 too early by one, 13:30 allowed.
        assert_eq!(codes(&guest, at("2026-11-24T07:30:00Z")).await, ["SLOT_NOT_AVAILABLE"]);
        assert_eq!(codes(&guest, at("2026-11-24T07:59:00Z")).await, ["SLOT_NOT_AVAILABLE"]);
        // On the telephone nobody meets.
        let remote = pb::BookSessionRequest { modality: 2, venue_id: String::new(), ..at("2026-11-24T04:30:00Z") };
        book(&guest.coordinator, remote).await.unwrap();
        book(&guest.coordinator, at("2026-11-24T08:00:00Z")).await.unwrap();
        // And the other way round: the survivor ends at 14:30, so the offender waits until 16:30.
        let after = |start| booking(&host, &offenders, &offender, start);
        assert_eq!(codes(&host, after("2026-11-24T10:45:00Z")).await, ["SLOT_NOT_AVAILABLE"]);
        book(&host.coordinator, after("2026-11-24T11:00:00Z")).await.unwrap();
    }

    async fn linked_people_never_share_a_day_at_a_site(app) {
        let host = Ngo::new(&app, "A").await;
        let guest = neighbour(&app, &host).await;
        let (offenders, survivors) =
            (host.counsellor("O1", pb::Side::Offender).await, guest.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (host.offender().await, guest.survivor().await);
        // Each organisation writes the case in its own way; both mean one crime.
        host.party_of("12/2026", "Example Nagar PS", &offender).await;
        guest.party_of("0012 / 2026", "EXAMPLE NAGAR Police Station", &survivor).await;
        book(&host.coordinator, booking(&host, &offenders, &offender, "2026-11-24T04:00:00Z")).await.unwrap();
        let at = |start| booking(&guest, &survivors, &survivor, start);
        let refusal = refused(&book(&guest.coordinator, at("2026-11-24T11:00:00Z")).await.unwrap_err());
        assert_eq!(refusal.items, ["SLOT_NOT_AVAILABLE"]);
        assert!(refusal.alternatives.iter().all(|slot| slot.local_start.starts_with("2026-11-25")));
        book(&guest.coordinator, at("2026-11-25T11:00:00Z")).await.unwrap();
        assert_eq!(
            codes(&host, booking(&host, &offenders, &offender, "2026-11-25T04:00:00Z")).await,
            ["SLOT_NOT_AVAILABLE"]
        );
        // Somebody who is not linked needs the gap only.
        let stranger = guest.survivor().await;
        book(&guest.coordinator, booking(&guest, &survivors, &stranger, "2026-11-24T11:00:00Z")).await.unwrap();
    }

    async fn a_declared_pair_is_linked_until_the_declaration_is_withdrawn(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (offenders, survivors) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (ngo.offender().await, ngo.survivor().await);
        let declared = declare(&ngo, &survivor, &offender).await;
        book(&ngo.coordinator, booking(&ngo, &survivors, &survivor, "2026-11-24T04:00:00Z")).await.unwrap();
        let request = booking(&ngo, &offenders, &offender, "2026-11-24T11:00:00Z");
        assert_eq!(codes(&ngo, request.clone()).await, ["SLOT_NOT_AVAILABLE"]);
        let withdraw = pb::WithdrawNoContactRequest {
            no_contact_id: declared.id,
            etag: declared.etag,
            ..Default::default()
        };
        ngo.coordinator.clients().withdraw_no_contact(withdraw).await.unwrap();
        book(&ngo.coordinator, request).await.unwrap();
    }

    async fn a_declaration_tells_nothing_about_who_exists(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let (survivor, offender, stranger) = (ngo.survivor().await, other.offender().await, other.survivor().await);
        let nobody = pb::Client { reference: "11111111".into(), ..Default::default() };
        let nobody = {
            // A well-formed reference that nobody has: found by trying the check character.
            let alphabet = "123456789ABCDEFGHJKLMNPQRTUVWXY";
            let mut found = None;
            for check in alphabet.chars() {
                let reference = format!("{}{check}", nobody.reference);
                let request = pb::DeclareNoContactRequest {
                    client_id: survivor.id.clone(),
                    other_reference: reference,
                    ..Default::default()
                };
                match ngo.coordinator.clients().declare_no_contact(request).await {
                    Ok(answer) => found = answer.into_inner().no_contact,
                    Err(status) => assert_eq!(refused(&status).items, ["other_reference"]),
                }
            }
            found.unwrap()
        };
        for other in [&offender, &stranger] {
            let declared = declare(&ngo, &survivor, other).await;
            let same_shape = pb::NoContact {
                id: String::new(),
                other_reference: String::new(),
                ..declared
            };
            let expected = pb::NoContact { id: String::new(), other_reference: String::new(), ..nobody.clone() };
            assert_eq!(same_shape, expected);
        }
        // Nobody is kept from themselves: that is a mistake, and told.
        let request = pb::DeclareNoContactRequest {
            client_id: survivor.id.clone(),
            other_reference: survivor.reference.clone(),
            ..Default::default()
        };
        let refusal = refused(&ngo.coordinator.clients().declare_no_contact(request).await.unwrap_err());
        assert_eq!(refusal.items, ["other_reference"]);
    }

    async fn a_late_link_flags_both_sides_and_cancels_nobody(app) {
        let host = Ngo::new(&app, "A").await;
        let guest = neighbour(&app, &host).await;
        let (offenders, survivors) =
            (host.counsellor("O1", pb::Side::Offender).await, guest.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (host.offender().await, guest.survivor().await);
        let at = |ngo: &Ngo, counsellor: &pb::Counsellor, client: &pb::Client, start: &str| {
            booking(ngo, counsellor, client, start)
        };
        let meet = "2026-11-24T04:00:00Z";
        let theirs = book(&host.coordinator, at(&host, &offenders, &offender, meet)).await.unwrap();
        let ours = book(&guest.coordinator, at(&guest, &survivors, &survivor, "2026-11-24T11:00:00Z")).await.unwrap();
        let apart = book(&guest.coordinator, at(&guest, &survivors, &survivor, "2026-11-26T11:00:00Z")).await.unwrap();
        host.party_of("12/2026", "Example Nagar", &offender).await;
        assert!(!host.session(&theirs.id).await.needs_rescheduling);
        guest.party_of("12/2026", "Example Nagar", &survivor).await;

        let flagged = guest.session(&ours.id).await;
        assert!(flagged.needs_rescheduling && host.session(&theirs.id).await.needs_rescheduling);
        assert_eq!(flagged.state, i32::from(pb::SessionState::Booked));
        assert!(!guest.session(&apart.id).await.needs_rescheduling);
        // The link holds for everything from now on, beside the flagged sessions too.
        let day = at(&guest, &survivors, &survivor, "2026-11-24T07:30:00Z");
        assert_eq!(codes(&guest, day).await, ["SLOT_NOT_AVAILABLE"]);
        let day = at(&host, &offenders, &offender, "2026-11-26T04:00:00Z");
        assert_eq!(codes(&host, day).await, ["SLOT_NOT_AVAILABLE"]);
        // Once one side is moved, the other is at rest, and its day is taken.
        guest.cancel(&flagged).await.unwrap();
        assert!(!host.session(&theirs.id).await.needs_rescheduling);
        let day = at(&guest, &survivors, &survivor, "2026-11-24T11:00:00Z");
        assert_eq!(codes(&guest, day).await, ["SLOT_NOT_AVAILABLE"]);
    }

    async fn a_session_that_is_over_still_takes_its_day(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (offenders, survivors) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor, second) = (ngo.offender().await, ngo.survivor().await, ngo.survivor().await);
        // This morning one, this evening the other; the link is recorded at noon.
        let morning = booking(&ngo, &survivors, &survivor, "2026-11-23T04:00:00Z");
        book(&ngo.coordinator, morning).await.unwrap();
        let case = ngo.party_of("12/2026", "Example Nagar", &survivor).await;
        let evening = booking(&ngo, &offenders, &offender, "2026-11-23T11:00:00Z");
        let evening = book(&ngo.coordinator, evening).await.unwrap();
        app.clock.set("2026-11-23T06:30:00Z".parse().unwrap());
        let case = ngo.add_party(&case, &offender, 2).await;
        let evening = ngo.session(&evening.id).await;
        assert!(evening.needs_rescheduling);
        // Others can be added, and the flagged session be cancelled, on the same day.
        ngo.add_party(&case, &second, 1).await;
        let again = booking(&ngo, &offenders, &offender, "2026-11-23T10:30:00Z");
        assert_eq!(codes(&ngo, again.clone()).await, ["COUNSELLOR_BUSY", "CLIENT_BUSY", "SLOT_NOT_AVAILABLE"]);
        ngo.cancel(&evening).await.unwrap();
        assert_eq!(codes(&ngo, again).await, ["SLOT_NOT_AVAILABLE"]);
    }

    async fn a_party_taken_out_of_a_case_is_free_again(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (offenders, survivors) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (ngo.offender().await, ngo.survivor().await);
        let case = ngo.party_of("12/2026", "Example Nagar", &offender).await;
        let case = ngo.add_party(&case, &survivor, 1).await;
        assert_eq!(case.parties.len(), 2);
        book(&ngo.coordinator, booking(&ngo, &survivors, &survivor, "2026-11-24T04:00:00Z")).await.unwrap();
        let request = booking(&ngo, &offenders, &offender, "2026-11-24T11:00:00Z");
        assert_eq!(codes(&ngo, request.clone()).await, ["SLOT_NOT_AVAILABLE"]);
        let remove = pb::RemoveCasePartyRequest {
            case_id: case.id,
            etag: case.etag,
            client_id: survivor.id,
            ..Default::default()
        };
        let case = ngo.coordinator.clients().remove_case_party(remove).await.unwrap().into_inner().case.unwrap();
        assert_eq!(case.parties.len(), 1);
        book(&ngo.coordinator, request).await.unwrap();
    }

    async fn a_room_taken_by_others_looks_like_separation(app) {
        let (host, guest) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        host.room("R1").await;
        let shared = pb::Venue { shared: true, ..host.venue.clone() };
        let request = pb::UpdateVenueRequest { venue: Some(shared), ..Default::default() };
        host.coordinator.directory().update_venue(request).await.unwrap();
        let apart = venue_at(&app, &host.id, "NO-ROOMS", &host.site).await;
        let own = host.counsellor("C1", pb::Side::Survivor).await;
        let first = host.survivor().await;
        book(&host.coordinator, booking(&host, &own, &first, "2026-11-24T04:30:00Z")).await.unwrap();
        let theirs = guest.counsellor("C1", pb::Side::Survivor).await;
        let second = guest.survivor().await;
        let request = booking(&host, &theirs, &second, "2026-11-24T04:30:00Z");
        let by_room = book(&guest.coordinator, request.clone()).await.unwrap_err();
        assert_eq!(refused(&by_room).items, ["SLOT_NOT_AVAILABLE"]);
        // The other side in the building, and no word is different.
        let offenders = host.counsellor("O1", pb::Side::Offender).await;
        let offender = host.offender().await;
        let free = pb::BookSessionRequest { venue_id: apart.id.clone(), ..booking(&host, &offenders, &offender, NOON) };
        book(&host.coordinator, free).await.unwrap();
        let at_noon = pb::BookSessionRequest { starts_at: booking(&host, &own, &first, NOON).starts_at, ..request.clone() };
        let by_side = book(&guest.coordinator, at_noon).await.unwrap_err();
        assert_eq!(without_alternatives(&by_side), without_alternatives(&by_room));
        let unknown = pb::BookSessionRequest { venue_id: guest.site.id.clone(), ..request };
        assert_eq!(book(&guest.coordinator, unknown).await.unwrap_err().code(), tonic::Code::NotFound);
    }

    async fn another_gap_holds_for_what_is_booked_or_is_refused(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (offenders, survivors) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (ngo.offender().await, ngo.survivor().await);
        book(&ngo.coordinator, booking(&ngo, &offenders, &offender, "2026-11-24T04:00:00Z")).await.unwrap();
        let later = booking(&ngo, &survivors, &survivor, "2026-11-24T07:00:00Z");
        let near = book(&ngo.coordinator, later).await.unwrap();
        let mut directory = app.actor(Authority::Admin).directory();
        let wider = pb::Site { separation_gap: Some(minutes(180)), ..ngo.site.clone() };
        let request = pb::UpdateSiteRequest { site: Some(wider), ..Default::default() };
        let refusal = refused(&directory.update_site(request.clone()).await.unwrap_err());
        assert_eq!(refusal.reason, "SEPARATION_GAP_IN_USE");
        ngo.cancel(&near).await.unwrap();
        directory.update_site(request).await.unwrap();
        let request = booking(&ngo, &survivors, &survivor, "2026-11-24T07:45:00Z");
        assert_eq!(codes(&ngo, request).await, ["SLOT_NOT_AVAILABLE"]);
        book(&ngo.coordinator, booking(&ngo, &survivors, &survivor, "2026-11-24T08:00:00Z")).await.unwrap();
    }
}
