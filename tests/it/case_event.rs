//! Events of cases are recorded with their source, corrected in the open, and never changed.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use chrono::TimeDelta;
use pb::CaseEventKind as Kind;
use tonic::{Code, Status};

use crate::attendance::{clinical_lead, why, wrong};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, at, date, refused};

fn event(case: &pb::Case, kind: Kind, on: &str) -> pb::RecordCaseEventRequest {
    pb::RecordCaseEventRequest {
        case_id: case.id.clone(),
        kind: kind.into(),
        happened_on: Some(date(on)),
        source: "Diary 4/2026".into(),
        actor: "Example office".into(),
        zone: "Asia/Kolkata".into(),
        ..Default::default()
    }
}

fn correcting(before: &pb::CaseEvent, instead: pb::RecordCaseEventRequest) -> pb::RecordCaseEventRequest {
    let supersedes_case_event_id = before.id.clone();
    pb::RecordCaseEventRequest { supersedes_case_event_id, reason: "read from another line".into(), ..instead }
}

fn withdrawing(before: &pb::CaseEvent) -> pb::RecordCaseEventRequest {
    pb::RecordCaseEventRequest {
        case_id: before.case_id.clone(),
        supersedes_case_event_id: before.id.clone(),
        withdraw: true,
        source: "Letter 9".into(),
        actor: "Example office".into(),
        reason: "it did not take place".into(),
        ..Default::default()
    }
}

async fn record(actor: &Actor, request: pb::RecordCaseEventRequest) -> Result<pb::CaseEvent, Status> {
    Ok(actor.follow_up().record_case_event(request).await?.into_inner().case_event.unwrap())
}

async fn events(actor: &Actor, case: &pb::Case) -> Result<Vec<pb::CaseEvent>, Status> {
    let request = pb::ListCaseEventsRequest { case_id: case.id.clone() };
    Ok(actor.follow_up().list_case_events(request).await?.into_inner().case_events)
}

/// An organisation's record of a case, with a survivor.
async fn case(ngo: &Ngo) -> pb::Case {
    ngo.party_of("12/2026", "Example Station", &ngo.survivor().await).await
}

on_both_engines! {
    async fn days_are_local_and_instants_exact(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        let report = record(&ngo.coordinator, event(&case, Kind::Report, "2026-11-20")).await.unwrap();
        assert_eq!((report.kind(), report.time_known, report.withdrawn), (Kind::Report, false, false));
        assert_eq!((report.happened_on, report.happened_at), (Some(date("2026-11-20")), at("2026-11-19T18:30:00Z")));
        assert_eq!((report.source.as_str(), report.actor.as_str()), ("Diary 4/2026", "Example office"));
        assert_eq!((report.recorded_at, report.recorded_by.as_str()), (at("2026-11-23T04:00:00Z"), "coordinator@A"));
        // 00:15 there, which is the day before in UTC.
        let happened_at = at("2026-11-20T18:45:00Z");
        let exact = pb::RecordCaseEventRequest { happened_at, happened_on: None, ..event(&case, Kind::Information, "2026-11-20") };
        let lead = clinical_lead(&app, &ngo);
        let exact = record(&lead, exact).await.unwrap();
        assert_eq!((exact.happened_on, exact.happened_at, exact.time_known), (Some(date("2026-11-21")), happened_at, true));
        assert_eq!(events(&lead, &case).await.unwrap(), [report, exact]);
    }

    async fn nothing_has_happened_that_has_not(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        // 23:45 there; a quarter of an hour later the day has come.
        app.clock.set("2026-11-23T18:15:00Z".parse().unwrap());
        let tomorrow = event(&case, Kind::Report, "2026-11-24");
        assert_eq!(wrong(record(&ngo.coordinator, tomorrow.clone()).await), ["happened_on"]);
        let exact = |happened_at: &str| pb::RecordCaseEventRequest { happened_at: at(happened_at), happened_on: None, ..tomorrow.clone() };
        assert_eq!(wrong(record(&ngo.coordinator, exact("2026-11-23T18:15:01Z")).await), ["happened_at"]);
        record(&ngo.coordinator, exact("2026-11-23T18:15:00Z")).await.unwrap();
        app.clock.advance(TimeDelta::minutes(15));
        record(&ngo.coordinator, tomorrow).await.unwrap();
    }

    async fn every_bad_field_is_named_at_once(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        let me = &ngo.coordinator;
        let none = pb::RecordCaseEventRequest { zone: "Nowhere".into(), reason: "x".into(), ..Default::default() };
        let fields = ["case_id", "reason", "kind", "happened_at", "source", "actor", "zone"];
        assert_eq!(wrong(record(me, none).await), fields);
        let plain = event(&case, Kind::Report, "2026-11-20");
        let both = pb::RecordCaseEventRequest { happened_at: at("2026-11-20T04:00:00Z"), ..plain.clone() };
        assert_eq!(wrong(record(me, both).await), ["happened_on"]);
        // Where nothing says in which zone a day is meant, the caller must.
        let nowhere = pb::RecordCaseEventRequest { zone: String::new(), ..plain.clone() };
        assert_eq!(wrong(record(me, nowhere).await), ["zone"]);
        let withdraw = pb::RecordCaseEventRequest { withdraw: true, ..plain.clone() };
        let fields = ["reason", "kind", "happened_on", "zone", "supersedes_case_event_id"];
        assert_eq!(wrong(record(me, withdraw).await), fields);
        let unexplained = pb::RecordCaseEventRequest { supersedes_case_event_id: case.id.clone(), ..plain };
        assert_eq!(wrong(record(me, unexplained).await), ["reason"]);
    }

    async fn a_correction_takes_the_place_of_one_and_all_stay(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        let me = &ngo.coordinator;
        let first = record(me, event(&case, Kind::Report, "2026-11-20")).await.unwrap();
        let second = record(me, correcting(&first, event(&case, Kind::Information, "2026-11-19"))).await.unwrap();
        assert_eq!((&second.supersedes_case_event_id, second.reason.as_str()), (&first.id, "read from another line"));
        let again = record(me, correcting(&first, event(&case, Kind::Report, "2026-11-18"))).await;
        assert_eq!(why(again), "SUPERSEDED");
        assert_eq!(why(record(me, withdrawing(&first)).await), "SUPERSEDED");
        app.clock.advance(TimeDelta::seconds(1));
        let third = record(me, withdrawing(&second)).await.unwrap();
        assert_eq!((third.withdrawn, third.kind(), third.happened_on), (true, Kind::Information, second.happened_on));
        assert_eq!(third.source, "Letter 9");
        assert_eq!(wrong(record(me, withdrawing(&third)).await), ["supersedes_case_event_id"]);
        // Who withdrew it was wrong, too.
        app.clock.advance(TimeDelta::seconds(1));
        let fourth = record(me, correcting(&third, event(&case, Kind::Information, "2026-11-19"))).await.unwrap();
        let gone = |it: pb::CaseEvent| pb::CaseEvent { superseded: true, ..it };
        let all = [gone(second), gone(third), fourth, gone(first)];
        assert_eq!(events(me, &case).await.unwrap(), all);
        // Of the same case only.
        let other = ngo.party_of("13/2026", "Example Station", &ngo.survivor().await).await;
        let foreign = record(me, correcting(&all[2], event(&other, Kind::Report, "2026-11-20"))).await;
        assert_eq!(foreign.unwrap_err().code(), Code::NotFound);
    }

    async fn one_of_two_corrections_stands(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        let me = &ngo.coordinator;
        let beside = app.beside().await;
        let other = beside.bearer(me.token.clone());
        let mut standing = record(me, event(&case, Kind::Report, "2026-11-20")).await.unwrap();
        for _ in 0..8 {
            let one = correcting(&standing, event(&case, Kind::Report, "2026-11-19"));
            let two = correcting(&standing, event(&case, Kind::Report, "2026-11-18"));
            let (a, b) = tokio::join!(record(me, one), record(&other, two));
            let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
            assert_eq!(why(lost), "SUPERSEDED");
            standing = won.unwrap();
        }
        let left = events(me, &case).await.unwrap().into_iter().filter(|it| !it.superseded).collect::<Vec<_>>();
        assert_eq!(left, [standing]);
    }

    async fn a_case_is_its_own_organisations_and_no_counsellors(app) {
        let (ngo, elsewhere) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let case = case(&ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let police = app.actor(Authority::Police { jurisdiction: aftercare::domain::text::Code::parse("KL-TVM").unwrap() });
        for (actor, code) in [
            (&ngo.as_counsellor(&app, &counsellor), Code::PermissionDenied),
            (&police, Code::PermissionDenied),
            (&app.admin(), Code::PermissionDenied),
            (&elsewhere.coordinator, Code::NotFound),
            (&clinical_lead(&app, &elsewhere), Code::NotFound),
        ] {
            let refusal = record(actor, event(&case, Kind::Report, "2026-11-20")).await.unwrap_err();
            assert_eq!(refused(&refusal).code, code);
            assert_eq!(events(actor, &case).await.unwrap_err().code(), code);
        }
        assert_eq!(events(&ngo.coordinator, &case).await.unwrap(), []);
    }

    async fn the_same_request_is_one_event_and_reads_leave_a_trace_without_words(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let source = "A planted source".to_owned();
        let request = pb::RecordCaseEventRequest { request_id, source, ..event(&case, Kind::Cognizance, "2026-11-20") };
        let first = record(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!(record(&ngo.coordinator, request).await.unwrap(), first);
        assert_eq!(events(&ngo.coordinator, &case).await.unwrap(), std::slice::from_ref(&first));
        let rows = app.audit().await;
        for action in ["/RecordCaseEvent", "/ListCaseEvents"] {
            let mut of = rows.iter().filter(|it| it.action.ends_with(action));
            assert!(of.any(|it| it.subjects.contains(&first.id) && it.subjects.contains(&case.id)), "{action}");
        }
        assert!(!format!("{rows:?}").contains("planted"));
    }

    async fn the_milestones_of_the_case_move_with_its_events(app) {
        let ngo = Ngo::new(&app, "A").await;
        let case = case(&ngo).await;
        let me = &ngo.coordinator;
        let zone = "Asia/Kolkata".to_owned();
        let plan = pb::EnrolFollowUpRequest { case_id: case.id.clone(), zone, ..Default::default() };
        me.follow_up().enrol_follow_up(plan).await.unwrap();
        let days = |all: &[pb::Milestone], code: &str| {
            let it = all.iter().find(|it| it.code == code).unwrap();
            (it.anchor_on, it.due_on, it.done_on)
        };
        // The zone is that of the plan from now on.
        let plain = |kind, on| pb::RecordCaseEventRequest { zone: String::new(), ..event(&case, kind, on) };
        let recorded = me.follow_up().record_case_event(plain(Kind::Cognizance, "2026-11-10")).await.unwrap().into_inner();
        let (wrong, moved) = (recorded.case_event.unwrap(), recorded.milestones);
        assert_eq!(days(&moved, "CHILD_EVIDENCE"), (Some(date("2026-11-10")), Some(date("2026-12-10")), None));
        let right = correcting(&wrong, plain(Kind::Cognizance, "2026-11-12"));
        let recorded = me.follow_up().record_case_event(right).await.unwrap().into_inner();
        let moved = recorded.milestones;
        assert_eq!(days(&moved, "CHILD_EVIDENCE"), (Some(date("2026-11-12")), Some(date("2026-12-12")), None));
        let done = plain(Kind::ChildEvidenceRecorded, "2026-11-20");
        let recorded = me.follow_up().record_case_event(done).await.unwrap().into_inner();
        let moved = recorded.milestones;
        assert_eq!(days(&moved, "CHILD_EVIDENCE").2, Some(date("2026-11-20")));
        // It did not take place.
        let none = withdrawing(&recorded.case_event.unwrap());
        let moved = me.follow_up().record_case_event(none).await.unwrap().into_inner().milestones;
        assert_eq!(days(&moved, "CHILD_EVIDENCE").2, None);
        let none = withdrawing(&events(me, &case).await.unwrap().into_iter().find(|it| !it.superseded && !it.withdrawn).unwrap());
        let moved = me.follow_up().record_case_event(none).await.unwrap().into_inner().milestones;
        assert_eq!(days(&moved, "CHILD_EVIDENCE"), (None, None, None));
    }
}
