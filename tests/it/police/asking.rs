//! Why police ask, how often they may, and where it is kept that they did.

use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::Code;
use tonic_types::StatusExt;

use super::{ELSEWHERE, HERE, batch, listed, named, of_nobody};
use crate::on_both_engines;
use crate::support::refused;
use crate::support::treatment::{Treated, check, lookup, officer};

on_both_engines! {
    async fn sixty_times_a_minute_and_no_more(app) {
        let it = Treated::new(&app).await;
        let (hasty, patient) = (named(&app, "hasty@test"), named(&app, "patient@test"));
        for number in 0..30 {
            // What is not found counts as well: nobody tries references out.
            assert_eq!(check(&hasty, &of_nobody(number)).await.unwrap_err().code(), Code::NotFound);
        }
        app.clock.advance(TimeDelta::seconds(20));
        for _ in 0..28 {
            check(&hasty, &it.reference).await.unwrap();
        }
        batch(&hasty, vec![it.reference.clone(), of_nobody(1)]).await.unwrap();
        listed(&hasty, pb::ComplianceStatus::Unspecified).await;
        for _ in 0..2 {
            let status = check(&hasty, &it.reference).await.unwrap_err();
            let refusal = refused(&status);
            assert_eq!((refusal.code, refusal.reason.as_str()), (Code::ResourceExhausted, "LOOKUP_RATE"));
            let retry_for = status.get_error_details().retry_info().unwrap().retry_delay.unwrap();
            assert_eq!(retry_for.as_secs(), 40, "a minute after the first");
        }
        // Whoever is refused is told nothing, and the same whatever was asked.
        let known = check(&hasty, &it.reference).await.unwrap_err();
        let unknown = check(&hasty, &of_nobody(99)).await.unwrap_err();
        assert_eq!((known.message(), known.details()), (unknown.message(), unknown.details()));
        // It is this person's haste.
        check(&patient, &it.reference).await.unwrap();
        app.clock.advance(TimeDelta::seconds(40) - TimeDelta::milliseconds(1));
        assert_eq!(check(&hasty, &it.reference).await.unwrap_err().code(), Code::ResourceExhausted);
        app.clock.advance(TimeDelta::milliseconds(1));
        check(&hasty, &it.reference).await.unwrap();
        let kept = it.lookups().await;
        assert_eq!(kept.len(), 28 + 1 + 1 + 1 + 1, "what was refused was no look-up");
    }

    async fn every_bad_field_is_named(app) {
        let it = Treated::new(&app).await;
        let mut compliance = officer(&app, HERE).compliance();
        let nothing = compliance.check_compliance(pb::CheckComplianceRequest::default()).await.unwrap_err();
        assert_eq!(nothing.code(), Code::InvalidArgument);
        assert_eq!(refused(&nothing).items, ["lookup.purpose", "lookup.crime_number", "reference"]);
        let reason = |crime_number: &str| pb::LookupReason { crime_number: crime_number.into(), ..lookup().unwrap() };
        let request = pb::CheckComplianceRequest { lookup: Some(reason("of 2026")), reference: it.reference.clone() };
        let unreadable = compliance.check_compliance(request).await.unwrap_err();
        assert_eq!(refused(&unreadable).items, ["lookup.crime_number"]);
        let none = pb::BatchCheckComplianceRequest { lookup: None, references: Vec::new() };
        let none = compliance.batch_check_compliance(none).await.unwrap_err();
        assert_eq!(refused(&none).items, ["lookup.purpose", "lookup.crime_number", "references"]);
        let list = pb::ListComplianceInJurisdictionRequest { status: 99, page_size: -1, ..Default::default() };
        let list = compliance.list_compliance_in_jurisdiction(list).await.unwrap_err();
        assert_eq!(refused(&list).items, ["lookup.purpose", "lookup.crime_number", "status", "page_size"]);
        assert!(it.lookups().await.is_empty(), "nothing was told");
    }

    async fn a_batch_is_of_two_hundred_different_orders_at_most(app) {
        let it = Treated::new(&app).await;
        let actor = officer(&app, HERE);
        let mut references: Vec<String> = (0..200).map(of_nobody).collect();
        references[150] = it.reference.clone();
        let results = batch(&actor, references.clone()).await.unwrap();
        let asked: Vec<&String> = results.iter().map(|it| &it.reference).collect();
        assert_eq!(asked, references.iter().collect::<Vec<_>>());
        let known: Vec<usize> = (0..200).filter(|at| results[*at].compliance.is_some()).collect();
        assert_eq!(known, [150]);
        assert_eq!(results[150].compliance, Some(check(&actor, &it.reference).await.unwrap()));

        references.push(of_nobody(200));
        assert_eq!(refused(&batch(&actor, references).await.unwrap_err()).items, ["references"]);
        // The same reference is the same however it is written.
        let twice = vec![it.reference.clone(), of_nobody(1), it.reference.to_lowercase().replace('-', " ")];
        let status = batch(&actor, twice).await.unwrap_err();
        assert_eq!((status.code(), refused(&status).items), (Code::InvalidArgument, vec!["references[2]".to_owned()]));
    }

    async fn the_provider_sees_every_lookup(app) {
        let it = Treated::new(&app).await;
        let actor = named(&app, "inspector@test");
        check(&actor, &it.reference).await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
        batch(&actor, vec![of_nobody(1), it.reference.clone()]).await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
        listed(&actor, pb::ComplianceStatus::Unspecified).await;
        check(&actor, &of_nobody(1)).await.unwrap_err();
        check(&officer(&app, ELSEWHERE), &it.reference).await.unwrap_err();
        let seen: Vec<_> = it.lookups().await.into_iter().map(|it| {
            assert_eq!((it.purpose(), it.status()), (pb::LookupPurpose::Supervision, pb::ComplianceStatus::NotStarted));
            assert_eq!((it.credited_sessions, it.corrected_at), (0, None));
            (it.principal, app.now().timestamp() - it.looked_at.unwrap().seconds)
        }).collect();
        assert_eq!(seen, [0, 1, 2].map(|ago| ("inspector@test".to_owned(), ago)), "the latest first");
    }

    async fn every_question_is_audited_with_its_reason(app) {
        let it = Treated::new(&app).await;
        let actor = named(&app, "inspector@test");
        check(&actor, &it.reference).await.unwrap();
        check(&actor, &of_nobody(1)).await.unwrap_err();
        batch(&actor, vec![it.reference.clone()]).await.unwrap();
        listed(&actor, pb::ComplianceStatus::Unspecified).await;
        let trail: Vec<_> = app.audit().await.into_iter().filter(|it| it.role == "police").collect();
        assert_eq!(trail.len(), 4, "{trail:?}");
        for event in &trail {
            assert!(event.details.contains("SUPERVISION 101/2025"), "{event:?}");
            let answered = !event.details.contains("NOT_FOUND");
            assert_eq!(event.subjects.contains(&it.order_id), answered, "{event:?}");
        }
        assert_eq!(trail.iter().filter(|it| it.details.contains("NOT_FOUND")).count(), 1);
    }
}
