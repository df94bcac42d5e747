//! Looking clients up, holding them, and erasing them: what is left, what is refused, and what a backup tells.

pub mod at_rest;

use aftercare::domain::erasure::ErasureReason;
use aftercare::grpc::pb;
use aftercare::usecase::erasure::EraseClient;
use aftercare::usecase::{Call, mutate};
use chrono::TimeDelta;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, date, own_consent, refused};

const TUESDAY: &str = "2026-11-24T04:30:00Z";

async fn seek(actor: &Actor, name: &str, phone: &str) -> Vec<String> {
    let request = pb::ListClientsRequest { name: name.into(), phone: phone.into(), ..Default::default() };
    let found = actor.clients().list_clients(request).await.unwrap().into_inner().clients;
    assert!(found.iter().all(|it| it.name.is_empty() && it.phone.is_empty()));
    found.into_iter().map(|it| it.id).collect()
}

async fn get(actor: &Actor, client: &pb::Client) -> pb::Client {
    let request = pb::GetClientRequest { client_id: client.id.clone() };
    actor.clients().get_client(request).await.unwrap().into_inner().client.unwrap()
}

async fn erase(actor: &Actor, client: &pb::Client) -> Result<pb::Client, Status> {
    let request = pb::EraseClientRequest {
        client_id: client.id.clone(),
        etag: client.etag.clone(),
        reason: pb::ErasureReason::Requested.into(),
        ..Default::default()
    };
    Ok(actor.clients().erase_client(request).await?.into_inner().client.unwrap())
}

async fn place(actor: &Actor, client: &pb::Client, until: Option<&str>) -> Result<pb::LegalHold, Status> {
    let reason = "a court may ask".into();
    let until = until.map(date);
    let hold = pb::LegalHold { client_id: client.id.clone(), reason, until, ..Default::default() };
    let request = pb::PlaceLegalHoldRequest { hold: Some(hold), ..Default::default() };
    Ok(actor.clients().place_legal_hold(request).await?.into_inner().hold.unwrap())
}

async fn release(actor: &Actor, hold: &pb::LegalHold) -> Result<pb::LegalHold, Status> {
    let (hold_id, etag, reason) = (hold.id.clone(), hold.etag.clone(), "it has asked".into());
    let request = pb::ReleaseLegalHoldRequest { hold_id, etag, reason, ..Default::default() };
    Ok(actor.clients().release_legal_hold(request).await?.into_inner().hold.unwrap())
}

async fn holds(actor: &Actor, client: &pb::Client) -> Result<Vec<pb::LegalHold>, Status> {
    let request = pb::ListLegalHoldsRequest { client_id: client.id.clone(), ..Default::default() };
    Ok(actor.clients().list_legal_holds(request).await?.into_inner().holds)
}

async fn guardians(actor: &Actor, client: &pb::Client) -> Vec<pb::Guardian> {
    let request = pb::ListGuardiansRequest { client_id: client.id.clone(), ..Default::default() };
    actor.clients().list_guardians(request).await.unwrap().into_inner().guardians
}

/// Why it was refused, and what stands in the way.
fn hindered(status: &Status) -> (String, Vec<String>) {
    use tonic_types::StatusExt;
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    let details = status.get_error_details();
    let subjects =
        details.precondition_failure().into_iter().flat_map(|it| &it.violations).map(|it| it.subject.clone());
    (refused(status).reason, subjects.collect())
}

async fn known(ngo: &Ngo) -> pb::Client {
    ngo.survivor_with(|client| {
        client.name = "Asha  Example".into();
        client.phone = "+91 98765-43210".into();
    })
    .await
}

on_both_engines! {
    async fn a_client_is_found_by_name_and_by_phone(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let one = known(&ngo).await;
        app.clock.advance(TimeDelta::seconds(1));
        let namesake = ngo.survivor_with(|it| it.name = "ASHA EXAMPLE".into()).await;
        let theirs = known(&other).await;
        let me = &ngo.coordinator;
        let both = [one.id.clone(), namesake.id.clone()];
        for (name, phone, expected) in [
            ("asha example", "", &both[..]),
            ("", "098765 43210", &both[..1]),
            ("Asha Example", "9876543210", &both[..1]),
            ("Asha", "", &[]),
            ("Asha Example", "9876543211", &[]),
            ("", "no digit", &[]),
        ] {
            assert_eq!(seek(me, name, phone).await, expected, "{name} {phone}");
        }
        assert_eq!(seek(&other.coordinator, "Asha Example", "").await, [theirs.id]);
        // A counsellor finds the own clients alone.
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let counsels = ngo.as_counsellor(&app, &counsellor);
        assert!(seek(&counsels, "Asha Example", "").await.is_empty());
        book(me, booking(&ngo, &counsellor, &one, TUESDAY)).await.unwrap();
        assert_eq!(seek(&counsels, "Asha Example", "").await, both[..1]);
        // Pages belong to what was sought.
        let first = pb::ListClientsRequest { name: "asha example".into(), page_size: 1, ..Default::default() };
        let answer = me.clients().list_clients(first.clone()).await.unwrap().into_inner();
        let next = pb::ListClientsRequest { page_token: answer.next_page_token.clone(), ..first };
        let second = me.clients().list_clients(next.clone()).await.unwrap().into_inner();
        assert_eq!((&second.clients[0].id, second.next_page_token.as_str()), (&namesake.id, ""));
        let elsewhere = pb::ListClientsRequest { name: "somebody else".into(), ..next };
        let status = me.clients().list_clients(elsewhere).await.unwrap_err();
        assert_eq!(refused(&status).items, ["page_token"]);
        // Who was looked up is in the audit trail, and by what is not.
        let audit = app.audit().await;
        let looked_up: Vec<_> = audit.iter().filter(|it| it.details.contains("LOOKED_UP")).collect();
        assert!(looked_up.len() > 6 && looked_up.iter().any(|it| it.subjects.contains(&one.id)));
        assert!(!format!("{audit:?}").to_lowercase().contains("asha"));
    }

    async fn a_changed_name_is_found_and_the_old_one_is_not(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = known(&ngo).await;
        let changed = pb::Client { name: "Asha Other".into(), phone: String::new(), ..client.clone() };
        let paths = vec!["name".into(), "phone".into()];
        let update_mask = Some(prost_types::FieldMask { paths });
        let request = pb::UpdateClientRequest { client: Some(changed), update_mask, ..Default::default() };
        ngo.coordinator.clients().update_client(request).await.unwrap();
        assert!(seek(&ngo.coordinator, "Asha Example", "").await.is_empty());
        assert!(seek(&ngo.coordinator, "", "9876543210").await.is_empty());
        assert_eq!(seek(&ngo.coordinator, "Asha Other", "").await, [client.id]);
    }

    async fn a_hold_keeps_a_client_until_it_ends(app) {
        let (mut ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = known(&ngo).await;
        let past = place(&ngo.coordinator, &client, Some("2026-11-21")).await.unwrap_err();
        assert_eq!(refused(&past).items, ["hold.until"]);
        let open = place(&ngo.coordinator, &client, None).await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
        let short = place(&ngo.coordinator, &client, Some("2026-11-23")).await.unwrap();
        assert_eq!((open.placed_by.as_str(), open.released_at), ("coordinator@A", None));
        let status = erase(&ngo.coordinator, &client).await.unwrap_err();
        assert_eq!(hindered(&status), ("LEGAL_HOLD".into(), vec![open.id.clone(), short.id.clone()]));
        // Of another organisation's nobody learns anything.
        for status in [
            place(&other.coordinator, &client, None).await.unwrap_err(),
            release(&other.coordinator, &open).await.unwrap_err(),
            holds(&other.coordinator, &client).await.unwrap_err(),
            erase(&other.coordinator, &client).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound, "{status:?}");
        }
        let released = release(&ngo.coordinator, &open).await.unwrap();
        assert_eq!((released.release_reason.as_str(), released.released_by.as_str()), ("it has asked", "coordinator@A"));
        assert_eq!(hindered(&release(&ngo.coordinator, &released).await.unwrap_err()).0, "HOLD_RELEASED");
        assert_eq!(holds(&ngo.coordinator, &client).await.unwrap(), [released, short.clone()]);
        let status = erase(&ngo.coordinator, &client).await.unwrap_err();
        assert_eq!(hindered(&status).1, [short.id]);
        // Its last day is over everywhere.
        app.clock.set("2026-11-24T12:00:00Z".parse().unwrap());
        ngo.sign_in(&app);
        erase(&ngo.coordinator, &client).await.unwrap();
    }

    async fn a_client_for_whom_something_is_to_happen_is_not_erased(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = known(&ngo).await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TUESDAY)).await.unwrap();
        let status = erase(&ngo.coordinator, &client).await.unwrap_err();
        assert_eq!(hindered(&status), ("CLIENT_ACTIVE".into(), vec![session.id.clone()]));
        let stale = pb::Client { etag: "9".into(), ..client.clone() };
        assert_eq!(erase(&ngo.coordinator, &stale).await.unwrap_err().code(), Code::Aborted);
        ngo.cancel(&session).await.unwrap();
        let order = crate::support::treatment::order_of(&ngo.offender().await);
        let order = crate::support::treatment::create_order(&ngo.coordinator, order).await.unwrap();
        let offender = pb::Client { id: order.client_id.clone(), etag: "1".into(), ..Default::default() };
        let status = erase(&ngo.coordinator, &offender).await.unwrap_err();
        assert_eq!(hindered(&status), ("CLIENT_ACTIVE".into(), vec![order.id]));
        erase(&ngo.coordinator, &client).await.unwrap();
    }

    async fn of_an_erased_client_nothing_personal_is_left(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = known(&ngo).await;
        let me = &ngo.coordinator;
        ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        let session = book(me, booking(&ngo, &counsellor, &client, TUESDAY)).await.unwrap();
        ngo.cancel(&session).await.unwrap();
        let erased = erase(me, &client).await.unwrap();
        assert_eq!(erased.erased_at.unwrap().seconds, app.now().timestamp());
        assert_eq!((erased.name.as_str(), erased.phone.as_str(), erased.born_on), ("", "", None));
        assert_eq!((get(me, &client).await, &erased.reference), (erased.clone(), &client.reference));
        assert!(seek(me, "Asha Example", "").await.is_empty());
        let listed = me.clients().list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.clients, std::slice::from_ref(&erased));
        let left = guardians(me, &client).await;
        assert_eq!((left.len(), left[0].name.as_str(), left[0].relation.as_str()), (1, "", ""));
        assert_eq!(ngo.session(&session.id).await.client_id, client.id);
        assert!(app.audit().await.iter().any(|it| it.action.ends_with("/EraseClient") && it.details.contains("REQUESTED")));

        // Nothing more is written about the client.
        let renamed = pb::Client { name: "Asha Again".into(), etag: erased.etag.clone(), ..client.clone() };
        let request = pb::UpdateClientRequest { client: Some(renamed), ..Default::default() };
        let guardian = pb::Guardian { client_id: client.id.clone(), name: "Somebody".into(), standing: 1, ..Default::default() };
        let guardian = pb::CreateGuardianRequest { guardian: Some(guardian), ..Default::default() };
        let mut clients = me.clients();
        for status in [
            clients.update_client(request).await.unwrap_err(),
            clients.create_guardian(guardian).await.unwrap_err(),
            ngo.consent(own_consent(&client)).await.unwrap_err(),
            place(me, &client, None).await.unwrap_err(),
            erase(me, &erased).await.unwrap_err(),
            book(me, booking(&ngo, &counsellor, &client, "2026-11-25T04:30:00Z")).await.unwrap_err(),
        ] {
            assert_eq!(hindered(&status).0, "CLIENT_ERASED", "{status:?}");
        }
    }

    async fn the_schema_lets_nobody_write_about_an_erased_client(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = known(&ngo).await;
        let hold = place(&ngo.coordinator, &client, None).await.unwrap();
        let change = "UPDATE legal_hold SET reason = release_reason WHERE client_id = $1";
        let id: uuid::Uuid = client.id.parse().unwrap();
        let begin = async || aftercare::store::Db::open(&app.db.target, 1).await.unwrap().begin_write().await.unwrap();
        assert!(begin().await.sql(change).bind(id).run().await.is_err());
        assert!(begin().await.sql("DELETE FROM legal_hold WHERE client_id = $1").bind(id).run().await.is_err());
        release(&ngo.coordinator, &hold).await.unwrap();
        let again = "UPDATE legal_hold SET released_at = NULL, released_by = NULL, release_reason = NULL WHERE client_id = $1";
        assert!(begin().await.sql(again).bind(id).run().await.is_err());
        erase(&ngo.coordinator, &client).await.unwrap();
        for change in [
            "UPDATE client SET erased_at = NULL, erased_because = NULL WHERE id = $1",
            "INSERT INTO no_contact (id, version, created_at, updated_at, client_id, other_reference)
             SELECT id, 1, created_at, created_at, id, reference FROM client WHERE id = $1",
        ] {
            let error = begin().await.sql(change).bind(id).run().await.unwrap_err();
            assert!(matches!(error, aftercare::store::Error::Erased), "{error:?}");
        }
    }

    async fn a_process_that_dies_in_between_leaves_no_key(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = known(&ngo).await;
        ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        // The transaction alone, as if the process had died after it.
        let erase = EraseClient { id: client.id.parse().unwrap(), version: 1, because: ErasureReason::Requested };
        mutate(app.world(), Call::of_program("erase"), erase).await.unwrap();
        assert_eq!(guardians(&ngo.coordinator, &client).await[0].name, "Guardian Zyqvorn");
        app.run_jobs().await;
        assert_eq!(guardians(&ngo.coordinator, &client).await[0].name, "");
        let process = app.beside().await;
        let beside = process.bearer(ngo.coordinator.token.clone());
        assert_eq!(guardians(&beside, &client).await[0].name, "");
    }

    async fn another_process_forgets_the_key_within_a_minute(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = known(&ngo).await;
        ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        let process = app.beside().await;
        let beside = process.bearer(ngo.coordinator.token.clone());
        assert_eq!(guardians(&beside, &client).await[0].name, "Guardian Zyqvorn");
        erase(&ngo.coordinator, &client).await.unwrap();
        // Of the client itself it knows at once.
        assert_eq!(get(&beside, &client).await.name, "");
        app.clock.advance(TimeDelta::minutes(1));
        assert_eq!(guardians(&beside, &client).await[0].name, "");
    }
}

/// An assessment has nothing left to show, and is none any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assessments_of_an_erased_client_are_gone() {
    use crate::support::assessment::{pcl, progress, read, sheet, submit};
    use crate::support::followup::{clinical_lead, enrolled};
    let app = TestApp::start(crate::support::Engine::Sqlite).await;
    let mut followed = enrolled(&app).await;
    let (me, lead) = (followed.responsible(&app), clinical_lead(&app, &followed.ngo));
    let given = submit(&me, sheet(&followed.client, "2026-01-05", "PCL_5", &pcl(10))).await.unwrap();
    assert_eq!(progress(&lead, &followed.client).await.unwrap().len(), 1);
    followed.close(pb::FollowUpClosing::Completed).await.unwrap();
    erase(&followed.ngo.coordinator, &followed.client).await.unwrap();
    assert_eq!(read(&lead, &given.id).await.unwrap_err().code(), Code::NotFound);
    assert!(progress(&lead, &followed.client).await.unwrap().is_empty());
}
