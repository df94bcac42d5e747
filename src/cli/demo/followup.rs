//! A survivor's follow-up: a baseline, an assessment three months after treatment, and what is overdue.

use std::net::SocketAddr;

use chrono::{Days, Months, NaiveDate};
use tonic::Code;

use super::Error;
use super::cast::Cast;
use super::say;
use super::walk::{Walk, date, deny, expect, missing};
use super::wire::Caller;
use crate::domain::access::Role;
use crate::grpc::pb;

/// The instrument of adults, its items, and the highest value of one.
const INSTRUMENT: &str = "PCL_5";
const ITEMS: i32 = 20;

impl Walk {
    /// Treatment began six months ago and ended three months ago.
    pub(super) async fn enrol(&mut self, cast: &Cast, client: &pb::Client) -> Result<pb::EnrolFollowUpResponse, Error> {
        say::step(21, "A survivor whose treatment ended three months ago is followed up.", "EnrolFollowUp");
        let began = back(self.today, 6)?;
        let request = pb::EnrolFollowUpRequest {
            client_id: client.id.clone(),
            counsellor_id: cast.counsellor().to_string(),
            zone: "Asia/Kolkata".into(),
            intake_on: date(began),
            report_on: date(began - Days::new(40)),
            ..Default::default()
        };
        let enrolled = self.coordinator.follow_up.enrol_follow_up(request).await?.into_inner();
        let plan = enrolled.plan.ok_or_else(missing("plan"))?;
        let request = pb::UpdateFollowUpRequest {
            plan_id: plan.id,
            etag: plan.etag,
            discharged_on: date(back(self.today, 3)?),
            ..Default::default()
        };
        let updated = self.coordinator.follow_up.update_follow_up(request).await?.into_inner();
        for it in &updated.milestones {
            println!("   {:<11} {:<14} {}", it.code, status(it), days(it));
        }
        Ok(pb::EnrolFollowUpResponse { plan: updated.plan, milestones: updated.milestones })
    }

    /// What waits, as a coordinator sees it: status and days, and no score.
    pub(super) async fn overdue(&mut self, client: &pb::Client) -> Result<(), Error> {
        say::step(24, "The coordinator sees what is overdue or due this week.", "ListMilestones");
        let request = pb::ListMilestonesRequest { due_until: date(self.today + Days::new(6)), ..Default::default() };
        let listed = self.coordinator.follow_up.list_milestones(request).await?.into_inner().milestones;
        expect(!listed.is_empty(), "nothing is overdue")?;
        for it in &listed {
            println!("   {}  {:<11} {:<7} {}", it.client_reference, it.code, status(it), days(it));
        }
        let request = pb::GetProgressRequest { client_id: client.id.clone(), ..Default::default() };
        println!("   Scores are for the clinical side:");
        deny(self.coordinator.follow_up.get_progress(request).await.err(), Code::PermissionDenied)
    }
}

/// The counsellor assesses at the beginning and today, and sees what has changed.
pub(super) async fn assess(
    cast: &Cast,
    address: SocketAddr,
    client: &pb::Client,
    enrolled: &pb::EnrolFollowUpResponse,
) -> Result<(), Error> {
    let mut counsellor = Caller::connect(address, cast.token(Role::Counsellor)).await?;
    let intake = enrolled.plan.as_ref().and_then(|plan| plan.intake_on);
    let three = enrolled.milestones.iter().find(|it| it.code == "FU_3M").ok_or_else(missing("milestone"))?;
    say::step(22, "The baseline, recorded late, and the assessment of today.", "SubmitAssessment");
    for (on, total, milestone_id) in [(intake, 45, String::new()), (None, 27, three.id.clone())] {
        let request = pb::SubmitAssessmentRequest {
            client_id: client.id.clone(),
            instrument: INSTRUMENT.into(),
            language: "en".into(),
            assessed_on: on,
            answers: answers(total),
            milestone_id,
            ..Default::default()
        };
        let submitted = counsellor.follow_up.submit_assessment(request).await?.into_inner();
        let milestone = submitted.milestone.ok_or_else(missing("milestone of the assessment"))?;
        let result = submitted.assessment.and_then(|it| it.result).ok_or_else(missing("result"))?;
        expect(result.total == Some(total), "the total is another")?;
        let reached = result.cut_offs.iter().any(|it| it.reached == Some(true));
        let screen = if reached { "screen positive" } else { "screen negative" };
        println!("   {:<9} {INSTRUMENT} {total}, {screen}; a screen is no diagnosis", milestone.code);
    }
    say::step(23, "What has changed since the baseline.", "GetProgress");
    let request = pb::GetProgressRequest { client_id: client.id.clone(), instrument: INSTRUMENT.into() };
    let progress = counsellor.follow_up.get_progress(request).await?.into_inner();
    let last = progress.series.first().and_then(|it| it.assessments.last()).ok_or_else(missing("series"))?;
    let change = last.result.as_ref().and_then(|it| it.since_baseline.as_ref()).ok_or_else(missing("change"))?;
    expect(change.class() == pb::ChangeClass::Recovered, "the change is of another class")?;
    println!("   {} points better: RECOVERED", change.delta());
    Ok(())
}

/// Answers that sum to a total; none of them calls for a person at once.
fn answers(total: i32) -> Vec<pb::ItemAnswer> {
    let share = |item: i32| total / ITEMS + i32::from(item <= total % ITEMS);
    let answer = |item| pb::ItemAnswer { item, answer: Some(pb::item_answer::Answer::Value(share(item))) };
    (1..=ITEMS).map(answer).collect()
}

fn back(day: NaiveDate, months: u32) -> Result<NaiveDate, Error> {
    day.checked_sub_months(Months::new(months)).ok_or_else(missing("a day months ago"))
}

fn status(it: &pb::Milestone) -> &'static str {
    it.status().as_str_name().trim_start_matches("MILESTONE_STATUS_")
}

fn days(it: &pb::Milestone) -> String {
    let day = |on: Option<&pb::google::r#type::Date>| {
        on.map_or_else(|| "…".to_owned(), |on| format!("{:04}-{:02}-{:02}", on.year, on.month, on.day))
    };
    let (opens, due, closes) = (it.opens_on.as_ref(), it.due_on.as_ref(), it.closes_on.as_ref());
    match due {
        Some(_) => format!("due {}, from {} to {}", day(due), day(opens), day(closes)),
        None => "its clock has not started".into(),
    }
}
