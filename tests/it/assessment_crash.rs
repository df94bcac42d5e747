//! A process is killed while somebody hands in answers that call for a person, at every moment in which it asks for the
//! time or for chance: either the assessment and the call upon the person, with its job, are there, or neither is.

use aftercare::domain::access::{Authority, Caller};
use aftercare::domain::ids::{ClientId, CounsellorId, OrganisationId};
use aftercare::domain::instrument::{Answer, Informant, Sheet};
use aftercare::domain::text::Language;
use aftercare::store::Db;
use aftercare::usecase::call::{Request, admit};
use aftercare::usecase::followup::assessment::SubmitAssessment;
use aftercare::usecase::followup::sheet::HandedIn;
use aftercare::usecase::{World, mutate};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::TestApp;
use crate::support::assessment::{Followed, progress};
use crate::support::deadly::{survives, told};

/// Hands in a PHQ-9 with an answer that asks for live contact, under a request id.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Step {
    organisation_id: Uuid,
    counsellor_id: Uuid,
    client_id: Uuid,
    request_id: Uuid,
    on: NaiveDate,
}

impl Step {
    async fn take(self, world: &World) {
        let answers = (1..=9).map(|item| (item, Answer::Value(if item == 9 { 3 } else { 0 }))).collect();
        let handed_in = HandedIn {
            instrument: "PHQ_9",
            informant: Informant::SelfReport,
            recall: "",
            assessed_on: Some(self.on),
            sheet: Sheet { gate: None, answers },
        };
        let submit = SubmitAssessment {
            client_id: ClientId(self.client_id),
            filled: handed_in.check(world).unwrap(),
            language: Language::parse("en").unwrap(),
            milestone_id: None,
            supersedes: None,
        };
        let organisation_id = OrganisationId(self.organisation_id);
        let authority = Authority::Counsellor { organisation_id, counsellor_id: CounsellorId(self.counsellor_id) };
        let caller = Caller::without_token("counsellor@test", authority);
        let call = admit(world, caller, "aftercare.v1.FollowUpService/SubmitAssessment").await.unwrap();
        let call = call.under(Some(Request { id: self.request_id, digest: Vec::new() }));
        mutate(world, call, submit).await.unwrap();
    }
}

/// Takes the step in a process that may be killed in it.
#[ignore = "what the tests beside it start as a process of its own"]
#[tokio::test]
async fn child() {
    let Some((step, world)) = told::<Step>().await else { return };
    step.take(&world).await;
}

/// How many assessments, calls upon a person, jobs for these, and answered milestones there are.
async fn counts(app: &TestApp) -> [i64; 4] {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let mut counts = [0; 4];
    for (place, text) in [
        "SELECT count(*) FROM assessment",
        "SELECT count(*) FROM escalation WHERE level = 'R3'",
        "SELECT count(*) FROM job WHERE kind = 'pass_on_escalation'",
        "SELECT count(*) FROM milestone_instrument WHERE assessment_id IS NOT NULL",
    ]
    .into_iter()
    .enumerate()
    {
        counts[place] = tx.sql(text).maybe::<(i64,)>().await.unwrap().unwrap().0;
    }
    counts
}

on_both_engines! {
    async fn answers_and_the_call_upon_a_person_are_both_there_or_neither(app) {
        let mut it = Followed::new(&app, "1990-05-06").await;
        let [organisation_id, counsellor_id] = [&it.ngo.id, &it.counsellor.id].map(|id| id.parse().unwrap());
        it.go_to(&app, "2026-01-06");
        let mut moments = 0;
        for _ in 0..40 {
            moments += 1;
            let client = it.beside("1990-05-06").await;
            let request_id = app.world().uuid();
            let client_id = client.id.parse().unwrap();
            let on = "2026-01-05".parse().unwrap();
            let step = Step { organisation_id, counsellor_id, client_id, request_id, on };
            let before = counts(&app).await;
            let survived = survives(&app, "assessment_crash::child", step, moments).await;
            let after = counts(&app).await;
            let made = after[0] - before[0];
            assert!(made == i64::from(survived) || (!survived && made == 1), "{before:?} {after:?}");
            assert_eq!(after, before.map(|it| it + made), "killed at moment {moments}");
            // Whoever sends it again, after that, has one.
            step.take(app.world()).await;
            assert_eq!(counts(&app).await, before.map(|it| it + 1));
            assert_eq!(progress(&it.me(&app), &client).await.unwrap()[0].assessments.len(), 1);
            if survived {
                break;
            }
        }
        assert!((5..40).contains(&moments), "{moments}");
    }
}
