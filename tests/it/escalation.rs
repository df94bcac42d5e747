//! What calls for a person reaches one in time: the counsellor, and the clinical lead when the time runs out.

mod crash;
mod no_show;
mod report;

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::Db;
use chrono::TimeDelta;
use pb::{ConcernKind, EscalationAction as Action, EscalationNamed as Named};
use tonic::Code;

use crate::attendance::{clinical_lead, set, why, wrong};
use crate::on_both_engines;
use crate::support::escalation::*;
use crate::support::followup::{enrol, enrolling, plan_of};
use crate::support::{Actor, Ngo, TestApp, at, book, booking, group_of, refused};

/// Tuesday, 10:00 in Asia/Kolkata; the tests begin the day before, at 09:30.
const TEN: &str = "2026-11-24T04:30:00Z";

const KINDS: [ConcernKind; 4] =
    [ConcernKind::NewDisclosure, ConcernKind::ContactWithAccused, ConcernKind::Threat, ConcernKind::MissingChild];

/// A survivor's counsellor, and the client, who has a session to come.
async fn pair(ngo: &Ngo, code: &str) -> (pb::Counsellor, pb::Client) {
    let (counsellor, client) = (ngo.counsellor(code, pb::Side::Survivor).await, ngo.survivor().await);
    book(&ngo.coordinator, booking(ngo, &counsellor, &client, TEN)).await.unwrap();
    (counsellor, client)
}

/// When escalations were passed on, of those that were.
async fn passed_on(app: &TestApp) -> i64 {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let sql = tx.sql("SELECT count(*) FROM escalation WHERE passed_on_at IS NOT NULL");
    sql.maybe::<(i64,)>().await.unwrap().unwrap().0
}

/// How often the audit trail has that an escalation was passed on.
async fn trail(app: &TestApp, it: &pb::Escalation) -> usize {
    let rows = app.audit().await;
    let jobs = rows.iter().filter(|row| row.action == "pass_on_escalation" && row.details.contains("PASSED_ON"));
    jobs.filter(|row| row.subjects.contains(&it.id)).count()
}

on_both_engines! {
    async fn every_concern_escalates_at_once_through_clients_of_either_side(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, survivor) = pair(&ngo, "C1").await;
        let treats = ngo.counsellor("O1", pb::Side::Offender).await;
        let offender = ngo.offender().await;
        let late = booking(&ngo, &treats, &offender, "2026-11-24T08:30:00Z");
        book(&ngo.coordinator, late).await.unwrap();
        for (counsellor, client) in [(&counsellor, &survivor), (&treats, &offender)] {
            let me = ngo.as_counsellor(&app, counsellor);
            for kind in KINDS {
                let opened = report(&me, concern(client, kind)).await.unwrap();
                let it = opened.escalation.unwrap();
                assert_eq!(it.level(), pb::EscalationLevel::R3);
                assert_eq!(it.trigger().as_str_name(), kind.as_str_name().replace("CONCERN_KIND_", "ESCALATION_TRIGGER_"));
                assert_eq!((&it.concern_id, &it.client_reference), (&opened.concern_id, &client.reference));
                assert_eq!((&it.counsellor_id, it.named()), (&counsellor.id, Named::Counsellor));
                assert_eq!((it.raised_at, it.due_at), (at("2026-11-23T04:00:00Z"), at("2026-11-23T05:00:00Z")));
                assert_eq!((it.cause_superseded, it.concern_text.as_str()), (false, "What the clinical side must know"));
                let task = opened.mandatory_report.unwrap();
                assert_eq!((&task.concern_id, &task.client_id), (&opened.concern_id, &client.id));
                assert_eq!((task.learned_at, task.due_at), (at("2026-11-23T04:00:00Z"), at("2026-11-24T04:00:00Z")));
                assert_eq!((task.reported_at, task.recipient()), (None, pb::ReportRecipient::Unspecified));
                assert!(escalations(&me).await.contains(&it) && reports(&me).await.contains(&task));
            }
            assert_eq!((escalations(&me).await.len(), reports(&me).await.len()), (4, 4));
        }
        assert_eq!(escalations(&clinical_lead(&app, &ngo)).await.len(), 8);
    }

    async fn a_coordinator_reports_and_sees_that_there_is_one_and_no_more(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_, client) = pair(&ngo, "C1").await;
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let learned_at = at("2026-11-22T22:00:00Z");
        let request = pb::ReportConcernRequest { request_id, learned_at, ..concern(&client, ConcernKind::Threat) };
        let opened = report(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!(report(&ngo.coordinator, request).await.unwrap(), opened);
        let seen = opened.escalation.unwrap();
        let [whole] = &escalations(&clinical_lead(&app, &ngo)).await[..] else { panic!() };
        let (id, client_id) = (whole.id.clone(), client.id.clone());
        let (raised_at, due_at) = (whole.raised_at, whole.due_at);
        let client_reference = client.reference.clone();
        let outline = pb::Escalation { id, client_id, client_reference, raised_at, due_at, ..Default::default() };
        assert_eq!(seen, outline);
        // Learned in the night, reported in the morning: the law's clock began in the night.
        assert_eq!(opened.mandatory_report.unwrap().due_at, at("2026-11-23T22:00:00Z"));
        let mut calls = ngo.coordinator.follow_up();
        let list = calls.list_escalations(pb::ListEscalationsRequest::default()).await.unwrap_err();
        assert_eq!(list.code(), Code::PermissionDenied);
        assert_eq!(acknowledge(&ngo.coordinator, whole).await.unwrap_err().code(), Code::PermissionDenied);
        let resolve = resolve(&ngo.coordinator, resolving(whole, Action::Referral)).await;
        assert_eq!(resolve.unwrap_err().code(), Code::PermissionDenied);
    }

    async fn somebody_is_always_called_upon(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let [first, second, third] = [
            ngo.counsellor("C1", pb::Side::Survivor).await,
            ngo.counsellor("C2", pb::Side::Survivor).await,
            ngo.counsellor("C3", pb::Side::Survivor).await,
        ];
        let (other_side, elsewhere) = (ngo.counsellor("O1", pb::Side::Offender).await, Ngo::new(&app, "B").await);
        let foreign = elsewhere.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let plain = concern(&client, ConcernKind::Threat);
        let calling = |counsellor: &pb::Counsellor| {
            pb::ReportConcernRequest { counsellor_id: counsellor.id.clone(), ..plain.clone() }
        };
        assert_eq!(wrong(report(&ngo.coordinator, plain.clone()).await), ["counsellor_id"]);
        for counsellor in [&other_side, &foreign] {
            assert_eq!(wrong(report(&ngo.coordinator, calling(counsellor)).await), ["counsellor_id"]);
        }
        assert!(escalations(&clinical_lead(&app, &ngo)).await.is_empty());
        let mut expected = vec![third.id.clone()];
        report(&ngo.coordinator, calling(&third)).await.unwrap();
        // The next session, then the last; what is said goes before both.
        book(&ngo.coordinator, booking(&ngo, &first, &client, TEN)).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &second, &client, "2026-11-26T04:30:00Z")).await.unwrap();
        for (now, counsellor) in [
            ("2026-11-24T05:29:59Z", &first),
            ("2026-11-24T05:30:00Z", &second),
            ("2026-11-26T05:30:00Z", &second),
        ] {
            set(&app, &mut ngo, now);
            report(&ngo.coordinator, plain.clone()).await.unwrap();
            expected.push(counsellor.id.clone());
        }
        app.clock.advance(TimeDelta::seconds(1));
        report(&ngo.coordinator, calling(&first)).await.unwrap();
        expected.push(first.id.clone());
        let named: Vec<_> = escalations(&clinical_lead(&app, &ngo)).await.into_iter().map(|it| it.counsellor_id).collect();
        assert_eq!(named, expected);
        // Whoever is called upon sees it, though the client was never theirs.
        let mine = escalations(&ngo.as_counsellor(&app, &third)).await;
        assert_eq!(mine.len(), 1);
        acknowledge(&ngo.as_counsellor(&app, &third), &mine[0]).await.unwrap();
    }

    async fn nobody_is_called_upon_who_must_not_see_the_client(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (barred, client) = pair(&ngo, "C1").await;
        let (client_id, counsellor_id) = (client.id.clone(), barred.id.clone());
        let conflict = pb::DeclareConflictRequest { client_id, counsellor_id, ..Default::default() };
        ngo.coordinator.clients().declare_conflict(conflict).await.unwrap();
        let plain = concern(&client, ConcernKind::Threat);
        assert_eq!(wrong(report(&ngo.coordinator, plain.clone()).await), ["counsellor_id"]);
        let named = pb::ReportConcernRequest { counsellor_id: barred.id.clone(), ..plain.clone() };
        let ahead = pb::ReportConcernRequest { learned_at: at("2026-11-23T04:00:01Z"), ..named };
        assert_eq!(wrong(report(&ngo.coordinator, ahead).await), ["learned_at", "counsellor_id"]);
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        report(&ngo.coordinator, pb::ReportConcernRequest { counsellor_id: other.id, ..plain }).await.unwrap();
    }

    async fn whoever_is_responsible_by_the_plan_is_called_upon_first(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_, client) = pair(&ngo, "C1").await;
        let responsible = ngo.counsellor("C2", pb::Side::Survivor).await;
        enrol(&ngo.coordinator, enrolling(&client, &responsible, "2026-11-20")).await.unwrap();
        report(&ngo.coordinator, concern(&client, ConcernKind::Threat)).await.unwrap();
        let [it] = &escalations(&ngo.as_counsellor(&app, &responsible)).await[..] else { panic!() };
        assert_eq!(it.counsellor_id, responsible.id);
        // Coordinators see that the plan needs attention, and no more.
        let attention = async || plan_of(&ngo.coordinator, &client).await.unwrap().plan.needs_attention;
        assert!(attention().await);
        let closed = resolve(&ngo.as_counsellor(&app, &responsible), resolving(it, Action::Referral)).await.unwrap();
        assert!(!attention().await);
        assert!(closed.resolved_at.is_some());
    }

    async fn the_clinical_lead_is_called_upon_at_the_instant_the_time_runs_out(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        report(&ngo.coordinator, concern(&client, ConcernKind::Threat)).await.unwrap();
        let (me, lead) = (ngo.as_counsellor(&app, &counsellor), clinical_lead(&app, &ngo));
        let naming = |named: Named| pb::ListEscalationsRequest { named: named.into(), ..Default::default() };
        app.clock.set("2026-11-23T04:59:59.999999Z".parse().unwrap());
        app.run_jobs().await;
        assert_eq!(listed(&lead, naming(Named::ClinicalLead)).await, []);
        assert_eq!(listed(&me, naming(Named::Counsellor)).await[0].named(), Named::Counsellor);
        // No job runs.
        app.clock.set("2026-11-23T05:00:00Z".parse().unwrap());
        let [it] = &listed(&lead, naming(Named::ClinicalLead)).await[..] else { panic!() };
        assert_eq!(it.named(), Named::ClinicalLead);
        assert_eq!(listed(&me, naming(Named::Counsellor)).await, []);
        assert_eq!((passed_on(&app).await, trail(&app, it).await), (0, 0));
        // The job changes nothing but the trail, and does it once; who has read it before can still take it on.
        app.run_jobs().await;
        app.clock.advance(TimeDelta::hours(1));
        app.run_jobs().await;
        assert_eq!((passed_on(&app).await, trail(&app, it).await), (1, 1));
        assert_eq!(escalations(&lead).await, std::slice::from_ref(it));
        let taken = acknowledge(&lead, it).await.unwrap();
        assert_eq!((taken.named(), taken.acknowledged_at), (Named::Unspecified, at("2026-11-23T06:00:00Z")));
        assert_eq!(taken.acknowledged_by, "clinical_lead@test");
        assert_eq!(listed(&lead, naming(Named::ClinicalLead)).await, []);
    }

    async fn what_was_taken_on_in_time_is_never_passed_on(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let me = ngo.as_counsellor(&app, &counsellor);
        let it = report(&me, concern(&client, ConcernKind::Threat)).await.unwrap().escalation.unwrap();
        app.clock.set("2026-11-23T04:59:59.999999Z".parse().unwrap());
        let taken = acknowledge(&me, &it).await.unwrap();
        app.clock.advance(TimeDelta::days(1) - TimeDelta::hours(2));
        app.run_jobs().await;
        assert_eq!((passed_on(&app).await, trail(&app, &it).await), (0, 0));
        assert_eq!(escalations(&me).await, [taken]);
    }

    async fn only_the_first_takes_it_on_and_only_the_first_closes_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let (me, lead) = (ngo.as_counsellor(&app, &counsellor), clinical_lead(&app, &ngo));
        let beside = app.beside().await;
        let other = beside.bearer(lead.token.clone());
        for _ in 0..8 {
            let it = report(&me, concern(&client, ConcernKind::Threat)).await.unwrap().escalation.unwrap();
            let (a, b) = tokio::join!(acknowledge(&me, &it), acknowledge(&other, &it));
            let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
            let won = won.unwrap();
            assert_eq!(why(lost), "ALREADY_ACKNOWLEDGED");
            let close = |action| resolving(&won, action);
            let (a, b) =
                tokio::join!(resolve(&me, close(Action::LiveContact)), resolve(&other, close(Action::Referral)));
            let (closed, lost) = if a.is_ok() { (a, b) } else { (b, a) };
            assert_eq!(why(lost), "ALREADY_RESOLVED");
            assert_eq!(closed.unwrap().acknowledged_by, won.acknowledged_by);
        }
        assert_eq!(escalations(&lead).await, []);
    }

    async fn what_is_immediate_is_closed_by_live_contact_emergency_services_or_a_referral(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let me = ngo.as_counsellor(&app, &counsellor);
        let it = report(&me, concern(&client, ConcernKind::Threat)).await.unwrap().escalation.unwrap();
        for action in [Action::ClinicalReview, Action::WelfareCheck, Action::NothingNeeded] {
            assert_eq!(wrong(resolve(&me, resolving(&it, action)).await), ["action"]);
        }
        let empty = pb::ResolveEscalationRequest { escalation_id: "x".into(), ..Default::default() };
        assert_eq!(wrong(resolve(&me, empty).await), ["escalation_id", "etag", "action", "note"]);
        let long = pb::ResolveEscalationRequest { note: "x".repeat(2001), ..resolving(&it, Action::LiveContact) };
        assert_eq!(wrong(resolve(&me, long).await), ["note"]);
        let stale = pb::ResolveEscalationRequest { etag: "7".into(), ..resolving(&it, Action::LiveContact) };
        assert_eq!(resolve(&me, stale).await.unwrap_err().code(), Code::Aborted);
        // Whoever closes it has taken it on.
        app.clock.advance(TimeDelta::minutes(20));
        let request_id = "0193a5e0-0000-7000-8000-000000000002".to_owned();
        let request = pb::ResolveEscalationRequest { request_id, ..resolving(&it, Action::EmergencyServices) };
        let closed = resolve(&me, request.clone()).await.unwrap();
        assert_eq!((closed.action(), closed.note.as_str()), (Action::EmergencyServices, "What to remember"));
        assert_eq!((closed.acknowledged_at, closed.resolved_at), (at("2026-11-23T04:20:00Z"), at("2026-11-23T04:20:00Z")));
        assert_eq!(resolve(&me, request).await.unwrap(), closed);
        assert_eq!(why(acknowledge(&me, &closed).await), "ALREADY_ACKNOWLEDGED");
        assert_eq!(escalations(&me).await, []);
        let all = pb::ListEscalationsRequest { resolved: true, ..Default::default() };
        assert_eq!(listed(&me, all).await, [closed]);
        for kind in [ConcernKind::Threat, ConcernKind::MissingChild] {
            let it = report(&me, concern(&client, kind)).await.unwrap().escalation.unwrap();
            let action = if kind == ConcernKind::Threat { Action::LiveContact } else { Action::Referral };
            resolve(&me, resolving(&it, action)).await.unwrap();
        }
    }

    async fn those_who_are_not_concerned_do_not_learn_of_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (named, beside) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let stranger = ngo.counsellor("C3", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut group = group_of(2, std::slice::from_ref(&client), booking(&ngo, &named, &client, TEN));
        group.group.as_mut().unwrap().co_facilitator_ids = vec![beside.id.clone()];
        book(&ngo.coordinator, group).await.unwrap();
        let elsewhere = Ngo::new(&app, "B").await;
        let [named, beside, stranger] = [&named, &beside, &stranger].map(|it| ngo.as_counsellor(&app, it));
        let foreign = clinical_lead(&app, &elsewhere);
        let police = app.actor(Authority::Police { jurisdiction: aftercare::domain::text::Code::parse("KL-TVM").unwrap() });
        let plain = concern(&client, ConcernKind::NewDisclosure);
        for (actor, code) in [
            (&stranger, Code::NotFound),
            (&foreign, Code::NotFound),
            (&elsewhere.coordinator, Code::NotFound),
            (&police, Code::PermissionDenied),
            (&app.admin(), Code::PermissionDenied),
        ] {
            assert_eq!(report(actor, plain.clone()).await.unwrap_err().code(), code);
        }
        let it = report(&beside, plain).await.unwrap().escalation.unwrap();
        for actor in [&named, &beside, &clinical_lead(&app, &ngo)] {
            assert_eq!(escalations(actor).await, std::slice::from_ref(&it));
        }
        for actor in [&stranger, &foreign] {
            assert_eq!((escalations(actor).await, reports(actor).await), (vec![], vec![]));
            assert_eq!(acknowledge(actor, &it).await.unwrap_err().code(), Code::NotFound);
            let resolve = resolve(actor, resolving(&it, Action::Referral)).await.unwrap_err();
            assert_eq!(refused(&resolve).code, Code::NotFound);
        }
        assert_eq!(acknowledge(&police, &it).await.unwrap_err().code(), Code::PermissionDenied);
        // Another counsellor of the client may take it on.
        acknowledge(&beside, &it).await.unwrap();
    }

    async fn reads_leave_a_trace_and_no_words_and_pages_follow(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let me = ngo.as_counsellor(&app, &counsellor);
        let mut all = Vec::new();
        for kind in KINDS {
            let request = pb::ReportConcernRequest { text: "A planted text".into(), ..concern(&client, kind) };
            all.push(report(&me, request).await.unwrap().escalation.unwrap());
        }
        let mut request = pb::ListEscalationsRequest { client_id: client.id.clone(), page_size: 3, ..Default::default() };
        let first = me.follow_up().list_escalations(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.escalations.len(), 3);
        request.page_token = first.next_page_token;
        let rest = me.follow_up().list_escalations(request).await.unwrap().into_inner();
        let mut seen = [first.escalations, rest.escalations].concat();
        assert!(rest.next_page_token.is_empty());
        seen.sort_by(|a, b| a.id.cmp(&b.id));
        all.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(seen, all);
        resolve(&me, pb::ResolveEscalationRequest { note: "A planted note".into(), ..resolving(&all[0], Action::Referral) }).await.unwrap();
        let rows = app.audit().await;
        for (action, id) in [("/ReportConcern", &all[0].concern_id), ("/ReportConcern", &all[0].id), ("/ResolveEscalation", &all[0].id)] {
            let of = rows.iter().filter(|it| it.action.ends_with(action) && it.subjects.contains(id));
            assert_eq!(of.count(), 1, "{action}");
        }
        let lists: Vec<_> = rows.iter().filter(|it| it.action.ends_with("/ListEscalations")).collect();
        assert_eq!(lists.len(), 2);
        assert!(lists[0].subjects.contains(&client.id));
        assert!(!format!("{rows:?}").contains("planted"));
    }

    async fn whoever_is_called_upon_goes_first_on_the_waitlist_for_as_long(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = pair(&ngo, "C1").await;
        let earlier = ngo.survivor().await;
        let waits = |client: &pb::Client| pb::JoinWaitlistRequest {
            client_id: client.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(crate::support::minutes(60)),
            ..Default::default()
        };
        let mut calls = ngo.coordinator.scheduling();
        calls.join_waitlist(waits(&earlier)).await.unwrap();
        app.clock.advance(TimeDelta::minutes(1));
        calls.join_waitlist(waits(&client)).await.unwrap();
        let order = |actor: &Actor| {
            let mut calls = actor.scheduling();
            async move {
                let list = calls.list_waitlist(pb::ListWaitlistRequest::default()).await.unwrap().into_inner();
                list.places.into_iter().filter_map(|it| it.entry).map(|it| (it.client_id, it.escalated)).collect::<Vec<_>>()
            }
        };
        assert_eq!(order(&ngo.coordinator).await, [(earlier.id.clone(), false), (client.id.clone(), false)]);
        let me = ngo.as_counsellor(&app, &counsellor);
        let it = report(&me, concern(&client, ConcernKind::Threat)).await.unwrap().escalation.unwrap();
        assert_eq!(order(&ngo.coordinator).await, [(client.id.clone(), true), (earlier.id.clone(), false)]);
        resolve(&me, resolving(&it, Action::Referral)).await.unwrap();
        assert_eq!(order(&ngo.coordinator).await, [(earlier.id.clone(), false), (client.id.clone(), false)]);
    }
}
