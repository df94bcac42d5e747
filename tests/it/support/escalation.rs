//! Concerns and escalations, as they are sent.

use aftercare::grpc::pb;
use tonic::Status;

use super::actor::Actor;

/// That something was learned through a client.
pub fn concern(client: &pb::Client, kind: pb::ConcernKind) -> pb::ReportConcernRequest {
    pb::ReportConcernRequest {
        client_id: client.id.clone(),
        kind: kind.into(),
        text: "What the clinical side must know".into(),
        ..Default::default()
    }
}

pub async fn report(actor: &Actor, request: pb::ReportConcernRequest) -> Result<pb::ReportConcernResponse, Status> {
    Ok(actor.follow_up().report_concern(request).await?.into_inner())
}

/// The open escalations of which somebody may know.
pub async fn escalations(actor: &Actor) -> Vec<pb::Escalation> {
    listed(actor, pb::ListEscalationsRequest::default()).await
}

pub async fn listed(actor: &Actor, request: pb::ListEscalationsRequest) -> Vec<pb::Escalation> {
    actor.follow_up().list_escalations(request).await.unwrap().into_inner().escalations
}

/// Takes an escalation on, as it was read.
pub async fn acknowledge(actor: &Actor, it: &pb::Escalation) -> Result<pb::Escalation, Status> {
    let (escalation_id, etag) = (it.id.clone(), it.etag.clone());
    let request = pb::AcknowledgeEscalationRequest { escalation_id, etag, ..Default::default() };
    Ok(actor.follow_up().acknowledge_escalation(request).await?.into_inner().escalation.unwrap())
}

/// Closes an escalation, as it was read, with what was done.
pub fn resolving(it: &pb::Escalation, action: pb::EscalationAction) -> pb::ResolveEscalationRequest {
    pb::ResolveEscalationRequest {
        escalation_id: it.id.clone(),
        etag: it.etag.clone(),
        action: action.into(),
        note: "What to remember".into(),
        ..Default::default()
    }
}

pub async fn resolve(actor: &Actor, request: pb::ResolveEscalationRequest) -> Result<pb::Escalation, Status> {
    Ok(actor.follow_up().resolve_escalation(request).await?.into_inner().escalation.unwrap())
}

/// The reports that the law demands and nobody has made yet.
pub async fn reports(actor: &Actor) -> Vec<pb::MandatoryReport> {
    let request = pb::ListMandatoryReportsRequest::default();
    actor.follow_up().list_mandatory_reports(request).await.unwrap().into_inner().mandatory_reports
}
