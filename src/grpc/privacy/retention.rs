//! Who is to be erased, on the wire.

use tonic::Request;

use super::Privacy;
use crate::grpc::fields::{Fields, date, open, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::retention::{Due, list_due};

impl Privacy {
    pub(super) async fn due(
        &self,
        request: Request<pb::ListRetentionDueRequest>,
    ) -> Result<pb::ListRetentionDueResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let query = pb::ListRetentionDueRequest::default();
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let page = f.finish(|| page)?;
        let (rows, next_page_token) = list_due(&self.world, &call, &page).await?;
        Ok(pb::ListRetentionDueResponse { notices: rows.iter().map(notice_pb).collect(), next_page_token })
    }
}

fn notice_pb(it: &Due) -> pb::RetentionNotice {
    pb::RetentionNotice {
        client_id: it.client_id.to_string(),
        client_reference: it.reference.to_string(),
        rule: it.rule.to_string(),
        kept_until: Some(date(it.kept_until)),
        listed_at: timestamp(it.listed_at),
        erasable_at: timestamp(it.erasable_at),
        hindrances: it.hindrances.iter().map(|it| it.to_wire()).collect(),
    }
}
