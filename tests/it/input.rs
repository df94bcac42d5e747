//! Bad input: every wrong field is named, and nothing is written.

use aftercare::grpc::pb;
use aftercare::store::Db;
use prost_types::{Duration, FieldMask, Timestamp};
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Ngo, Refused, TestApp, booking, date, minutes, refused, time_of_day};

const TEN: &str = "2026-11-24T04:30:00Z";

fn invalid(status: Status) -> Vec<String> {
    let Refused { code, reason, items, .. } = refused(&status);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_REQUEST"), "{status:?}");
    items
}

/// How many rows each kind of thing has.
async fn rows(app: &TestApp) -> Vec<(String, i64)> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    tx.sql(
        "SELECT 'session', COUNT(*) FROM session UNION ALL SELECT 'client', COUNT(*) FROM client
         UNION ALL SELECT 'counsellor', COUNT(*) FROM counsellor UNION ALL SELECT 'site', COUNT(*) FROM site
         UNION ALL SELECT 'request', COUNT(*) FROM request UNION ALL SELECT 'audit', COUNT(*) FROM audit_event",
    )
    .all::<(String, i64)>()
    .await
    .unwrap()
}

on_both_engines! {
    async fn every_wrong_field_is_named_and_nothing_is_written(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let me = &ngo.coordinator;
        let before = rows(&app).await;

        let wrong = pb::BookSessionRequest {
            request_id: String::new(),
            client_id: "client".into(),
            counsellor_id: String::new(),
            service: 99,
            modality: 2,
            venue_id: ngo.venue.id.clone(),
            room_id: "x".into(),
            starts_at: Some(Timestamp { seconds: 1_900_000_030, nanos: 0 }),
            length: Some(minutes(9)),
            guardian_id: "g".into(),
            interpreter: false,
            overrides: vec![
                pb::RuleOverride { rule: pb::BookingRule::NoAgreement.into(), reason: "because".into() },
                pb::RuleOverride { rule: pb::BookingRule::Notice.into(), reason: " ".into() },
            ],
            hold_id: String::new(),
            group: None,
            series_id: "s".into(),
            series_number: 0,
            order_id: "o".into(),
            milestone_id: "m".into(),
        };
        let fields = [
            "client_id",
            "guardian_id",
            "order_id",
            "counsellor_id",
            "service",
            "venue_id",
            "room_id",
            "starts_at",
            "length",
            "overrides[0].rule",
            "overrides[1].reason",
            "series_id",
            "series_number",
            "milestone_id",
        ];
        assert_eq!(invalid(me.scheduling().book_session(wrong).await.unwrap_err()), fields);
        assert_eq!(
            invalid(me.scheduling().book_session(pb::BookSessionRequest::default()).await.unwrap_err()),
            ["client_id", "counsellor_id", "service", "modality", "starts_at", "length"]
        );
        let good = booking(&ngo, &counsellor, &client, TEN);
        let request_id = "not-a-uuid".to_owned();
        let wrong = pb::BookSessionRequest { request_id: request_id.clone(), length: None, ..good.clone() };
        assert_eq!(invalid(me.scheduling().book_session(wrong).await.unwrap_err()), ["request_id", "length"]);
        let wrong = pb::UpdateVenueRequest {
            request_id: request_id.clone(),
            venue: Some(pb::Venue::default()),
            update_mask: Some(FieldMask { paths: vec!["site".into()] }),
        };
        let fields = ["request_id", "update_mask", "venue.id", "venue.etag"];
        assert_eq!(invalid(me.directory().update_venue(wrong).await.unwrap_err()), fields);
        let wrong = pb::CreateRoomRequest { request_id, room: Some(pb::Room::default()) };
        let fields = ["request_id", "room.venue_id", "room.code", "room.name"];
        assert_eq!(invalid(me.directory().create_room(wrong).await.unwrap_err()), fields);
        for length in [Duration { seconds: 90, nanos: 0 }, Duration { seconds: -3600, nanos: 0 },
            Duration { seconds: i64::MAX, nanos: 0 }, Duration { seconds: 3600, nanos: 1 }] {
            let wrong = pb::BookSessionRequest { length: Some(length), ..good.clone() };
            assert_eq!(invalid(me.scheduling().book_session(wrong).await.unwrap_err()), ["length"]);
        }
        for starts_at in [Timestamp { seconds: i64::MAX, nanos: 0 }, Timestamp { seconds: i64::MIN, nanos: -1 },
            Timestamp { seconds: 60, nanos: 2_000_000_000 }, Timestamp { seconds: 60, nanos: 1_000 }] {
            let wrong = pb::BookSessionRequest { starts_at: Some(starts_at), ..good.clone() };
            assert_eq!(invalid(me.scheduling().book_session(wrong).await.unwrap_err()), ["starts_at"]);
        }
        let wrong = pb::FindSlotsRequest {
            client_id: "c".into(),
            service: -1,
            length: None,
            window_starts_at: Some(Timestamp { seconds: i64::MIN, nanos: 0 }),
            counsellor_id: "c".into(),
            venue_id: "v".into(),
            district: "not a code".into(),
            modality: 7,
            step: Some(minutes(7)),
            page_size: 501,
            ..Default::default()
        };
        let fields = ["client_id", "service", "length", "window_starts_at", "counsellor_id", "venue_id", "district",
            "modality", "step", "page_size"];
        assert_eq!(invalid(me.scheduling().find_slots(wrong).await.unwrap_err()), fields);
        let wrong = pb::Client {
            side: 0,
            name: " ".into(),
            phone: "1".repeat(41),
            born_on: Some(date("1899-01-01")),
            spoken_languages: vec!["ml".into(), "english".into(), "xx".into()],
            reading_language: "?".into(),
            counsellor_gender: 9,
            ..Default::default()
        };
        let request = pb::CreateClientRequest { client: Some(wrong), ..Default::default() };
        let fields = ["client.side", "client.name", "client.phone", "client.born_on", "client.spoken_languages[1]",
            "client.spoken_languages[2]", "client.reading_language", "client.counsellor_gender"];
        assert_eq!(invalid(me.clients().create_client(request).await.unwrap_err()), fields);
        let wrong = pb::Counsellor {
            code: "lower case".into(),
            name: "a\nb".into(),
            side: 1,
            services: vec![1, 5],
            modalities: vec![1, 1],
            languages: vec![],
            zone: "Asia/Trivandrum".into(),
            buffer_before: Some(minutes(121)),
            working_hours: vec![
                pb::WorkingHours { day: 8, starts: Some(time_of_day(9, 0)), ends: Some(time_of_day(10, 0)), ..Default::default() },
                pb::WorkingHours { day: 1, starts: Some(time_of_day(9, 0)), ends: Some(time_of_day(9, 0)), ..Default::default() },
                pb::WorkingHours { day: 1, starts: Some(time_of_day(9, 60)), ends: Some(time_of_day(24, 1)), ..Default::default() },
            ],
            ..Default::default()
        };
        let request = pb::CreateCounsellorRequest { counsellor: Some(wrong), ..Default::default() };
        let fields = ["code", "name", "services[1]", "modalities", "languages", "zone", "buffer_before",
            "working_hours[0].day", "working_hours[1].ends", "working_hours[2].starts", "working_hours[2].ends"];
        let fields: Vec<_> = fields.iter().map(|field| format!("counsellor.{field}")).collect();
        assert_eq!(invalid(me.directory().create_counsellor(request).await.unwrap_err()), fields);
        let wrong = pb::Agreement {
            organisation_id: "x".into(),
            services: vec![],
            districts: vec!["KL-TVM".into(), "KL-TVM".into()],
            valid_from: Some(date("2026-02-01")),
            valid_until: Some(date("2026-01-31")),
            ..Default::default()
        };
        let request = pb::CreateAgreementRequest { agreement: Some(wrong), ..Default::default() };
        let fields = ["organisation_id", "code", "counterparty", "services", "districts", "valid_until", "status"];
        let fields: Vec<_> = fields.iter().map(|field| format!("agreement.{field}")).collect();
        assert_eq!(invalid(app.admin().directory().create_agreement(request).await.unwrap_err()), fields);
        let case = pb::Case { crime_number: "12".into(), police_station: "PS".into(), ..Default::default() };
        let request = pb::CreateCaseRequest { case: Some(case), ..Default::default() };
        assert_eq!(
            invalid(me.clients().create_case(request).await.unwrap_err()),
            ["case.crime_number", "case.police_station", "case.district"]
        );
        let request = pb::CancelSessionRequest::default();
        let fields = ["session_id", "etag", "reason"];
        assert_eq!(invalid(me.scheduling().cancel_session(request).await.unwrap_err()), fields);
        assert_eq!(rows(&app).await, before);
    }

    async fn a_mask_changes_what_it_names(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let mut directory = ngo.coordinator.directory();
        let update = |counsellor: pb::Counsellor, paths: &[&str]| pb::UpdateCounsellorRequest {
            counsellor: Some(counsellor),
            update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
            ..Default::default()
        };
        let named = pb::Counsellor {
            id: counsellor.id.clone(),
            etag: counsellor.etag.clone(),
            name: "Counsellor Example-Two".into(),
            ..Default::default()
        };
        let answer = directory.update_counsellor(update(named.clone(), &["name"])).await.unwrap();
        let after = answer.into_inner().counsellor.unwrap();
        let expected = pb::Counsellor { name: named.name.clone(), etag: after.etag.clone(), ..counsellor.clone() };
        assert_eq!(after, pb::Counsellor { updated_at: after.updated_at, ..expected });
        let unknown = directory.update_counsellor(update(named.clone(), &["name", "id"])).await.unwrap_err();
        assert_eq!(invalid(unknown), ["update_mask"]);
        let stale = directory.update_counsellor(update(named.clone(), &["name"])).await.unwrap_err();
        assert_eq!(refused(&stale).reason, "ETAG_MISMATCH");
        let frozen = pb::Counsellor { etag: after.etag.clone(), side: 2, services: vec![5], ..named };
        let frozen = directory.update_counsellor(update(frozen, &["side", "services"])).await.unwrap_err();
        assert_eq!(invalid(frozen), ["counsellor.side"]);
        let taken = pb::Counsellor { code: "C1".into(), ..after };
        let request = pb::CreateCounsellorRequest { counsellor: Some(taken), ..Default::default() };
        assert_eq!(refused(&directory.create_counsellor(request).await.unwrap_err()).reason, "ALREADY_EXISTS");
    }

    async fn a_page_token_fits_its_query_and_nothing_else(app) {
        let ngo = Ngo::new(&app, "A").await;
        for _ in 0..3 {
            ngo.survivor().await;
        }
        let mut clients = ngo.coordinator.clients();
        let first = pb::ListClientsRequest { page_size: 2, ..Default::default() };
        let page = clients.list_clients(first).await.unwrap().into_inner();
        let token = page.next_page_token;
        let next = |side: i32, page_token: String| pb::ListClientsRequest { side, page_token, ..Default::default() };
        let rest = clients.list_clients(next(0, token.clone())).await.unwrap().into_inner();
        assert_eq!((page.clients.len(), rest.clients.len()), (2, 1));
        assert_eq!(rest.next_page_token, "");
        assert_eq!(invalid(clients.list_clients(next(1, token.clone())).await.unwrap_err()), ["page_token"]);
        assert_eq!(invalid(clients.list_clients(next(0, format!("{token}A"))).await.unwrap_err()), ["page_token"]);
        assert_eq!(invalid(clients.list_clients(next(0, "?".into())).await.unwrap_err()), ["page_token"]);
        let mut directory = ngo.coordinator.directory();
        let elsewhere = pb::ListCounsellorsRequest { page_token: token.clone(), ..Default::default() };
        assert_eq!(invalid(directory.list_counsellors(elsewhere).await.unwrap_err()), ["page_token"]);
        let other = Ngo::new(&app, "B").await;
        let stolen = other.coordinator.clients().list_clients(next(0, token)).await.unwrap_err();
        assert_eq!(invalid(stolen), ["page_token"]);
        for page_size in [-1, 501] {
            let request = pb::ListClientsRequest { page_size, ..Default::default() };
            assert_eq!(invalid(clients.list_clients(request).await.unwrap_err()), ["page_size"]);
        }
    }

    async fn text_is_trimmed_and_normalised(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut clients = ngo.coordinator.clients();
        let client = pb::Client {
            side: 1,
            name: "  Jose\u{301} Example  ".into(),
            born_on: Some(pb::google::r#type::Date { year: 2012, month: 0, day: 0 }),
            spoken_languages: vec!["ML".into()],
            ..Default::default()
        };
        let request = pb::CreateClientRequest { client: Some(client), ..Default::default() };
        let made = clients.create_client(request).await.unwrap().into_inner().client.unwrap();
        assert_eq!(made.name, "Jos\u{e9} Example");
        assert_eq!(made.spoken_languages, ["ml"]);
        let read = clients.get_client(pb::GetClientRequest { client_id: made.id.clone() }).await.unwrap();
        assert_eq!(read.into_inner().client.unwrap(), made);
    }

    async fn a_request_of_more_than_a_mebibyte_is_refused(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = pb::Client { side: 1, name: "x".repeat(1024 * 1024), ..Default::default() };
        let request = pb::CreateClientRequest { client: Some(client), ..Default::default() };
        let status = ngo.coordinator.clients().create_client(request).await.unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange);
    }
}
