//! Assessments: what a sheet comes to, what is refused, and what calls for a person.

mod added;
mod raised;

use aftercare::grpc::pb;
use aftercare::store::Db;
use aftercare::store::codec::Instant;
use chrono::NaiveDate;
use tonic::Code;

use crate::attendance::{clinical_lead, why, wrong};
use crate::on_both_engines;
use crate::support::assessment::{Followed, correcting, pcl, progress, read, sheet, submit, submitted};
use crate::support::{date, refused};

const ADULT: &str = "1990-05-06";
const CHILD: &str = "2014-05-06";

/// What a result says: total, band, scales, findings, cut-offs that were reached, risk answers.
type Said<'a> = (Option<i32>, &'a str, Vec<Option<i32>>, Vec<&'a str>, Vec<Option<bool>>, Vec<Option<i32>>);

fn said(it: &pb::Assessment) -> Said<'_> {
    let result = it.result.as_ref().unwrap();
    (
        result.total,
        &result.band,
        result.scales.iter().map(|it| it.score).collect(),
        result.findings.iter().map(|it| it.finding.as_str()).collect(),
        result.cut_offs.iter().map(|it| it.reached).collect(),
        result.risks.iter().map(|it| it.value).collect(),
    )
}

fn flags(it: &pb::Assessment) -> Vec<&str> {
    it.result.as_ref().unwrap().flags.iter().map(String::as_str).collect()
}

fn raised(it: &pb::SubmitAssessmentResponse) -> Vec<(&str, &str)> {
    let name = |it: &pb::Escalation| (it.trigger().as_str_name(), it.level().as_str_name());
    let all = it.escalations.iter().map(name);
    all.map(|(why, how)| (&why["ESCALATION_TRIGGER_".len()..], &how["ESCALATION_LEVEL_".len()..])).collect()
}

/// Sets of cut-offs reached: `some("yn")`.
fn reached(text: &str) -> Vec<Option<bool>> {
    text.chars().map(|it| (it != '?').then_some(it == 'y')).collect()
}

fn numbers(all: &[i32]) -> Vec<Option<i32>> {
    all.iter().copied().map(Some).collect()
}

on_both_engines! {
    async fn a_sheet_comes_to_what_the_sources_say(app) {
        let mut it = Followed::new(&app, ADULT).await;
        let child = it.beside(CHILD).await;
        it.go_to(&app, "2026-06-30");
        let me = it.me(&app);
        let cats = "2,0,0,1,0,2,1,0,1,3,0,2,0,2,1,0,1,0,2,3,0,2,1,1,2 / 0,0,1,0,0";
        let nothing = "0,".repeat(20);
        for (day, (instrument, answers, expected)) in (1..).zip([
            ("PCL_5", nothing.as_str(), (Some(0), "", numbers(&[0; 4]), vec!["NOT_MET"], reached("nn"), numbers(&[0]))),
            (
                "PCL_5",
                "4,4,4,4,4/4,4/4,1,1,1,1,1,1/1,1,1,1,1,1",
                (Some(44), "", numbers(&[20, 8, 10, 6]), vec!["NOT_MET"], reached("yy"), numbers(&[1])),
            ),
            (
                "PCL_5",
                "2,0,0,0,0/2,0/2,2,0,0,0,0,0/2,2,0,0,0,0",
                (Some(12), "", numbers(&[2, 2, 4, 4]), vec!["MET"], reached("nn"), numbers(&[2])),
            ),
            (
                "PCL_5",
                "2,2,2,2,2/2,1/2,2,2,1,1,1,1/2,2,1,1,1,1",
                (Some(31), "", numbers(&[10, 3, 10, 8]), vec!["MET"], reached("yn"), numbers(&[2])),
            ),
            ("PC_PTSD_5", "yes 1,1,1,0,0", (Some(3), "", vec![], vec![], reached("yn"), vec![])),
            ("PC_PTSD_5", "no", (Some(0), "", vec![], vec![], reached("nn"), vec![])),
            ("CRIES_8", "5,1,3,1,3,0,3,1", (Some(17), "", numbers(&[11, 6]), vec![], reached("y"), vec![])),
            ("CRIES_8", "5,0,5,0,0,5,5,0", (Some(20), "", numbers(&[20, 0]), vec![], reached("y"), vec![])),
            ("CRIES_13", "3,3,1,3,1,3,3,3,3,3,1,1,1", (Some(29), "", numbers(&[12, 12, 5]), vec![], reached("n"), vec![])),
            ("PHQ_9", "2,2,2,2,1,1,1,0,1", (Some(12), "MODERATE", vec![], vec!["MAJOR"], reached("y"), numbers(&[1]))),
            (
                "PHQ_9",
                "0,0,3,3,3,3,3,3,0",
                (Some(18), "MODERATELY_SEVERE", vec![], vec!["NONE"], reached("y"), numbers(&[0])),
            ),
            ("PHQ_9", "2,2,1,1,1,1,1,–,–", (Some(12), "MODERATE", vec![], vec!["OTHER"], reached("y"), vec![None])),
            ("PHQ_9", "2,2,2,1,1,1,1,–,x", (Some(13), "MODERATE", vec![], vec!["INDETERMINATE"], reached("y"), vec![None])),
            ("GAD_7", "2,2,1,1,2,1,1", (Some(10), "MODERATE", vec![], vec![], reached("y"), vec![])),
            (
                "CATS_2",
                cats,
                (Some(22), "", numbers(&[3, 3, 7, 9, 6, 1]), vec!["MET", "NOT_MET"], reached("ynnn"), numbers(&[0])),
            ),
        ]) {
            let client = if ["CRIES_8", "CRIES_13", "CATS_2"].contains(&instrument) { &child } else { &it.client };
            let made = submit(&me, sheet(client, &format!("2026-06-{day:02}"), instrument, answers)).await.unwrap();
            assert_eq!(said(&made), expected, "{instrument} {answers}");
            assert_eq!(made.closed, expected.5.iter().all(Option::is_some), "{answers}");
            assert_eq!(made.result.as_ref().unwrap().rule_set, format!("{instrument}/1"));
            // No figure of theirs was found for anybody who is here.
            assert!(made.result.as_ref().unwrap().cut_offs.iter().all(|it| !it.validated));
            assert_eq!(read(&me, &made.id).await.unwrap(), made);
        }
    }

    async fn every_bad_field_is_named_at_once(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-06-30");
        let me = it.me(&app);
        let phq = |answers: &str| it.sheet("2026-06-01", "PHQ_9", answers);
        let items = async |request| wrong(submit(&me, request).await);
        assert_eq!(items(it.sheet("2026-06-01", "CRIES_8", "5,2,3,4,3,0,3,1")).await, ["answers[1].value", "answers[3].value"]);
        assert_eq!(items(it.sheet("2026-06-01", "CRIES_8", "5,–,3,1,3,0,3,1")).await, ["answers[1].value"]);
        let asked = [0, 1, 2, 3, 4].map(|at| format!("answers[{at}].item"));
        assert_eq!(items(it.sheet("2026-06-01", "PC_PTSD_5", "no 1,1,1,1,1")).await, asked);
        assert_eq!(items(it.sheet("2026-06-01", "PC_PTSD_5", "1,1,1,1,1")).await, ["gate"]);
        assert_eq!(items(it.sheet("2026-06-01", "PC_PTSD_5", "yes 1,1,1")).await, ["answers"]);
        assert_eq!(items(phq("yes 0,0,0,0,0,0,0,0,0")).await, ["gate"]);
        assert_eq!(items(phq("0,0,0,0,0,0,0,0")).await, ["answers"]);
        assert_eq!(items(phq("0,0,0,0,0,0,0,0,0,0")).await, ["answers[9].item"]);
        let mut doubled = phq("0,0,4,0,-1,0,0,0,0");
        doubled.answers[7].item = 2;
        doubled.answers[8].item = -9;
        let refusal = submit(&me, doubled.clone()).await.unwrap_err();
        assert_eq!(
            refused(&refusal).items,
            ["answers[2].value", "answers[4].value", "answers[7].item", "answers[8].item", "answers"]
        );
        doubled.answers[0].answer = None;
        doubled.answers[1].answer = Some(pb::item_answer::Answer::Missing(0));
        let everything = pb::SubmitAssessmentRequest {
            request_id: "x".into(),
            client_id: "x".into(),
            informant: pb::Informant::Caregiver.into(),
            language: "nonsense!".into(),
            recall: "YEAR".into(),
            assessed_on: Some(date("2026-07-02")),
            milestone_id: "x".into(),
            supersedes_assessment_id: "x".into(),
            ..doubled
        };
        assert_eq!(
            items(everything.clone()).await,
            [
                "request_id", "client_id", "language", "milestone_id", "supersedes_assessment_id", "reason",
                "answers[0].answer", "answers[1].missing", "assessed_on", "informant", "recall",
                "answers[2].value", "answers[4].value", "answers[7].item", "answers[8].item", "answers",
            ]
        );
        let unknown = pb::SubmitAssessmentRequest { instrument: "NOTHING".into(), ..everything };
        assert_eq!(items(unknown).await.last().unwrap(), "instrument");
        let with_reason = pb::SubmitAssessmentRequest { reason: "why".into(), ..phq("0,0,0,0,0,0,0,0,0") };
        assert_eq!(items(with_reason).await, ["reason"]);
        let many = pb::SubmitAssessmentRequest { answers: vec![pb::ItemAnswer { item: 99, answer: None }; 400], ..phq("") };
        // As many as the headers have room for in which a refusal travels.
        let refusal = submit(&me, many).await.unwrap_err();
        assert!(refused(&refusal).items.len() > 50 && refusal.details().len() < 6_000);
        // The day is one of the plan's zone: on the evening of the 30th in UTC it is July there.
        app.clock.set("2026-06-30T18:40:00Z".parse().unwrap());
        let me = it.me(&app);
        let on = async |day: &str| submit(&me, it.sheet(day, "GAD_7", "0,0,0,0,0,0,0")).await;
        assert_eq!(wrong(on("2026-07-02").await), ["assessed_on"]);
        assert_eq!(wrong(on("2026-01-04").await), ["assessed_on"]);
        assert!(on("2026-01-05").await.is_ok());
        let today = pb::SubmitAssessmentRequest { assessed_on: None, ..it.sheet("2026-07-01", "GAD_7", "0,0,0,0,0,0,0") };
        assert_eq!(submit(&me, today).await.unwrap().assessed_on, Some(date("2026-07-01")));
    }

    async fn an_instrument_is_for_its_ages(app) {
        let mut it = Followed::new(&app, CHILD).await;
        let [by_year, unknown] = [
            it.ngo.client_with(pb::Side::Survivor, |client| client.born_on = Some(year(2008))).await,
            it.ngo.client_with(pb::Side::Survivor, |_| {}).await,
        ];
        for client in [&by_year, &unknown] {
            let request = crate::support::followup::enrolling(client, &it.counsellor, "2026-01-05");
            crate::support::followup::enrol(&it.ngo.coordinator, request).await.unwrap();
        }
        it.go_to(&app, "2026-04-01");
        let me = it.me(&app);
        let nothing = "0,".repeat(20);
        let refusal = submit(&me, it.sheet("2026-04-01", "PCL_5", &nothing)).await.unwrap_err();
        assert_eq!((refusal.code(), why::<()>(Err(refusal.clone()))), (Code::FailedPrecondition, "OUTSIDE_AGE".into()));
        assert_eq!(refused(&refusal).items, ["OUTSIDE_AGE"; 3]);
        assert!(refusal.message().contains("CATS_2, CRIES_8, PHQ_A"), "{}", refusal.message());
        // Of a year alone, no possible age may fit for a refusal.
        let made = submit(&me, sheet(&by_year, "2026-04-01", "PCL_5", &nothing)).await.unwrap();
        assert_eq!(flags(&made), ["AGE_UNCERTAIN"]);
        let made = submit(&me, sheet(&by_year, "2026-04-01", "CRIES_8", "0,0,0,0,0,0,0,0")).await.unwrap();
        assert_eq!(flags(&made), Vec::<&str>::new());
        let made = submit(&me, sheet(&unknown, "2026-04-01", "PCL_5", &nothing)).await.unwrap();
        assert_eq!(flags(&made), ["AGE_UNKNOWN"]);
    }

    async fn who_comes_of_age_goes_on_with_the_instruments_of_the_baseline(app) {
        let mut it = Followed::new(&app, "2008-03-01").await;
        it.go_to(&app, "2026-04-01");
        let me = it.me(&app);
        let phq = "0,0,0,0,0,0,0,0,0";
        for instrument in ["PHQ_A", "PHQ_9"] {
            let made = submit(&me, it.sheet("2026-04-01", instrument, phq)).await.unwrap();
            assert!(flags(&made).is_empty(), "{instrument}");
        }
        // Before the birthday only the one for the age.
        assert!(submit(&me, it.sheet("2026-02-01", "PHQ_A", phq)).await.is_ok());
        assert_eq!(why(submit(&me, it.sheet("2026-02-01", "PHQ_9", phq)).await), "OUTSIDE_AGE");
    }

    async fn soon_after_the_event_there_is_no_provisional_label(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-03-01");
        let me = it.me(&app);
        let met = "2,0,0,0,0/2,0/2,2,0,0,0,0,0/2,2,0,0,0,0";
        let soon = submit(&me, it.sheet("2026-02-03", "PCL_5", met)).await.unwrap();
        assert_eq!((said(&soon).3, flags(&soon)), (vec!["ACUTE_PHASE"], vec!["ACUTE_PHASE"]));
        let later = submit(&me, it.sheet("2026-02-04", "PCL_5", met)).await.unwrap();
        assert_eq!((said(&later).3, flags(&later)), (vec!["MET"], vec!["TOO_SOON"]));
    }

    async fn what_is_learned_of_the_event_changes_what_may_be_said(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-03-01");
        let me = it.me(&app);
        let met = "2,0,0,0,0/2,0/2,2,0,0,0,0,0/2,2,0,0,0,0";
        let made = submit(&me, it.sheet("2026-02-10", "PCL_5", met)).await.unwrap();
        assert_eq!((said(&made).3, flags(&made).len()), (vec!["MET"], 0));
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let later: NaiveDate = "2026-01-20".parse().unwrap();
        tx.sql("UPDATE follow_up_plan SET report_on = $1").bind(later).run().await.unwrap();
        tx.commit().await.unwrap();
        let seen = read(&me, &made.id).await.unwrap();
        assert_eq!((said(&seen).3, flags(&seen)), (vec!["ACUTE_PHASE"], vec!["ACUTE_PHASE"]));
        assert_eq!(progress(&me, &it.client).await.unwrap()[0].assessments[0].result, seen.result);
    }

    async fn a_correction_stays_in_its_plan_open_or_closed(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-01-06");
        let me = it.me(&app);
        let gad = |value: u32| it.sheet("2026-01-05", "GAD_7", &format!("{value},").repeat(7));
        let made = submit(&me, gad(1)).await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let close = tx.sql("UPDATE follow_up_plan SET closing = 'COMPLETED', closed_at = $1");
        close.bind(Instant(app.now())).run().await.unwrap();
        tx.commit().await.unwrap();
        let lead = clinical_lead(&app, &it.ngo);
        assert_eq!(why(submit(&lead, it.sheet("2026-01-06", "GAD_7", "0,0,0,0,0,0,0")).await), "NOT_ENROLLED");
        let right = submit(&lead, correcting(&made, gad(2))).await.unwrap();
        assert_eq!((right.plan_id, right.milestone_id), (made.plan_id, made.milestone_id));
        assert_eq!(right.result.unwrap().total, Some(14));
    }

    async fn who_is_recorded_late_has_those_after_judged_anew(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-06-30");
        let me = it.me(&app);
        let later = submitted(&me, it.sheet("2026-04-01", "PCL_5", &pcl(35))).await.unwrap();
        assert!(later.escalations.is_empty());
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let early = pb::SubmitAssessmentRequest { request_id, ..it.sheet("2026-02-01", "PCL_5", &pcl(20)) };
        let made = submitted(&me, early.clone()).await.unwrap();
        assert_eq!(raised(&made), [("WORSENED", "R1")]);
        assert_eq!(made.escalations[0].assessment_id, later.assessment.unwrap().id);
        assert_eq!(submitted(&me, early).await.unwrap(), made);
        // Once is enough.
        let earlier = submitted(&me, it.sheet("2026-01-10", "PCL_5", &pcl(10))).await.unwrap();
        assert_eq!(raised(&earlier), [("WORSENED", "R1")]);
        assert_eq!(earlier.escalations[0].assessment_id, made.assessment.unwrap().id);
    }

    async fn twice_on_a_day_is_a_mistake(app) {
        let mut it = Followed::new(&app, ADULT).await;
        it.go_to(&app, "2026-06-30");
        let me = it.me(&app);
        let gad = it.sheet("2026-06-01", "GAD_7", "0,0,0,0,0,0,0");
        let first = submit(&me, gad.clone()).await.unwrap();
        let refusal = submit(&me, gad.clone()).await.unwrap_err();
        assert_eq!(refused(&refusal).reason, "ALREADY_ASSESSED");
        use tonic_types::StatusExt;
        assert_eq!(refusal.get_details_precondition_failure().unwrap().violations[0].subject, first.id);
        // Another instrument, another day.
        assert!(submit(&me, it.sheet("2026-06-01", "PHQ_9", "0,0,0,0,0,0,0,0,0")).await.is_ok());
        assert!(submit(&me, it.sheet("2026-06-02", "GAD_7", "0,0,0,0,0,0,0")).await.is_ok());
        // The same request is the same assessment.
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let again = pb::SubmitAssessmentRequest { request_id, ..it.sheet("2026-06-03", "PHQ_9", "0,0,0,0,0,0,0,0,2") };
        let one = submitted(&me, again.clone()).await.unwrap();
        assert_eq!(submitted(&me, again).await.unwrap(), one);
        assert_eq!(one.escalations.len(), 1);
    }
}

fn year(year: i32) -> pb::google::r#type::Date {
    pb::google::r#type::Date { year, month: 0, day: 0 }
}
