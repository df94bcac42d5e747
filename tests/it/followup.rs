//! Plans: made, read, changed and closed, and the days that follow from what is known.

use std::collections::BTreeMap;

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneStatus as Status;
use futures_util::future::join_all;
use tonic::Code;
use tonic_types::StatusExt;

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::followup::{
    Followed, Plan, clinical_lead, enrol, enrolled, enrolled_with, enrolling, listed, plan_of, update, updating,
};
use crate::support::treatment::{afternoon, attended, late, no_show};
use crate::support::{Ngo, amend, amending, at, date, refused};

/// What a refusal says of its reason and of what stands in the way.
fn reason(status: &tonic::Status) -> (String, String) {
    let details = status.get_error_details();
    let subject = details.precondition_failure().and_then(|it| it.violations.first()).map(|it| it.subject.clone());
    (refused(status).reason, subject.unwrap_or_default())
}

fn no_days(plan: &Plan, codes: &[&str]) {
    for code in codes {
        assert_eq!(plan.days(code), ["", "", ""], "{code}");
        assert_eq!(plan.status(code), Status::NotDue, "{code}");
    }
}

const AFTER: [&str; 4] = ["FU_1M", "FU_3M", "FU_6M", "FU_12M"];

on_both_engines! {
    async fn a_plan_has_the_milestones_of_its_template(app) {
        let it = enrolled(&app).await;
        let plan = it.plan().await;
        assert_eq!((plan.plan.template.as_str(), plan.plan.template_version), ("SURVIVOR_STANDARD", 1));
        assert_eq!((plan.plan.planned_sessions, plan.plan.zone.as_str()), (12, "Asia/Kolkata"));
        assert_eq!(plan.days("BASELINE"), ["2026-01-05", "2026-01-05", "2026-01-12"]);
        assert_eq!(plan.days("MONITOR_2W"), ["2026-01-16", "2026-01-19", "2026-01-26"]);
        assert_eq!(plan.days("MONITOR_1M"), ["2026-01-29", "2026-02-05", "2026-02-19"]);
        no_days(&plan, &["MID", "END", "FU_1M", "FU_3M", "FU_6M", "FU_12M"]);
        let open: Vec<_> = plan.statuses().into_iter().filter(|(_, status)| *status == Status::Open).collect();
        assert_eq!(open, [("BASELINE", Status::Open)]);
        assert_eq!(plan.milestones.iter().map(|it| it.code.as_str()).take(3).collect::<Vec<_>>(),
            ["BASELINE", "MONITOR_2W", "MONITOR_1M"]);
        assert_eq!(plan.instruments("BASELINE"), ["GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9"]);
        assert_eq!(plan.instruments("MONITOR_2W"), ["PC_PTSD_5"]);
        assert_eq!(plan.instruments("FU_1M"), ["PCL_5", "PHQ_9"]);
        assert_eq!(plan.instruments("MID"), ["PCL_5"]);
        let end = plan.milestone("END");
        assert_eq!((end.anchor(), end.client_id.as_str()), (pb::MilestoneAnchor::End, it.client.id.as_str()));
        assert_eq!(end.client_reference, it.client.reference);
    }

    async fn every_wrong_field_is_named(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (survivors, offenders) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        let case = ngo.party_of("12/2026", "Example Nagar", &survivor).await;
        let fine = enrolling(&survivor, &survivors, "2026-11-23");
        let of_case = pb::EnrolFollowUpRequest { case_id: case.id.clone(), ..Default::default() };
        let tomorrow = Some(date("2026-11-24"));
        for (request, wrong) in [
            (pb::EnrolFollowUpRequest::default(), &["client_id"][..]),
            (pb::EnrolFollowUpRequest { case_id: case.id.clone(), ..fine.clone() }, &["client_id"]),
            (pb::EnrolFollowUpRequest { planned_sessions: 5, zone: "Kerala".into(), ..fine.clone() },
                &["zone", "planned_sessions"]),
            (pb::EnrolFollowUpRequest { planned_sessions: 26, ..fine.clone() }, &["planned_sessions"]),
            (pb::EnrolFollowUpRequest {
                intake_on: tomorrow, report_on: tomorrow, template: "POCSO".into(), ..fine.clone()
            }, &["report_on", "intake_on", "template"]),
            (pb::EnrolFollowUpRequest { client_id: offender.id.clone(), ..fine.clone() }, &["client_id"]),
            (pb::EnrolFollowUpRequest { counsellor_id: String::new(), ..fine.clone() }, &["counsellor_id"]),
            (pb::EnrolFollowUpRequest { counsellor_id: offenders.id.clone(), ..fine.clone() }, &["counsellor_id"]),
            (of_case.clone(), &["zone"]),
            (pb::EnrolFollowUpRequest {
                counsellor_id: survivors.id.clone(), report_on: tomorrow, planned_sessions: 12, ..of_case
            }, &["counsellor_id", "report_on", "planned_sessions", "zone"]),
        ] {
            let refusal = refused(&enrol(&ngo.coordinator, request).await.err().unwrap());
            assert_eq!((refusal.code, &refusal.items[..]), (Code::InvalidArgument, &wrong.iter().map(|it| it.to_string()).collect::<Vec<_>>()[..]));
        }
        let other = Ngo::new(&app, "B").await;
        let foreign = pb::EnrolFollowUpRequest { client_id: other.survivor().await.id, ..fine.clone() };
        assert_eq!(enrol(&ngo.coordinator, foreign).await.err().unwrap().code(), Code::NotFound);
        let theirs = other.counsellor("C1", pb::Side::Survivor).await;
        let foreign = pb::EnrolFollowUpRequest { counsellor_id: theirs.id, ..fine.clone() };
        assert_eq!(enrol(&ngo.coordinator, foreign).await.err().unwrap().code(), Code::NotFound);
        // The last day on which the report can be: an intake before it is fine.
        let report_on = Some(date("2026-11-23"));
        enrol(&ngo.coordinator, pb::EnrolFollowUpRequest { intake_on: Some(date("2026-11-02")), report_on, ..fine }).await.unwrap();
    }

    async fn a_counsellor_who_must_not_see_the_client_is_not_responsible(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (barred, free) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        let request = pb::DeclareConflictRequest {
            client_id: client.id.clone(), counsellor_id: barred.id.clone(), ..Default::default()
        };
        ngo.coordinator.clients().declare_conflict(request).await.unwrap();
        let refusal = enrol(&ngo.coordinator, enrolling(&client, &barred, "2026-11-23")).await.err().unwrap();
        assert_eq!(refused(&refusal).items, ["counsellor_id"]);
        let plan = enrol(&ngo.coordinator, enrolling(&client, &free, "2026-11-23")).await.unwrap();
        let request = pb::UpdateFollowUpRequest { counsellor_id: barred.id, ..updating(&plan) };
        assert_eq!(refused(&update(&ngo.coordinator, request).await.err().unwrap()).items, ["counsellor_id"]);
    }

    async fn one_plan_is_open(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let case = ngo.party_of("12/2026", "Example Nagar", &client).await;
        let of_case =
            pb::EnrolFollowUpRequest { case_id: case.id.clone(), zone: "Asia/Kolkata".into(), ..Default::default() };
        for request in [enrolling(&client, &counsellor, "2026-11-23"), of_case] {
            let calls = (0..8).map(|_| {
                let (actor, request) = (ngo.coordinator.clone(), request.clone());
                tokio::spawn(async move { enrol(&actor, request).await })
            });
            let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            let made: Vec<_> = answers.iter().filter_map(|it| it.as_ref().ok()).collect();
            assert_eq!(made.len(), 1);
            for refusal in answers.iter().filter_map(|it| it.as_ref().err()) {
                assert_eq!(reason(refusal), ("ALREADY_ENROLLED".into(), made[0].plan.id.clone()));
            }
        }
        no_deadlock(&app).await;
    }

    async fn a_request_made_twice_makes_one_plan(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let request_id = "0193a5e0-0000-4000-8000-000000000001".to_owned();
        let request = pb::EnrolFollowUpRequest { request_id, ..enrolling(&client, &counsellor, "2026-11-23") };
        let first = enrol(&ngo.coordinator, request.clone()).await.unwrap();
        let again = enrol(&ngo.coordinator, request).await.unwrap();
        assert_eq!((&first.plan, &first.milestones), (&again.plan, &again.milestones));
    }

    async fn who_is_responsible_sees_the_client(app) {
        let mut it = enrolled(&app).await;
        let other = it.ngo.counsellor("C-2", pb::Side::Survivor).await;
        let (responsible, stranger) = (it.responsible(&app), it.ngo.as_counsellor(&app, &other));
        let get = pb::GetClientRequest { client_id: it.client.id.clone() };
        responsible.clients().get_client(get.clone()).await.unwrap();
        let list = pb::ListClientsRequest::default();
        let clients = responsible.clients().list_clients(list.clone()).await.unwrap().into_inner().clients;
        assert_eq!(clients.iter().map(|it| &it.id).collect::<Vec<_>>(), [&it.client.id]);
        plan_of(&responsible, &it.client).await.unwrap();
        plan_of(&clinical_lead(&app, &it.ngo), &it.client).await.unwrap();
        assert_eq!(stranger.clients().get_client(get.clone()).await.err().unwrap().code(), Code::NotFound);
        assert_eq!(plan_of(&stranger, &it.client).await.err().unwrap().code(), Code::NotFound);
        let elsewhere = Ngo::new(&app, "B").await;
        assert_eq!(plan_of(&elsewhere.coordinator, &it.client).await.err().unwrap().code(), Code::NotFound);
        // By its id as well.
        let plan_id = it.plan().await.plan.id;
        for actor in [&stranger, &elsewhere.coordinator] {
            let request = pb::GetFollowUpRequest { plan_id: plan_id.clone(), ..Default::default() };
            assert_eq!(actor.follow_up().get_follow_up(request).await.err().unwrap().code(), Code::NotFound);
            let request = pb::UpdateFollowUpRequest { planned_sessions: 8, ..updating(&it.plan().await) };
            assert_eq!(update(actor, request).await.err().unwrap().code(), Code::NotFound);
        }
        // Whoever leads a session sees it too; a counsellor hands nobody over.
        let start = "2026-01-06T04:30:00Z";
        let booked = crate::support::booking(&it.ngo, &other, &it.client, start);
        crate::support::book(&it.ngo.coordinator, booked).await.unwrap();
        let plan = plan_of(&stranger, &it.client).await.unwrap();
        let request = pb::UpdateFollowUpRequest { counsellor_id: other.id.clone(), ..updating(&plan) };
        let taken = update(&stranger, request.clone()).await.unwrap();
        assert_eq!(taken.plan.counsellor_id, other.id);
        let request = pb::UpdateFollowUpRequest { counsellor_id: it.counsellor.id.clone(), ..updating(&taken) };
        assert_eq!(refused(&update(&stranger, request).await.err().unwrap()).items, ["counsellor_id"]);
        // Who is not responsible any more, and has no session, sees nothing any more.
        assert_eq!(plan_of(&responsible, &it.client).await.err().unwrap().code(), Code::NotFound);
        it.close(pb::FollowUpClosing::Transferred).await.unwrap();
    }

    async fn the_end_moves_with_the_sessions_until_the_discharge(app) {
        let mut it = enrolled(&app).await;
        for day in ["2026-01-12", "2026-01-19", "2026-01-26"] {
            it.session(day).await;
        }
        let plan = it.plan().await;
        assert_eq!(plan.days("END"), ["2026-01-19", "2026-01-26", "2026-02-09"]);
        assert!(plan.milestone("END").provisional && plan.milestone("FU_1M").provisional);
        assert_eq!(plan.days("FU_1M"), ["2026-02-19", "2026-02-26", "2026-03-12"]);
        // Moved, and moved back, and called off.
        it.reschedule("2026-01-26", "2026-02-02").await;
        assert_eq!(it.plan().await.days("END"), ["2026-01-26", "2026-02-02", "2026-02-16"]);
        it.cancel("2026-02-02").await;
        assert_eq!(it.plan().await.days("END"), ["2026-01-12", "2026-01-19", "2026-02-02"]);
        it.go_to(&app, "2026-01-19");
        assert_eq!(it.plan().await.status("END"), Status::Open);
        it.go_to(&app, "2026-03-05");
        let plan = it.plan().await;
        assert_eq!(plan.status("END"), Status::Missed);
        AFTER.iter().for_each(|code| assert_eq!(plan.status(code), Status::NotDue, "{code}"));
        // What was planned does not matter once the discharge is recorded; it may be corrected.
        let request = pb::UpdateFollowUpRequest { discharged_on: Some(date("2026-01-31")), ..updating(&plan) };
        let plan = update(&it.ngo.coordinator, request).await.unwrap();
        assert_eq!(plan.days("END"), ["2026-01-24", "2026-01-31", "2026-02-14"]);
        assert_eq!(plan.days("FU_1M"), ["2026-02-21", "2026-02-28", "2026-03-14"]);
        assert_eq!(plan.days("FU_3M"), ["2026-04-16", "2026-04-30", "2026-05-21"]);
        assert_eq!(plan.status("FU_1M"), Status::Due);
        assert!(plan.milestones.iter().all(|it| !it.provisional));
        it.session("2026-03-09").await;
        assert_eq!(it.plan().await.days("END"), plan.days("END"));
        let request = pb::UpdateFollowUpRequest { discharged_on: Some(date("2026-02-28")), ..updating(&it.plan().await) };
        let plan = update(&it.ngo.coordinator, request).await.unwrap();
        assert_eq!(plan.days("FU_1M"), ["2026-03-21", "2026-03-28", "2026-04-11"]);
        let request = pb::UpdateFollowUpRequest { not_discharged: true, ..updating(&plan) };
        let plan = update(&it.ngo.coordinator, request).await.unwrap();
        assert_eq!(plan.days("END"), ["2026-03-02", "2026-03-09", "2026-03-23"]);
        assert_eq!((plan.plan.discharged_on, plan.status("FU_1M")), (None, Status::NotDue));
    }

    async fn half_time_is_the_day_of_an_attended_session(app) {
        let mut it = enrolled_with(&app, |_| {}, |plan| plan.planned_sessions = 6).await;
        let days = ["2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"];
        for day in days {
            it.session(day).await;
        }
        it.go_to(&app, "2026-02-03");
        it.record(days[0], attended()).await;
        it.record(days[1], no_show()).await;
        it.record(days[2], late(10)).await;
        no_days(&it.plan().await, &["MID"]);
        it.record(days[3], attended()).await;
        assert_eq!(it.plan().await.days("MID"), ["2026-02-02", "2026-02-02", "2026-02-16"]);
        // A correction moves it: what was said to be missed was attended.
        let request = amending(it.on(days[1]), &it.client, "1", pb::AttendanceOutcome::AttendedComplied);
        amend(&it.ngo.coordinator, request).await.unwrap();
        assert_eq!(it.plan().await.days("MID"), ["2026-01-26", "2026-01-26", "2026-02-09"]);
        let request = pb::UpdateFollowUpRequest { planned_sessions: 12, ..updating(&it.plan().await) };
        no_days(&update(&it.ngo.coordinator, request).await.unwrap(), &["MID"]);
    }

    async fn days_are_those_of_the_zone(app) {
        // Midnight in Asia/Kolkata is half past six in UTC; in Honolulu it is still the day before.
        let mut it = enrolled_with(&app, |_| {}, |plan| plan.zone = "Pacific/Honolulu".into()).await;
        assert_eq!(it.plan().await.plan.zone, "Pacific/Honolulu");
        it.session("2026-01-12").await;
        assert_eq!(it.plan().await.days("END"), ["2026-01-04", "2026-01-11", "2026-01-25"]);
        app.clock.set("2026-01-13T09:59:59Z".parse().unwrap());
        it.sign_in(&app);
        assert_eq!(it.plan().await.status("BASELINE"), Status::Due);
        app.clock.set("2026-01-13T10:00:00Z".parse().unwrap());
        assert_eq!(it.plan().await.status("BASELINE"), Status::Missed);
        // Somebody seen a quarter past midnight was seen on that day, though it is the day before in UTC.
        let night = |counsellor: &mut pb::Counsellor| {
            for hours in &mut counsellor.working_hours {
                hours.starts = Some(crate::support::time_of_day(0, 0));
            }
        };
        let awake = it.ngo.counsellor_with("C-N", pb::Side::Survivor, night).await;
        let client = it.ngo.survivor().await;
        let request = enrolling(&client, &awake, "2026-01-12");
        enrol(&it.ngo.coordinator, request).await.unwrap();
        let mut request = crate::support::booking(&it.ngo, &awake, &client, "2026-01-19T18:45:00Z");
        request.modality = pb::Modality::Remote.into();
        request.venue_id = String::new();
        crate::support::book(&it.ngo.coordinator, request).await.unwrap();
        let plan = plan_of(&it.ngo.coordinator, &client).await.unwrap();
        assert_eq!(plan.days("END"), ["2026-01-13", "2026-01-20", "2026-02-03"]);
    }

    async fn whoever_comes_late_is_not_monitored(app) {
        let it = enrolled_with(&app, |_| {}, |plan| plan.report_on = Some(date("2025-12-04"))).await;
        let monitored = |plan: &Plan| [plan.status("MONITOR_2W"), plan.status("MONITOR_1M")];
        assert_eq!(monitored(&it.plan().await), [Status::NotApplicable; 2]);
        let request = pb::UpdateFollowUpRequest { report_on: Some(date("2025-12-05")), ..updating(&it.plan().await) };
        let plan = update(&it.ngo.coordinator, request).await.unwrap();
        assert_eq!(monitored(&plan), [Status::Missed, Status::Open]);
        let other = it.ngo.survivor().await;
        let unknown = pb::EnrolFollowUpRequest { report_on: None, ..enrolling(&other, &it.counsellor, "2026-01-05") };
        let plan = enrol(&it.ngo.coordinator, unknown).await.unwrap();
        no_days(&plan, &["MONITOR_2W", "MONITOR_1M"]);
    }

    async fn the_age_on_the_due_day_says_what_is_asked(app) {
        // Eighteen on the twentieth of January.
        let born_on = |day: &str| { let day = date(day); move |client: &mut pb::Client| client.born_on = Some(day) };
        let mut it = enrolled_with(&app, born_on("2008-01-20"), |_| {}).await;
        let plan = it.plan().await;
        assert_eq!(plan.instruments("BASELINE"), ["CATS_2", "CRIES_8", "GAD_7", "PHQ_A"]);
        assert_eq!(plan.instruments("MONITOR_2W"), ["CRIES_8"]);
        assert_eq!(plan.instruments("MONITOR_1M"),
            ["CATS_2", "CRIES_8", "GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9", "PHQ_A"]);
        assert_eq!(plan.instruments("FU_1M"), ["CRIES_8", "PHQ_A"]);
        it.go_to(&app, "2026-03-05");
        let request = pb::UpdateFollowUpRequest { discharged_on: Some(date("2026-03-02")), ..updating(&plan) };
        let lead = clinical_lead(&app, &it.ngo);
        let plan = update(&lead, request).await.unwrap();
        assert_eq!(plan.instruments("FU_1M"), ["CRIES_8", "PCL_5", "PHQ_9", "PHQ_A"]);
        // Nothing is answered by the little ones themselves.
        let small = it.ngo.survivor_with(born_on("2020-06-01")).await;
        let plan = enrol(&lead, enrolling(&small, &it.counsellor, "2026-03-05")).await.unwrap();
        assert_eq!((plan.status("BASELINE"), plan.instruments("BASELINE").len()), (Status::NotApplicable, 0));
        // Whose age nobody knows is asked once it is known.
        let unknown = it.ngo.client_with(pb::Side::Survivor, |_| {}).await;
        let plan = enrol(&lead, enrolling(&unknown, &it.counsellor, "2026-03-05")).await.unwrap();
        assert_eq!((plan.status("BASELINE"), plan.instruments("BASELINE").len()), (Status::Open, 0));
        let client = pb::Client { born_on: Some(date("1990-01-01")), ..unknown };
        let request = pb::UpdateClientRequest { client: Some(client.clone()), ..Default::default() };
        let client = it.ngo.coordinator.clients().update_client(request).await.unwrap().into_inner().client.unwrap();
        let plan = plan_of(&lead, &client).await.unwrap();
        assert_eq!(plan.instruments("BASELINE"), ["GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9"]);
        // Coordinators see status and days, and not what is asked.
        let plan = plan_of(&it.ngo.coordinator, &client).await.unwrap();
        assert_eq!((plan.status("BASELINE"), plan.instruments("BASELINE").len()), (Status::Open, 0));
        // An age that is corrected is asked for what belongs to it.
        let corrected = pb::Client { born_on: Some(date("2011-01-01")), ..client };
        let request = pb::UpdateClientRequest { client: Some(corrected.clone()), ..Default::default() };
        it.ngo.coordinator.clients().update_client(request).await.unwrap();
        let plan = plan_of(&lead, &corrected).await.unwrap();
        assert_eq!(plan.instruments("BASELINE"), ["CATS_2", "CRIES_8", "GAD_7", "PHQ_A"]);
    }

    async fn nothing_falls_due_in_a_closed_plan(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-14");
        let before = it.plan().await;
        assert_eq!(before.status("BASELINE"), Status::Missed);
        let stale = pb::CloseFollowUpRequest {
            plan_id: before.plan.id.clone(), etag: "7".into(), closing: 1, ..Default::default()
        };
        let refusal = it.ngo.coordinator.follow_up().close_follow_up(stale).await.err().unwrap();
        assert_eq!(refusal.code(), Code::Aborted);
        let closed = it.close(pb::FollowUpClosing::DroppedOut).await.unwrap();
        assert_eq!(closed.closing(), pb::FollowUpClosing::DroppedOut);
        assert_eq!(closed.closed_at, at("2026-01-14T10:30:00Z"));
        it.go_to(&app, "2027-01-14");
        assert_eq!(it.plan().await.statuses(), before.statuses());
        assert!(listed(&it.ngo.coordinator, pb::ListMilestonesRequest::default()).await.unwrap().is_empty());
        let request = pb::UpdateFollowUpRequest { planned_sessions: 8, ..updating(&it.plan().await) };
        assert_eq!(reason(&update(&it.ngo.coordinator, request).await.err().unwrap()).0, "PLAN_CLOSED");
        assert_eq!(reason(&it.close(pb::FollowUpClosing::Completed).await.err().unwrap()).0, "PLAN_CLOSED");
        // Another may be opened, which is the last from then on.
        let again = enrol(&it.ngo.coordinator, enrolling(&it.client, &it.counsellor, "2027-01-14")).await.unwrap();
        assert_eq!(it.plan().await.plan.id, again.plan.id);
        assert_ne!(again.plan.id, before.plan.id);
    }

    async fn what_is_wrong_with_a_change_is_named(app) {
        let it = enrolled(&app).await;
        let fine = updating(&it.plan().await);
        for (request, wrong) in [
            (pb::UpdateFollowUpRequest { etag: String::new(), planned_sessions: 3, ..fine.clone() },
                &["etag", "planned_sessions"][..]),
            (pb::UpdateFollowUpRequest { discharged_on: Some(date("2026-01-04")), ..fine.clone() }, &["discharged_on"]),
            (pb::UpdateFollowUpRequest {
                intake_on: Some(date("2026-01-06")), report_on: Some(date("2026-01-06")),
                discharged_on: Some(date("2026-01-06")), ..fine.clone()
            }, &["intake_on", "report_on", "discharged_on"]),
            (pb::UpdateFollowUpRequest {
                discharged_on: Some(date("2026-01-05")), not_discharged: true, ..fine.clone()
            }, &["not_discharged"]),
        ] {
            let refusal = refused(&update(&it.ngo.coordinator, request).await.err().unwrap());
            assert_eq!((refusal.code, refusal.items), (Code::InvalidArgument, wrong.iter().map(|it| it.to_string()).collect()));
        }
        update(&it.ngo.coordinator, pb::UpdateFollowUpRequest { planned_sessions: 8, ..fine.clone() }).await.unwrap();
        let refusal = update(&it.ngo.coordinator, fine).await.err().unwrap();
        assert_eq!(refusal.code(), Code::Aborted);
    }

    async fn the_newest_templates_are_listed(app) {
        let ngo = Ngo::new(&app, "A").await;
        let read = ngo.coordinator.follow_up().list_plan_templates(pb::ListPlanTemplatesRequest {}).await.unwrap();
        let all = read.into_inner().templates;
        let heads: Vec<_> = all.iter().map(|it| (it.code.as_str(), it.version, it.milestones.len())).collect();
        assert_eq!(heads, [("POCSO", 1, 11), ("SURVIVOR_STANDARD", 1, 9)]);
        let limits: BTreeMap<_, _> =
            all.iter().flat_map(|it| &it.milestones).map(|it| (it.code.as_str(), it.limit.as_str())).collect();
        let some = ["MED_EXAM", "SP_MONTHLY", "SUPPORT_PERSON", "AGE_TEST", "FU_3M"].map(|code| limits[code]);
        assert_eq!(some, ["24 hours", "1 month", "7 days", "15 days", "3 months"]);
    }

    async fn something_about_the_client_may_need_attention(app) {
        let it: Followed = enrolled(&app).await;
        assert!(!it.plan().await.plan.needs_attention);
        let request = pb::ReportConcernRequest {
            client_id: it.client.id.clone(),
            kind: pb::ConcernKind::Threat.into(),
            text: "An example".into(),
            ..Default::default()
        };
        it.ngo.coordinator.follow_up().report_concern(request).await.unwrap();
        let plan = it.plan().await;
        assert!(plan.plan.needs_attention && plan.milestones.iter().all(|it| it.needs_attention));
        assert_eq!(app.now(), afternoon("2026-01-05"));
    }
}
