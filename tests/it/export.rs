//! Everything that is held about one person: whole for who may know it, nothing of anybody else, and never cut off
//! unnoticed.

mod cli;

use std::collections::BTreeSet;

use aftercare::grpc::pb;
use aftercare::grpc::pb::export_client_response::Part;
use chrono::TimeDelta;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use crate::cells::Objects;
use crate::on_both_engines;
use crate::support::attendance::history;
use crate::support::escalation::{acknowledge, resolve, resolving};
use crate::support::followup::{clinical_lead, enrol, enrolling, excuse, excusing, submit, well};
use crate::support::treatment::{check, create_order, officer, order_of};
use crate::support::{
    Actor, Audited, Ngo, TestApp, amend, amending, book, booking, decide, deciding, group_of, record, recording,
    refused,
};

fn asking(client: &pb::Client) -> pb::ExportClientRequest {
    pb::ExportClientRequest {
        client_id: client.id.clone(),
        purpose: pb::ExportPurpose::AccessRequest.into(),
        request_number: "ACCESS-7".into(),
    }
}

/// Every message of an export.
async fn export(actor: &Actor, client: &pb::Client) -> Result<Vec<pb::ExportClientResponse>, Status> {
    let mut stream = actor.privacy().export_client(asking(client)).await?.into_inner();
    let mut all = Vec::new();
    while let Some(message) = stream.message().await? {
        all.push(message);
    }
    Ok(all)
}

/// Whether a text stands anywhere in it.
fn bears(messages: &[pb::ExportClientResponse], text: &str) -> bool {
    assert!(!text.is_empty());
    messages.iter().any(|it| it.encode_to_vec().windows(text.len()).any(|part| part == text.as_bytes()))
}

fn begun(messages: &[pb::ExportClientResponse]) -> &pb::ExportBegun {
    match messages.first().and_then(|it| it.part.as_ref()) {
        Some(Part::Begun(begun)) => begun,
        other => panic!("it begins with {}", other.is_some()),
    }
}

fn ended(messages: &[pb::ExportClientResponse]) -> &pb::ExportEnded {
    match messages.last().and_then(|it| it.part.as_ref()) {
        Some(Part::Ended(ended)) => ended,
        _ => panic!("it was cut off"),
    }
}

/// Something written in every place about a survivor, with what marks it, and the parts it belongs to.
struct Planted {
    it: Objects,
    /// Marks that coordinators and clinical leads alike may read.
    both: Vec<String>,
    /// Marks for coordinators.
    coordinators: Vec<String>,
    /// Marks for the clinical side.
    clinical: Vec<String>,
}

impl Planted {
    async fn new(app: &TestApp) -> Self {
        let [it] = Objects::of(app, ["A"]).await;
        let (me, counselling) = (&it.ngo.coordinator, it.ngo.as_counsellor(app, &it.counsellor));
        let text = |what: &str| format!("planted {what}");
        let client = pb::Client {
            name: text("name"),
            phone: text("phone"),
            address: text("address"),
            ..read(me, &it.client).await
        };
        let request = pb::UpdateClientRequest { client: Some(client), ..Default::default() };
        me.clients().update_client(request).await.unwrap();
        let request = pb::WithdrawConsentRequest {
            consent_id: it.consents[1].id.clone(),
            etag: it.consents[1].etag.clone(),
            reason: text("withdrawal"),
            ..Default::default()
        };
        me.clients().withdraw_consent(request).await.unwrap();
        let request = pb::ReleaseLegalHoldRequest {
            hold_id: it.legal_hold.id.clone(),
            etag: it.legal_hold.etag.clone(),
            reason: text("release"),
            ..Default::default()
        };
        me.clients().release_legal_hold(request).await.unwrap();
        let absent = record(me, recording(&it.ended, &it.client, pb::AttendanceOutcome::NoShow)).await.unwrap();
        let mut amended = amending(&it.ended, &it.client, &absent.etag, pb::AttendanceOutcome::NoShow);
        amended.reason = text("amendment");
        let amended = amend(me, amended).await.unwrap();
        let mut decided = deciding(&it.ended, &it.client, &amended.etag, true);
        (decided.evidence_reference, decided.verifier) = (text("evidence"), text("verifier"));
        decide(me, decided).await.unwrap();
        let note = pb::WriteSessionNoteRequest {
            session_id: it.ended.id.clone(),
            client_id: it.client.id.clone(),
            text: text("note"),
            ..Default::default()
        };
        counselling.attendance().write_session_note(note).await.unwrap();
        let mut excused = excusing(&it.milestone, pb::MilestoneExcuse::NotApplicable);
        excused.reason = text("excuse");
        excuse(&counselling, excused).await.unwrap();
        let taken = acknowledge(&counselling, &it.escalation).await.unwrap();
        let action = pb::EscalationAction::LiveContact;
        resolve(&counselling, pb::ResolveEscalationRequest { note: text("resolution"), ..resolving(&taken, action) })
            .await
            .unwrap();
        let both = ["name", "phone", "address", "withdrawal", "amendment", "evidence", "verifier"].map(text);
        let ids = [&it.guardian.id, &it.consents[0].id, &it.session.id, &it.ended.id, &it.missed.id, &it.group.id];
        let both = both.into_iter().chain(ids.into_iter().cloned());
        let both = both.chain([it.hold.id.clone(), it.plan.id.clone(), it.milestone.id.clone(), it.report.id.clone()]);
        let coordinators = [text("release"), it.legal_hold.id.clone(), it.case.id.clone(), it.proceeding.id.clone()];
        let coordinators = coordinators.into_iter().chain([it.no_contact.id.clone(), it.conflict.id.clone()]);
        let coordinators = coordinators.chain([it.offender.reference.clone(), "the line was down".into()]);
        let clinical = [text("note"), text("excuse"), text("resolution"), it.assessment.id.clone()];
        let clinical = clinical.into_iter().chain([it.escalation.id.clone()]);
        let (both, coordinators, clinical) = (both.collect(), coordinators.collect(), clinical.collect());
        Self { both, coordinators, clinical, it }
    }
}

async fn read(actor: &Actor, client: &pb::Client) -> pb::Client {
    let request = pb::GetClientRequest { client_id: client.id.clone() };
    actor.clients().get_client(request).await.unwrap().into_inner().client.unwrap()
}

/// Checks that a text is in an export exactly where it should be.
fn check_marks(who: &str, messages: &[pb::ExportClientResponse], marks: &[String], given: bool) {
    for mark in marks {
        assert_eq!(bears(messages, mark), given, "{who}: {mark}");
    }
}

on_both_engines! {
    async fn whoever_may_read_it_piece_by_piece_is_given_the_whole(app) {
        let planted = Planted::new(&app).await;
        let it = &planted.it;
        let lead = clinical_lead(&app, &it.ngo);
        let (for_coordinator, for_lead) =
            (export(&it.ngo.coordinator, &it.client).await.unwrap(), export(&lead, &it.client).await.unwrap());
        for (who, messages, marks, given) in [
            ("coordinator", &for_coordinator, &planted.both, true),
            ("coordinator", &for_coordinator, &planted.coordinators, true),
            ("coordinator", &for_coordinator, &planted.clinical, false),
            ("lead", &for_lead, &planted.both, true),
            ("lead", &for_lead, &planted.coordinators, false),
            ("lead", &for_lead, &planted.clinical, true),
        ] {
            check_marks(who, messages, marks, given);
        }
        // What is left out is said, whether or not there is any of it.
        let withheld = begun(&for_coordinator).withheld().collect::<Vec<_>>();
        use pb::ExportPart as P;
        assert_eq!(withheld, [P::Note, P::Excuse, P::Assessment, P::Escalation]);
        assert_eq!(begun(&for_coordinator).client_reference, it.client.reference);

        // Nobody else is in it: neither who else was in the group, nor who counsels or is treated here.
        for messages in [&for_coordinator, &for_lead] {
            for other in [&it.stranger.id, &it.stranger.reference, &it.offender.id, &it.order.id, &it.entry.client_id] {
                assert!(!bears(messages, other), "{other}");
            }
        }

        // The trail has why, for which request, how much of what, and the id of everything that left.
        let by_lead = |it: &Audited| it.action.ends_with("/ExportClient") && it.role == "clinical_lead";
        let trail = app.audit().await.into_iter().find(by_lead).unwrap();
        assert_eq!(trail.outcome, "DONE");
        for detail in ["ACCESS_REQUEST", "REQUEST ACCESS-7", "NOTE 1", "SESSION "] {
            assert!(trail.details.contains(detail), "{detail}: {}", trail.details);
        }
        for id in [&it.client.id, &it.guardian.id, &it.session.id, &it.assessment.id] {
            assert!(trail.subjects.contains(id.as_str()), "{id}");
        }
        assert!(!format!("{:?}", app.audit().await).contains("planted"));
    }

    async fn an_export_that_was_cut_off_is_noticed(app) {
        let [it] = Objects::of(&app, ["A"]).await;
        let messages = export(&it.ngo.coordinator, &it.client).await.unwrap();
        let (last, before) = messages.split_last().unwrap();
        let end = ended(&messages);
        assert_eq!(end.count as usize, before.len());
        let mut hasher = Sha256::new();
        for message in before {
            let bytes = message.encode_to_vec();
            hasher.update((bytes.len() as u32).to_be_bytes());
            hasher.update(&bytes);
        }
        assert_eq!(end.sha256, hasher.finalize().to_vec());
        let counted: i32 = end.parts.iter().map(|it| it.count).sum();
        assert_eq!(counted + 1, end.count);
        assert!(matches!(last.part, Some(Part::Ended(_))));

        // It ends with the token, in the middle, and says so.
        let counselling = it.ngo.as_counsellor(&app, &it.counsellor);
        for _ in 0..16 {
            let (session_id, client_id) = (it.ended.id.clone(), it.client.id.clone());
            let note = pb::WriteSessionNoteRequest { session_id, client_id, text: "word ".repeat(1900), ..Default::default() };
            counselling.attendance().write_session_note(note).await.unwrap();
        }
        let slow = app.at_a_narrow_channel(&clinical_lead(&app, &it.ngo)).await;
        let mut stream = slow.privacy().export_client(asking(&it.client)).await.unwrap().into_inner();
        assert!(stream.message().await.unwrap().is_some());
        app.clock.advance(TimeDelta::hours(25));
        let mut read = 1;
        let status = loop {
            match stream.message().await {
                Ok(Some(message)) => assert!(!matches!(message.part, Some(Part::Ended(_))), "whole after {read}"),
                Ok(None) => panic!("it ended as if it were whole"),
                Err(status) => break status,
            }
            read += 1;
        };
        assert_eq!(status.code(), Code::Unauthenticated);
    }

    async fn of_whom_one_may_not_know_nothing_is_exported(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let (client, theirs) = (ngo.survivor().await, other.survivor().await);
        let status = export(&ngo.coordinator, &theirs).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-24T04:30:00Z")).await.unwrap();
        for actor in [ngo.as_counsellor(&app, &counsellor), app.admin(), officer(&app, "KL-TVM")] {
            assert_eq!(export(&actor, &client).await.unwrap_err().code(), Code::PermissionDenied);
        }
        let request = pb::ExportClientRequest { request_number: "a person's name".into(), ..Default::default() };
        let status = ngo.coordinator.privacy().export_client(request).await.unwrap_err();
        assert_eq!(refused(&status).items, ["client_id", "purpose", "request_number"]);
    }

    async fn an_order_is_exported_with_its_history_and_who_looked_at_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let offender = ngo.offender().await;
        let order = create_order(&ngo.coordinator, order_of(&offender)).await.unwrap();
        check(&officer(&app, "KL-TVM"), &order.reference).await.unwrap();
        let lead = clinical_lead(&app, &ngo);
        for actor in [&ngo.coordinator, &lead] {
            let messages = export(actor, &offender).await.unwrap();
            let parts: BTreeSet<_> = ended(&messages).parts.iter().map(|it| it.part()).collect();
            use pb::ExportPart as P;
            assert!(parts.is_superset(&[P::Client, P::Order, P::Lookup].into()), "{parts:?}");
            let orders = messages.iter().filter_map(|it| match &it.part {
                Some(Part::Order(order)) => Some(order),
                _ => None,
            });
            let orders: Vec<_> = orders.collect();
            assert_eq!(orders[0].order.as_ref().unwrap().id, order.id);
            assert_eq!(orders[0].events.len(), 1);
        }
    }

    async fn a_transfer_is_exported_as_each_end_may_know_of_it(app) {
        use crate::transfer::{accept, consent_to, propose};
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        consent_to(&ngo, &client).await;
        let proposed = propose(&ngo, &client, &other).await.unwrap();
        let transfer = async |actor: &Actor| {
            let messages = export(actor, &client).await.unwrap();
            let found = messages.into_iter().find_map(|it| match it.part {
                Some(Part::Transfer(transfer)) => Some(transfer),
                _ => None,
            });
            found.unwrap()
        };
        let told = transfer(&ngo.coordinator).await;
        assert_eq!((&told.id, told.receiving_organisation_code.as_str()), (&proposed.id, "B"));
        assert_eq!(told.proposed_by, "coordinator@A");
        accept(&other.coordinator, &proposed).await.unwrap();
        let told = transfer(&other.coordinator).await;
        assert_eq!((told.giving_organisation_code.as_str(), told.state()), ("A", pb::TransferState::Accepted));
        assert_eq!(told.proposed_by, "", "the people of the other organisation are theirs");
        assert_eq!(export(&ngo.coordinator, &client).await.unwrap_err().code(), Code::NotFound);
    }

    async fn of_a_group_the_own_place_alone_is_exported(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (one, two) = (ngo.survivor().await, ngo.survivor().await);
        let on = booking(&ngo, &counsellor, &one, "2026-11-24T04:30:00Z");
        let session = book(&ngo.coordinator, group_of(3, &[one.clone(), two.clone()], on)).await.unwrap();
        let messages = export(&ngo.coordinator, &one).await.unwrap();
        assert!(bears(&messages, &session.id) && bears(&messages, &one.reference));
        assert!(!bears(&messages, &two.id) && !bears(&messages, &two.reference));
    }

    async fn of_who_was_erased_what_stays_is_exported(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor_with(|it| it.name = "planted name".into()).await;
        let plan = enrol(&ngo.coordinator, enrolling(&client, &counsellor, "2026-11-20")).await.unwrap();
        submit(&ngo.as_counsellor(&app, &counsellor), well(&client, "PCL_5", "2026-11-23")).await.unwrap();
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-23T04:30:00Z")).await.unwrap();
        app.clock.advance(TimeDelta::hours(3));
        record(&ngo.coordinator, recording(&session, &client, pb::AttendanceOutcome::AttendedComplied)).await.unwrap();
        assert_eq!(history(&ngo.coordinator, &session).await.unwrap().len(), 1);
        let request = pb::CloseFollowUpRequest {
            plan_id: plan.plan.id.clone(),
            etag: crate::support::followup::plan_of(&ngo.coordinator, &client).await.unwrap().plan.etag,
            closing: pb::FollowUpClosing::Completed.into(),
            ..Default::default()
        };
        ngo.coordinator.follow_up().close_follow_up(request).await.unwrap();
        let request = pb::EraseClientRequest {
            client_id: client.id.clone(),
            etag: read(&ngo.coordinator, &client).await.etag,
            reason: pb::ErasureReason::Requested.into(),
            ..Default::default()
        };
        ngo.coordinator.clients().erase_client(request).await.unwrap();
        let messages = export(&clinical_lead(&app, &ngo), &client).await.unwrap();
        assert!(!bears(&messages, "planted name"));
        let parts: BTreeSet<_> = ended(&messages).parts.iter().map(|it| it.part()).collect();
        use pb::ExportPart as P;
        assert!(parts.is_superset(&[P::Client, P::Consent, P::Session, P::Attendance, P::Plan].into()), "{parts:?}");
        assert!(!parts.contains(&P::Assessment));
    }
}
