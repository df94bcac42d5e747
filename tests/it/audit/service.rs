//! AuditService, for the auditor.

use std::collections::BTreeSet;

use aftercare::domain::access::Authority;
use aftercare::domain::audit::head::Exported;
use aftercare::domain::statement::KeySet;
use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::Status;

use super::tamper::Tampering;
use super::{acts, head, own_key, seal};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, refused};

const BOOK: &str = "aftercare.v1.SchedulingService/BookSession";

fn auditor(app: &TestApp) -> Actor {
    app.actor(Authority::Auditor)
}

async fn page(actor: &Actor, request: pb::ListAuditEventsRequest) -> Result<(Vec<pb::AuditEvent>, String), Status> {
    let page = actor.audit().list_audit_events(request).await?.into_inner();
    Ok((page.events, page.next_page_token))
}

/// Every page, two events each.
async fn all(actor: &Actor, mut request: pb::ListAuditEventsRequest) -> Vec<pb::AuditEvent> {
    let mut all = Vec::new();
    request.page_size = 2;
    loop {
        let (events, token) = page(actor, request.clone()).await.unwrap();
        assert!(events.len() <= 2);
        all.extend(events);
        if token.is_empty() {
            return all;
        }
        request.page_token = token;
    }
}

fn timestamp(at: chrono::DateTime<chrono::Utc>) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos() as i32 })
}

on_both_engines! {
    async fn events_are_found_by_what_the_auditor_asks(app) {
        let begun = app.now();
        app.clock.advance(TimeDelta::minutes(1));
        let (ngo, session) = acts(&app).await;
        app.clock.advance(TimeDelta::minutes(1));
        let me = auditor(&app);
        let until = timestamp(app.now());
        let asked = |request: pb::ListAuditEventsRequest| {
            let (me, until) = (me.clone(), until);
            // What the auditor reads meanwhile is itself in the trail.
            async move { all(&me, pb::ListAuditEventsRequest { until, ..request }).await }
        };
        let everything = asked(pb::ListAuditEventsRequest { oldest_first: true, ..Default::default() }).await;
        let positions: BTreeSet<i64> = everything.iter().map(|it| it.position).collect();
        assert_eq!(positions, (1..=everything.len() as i64).collect());
        assert!(everything.iter().all(|it| it.hash.len() == 64 && it.outcome != 0 && !it.role.is_empty()));
        assert!(everything.is_sorted_by_key(|it| it.occurred_at.map(|at| (at.seconds, at.nanos))));
        let mut newest = asked(pb::ListAuditEventsRequest::default()).await;
        newest.reverse();
        assert_eq!(newest, everything);

        let fits = |check: &dyn Fn(&pb::AuditEvent) -> bool| {
            let mut ids: Vec<_> = everything.iter().filter(|it| check(it)).map(|it| it.id.clone()).collect();
            ids.sort();
            ids
        };
        type Filter = pb::ListAuditEventsRequest;
        type Fits = Box<dyn Fn(&pb::AuditEvent) -> bool>;
        let denied = pb::AuditOutcome::Denied as i32;
        let request_id = everything.iter().map(|it| it.request_id.clone()).find(|it| !it.is_empty());
        let coordinator = everything.iter().find(|it| it.role == "coordinator").unwrap().principal.clone();
        let cases: Vec<(Filter, Fits)> = vec![
            (Filter { action: BOOK.into(), ..Default::default() }, Box::new(|it| it.action == BOOK)),
            (Filter { role: "coordinator".into(), ..Default::default() }, Box::new(|it| it.role == "coordinator")),
            (Filter { principal: coordinator.clone(), ..Default::default() }, Box::new(move |it| it.principal == coordinator)),
            (Filter { outcome: denied, ..Default::default() }, Box::new(move |it| it.outcome == denied)),
            (Filter { outcome: 1, ..Default::default() }, Box::new(|it| it.outcome == 1)),
            (Filter { outcome: 2, action: BOOK.into(), ..Default::default() }, Box::new(|it| it.outcome == 2 && it.action == BOOK)),
            (Filter { outcome: 2, role: "admin".into(), action: BOOK.into(), ..Default::default() }, Box::new(|_| false)),
            (Filter { organisation_id: ngo.id.clone(), ..Default::default() }, { let id = ngo.id.clone(); Box::new(move |it| it.organisation_id == id) }),
            (Filter { subject_id: session.id.clone(), ..Default::default() }, { let id = session.id.clone(); Box::new(move |it| it.subject_ids.contains(&id)) }),
            (Filter { subject_id: session.id.clone(), role: "admin".into(), ..Default::default() }, Box::new(|_| false)),
            (Filter { from: timestamp(begun + TimeDelta::seconds(1)), ..Default::default() }, Box::new(move |it| it.occurred_at.unwrap().seconds > begun.timestamp())),
            (Filter { from: until, ..Default::default() }, Box::new(|_| false)),
            (Filter { request_id: request_id.clone().unwrap_or_else(|| session.id.clone()), ..Default::default() },
                Box::new(move |it| Some(&it.request_id) == request_id.as_ref())),
        ];
        for (filter, check) in cases {
            for oldest_first in [false, true] {
                let mut found: Vec<_> = asked(Filter { oldest_first, ..filter.clone() }).await.into_iter().map(|it| it.id).collect();
                found.sort();
                assert_eq!(found, fits(&*check), "{filter:?}");
            }
        }
        let refused_booking = everything.iter().find(|it| it.action == BOOK && it.outcome == 2).unwrap();
        assert_eq!(refused_booking.reason, "BOOKING_REFUSED");
        assert!(refused_booking.details.contains(&"COUNSELLOR_BUSY".to_owned()));
    }

    async fn a_page_token_fits_its_query_alone_and_bad_fields_are_named(app) {
        let me = auditor(&app);
        acts(&app).await;
        let (_, token) = page(&me, pb::ListAuditEventsRequest { page_size: 1, ..Default::default() }).await.unwrap();
        let other = pb::ListAuditEventsRequest { page_token: token, role: "admin".into(), ..Default::default() };
        assert_eq!(refused(&page(&me, other).await.unwrap_err()).items, ["page_token"]);
        let wrong = pb::ListAuditEventsRequest {
            role: "owner".into(), outcome: 9, organisation_id: "x".into(), subject_id: "y".into(),
            request_id: "z".into(), page_size: 501, ..Default::default()
        };
        let names = ["role", "outcome", "organisation_id", "subject_id", "request_id", "page_size"];
        assert_eq!(refused(&page(&me, wrong).await.unwrap_err()).items, names);
        let wrong = pb::VerifyAuditRequest { from_position: -1, max_positions: 20_001 };
        assert_eq!(refused(&me.audit().verify_audit(wrong).await.unwrap_err()).items, ["from_position", "max_positions"]);
    }

    async fn the_head_is_signed_and_the_lag_told(app) {
        let me = auditor(&app);
        acts(&app).await;
        // The schema lets nobody take what waits, so that it is known how much that is.
        let answer = me.audit().get_audit_head(pb::GetAuditHeadRequest {}).await.unwrap().into_inner();
        let exported = Exported::parse(answer.head.as_bytes()).unwrap();
        let says = &exported.head.head;
        assert_eq!((answer.position, &answer.hash, &answer.kid), (says.position, &says.hash.to_string(), &says.kid.to_string()));
        assert_eq!((answer.unsealed_events > 0, answer.lag.is_some()), (answer.unsealed_events > 0, answer.unsealed_events > 0));
        let keys = me.audit().list_audit_keys(pb::ListAuditKeysRequest {}).await.unwrap().into_inner();
        assert_eq!(keys.keys.iter().map(|it| it.kid.clone()).collect::<Vec<_>>(), [own_key(&app).kid().to_string()]);
        assert_eq!(KeySet::parse(keys.key_set.as_bytes()).unwrap().find(&says.kid), Some(own_key(&app)));
        seal(&app).await;
        // Each of these reads is in the trail.
        let read: Vec<_> = app.audit().await.into_iter().filter(|it| it.role == "auditor").map(|it| it.action).collect();
        assert_eq!(read.len(), 2, "{read:?}");
    }

    async fn a_part_of_the_chain_is_checked_at_a_time(app) {
        let mut app = app;
        acts(&app).await;
        let verify = async |app: &TestApp, from_position, max_positions| {
            let request = pb::VerifyAuditRequest { from_position, max_positions };
            auditor(app).audit().verify_audit(request).await.unwrap().into_inner()
        };
        let (mut from, mut checked) = (1, 0);
        while from > 0 {
            let part = verify(&app, from, 4).await;
            assert_eq!((part.faults.as_slice(), part.more_faults), (&[][..], 0));
            (checked, from) = (checked + part.checked_events, part.next_position);
        }
        let end = head(&app).await.head.head.position;
        assert!(checked >= end - 1, "{checked} of {end}");
        let whole = verify(&app, 0, 0).await;
        assert!(whole.proven_until_position >= checked && whole.checked_heads >= 3 && whole.next_position == 0);

        app.stop().await;
        let mut raw = Tampering::begin(&app).await;
        raw.run("UPDATE audit_event SET action = 'x' WHERE id = (SELECT event_id FROM audit_seal WHERE position = 3)").await;
        raw.run("DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_seal WHERE position = 5)").await;
        app.restart().await;
        let part = verify(&app, 2, 4).await;
        let found: Vec<_> = part.faults.iter().map(|it| (it.kind(), it.position)).collect();
        assert_eq!(found, [(pb::AuditFaultKind::Changed, 3), (pb::AuditFaultKind::Deleted, 5)]);
        // Whoever reads the trail sees what somebody made of it.
        let (events, _) = page(&auditor(&app), pb::ListAuditEventsRequest { action: "x".into(), ..Default::default() }).await.unwrap();
        assert_eq!(events.len(), 1);
    }

    async fn what_was_done_about_a_client_is_found_by_the_client(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        for id in [&client.id, &client.id, &other.id] {
            ngo.coordinator.clients().get_client(pb::GetClientRequest { client_id: id.clone() }).await.unwrap();
        }
        seal(&app).await;
        let about = pb::ListAuditEventsRequest { subject_id: client.id.clone(), oldest_first: true, ..Default::default() };
        let actions: Vec<_> = all(&auditor(&app), about).await.into_iter().map(|it| it.action).collect();
        assert_eq!(actions.iter().filter(|it| it.ends_with("/GetClient")).count(), 2);
        assert!(actions.iter().any(|it| it.ends_with("/CreateClient")), "{actions:?}");
    }
}
