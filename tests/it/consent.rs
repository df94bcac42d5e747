//! Consents: recorded, listed, ended once; by whom, and what of it stays hidden.

use aftercare::domain::guardian::GuardianStanding;
use aftercare::grpc::pb;
use aftercare::store::{Db, consent, guardian};
use chrono::TimeDelta;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, book, booking, consent_of, date, own_consent, refused};

async fn consents(actor: &Actor, client: &pb::Client) -> Result<Vec<pb::Consent>, Status> {
    let request = pb::ListConsentsRequest { client_id: client.id.clone(), ..Default::default() };
    Ok(actor.clients().list_consents(request).await?.into_inner().consents)
}

async fn withdraw(actor: &Actor, consent: &pb::Consent, reason: &str) -> Result<pb::Consent, Status> {
    let request = pb::WithdrawConsentRequest {
        consent_id: consent.id.clone(),
        etag: consent.etag.clone(),
        reason: reason.into(),
        ..Default::default()
    };
    Ok(actor.clients().withdraw_consent(request).await?.into_inner().consent.unwrap())
}

async fn invalidate(actor: &Actor, consent: &pb::Consent) -> Result<pb::Consent, Status> {
    let request = pb::InvalidateConsentRequest {
        consent_id: consent.id.clone(),
        etag: consent.etag.clone(),
        reason: "It was never explained.".into(),
        ..Default::default()
    };
    Ok(actor.clients().invalidate_consent(request).await?.into_inner().consent.unwrap())
}

fn wrong(status: Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    refused(&status).items
}

on_both_engines! {
    async fn a_consent_is_recorded_listed_and_ended_once(app) {
        let ngo = Ngo::new(&app, "A").await;
        let me = &ngo.coordinator;
        let child = ngo.child("2014-05-06").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        let given = pb::Consent { valid_until: Some(date("2027-01-01")), ..consent_of(&mother, &child) };
        let one = ngo.consent(given.clone()).await.unwrap();
        let echo = pb::Consent { id: one.id.clone(), etag: one.etag.clone(), created_at: one.created_at,
            updated_at: one.updated_at, ..given };
        assert_eq!(one, echo);
        let other = ngo.consent(pb::Consent {
            purpose: pb::ConsentPurpose::FollowUp.into(),
            given_by: pb::ConsentGiver::ChildWelfareCommittee.into(),
            assent: 0,
            ..own_consent(&child)
        }).await.unwrap();
        assert_eq!(other.assent(), pb::Assent::None);

        let withdrawn = withdraw(me, &one, " The mother called. ").await.unwrap();
        let end = withdrawn.ended.clone().unwrap();
        assert_eq!((end.how(), end.reason.as_str()), (pb::ConsentEnding::Withdrawn, "The mother called."));
        assert_eq!(end.ended_at.unwrap().seconds, app.now().timestamp());
        let invalidated = invalidate(me, &other).await.unwrap();
        assert_eq!(invalidated.ended.as_ref().unwrap().how(), pb::ConsentEnding::Invalidated);
        let mut all = consents(me, &child).await.unwrap();
        all.sort_by_key(|it| it.purpose);
        assert_eq!(all, [withdrawn.clone(), invalidated.clone()]);

        assert_eq!(refused(&withdraw(me, &one, "again").await.unwrap_err()).reason, "ETAG_MISMATCH");
        for again in [invalidate(me, &withdrawn).await, withdraw(me, &invalidated, "again").await] {
            let status = again.unwrap_err();
            assert_eq!((status.code(), refused(&status).reason.as_str()), (Code::FailedPrecondition, "CONSENT_ENDED"));
        }
    }

    async fn every_wrong_field_is_named(app) {
        let ngo = Ngo::new(&app, "A").await;
        let child = ngo.child("2014-05-06").await;
        let fields = |names: &[&str]| names.iter().map(|name| format!("consent.{name}")).collect::<Vec<_>>();
        let nothing = pb::Consent { assent: 9, valid_until: Some(date("2027-01-01")), ..Default::default() };
        let all = ["client_id", "purpose", "given_by", "assent", "language", "text_version", "given_on"];
        assert_eq!(wrong(ngo.consent(nothing).await.unwrap_err()), fields(&all));
        let unnamed = pb::Consent { given_by: pb::ConsentGiver::Guardian.into(), valid_until: Some(date("2026-01-01")),
            language: "malayalam?".into(), text_version: "version one".into(), ..own_consent(&child) };
        let all = ["guardian_id", "language", "text_version", "valid_until"];
        assert_eq!(wrong(ngo.consent(unnamed).await.unwrap_err()), fields(&all));
        let named = pb::Consent { guardian_id: child.id.clone(), ..own_consent(&child) };
        assert_eq!(wrong(ngo.consent(named).await.unwrap_err()), fields(&["guardian_id"]));

        let request = pb::WithdrawConsentRequest { request_id: "x".into(), reason: "no".into(), ..Default::default() };
        let status = ngo.coordinator.clients().withdraw_consent(request).await.unwrap_err();
        assert_eq!(wrong(status), ["request_id", "consent_id", "etag", "reason"]);
        let request = pb::InvalidateConsentRequest { reason: "x".repeat(501), ..Default::default() };
        let status = ngo.coordinator.clients().invalidate_consent(request).await.unwrap_err();
        assert_eq!(wrong(status), ["consent_id", "etag", "reason"]);
        let request = pb::RecordConsentRequest::default();
        let status = ngo.coordinator.clients().record_consent(request).await.unwrap_err();
        assert_eq!(wrong(status), ["consent"]);
    }

    async fn a_guardian_who_is_not_safe_gives_no_consent(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (child, other) = (ngo.child("2014-05-06").await, ngo.child("2014-05-06").await);
        let says = "consent.guardian_id";
        for standing in [pb::GuardianStanding::Unsafe, pb::GuardianStanding::Accused] {
            let guardian = ngo.guardian(&child, standing).await;
            assert_eq!(wrong(ngo.consent(consent_of(&guardian, &child)).await.unwrap_err()), [says]);
        }
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        assert_eq!(wrong(ngo.consent(consent_of(&mother, &other)).await.unwrap_err()), [says]);
        ngo.consent(consent_of(&mother, &child)).await.unwrap();
        // Wherever on earth it is tomorrow already, a consent may have been given today.
        let on = |day: TimeDelta| pb::Consent {
            given_on: Some(date(&(app.now() + day).date_naive().to_string())),
            guardian_id: String::new(),
            ..consent_of(&mother, &child)
        };
        let both = ["consent.guardian_id"];
        assert_eq!(wrong(ngo.consent(on(TimeDelta::days(2))).await.unwrap_err()), both);
        let on = |days| pb::Consent { guardian_id: mother.id.clone(), ..on(TimeDelta::days(days)) };
        assert_eq!(wrong(ngo.consent(on(2)).await.unwrap_err()), ["consent.given_on"]);
        ngo.consent(on(1)).await.unwrap();
    }

    async fn what_rules_read_tells_no_reason(app) {
        let ngo = Ngo::new(&app, "A").await;
        let child = ngo.child("2014-05-06").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Accused).await;
        let consent = ngo.consent(own_consent(&child)).await.unwrap();
        withdraw(&ngo.coordinator, &consent, "A secret").await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let client_id = child.id.parse().unwrap();
        let read = tx.tell(|tx| consent::of_client(tx, client_id)).await.unwrap();
        assert!(read.len() == 1 && read[0].ended.as_ref().unwrap().reason.is_empty());
        let standing = tx.tell(|tx| guardian::of_client(tx, client_id)).await.unwrap();
        assert_eq!(standing, [(mother.id.parse().unwrap(), GuardianStanding::Accused)]);
    }

    async fn the_schema_lets_a_consent_end_and_nothing_else(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        let mother = ngo.guardian(&other, pb::GuardianStanding::Safe).await;
        let consent = consents(&ngo.coordinator, &client).await.unwrap().remove(0);
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let change = async |text: &'static str, id: &str| {
            let mut tx = db.begin_write().await.unwrap();
            let sql = tx.sql(text).bind(consent.id.parse::<Uuid>().unwrap());
            let result = sql.bind(id.parse::<Uuid>().unwrap()).run().await;
            format!("{:?}", result.err())
        };
        for text in [
            "UPDATE consent SET client_id = $2 WHERE id = $1",
            "UPDATE consent SET id = $2 WHERE id = $1",
            "UPDATE consent SET given_on = '1999-01-01' WHERE id = $1 AND id <> $2",
            "UPDATE consent SET valid_until = '2099-01-01' WHERE id = $1 AND id <> $2",
            "UPDATE consent SET assent = 'WRITTEN' WHERE id = $1 AND id <> $2",
        ] {
            let said = change(text, &other.id).await;
            assert!(said.contains("aftercare:append_only"), "{text}: {said}");
        }
        // A guardian of somebody else gives no consent.
        let insert = "INSERT INTO consent (id, version, created_at, updated_at, client_id, purpose, given_by,
                guardian_id, assent, language, text_version, given_on)
             SELECT $2, version, created_at, updated_at, client_id, purpose, 'GUARDIAN', $2, assent, language,
                text_version, given_on FROM consent WHERE id = $1";
        assert!(change(insert, &mother.id).await.to_uppercase().contains("FOREIGN KEY"));
        withdraw(&ngo.coordinator, &consent, "because").await.unwrap();
        let said = change("UPDATE consent SET ended_how = NULL WHERE id = $1 AND id <> $2", &other.id).await;
        assert!(said.contains("aftercare:append_only"), "{said}");
    }

    async fn who_may_see_it_and_who_may_not_know_of_it(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        let all = consents(&ngo.coordinator, &client).await.unwrap();
        let (own, stranger) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        book(&ngo.coordinator, booking(&ngo, &own, &client, "2026-11-24T04:30:00Z")).await.unwrap();
        assert_eq!(consents(&ngo.as_counsellor(&app, &own), &client).await.unwrap(), all);
        let hidden = consents(&ngo.as_counsellor(&app, &stranger), &client).await.unwrap_err();
        assert_eq!(hidden.code(), Code::NotFound);

        let unknown = pb::Consent { id: client.id.clone(), ..all[0].clone() };
        let there = &other.coordinator;
        for (theirs, never) in [
            (withdraw(there, &all[0], "because").await, withdraw(there, &unknown, "because").await),
            (invalidate(there, &all[0]).await, invalidate(there, &unknown).await),
        ] {
            let (theirs, never) = (theirs.unwrap_err(), never.unwrap_err());
            assert_eq!(theirs.code(), Code::NotFound);
            assert_eq!((theirs.message(), theirs.details()), (never.message(), never.details()));
        }
        assert_eq!(other.consent(own_consent(&client)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(consents(&ngo.coordinator, &client).await.unwrap(), all);
    }

    async fn a_repeated_request_has_one_effect(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = ngo.child("1990-05-06").await;
        let mut clients = ngo.coordinator.clients();
        let record = pb::RecordConsentRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000001".into(),
            consent: Some(own_consent(&client)),
        };
        let once = clients.record_consent(record.clone()).await.unwrap().into_inner();
        assert_eq!(clients.record_consent(record).await.unwrap().into_inner(), once);
        let consent = once.consent.unwrap();
        let end = pb::WithdrawConsentRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000002".into(),
            consent_id: consent.id,
            etag: consent.etag,
            reason: "because".into(),
        };
        let once = clients.withdraw_consent(end.clone()).await.unwrap().into_inner();
        assert_eq!(clients.withdraw_consent(end).await.unwrap().into_inner(), once);
        assert_eq!(consents(&ngo.coordinator, &client).await.unwrap(), [once.consent.unwrap()]);
    }

    async fn a_read_leaves_a_trace_and_no_words(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = ngo.survivor().await;
        let consent = consents(&ngo.coordinator, &client).await.unwrap().remove(0);
        withdraw(&ngo.coordinator, &consent, "A planted reason").await.unwrap();
        let rows = app.audit().await;
        let about = |action: &str| rows.iter().find(|row| row.action.ends_with(action)).unwrap();
        for action in ["/RecordConsent", "/ListConsents", "/WithdrawConsent"] {
            let event = about(action);
            assert_eq!(event.outcome, "DONE");
            assert!(event.subjects.contains(&client.id) && event.subjects.contains(&consent.id), "{event:?}");
        }
        assert!(!format!("{rows:?}").contains("planted"));
    }
}
