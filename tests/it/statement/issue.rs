//! Statements as police get them: a look-up like any other, whose answer is signed.

use aftercare::domain::access::{Authority, Role};
use aftercare::domain::compliance::Shown;
use aftercare::domain::statement::{Claims, KeySet, verify};
use aftercare::grpc::pb;
use aftercare::store::{Db, Target};
use chrono::{NaiveDate, TimeDelta};
use futures_util::future::join_all;
use serde_json::json;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{in_python, published};
use crate::on_both_engines;
use crate::support::treatment::{Treated, attended, check, create_order, lookup, no_show, officer, order_of};
use crate::support::{Actor, Ngo, TestApp, date, refused};

const DISTRICT: &str = "KL-TVM";

/// An order of a new client, from the first day of the tests on.
async fn order(ngo: &Ngo, adjust: impl FnOnce(&mut pb::TreatmentOrder)) -> pb::TreatmentOrder {
    let mut order = pb::TreatmentOrder { starts_on: Some(date("2026-11-23")), ..order_of(&ngo.offender().await) };
    adjust(&mut order);
    create_order(&ngo.coordinator, order).await.unwrap()
}

fn asking(reference: &str) -> pb::IssueComplianceStatementRequest {
    pb::IssueComplianceStatementRequest { lookup: lookup(), reference: reference.into(), ..Default::default() }
}

type Issued = pb::IssueComplianceStatementResponse;

async fn issue(officer: &Actor, request: pb::IssueComplianceStatementRequest) -> Result<Issued, Status> {
    officer.compliance().issue_compliance_statement(request).await.map(tonic::Response::into_inner)
}

/// What a new statement about an order claims, checked as anybody would.
async fn stated(app: &TestApp, reference: &str) -> Claims {
    let issued = issue(&officer(app, DISTRICT), asking(reference)).await.unwrap();
    verify(&issued.statement, &published(app.address).await).unwrap().claims
}

/// Warns, and answers the order as it then is.
async fn warn(ngo: &Ngo, order: &pb::TreatmentOrder) -> pb::TreatmentOrder {
    let request =
        pb::IssueWarningRequest { order_id: order.id.clone(), etag: order.etag.clone(), ..Default::default() };
    ngo.coordinator.compliance().issue_warning(request).await.unwrap().into_inner().order.unwrap()
}

async fn lookups(ngo: &Ngo, order: &pb::TreatmentOrder) -> usize {
    let request = pb::ListLookupsRequest { order_id: order.id.clone(), ..Default::default() };
    ngo.coordinator.compliance().list_lookups(request).await.unwrap().into_inner().lookups.len()
}

on_both_engines! {
    async fn a_statement_says_what_the_look_up_says_and_python_believes_it(app) {
        let ngo = Ngo::new(&app, "TREATING").await;
        let order = order(&ngo, |_| {}).await;
        let police = officer(&app, DISTRICT);
        let view = check(&police, &order.reference).await.unwrap();
        let issued = issue(&police, asking(&order.reference)).await.unwrap();
        assert_eq!((issued.number, view.status), (1, pb::ComplianceStatus::NotStarted.into()));

        let answer = in_python(app.address, issued.statement.clone()).await;
        assert_eq!(answer["header"]["kid"], issued.kid);
        assert_eq!((&answer["accepted"], &answer["forged_accepted"]), (&json!([]), &json!([])));
        let head = answer["claims"]["chain"]["head"].as_str().unwrap();
        assert!(head.len() == 64 && head.bytes().all(|it| it.is_ascii_hexdigit()) && head != "0".repeat(64), "{head}");
        let expected = json!({
            "iss": "aftercare-compliance",
            "iat": app.now().timestamp(),
            // To the end of the order's day: midnight in Asia/Kolkata.
            "exp": "2026-11-23T18:30:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp(),
            "sub": view.reference,
            "statement": 1,
            "compliance": {
                "status": "NOT_STARTED",
                "as_of": "2026-11-23",
                "credits": view.credited_sessions,
                "required": view.required_sessions,
                "changed_on": "2026-11-23",
                "unrecorded_sessions": view.unrecorded_sessions,
                "corrected": view.corrected,
            },
            "policy": { "code": "STANDARD", "version": 1 },
            "chain": { "head": head },
            "corrections": [],
        });
        assert_eq!(answer["claims"], expected);
        assert_eq!(lookups(&ngo, &order).await, 2, "its provider sees both");
        let audit = app.audit().await;
        let event = audit.iter().find(|it| it.action.ends_with("/IssueComplianceStatement")).unwrap();
        assert_eq!((event.role.as_str(), event.outcome.as_str()), ("police", "DONE"));
        assert_eq!(event.details.replace(", ", ","), r#"["SUPERVISION 101/2025","STATEMENT 1"]"#);
        assert!(event.subjects.contains(&order.id), "{}", event.subjects);
    }

    async fn a_request_id_has_one_statement_and_each_asking_is_a_look_up(app) {
        let ngo = Ngo::new(&app, "TREATING").await;
        let order = order(&ngo, |_| {}).await;
        let police = officer(&app, DISTRICT);
        let under = pb::IssueComplianceStatementRequest { request_id: Uuid::max().to_string(), ..asking(&order.reference) };
        let first = issue(&police, under.clone()).await.unwrap();
        app.clock.advance(TimeDelta::minutes(5));
        assert_eq!(issue(&police, under.clone()).await.unwrap(), first);
        assert_eq!(lookups(&ngo, &order).await, 2);
        assert_eq!(issue(&police, asking(&order.reference)).await.unwrap().number, 2);
        // Who asks for another district by now is answered as if there were nothing.
        let moved = issue(&officer(&app, "KL-EKM"), under).await.unwrap_err();
        assert_eq!(refused(&moved).code, Code::NotFound);
    }

    async fn statements_are_numbered_without_gaps_whoever_races(app) {
        let ngo = Ngo::new(&app, "TREATING").await;
        let (one, other) = (order(&ngo, |_| {}).await, order(&ngo, |_| {}).await);
        let there = app.elsewhere().await;
        let here = officer(&app, DISTRICT);
        let there = there.bearer(here.token.clone());
        let ask = |at: usize| {
            let (officer, order) = (if at.is_multiple_of(2) { &here } else { &there }, if at < 8 { &one } else { &other });
            issue(officer, asking(&order.reference))
        };
        let all: Vec<Issued> = join_all((0..16).map(ask)).await.into_iter().map(Result::unwrap).collect();
        for about in [&all[..8], &all[8..]] {
            let mut numbers: Vec<i64> = about.iter().map(|it| it.number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
        }
        let kids: std::collections::BTreeSet<&str> = all.iter().map(|it| it.kid.as_str()).collect();
        assert_eq!(kids.len(), 2, "each process signed with its own key");
        let set = published(app.address).await;
        assert!(all.iter().all(|it| verify(&it.statement, &set).is_ok()));
    }

    async fn the_chain_and_the_corrections_are_those_of_the_order_alone(app) {
        let ngo = Ngo::new(&app, "TREATING").await;
        let (one, other) = (order(&ngo, |_| {}).await, order(&ngo, |_| {}).await);
        let before = stated(&app, &one.reference).await;
        warn(&ngo, &other).await;
        ngo.survivor().await;
        let same = stated(&app, &one.reference).await;
        assert_eq!((&same.chain, &same.corrections), (&before.chain, &before.corrections));

        let warned = warn(&ngo, &one).await;
        let grown = stated(&app, &one.reference).await;
        assert_eq!(grown.statement, 3);
        assert_ne!(grown.chain.head, before.chain.head);
        app.clock.advance(TimeDelta::hours(15));
        let withdraw = pb::WithdrawEventRequest {
            order_id: one.id.clone(),
            etag: warned.etag,
            number: 2,
            reason: "meant for another order".into(),
            ..Default::default()
        };
        ngo.coordinator.compliance().withdraw_event(withdraw).await.unwrap();
        let corrected = stated(&app, &one.reference).await;
        // In the order's zone it is the next day, in UTC it is not.
        assert_eq!(corrected.compliance.as_of, "2026-11-24".parse::<NaiveDate>().unwrap());
        assert_ne!(corrected.chain.head, grown.chain.head);
        let nothing = (corrected.compliance.corrected, &corrected.corrections[..]);
        assert_eq!(nothing, (false, &[][..]), "no answer was changed by it");
    }

    async fn a_breach_and_what_took_it_back_are_stated_as_they_are_shown(app) {
        let mut it = Treated::new(&app).await;
        for day in ["2026-01-05", "2026-01-12"] {
            it.session(&app, day).await;
        }
        it.go_to(&app, "2026-01-13");
        it.record("2026-01-05", attended()).await.unwrap();
        it.record("2026-01-12", no_show()).await.unwrap();
        it.decide("2026-01-12", false, true).await.unwrap();
        let reviewed = stated(&app, &it.reference).await.compliance;
        assert_eq!((reviewed.status, reviewed.breach_on), (Shown::UnderReview, None));
        it.confirm().await.unwrap();
        let breached = stated(&app, &it.reference).await;
        let days = (breached.compliance.breach_on, breached.compliance.enforcement_due_on);
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!((breached.compliance.status, days.0), (Shown::Breached, Some(day("2026-01-13"))));
        // Ten working days, Republic Day left out.
        assert_eq!((days.1, breached.compliance.credits), (Some(day("2026-01-28")), 1));

        it.go_to(&app, "2026-01-15");
        it.amend("2026-01-12", attended()).await.unwrap();
        let seen = it.seen(&app).await;
        let stated = stated(&app, &it.reference).await;
        assert_eq!((stated.compliance.status, stated.compliance.corrected), (Shown::Compliant, true));
        assert_eq!((seen.status(), seen.corrected), (pb::ComplianceStatus::Compliant, true));
        assert_eq!((stated.corrections, stated.statement), (vec![day("2026-01-15")], 3));
    }

    async fn what_police_may_not_look_up_is_not_stated_either(app) {
        let ngo = Ngo::new(&app, "TREATING").await;
        let voluntary = order(&ngo, |it| it.mandate = pb::MandateBasis::Voluntary.into()).await;
        let elsewhere = order(&ngo, |it| it.jurisdiction = "KL-EKM".into()).await;
        let client = ngo.offender().await;
        let police = officer(&app, DISTRICT);
        for reference in [&voluntary.reference, &elsewhere.reference, &client.reference, "8888-8888-X"] {
            let status = issue(&police, asking(reference)).await.unwrap_err();
            assert_eq!((status.code(), refused(&status).reason.as_str()), (Code::NotFound, "NOT_FOUND"));
        }
        let audit = app.audit().await;
        let asked = audit.iter().filter(|it| it.action.ends_with("/IssueComplianceStatement"));
        assert_eq!(asked.filter(|it| it.details.contains("NOT_FOUND")).count(), 4, "that they asked is kept");

        let wrong = issue(&police, pb::IssueComplianceStatementRequest { request_id: "x".into(), ..Default::default() });
        let wrong = refused(&wrong.await.unwrap_err());
        assert_eq!(wrong.code, Code::InvalidArgument);
        assert_eq!(wrong.items, ["request_id", "lookup.purpose", "lookup.crime_number", "reference"]);
        // Four look-ups so far: a wrong request is none. Statements count as every look-up does.
        for _ in 4..60 {
            assert_eq!(issue(&police, asking("8888-8888-X")).await.unwrap_err().code(), Code::NotFound);
        }
        let status = issue(&police, asking(&elsewhere.reference)).await.unwrap_err();
        assert_eq!(refused(&status).reason, "LOOKUP_RATE");
    }

    async fn every_role_gets_the_keys_that_everybody_gets(app) {
        let set = published(app.address).await;
        let ngo = Ngo::new(&app, "TREATING").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Offender).await;
        let organisation_id = ngo.id.parse().unwrap();
        let roles = [
            app.admin(),
            ngo.coordinator.clone(),
            ngo.as_counsellor(&app, &counsellor),
            app.actor(Authority::ClinicalLead { organisation_id }),
            officer(&app, DISTRICT),
            app.actor(Authority::Auditor),
        ];
        assert_eq!(roles.len(), Role::ALL.len());
        for role in roles {
            let answer = role.compliance().list_statement_keys(pb::ListStatementKeysRequest {}).await.unwrap();
            let answer = answer.into_inner();
            assert_eq!(KeySet::parse(answer.key_set.as_bytes()).unwrap(), set);
            let [key] = &answer.keys[..] else { panic!("{:?}", answer.keys) };
            let known = set.find(&key.kid.parse().unwrap()).unwrap();
            assert_eq!((known.to_bytes().to_vec(), &key.retired_at), (key.public_key.clone(), &None));
        }
    }

    async fn a_statement_stays_as_it_was_handed_out(app) {
        let ngo = Ngo::new(&app, "TREATING").await;
        let order = order(&ngo, |_| {}).await;
        stated(&app, &order.reference).await;
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut changes = vec!["UPDATE statement SET token = ''", "DELETE FROM statement"];
        if matches!(app.db.target, Target::Postgres(_)) {
            changes.push("TRUNCATE statement");
        }
        for change in changes {
            let error = db.begin_write().await.unwrap().sql(change).run().await.unwrap_err();
            assert!(format!("{error:?}").contains("aftercare:append_only"), "{change}: {error:?}");
        }
    }
}
