//! One request id, one effect, one answer: repeated, at once, after a restart. One etag, one change.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use futures_util::future::join_all;
use tonic::Code;

use crate::on_both_engines;
use crate::support::{Ngo, book, booking, minutes, refused};

const TEN: &str = "2026-11-24T04:30:00Z";
const ID: &str = "0193a5e0-0000-7000-8000-000000000001";

on_both_engines! {
    async fn a_repeated_booking_is_one_booking(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let request = pb::BookSessionRequest { request_id: ID.into(), ..booking(&ngo, &counsellor, &client, TEN) };
        let session = book(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!(book(&ngo.coordinator, request.clone()).await.unwrap(), session);
        // The same id with another body is a mistake.
        let other = pb::BookSessionRequest { length: Some(minutes(30)), ..request.clone() };
        let refusal = refused(&book(&ngo.coordinator, other).await.unwrap_err());
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
        // As is another method under it.
        let cancel = pb::CancelSessionRequest {
            request_id: ID.into(),
            session_id: session.id.clone(),
            etag: session.etag.clone(),
            reason: 1,
        };
        let refusal = refused(&ngo.coordinator.scheduling().cancel_session(cancel).await.unwrap_err());
        assert_eq!(refusal.reason, "REQUEST_ID_REUSED");
        // Another caller's id is another id.
        let namesake = Ngo::new(&app, "B").await;
        let theirs = namesake.counsellor("C1", pb::Side::Survivor).await;
        let person = namesake.survivor().await;
        let same_id = pb::BookSessionRequest { request_id: ID.into(), ..booking(&namesake, &theirs, &person, TEN) };
        book(&namesake.coordinator, same_id).await.unwrap();

        let token = ngo.coordinator.token.clone();
        app.restart().await;
        assert_eq!(book(&app.bearer(token), request).await.unwrap(), session);
    }

    async fn one_name_in_two_organisations_is_two_callers(app) {
        let (own, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let create = pb::CreateClientRequest {
            request_id: ID.into(),
            client: Some(pb::Client {
                side: 1,
                name: "Person Zyqvorn".into(),
                spoken_languages: vec!["ml".into()],
                ..Default::default()
            }),
        };
        let as_coordinator_of = |ngo: &Ngo| {
            let authority = Authority::Coordinator { organisation_id: ngo.id.parse().unwrap() };
            app.bearer(app.token("coordinator@local", authority, app.now(), chrono::TimeDelta::hours(1)))
        };
        let mut made = Vec::new();
        for ngo in [&own, &other] {
            let mut clients = as_coordinator_of(ngo).clients();
            made.push(clients.create_client(create.clone()).await.unwrap().into_inner().client.unwrap());
        }
        assert_eq!(made[0].organisation_id, own.id);
        assert_eq!(made[1].organisation_id, other.id);
        assert_ne!(made[0].id, made[1].id);
    }

    async fn a_booking_repeated_at_once_is_one_booking(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        for round in 1..=8 {
            let request = pb::BookSessionRequest {
                request_id: format!("0193a5e0-0000-7000-8000-{round:012}"),
                ..booking(&ngo, &counsellor, &client, &format!("2026-11-{}T04:30:00Z", 23 + round - 1))
            };
            let request = pb::BookSessionRequest {
                starts_at: request.starts_at.map(|at| prost_types::Timestamp { seconds: at.seconds + 3600, ..at }),
                ..request
            };
            let calls = (0..32).map(|_| book(&ngo.coordinator, request.clone()));
            let answers = join_all(calls).await;
            let first = answers[0].as_ref().unwrap().clone();
            assert!(answers.into_iter().all(|answer| answer.unwrap() == first));
        }
    }

    async fn a_refusal_is_looked_at_anew(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (first, second) = (ngo.survivor().await, ngo.survivor().await);
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &first, TEN)).await.unwrap();
        let request = pb::BookSessionRequest { request_id: ID.into(), ..booking(&ngo, &counsellor, &second, TEN) };
        assert_eq!(refused(&book(&ngo.coordinator, request.clone()).await.unwrap_err()).items, ["COUNSELLOR_BUSY"]);
        ngo.cancel(&session).await.unwrap();
        book(&ngo.coordinator, request).await.unwrap();
    }

    async fn a_repeated_cancellation_and_creation_are_one(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let cancel = pb::CancelSessionRequest {
            request_id: ID.into(),
            session_id: session.id.clone(),
            etag: session.etag.clone(),
            reason: 1,
        };
        let mut scheduling = ngo.coordinator.scheduling();
        let once = scheduling.cancel_session(cancel.clone()).await.unwrap().into_inner();
        assert_eq!(scheduling.cancel_session(cancel).await.unwrap().into_inner(), once);

        let create = pb::CreateClientRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000002".into(),
            client: Some(pb::Client {
                side: 1,
                name: "Person Zyqvorn".into(),
                spoken_languages: vec!["ml".into()],
                ..Default::default()
            }),
        };
        let mut clients = ngo.coordinator.clients();
        let once = clients.create_client(create.clone()).await.unwrap().into_inner();
        assert_eq!(clients.create_client(create).await.unwrap().into_inner(), once);
        let listed = clients.list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.clients.len(), 2);
    }

    async fn of_two_changes_of_one_version_one_is_made(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let calls = (0..16).map(|n| {
            let changed = pb::Counsellor { name: format!("Counsellor Example-{n}"), ..counsellor.clone() };
            let mut directory = ngo.coordinator.directory();
            async move {
                let request = pb::UpdateCounsellorRequest { counsellor: Some(changed), ..Default::default() };
                directory.update_counsellor(request).await
            }
        });
        let answers = join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for status in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refused(&status).reason, "ETAG_MISMATCH");
        }
    }
}
