//! Milestones on the wire.

use tonic::Request;

use super::FollowUps;
use super::wire::{milestone_pb, milestones_pb};
use crate::domain::followup::milestone::Excuse;
use crate::domain::personal::Personal;
use crate::domain::text::{Code, bounded};
use crate::grpc::fields::{Fields, keyed, open, open_mutation};
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::followup::milestone::{ExcuseMilestone, Filter, Kind, list_milestones};
use crate::usecase::mutate;

keyed!(ExcuseMilestoneRequest);

impl FollowUps {
    pub(super) async fn milestones(
        &self,
        request: Request<pb::ListMilestonesRequest>,
    ) -> Result<pb::ListMilestonesResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let case_id = f.maybe_id("case_id", &pb.case_id);
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let kind = match pb::MilestoneKind::try_from(pb.kind) {
            Ok(pb::MilestoneKind::Unspecified) => Some(None),
            Ok(pb::MilestoneKind::FollowUp) => Some(Some(Kind::FollowUp)),
            Ok(pb::MilestoneKind::Procedure) => Some(Some(Kind::Procedure)),
            Err(_) => f.wrong("kind", "must be MILESTONE_KIND_FOLLOW_UP or MILESTONE_KIND_PROCEDURE"),
        };
        let due_from = f.maybe_date("due_from", pb.due_from.as_ref());
        let due_until = f.maybe_date("due_until", pb.due_until.as_ref());
        if due_from.flatten().zip(due_until.flatten()).is_some_and(|(from, until)| until < from) {
            f.wrong::<()>("due_until", "must not be before due_from");
        }
        let query = pb::ListMilestonesRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (filter, page) = f.finish(|| {
            let filter = Filter {
                client_id: client_id?,
                case_id: case_id?,
                counsellor_id: counsellor_id?,
                kind: kind?,
                due_from: due_from?,
                due_until: due_until?,
            };
            Some((filter, page?))
        })?;
        let to = call.caller().authority.role();
        let (milestones, next_page_token) = list_milestones(&self.world, &call, &filter, &page).await?;
        let milestones = milestones_pb(&milestones, self.world.now(), to);
        Ok(pb::ListMilestonesResponse { milestones, next_page_token })
    }

    pub(super) async fn excuse(
        &self,
        request: Request<pb::ExcuseMilestoneRequest>,
    ) -> Result<pb::ExcuseMilestoneResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (id, version) = (f.id("milestone_id", &pb.milestone_id), f.etag("etag", &pb.etag));
        let excuse = f.word("excuse", pb.excuse);
        let instrument = f.maybe("instrument", &pb.instrument, Code::parse);
        if !pb.instrument.is_empty() && matches!(excuse, Some(Excuse::NotApplicable | Excuse::OnHold)) {
            f.wrong::<()>("instrument", "must be empty unless it is declined or taken up again");
        }
        let reason = match excuse {
            Some(Excuse::Resumed) if pb.reason.is_empty() => Some(Personal::default()),
            Some(Excuse::Resumed) => f.wrong("reason", "must be empty when it is taken up again"),
            _ => f.parse("reason", &pb.reason, |raw| bounded(raw, 3..=500)).map(Personal::new),
        };
        let excuse = f.finish(|| {
            let instrument = instrument?.map(|code| code.as_str().to_owned());
            Some(ExcuseMilestone { id: id?, version: version?, excuse: excuse?, instrument, reason: reason? })
        })?;
        let milestone = mutate(&self.world, call, excuse).await?;
        Ok(pb::ExcuseMilestoneResponse { milestone: Some(milestone_pb(&milestone, self.world.now())) })
    }
}
