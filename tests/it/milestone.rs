//! Milestones: listed, answered, excused, and booked for.

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneExcuse as Excuse;
use aftercare::grpc::pb::MilestoneStatus as Status;
use tonic::Code;

use crate::on_both_engines;
use crate::support::followup::{
    Plan, clinical_lead, due, enrol, enrolled, enrolled_with, enrolling, excuse, excusing, listed, plan_of, submit,
    update, updating, well,
};
use crate::support::{Actor, Ngo, book, booking, date, group_of, join, joining, leaving, refused, remove};

fn why(status: &tonic::Status) -> (Code, String) {
    (status.code(), refused(status).reason)
}

fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.into())
}

fn not_found() -> (Code, String) {
    (Code::NotFound, "NOT_FOUND".into())
}

async fn codes(actor: &Actor, request: pb::ListMilestonesRequest) -> Vec<String> {
    listed(actor, request).await.unwrap().into_iter().map(|it| it.code).collect()
}

fn everything() -> pb::ListMilestonesRequest {
    pb::ListMilestonesRequest::default()
}

on_both_engines! {
    async fn what_waits_to_be_done_is_listed_by_due_day(app) {
        let mut it = enrolled(&app).await;
        let mut clients = vec![it.client.clone()];
        for intake in ["2026-01-01", "2026-01-03", "2026-01-05"] {
            let client = it.ngo.survivor().await;
            enrol(&it.ngo.coordinator, enrolling(&client, &it.counsellor, intake)).await.unwrap();
            clients.push(client);
        }
        let case = it.ngo.party_of("12/2026", "Example Nagar", &it.client).await;
        let zone = "Asia/Kolkata".to_owned();
        let of_case = pb::EnrolFollowUpRequest { case_id: case.id.clone(), zone: zone.clone(), ..Default::default() };
        enrol(&it.ngo.coordinator, of_case).await.unwrap();
        let cognizance = pb::RecordCaseEventRequest {
            case_id: case.id.clone(), kind: pb::CaseEventKind::Cognizance.into(), happened_on: Some(date("2026-01-02")),
            source: "An example".into(), actor: "An example".into(), ..Default::default()
        };
        it.ngo.coordinator.follow_up().record_case_event(cognizance).await.unwrap();
        it.go_to(&app, "2026-01-16");
        let all = listed(&it.ngo.coordinator, everything()).await.unwrap();
        // Four survivors with three days each, and three steps of the case.
        assert_eq!(all.len(), 15);
        assert!(due(&all).is_sorted_by(|one, other| one.1 <= other.1));
        for page_size in [1, 3, 14, 15] {
            let request = pb::ListMilestonesRequest { page_size, ..everything() };
            assert_eq!(listed(&it.ngo.coordinator, request).await.unwrap(), all);
        }
        // Overdue, and due this week.
        let this_week = pb::ListMilestonesRequest { due_until: Some(date("2026-01-22")), ..everything() };
        let expected = [
            ("BASELINE", "2026-01-01"), ("BASELINE", "2026-01-03"), ("BASELINE", "2026-01-05"),
            ("BASELINE", "2026-01-05"), ("SUPPORT_PERSON", "2026-01-12"), ("MONITOR_2W", "2026-01-15"),
            ("MONITOR_2W", "2026-01-17"), ("MONITOR_2W", "2026-01-19"), ("MONITOR_2W", "2026-01-19"),
        ].map(|(code, on)| (code.to_owned(), on.to_owned()));
        let week = listed(&it.ngo.coordinator, this_week.clone()).await.unwrap();
        assert_eq!(due(&week), expected);
        let standing: Vec<_> = week.iter().map(pb::Milestone::status).collect();
        assert_eq!(standing[..4], [Status::Missed, Status::Missed, Status::Missed, Status::Missed]);
        assert_eq!(standing[4..7], [Status::Due, Status::Due, Status::Open]);
        let later = pb::ListMilestonesRequest { due_from: Some(date("2026-01-17")), ..this_week.clone() };
        assert_eq!(due(&listed(&it.ngo.coordinator, later).await.unwrap()), expected[6..]);
        // By kind, by client, by case, by who is responsible.
        let of_kind = |kind: pb::MilestoneKind| pb::ListMilestonesRequest { kind: kind.into(), ..everything() };
        let steps = ["SUPPORT_PERSON", "CHILD_EVIDENCE", "TRIAL_END"];
        assert_eq!(codes(&it.ngo.coordinator, of_kind(pb::MilestoneKind::Procedure)).await, steps);
        assert_eq!(codes(&it.ngo.coordinator, of_kind(pb::MilestoneKind::FollowUp)).await.len(), 12);
        let of_client = pb::ListMilestonesRequest { client_id: clients[1].id.clone(), ..everything() };
        assert_eq!(codes(&it.ngo.coordinator, of_client.clone()).await, ["BASELINE", "MONITOR_2W", "MONITOR_1M"]);
        let none = pb::ListMilestonesRequest { kind: pb::MilestoneKind::Procedure.into(), ..of_client.clone() };
        assert!(codes(&it.ngo.coordinator, none).await.is_empty());
        let of_case = pb::ListMilestonesRequest { case_id: case.id.clone(), ..everything() };
        assert_eq!(codes(&it.ngo.coordinator, of_case.clone()).await, steps);
        let responsible = pb::ListMilestonesRequest { counsellor_id: it.counsellor.id.clone(), ..everything() };
        assert_eq!(codes(&it.ngo.coordinator, responsible).await.len(), 12);
        // The clinical lead sees what a coordinator does, and what is asked; a counsellor no case; other organisations
        // nothing.
        let asked = listed(&clinical_lead(&app, &it.ngo), everything()).await.unwrap();
        assert!(asked.iter().all(|it| it.client_id.is_empty() == it.instruments.is_empty()));
        let bare = |it: pb::Milestone| pb::Milestone { instruments: Vec::new(), ..it };
        assert_eq!(asked.into_iter().map(bare).collect::<Vec<_>>(), all);
        let counsellor = it.responsible(&app);
        assert_eq!(codes(&counsellor, everything()).await.len(), 12);
        assert_eq!(why(&listed(&counsellor, of_case.clone()).await.err().unwrap()), not_found());
        let elsewhere = Ngo::new(&app, "B").await;
        assert!(codes(&elsewhere.coordinator, everything()).await.is_empty());
        for request in [of_client, of_case] {
            assert_eq!(why(&listed(&elsewhere.coordinator, request).await.err().unwrap()), not_found());
        }
        // A token fits no other query.
        let page = pb::ListMilestonesRequest { page_size: 1, ..everything() };
        let read = it.ngo.coordinator.follow_up().list_milestones(page.clone()).await.unwrap().into_inner();
        let other = pb::ListMilestonesRequest { page_token: read.next_page_token, kind: 1, ..page };
        let refusal = it.ngo.coordinator.follow_up().list_milestones(other).await.err().unwrap();
        assert_eq!(refused(&refusal).items, ["page_token"]);
    }

    async fn a_counsellor_lists_the_clients_who_are_the_own(app) {
        let mut it = enrolled(&app).await;
        let other = it.ngo.counsellor("C-2", pb::Side::Survivor).await;
        let third = it.ngo.counsellor("C-3", pb::Side::Survivor).await;
        let (two, three) = (it.ngo.as_counsellor(&app, &other), it.ngo.as_counsellor(&app, &third));
        assert_eq!(codes(&it.responsible(&app), everything()).await.len(), 3);
        assert!(codes(&two, everything()).await.is_empty());
        // Whoever leads a session lists them, until it is given away or called off.
        let session = book(&it.ngo.coordinator, booking(&it.ngo, &other, &it.client, "2026-01-06T04:30:00Z")).await.unwrap();
        let own = ["BASELINE", "END", "MONITOR_2W", "MONITOR_1M"];
        assert_eq!(codes(&two, everything()).await, own);
        let reassign = pb::ReassignCounsellorRequest {
            session_id: session.id.clone(), etag: session.etag, counsellor_id: third.id.clone(), ..Default::default()
        };
        it.ngo.coordinator.scheduling().reassign_counsellor(reassign).await.unwrap();
        assert!(codes(&two, everything()).await.is_empty());
        assert_eq!(codes(&three, everything()).await, own);
        it.ngo.cancel(&it.ngo.session(&session.id).await).await.unwrap();
        assert!(codes(&three, everything()).await.is_empty());
        // Who joins a group is its counsellors', and no more once removed.
        let one = booking(&it.ngo, &other, &it.client, "2026-01-07T04:30:00Z");
        let beside = it.ngo.survivor().await;
        let mut group = group_of(4, std::slice::from_ref(&beside), one);
        group.group.as_mut().unwrap().co_facilitator_ids = vec![third.id.clone()];
        let group = book(&it.ngo.coordinator, group).await.unwrap();
        assert!(codes(&two, everything()).await.is_empty());
        let group = join(&it.ngo.coordinator, joining(&group, &it.client)).await.unwrap();
        assert_eq!(codes(&two, everything()).await, own);
        assert_eq!(codes(&three, everything()).await, own);
        remove(&it.ngo.coordinator, leaving(&group, &it.client)).await.unwrap();
        assert!(codes(&two, everything()).await.is_empty());
        // Only those for which another is responsible.
        let theirs = pb::ListMilestonesRequest { counsellor_id: other.id.clone(), ..everything() };
        assert!(codes(&it.responsible(&app), theirs).await.is_empty());
        let request = pb::UpdateFollowUpRequest { counsellor_id: other.id.clone(), ..updating(&it.plan().await) };
        update(&it.ngo.coordinator, request).await.unwrap();
        assert!(codes(&it.responsible(&app), everything()).await.is_empty());
        assert_eq!(codes(&two, everything()).await, ["BASELINE", "MONITOR_2W", "MONITOR_1M"]);
        it.close(pb::FollowUpClosing::Completed).await.unwrap();
        assert!(codes(&two, everything()).await.is_empty());
    }

    async fn a_milestone_is_done_when_nothing_is_left_to_ask(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-12");
        let me = it.responsible(&app);
        for (instrument, on) in [("PCL_5", "2026-01-06"), ("GAD_7", "2026-01-10"), ("PC_PTSD_5", "2026-01-07")] {
            let (assessment, milestone) = submit(&me, well(&it.client, instrument, on)).await.unwrap();
            let milestone = milestone.unwrap();
            assert_eq!((milestone.code.as_str(), milestone.status()), ("BASELINE", Status::Due));
            assert_eq!(assessment.milestone_id, milestone.id);
        }
        let (_, milestone) = submit(&me, well(&it.client, "PHQ_9", "2026-01-08")).await.unwrap();
        let done = milestone.unwrap();
        assert_eq!((done.status(), done.done_on), (Status::Done, Some(date("2026-01-10"))));
        assert_eq!(it.plan().await.milestone("BASELINE"), &done);
        assert!(!codes(&it.ngo.coordinator, everything()).await.contains(&"BASELINE".to_owned()));
        // Another day of it belongs to no milestone; naming this one is refused.
        let (_, none) = submit(&me, well(&it.client, "PHQ_9", "2026-01-11")).await.unwrap();
        assert_eq!(none, None);
        let named = |instrument: &str, on: &str, milestone: &pb::Milestone| {
            pb::SubmitAssessmentRequest { milestone_id: milestone.id.clone(), ..well(&it.client, instrument, on) }
        };
        let plan = it.plan().await;
        for (request, reason) in [
            (named("PHQ_9", "2026-01-12", &done), "MILESTONE_DONE"),
            (named("GAD_7", "2026-01-12", plan.milestone("MONITOR_2W")), "INSTRUMENT_NOT_ASKED"),
            (named("PC_PTSD_5", "2026-01-12", plan.milestone("MONITOR_2W")), "MILESTONE_NOT_OPEN"),
            (named("PCL_5", "2026-01-12", plan.milestone("FU_1M")), "MILESTONE_NOT_OPEN"),
        ] {
            assert_eq!(why(&submit(&me, request).await.err().unwrap()), precondition(reason));
        }
        let other = it.ngo.survivor().await;
        let theirs = enrol(&it.ngo.coordinator, enrolling(&other, &it.counsellor, "2026-01-12")).await.unwrap();
        let foreign = named("PHQ_9", "2026-01-12", theirs.milestone("BASELINE"));
        assert_eq!(why(&submit(&me, foreign).await.err().unwrap()), not_found());
        // Late is fine, by name.
        it.go_to(&app, "2026-03-02");
        let me = it.responsible(&app);
        let monitor = it.plan().await.milestone("MONITOR_2W").clone();
        assert_eq!(monitor.status(), Status::Missed);
        let (_, none) = submit(&me, well(&it.client, "PC_PTSD_5", "2026-03-01")).await.unwrap();
        assert_eq!(none, None);
        let request = pb::SubmitAssessmentRequest {
            milestone_id: monitor.id, ..well(&it.client, "PC_PTSD_5", "2026-03-02")
        };
        let (_, late) = submit(&me, request).await.unwrap();
        assert_eq!(late.unwrap().status(), Status::DoneLate);
    }

    async fn what_is_superseded_leaves_its_milestone(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-20");
        let me = it.responsible(&app);
        let (first, milestone) = submit(&me, well(&it.client, "PC_PTSD_5", "2026-01-19")).await.unwrap();
        let done = milestone.unwrap();
        assert_eq!((done.code.as_str(), done.status()), ("MONITOR_2W", Status::Done));
        let correction = |of: &pb::Assessment, on: &str| pb::SubmitAssessmentRequest {
            supersedes_assessment_id: of.id.clone(), reason: "An example".into(), ..well(&it.client, "PC_PTSD_5", on)
        };
        // On another day of the window it is done then; before the window it is done no more.
        let (second, milestone) = submit(&me, correction(&first, "2026-01-17")).await.unwrap();
        assert_eq!(milestone.unwrap().done_on, Some(date("2026-01-17")));
        let (third, milestone) = submit(&me, correction(&second, "2026-01-08")).await.unwrap();
        // That day is in the window of the baseline, which asks for it too.
        assert_eq!(milestone.unwrap().code, "BASELINE");
        let monitor = it.plan().await.milestone("MONITOR_2W").clone();
        assert_eq!((monitor.status(), monitor.done_on), (Status::Due, None));
        let (_, milestone) = submit(&me, correction(&third, "2026-01-18")).await.unwrap();
        assert_eq!(milestone.unwrap().code, "MONITOR_2W");
        let plan = it.plan().await;
        assert_eq!(plan.status("MONITOR_2W"), Status::Done);
        assert!(plan.milestone("BASELINE").instruments.iter().all(|it| !it.done));
    }

    async fn what_is_left_open_completes_nothing(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-06");
        let me = it.responsible(&app);
        let mut request = well(&it.client, "PHQ_9", "2026-01-06");
        let declined = pb::item_answer::Answer::Missing(pb::MissingReason::Declined.into());
        request.answers[8].answer = Some(declined);
        let (open, milestone) = submit(&me, request).await.unwrap();
        let phq = |it: &pb::Milestone| it.instruments.iter().find(|it| it.instrument == "PHQ_9").unwrap().done;
        assert!(!phq(&milestone.unwrap()));
        let request = pb::SubmitAssessmentRequest {
            supersedes_assessment_id: open.id, reason: "It was asked".into(), ..well(&it.client, "PHQ_9", "2026-01-06")
        };
        let (_, milestone) = submit(&me, request).await.unwrap();
        assert!(phq(&milestone.unwrap()));
    }

    async fn done_ones_stay_when_the_end_moves(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-03-02");
        let plan = it.plan().await;
        let request = pb::UpdateFollowUpRequest { discharged_on: Some(date("2026-01-31")), ..updating(&plan) };
        update(&it.ngo.coordinator, request).await.unwrap();
        let me = it.responsible(&app);
        for instrument in ["PCL_5", "PHQ_9"] {
            let (_, milestone) = submit(&me, well(&it.client, instrument, "2026-03-01")).await.unwrap();
            assert_eq!(milestone.unwrap().code, "FU_1M");
        }
        let before = it.plan().await;
        assert_eq!((before.status("FU_1M"), before.days("FU_1M")[1].as_str()), (Status::Done, "2026-02-28"));
        let request = pb::UpdateFollowUpRequest { discharged_on: Some(date("2026-02-20")), ..updating(&before) };
        let after = update(&clinical_lead(&app, &it.ngo), request).await.unwrap();
        assert_eq!(after.milestone("FU_1M"), before.milestone("FU_1M"));
        assert_eq!(after.days("FU_3M"), ["2026-05-06", "2026-05-20", "2026-06-10"]);
    }

    async fn a_milestone_is_excused_and_taken_up_again(app) {
        let it = enrolled(&app).await;
        let me = it.responsible(&app);
        for (how, standing) in [
            (Excuse::Declined, Status::Declined), (Excuse::NotApplicable, Status::NotApplicable), (Excuse::OnHold, Status::OnHold),
        ] {
            let before = it.plan().await.milestone("BASELINE").clone();
            let excused = excuse(&me, excusing(&before, how)).await.unwrap();
            assert_eq!((excused.status(), excused.due_on), (standing, before.due_on));
            assert!(!codes(&me, everything()).await.contains(&"BASELINE".to_owned()));
            assert_eq!(excuse(&me, excusing(&before, Excuse::Resumed)).await.err().unwrap().code(), Code::Aborted);
            let reason = if how == Excuse::OnHold { "MILESTONE_ON_HOLD" } else { "MILESTONE_DONE" };
            let named = pb::SubmitAssessmentRequest { milestone_id: excused.id.clone(), ..well(&it.client, "PCL_5", "2026-01-05") };
            assert_eq!(why(&submit(&me, named).await.err().unwrap()), precondition(reason));
            let resumed = excuse(&me, excusing(&excused, Excuse::Resumed)).await.unwrap();
            assert_eq!(resumed.status(), Status::Open);
            assert_eq!(why(&excuse(&me, excusing(&resumed, Excuse::Resumed)).await.err().unwrap()), precondition("NOT_EXCUSED"));
        }
        // What was found not to apply does not wait for a person.
        let other = it.ngo.survivor().await;
        let request = pb::EnrolFollowUpRequest { report_on: Some(date("2025-06-01")), ..enrolling(&other, &it.counsellor, "2026-01-05") };
        let plan = enrol(&it.ngo.coordinator, request).await.unwrap();
        let found = plan.milestone("MONITOR_2W");
        assert_eq!(why(&excuse(&me, excusing(found, Excuse::Resumed)).await.err().unwrap()), precondition("NOT_EXCUSED"));
        for (request, wrong) in [
            (pb::ExcuseMilestoneRequest::default(), vec!["milestone_id", "etag", "excuse", "reason"]),
            (pb::ExcuseMilestoneRequest { reason: "x".into(), ..excusing(found, Excuse::OnHold) }, vec!["reason"]),
            (pb::ExcuseMilestoneRequest { instrument: "PCL_5".into(), ..excusing(found, Excuse::OnHold) }, vec!["instrument"]),
        ] {
            assert_eq!(refused(&excuse(&me, request).await.err().unwrap()).items, wrong);
        }
    }

    async fn one_instrument_is_declined(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-06");
        let me = it.responsible(&app);
        let of = |plan: &Plan, instrument: &str, how| {
            let request = excusing(plan.milestone("BASELINE"), how);
            pb::ExcuseMilestoneRequest { instrument: instrument.into(), ..request }
        };
        let all = ["GAD_7", "PCL_5", "PC_PTSD_5", "PHQ_9"];
        assert_eq!(why(&excuse(&me, of(&it.plan().await, "CRIES_8", Excuse::Declined)).await.err().unwrap()), precondition("INSTRUMENT_NOT_ASKED"));
        for instrument in all {
            excuse(&me, of(&it.plan().await, instrument, Excuse::Declined)).await.unwrap();
        }
        // Every one declined is the whole.
        let plan = it.plan().await;
        assert_eq!(plan.status("BASELINE"), Status::Declined);
        assert!(plan.milestone("BASELINE").instruments.iter().all(|it| it.excused && !it.done));
        assert_eq!(why(&excuse(&me, of(&plan, "PCL_5", Excuse::Declined)).await.err().unwrap()), precondition("MILESTONE_DONE"));
        let resumed = excuse(&me, of(&plan, "PCL_5", Excuse::Resumed)).await.unwrap();
        assert_eq!(resumed.status(), Status::Due);
        let (_, milestone) = submit(&me, well(&it.client, "PCL_5", "2026-01-06")).await.unwrap();
        assert_eq!(milestone.unwrap().status(), Status::Done);
        let plan = it.plan().await;
        assert_eq!(why(&excuse(&me, excusing(plan.milestone("BASELINE"), Excuse::OnHold)).await.err().unwrap()), precondition("MILESTONE_DONE"));
        assert_eq!(why(&excuse(&me, of(&plan, "PCL_5", Excuse::Declined)).await.err().unwrap()), precondition("MILESTONE_DONE"));
        // What was declined may be asked after all.
        let reopened = excuse(&me, of(&plan, "GAD_7", Excuse::Resumed)).await.unwrap();
        assert_eq!((reopened.status(), reopened.done_on), (Status::Due, None));
    }

    async fn excuses_are_for_the_clinical_side_of_the_organisation(app) {
        let it = enrolled(&app).await;
        let other = it.ngo.counsellor("C-2", pb::Side::Survivor).await;
        let elsewhere = Ngo::new(&app, "B").await;
        let request = excusing(it.plan().await.milestone("BASELINE"), Excuse::OnHold);
        assert_eq!(excuse(&it.ngo.coordinator, request.clone()).await.err().unwrap().code(), Code::PermissionDenied);
        for actor in [it.ngo.as_counsellor(&app, &other), clinical_lead(&app, &elsewhere)] {
            assert_eq!(why(&excuse(&actor, request.clone()).await.err().unwrap()), not_found());
        }
        excuse(&clinical_lead(&app, &it.ngo), request).await.unwrap();
        let done = |it: &&crate::support::Audited| it.action.ends_with("ExcuseMilestone") && it.outcome == "DONE";
        let all = app.audit().await;
        let all: Vec<_> = all.iter().filter(done).collect();
        assert_eq!(all.len(), 1);
        assert!(all[0].subjects.contains(&it.client.id) && !all[0].details.contains("example"));
    }

    async fn a_session_is_looked_for_inside_the_window(app) {
        let mut it = enrolled(&app).await;
        it.go_to(&app, "2026-01-13");
        let milestone = it.plan().await.milestone("MONITOR_2W").clone();
        let search = pb::FindSlotsRequest {
            milestone_id: milestone.id.clone(),
            service: pb::CareService::SurvivorAssessment.into(),
            length: Some(crate::support::minutes(60)),
            modality: pb::Modality::InPerson.into(),
            page_size: 500,
            ..Default::default()
        };
        let find = |request: pb::FindSlotsRequest| {
            let actor = it.ngo.coordinator.clone();
            async move { actor.scheduling().find_slots(request).await.map(|read| read.into_inner().slots) }
        };
        let days = |slots: &[pb::Slot]| {
            let mut days: Vec<String> = slots.iter().map(|slot| {
                let at = slot.starts_at.unwrap();
                let at = chrono::DateTime::from_timestamp(at.seconds, 0).unwrap();
                at.with_timezone(&chrono_tz::Asia::Kolkata).date_naive().to_string()
            }).collect();
            days.sort();
            days.dedup();
            days
        };
        // From the sixteenth to the twenty-sixth, every working hour.
        let window: Vec<String> = (16..=26).map(|day| format!("2026-01-{day}")).collect();
        assert_eq!(days(&find(search.clone()).await.unwrap()), window);
        let part = pb::FindSlotsRequest { window_starts_at: crate::support::at("2026-01-24T18:30:00Z"), ..search.clone() };
        assert_eq!(days(&find(part).await.unwrap()), window[9..]);
        let outside = pb::FindSlotsRequest { window_ends_at: crate::support::at("2026-01-15T18:30:00Z"), ..search.clone() };
        assert_eq!(refused(&find(outside).await.err().unwrap()).items, ["window_ends_at"]);
        let twice = pb::FindSlotsRequest { client_id: it.client.id.clone(), ..search.clone() };
        assert_eq!(refused(&find(twice).await.err().unwrap()).items, ["client_id"]);
        let end = pb::FindSlotsRequest { milestone_id: it.plan().await.milestone("END").id.clone(), ..search.clone() };
        assert_eq!(why(&find(end).await.err().unwrap()), precondition("MILESTONE_NOT_OPEN"));
        let elsewhere = Ngo::new(&app, "B").await;
        let theirs = elsewhere.coordinator.scheduling().find_slots(search.clone()).await.err().unwrap();
        assert_eq!(why(&theirs), not_found());
        // In the midst of it, from now on; after it, late.
        it.go_to(&app, "2026-01-20");
        let read = it.ngo.coordinator.scheduling().find_slots(search.clone()).await.unwrap().into_inner();
        assert_eq!(days(&read.slots), window[4..]);
        it.go_to(&app, "2026-02-20");
        let read = it.ngo.coordinator.scheduling().find_slots(search.clone()).await.unwrap().into_inner();
        assert_eq!(days(&read.slots).first().map(String::as_str), Some("2026-02-20"));
        excuse(&it.responsible(&app), excusing(&it.plan().await.milestone("MONITOR_2W").clone(), Excuse::Declined)).await.unwrap();
        let refusal = it.ngo.coordinator.scheduling().find_slots(search).await.err().unwrap();
        assert_eq!(why(&refusal), precondition("MILESTONE_DONE"));
    }

    async fn a_session_keeps_the_milestone_it_was_booked_for(app) {
        let mut it = enrolled(&app).await;
        let milestone = it.plan().await.milestone("MONITOR_2W").clone();
        let request = |start: &str| pb::BookSessionRequest {
            milestone_id: milestone.id.clone(), ..booking(&it.ngo, &it.counsellor, &it.client, start)
        };
        let of = |plan: &Plan| plan.milestone("MONITOR_2W").session_id.clone();
        let session = book(&it.ngo.coordinator, request("2026-01-19T04:30:00Z")).await.unwrap();
        assert_eq!(session.milestone_id, milestone.id);
        assert_eq!(of(&it.plan().await), session.id);
        assert_eq!(it.ngo.session(&session.id).await.milestone_id, milestone.id);
        // It does not put off the end of treatment.
        assert_eq!(it.plan().await.days("END"), ["", "", ""]);
        let moving = pb::RescheduleSessionRequest {
            session_id: session.id.clone(), etag: session.etag, reason: pb::CancelReason::Client.into(),
            starts_at: crate::support::at("2026-01-20T04:30:00Z"), ..Default::default()
        };
        let moved = it.ngo.coordinator.scheduling().reschedule_session(moving).await.unwrap().into_inner().session.unwrap();
        assert_eq!((moved.milestone_id.as_str(), of(&it.plan().await)), (milestone.id.as_str(), moved.id.clone()));
        it.ngo.cancel(&moved).await.unwrap();
        assert_eq!(of(&it.plan().await), "");
        // A hold is none yet, and keeps it until it is booked.
        let hold = pb::HoldSlotRequest {
            client_id: it.client.id.clone(), counsellor_id: it.counsellor.id.clone(), service: 1, modality: 1,
            venue_id: it.ngo.venue.id.clone(), starts_at: crate::support::at("2026-01-21T04:30:00Z"),
            length: Some(crate::support::minutes(60)), milestone_id: milestone.id.clone(), ..Default::default()
        };
        let scheduling = || it.ngo.coordinator.scheduling();
        let held = scheduling().hold_slot(hold.clone()).await.unwrap().into_inner().hold.unwrap();
        assert_eq!((held.milestone_id.as_str(), of(&it.plan().await)), (milestone.id.as_str(), String::new()));
        scheduling().release_hold(pb::ReleaseHoldRequest { hold_id: held.id, ..Default::default() }).await.unwrap();
        let held = scheduling().hold_slot(hold).await.unwrap().into_inner().hold.unwrap();
        let booked = book(&it.ngo.coordinator, pb::BookSessionRequest { hold_id: held.id, ..Default::default() }).await.unwrap();
        assert_eq!((booked.milestone_id.as_str(), of(&it.plan().await)), (milestone.id.as_str(), booked.id.clone()));
        // Attending it completes nothing.
        it.go_to(&app, "2026-01-22");
        let facts = crate::support::recording(&booked, &it.client, pb::AttendanceOutcome::AttendedComplied);
        crate::support::record(&it.ngo.coordinator, facts).await.unwrap();
        assert_eq!(it.plan().await.status("MONITOR_2W"), Status::Due);
    }

    async fn a_session_is_booked_for_the_clients_own_milestone(app) {
        let it = enrolled(&app).await;
        let other = it.ngo.survivor().await;
        let plan = it.plan().await;
        let fine = |milestone: &str| pb::BookSessionRequest {
            milestone_id: milestone.into(), ..booking(&it.ngo, &it.counsellor, &it.client, "2026-01-19T04:30:00Z")
        };
        let milestone = plan.milestone("MONITOR_2W");
        let not_theirs = pb::BookSessionRequest { client_id: other.id.clone(), ..fine(&milestone.id) };
        assert_eq!(refused(&book(&it.ngo.coordinator, not_theirs).await.err().unwrap()).items, ["milestone_id"]);
        let group = group_of(2, std::slice::from_ref(&it.client), fine(&milestone.id));
        assert_eq!(refused(&book(&it.ngo.coordinator, group).await.err().unwrap()).items, ["milestone_id"]);
        let none = fine("0193a5e0-0000-7000-8000-00000000dead");
        assert_eq!(why(&book(&it.ngo.coordinator, none).await.err().unwrap()), not_found());
        let elsewhere = Ngo::new(&app, "B").await;
        let counsellor = elsewhere.counsellor("C1", pb::Side::Survivor).await;
        let client = elsewhere.survivor().await;
        let foreign = pb::BookSessionRequest {
            milestone_id: milestone.id.clone(), ..booking(&elsewhere, &counsellor, &client, "2026-01-19T04:30:00Z")
        };
        assert_eq!(why(&book(&elsewhere.coordinator, foreign).await.err().unwrap()), not_found());
        excuse(&it.responsible(&app), excusing(milestone, Excuse::NotApplicable)).await.unwrap();
        assert_eq!(why(&book(&it.ngo.coordinator, fine(&milestone.id)).await.err().unwrap()), precondition("MILESTONE_DONE"));
    }

    async fn steps_of_procedure_follow_the_events_of_the_case(app) {
        let mut it = enrolled_with(&app, |client| client.born_on = Some(date("2014-05-06")), |_| {}).await;
        let case = it.ngo.party_of("12/2026", "Example Nagar", &it.client).await;
        let zone = "Asia/Kolkata".to_owned();
        let request = pb::EnrolFollowUpRequest { case_id: case.id.clone(), zone, ..Default::default() };
        let plan = enrol(&it.ngo.coordinator, request).await.unwrap();
        assert_eq!((plan.plan.case_id.as_str(), plan.plan.template.as_str()), (case.id.as_str(), "POCSO"));
        assert_eq!(plan.milestones.len(), 11);
        assert_eq!(plan.status("SUPPORT_PERSON"), Status::Open);
        assert_eq!(plan.milestone("MED_EXAM").basis, "POCSO s.27, BNSS s.184");
        let event = |kind: pb::CaseEventKind, when: &str| pb::RecordCaseEventRequest {
            case_id: case.id.clone(), kind: kind.into(), happened_at: crate::support::at(when),
            source: "An example".into(), actor: "An example".into(), ..Default::default()
        };
        let record = |actor: &Actor, request: pb::RecordCaseEventRequest| {
            let actor = actor.clone();
            async move {
                let read = actor.follow_up().record_case_event(request).await.unwrap().into_inner();
                (read.case_event.unwrap(), Plan { plan: pb::FollowUpPlan::default(), milestones: read.milestones })
            }
        };
        let (informed, plan) = record(&it.ngo.coordinator, event(pb::CaseEventKind::Information, "2026-01-05T08:00:00Z")).await;
        let exam = plan.milestone("MED_EXAM");
        assert_eq!((exam.status(), exam.due_at), (Status::Open, crate::support::at("2026-01-06T08:00:00Z")));
        assert_eq!(plan.status("PRODUCE_CWC"), Status::NotDue);
        let (_, plan) = record(&it.ngo.coordinator, event(pb::CaseEventKind::HomeNotSafe, "2026-01-05T09:00:00Z")).await;
        assert_eq!(plan.status("PRODUCE_CWC"), Status::Open);
        it.go_to(&app, "2026-01-07");
        let (_, plan) = record(&it.ngo.coordinator, event(pb::CaseEventKind::MedicalExamination, "2026-01-06T07:00:00Z")).await;
        assert_eq!((plan.status("MED_EXAM"), plan.status("PRODUCE_CWC")), (Status::Done, Status::Due));
        // Once it is known that the clock started earlier, it was too late.
        let correction = pb::RecordCaseEventRequest {
            supersedes_case_event_id: informed.id, reason: "An example".into(),
            ..event(pb::CaseEventKind::Information, "2026-01-05T06:00:00Z")
        };
        let (corrected, plan) = record(&it.ngo.coordinator, correction).await;
        assert_eq!(plan.status("MED_EXAM"), Status::DoneLate);
        let withdrawal = pb::RecordCaseEventRequest {
            case_id: case.id.clone(), supersedes_case_event_id: corrected.id, reason: "An example".into(), withdraw: true,
            source: "An example".into(), actor: "An example".into(), ..Default::default()
        };
        let (_, plan) = record(&it.ngo.coordinator, withdrawal).await;
        assert_eq!((plan.days("MED_EXAM"), plan.status("PRODUCE_CWC")), (["", "", ""].map(String::from), Status::NotDue));
        // A report every month from the assignment on.
        let (_, plan) = record(&it.ngo.coordinator, event(pb::CaseEventKind::SupportPersonAssigned, "2026-01-06T10:00:00Z")).await;
        assert_eq!(plan.status("SUPPORT_PERSON"), Status::Done);
        let months = |plan: &Plan| plan.milestones.iter().filter(|it| it.code == "SP_MONTHLY").count();
        assert_eq!(months(&plan), 36);
        it.go_to(&app, "2026-03-10");
        let (_, plan) = record(&it.ngo.coordinator, event(pb::CaseEventKind::SupportPersonReport, "2026-02-10T10:00:00Z")).await;
        assert_eq!(months(&plan), 38);
        let of = |plan: &Plan, number| plan.milestones.iter().find(|it| it.code == "SP_MONTHLY" && it.number == number).unwrap().clone();
        let standing = |plan: &Plan| [1, 2, 3, 4].map(|number| of(plan, number).status());
        assert_eq!(standing(&plan), [Status::DoneLate, Status::Due, Status::Open, Status::NotDue]);
        // The lead may say that one is not needed.
        let lead = clinical_lead(&app, &it.ngo);
        excuse(&lead, excusing(&of(&plan, 2), Excuse::NotApplicable)).await.unwrap();
        let (_, plan) = record(&it.ngo.coordinator, event(pb::CaseEventKind::TrialEnded, "2026-03-09T10:00:00Z")).await;
        assert_eq!(standing(&plan), [Status::DoneLate, Status::NotApplicable, Status::NotApplicable, Status::NotApplicable]);
        // No counsellor knows of it, and it has no session.
        let read = pb::GetFollowUpRequest { case_id: case.id.clone(), ..Default::default() };
        assert_eq!(it.responsible(&app).follow_up().get_follow_up(read).await.err().unwrap().code(), Code::NotFound);
        let session = pb::BookSessionRequest {
            milestone_id: of(&plan, 4).id, ..booking(&it.ngo, &it.counsellor, &it.client, "2026-03-19T04:30:00Z")
        };
        assert_eq!(refused(&book(&it.ngo.coordinator, session).await.err().unwrap()).items, ["milestone_id"]);
        let wrong = pb::UpdateFollowUpRequest {
            plan_id: of(&plan, 1).plan_id, etag: "1".into(), planned_sessions: 8, report_on: Some(date("2026-01-01")), ..Default::default()
        };
        assert_eq!(refused(&update(&it.ngo.coordinator, wrong).await.err().unwrap()).items, ["report_on", "planned_sessions"]);
        assert!(plan_of(&it.ngo.coordinator, &it.client).await.is_ok());
    }

    async fn another_support_person_is_followed_like_the_first(app) {
        let mut it = enrolled(&app).await;
        let case = it.ngo.party_of("12/2026", "Example Nagar", &it.client).await;
        let zone = "Asia/Kolkata".to_owned();
        let of_case = pb::EnrolFollowUpRequest { case_id: case.id.clone(), zone, ..Default::default() };
        enrol(&it.ngo.coordinator, of_case).await.unwrap();
        let record = |actor: &Actor, kind: pb::CaseEventKind, when: &str| {
            let request = pb::RecordCaseEventRequest {
                case_id: case.id.clone(), kind: kind.into(), happened_at: crate::support::at(when),
                source: "An example".into(), actor: "An example".into(), ..Default::default()
            };
            let actor = actor.clone();
            async move { actor.follow_up().record_case_event(request).await.unwrap() }
        };
        let until = |actor: &Actor, day: &str| {
            let wanted = pb::ListMilestonesRequest { case_id: case.id.clone(), due_until: Some(date(day)), ..everything() };
            let actor = actor.clone();
            async move { due(&listed(&actor, wanted).await.unwrap()) }
        };
        let days = |all: &[(&str, &str)]| all.iter().map(|(code, on)| ((*code).to_owned(), (*on).to_owned())).collect::<Vec<_>>();
        // Nobody is assigned yet: a week after the intake, or after the information once that is known.
        assert_eq!(until(&it.ngo.coordinator, "2026-02-28").await, days(&[("SUPPORT_PERSON", "2026-01-12")]));
        record(&it.ngo.coordinator, pb::CaseEventKind::HomeNotSafe, "2026-01-03T08:00:00Z").await;
        record(&it.ngo.coordinator, pb::CaseEventKind::Information, "2026-01-03T08:00:00Z").await;
        assert!(until(&it.ngo.coordinator, "2026-02-28").await.contains(&days(&[("SUPPORT_PERSON", "2026-01-10")])[0]));
        for done in [pb::CaseEventKind::ProducedBeforeCwc, pb::CaseEventKind::MedicalExamination] {
            record(&it.ngo.coordinator, done, "2026-01-03T09:00:00Z").await;
        }
        record(&it.ngo.coordinator, pb::CaseEventKind::SupportPersonAssigned, "2026-01-04T08:00:00Z").await;
        assert_eq!(until(&it.ngo.coordinator, "2026-02-28").await, days(&[("SP_MONTHLY", "2026-02-04")]));
        it.go_to(&app, "2026-03-20");
        record(&it.ngo.coordinator, pb::CaseEventKind::SupportPersonReport, "2026-02-01T08:00:00Z").await;
        record(&it.ngo.coordinator, pb::CaseEventKind::SupportPersonEnded, "2026-02-20T08:00:00Z").await;
        assert_eq!(until(&it.ngo.coordinator, "2031-01-01").await, days(&[("SUPPORT_PERSON", "2026-02-27")]));
        record(&it.ngo.coordinator, pb::CaseEventKind::SupportPersonAssigned, "2026-03-10T08:00:00Z").await;
        assert_eq!(until(&it.ngo.coordinator, "2026-05-30").await, days(&[("SP_MONTHLY", "2026-04-10"), ("SP_MONTHLY", "2026-05-10")]));
        // What the first has reported stays reported.
        let read = pb::GetFollowUpRequest { case_id: case.id.clone(), ..Default::default() };
        let plan = it.ngo.coordinator.follow_up().get_follow_up(read).await.unwrap().into_inner();
        let first = plan.milestones.iter().find(|it| it.code == "SP_MONTHLY" && it.number == 1).unwrap();
        assert_eq!((first.status(), first.due_on), (Status::Done, Some(date("2026-02-04"))));
    }
}
