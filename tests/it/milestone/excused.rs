//! Milestones that are excused, and taken up again.

use aftercare::grpc::pb;
use aftercare::grpc::pb::MilestoneExcuse as Excuse;
use aftercare::grpc::pb::MilestoneStatus as Status;
use tonic::Code;

use super::{codes, everything, not_found, precondition, why};
use crate::on_both_engines;
use crate::support::followup::{Plan, clinical_lead, enrol, enrolled, enrolling, excuse, excusing, submit, well};
use crate::support::{Ngo, date, refused};

on_both_engines! {
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
}
