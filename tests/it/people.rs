//! What surrounds a client: preferences, guardians, conflicts of interest, proceedings.

use aftercare::grpc::pb;
use aftercare::store::{Db, Lock, client, conflict, proceeding};
use chrono::NaiveDate;
use prost_types::FieldMask;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Actor, Ngo, book, booking, date, refused, time_of_day, venue_at};

fn wrong(status: Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    refused(&status).items
}

fn not_found(status: Status) {
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn guardians(actor: &Actor, client: &pb::Client) -> Result<Vec<pb::Guardian>, Status> {
    let request = pb::ListGuardiansRequest { client_id: client.id.clone(), ..Default::default() };
    Ok(actor.clients().list_guardians(request).await?.into_inner().guardians)
}

async fn declare(actor: &Actor, client: &pb::Client, counsellor: &pb::Counsellor) -> Result<pb::Conflict, Status> {
    let request = pb::DeclareConflictRequest {
        client_id: client.id.clone(),
        counsellor_id: counsellor.id.clone(),
        ..Default::default()
    };
    Ok(actor.clients().declare_conflict(request).await?.into_inner().conflict.unwrap())
}

async fn record(actor: &Actor, case: &pb::Case, on: &str, kind: i32) -> Result<pb::Proceeding, Status> {
    let proceeding = pb::Proceeding { case_id: case.id.clone(), date: Some(date(on)), kind, ..Default::default() };
    let request = pb::RecordProceedingRequest { proceeding: Some(proceeding), ..Default::default() };
    Ok(actor.clients().record_proceeding(request).await?.into_inner().proceeding.unwrap())
}

on_both_engines! {
    async fn a_client_states_times_and_preferences(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let times = |day: i32, from: i32, until: i32| pb::Availability {
            day,
            starts: Some(time_of_day(from, 0)),
            ends: Some(time_of_day(until, 0)),
        };
        let stated = |client: &mut pb::Client| {
            client.file_number = "F-2026.17".into();
            client.availability = vec![times(1, 9, 12), times(7, 0, 24)];
            client.preferred_modality = pb::Modality::Remote.into();
            client.preferred_venue_id = ngo.venue.id.clone();
            client.counsellor_gender = pb::Gender::Female.into();
            client.age_basis = pb::AgeBasis::SchoolCertificate.into();
        };
        let made = ngo.survivor_with(stated).await;
        let mut echo = made.clone();
        stated(&mut echo);
        assert_eq!(made, echo);
        let mut clients = ngo.coordinator.clients();
        let listed = clients.list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner().clients;
        let bare = pb::Client { name: String::new(), born_on: None, ..made.clone() };
        assert_eq!(listed, [bare]);

        let mut tx = app.world().db().begin_read().await.unwrap();
        let facts = client::subject(&mut tx, made.id.parse().unwrap(), Lock::None).await.unwrap().unwrap();
        assert_eq!(facts.born_on.expose(), "1990-05-06");
        assert_eq!((facts.availability.len(), facts.outline.reference.as_str()), (2, made.reference.as_str()));
        assert_eq!(facts.preferred_venue_id, Some(ngo.venue.id.parse().unwrap()));
        drop(tx);

        let update = |client: pb::Client, path: &str| pb::UpdateClientRequest {
            client: Some(client),
            update_mask: Some(FieldMask { paths: vec![path.into()] }),
            ..Default::default()
        };
        let freed = pb::Client { id: made.id.clone(), etag: made.etag.clone(), ..Default::default() };
        let freed = clients.update_client(update(freed, "availability")).await.unwrap().into_inner().client.unwrap();
        assert_eq!((freed.availability.len(), &freed.file_number), (0, &made.file_number));

        // One number has one file in an organisation; another organisation may have the same.
        let second = ngo.survivor().await;
        let same = pb::Client { file_number: made.file_number.clone(), ..second.clone() };
        let taken = clients.update_client(update(same, "file_number")).await.unwrap_err();
        assert_eq!(refused(&taken).reason, "ALREADY_EXISTS");
        other.survivor_with(|client| client.file_number = made.file_number.clone()).await;
        // Nor does anybody prefer a venue of which the organisation does not know.
        let away = pb::Client { preferred_venue_id: other.venue.id.clone(), ..second.clone() };
        let refusal = clients.update_client(update(away.clone(), "preferred_venue_id")).await.unwrap_err();
        assert_eq!(wrong(refusal), ["client.preferred_venue_id"]);
        let shared = venue_at(&app, &other.id, "V-2", &other.site).await;
        let shared = pb::UpdateVenueRequest {
            venue: Some(pb::Venue { shared: true, ..shared }),
            ..Default::default()
        };
        let shared = app.admin().directory().update_venue(shared).await.unwrap().into_inner().venue.unwrap();
        let away = pb::Client { preferred_venue_id: shared.id, ..away };
        clients.update_client(update(away, "preferred_venue_id")).await.unwrap();

        let bad = pb::Client {
            side: 1,
            name: "Person Zyqvorn".into(),
            spoken_languages: vec!["ml".into()],
            file_number: "f 1".into(),
            availability: vec![times(0, 9, 12), times(1, 12, 12), pb::Availability::default()],
            preferred_modality: 7,
            age_basis: pb::AgeBasis::MedicalTest.into(),
            preferred_venue_id: "x".into(),
            ..Default::default()
        };
        let request = pb::CreateClientRequest { client: Some(bad), ..Default::default() };
        let fields = ["age_basis", "file_number", "availability[0].day", "availability[1].ends", "availability[2].day",
            "availability[2].starts", "availability[2].ends", "preferred_modality", "preferred_venue_id"];
        let fields: Vec<_> = fields.iter().map(|field| format!("client.{field}")).collect();
        assert_eq!(wrong(clients.create_client(request).await.unwrap_err()), fields);
        let many = pb::Client { availability: vec![times(1, 9, 12); 101], ..made };
        let many = clients.update_client(update(many, "availability")).await.unwrap_err();
        assert_eq!(refused(&many).reason, "ETAG_MISMATCH");
        let many = pb::Client { availability: vec![times(1, 9, 12); 101], ..freed };
        let many = clients.update_client(update(many, "availability")).await.unwrap_err();
        assert_eq!(wrong(many), ["client.availability"]);
    }

    async fn guardians_are_named_changed_and_listed(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let me = &ngo.coordinator;
        let (child, sibling) = (ngo.child("2014-05-06").await, ngo.child("2016-05-06").await);
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.guardian(&sibling, pb::GuardianStanding::Unsafe).await;
        let listed = |it: &pb::Guardian, answers| {
            pb::Guardian { answers, answers_until: Some(date("2032-05-05")), ..it.clone() }
        };
        assert_eq!(guardians(me, &child).await.unwrap(), [listed(&mother, true)]);
        let change = |guardian: pb::Guardian, path: &str| pb::UpdateGuardianRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000003".into(),
            guardian: Some(guardian),
            update_mask: Some(FieldMask { paths: vec![path.into()] }),
        };
        let accused = pb::Guardian { standing: pb::GuardianStanding::Accused.into(), ..mother.clone() };
        let request = change(accused, "standing");
        let once = me.clients().update_guardian(request.clone()).await.unwrap().into_inner().guardian.unwrap();
        assert_eq!((once.standing(), &once.name), (pb::GuardianStanding::Accused, &mother.name));
        assert_eq!(me.clients().update_guardian(request).await.unwrap().into_inner().guardian.unwrap(), once);
        assert_eq!(guardians(me, &child).await.unwrap(), [listed(&once, false)]);
        let moved = me.clients().update_guardian(change(once.clone(), "client_id")).await.unwrap_err();
        assert_eq!(wrong(moved), ["update_mask"]);

        let bad = pb::Guardian { code: "a".into(), phone: "1".repeat(41), relation: "x".repeat(101), ..Default::default() };
        let request = pb::CreateGuardianRequest { guardian: Some(bad), ..Default::default() };
        let fields = ["client_id", "code", "name", "phone", "relation", "standing"].map(|it| format!("guardian.{it}"));
        assert_eq!(wrong(me.clients().create_guardian(request).await.unwrap_err()), fields);

        // Codes are a client's own.
        let named = |client: &pb::Client| pb::CreateGuardianRequest {
            guardian: Some(pb::Guardian { id: String::new(), client_id: client.id.clone(), code: "G-1".into(),
                ..mother.clone() }),
            ..Default::default()
        };
        me.clients().create_guardian(named(&child)).await.unwrap();
        me.clients().create_guardian(named(&sibling)).await.unwrap();
        let twice = me.clients().create_guardian(named(&child)).await.unwrap_err();
        assert_eq!(refused(&twice).reason, "ALREADY_EXISTS");

        let there = other.coordinator.clone();
        not_found(there.clients().create_guardian(named(&child)).await.unwrap_err());
        let request = pb::UpdateGuardianRequest { guardian: Some(once), ..Default::default() };
        not_found(there.clients().update_guardian(request).await.unwrap_err());
    }

    async fn a_counsellor_reads_the_guardians_of_own_clients_and_leaves_a_trace(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (own, stranger) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        let guardian = ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        book(&ngo.coordinator, booking(&ngo, &own, &client, "2026-11-24T04:30:00Z")).await.unwrap();
        let read = guardians(&ngo.as_counsellor(&app, &own), &client).await.unwrap();
        assert_eq!((read.len(), read[0].name.as_str()), (1, "Guardian Zyqvorn"));
        not_found(guardians(&ngo.as_counsellor(&app, &stranger), &client).await.unwrap_err());
        let rows = app.audit().await;
        let reads: Vec<_> = rows.iter().filter(|row| row.action.ends_with("/ListGuardians")).collect();
        let mut outcomes: Vec<_> = reads.iter().map(|row| (row.role.as_str(), row.outcome.as_str())).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, [("counsellor", "DONE"), ("counsellor", "REFUSED")]);
        let done = reads.iter().find(|row| row.outcome == "DONE").unwrap();
        assert!(done.subjects.contains(&client.id) && done.subjects.contains(&guardian.id));
        assert!(!format!("{rows:?}").contains("Guardian Zyqvorn"));
    }

    async fn a_page_of_guardians_leads_to_the_next(app) {
        let ngo = Ngo::new(&app, "A").await;
        let child = ngo.child("2014-05-06").await;
        for _ in 0..3 {
            ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        }
        let mut clients = ngo.coordinator.clients();
        let request = pb::ListGuardiansRequest { client_id: child.id.clone(), page_size: 2, ..Default::default() };
        let first = clients.list_guardians(request.clone()).await.unwrap().into_inner();
        let request = pb::ListGuardiansRequest { page_token: first.next_page_token, ..request };
        let rest = clients.list_guardians(request).await.unwrap().into_inner();
        assert_eq!((first.guardians.len(), rest.guardians.len(), rest.next_page_token.as_str()), (2, 1, ""));
        let request = pb::ListGuardiansRequest { page_size: 501, ..Default::default() };
        assert_eq!(wrong(clients.list_guardians(request).await.unwrap_err()), ["client_id", "page_size"]);
    }

    async fn a_conflict_of_interest_is_declared_and_withdrawn(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let me = &ngo.coordinator;
        let client = ngo.survivor().await;
        let (one, theirs) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, other.counsellor("C1", pb::Side::Survivor).await);
        let made = declare(me, &client, &one).await.unwrap();
        assert_eq!(refused(&declare(me, &client, &one).await.unwrap_err()).reason, "ALREADY_EXISTS");
        not_found(declare(me, &client, &theirs).await.unwrap_err());
        not_found(declare(&other.coordinator, &client, &theirs).await.unwrap_err());
        let list = pb::ListConflictsRequest { client_id: client.id.clone(), ..Default::default() };
        let listed = me.clients().list_conflicts(list.clone()).await.unwrap().into_inner().conflicts;
        assert_eq!(listed, std::slice::from_ref(&made));
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let read = tx.tell(|tx| conflict::counsellors_of(tx, client.id.parse().unwrap())).await.unwrap();
        assert_eq!(read, [one.id.parse().unwrap()]);
        drop(tx);

        let withdraw = pb::WithdrawConflictRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000004".into(),
            conflict_id: made.id.clone(),
            etag: made.etag.clone(),
        };
        not_found(other.coordinator.clients().withdraw_conflict(withdraw.clone()).await.unwrap_err());
        let stale = pb::WithdrawConflictRequest { etag: "7".into(), request_id: String::new(), ..withdraw.clone() };
        let stale = me.clients().withdraw_conflict(stale).await.unwrap_err();
        assert_eq!(refused(&stale).reason, "ETAG_MISMATCH");
        me.clients().withdraw_conflict(withdraw.clone()).await.unwrap();
        me.clients().withdraw_conflict(withdraw).await.unwrap();
        assert!(me.clients().list_conflicts(list).await.unwrap().into_inner().conflicts.is_empty());
        let empty = pb::DeclareConflictRequest { request_id: "x".into(), ..Default::default() };
        let fields = ["request_id", "client_id", "counsellor_id"];
        assert_eq!(wrong(me.clients().declare_conflict(empty).await.unwrap_err()), fields);
        let empty = me.clients().withdraw_conflict(pb::WithdrawConflictRequest::default()).await.unwrap_err();
        assert_eq!(wrong(empty), ["conflict_id", "etag"]);
    }

    async fn proceedings_take_days_of_the_parties(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let me = &ngo.coordinator;
        let (client, stranger) = (ngo.survivor().await, other.survivor().await);
        let case = ngo.party_of("12/2026", "Example Nagar", &client).await;
        let same = other.party_of("12/2026", "Example Nagar", &stranger).await;
        let hearing = record(me, &case, "2026-12-01", 1).await.unwrap();
        record(me, &case, "2026-12-01", 2).await.unwrap();
        record(me, &case, "2026-12-31", 3).await.unwrap();
        let twice = record(me, &case, "2026-12-01", 1).await.unwrap_err();
        assert_eq!(refused(&twice).reason, "ALREADY_EXISTS");
        not_found(record(&other.coordinator, &case, "2026-12-01", 1).await.unwrap_err());
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let days = async |client: &pb::Client, first: &str, last: &str| {
            let mut tx = db.begin_read().await.unwrap();
            tx.tell(|tx| proceeding::days_of(tx, client.id.parse().unwrap(), day(first), day(last))).await.unwrap()
        };
        assert_eq!(days(&client, "2026-12-01", "2026-12-31").await, [day("2026-12-01"), day("2026-12-31")]);
        assert!(days(&client, "2026-12-02", "2026-12-30").await.is_empty());
        // What one organisation knows of a crime says nothing about the clients of another.
        assert!(days(&stranger, "2026-12-01", "2026-12-31").await.is_empty());
        let of = |case: &pb::Case| pb::ListProceedingsRequest { case_id: case.id.clone(), ..Default::default() };
        let theirs = other.coordinator.clients().list_proceedings(of(&same)).await.unwrap().into_inner();
        assert!(theirs.proceedings.is_empty());

        let delete = pb::DeleteProceedingRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000005".into(),
            proceeding_id: hearing.id,
            etag: hearing.etag,
        };
        not_found(other.coordinator.clients().delete_proceeding(delete.clone()).await.unwrap_err());
        me.clients().delete_proceeding(delete.clone()).await.unwrap();
        me.clients().delete_proceeding(delete).await.unwrap();
        let left = me.clients().list_proceedings(of(&case)).await.unwrap().into_inner().proceedings;
        let mut kinds: Vec<_> = left.iter().map(|it| it.kind).collect();
        // Ids of one millisecond are in no order among themselves.
        kinds.sort_unstable();
        assert_eq!(kinds, [2, 3]);
        let empty = pb::RecordProceedingRequest {
            request_id: "x".into(),
            proceeding: Some(pb::Proceeding::default()),
        };
        let fields = ["request_id", "proceeding.case_id", "proceeding.date", "proceeding.kind"];
        assert_eq!(wrong(me.clients().record_proceeding(empty).await.unwrap_err()), fields);
    }
}
