//! What police are answered, on the wire.

use tonic::Request;

use super::Compliance;
use super::wire::{change_pb, view_pb};
use crate::domain::client::CrimeNumber;
use crate::domain::police::LARGEST_BATCH;
use crate::domain::reference::Reference;
use crate::grpc::fields::{Fields, open};
use crate::grpc::pb;
use crate::grpc::stream::{Streaming, stream};
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::treatment::{
    BatchCheckCompliance, CheckCompliance, Inquiry, ListComplianceInJurisdiction, watch_compliance,
};

/// The most orders of a page: as many as of a batch.
const MOST: i32 = 200;

/// Why police ask.
pub fn inquiry(f: &mut Fields, pb: Option<&pb::LookupReason>) -> Option<Inquiry> {
    let pb = pb.cloned().unwrap_or_default();
    let purpose = f.word("lookup.purpose", pb.purpose);
    let crime_number = f.parse("lookup.crime_number", &pb.crime_number, CrimeNumber::parse);
    Some(Inquiry { purpose: purpose?, crime_number: crime_number? })
}

impl Compliance {
    pub(super) async fn check(
        &self,
        request: Request<pb::CheckComplianceRequest>,
    ) -> Result<pb::CheckComplianceResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let inquiry = inquiry(&mut f, pb.lookup.as_ref());
        let reference = f.parse("reference", &pb.reference, Reference::parse);
        let check = f.finish(|| Some(CheckCompliance { inquiry: inquiry?, reference: reference? }))?;
        let answer = check.run(&self.world, call).await?;
        Ok(pb::CheckComplianceResponse { compliance: Some(view_pb(&answer)) })
    }

    pub(super) async fn check_batch(
        &self,
        request: Request<pb::BatchCheckComplianceRequest>,
    ) -> Result<pb::BatchCheckComplianceResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let inquiry = inquiry(&mut f, pb.lookup.as_ref());
        let references = match pb.references.len() {
            0..=LARGEST_BATCH => references(&mut f, &pb.references),
            _ => f.wrong("references", format!("must be at most {LARGEST_BATCH}")),
        };
        let check = f.finish(|| Some(BatchCheckCompliance { inquiry: inquiry?, references: references? }))?;
        let references = check.references.clone();
        let answers = mutate(&self.world, call, check).await?;
        let result = |(reference, answer): (Reference, Option<_>)| pb::BatchedCompliance {
            reference: reference.as_str().to_owned(),
            compliance: answer.as_ref().map(view_pb),
        };
        Ok(pb::BatchCheckComplianceResponse { results: references.into_iter().zip(answers).map(result).collect() })
    }

    pub(super) async fn check_all(
        &self,
        request: Request<pb::ListComplianceInJurisdictionRequest>,
    ) -> Result<pb::ListComplianceInJurisdictionResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let inquiry = inquiry(&mut f, pb.lookup.as_ref());
        let status = f.maybe_word("status", pb.status);
        let query = pb::ListComplianceInJurisdictionRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size.min(MOST), &pb.page_token, 50, &query);
        let list =
            f.finish(|| Some(ListComplianceInJurisdiction { inquiry: inquiry?, status: status?, page: page? }))?;
        let listed = mutate(&self.world, call, list).await?;
        Ok(pb::ListComplianceInJurisdictionResponse {
            compliances: listed.answers.iter().map(view_pb).collect(),
            next_page_token: listed.next,
            watch_cursor: listed.watch,
        })
    }

    pub(super) async fn watch(
        &self,
        request: Request<pb::WatchComplianceRequest>,
    ) -> Result<Streaming<pb::WatchComplianceResponse>> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let inquiry = inquiry(&mut f, pb.lookup.as_ref());
        let watcher = watch_compliance(&self.world, call, f.finish(|| inquiry)?, &pb.cursor).await?;
        Ok(stream(watcher, change_pb))
    }
}

/// References, each once.
fn references(f: &mut Fields, raw: &[String]) -> Option<Vec<Reference>> {
    let read: Vec<_> =
        raw.iter().enumerate().map(|(at, raw)| f.parse(&format!("references[{at}]"), raw, Reference::parse)).collect();
    for (at, reference) in read.iter().enumerate() {
        if reference.is_some() && read[..at].contains(reference) {
            f.wrong::<()>(&format!("references[{at}]"), "must not repeat a reference");
        }
    }
    if raw.is_empty() {
        return f.wrong("references", "must have at least one value");
    }
    read.into_iter().collect()
}
