//! What answers call for, and who gives and reads them.

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code as DomainCode;
use aftercare::grpc::pb;
use tonic::Code;

use super::{ADULT, CHILD, raised};
use crate::attendance::{clinical_lead, why};
use crate::on_both_engines;
use crate::support::Ngo;
use crate::support::assessment::{Followed, correcting, read, sheet, submit, submitted};

on_both_engines! {
    async fn what_calls_for_a_person_is_raised_with_the_answers(app) {
        let mut it = Followed::new(&app, ADULT).await;
        let child = it.beside(CHILD).await;
        it.go_to(&app, "2026-06-30");
        let me = it.me(&app);
        let some = |ones: usize| format!("{}{}", "1,".repeat(ones), "0,".repeat(20 - ones));
        let risky = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,3,0,0,0,0";
        let line_21 = format!("{}2,0,0,0,0/0,0,0,0,0", "0,".repeat(20));
        for (day, (client, instrument, answers, expected)) in (1..).zip([
            (&it.client, "PHQ_9", "0,0,0,0,0,0,0,0,0".to_owned(), vec![]),
            (&it.client, "PHQ_9", "0,0,0,0,0,0,0,0,1".to_owned(), vec![("RISK_ITEM", "R2")]),
            (&it.client, "PHQ_9", "0,0,0,0,0,0,0,0,2".to_owned(), vec![("RISK_ITEM", "R3")]),
            (&it.client, "PHQ_9", "0,0,0,0,0,0,0,0,x".to_owned(), vec![("RISK_ITEM_UNKNOWN", "R1")]),
            (&it.client, "PHQ_9", "3,3,3,3,3,3,2,0,0".to_owned(), vec![("TOTAL_ROSE", "R1")]),
            (&it.client, "PHQ_9", "3,3,3,3,3,3,3,0,0".to_owned(), vec![]),
            (&it.client, "PCL_5", some(5), vec![]),
            (&it.client, "PCL_5", some(14), vec![]),
            (&it.client, "PCL_5", some(15), vec![("WORSENED", "R1")]),
            (&it.client, "PCL_5", risky.to_owned(), vec![("RISK_SYMPTOM", "R1")]),
            (&child, "PHQ_A", "3,3,3,3,3,3,3,3,3".to_owned(), vec![("RISK_ITEM", "R3"), ("TOTAL_ROSE", "R1")]),
            (&child, "CATS_2", line_21.clone(), vec![("RISK_SYMPTOM", "R1")]),
        ]) {
            let made = submitted(&me, sheet(client, &format!("2026-06-{day:02}"), instrument, &answers)).await.unwrap();
            assert_eq!(raised(&made), expected, "{instrument} {answers}");
            let assessment = made.assessment.unwrap();
            let named = made.escalations.iter().all(|raised| {
                raised.assessment_id == assessment.id && raised.counsellor_id == it.counsellor.id && raised.client_id == client.id
            });
            assert!(named && assessment.closed != answers.ends_with('x'), "{answers}");
        }
    }

    async fn an_unasked_question_is_closed_by_asking(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-01-06");
        let me = it.me(&app);
        let open = submitted(&me, it.sheet("2026-01-05", "PHQ_9", "0,0,0,0,0,0,0,0,–")).await.unwrap();
        let baseline = |it: &pb::SubmitAssessmentResponse| {
            let milestone = it.milestone.clone().unwrap();
            assert_eq!(milestone.code, "BASELINE");
            milestone.instruments.iter().find(|it| it.instrument == "PHQ_9").unwrap().done
        };
        assert!(!baseline(&open) && !open.assessment.as_ref().unwrap().closed);
        let asked = it.sheet("2026-01-05", "PHQ_9", "0,0,0,0,0,0,0,0,0");
        let asked = submitted(&me, correcting(open.assessment.as_ref().unwrap(), asked)).await.unwrap();
        assert!(baseline(&asked) && asked.assessment.as_ref().unwrap().closed);
        assert_eq!((asked.escalations.len(), asked.assessment.unwrap().milestone_id), (0, open.milestone.unwrap().id));
    }

    async fn it_is_for_those_who_treat_the_survivor(app) {
        let it = Followed::new(&app, ADULT).await;
        let (me, lead) = (it.me(&app), clinical_lead(&app, &it.ngo));
        let stranger = it.ngo.as_counsellor(&app, &it.ngo.counsellor("C2", pb::Side::Survivor).await);
        let elsewhere = Ngo::new(&app, "B").await;
        let other_lead = clinical_lead(&app, &elsewhere);
        let police = app.actor(Authority::Police { jurisdiction: DomainCode::parse("KL-TVM").unwrap() });
        let gad = it.sheet("2026-01-05", "GAD_7", "0,0,0,0,0,0,0");
        for (actor, code) in [
            (&stranger, Code::NotFound),
            (&other_lead, Code::NotFound),
            (&it.ngo.coordinator, Code::PermissionDenied),
            (&app.admin(), Code::PermissionDenied),
            (&police, Code::PermissionDenied),
        ] {
            assert_eq!(submit(actor, gad.clone()).await.unwrap_err().code(), code);
        }
        let made = submit(&lead, gad).await.unwrap();
        for (actor, code) in [
            (&stranger, Code::NotFound),
            (&other_lead, Code::NotFound),
            (&it.ngo.coordinator, Code::PermissionDenied),
            (&police, Code::PermissionDenied),
        ] {
            assert_eq!(read(actor, &made.id).await.unwrap_err().code(), code);
        }
        assert_eq!(read(&me, &made.id).await.unwrap(), made);
        // Who is not followed up, and what is no survivor's.
        let nobody = it.ngo.child("2014-05-06").await;
        assert_eq!(why(submit(&lead, sheet(&nobody, "2026-01-05", "GAD_7", "0,0,0,0,0,0,0")).await), "NOT_ENROLLED");
        // Every read leaves a trace, and no trace says what was answered.
        let reads: Vec<_> = app.audit().await.into_iter().filter(|it| it.action.ends_with("GetAssessment")).collect();
        assert!(reads.iter().any(|it| it.outcome == "DONE" && it.subjects.contains(&made.id)));
        assert!(reads.iter().all(|it| it.details == "[]"));
    }
}
