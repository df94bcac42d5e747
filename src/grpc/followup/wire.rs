//! Plans, milestones and templates for the wire.

use chrono::{DateTime, Utc};

use crate::domain::access::Role;
use crate::domain::followup::milestone::Milestone;
use crate::domain::followup::template::{Step, Template};
use crate::grpc::fields::{count, date, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::followup::plan::View;

/// A plan for the wire.
pub fn plan_pb(it: &View) -> pb::FollowUpPlan {
    let (plan, course) = (&it.plan, it.plan.course());
    pb::FollowUpPlan {
        id: plan.id.to_string(),
        etag: plan.version.to_string(),
        client_id: id_text(course.map(|it| it.client_id)),
        case_id: id_text(plan.case_id()),
        template: plan.template.clone(),
        template_version: count(plan.template_version),
        counsellor_id: id_text(course.map(|it| it.counsellor_id)),
        zone: plan.zone.name().to_owned(),
        intake_on: Some(date(plan.intake_on)),
        report_on: course.and_then(|it| it.report_on).map(date),
        planned_sessions: course.map_or(0, |it| count(it.planned_sessions)),
        discharged_on: course.and_then(|it| it.discharged_on).map(date),
        closing: plan.closed.map_or(0, |(closing, _)| closing.to_wire()),
        closed_at: plan.closed.and_then(|(_, at)| timestamp(at)),
        needs_attention: it.needs_attention(),
        created_at: timestamp(plan.created_at),
    }
}

/// Milestones for the wire, as they stand at an instant. What of one was answered is for the clinical side.
pub fn milestones_pb(all: &[Milestone], now: DateTime<Utc>, to: Role) -> Vec<pb::Milestone> {
    let shown = |it: pb::Milestone| match to {
        Role::Counsellor | Role::ClinicalLead => it,
        _ => pb::Milestone { instruments: Vec::new(), ..it },
    };
    all.iter().map(|it| shown(milestone_pb(it, now))).collect()
}

/// A milestone for the wire, as it stands at an instant.
pub fn milestone_pb(it: &Milestone, now: DateTime<Utc>) -> pb::Milestone {
    let (setting, step) = (&it.setting, it.step());
    let instruments = it.asked.iter().map(|asked| pb::MilestoneInstrument {
        instrument: asked.instrument.clone(),
        done: asked.answered.is_some(),
        excused: asked.excused,
    });
    pb::Milestone {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        plan_id: it.plan_id.to_string(),
        client_id: id_text(setting.client.as_ref().map(|(id, _)| *id)),
        client_reference: setting.client.as_ref().map(|(_, reference)| reference.to_string()).unwrap_or_default(),
        case_id: id_text(setting.case_id),
        code: it.code.clone(),
        number: count(it.number),
        status: it.status(now).to_wire(),
        anchor: step.map_or(0, |step| step.anchor.word().to_wire()),
        anchor_on: it.days.anchor_on.map(date),
        provisional: it.days.provisional,
        opens_on: it.days.opens_on.map(date),
        due_on: it.days.due_on.map(date),
        closes_on: it.days.closes_on.map(date),
        due_at: it.days.due_at.and_then(timestamp),
        done_on: it.done_on.map(date),
        instruments: instruments.collect(),
        session_id: id_text(it.session_id),
        basis: step.map(|step| step.basis.to_owned()).unwrap_or_default(),
        needs_attention: setting.needs_attention,
        counsellor_id: id_text(it.counsellor_id),
    }
}

/// A template for the wire.
pub fn template_pb(it: &Template) -> pb::PlanTemplate {
    pb::PlanTemplate {
        code: it.code.to_owned(),
        version: count(it.version),
        for_cases: it.for_cases,
        milestones: it.steps.iter().map(step_pb).collect(),
    }
}

fn step_pb(it: &Step) -> pb::TemplateMilestone {
    pb::TemplateMilestone {
        code: it.code.to_owned(),
        anchor: it.anchor.word().to_wire(),
        case_event: it.anchor.event().map(|event| event.to_string()).unwrap_or_default(),
        limit: it.limit.to_string(),
        opens_days_before: count(it.opens_before),
        closes_days_after: it.closes_after.map(count),
        instrument_set: it.set().map(|set| set.to_string()).unwrap_or_default(),
        basis: it.basis.to_owned(),
    }
}
