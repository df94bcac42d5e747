//! A client moves to another organisation: with consent or a second person's signature, whole, and for the old
//! organisation out of sight.

mod move_on;
mod race;

use aftercare::grpc::pb;
use aftercare::store::Db;
use aftercare::usecase::feed;
use chrono::TimeDelta;
use prost::Message;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::followup::clinical_lead;
use crate::support::treatment::{Treated, attended, lookup, officer};
use crate::support::{Actor, Ngo, book, booking, date, own_consent, refused};

const TEN: &str = "2026-11-24T04:30:00Z";

pub async fn consent_to(ngo: &Ngo, client: &pb::Client) -> pb::Consent {
    let consent = pb::Consent { purpose: pb::ConsentPurpose::Transfer.into(), ..own_consent(client) };
    ngo.consent(consent).await.unwrap()
}

pub async fn propose(ngo: &Ngo, client: &pb::Client, to: &Ngo) -> Result<pb::Transfer, Status> {
    proposing(ngo, client, to, "").await
}

pub async fn proposing(ngo: &Ngo, client: &pb::Client, to: &Ngo, reason: &str) -> Result<pb::Transfer, Status> {
    let request = pb::ProposeTransferRequest {
        client_id: client.id.clone(),
        receiving_organisation_code: to.code.clone(),
        override_reason: reason.into(),
        ..Default::default()
    };
    Ok(ngo.coordinator.clients().propose_transfer(request).await?.into_inner().transfer.unwrap())
}

pub async fn accept(actor: &Actor, it: &pb::Transfer) -> Result<pb::Transfer, Status> {
    let request = pb::AcceptTransferRequest { transfer_id: it.id.clone(), ..Default::default() };
    Ok(actor.clients().accept_transfer(request).await?.into_inner().transfer.unwrap())
}

pub async fn withdraw(actor: &Actor, it: &pb::Transfer) -> Result<pb::Transfer, Status> {
    let request = pb::WithdrawTransferRequest { transfer_id: it.id.clone(), ..Default::default() };
    Ok(actor.clients().withdraw_transfer(request).await?.into_inner().transfer.unwrap())
}

async fn decline(actor: &Actor, it: &pb::Transfer) -> Result<pb::Transfer, Status> {
    let reason = pb::TransferDeclineReason::NoCapacity.into();
    let request = pb::DeclineTransferRequest { transfer_id: it.id.clone(), reason, ..Default::default() };
    Ok(actor.clients().decline_transfer(request).await?.into_inner().transfer.unwrap())
}

async fn cosign(actor: &Actor, it: &pb::Transfer) -> Result<pb::Transfer, Status> {
    let request = pb::CosignTransferRequest { transfer_id: it.id.clone(), ..Default::default() };
    Ok(actor.clients().cosign_transfer(request).await?.into_inner().transfer.unwrap())
}

pub async fn list(actor: &Actor) -> Vec<pb::Transfer> {
    actor.clients().list_transfers(pb::ListTransfersRequest::default()).await.unwrap().into_inner().transfers
}

pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let refusal = refused(&result.unwrap_err());
    assert_eq!(refusal.code, Code::FailedPrecondition);
    refusal.reason
}

pub async fn get(actor: &Actor, client: &pb::Client) -> Result<pb::Client, Status> {
    let request = pb::GetClientRequest { client_id: client.id.clone() };
    Ok(actor.clients().get_client(request).await?.into_inner().client.unwrap())
}

on_both_engines! {
    async fn it_takes_a_consent_to_it_that_has_moved_nobody_yet(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        assert_eq!(reason(propose(&ngo, &client, &other).await), "CONSENT_MISSING");
        let consent = consent_to(&ngo, &client).await;
        let proposed = propose(&ngo, &client, &other).await.unwrap();
        assert_eq!((proposed.state(), proposed.consent_id.as_str()), (pb::TransferState::Proposed, consent.id.as_str()));
        assert_eq!(reason(propose(&ngo, &client, &other).await), "TRANSFER_OPEN");

        // Until it is accepted, the other organisation is told reference, side and district.
        let told = list(&other.coordinator).await.remove(0);
        let known = pb::Transfer {
            id: proposed.id.clone(), reference: client.reference.clone(), side: client.side,
            giving_organisation_code: ngo.code.clone(), giving_district: told.giving_district.clone(),
            receiving_organisation_code: other.code.clone(), state: proposed.state, proposed_at: proposed.proposed_at,
            expires_at: proposed.expires_at, ..Default::default()
        };
        assert_eq!(told, known);
        assert_eq!(get(&other.coordinator, &client).await.unwrap_err().code(), Code::NotFound);
        // Neither end does the other's part.
        assert_eq!(accept(&ngo.coordinator, &proposed).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(withdraw(&other.coordinator, &proposed).await.unwrap_err().code(), Code::NotFound);

        let request = pb::WithdrawConsentRequest { consent_id: consent.id, etag: consent.etag, reason: "because".into(), ..Default::default() };
        ngo.coordinator.clients().withdraw_consent(request).await.unwrap();
        assert_eq!(reason(accept(&other.coordinator, &proposed).await), "CONSENT_MISSING");
        assert_eq!(withdraw(&ngo.coordinator, &proposed).await.unwrap().state(), pb::TransferState::Withdrawn);
        assert_eq!(reason(accept(&other.coordinator, &proposed).await), "TRANSFER_OVER");

        consent_to(&ngo, &client).await;
        let again = propose(&ngo, &client, &other).await.unwrap();
        let declined = decline(&other.coordinator, &again).await.unwrap();
        assert_eq!((declined.state(), declined.decline_reason()), (pb::TransferState::Declined, pb::TransferDeclineReason::NoCapacity));
        let third = propose(&ngo, &client, &other).await.unwrap();
        let accepted = accept(&other.coordinator, &third).await.unwrap();
        assert_eq!((accepted.state(), accepted.client_id.as_str()), (pb::TransferState::Accepted, client.id.as_str()));
        assert!(!accepted.ended_by.is_empty() && accepted.proposed_by.is_empty());
        // One consent, one move: back it takes another.
        assert_eq!(reason(propose(&other, &client, &ngo).await), "CONSENT_MISSING");
        consent_to(&other, &client).await;
        accept(&ngo.coordinator, &propose(&other, &client, &ngo).await.unwrap()).await.unwrap();
        assert_eq!(get(&ngo.coordinator, &client).await.unwrap().reference, client.reference);
    }

    async fn without_consent_a_second_person_signs_before_anybody_knows(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        let proposed = proposing(&ngo, &client, &other, "A planted reason").await.unwrap();
        assert_eq!((proposed.state(), proposed.override_reason.as_str()), (pb::TransferState::AwaitsCosignature, "A planted reason"));
        assert_eq!(list(&other.coordinator).await, []);
        assert_eq!(accept(&other.coordinator, &proposed).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(cosign(&clinical_lead(&app, &other), &proposed).await.unwrap_err().code(), Code::NotFound);
        let organisation_id = ngo.id.parse().unwrap();
        let same = aftercare::domain::access::Authority::ClinicalLead { organisation_id };
        let same = app.bearer(app.token(&proposed.proposed_by, same, app.now(), TimeDelta::hours(1)));
        assert_eq!(reason(cosign(&same, &proposed).await), "SAME_PERSON");
        let lead = clinical_lead(&app, &ngo);
        let signed = cosign(&lead, &proposed).await.unwrap();
        assert_eq!(signed.state(), pb::TransferState::Proposed);
        assert_eq!(reason(cosign(&lead, &proposed).await), "NOT_TO_SIGN");
        assert_eq!(list(&other.coordinator).await[0].override_reason, "");
        let accepted = accept(&other.coordinator, &proposed).await.unwrap();
        assert_eq!(accepted.override_reason, "A planted reason");
        // What it says is about the client, who is theirs now.
        assert_eq!(list(&ngo.coordinator).await[0].override_reason, "");
        let trail = app.audit().await;
        assert!(trail.iter().any(|it| it.action.ends_with("/ProposeTransfer") && it.details.contains("WITHOUT_CONSENT")));
        assert!(!format!("{trail:?}").contains("planted"));
    }

    async fn what_only_the_old_organisation_can_see_to_comes_first(app) {
        let (mut ngo, mut other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        consent_to(&ngo, &client).await;
        let at = |start| booking(&ngo, &counsellor, &client, start);
        let (one, two) = (book(&ngo.coordinator, at(TEN)).await.unwrap(), book(&ngo.coordinator, at("2026-11-26T04:30:00Z")).await.unwrap());
        let waits = pb::JoinWaitlistRequest {
            client_id: client.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(crate::support::minutes(60)),
            ..Default::default()
        };
        let entry = ngo.coordinator.scheduling().join_waitlist(waits).await.unwrap().into_inner().entry.unwrap();
        let held = crate::hold::hold(&ngo.coordinator, at("2026-11-27T04:30:00Z")).await.unwrap();
        let status = propose(&ngo, &client, &other).await.unwrap_err();
        assert_eq!(refused(&status).reason, "CLIENT_ACTIVE");
        let named = String::from_utf8_lossy(status.details()).into_owned();
        for id in [&one.id, &two.id, &entry.id, &held.id] {
            assert!(named.contains(id.as_str()), "{named}");
        }
        // A hold that keeps nothing any more stands in nobody's way; a session without a record does.
        app.clock.set("2026-11-24T08:00:00Z".parse().unwrap());
        ngo.sign_in(&app);
        other.sign_in(&app);
        ngo.cancel(&two).await.unwrap();
        let leave = pb::LeaveWaitlistRequest { entry_id: entry.id, etag: entry.etag, ..Default::default() };
        ngo.coordinator.scheduling().leave_waitlist(leave).await.unwrap();
        let status = propose(&ngo, &client, &other).await.unwrap_err();
        assert!(String::from_utf8_lossy(status.details()).contains(&one.id));
        let request = crate::support::recording(&one, &client, pb::AttendanceOutcome::AttendedComplied);
        crate::support::record(&ngo.coordinator, request).await.unwrap();
        let proposed = propose(&ngo, &client, &other).await.unwrap();
        // What is booked meanwhile is in the way again, and nobody else's to know.
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-26T04:30:00Z")).await.unwrap();
        let status = accept(&other.coordinator, &proposed).await.unwrap_err();
        assert_eq!((refused(&status).reason.as_str(), refused(&status).items), ("TRANSFER_NOT_READY", Vec::new()));

        let nobody = pb::ProposeTransferRequest {
            client_id: client.id.clone(), receiving_organisation_code: "NOBODY".into(), ..Default::default()
        };
        let status = ngo.coordinator.clients().propose_transfer(nobody.clone()).await.unwrap_err();
        assert_eq!(refused(&status).items, ["receiving_organisation_code"]);
        let own = pb::ProposeTransferRequest { receiving_organisation_code: ngo.code.clone(), ..nobody };
        assert_eq!(ngo.coordinator.clients().propose_transfer(own).await.unwrap_err().code(), Code::InvalidArgument);
    }

    async fn nobody_accepts_after_fourteen_days(app) {
        let (mut ngo, mut other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        consent_to(&ngo, &client).await;
        let proposed = propose(&ngo, &client, &other).await.unwrap();
        app.clock.set(app.now() + TimeDelta::days(14));
        ngo.sign_in(&app);
        other.sign_in(&app);
        assert_eq!(list(&ngo.coordinator).await[0].state(), pb::TransferState::Expired);
        assert_eq!(reason(accept(&other.coordinator, &proposed).await), "TRANSFER_OVER");
        assert_eq!(reason(withdraw(&ngo.coordinator, &proposed).await), "TRANSFER_OVER");
        let open = pb::ListTransfersRequest { open: true, ..Default::default() };
        assert_eq!(other.coordinator.clients().list_transfers(open).await.unwrap().into_inner().transfers, []);
        propose(&ngo, &client, &other).await.unwrap();
        let states: Vec<_> = list(&ngo.coordinator).await.iter().map(pb::Transfer::state).collect();
        assert_eq!(states, [pb::TransferState::Proposed, pb::TransferState::Expired]);
    }

    async fn police_are_told_the_same_to_the_byte(app) {
        let mut it = Treated::new(&app).await;
        let other = Ngo::new(&app, "B").await;
        it.session(&app, "2026-01-06").await;
        it.go_to(&app, "2026-01-06");
        it.record("2026-01-06", attended()).await.unwrap();
        let consent = pb::Consent { given_on: Some(date("2026-01-02")), purpose: pb::ConsentPurpose::Transfer.into(), ..own_consent(&it.client) };
        let born = pb::Client { born_on: Some(date("1980-01-01")), ..it.client.clone() };
        let request = pb::UpdateClientRequest { client: Some(born), ..Default::default() };
        it.ngo.coordinator.clients().update_client(request).await.unwrap();
        it.ngo.consent(consent).await.unwrap();
        let status = propose(&it.ngo, &it.client, &other).await.unwrap_err();
        assert_eq!(refused(&status).reason, "ORDER_OPEN");
        assert!(String::from_utf8_lossy(status.details()).contains(&it.order_id));
        it.terminate().await.unwrap();

        let asked = async || {
            // Whatever was noted has its place, so that cursors stand still.
            while feed::sequence(app.world()).await.unwrap() {}
            let police = officer(&app, "KL-TVM");
            let check = pb::CheckComplianceRequest { lookup: lookup(), reference: it.reference.clone() };
            let page = pb::ListComplianceInJurisdictionRequest { lookup: lookup(), ..Default::default() };
            let mut compliance = police.compliance();
            (
                compliance.check_compliance(check).await.unwrap().into_inner().encode_to_vec(),
                compliance.list_compliance_in_jurisdiction(page).await.unwrap().into_inner().encode_to_vec(),
            )
        };
        let before = asked().await;
        let proposed = propose(&it.ngo, &it.client, &other).await.unwrap();
        let other = other.signed_in(&app);
        accept(&other.coordinator, &proposed).await.unwrap();
        assert_eq!(asked().await, before);

        // The order and its history are the new organisation's to read, and nobody else's.
        let order = |actor: &Actor| {
            let request = pb::GetOrderRequest { order_id: it.order_id.clone() };
            let mut compliance = actor.compliance();
            async move { compliance.get_order(request).await }
        };
        assert_eq!(order(&it.ngo.coordinator).await.unwrap_err().code(), Code::NotFound);
        assert!(!order(&other.coordinator).await.unwrap().into_inner().events.is_empty());
    }

    async fn the_schema_moves_nobody_without_a_transfer(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        consent_to(&ngo, &client).await;
        let proposed = propose(&ngo, &client, &other).await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let change = async |text: &'static str, id: &str, to: &str| {
            let mut tx = db.begin_write().await.unwrap();
            let uuid = |id: &str| id.parse::<uuid::Uuid>().unwrap();
            format!("{:?}", tx.sql(text).bind(uuid(id)).bind(uuid(to)).run().await.err())
        };
        let moves = "UPDATE client SET organisation_id = $2 WHERE id = $1";
        for (text, id) in [
            (moves, &client.id),
            ("UPDATE transfer SET giving_id = $2 WHERE id = $1", &proposed.id),
            ("DELETE FROM transfer WHERE id = $1 AND receiving_id = $2", &proposed.id),
        ] {
            assert!(change(text, id, &other.id).await.contains("aftercare:append_only"), "{text}");
        }
        accept(&other.coordinator, &proposed).await.unwrap();
        // Nor back by the same one.
        assert!(change(moves, &client.id, &ngo.id).await.contains("aftercare:append_only"));
        let again = "UPDATE transfer SET ended_how = NULL, ended_at = NULL, ended_by = NULL WHERE id = $1 AND receiving_id = $2";
        assert!(change(again, &proposed.id, &other.id).await.contains("aftercare:append_only"));
    }
}
