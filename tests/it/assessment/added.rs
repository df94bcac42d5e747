//! A questionnaire that an installation adds.

use aftercare::grpc::pb;

use super::{ADULT, raised, said};
use crate::attendance::wrong;
use crate::instrument::MOOD;
use crate::support::assessment::{Followed, submit, submitted};
use crate::support::{Engine, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_questionnaire_that_was_added_is_scored() {
    let app = TestApp::start_with_instruments(Engine::Sqlite, &[("mood.toml", MOOD)]).await;
    let mut it = Followed::new(&app, ADULT).await;
    it.go_to(&app, "2026-03-01");
    let me = it.me(&app);
    let first = submitted(&me, it.sheet("2026-02-01", "MOOD_3", "3,–,3")).await.unwrap();
    assert_eq!(raised(&first), [("RISK_SYMPTOM", "R2")]);
    let first = first.assessment.unwrap();
    assert_eq!(said(&first), (Some(9), "HIGH", vec![], vec!["MANY"], vec![Some(true)], vec![Some(3)]));
    assert!(first.result.as_ref().unwrap().prorated && first.recall == "TODAY");
    // Validated for English as it is spoken in India, and for nobody else.
    let cut_off = |it: &pb::Assessment| it.result.as_ref().unwrap().cut_offs[0].validated;
    let indian = pb::SubmitAssessmentRequest { language: "en-IN".into(), ..it.sheet("2026-02-08", "MOOD_3", "1,1,1") };
    let indian = submit(&me, indian).await.unwrap();
    assert!(!cut_off(&first) && cut_off(&indian));
    let second = submit(&me, it.sheet("2026-02-15", "MOOD_3", "2,2,2")).await.unwrap();
    let since = second.result.unwrap().since_baseline.unwrap();
    assert_eq!(
        (since.class(), since.delta, since.notes),
        (pb::ChangeClass::ReliableImprovement, Some(3), vec!["PRORATED".into()])
    );
    assert_eq!(wrong(submit(&me, it.sheet("2026-02-20", "MOOD_3", "0,1,2")).await), ["answers[0].value"]);
}
