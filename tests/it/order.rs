//! Treatment orders: what is refused and changes nothing, what counts, what a correction changes, and for whom.

use aftercare::grpc::pb;
use tonic::Code;

use crate::on_both_engines;
use crate::support::treatment::{HOUR, Treated, attended, check, create_order, no_show, officer, order_of, outcome};
use crate::support::{Ngo, at, book, booking, date, group_of, leaving, refused, remove};

on_both_engines! {
    async fn every_bad_field_of_an_order_is_named(app) {
        let ngo = Ngo::new(&app, "NGO-1").await;
        let bad = pb::TreatmentOrder {
            starts_on: Some(date("2026-02-01")),
            ends_on: Some(date("2026-01-01")),
            policy_version: -1,
            zone: "Nowhere/At-All".into(),
            ..Default::default()
        };
        let refused = refused(&create_order(&ngo.coordinator, bad).await.unwrap_err());
        assert_eq!(refused.code, Code::InvalidArgument);
        let fields = ["client_id", "jurisdiction", "mandate", "document", "ends_on", "required_sessions", "zone",
            "policy_version"];
        for field in fields {
            assert!(refused.items.contains(&format!("order.{field}")), "{field}: {refused:?}");
        }
    }

    async fn only_who_is_in_treatment_has_an_order(app) {
        let (ngo, other) = (Ngo::new(&app, "NGO-1").await, Ngo::new(&app, "NGO-2").await);
        let survivor = ngo.survivor().await;
        let refusal = refused(&create_order(&ngo.coordinator, order_of(&survivor)).await.unwrap_err());
        assert_eq!((refusal.code, &refusal.items[..]), (Code::InvalidArgument, &["order.client_id".to_owned()][..]));
        let of_others = other.offender().await;
        let refusal = create_order(&ngo.coordinator, order_of(&of_others)).await.unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound);
    }

    async fn nothing_is_decided_before_the_order_or_twice(app) {
        let mut it = Treated::new(&app).await;
        it.go_to(&app, "2026-03-02");
        let refusals = [
            (it.warn(Some("2026-01-04")).await.unwrap_err(), "WARNING_BEFORE_ORDER"),
            (it.suspend("2026-01-04", "2026-01-10").await.unwrap_err(), "SUSPENSION_BEFORE_ORDER"),
            (it.suspend("2026-03-10", "2026-06-08").await.unwrap_err(), "SUSPENSION_TOO_LONG"),
            (it.confirm().await.unwrap_err(), "NO_BREACH_TO_CONFIRM"),
            (it.resolve().await.unwrap_err(), "NO_OPEN_BREACH"),
            (it.withdraw(1).await.unwrap_err(), "NOT_WITHDRAWABLE"),
        ];
        for (status, reason) in refusals {
            let refusal = refused(&status);
            assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, reason));
        }
        let future = refused(&it.warn(Some("2026-03-03")).await.unwrap_err());
        assert_eq!((future.code, &future.items[..]), (Code::InvalidArgument, &["issued_on".to_owned()][..]));
        assert_eq!(it.history().await.1.len(), 1, "something was written");

        // Ninety days are not too long, and the day after is free again.
        it.suspend("2026-03-10", "2026-06-07").await.unwrap();
        let overlap = refused(&it.suspend("2026-06-07", "2026-06-10").await.unwrap_err());
        assert_eq!(overlap.reason, "SUSPENSION_OVERLAPS");
        it.suspend("2026-06-08", "2026-06-10").await.unwrap();
        it.terminate().await.unwrap();
        let over = refused(&it.warn(None).await.unwrap_err());
        assert_eq!(over.reason, "ORDER_TERMINATED");
    }

    async fn who_read_an_older_version_changes_nothing(app) {
        let it = Treated::new(&app).await;
        let stale = it.order().await;
        it.warn(Some("2026-01-01")).await.unwrap_err();
        let mut it = it;
        it.go_to(&app, "2026-01-05");
        it.warn(None).await.unwrap();
        let request = pb::IssueWarningRequest { order_id: stale.id, etag: stale.etag, ..Default::default() };
        let refusal = it.ngo.coordinator.compliance().issue_warning(request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Aborted);
    }

    async fn an_order_is_amended_but_not_below_what_is_credited(app) {
        let mut it = Treated::new(&app).await;
        for day in ["2026-01-05", "2026-01-12"] {
            it.session(&app, day).await;
            it.go_to(&app, day);
            it.record(day, attended()).await.unwrap();
        }
        let amend = |order: pb::TreatmentOrder| pb::AmendOrderRequest {
            order: Some(order),
            reason: "An example".into(),
            ..Default::default()
        };
        let order = it.order().await;
        let mut compliance = it.ngo.coordinator.compliance();
        let fewer = pb::TreatmentOrder { required_sessions: 1, ..order.clone() };
        let refusal = refused(&compliance.amend_order(amend(fewer)).await.unwrap_err());
        assert_eq!(refusal.reason, "REQUIRED_BELOW_CREDITED");
        let moved = pb::TreatmentOrder { starts_on: Some(date("2026-01-06")), ..order.clone() };
        let refusal = refused(&compliance.amend_order(amend(moved)).await.unwrap_err());
        assert_eq!(&refusal.items[..], ["order.starts_on"]);
        let done = pb::TreatmentOrder { required_sessions: 2, ..order };
        let done = compliance.amend_order(amend(done)).await.unwrap().into_inner().order.unwrap();
        assert_eq!(done.standing.unwrap().status(), pb::OrderStatus::Completed);
    }

    async fn sessions_count_towards_open_orders_of_their_client_only(app) {
        let mut it = Treated::new(&app).await;
        let stranger = it.ngo.offender().await;
        let mut of_another = booking(&it.ngo, &it.counsellor, &stranger, "2026-01-07T04:30:00Z");
        of_another.order_id = it.order_id.clone();
        let refusal = refused(&book(&it.ngo.coordinator, of_another).await.unwrap_err());
        assert_eq!(refusal.items, ["ORDER_NOT_OPEN"]);

        let coming = it.session(&app, "2026-01-08").await;
        it.go_to(&app, "2026-01-06");
        let ended = it.terminate().await.unwrap();
        assert_eq!(ended.orphaned_session_ids, std::slice::from_ref(&coming.id));
        assert_eq!(it.ngo.session(&coming.id).await.flags, [i32::from(pb::BookingRule::OrderNotOpen)]);
        let mut late = booking(&it.ngo, &it.counsellor, &it.client, "2026-01-09T04:30:00Z");
        late.order_id = it.order_id.clone();
        let refusal = refused(&book(&it.ngo.coordinator, late).await.unwrap_err());
        assert_eq!(refusal.items, ["ORDER_NOT_OPEN"]);

        // The termination was a mistake.
        it.withdraw(2).await.unwrap();
        assert!(it.ngo.session(&coming.id).await.flags.is_empty());
        assert_eq!(refused(&it.withdraw(2).await.unwrap_err()).reason, "ALREADY_WITHDRAWN");
    }

    async fn a_session_is_counted_later_towards_one_order_only(app) {
        let mut it = Treated::new(&app).await;
        let plain = book(&it.ngo.coordinator, booking(&it.ngo, &it.counsellor, &it.client, "2026-01-05T04:30:00Z"));
        let plain = plain.await.unwrap();
        it.go_to(&app, "2026-01-05");
        let request = pb::RecordAttendanceRequest {
            session_id: plain.id.clone(),
            client_id: it.client.id.clone(),
            facts: Some(attended()),
            ..Default::default()
        };
        it.ngo.coordinator.attendance().record_attendance(request).await.unwrap();
        assert_eq!(it.standing().await.credited_sessions, 0);
        let count = |order_id: &str| pb::CountSessionRequest {
            order_id: order_id.into(),
            session_id: plain.id.clone(),
            ..Default::default()
        };
        let mut compliance = it.ngo.coordinator.compliance();
        let counted = compliance.count_session(count(&it.order_id)).await.unwrap().into_inner().session.unwrap();
        assert_eq!(counted.order_id, it.order_id);
        assert_eq!(it.standing().await.credited_sessions, 1);
        let second = create_order(&it.ngo.coordinator, order_of(&it.client)).await.unwrap();
        let refusal = refused(&compliance.count_session(count(&second.id)).await.unwrap_err());
        assert_eq!(refusal.reason, "TWO_ORDERS");
    }

    async fn calling_off_counts_by_who_does_and_when(app) {
        let mut it = Treated::new(&app).await;
        for day in ["2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12"] {
            it.session(&app, day).await;
        }
        it.go_to(&app, "2026-01-06");
        let cancel = async |it: &Treated, day: &str, reason: pb::CancelReason| {
            let session = it.ngo.session(&it.on(day).id).await;
            let request = pb::CancelSessionRequest {
                session_id: session.id,
                etag: session.etag,
                reason: reason.into(),
                ..Default::default()
            };
            it.ngo.coordinator.scheduling().cancel_session(request).await.unwrap();
        };
        // Less than a day ahead; more than a day ahead; the provider's doing; a court's.
        cancel(&it, "2026-01-07", pb::CancelReason::Client).await;
        cancel(&it, "2026-01-08", pb::CancelReason::Client).await;
        cancel(&it, "2026-01-09", pb::CancelReason::Provider).await;
        cancel(&it, "2026-01-12", pb::CancelReason::Court).await;
        it.go_to(&app, "2026-01-13");
        let standing = it.standing().await;
        assert_eq!(standing.pending, [date("2026-01-07")], "{standing:?}");
        it.decide("2026-01-07", true, false).await.unwrap();
        let standing = it.standing().await;
        assert_eq!((standing.pending.len(), standing.excused.len(), standing.failures.len()), (0, 1, 0));
    }

    async fn a_correction_is_as_if_it_had_never_been_wrong(app) {
        let mut it = Treated::new(&app).await;
        for day in ["2026-01-05", "2026-01-12"] {
            it.session(&app, day).await;
        }
        it.go_to(&app, "2026-01-05");
        it.record("2026-01-05", attended()).await.unwrap();
        it.go_to(&app, "2026-01-12");
        it.record("2026-01-12", no_show()).await.unwrap();
        it.go_to(&app, "2026-01-13");
        assert_eq!(it.seen(&app).await.credited_sessions, 1);
        it.go_to(&app, "2026-01-21");
        assert_eq!(it.seen(&app).await.status(), pb::ComplianceStatus::AtRisk);
        assert!(it.lookups().await.iter().all(|it| it.corrected_at.is_none()));

        // The second week late, and so somebody else's to say.
        let other = it.ngo.another_coordinator(&app);
        let first = std::mem::replace(&mut it.ngo.coordinator, other);
        it.amend("2026-01-12", attended()).await.unwrap();
        it.ngo.coordinator = first;
        app.clock.advance(HOUR);
        let seen = it.seen(&app).await;
        assert_eq!((seen.status(), seen.credited_sessions, seen.corrected), (pb::ComplianceStatus::Compliant, 2, true));
        let lookups = it.lookups().await;
        let corrected: Vec<bool> = lookups.iter().map(|it| it.corrected_at.is_some()).collect();
        assert_eq!(corrected, [false, true, true], "the latest first: {lookups:?}");
        let (_, events) = it.history().await;
        let attendance = events.iter().filter(|it| it.kind() == pb::OrderEventKind::Attendance);
        let superseded: Vec<bool> = attendance.map(|it| it.superseded).collect();
        assert_eq!(superseded, [false, true, false]);
    }

    async fn what_is_deemed_is_reversed_by_a_later_decision(app) {
        let mut it = Treated::new(&app).await;
        it.session(&app, "2026-01-12").await;
        it.go_to(&app, "2026-01-12");
        it.record("2026-01-12", no_show()).await.unwrap();
        it.go_to(&app, "2026-01-20");
        assert_eq!(it.seen(&app).await.status(), pb::ComplianceStatus::NotStarted);
        it.go_to(&app, "2026-01-21");
        assert_eq!(it.seen(&app).await.status(), pb::ComplianceStatus::AtRisk);
        it.decide("2026-01-12", true, false).await.unwrap();
        app.clock.advance(HOUR);
        assert_eq!(it.seen(&app).await.status(), pb::ComplianceStatus::NotStarted);
        let corrected: Vec<bool> = it.lookups().await.iter().map(|it| it.corrected_at.is_some()).collect();
        assert_eq!(corrected, [false, true, false]);
    }

    async fn orders_are_their_providers_own(app) {
        let it = Treated::new(&app).await;
        let other = Ngo::new(&app, "NGO-2").await;
        let get = pb::GetOrderRequest { order_id: it.order_id.clone() };
        assert_eq!(other.coordinator.compliance().get_order(get.clone()).await.unwrap_err().code(), Code::NotFound);
        // A counsellor reads the orders of clients seen, and of nobody else.
        let counsellor = it.ngo.as_counsellor(&app, &it.counsellor);
        assert_eq!(counsellor.compliance().get_order(get.clone()).await.unwrap_err().code(), Code::NotFound);
        let mut it = it;
        it.session(&app, "2026-01-05").await;
        counsellor.compliance().get_order(get).await.unwrap();
        let lookups = pb::ListLookupsRequest { order_id: it.order_id.clone(), ..Default::default() };
        assert_eq!(other.coordinator.compliance().list_lookups(lookups).await.unwrap_err().code(), Code::NotFound);
        // And the client's own reference is nothing to police.
        let refusal = check(&officer(&app, "KL-TVM"), &it.client.reference).await.unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound);
    }

    async fn what_was_announced_and_accepted_stays_so(app) {
        let mut it = Treated::new(&app).await;
        let session = it.session(&app, "2026-01-07").await;
        it.go_to(&app, "2026-01-06");
        let notice = pb::AttendanceFacts {
            evidence_reference: "Example certificate 7".into(),
            verifier: "Example verifier".into(),
            ..outcome(pb::AttendanceOutcome::AcceptableMedical)
        };
        it.record("2026-01-07", notice).await.unwrap();
        // The room is given back, on the day before.
        it.ngo.cancel(&it.ngo.session(&session.id).await).await.unwrap();
        it.go_to(&app, "2026-02-02");
        let standing = it.standing().await;
        assert_eq!((standing.excused.len(), standing.pending.len(), standing.failures.len()), (1, 0, 0), "{standing:?}");
    }

    async fn a_cancelled_group_is_nobodys_absence_but_leaving_it_late_is(app) {
        let mut it = Treated::new(&app).await;
        let other = it.ngo.offender().await;
        let one = booking(&it.ngo, &it.counsellor, &it.client, "2026-01-07T04:30:00Z");
        let mut request = group_of(3, &[it.client.clone(), other], one);
        request.group.as_mut().unwrap().participants[0].order_id = it.order_id.clone();
        let first = book(&it.ngo.coordinator, request.clone()).await.unwrap();
        request.starts_at = at("2026-01-08T04:30:00Z");
        let second = book(&it.ngo.coordinator, request).await.unwrap();
        it.go_to(&app, "2026-01-06");
        it.ngo.cancel(&first).await.unwrap();
        it.go_to(&app, "2026-01-07");
        let second = it.ngo.session(&second.id).await;
        remove(&it.ngo.coordinator, leaving(&second, &it.client)).await.unwrap();
        it.go_to(&app, "2026-01-09");
        assert_eq!(it.standing().await.pending, [date("2026-01-08")]);
    }

    async fn nothing_counts_before_the_order_begins(app) {
        let mut it = Treated::new(&app).await;
        let mut early = booking(&it.ngo, &it.counsellor, &it.client, "2026-01-04T04:30:00Z");
        let plain = book(&it.ngo.coordinator, early.clone()).await.unwrap();
        early.order_id = it.order_id.clone();
        early.starts_at = at("2026-01-03T04:30:00Z");
        let refusal = refused(&book(&it.ngo.coordinator, early).await.unwrap_err());
        assert_eq!(refusal.items, ["ORDER_NOT_OPEN"]);
        it.go_to(&app, "2026-01-05");
        let count = pb::CountSessionRequest {
            order_id: it.order_id.clone(),
            session_id: plain.id,
            ..Default::default()
        };
        let refusal = refused(&it.ngo.coordinator.compliance().count_session(count).await.unwrap_err());
        assert_eq!(refusal.reason, "SESSION_BEFORE_ORDER");
    }

    async fn an_amended_order_keeps_its_policy_unless_another_is_named(app) {
        let it = Treated::new(&app).await;
        let stricter = pb::CompliancePolicy {
            code: "STANDARD".into(),
            name: "Standard policy".into(),
            gap_days: Some(7),
            ..Default::default()
        };
        let publish = pb::PublishPolicyRequest {
            policy: Some(stricter),
            request_id: "0190f5a0-0000-7000-8000-000000000001".into(),
        };
        for _ in 0..2 {
            let published = app.admin().compliance().publish_policy(publish.clone()).await.unwrap().into_inner();
            assert_eq!(published.policy.unwrap().version, 2, "a repeat has one effect");
        }
        let amend = async |order: pb::TreatmentOrder| {
            let request = pb::AmendOrderRequest { order: Some(order), reason: "An example".into(), ..Default::default() };
            it.ngo.coordinator.compliance().amend_order(request).await.unwrap().into_inner().order.unwrap()
        };
        let order = it.order().await;
        let order = amend(pb::TreatmentOrder { policy_code: String::new(), policy_version: 0, ..order }).await;
        assert_eq!(order.policy_version, 1);
        let order = amend(pb::TreatmentOrder { policy_version: 0, ..order }).await;
        assert_eq!(order.policy_version, 2);
        let (_, events) = it.history().await;
        let versions: Vec<i64> = events.iter().map(|it| it.terms.as_ref().unwrap().policy_version).collect();
        assert_eq!(versions, [1, 1, 2], "the history shows every version");
    }

    async fn who_announced_an_absence_long_ahead_may_say_that_it_was_none(app) {
        let mut it = Treated::new(&app).await;
        it.session(&app, "2026-01-21").await;
        it.go_to(&app, "2026-01-06");
        it.record("2026-01-21", outcome(pb::AttendanceOutcome::AcceptableWork)).await.unwrap();
        it.go_to(&app, "2026-01-21");
        it.amend("2026-01-21", attended()).await.unwrap();
        assert_eq!(it.standing().await.credited_sessions, 1);
    }
}
