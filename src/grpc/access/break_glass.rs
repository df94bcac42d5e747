//! Emergency access on the wire.

use chrono::{DateTime, TimeDelta, Utc};
use tonic::Request;

use super::Access;
use crate::domain::break_glass::{BreakGlass, LONGEST, USUAL};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::text::lines;
use crate::grpc::fields::{Fields, duration, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::break_glass::{DecideBreakGlass, Decision, RequestBreakGlass, list_break_glass};
use crate::usecase::error::Result;
use crate::usecase::mutate;

/// The most characters of a reason; a parameter of ours.
const LONGEST_REASON: usize = 1_000;

impl Access {
    pub(super) async fn ask(
        &self,
        request: Request<pb::RequestBreakGlassRequest>,
    ) -> Result<pb::RequestBreakGlassResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let reference = f.parse("reference", &pb.reference, Reference::parse);
        let reason = f.parse("reason", &pb.reason, |raw| lines(raw, 1..=LONGEST_REASON)).map(Personal::new);
        let length = f.minutes("length", pb.length.as_ref(), TimeDelta::minutes(1)..=LONGEST, Some(USUAL));
        let ask = f.finish(|| Some(RequestBreakGlass { reference: reference?, reason: reason?, length: length? }))?;
        let asked = mutate(&self.world, call, ask).await?;
        Ok(pb::RequestBreakGlassResponse { break_glass: Some(self.shown(&asked)) })
    }

    pub(super) async fn approve(
        &self,
        request: Request<pb::ApproveBreakGlassRequest>,
    ) -> Result<pb::ApproveBreakGlassResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("break_glass_id", &pb.break_glass_id);
        let decide = f.finish(|| Some(DecideBreakGlass { id: id?, decision: Decision::Approve }))?;
        let opened = mutate(&self.world, call, decide).await?;
        Ok(pb::ApproveBreakGlassResponse { break_glass: Some(self.shown(&opened)) })
    }

    pub(super) async fn end(
        &self,
        request: Request<pb::RevokeBreakGlassRequest>,
    ) -> Result<pb::RevokeBreakGlassResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("break_glass_id", &pb.break_glass_id);
        let decide = f.finish(|| Some(DecideBreakGlass { id: id?, decision: Decision::Revoke }))?;
        let ended = mutate(&self.world, call, decide).await?;
        Ok(pb::RevokeBreakGlassResponse { break_glass: Some(self.shown(&ended)) })
    }

    pub(super) async fn review(
        &self,
        request: Request<pb::ReviewBreakGlassRequest>,
    ) -> Result<pb::ReviewBreakGlassResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("break_glass_id", &pb.break_glass_id);
        let finding = f.word("finding", pb.finding);
        let decide = f.finish(|| Some(DecideBreakGlass { id: id?, decision: Decision::Review(finding?) }))?;
        let reviewed = mutate(&self.world, call, decide).await?;
        Ok(pb::ReviewBreakGlassResponse { break_glass: Some(self.shown(&reviewed)) })
    }

    pub(super) async fn asked(
        &self,
        request: Request<pb::ListBreakGlassRequest>,
    ) -> Result<pb::ListBreakGlassResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let query = pb::ListBreakGlassRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let page = f.finish(|| page)?;
        let (rows, next_page_token) = list_break_glass(&self.world, call, pb.unreviewed, page).await?;
        Ok(pb::ListBreakGlassResponse { break_glass: rows.iter().map(|it| self.shown(it)).collect(), next_page_token })
    }

    fn shown(&self, it: &BreakGlass) -> pb::BreakGlass {
        shown(it, self.world.now())
    }
}

pub(in crate::grpc) fn shown(it: &BreakGlass, now: DateTime<Utc>) -> pb::BreakGlass {
    let mut pb = pb::BreakGlass {
        id: it.id.to_string(),
        organisation_id: it.organisation_id.to_string(),
        client_id: it.client_id.to_string(),
        reference: it.reference.as_str().to_owned(),
        counsellor_id: it.counsellor_id.to_string(),
        requested_by: it.requested.by.clone(),
        requested_at: timestamp(it.requested.at),
        reason: it.reason.expose().to_owned(),
        length: duration(it.length),
        state: it.state(now).to_wire(),
        opened_until: it.opened_until.and_then(timestamp),
        finding: it.finding.map_or(0, Word::to_wire),
        ..Default::default()
    };
    if let Some(act) = &it.opened {
        (pb.opened_at, pb.opened_by) = (timestamp(act.at), act.by.clone());
    }
    if let Some(act) = &it.revoked {
        (pb.revoked_at, pb.revoked_by) = (timestamp(act.at), act.by.clone());
    }
    if let Some(act) = &it.reviewed {
        (pb.reviewed_at, pb.reviewed_by) = (timestamp(act.at), act.by.clone());
    }
    pb
}
