//! A survivor who is followed up, in the domain's words. Days are those of Asia/Kolkata.

use std::collections::BTreeMap;

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use tonic::Status;

use super::actor::Actor;
use super::app::TestApp;
use super::ngo::{Ngo, book, booking, date};
use super::treatment::afternoon;

/// A plan as it is read.
pub struct Plan {
    pub plan: pb::FollowUpPlan,
    pub milestones: Vec<pb::Milestone>,
}

impl Plan {
    /// The milestone of a code, the first of those that recur.
    pub fn milestone(&self, code: &str) -> &pb::Milestone {
        self.milestones.iter().find(|it| it.code == code).unwrap_or_else(|| panic!("no milestone {code}"))
    }

    /// First day, due day and last day of a milestone's window.
    pub fn days(&self, code: &str) -> [String; 3] {
        let it = self.milestone(code);
        [it.opens_on, it.due_on, it.closes_on].map(text)
    }

    pub fn status(&self, code: &str) -> pb::MilestoneStatus {
        self.milestone(code).status()
    }

    /// Where every milestone stands, by code.
    pub fn statuses(&self) -> BTreeMap<&str, pb::MilestoneStatus> {
        self.milestones.iter().map(|it| (it.code.as_str(), it.status())).collect()
    }

    /// What a milestone asks for.
    pub fn instruments(&self, code: &str) -> Vec<&str> {
        self.milestone(code).instruments.iter().map(|it| it.instrument.as_str()).collect()
    }
}

/// A day as it is written, or nothing.
pub fn text(day: Option<pb::google::r#type::Date>) -> String {
    day.map(|it| format!("{:04}-{:02}-{:02}", it.year, it.month, it.day)).unwrap_or_default()
}

/// Asks for a survivor's plan, with a report on the same day as the intake.
pub fn enrolling(client: &pb::Client, counsellor: &pb::Counsellor, intake_on: &str) -> pb::EnrolFollowUpRequest {
    pb::EnrolFollowUpRequest {
        client_id: client.id.clone(),
        counsellor_id: counsellor.id.clone(),
        intake_on: Some(date(intake_on)),
        report_on: Some(date(intake_on)),
        ..Default::default()
    }
}

pub async fn enrol(actor: &Actor, request: pb::EnrolFollowUpRequest) -> Result<Plan, Status> {
    let made = actor.follow_up().enrol_follow_up(request).await?.into_inner();
    Ok(Plan { plan: made.plan.unwrap(), milestones: made.milestones })
}

pub async fn plan_of(actor: &Actor, client: &pb::Client) -> Result<Plan, Status> {
    let request = pb::GetFollowUpRequest { client_id: client.id.clone(), ..Default::default() };
    let read = actor.follow_up().get_follow_up(request).await?.into_inner();
    Ok(Plan { plan: read.plan.unwrap(), milestones: read.milestones })
}

/// Somebody who answers for the clinical side of an organisation.
pub fn clinical_lead(app: &TestApp, ngo: &Ngo) -> Actor {
    app.actor(Authority::ClinicalLead { organisation_id: ngo.id.parse().unwrap() })
}

/// A survivor with a plan.
pub struct Followed {
    pub ngo: Ngo,
    pub counsellor: pb::Counsellor,
    pub client: pb::Client,
    /// The clinical lead, who sees what a milestone asks for.
    lead: Actor,
    sessions: BTreeMap<String, pb::Session>,
}

/// An adult taken in, and reported, on a Monday of January 2026, with a plan of twelve sessions, that afternoon.
pub async fn enrolled(app: &TestApp) -> Followed {
    enrolled_with(app, |_| {}, |_| {}).await
}

/// As [`enrolled`], with another survivor or plan.
pub async fn enrolled_with(
    app: &TestApp,
    client: impl FnOnce(&mut pb::Client),
    plan: impl FnOnce(&mut pb::EnrolFollowUpRequest),
) -> Followed {
    app.clock.set(afternoon("2026-01-05"));
    let ngo = Ngo::new(app, "FOLLOWING").await;
    let counsellor = ngo.counsellor("C-1", pb::Side::Survivor).await;
    let client = ngo.survivor_with(client).await;
    let mut request = enrolling(&client, &counsellor, "2026-01-05");
    plan(&mut request);
    enrol(&ngo.coordinator, request).await.unwrap();
    let lead = clinical_lead(app, &ngo);
    Followed { ngo, counsellor, client, lead, sessions: BTreeMap::new() }
}

impl Followed {
    /// The plan as it stands, for the clinical side.
    pub async fn plan(&self) -> Plan {
        plan_of(&self.lead, &self.client).await.unwrap()
    }

    /// Moves the clock to the afternoon of a day, and everybody signs in anew.
    pub fn go_to(&mut self, app: &TestApp, day: &str) {
        app.clock.set(afternoon(day));
        self.sign_in(app);
    }

    /// Gives the coordinator and the clinical lead fresh tokens, after a day has passed.
    pub fn sign_in(&mut self, app: &TestApp) {
        self.ngo.sign_in(app);
        self.lead = clinical_lead(app, &self.ngo);
    }

    /// Books an hour from ten on a day.
    pub async fn session(&mut self, day: &str) -> pb::Session {
        let start = format!("{day}T04:30:00Z");
        let request = booking(&self.ngo, &self.counsellor, &self.client, &start);
        let session = book(&self.ngo.coordinator, request).await.unwrap();
        self.sessions.insert(day.into(), session.clone());
        session
    }

    /// The session that was booked for a day.
    pub fn on(&self, day: &str) -> &pb::Session {
        &self.sessions[day]
    }

    /// Records what became of a day's session.
    pub async fn record(&self, day: &str, facts: pb::AttendanceFacts) -> pb::Attendance {
        let request = pb::RecordAttendanceRequest {
            session_id: self.on(day).id.clone(),
            client_id: self.client.id.clone(),
            facts: Some(facts),
            ..Default::default()
        };
        let recorded = self.ngo.coordinator.attendance().record_attendance(request).await.unwrap().into_inner();
        recorded.attendance.unwrap()
    }

    /// The counsellor who is responsible.
    pub fn responsible(&self, app: &TestApp) -> Actor {
        self.ngo.as_counsellor(app, &self.counsellor)
    }
}

/// A change of a plan as it was read.
pub fn updating(plan: &Plan) -> pb::UpdateFollowUpRequest {
    let (plan_id, etag) = (plan.plan.id.clone(), plan.plan.etag.clone());
    pb::UpdateFollowUpRequest { plan_id, etag, ..Default::default() }
}

pub async fn update(actor: &Actor, request: pb::UpdateFollowUpRequest) -> Result<Plan, Status> {
    let changed = actor.follow_up().update_follow_up(request).await?.into_inner();
    Ok(Plan { plan: changed.plan.unwrap(), milestones: changed.milestones })
}

/// Every milestone of a list, page by page.
pub async fn listed(actor: &Actor, mut request: pb::ListMilestonesRequest) -> Result<Vec<pb::Milestone>, Status> {
    let mut all = Vec::new();
    loop {
        let page = actor.follow_up().list_milestones(request.clone()).await?.into_inner();
        assert!(request.page_size == 0 || page.milestones.len() <= request.page_size as usize);
        all.extend(page.milestones);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// Code and due day of milestones.
pub fn due(all: &[pb::Milestone]) -> Vec<(String, String)> {
    all.iter().map(|it| (it.code.clone(), text(it.due_on))).collect()
}

/// How a milestone is excused, as it was read.
pub fn excusing(milestone: &pb::Milestone, excuse: pb::MilestoneExcuse) -> pb::ExcuseMilestoneRequest {
    let resumed = excuse == pb::MilestoneExcuse::Resumed;
    pb::ExcuseMilestoneRequest {
        milestone_id: milestone.id.clone(),
        etag: milestone.etag.clone(),
        excuse: excuse.into(),
        reason: if resumed { String::new() } else { "An example".into() },
        ..Default::default()
    }
}

pub async fn excuse(actor: &Actor, request: pb::ExcuseMilestoneRequest) -> Result<pb::Milestone, Status> {
    Ok(actor.follow_up().excuse_milestone(request).await?.into_inner().milestone.unwrap())
}

impl Followed {
    /// Moves a day's session to another day.
    pub async fn reschedule(&mut self, day: &str, to: &str) -> pb::Session {
        let old = self.ngo.session(&self.on(day).id).await;
        let request = pb::RescheduleSessionRequest {
            session_id: old.id,
            etag: old.etag,
            reason: pb::CancelReason::Client.into(),
            starts_at: super::ngo::at(&format!("{to}T04:30:00Z")),
            ..Default::default()
        };
        let moved = self.ngo.coordinator.scheduling().reschedule_session(request).await.unwrap().into_inner();
        let session = moved.session.unwrap();
        self.sessions.insert(to.into(), session.clone());
        session
    }

    /// Calls a day's session off.
    pub async fn cancel(&self, day: &str) -> pb::Session {
        self.ngo.cancel(&self.ngo.session(&self.on(day).id).await).await.unwrap()
    }

    /// Closes the plan.
    pub async fn close(&mut self, closing: pb::FollowUpClosing) -> Result<pb::FollowUpPlan, Status> {
        let plan = self.plan().await.plan;
        let request = pb::CloseFollowUpRequest {
            plan_id: plan.id,
            etag: plan.etag,
            closing: closing.into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.follow_up().close_follow_up(request).await?.into_inner().plan.unwrap())
    }
}

/// A sheet of an instrument on which nothing is said to be the matter, of a day.
pub fn well(client: &pb::Client, instrument: &str, on: &str) -> pb::SubmitAssessmentRequest {
    let items = match instrument {
        "PCL_5" => 20,
        "CATS_2" => 30,
        "PHQ_9" | "PHQ_A" => 9,
        "CRIES_8" => 8,
        "GAD_7" => 7,
        "PC_PTSD_5" => 0,
        other => panic!("no sheet of {other}"),
    };
    let zero = |item| pb::ItemAnswer { item, answer: Some(pb::item_answer::Answer::Value(0)) };
    pb::SubmitAssessmentRequest {
        client_id: client.id.clone(),
        instrument: instrument.into(),
        language: "ml".into(),
        assessed_on: Some(date(on)),
        gate: (instrument == "PC_PTSD_5").then_some(false),
        answers: (1..=items).map(zero).collect(),
        ..Default::default()
    }
}

/// The assessment and the milestone it belongs to.
pub async fn submit(
    actor: &Actor,
    request: pb::SubmitAssessmentRequest,
) -> Result<(pb::Assessment, Option<pb::Milestone>), Status> {
    let made = actor.follow_up().submit_assessment(request).await?.into_inner();
    Ok((made.assessment.unwrap(), made.milestone))
}
