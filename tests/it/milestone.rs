//! Milestones: listed, answered, excused, and booked for.

mod booked;
mod excused;
mod procedure;

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneStatus as Status;
use tonic::Code;

use crate::on_both_engines;
use crate::support::followup::{
    clinical_lead, due, enrol, enrolled, enrolling, listed, submit, update, updating, well,
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
}
