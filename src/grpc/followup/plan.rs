//! Plans on the wire.

use tonic::Request;

use super::FollowUps;
use super::wire::{milestones_pb, plan_pb, template_pb};
use crate::domain::followup::{FEWEST_SESSIONS, MOST_SESSIONS};
use crate::domain::text::zone;
use crate::grpc::fields::{Fields, keyed, open, open_mutation};
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::followup::change::{CloseFollowUp, Discharge, UpdateFollowUp};
use crate::usecase::followup::enrol::{EnrolFollowUp, Of};
use crate::usecase::followup::plan::{Which, get_plan, templates};
use crate::usecase::mutate;

keyed!(EnrolFollowUpRequest, UpdateFollowUpRequest, CloseFollowUpRequest);

impl FollowUps {
    pub(super) async fn enrol(&self, request: Request<pb::EnrolFollowUpRequest>) -> Result<pb::EnrolFollowUpResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let of = enrolled(&mut f, &pb);
        let template = Some(pb.template.clone()).filter(|code| !code.is_empty());
        let intake_on = f.maybe_date("intake_on", pb.intake_on.as_ref());
        let enrol = f.finish(|| Some(EnrolFollowUp { of: of?, template, intake_on: intake_on? }))?;
        let to = call.caller().authority.role();
        let view = mutate(&self.world, call, enrol).await?;
        let milestones = milestones_pb(&view.milestones, self.world.now(), to);
        Ok(pb::EnrolFollowUpResponse { plan: Some(plan_pb(&view)), milestones })
    }

    pub(super) async fn update_plan(
        &self,
        request: Request<pb::UpdateFollowUpRequest>,
    ) -> Result<pb::UpdateFollowUpResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (plan_id, version) = (f.id("plan_id", &pb.plan_id), f.etag("etag", &pb.etag));
        let intake_on = f.maybe_date("intake_on", pb.intake_on.as_ref());
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let report_on = f.maybe_date("report_on", pb.report_on.as_ref());
        let planned_sessions = planned_sessions(&mut f, pb.planned_sessions);
        let discharged_on = f.maybe_date("discharged_on", pb.discharged_on.as_ref());
        let discharge = match (discharged_on.flatten(), pb.not_discharged) {
            (Some(_), true) => f.wrong("not_discharged", "must be false when discharged_on is given"),
            (Some(on), false) => Some(Some(Discharge::On(on))),
            (None, true) => Some(Some(Discharge::None)),
            (None, false) => Some(None),
        };
        let update = f.finish(|| {
            Some(UpdateFollowUp {
                plan_id: plan_id?,
                version: version?,
                intake_on: intake_on?,
                counsellor_id: counsellor_id?,
                report_on: report_on?,
                planned_sessions: planned_sessions?,
                discharge: discharge?,
            })
        })?;
        let to = call.caller().authority.role();
        let view = mutate(&self.world, call, update).await?;
        let milestones = milestones_pb(&view.milestones, self.world.now(), to);
        Ok(pb::UpdateFollowUpResponse { plan: Some(plan_pb(&view)), milestones })
    }

    pub(super) async fn close_plan(
        &self,
        request: Request<pb::CloseFollowUpRequest>,
    ) -> Result<pb::CloseFollowUpResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (plan_id, version) = (f.id("plan_id", &pb.plan_id), f.etag("etag", &pb.etag));
        let closing = f.word("closing", pb.closing);
        let close = f.finish(|| Some(CloseFollowUp { plan_id: plan_id?, version: version?, closing: closing? }))?;
        let view = mutate(&self.world, call, close).await?;
        Ok(pb::CloseFollowUpResponse { plan: Some(plan_pb(&view)) })
    }

    pub(super) async fn get_plan(&self, request: Request<pb::GetFollowUpRequest>) -> Result<pb::GetFollowUpResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let plan_id = f.maybe_id("plan_id", &pb.plan_id).flatten().map(Which::Plan);
        let client_id = f.maybe_id("client_id", &pb.client_id).flatten().map(Which::Client);
        let case_id = f.maybe_id("case_id", &pb.case_id).flatten().map(Which::Case);
        let given = [&pb.plan_id, &pb.client_id, &pb.case_id].iter().filter(|it| !it.is_empty()).count();
        if given != 1 {
            f.wrong::<()>("plan_id", "must be given, or client_id, or case_id, and only one of them");
        }
        let which = f.finish(|| plan_id.or(client_id).or(case_id))?;
        let to = call.caller().authority.role();
        let view = get_plan(&self.world, &call, which).await?;
        let milestones = milestones_pb(&view.milestones, self.world.now(), to);
        Ok(pb::GetFollowUpResponse { plan: Some(plan_pb(&view)), milestones })
    }

    pub(super) async fn templates(
        &self,
        request: Request<pb::ListPlanTemplatesRequest>,
    ) -> Result<pb::ListPlanTemplatesResponse> {
        open(request)?;
        Ok(pb::ListPlanTemplatesResponse { templates: templates().into_iter().map(template_pb).collect() })
    }
}

/// Of whom or what a plan is made.
fn enrolled(f: &mut Fields, pb: &pb::EnrolFollowUpRequest) -> Option<Of> {
    let client_id = f.maybe_id("client_id", &pb.client_id);
    let case_id = f.maybe_id("case_id", &pb.case_id);
    let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
    let zone = f.maybe("zone", &pb.zone, zone);
    let report_on = f.maybe_date("report_on", pb.report_on.as_ref());
    let planned_sessions = planned_sessions(f, pb.planned_sessions);
    match (pb.client_id.is_empty(), pb.case_id.is_empty()) {
        (false, true) => Some(Of::Survivor {
            client_id: client_id??,
            counsellor_id: counsellor_id?,
            zone: zone?,
            report_on: report_on?,
            planned_sessions: planned_sessions?,
        }),
        (true, false) => {
            for (field, is_empty) in [
                ("counsellor_id", pb.counsellor_id.is_empty()),
                ("report_on", pb.report_on.is_none()),
                ("planned_sessions", pb.planned_sessions == 0),
            ] {
                if !is_empty {
                    f.wrong::<()>(field, "must be left out for a case");
                }
            }
            let zone = zone?.or_else(|| f.wrong("zone", "is required for a case"));
            Some(Of::Case { case_id: case_id??, zone: zone? })
        }
        _ => f.wrong("client_id", "must be given, or case_id, and only one of them"),
    }
}

/// How many sessions are planned; none when 0.
fn planned_sessions(f: &mut Fields, raw: i32) -> Option<Option<u32>> {
    f.maybe_count("planned_sessions", Some(raw).filter(|it| *it != 0), FEWEST_SESSIONS..=MOST_SESSIONS)
}
