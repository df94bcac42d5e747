//! Work in which every personal field is filled, by way of what other tests do.

use std::collections::BTreeSet;

use aftercare::domain::access::{Authority, Role};
use aftercare::domain::text::Code as DistrictCode;
use aftercare::grpc::pb;
use tonic::Code;

use crate::cells::{Answer, Objects, Recipe, call, ends, recipes_of_every_service};
use crate::support::escalation::{acknowledge, resolve, resolving};
use crate::support::followup::{clinical_lead, excuse, excusing, plan_of, submit, well};
use crate::support::plant::MARK;
use crate::support::treatment::{Treated, no_show};
use crate::support::{Actor, MONDAY, Ngo, TestApp, book, booking, date, decide, deciding, facts, record, recording};

/// Whoever may be in a role around the objects.
fn callers(app: &TestApp, it: &Objects, role: Role) -> Vec<Actor> {
    let organisation_id = it.ngo.id.parse().unwrap();
    match role {
        Role::Admin => vec![app.admin()],
        Role::Coordinator => vec![it.ngo.another_coordinator(app)],
        Role::ClinicalLead => vec![app.actor(Authority::ClinicalLead { organisation_id })],
        Role::Counsellor => vec![it.ngo.as_counsellor(app, &it.counsellor), it.ngo.as_counsellor(app, &it.therapist)],
        Role::Police => vec![app.actor(Authority::Police { jurisdiction: DistrictCode::parse("KL-TVM").unwrap() })],
        Role::Auditor => vec![app.actor(Authority::Auditor)],
    }
}

async fn ask(app: &TestApp, it: &Objects, recipe: &Recipe, role: Role) -> Vec<Answer> {
    let mut all = Vec::new();
    for caller in callers(app, it, role) {
        all.push(call(&caller, &recipe.rpc, &(recipe.request)(it, role)).await);
    }
    all
}

/// Does everything that the interface offers, as everybody who may.
pub async fn tell(app: &TestApp) -> Objects {
    order(app).await;
    app.clock.set(MONDAY.parse().unwrap());
    let [it] = Objects::of(app, ["A"]).await;
    care(app, &it).await;
    let mut recipes = recipes_of_every_service();
    recipes.sort_by_key(|it| ends(&it.rpc));
    for recipe in &recipes {
        for role in Role::ALL {
            ask(app, &it, recipe, *role).await;
        }
    }
    it
}

/// The words of a provider about an order, from its first warning to its end.
async fn order(app: &TestApp) {
    let mut it = Treated::new(app).await;
    for day in ["2026-01-12", "2026-01-19"] {
        it.session(app, day).await;
    }
    it.go_to(app, "2026-01-12");
    it.record("2026-01-12", no_show()).await.unwrap();
    it.go_to(app, "2026-01-13");
    it.decide("2026-01-12", false, true).await.unwrap();
    let mut compliance = it.ngo.coordinator.compliance();
    let reason = || "An example".to_owned();
    macro_rules! act {
        ($rpc:ident, $request:ident { $($field:ident: $value:expr),* }) => {
            let (order_id, etag) = (it.order_id.clone(), it.order().await.etag);
            #[allow(clippy::needless_update, reason = "some requests have these fields alone")]
            let request = pb::$request { order_id, etag, reason: reason(), $($field: $value,)* ..Default::default() };
            compliance.$rpc(request).await.unwrap();
        };
    }
    act!(issue_warning, IssueWarningRequest {});
    act!(confirm_breach, ConfirmBreachRequest {});
    act!(resolve_breach, ResolveBreachRequest {});
    act!(suspend_order, SuspendOrderRequest { from: Some(date("2026-02-02")), until: Some(date("2026-02-08")) });
    let number = it.history().await.1.last().unwrap().number;
    act!(withdraw_event, WithdrawEventRequest { number: number });
    let order = pb::TreatmentOrder { required_sessions: 14, ..it.order().await };
    let request = pb::AmendOrderRequest { order: Some(order), reason: reason(), ..Default::default() };
    compliance.amend_order(request).await.unwrap();
    let why = pb::TerminationReason::Revoked.into();
    act!(terminate_order, TerminateOrderRequest { termination_reason: why });
}

/// What the recipes of every RPC leave out, because it is asked for only beside something else.
async fn care(app: &TestApp, it: &Objects) {
    let (me, own, lead) = (&it.ngo.coordinator, it.ngo.as_counsellor(app, &it.counsellor), clinical_lead(app, &it.ngo));
    let reason = || "An example".to_owned();
    let sought =
        pb::ListClientsRequest { name: "Person Example".into(), phone: "5550101".into(), ..Default::default() };
    me.clients().list_clients(sought).await.unwrap();
    let (gone, other) = (it.ngo.survivor().await, Ngo::new(app, "B").await);
    crate::transfer::proposing(&it.ngo, &gone, &other, &reason()).await.unwrap();
    let born = pb::Client { born_on: Some(date("1987-03-14")), ..it.stranger.clone() };
    let request = pb::UpdateClientRequest { client: Some(born), ..Default::default() };
    me.clients().update_client(request).await.unwrap();
    let mut early = booking(&it.ngo, &it.counsellor, &it.client, "2026-11-26T00:30:00Z");
    let rule = pb::BookingRule::OutsideWorkingHours.into();
    early.overrides = vec![pb::RuleOverride { rule, reason: reason() }];
    book(me, early).await.unwrap();
    let mut excused = facts(pb::AttendanceOutcome::AcceptableMedical);
    (excused.evidence_reference, excused.verifier) = ("certificate 12".into(), "the registrar".into());
    let request = pb::RecordAttendanceRequest {
        facts: Some(excused),
        ..recording(&it.ended, &it.client, pb::AttendanceOutcome::NoShow)
    };
    record(&own, request).await.unwrap();
    decide(me, deciding(&it.missed, &it.client, &it.attendance.etag, true)).await.unwrap();

    let wrong = pb::RecordCaseEventRequest {
        case_id: it.case.id.clone(),
        kind: it.case_event.kind,
        happened_on: Some(date("2026-11-19")),
        source: reason(),
        actor: reason(),
        zone: "Asia/Kolkata".into(),
        supersedes_case_event_id: it.case_event.id.clone(),
        reason: reason(),
        ..Default::default()
    };
    me.follow_up().record_case_event(wrong).await.unwrap();
    let instead = well(&it.client, "PCL_5", "2026-11-23");
    let (supersedes_assessment_id, reason_) = (it.assessment.id.clone(), reason());
    let instead = pb::SubmitAssessmentRequest { supersedes_assessment_id, reason: reason_, ..instead };
    submit(&own, instead).await.unwrap();
    let plan = plan_of(&own, &it.client).await.unwrap();
    let instrument = (*plan.instruments("BASELINE").last().unwrap()).into();
    let declined = excusing(plan.milestone("BASELINE"), pb::MilestoneExcuse::Declined);
    excuse(&own, pb::ExcuseMilestoneRequest { instrument, ..declined }).await.unwrap();
    let taken = acknowledge(&lead, &it.escalation).await.unwrap();
    resolve(&lead, resolving(&taken, pb::EscalationAction::LiveContact)).await.unwrap();

    let training = pb::RecordTrainingRequest {
        session_id: it.training.id.clone(),
        police_unit: "Example Nagar Police Station".into(),
        topic: "First contact with a child".into(),
        trainees: vec![pb::Trainee { name: reason(), post: reason(), attended: true }],
        outcome: reason(),
        ..Default::default()
    };
    let made = own.attendance().record_training(training.clone()).await.unwrap().into_inner().training.unwrap();
    let wrong = pb::RecordTrainingRequest { etag: made.etag, reason: reason(), ..training };
    own.attendance().record_training(wrong).await.unwrap();
}

/// Reads whatever anybody may read, and gives the RPCs by which something planted came back to those who may have it.
pub async fn read_everything(app: &TestApp, it: &Objects) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let reads = |rpc: &str| ["/Get", "/List", "/Export", "/Find"].iter().any(|verb| rpc.contains(verb));
    for recipe in recipes_of_every_service().iter().filter(|it| reads(&it.rpc)) {
        for role in Role::ALL {
            let answers = ask(app, it, recipe, *role).await;
            if answers.iter().any(|answer| answer.code == Code::Ok && answer.bears(MARK)) {
                told.insert(recipe.rpc.clone());
            }
        }
    }
    told
}
