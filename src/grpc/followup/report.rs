//! Counts on the wire.

use tonic::Request;

use super::FollowUps;
use crate::domain::followup::report::{DueShown, Report};
use crate::domain::text::zone;
use crate::grpc::fields::{Fields, count, open};
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::followup::report::{Wanted, get_report};

impl FollowUps {
    pub(super) async fn counts(
        &self,
        request: Request<pb::GetFollowUpReportRequest>,
    ) -> Result<pb::GetFollowUpReportResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let from = f.date("from", pb.from.as_ref());
        let until = f.date("until", pb.until.as_ref());
        let zone = f.parse("zone", &pb.zone, zone);
        let wanted = f.finish(|| Some(Wanted { from: from?, until: until?, zone: zone? }))?;
        Ok(report_pb(&get_report(&self.world, &call, wanted).await?))
    }
}

fn report_pb(it: &Report) -> pb::GetFollowUpReportResponse {
    pb::GetFollowUpReportResponse {
        milestones: it.milestones.iter().map(|(code, due)| due_pb(code, due)).collect(),
        intakes: shown(it.intakes),
        first_sessions: shown(it.first_sessions),
        median_days_to_first_session: it.median_days.map(count),
        ninth_decile_days_to_first_session: it.ninth_decile_days.map(count),
        closed: shown(it.closed),
        dropped_out: shown(it.dropped_out),
    }
}

fn due_pb(code: &str, it: &DueShown) -> pb::MilestoneCounts {
    pb::MilestoneCounts {
        code: code.to_owned(),
        due: shown(it.due),
        done: shown(it.done),
        done_late: shown(it.done_late),
        missed: shown(it.missed),
        response_per_cent: it.response_per_cent().map(count),
    }
}

fn shown(number: Option<u32>) -> Option<pb::ReportedCount> {
    Some(pb::ReportedCount { value: number.map(count) })
}
