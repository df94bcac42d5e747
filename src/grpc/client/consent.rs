//! Consents on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::consent::{Assent, Consent, ConsentEnd, ConsentEnding, ConsentGiver, REASON};
use crate::domain::ids::GuardianId;
use crate::domain::noun::Record;
use crate::domain::text::{Code, Language};
use crate::grpc::directory::session_ids;
use crate::grpc::fields::{Fields, date, id_text, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::Call;
use crate::usecase::consent::{EndConsent, list_consents};
use crate::usecase::error::{Error, Result};
use crate::usecase::mutate;
use crate::usecase::noun::Create;

impl Clients {
    pub(super) async fn consent(
        &self,
        request: Request<pb::RecordConsentRequest>,
    ) -> Result<pb::RecordConsentResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let read = pb.consent.ok_or_else(|| Error::field("consent", "is required")).and_then(|pb| consent_from(&pb));
        let content = f.and(read)?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::RecordConsentResponse { consent: Some(consent_pb(&written.record)) })
    }

    pub(super) async fn take_back(
        &self,
        request: Request<pb::WithdrawConsentRequest>,
    ) -> Result<pb::WithdrawConsentResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let asked = (pb.consent_id.as_str(), pb.etag.as_str(), pb.reason.as_str());
        let (consent, affected_session_ids) = self.end(call, f, asked, ConsentEnding::Withdrawn).await?;
        Ok(pb::WithdrawConsentResponse { consent: Some(consent), affected_session_ids })
    }

    pub(super) async fn invalidate(
        &self,
        request: Request<pb::InvalidateConsentRequest>,
    ) -> Result<pb::InvalidateConsentResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let asked = (pb.consent_id.as_str(), pb.etag.as_str(), pb.reason.as_str());
        let (consent, affected_session_ids) = self.end(call, f, asked, ConsentEnding::Invalidated).await?;
        Ok(pb::InvalidateConsentResponse { consent: Some(consent), affected_session_ids })
    }

    async fn end(
        &self,
        call: Call,
        mut f: Fields,
        (id, etag, reason): (&str, &str, &str),
        how: ConsentEnding,
    ) -> Result<(pb::Consent, Vec<String>)> {
        let (id, version) = (f.id("consent_id", id), f.etag("etag", etag));
        let reason = f.personal("reason", reason, REASON);
        let end = f.finish(|| Some(EndConsent { id: id?, version: version?, how, reason: reason? }))?;
        let written = mutate(&self.world, call, end).await?;
        Ok((consent_pb(&written.record), session_ids(&written.orphaned)))
    }

    pub(super) async fn consents(&self, request: Request<pb::ListConsentsRequest>) -> Result<pb::ListConsentsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let query = pb::ListConsentsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (client_id, page) = f.finish(|| Some((client_id?, page?)))?;
        let (rows, next_page_token) = list_consents(&self.world, call, client_id, page).await?;
        Ok(pb::ListConsentsResponse { consents: rows.iter().map(consent_pb).collect(), next_page_token })
    }
}

fn consent_from(pb: &pb::Consent) -> Result<Consent> {
    let mut f = Fields::inside("consent");
    let client_id = f.id("client_id", &pb.client_id);
    let purpose = f.word("purpose", pb.purpose);
    let given_by = f.word("given_by", pb.given_by);
    let guardian_id = f.maybe_id("guardian_id", &pb.guardian_id);
    check_guardian(&mut f, given_by, guardian_id);
    let assent = f.maybe_word("assent", pb.assent);
    let language = f.parse("language", &pb.language, Language::parse);
    let text_version = f.parse("text_version", &pb.text_version, Code::parse);
    let given_on = f.date("given_on", pb.given_on.as_ref());
    let valid_until = f.maybe_date("valid_until", pb.valid_until.as_ref());
    if let (Some(first), Some(Some(last))) = (given_on, valid_until)
        && last < first
    {
        f.wrong::<()>("valid_until", "must not be before given_on");
    }
    f.finish(|| {
        Some(Consent {
            client_id: client_id?,
            purpose: purpose?,
            given_by: given_by?,
            guardian_id: guardian_id?,
            assent: assent?.unwrap_or(Assent::None),
            language: language?,
            text_version: text_version?,
            given_on: given_on?,
            valid_until: valid_until?,
            ended: None,
        })
    })
}

/// A guardian is named exactly when one gave it.
fn check_guardian(f: &mut Fields, given_by: Option<ConsentGiver>, guardian_id: Option<Option<GuardianId>>) {
    match (given_by, guardian_id) {
        (Some(ConsentGiver::Guardian), Some(None)) => f.wrong::<()>("guardian_id", "is required from a guardian"),
        (Some(ConsentGiver::Own | ConsentGiver::ChildWelfareCommittee), Some(Some(_))) => {
            f.wrong::<()>("guardian_id", "must be empty unless a guardian gave it")
        }
        _ => None,
    };
}

pub(in crate::grpc) fn consent_pb(it: &Record<Consent>) -> pb::Consent {
    pb::Consent {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        client_id: it.client_id.to_string(),
        purpose: it.purpose.to_wire(),
        given_by: it.given_by.to_wire(),
        guardian_id: id_text(it.guardian_id),
        assent: it.assent.to_wire(),
        language: it.language.as_str().to_owned(),
        text_version: it.text_version.to_string(),
        given_on: Some(date(it.given_on)),
        valid_until: it.valid_until.map(date),
        ended: it.ended.as_ref().map(end_pb),
        created_at: timestamp(it.created_at),
        updated_at: timestamp(it.updated_at),
    }
}

fn end_pb(end: &ConsentEnd) -> pb::ConsentEnd {
    let reason = end.reason.expose().to_owned();
    pb::ConsentEnd { how: end.how.to_wire(), ended_at: timestamp(end.at), reason }
}
