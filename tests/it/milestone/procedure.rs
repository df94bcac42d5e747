//! Steps of procedure follow the events of a case.

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneExcuse as Excuse;
use aftercare::grpc::pb::MilestoneStatus as Status;
use tonic::Code;

use super::everything;
use crate::on_both_engines;
use crate::support::followup::{
    Plan, clinical_lead, due, enrol, enrolled, enrolled_with, excuse, excusing, listed, plan_of, update,
};
use crate::support::{Actor, book, booking, date, refused};

on_both_engines! {
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
