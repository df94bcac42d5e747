//! What police are told, until when it can be relied on, and what they are not told.

use aftercare::grpc::pb;
use pb::ComplianceStatus as Shown;
use tonic::{Code, Status};

use super::{ELSEWHERE, HERE, amend, batch, is_there, listed, of_nobody};
use crate::on_both_engines;
use crate::support::treatment::{Treated, attended, check, create_order, no_show, officer, order_of};
use crate::support::{at, date};

on_both_engines! {
    async fn what_is_none_of_their_business_is_all_alike(app) {
        let it = Treated::new(&app).await;
        let order = async |change: fn(&mut pb::TreatmentOrder)| {
            let mut order = order_of(&it.ngo.offender().await);
            change(&mut order);
            create_order(&it.ngo.coordinator, order).await.unwrap().reference
        };
        let references = [
            of_nobody(1),
            order(|it| it.jurisdiction = ELSEWHERE.into()).await,
            order(|it| it.mandate = pb::MandateBasis::Voluntary.into()).await,
            it.client.reference.clone(),
            it.ngo.client_with(pb::Side::Survivor, |_| {}).await.reference,
        ];
        let actor = officer(&app, HERE);
        let mut answers = Vec::new();
        for reference in &references {
            let status = check(&actor, reference).await.unwrap_err();
            let headers = headers(&status);
            answers.push((status.code(), status.message().to_owned(), status.details().to_vec(), headers));
        }
        assert_eq!(answers[0].0, Code::NotFound);
        assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
        let batched = batch(&actor, references.to_vec()).await.unwrap();
        assert!(batched.iter().all(|it| it.compliance.is_none()), "{batched:?}");
        assert_eq!(listed(&actor, Shown::Unspecified).await, std::slice::from_ref(&it.reference));
        // Nor does the trail say which of them there is.
        let trail = app.audit().await.into_iter().filter(|it| it.details.contains("NOT_FOUND"));
        let (trail, batches): (Vec<_>, Vec<_>) = trail.partition(|it| it.action.ends_with("/CheckCompliance"));
        assert!(batches.len() == 1 && references.iter().all(|it| batches[0].details.contains(it.as_str())));
        let without = |details: String| references.iter().fold(details, |text, it| text.replace(it.as_str(), ""));
        let trail: Vec<_> = trail.into_iter().map(|it| (it.action, it.outcome, without(it.details), it.subjects)).collect();
        assert_eq!(trail.len(), references.len());
        assert!(trail.iter().all(|it| *it == trail[0]), "{trail:?}");
    }

    async fn an_answer_is_good_until_the_order_s_day_ends(app) {
        let it = Treated::new(&app).await;
        let east = pb::TreatmentOrder { zone: "Asia/Kathmandu".into(), ..order_of(&it.ngo.offender().await) };
        let east = create_order(&it.ngo.coordinator, east).await.unwrap().reference;
        let answer = async |now: &str, reference: &str| {
            app.clock.set(now.parse().unwrap());
            let seen = check(&officer(&app, HERE), reference).await.unwrap();
            assert_eq!(seen.answered_at, at(now));
            (seen.as_of.unwrap(), seen.expires_at)
        };
        let (fifth, sixth) = (date("2026-01-05"), date("2026-01-06"));
        let midnight = at("2026-01-05T18:30:00Z");
        assert_eq!(answer("2026-01-05T18:00:00Z", &it.reference).await, (fifth, midnight));
        assert_eq!(answer("2026-01-05T18:14:59Z", &east).await, (fifth, at("2026-01-05T18:15:00Z")));
        assert_eq!(answer("2026-01-05T18:15:00Z", &east).await, (sixth, at("2026-01-06T18:15:00Z")));
        assert_eq!(answer("2026-01-05T18:29:59Z", &it.reference).await, (fifth, midnight));
        assert_eq!(answer("2026-01-05T18:30:00Z", &it.reference).await, (sixth, at("2026-01-06T18:30:00Z")));
    }

    async fn what_is_not_recorded_is_counted_and_never_guessed(app) {
        let mut it = Treated::new(&app).await;
        for day in ["2026-01-05", "2026-01-12", "2026-01-19"] {
            it.session(&app, day).await;
        }
        let seen = async |it: &Treated| {
            let seen = it.seen(&app).await;
            (seen.status(), seen.credited_sessions, seen.unrecorded_sessions)
        };
        assert_eq!(seen(&it).await, (Shown::NotStarted, 0, 0));
        it.go_to(&app, "2026-01-12");
        assert_eq!(seen(&it).await, (Shown::NotStarted, 0, 2));
        it.record("2026-01-05", attended()).await.unwrap();
        assert_eq!(seen(&it).await, (Shown::Compliant, 1, 1));
        // Months later nobody has said what became of them.
        it.go_to(&app, "2026-04-20");
        assert_eq!(seen(&it).await, (Shown::Compliant, 1, 2));
        // A session that counts towards nothing is nothing to them.
        let apart = crate::support::booking(&it.ngo, &it.counsellor, &it.client, "2026-04-21T04:30:00Z");
        crate::support::book(&it.ngo.coordinator, apart).await.unwrap();
        it.go_to(&app, "2026-04-22");
        assert_eq!(seen(&it).await, (Shown::Compliant, 1, 2));
    }

    async fn a_gap_is_the_provider_s_to_know(app) {
        let mut it = Treated::new(&app).await;
        it.session(&app, "2026-01-05").await;
        it.go_to(&app, "2026-01-05");
        it.record("2026-01-05", attended()).await.unwrap();
        let before = it.seen(&app).await;
        it.go_to(&app, "2026-03-02");
        assert_eq!(it.standing().await.status(), pb::OrderStatus::AtRisk);
        let seen = it.seen(&app).await;
        let told = |seen: &pb::ComplianceView| (seen.status(), seen.last_change_on);
        assert_eq!(told(&seen), told(&before), "not even that something changed");
        let actor = officer(&app, HERE);
        assert_eq!(listed(&actor, Shown::Compliant).await, std::slice::from_ref(&it.reference));
        assert!(listed(&actor, Shown::AtRisk).await.is_empty());
    }

    async fn under_review_has_no_dates(app) {
        let mut it = Treated::new(&app).await;
        it.session(&app, "2026-01-12").await;
        it.go_to(&app, "2026-01-12");
        it.record("2026-01-12", no_show()).await.unwrap();
        it.go_to(&app, "2026-01-13");
        it.decide("2026-01-12", false, true).await.unwrap();
        let actor = officer(&app, HERE);
        let seen = it.seen(&app).await;
        assert_eq!((seen.status(), seen.breach_on, seen.enforcement_due_on), (Shown::UnderReview, None, None));
        assert_eq!(listed(&actor, Shown::UnderReview).await, std::slice::from_ref(&it.reference));
        assert!(listed(&actor, Shown::Breached).await.is_empty());
        it.confirm().await.unwrap();
        let seen = it.seen(&app).await;
        let dates = (seen.breach_on, seen.enforcement_due_on);
        assert_eq!((seen.status(), dates), (Shown::Breached, (Some(date("2026-01-13")), Some(date("2026-01-28")))));
        assert!(listed(&actor, Shown::UnderReview).await.is_empty());
    }

    async fn an_order_that_is_not_theirs_any_more_is_gone_at_once(app) {
        let mut it = Treated::new(&app).await;
        it.go_to(&app, "2026-01-06");
        assert_eq!([is_there(&app, &it, HERE).await, is_there(&app, &it, ELSEWHERE).await], [true, false]);
        amend(&it, |order| order.jurisdiction = ELSEWHERE.into()).await;
        assert_eq!([is_there(&app, &it, HERE).await, is_there(&app, &it, ELSEWHERE).await], [false, true]);
        amend(&it, |order| order.mandate = pb::MandateBasis::Voluntary.into()).await;
        assert_eq!([is_there(&app, &it, HERE).await, is_there(&app, &it, ELSEWHERE).await], [false, false]);
        assert_eq!(it.order().await.jurisdiction, ELSEWHERE);
        amend(&it, |order| {
            order.mandate = pb::MandateBasis::CourtOrder.into();
            order.jurisdiction = HERE.into();
        }).await;
        assert_eq!([is_there(&app, &it, HERE).await, is_there(&app, &it, ELSEWHERE).await], [true, false]);
    }
}

/// Headers of an answer but for the machine's date.
fn headers(status: &Status) -> Vec<String> {
    let all = status.metadata().clone().into_headers();
    all.iter().filter(|(name, _)| *name != "date").map(|it| format!("{it:?}")).collect()
}
