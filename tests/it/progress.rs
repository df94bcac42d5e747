//! Progress: what changes mean, what is not compared, and what a correction changes.

use aftercare::grpc::pb;
use pb::ChangeClass as Class;
use tonic::Code;

use crate::attendance::{clinical_lead, why, wrong};
use crate::on_both_engines;
use crate::support::assessment::{Followed, correcting, pcl, progress, read, sheet, submit, submitted};
use crate::support::{date, refused};

const ADULT: &str = "1990-05-06";
const CHILD: &str = "2014-05-06";

/// A change: class, difference, notes.
fn told(it: Option<&pb::Change>) -> (Class, Option<i32>, Vec<&str>) {
    let it = it.unwrap();
    (it.class(), it.delta, it.notes.iter().map(String::as_str).collect())
}

fn baseline(it: &pb::Assessment) -> (Class, Option<i32>, Vec<&str>) {
    told(it.result.as_ref().unwrap().since_baseline.as_ref())
}

fn previous(it: &pb::Assessment) -> (Class, Option<i32>, Vec<&str>) {
    told(it.result.as_ref().unwrap().since_previous.as_ref())
}

/// The one series that there is.
fn only(all: Vec<pb::ProgressSeries>) -> Vec<pb::Assessment> {
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap().assessments
}

on_both_engines! {
    async fn changes_mean_what_the_studies_say(app) {
        let mut it = Followed::new(&app, ADULT).await;
        let worse = it.beside(ADULT).await;
        it.go_to(&app, "2026-12-01");
        let me = it.me(&app);
        for (day, total) in [("2026-02-01", 45), ("2026-03-01", 41), ("2026-04-01", 34), ("2026-05-01", 28)] {
            submit(&me, it.sheet(day, "PCL_5", &pcl(total))).await.unwrap();
        }
        let series = only(progress(&me, &it.client).await.unwrap());
        let changes: Vec<_> = series.iter().map(baseline).collect();
        assert_eq!(
            changes,
            [
                (Class::Baseline, None, vec![]),
                (Class::NoReliableChange, Some(4), vec![]),
                (Class::MeaningfulImprovement, Some(11), vec![]),
                (Class::Recovered, Some(17), vec![]),
            ]
        );
        assert!(series[0].result.as_ref().unwrap().since_previous.is_none());
        assert_eq!(previous(&series[3]), (Class::NoReliableChange, Some(6), vec![]));
        assert_eq!(series[3].result.as_ref().unwrap().since_previous.as_ref().unwrap().since_assessment_id, series[2].id);
        for (day, total) in [("2026-02-01", 30), ("2026-03-01", 46)] {
            submit(&me, sheet(&worse, day, "PCL_5", &pcl(total))).await.unwrap();
        }
        let series = only(progress(&me, &worse).await.unwrap());
        assert_eq!(baseline(&series[1]), (Class::ReliableWorsening, Some(-16), vec![]));
        // A list shows neither answers nor reasons; one assessment does.
        assert!(series.iter().all(|it| it.answers.is_empty() && it.gate.is_none()));
        assert_eq!(read(&me, &series[1].id).await.unwrap().answers.len(), 20);
    }

    async fn only_like_is_compared_with_like(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-12-01");
        let me = it.me(&app);
        let pcl_5 = |day: &str, total| it.sheet(day, "PCL_5", &pcl(total));
        submit(&me, pcl_5("2026-02-01", 45)).await.unwrap();
        let week = pb::SubmitAssessmentRequest { recall: "WEEK".into(), ..pcl_5("2026-03-01", 30) };
        let week = submit(&me, week).await.unwrap();
        assert_eq!(baseline(&week), (Class::NotComparable, None, vec!["RECALL_DIFFERS"]));
        let other = pb::SubmitAssessmentRequest { language: "ml".into(), ..pcl_5("2026-04-01", 30) };
        assert_eq!(baseline(&submit(&me, other).await.unwrap()), (Class::NotComparable, None, vec!["LANGUAGE_DIFFERS"]));
        let few = it.sheet("2026-05-01", "PCL_5", "–,–,–,–,–,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1");
        assert_eq!(baseline(&submit(&me, few).await.unwrap()), (Class::NotComparable, None, vec!["NO_TOTAL"]));
        let some = it.sheet("2026-06-01", "PCL_5", "–,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2");
        assert_eq!(baseline(&submit(&me, some).await.unwrap()), (Class::NoReliableChange, Some(5), vec!["PRORATED"]));
        let soon = submit(&me, pcl_5("2026-06-28", 10)).await.unwrap();
        assert_eq!(baseline(&soon), (Class::NotComparable, None, vec!["TOO_SOON"]));
        assert_eq!(soon.result.as_ref().unwrap().flags, ["TOO_SOON"]);
        // What came too soon is nobody's measure.
        let next = submit(&me, pcl_5("2026-06-29", 30)).await.unwrap();
        assert_eq!(previous(&next), (Class::MeaningfulImprovement, Some(10), vec!["PRORATED"]));
        assert!(next.result.as_ref().unwrap().flags.is_empty());
        for day in ["2026-02-01", "2026-03-01"] {
            submit(&me, it.sheet(day, "PC_PTSD_5", "no")).await.unwrap();
        }
        let all = progress(&me, &it.client).await.unwrap();
        assert_eq!(all.iter().map(|it| it.instrument.as_str()).collect::<Vec<_>>(), ["PCL_5", "PC_PTSD_5"]);
        assert_eq!(baseline(&all[1].assessments[1]), (Class::NotComparable, None, vec!["NOT_FOR_CHANGE"]));
        let wanted = pb::GetProgressRequest { client_id: it.client.id.clone(), instrument: "PC_PTSD_5".into() };
        let one = me.follow_up().get_progress(wanted).await.unwrap().into_inner().series;
        assert_eq!(one, all[1..]);
    }

    async fn where_the_first_does_not_compare_the_first_that_does_is_the_baseline(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-12-01");
        let me = it.me(&app);
        let first = pb::SubmitAssessmentRequest { language: "ml".into(), ..it.sheet("2026-02-01", "PCL_5", &pcl(60)) };
        submit(&me, first).await.unwrap();
        for (day, total) in [("2026-03-01", 45), ("2026-04-01", 30)] {
            submit(&me, it.sheet(day, "PCL_5", &pcl(total))).await.unwrap();
        }
        let series = only(progress(&me, &it.client).await.unwrap());
        assert_eq!(baseline(&series[1]), (Class::NotComparable, None, vec!["LANGUAGE_DIFFERS"]));
        assert_eq!(baseline(&series[2]), (Class::ReliableImprovement, Some(15), vec!["LATER_BASELINE"]));
        assert_eq!(previous(&series[2]), (Class::ReliableImprovement, Some(15), vec![]));
    }

    async fn what_others_answer_is_a_series_of_its_own(app) {
        let mut it = Followed::new(&app, CHILD).await;
        it.go_to(&app, "2026-12-01");
        let me = it.me(&app);
        let cats = |day: &str, value: u32| {
            it.sheet(day, "CATS_2", &format!("{}{}", format!("{value},").repeat(25), "0,0,0,0,0"))
        };
        let by = |request| pb::SubmitAssessmentRequest { informant: pb::Informant::Caregiver.into(), ..request };
        for request in [cats("2026-02-01", 1), by(cats("2026-02-01", 2)), cats("2026-03-01", 2), by(cats("2026-03-01", 1))] {
            submit(&me, request).await.unwrap();
        }
        let all = progress(&me, &it.client).await.unwrap();
        assert_eq!(all.iter().map(pb::ProgressSeries::informant).collect::<Vec<_>>(), [pb::Informant::Self_, pb::Informant::Caregiver]);
        assert_eq!(baseline(&all[0].assessments[1]), (Class::DifferenceOnly, Some(-20), vec![]));
        assert_eq!(baseline(&all[1].assessments[1]), (Class::DifferenceOnly, Some(20), vec![]));
    }

    async fn a_correction_takes_its_place_and_corrects_what_is_compared_with_it(app) {
        let mut it = Followed::new(&app, ADULT).await;
        let beside = it.beside(ADULT).await;
        it.go_to(&app, "2026-12-01");
        let (me, lead) = (it.me(&app), clinical_lead(&app, &it.ngo));
        let pcl_5 = |day: &str, total| it.sheet(day, "PCL_5", &pcl(total));
        let first = submit(&me, pcl_5("2026-02-01", 45)).await.unwrap();
        let second = submitted(&me, pcl_5("2026-03-01", 56)).await.unwrap();
        let raised = second.escalations[0].id.clone();
        let second = second.assessment.unwrap();
        assert_eq!(baseline(&second), (Class::MeaningfulWorsening, Some(-11), vec![]));
        let right = submitted(&me, correcting(&first, pcl_5("2026-02-02", 50))).await.unwrap().assessment.unwrap();
        assert_eq!((right.supersedes_assessment_id.as_str(), right.reason.as_str()), (first.id.as_str(), "read from the wrong line"));
        let series = only(progress(&me, &it.client).await.unwrap());
        assert_eq!(series.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [right.id.as_str(), second.id.as_str()]);
        // 27 days lie in between now.
        assert_eq!(baseline(&series[1]), (Class::NotComparable, None, vec!["TOO_SOON"]));
        let right = submit(&me, correcting(&right, pcl_5("2026-02-01", 50))).await.unwrap();
        let series = only(progress(&me, &it.client).await.unwrap());
        assert_eq!(baseline(&series[1]), (Class::NoReliableChange, Some(-6), vec![]));
        // What is superseded stays to be read, and is compared with nothing.
        let before = read(&lead, &first.id).await.unwrap();
        assert!(before.superseded && before.answers == first.answers);
        assert!(before.result.unwrap().since_baseline.is_none());
        // A corrected cause does not take back that somebody was called upon.
        submit(&me, correcting(&second, pcl_5("2026-03-01", 51))).await.unwrap();
        let all = me.follow_up().list_escalations(pb::ListEscalationsRequest::default()).await.unwrap().into_inner();
        let raised = all.escalations.iter().find(|it| it.id == raised).unwrap();
        assert!(raised.cause_superseded);
        // Only what stands is corrected, with a reason, by the same instrument about the same survivor.
        let refusal = submit(&me, correcting(&first, pcl_5("2026-02-01", 44))).await.unwrap_err();
        assert_eq!(refused(&refusal).reason, "SUPERSEDED");
        let other = it.sheet("2026-02-01", "PHQ_9", "0,0,0,0,0,0,0,0,0");
        assert_eq!(submit(&me, correcting(&right, other)).await.unwrap_err().code(), Code::NotFound);
        let another = sheet(&beside, "2026-02-01", "PCL_5", &pcl(44));
        assert_eq!(submit(&me, correcting(&right, another)).await.unwrap_err().code(), Code::NotFound);
        let without = pb::SubmitAssessmentRequest { reason: String::new(), ..correcting(&right, pcl_5("2026-02-01", 44)) };
        assert_eq!(wrong(submit(&me, without).await), ["reason"]);
        assert_eq!(why(submit(&me, correcting(&right, pcl_5("2026-03-01", 44))).await), "ALREADY_ASSESSED");
    }

    async fn a_year_of_birth_alone_is_said_with_the_change(app) {
        let mut it = Followed::with(&app, |client| client.born_on = Some(pb::google::r#type::Date { year: 2008, month: 0, day: 0 })).await;
        it.go_to(&app, "2026-12-01");
        let me = it.me(&app);
        for (day, total) in [("2026-02-01", 45), ("2026-03-01", 30)] {
            submit(&me, it.sheet(day, "PCL_5", &pcl(total))).await.unwrap();
        }
        let series = only(progress(&me, &it.client).await.unwrap());
        assert_eq!(baseline(&series[1]), (Class::ReliableImprovement, Some(15), vec!["AGE_UNCERTAIN"]));
    }

    async fn it_is_read_by_those_who_treat_the_survivor_and_leaves_a_trace(app) {
        let it = Followed::new(&app, ADULT).await;
        let me = it.me(&app);
        let made = submit(&me, it.sheet("2026-01-05", "GAD_7", "0,0,0,0,0,0,0")).await.unwrap();
        let stranger = it.ngo.as_counsellor(&app, &it.ngo.counsellor("C2", pb::Side::Survivor).await);
        assert_eq!(progress(&stranger, &it.client).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(progress(&it.ngo.coordinator, &it.client).await.unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(only(progress(&clinical_lead(&app, &it.ngo), &it.client).await.unwrap())[0].id, made.id);
        let wanted = pb::GetProgressRequest { client_id: "x".into(), instrument: "no code".into() };
        let refusal = me.follow_up().get_progress(wanted).await.unwrap_err();
        assert_eq!(refused(&refusal).items, ["client_id", "instrument"]);
        let audit = app.audit().await;
        let mut reads: Vec<_> = audit.iter().filter(|it| it.action.ends_with("GetProgress")).collect();
        reads.sort_by_key(|it| &it.outcome);
        assert_eq!(reads.iter().map(|it| it.outcome.as_str()).collect::<Vec<_>>(), ["DENIED", "DONE", "REFUSED"]);
        assert!(reads[1].subjects.contains(&made.id) && reads[1].subjects.contains(&it.client.id));
        assert!(date("2026-01-05") == made.assessed_on.unwrap());
    }
}
