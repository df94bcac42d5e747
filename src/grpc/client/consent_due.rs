//! Consents that are due, on the wire.

use chrono::TimeDelta;
use tonic::Request;

use super::Clients;
use crate::grpc::fields::{Fields, date, id_text, open};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::consent::{DueSoon, list_consents_due};
use crate::usecase::error::Result;

/// How many days ahead, unless asked otherwise; a parameter of ours.
const USUAL: TimeDelta = TimeDelta::days(30);

impl Clients {
    pub(super) async fn due(
        &self,
        request: Request<pb::ListConsentsDueRequest>,
    ) -> Result<pb::ListConsentsDueResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let within = f.days("within", pb.within.as_ref(), 1..=366, USUAL);
        let query = pb::ListConsentsDueRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (within, page) = f.finish(|| Some((within?, page?)))?;
        let (rows, next_page_token) = list_consents_due(&self.world, &call, within, &page).await?;
        Ok(pb::ListConsentsDueResponse { consents_due: rows.iter().map(shown).collect(), next_page_token })
    }
}

fn shown(it: &DueSoon) -> pb::ConsentDue {
    pb::ConsentDue {
        on: Some(date(it.due.on)),
        reason: it.due.why.to_wire(),
        client_id: it.due.client_id.to_string(),
        reference: it.reference.as_str().to_owned(),
        purpose: it.due.purpose.to_wire(),
        consent_id: id_text(it.due.consent_id),
        session_id: id_text(it.due.session_id),
    }
}
