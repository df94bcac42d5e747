//! Emergency access: one client, one counsellor, another person's word, hours, a trace of every read, and a review.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::Db;
use chrono::TimeDelta;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, refused};

const TEN: &str = "2026-11-24T04:30:00Z";
const REASON: &str = "The own counsellor cannot be reached";

/// A counsellor without a session with the client, a client, and who may let the one in to the other.
struct Emergency {
    ngo: Ngo,
    client: pb::Client,
    counsellor: pb::Counsellor,
    stranger: Actor,
    lead: Actor,
}

impl Emergency {
    async fn begin(app: &TestApp) -> Self {
        let ngo = Ngo::new(app, "A").await;
        let (own, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        book(&ngo.coordinator, booking(&ngo, &own, &client, TEN)).await.unwrap();
        let stranger = ngo.as_counsellor(app, &other);
        let lead = app.actor(Authority::ClinicalLead { organisation_id: ngo.id.parse().unwrap() });
        Self { ngo, client, counsellor: other, stranger, lead }
    }

    async fn ask(&self) -> pb::BreakGlass {
        ask(&self.stranger, &self.client.reference).await.unwrap()
    }

    async fn read(&self) -> Result<pb::Client, Status> {
        let get = pb::GetClientRequest { client_id: self.client.id.clone() };
        Ok(self.stranger.clients().get_client(get).await?.into_inner().client.unwrap())
    }

    async fn is_shut_out(&self) {
        assert_eq!(self.read().await.unwrap_err().code(), Code::NotFound);
    }
}

async fn ask(actor: &Actor, reference: &str) -> Result<pb::BreakGlass, Status> {
    let request =
        pb::RequestBreakGlassRequest { reference: reference.into(), reason: REASON.into(), ..Default::default() };
    Ok(actor.access().request_break_glass(request).await?.into_inner().break_glass.unwrap())
}

async fn approve(actor: &Actor, it: &pb::BreakGlass) -> Result<pb::BreakGlass, Status> {
    let request = pb::ApproveBreakGlassRequest { break_glass_id: it.id.clone(), ..Default::default() };
    Ok(actor.access().approve_break_glass(request).await?.into_inner().break_glass.unwrap())
}

async fn revoke(actor: &Actor, it: &pb::BreakGlass) -> Result<pb::BreakGlass, Status> {
    let request = pb::RevokeBreakGlassRequest { break_glass_id: it.id.clone(), ..Default::default() };
    Ok(actor.access().revoke_break_glass(request).await?.into_inner().break_glass.unwrap())
}

async fn review(actor: &Actor, it: &pb::BreakGlass) -> Result<pb::BreakGlass, Status> {
    let finding = pb::Finding::Justified.into();
    let request = pb::ReviewBreakGlassRequest { break_glass_id: it.id.clone(), finding, ..Default::default() };
    Ok(actor.access().review_break_glass(request).await?.into_inner().break_glass.unwrap())
}

async fn list(actor: &Actor, unreviewed: bool) -> Vec<pb::BreakGlass> {
    let request = pb::ListBreakGlassRequest { unreviewed, ..Default::default() };
    actor.access().list_break_glass(request).await.unwrap().into_inner().break_glass
}

fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let refusal = refused(&result.unwrap_err());
    assert_eq!(refusal.code, Code::FailedPrecondition);
    refusal.reason
}

on_both_engines! {
    async fn another_person_lets_a_counsellor_in_and_every_read_is_in_the_trail(app) {
        let emergency = Emergency::begin(&app).await;
        emergency.is_shut_out().await;
        let asked = emergency.ask().await;
        assert_eq!((asked.state(), asked.client_id.as_str()), (pb::BreakGlassState::Pending, emergency.client.id.as_str()));
        emergency.is_shut_out().await;
        // The same person in another role is the same person.
        let organisation_id = emergency.ngo.id.parse().unwrap();
        let same = Authority::Coordinator { organisation_id };
        let same = app.bearer(app.token(&asked.requested_by, same, app.now(), TimeDelta::hours(24)));
        assert_eq!(reason(approve(&same, &asked).await), "SAME_PERSON");
        let opened = approve(&emergency.lead, &asked).await.unwrap();
        assert_eq!((opened.state(), opened.opened_by.as_str()), (pb::BreakGlassState::Open, "clinical_lead@test"));
        assert_eq!(emergency.read().await.unwrap(), emergency.client);
        let guardians = pb::ListGuardiansRequest { client_id: emergency.client.id.clone(), ..Default::default() };
        emergency.stranger.clients().list_guardians(guardians).await.unwrap();
        let trail = app.audit().await;
        let traced = |action: &str| {
            trail.iter().any(|it| {
                it.action.ends_with(action) && it.details.contains(&format!("BREAK_GLASS {}", asked.id))
                    && it.subjects.contains(&asked.id) && it.subjects.contains(&emergency.client.id)
            })
        };
        assert!(traced("/GetClient") && traced("/ListGuardians"));
        assert!(!format!("{trail:?}").contains(REASON));
        // It lets nobody write, and nobody else in.
        let concern = pb::ReportConcernRequest {
            client_id: emergency.client.id.clone(),
            kind: pb::ConcernKind::Threat.into(),
            text: "Example".into(),
            ..Default::default()
        };
        let written = emergency.stranger.follow_up().report_concern(concern).await.unwrap_err();
        assert_eq!(written.code(), Code::NotFound, "{written:?}");
        let counsellor_id = emergency.counsellor.id.parse().unwrap();
        let other = Authority::Counsellor { organisation_id, counsellor_id };
        let other = app.bearer(app.token("other@test", other, app.now(), TimeDelta::hours(1)));
        let get = pb::GetClientRequest { client_id: emergency.client.id.clone() };
        assert_eq!(other.clients().get_client(get).await.unwrap_err().code(), Code::NotFound);
        // An hour is over to the second.
        app.clock.advance(TimeDelta::minutes(60) - TimeDelta::seconds(1));
        emergency.read().await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
        emergency.is_shut_out().await;
    }

    async fn it_waits_for_its_review_by_another_person(app) {
        let emergency = Emergency::begin(&app).await;
        let asked = emergency.ask().await;
        assert!(list(&emergency.lead, true).await.is_empty());
        approve(&emergency.lead, &asked).await.unwrap();
        assert_eq!(reason(review(&emergency.lead, &asked).await), "NOT_TO_REVIEW");
        app.clock.advance(TimeDelta::hours(2));
        let waiting = list(&emergency.ngo.coordinator, true).await;
        assert_eq!((waiting.len(), waiting[0].state(), waiting[0].reason.as_str()), (1, pb::BreakGlassState::Ended, REASON));
        let auditor = app.actor(Authority::Auditor);
        for without in [&emergency.stranger, &auditor] {
            let seen = list(without, false).await;
            assert_eq!((seen.len(), seen[0].id.as_str(), seen[0].reason.as_str()), (1, asked.id.as_str(), ""));
        }
        let reviewed = review(&emergency.lead, &asked).await.unwrap();
        assert_eq!(reviewed.finding(), pb::Finding::Justified);
        assert_eq!(reason(review(&emergency.ngo.coordinator, &asked).await), "NOT_TO_REVIEW");
        assert!(list(&emergency.lead, true).await.is_empty());
        let other = Ngo::new(&app, "B").await;
        assert!(list(&other.coordinator, false).await.is_empty());
        assert_eq!(revoke(&other.coordinator, &asked).await.unwrap_err().code(), Code::NotFound);
    }

    async fn it_crosses_neither_sides_nor_organisations(app) {
        let emergency = Emergency::begin(&app).await;
        let offenders = emergency.ngo.counsellor("O1", pb::Side::Offender).await;
        let across = emergency.ngo.as_counsellor(&app, &offenders);
        let other = Ngo::new(&app, "B").await;
        let theirs = other.counsellor("C1", pb::Side::Survivor).await;
        let elsewhere = other.as_counsellor(&app, &theirs);
        let never = ask(&across, "AAAA-AAAA").await.unwrap_err();
        for actor in [across, elsewhere] {
            let refusal = ask(&actor, &emergency.client.reference).await.unwrap_err();
            assert_eq!(refusal.code(), Code::NotFound);
            if never.code() == Code::NotFound {
                assert_eq!((refusal.message(), refusal.details()), (never.message(), never.details()));
            }
        }
    }

    async fn it_is_refused_given_up_and_ended(app) {
        let emergency = Emergency::begin(&app).await;
        let late = emergency.ask().await;
        app.clock.advance(TimeDelta::hours(1));
        assert_eq!(reason(approve(&emergency.lead, &late).await), "NOT_PENDING");
        assert_eq!(reason(revoke(&emergency.lead, &late).await), "ALREADY_OVER");
        let refused = emergency.ask().await;
        assert_eq!(revoke(&emergency.lead, &refused).await.unwrap().state(), pb::BreakGlassState::Declined);
        assert_eq!(reason(approve(&emergency.lead, &refused).await), "NOT_PENDING");
        let ended = emergency.ask().await;
        approve(&emergency.lead, &ended).await.unwrap();
        emergency.read().await.unwrap();
        let over = revoke(&emergency.stranger, &ended).await.unwrap();
        assert_eq!(over.state(), pb::BreakGlassState::Ended);
        emergency.is_shut_out().await;
        // Whoever of two comes first, nobody is let in afterwards.
        let raced = emergency.ask().await;
        let (opened, ended) = tokio::join!(approve(&emergency.lead, &raced), revoke(&emergency.ngo.coordinator, &raced));
        assert!(ended.is_ok(), "{opened:?} {ended:?}");
        emergency.is_shut_out().await;
    }

    async fn the_schema_has_two_people_for_each(app) {
        let emergency = Emergency::begin(&app).await;
        let asked = emergency.ask().await;
        let db = Db::open(&app.db.target, 1).await.unwrap();
        for text in [
            "UPDATE break_glass SET opened_at = requested_at, opened_until = requested_at, opened_by = 'x'",
            "UPDATE break_glass SET minutes = 241",
            "UPDATE break_glass SET requested_by = 'x'",
            "UPDATE break_glass SET revoked_at = requested_at",
            "DELETE FROM break_glass",
        ] {
            let mut tx = db.begin_write().await.unwrap();
            assert!(tx.sql(text).run().await.is_err(), "{text}");
        }
        approve(&emergency.lead, &asked).await.unwrap();
    }
}
