//! What became of sessions, as it is sent.

use aftercare::grpc::pb;
use tonic::Status;

use super::actor::Actor;

/// An outcome with what it needs, and nothing more.
pub fn facts(outcome: pb::AttendanceOutcome) -> pb::AttendanceFacts {
    use pb::AttendanceOutcome as Outcome;
    let mut facts = pb::AttendanceFacts { outcome: outcome.into(), ..Default::default() };
    match outcome {
        Outcome::Late => facts.late_by = Some(super::minutes(12)),
        Outcome::LeftEarly => facts.attended_for = Some(super::minutes(20)),
        Outcome::AttendedDidNotComply => facts.concern = pb::ComplianceConcern::DidNotTakePart.into(),
        Outcome::SentHomeByProvider | Outcome::ProviderCancelled | Outcome::Rescheduled => {
            facts.not_held_reason = pb::NotHeldReason::CounsellorAbsent.into();
        }
        _ => {}
    }
    facts
}

/// What became of a session for one of its clients.
pub fn recording(
    session: &pb::Session,
    client: &pb::Client,
    outcome: pb::AttendanceOutcome,
) -> pb::RecordAttendanceRequest {
    pb::RecordAttendanceRequest {
        session_id: session.id.clone(),
        client_id: client.id.clone(),
        facts: Some(facts(outcome)),
        ..Default::default()
    }
}

pub async fn record(actor: &Actor, request: pb::RecordAttendanceRequest) -> Result<pb::Attendance, Status> {
    Ok(actor.attendance().record_attendance(request).await?.into_inner().attendance.unwrap())
}

/// Another outcome instead of the record of this etag.
pub fn amending(
    session: &pb::Session,
    client: &pb::Client,
    etag: &str,
    outcome: pb::AttendanceOutcome,
) -> pb::AmendAttendanceRequest {
    pb::AmendAttendanceRequest {
        session_id: session.id.clone(),
        client_id: client.id.clone(),
        etag: etag.into(),
        facts: Some(facts(outcome)),
        reason: "written into the wrong line".into(),
        ..Default::default()
    }
}

pub async fn amend(actor: &Actor, request: pb::AmendAttendanceRequest) -> Result<pb::Attendance, Status> {
    Ok(actor.attendance().amend_attendance(request).await?.into_inner().attendance.unwrap())
}

/// That an absence was acceptable, with evidence, or was not.
pub fn deciding(session: &pb::Session, client: &pb::Client, etag: &str, acceptable: bool) -> pb::DecideAbsenceRequest {
    let request = pb::DecideAbsenceRequest {
        session_id: session.id.clone(),
        client_id: client.id.clone(),
        etag: etag.into(),
        verdict: pb::AbsenceVerdict::Unacceptable.into(),
        ..Default::default()
    };
    match acceptable {
        false => request,
        true => pb::DecideAbsenceRequest {
            verdict: pb::AbsenceVerdict::Acceptable.into(),
            ground: pb::AbsenceGround::Medical.into(),
            evidence_reference: "certificate 12".into(),
            verifier: "the registrar".into(),
            ..request
        },
    }
}

pub async fn decide(actor: &Actor, request: pb::DecideAbsenceRequest) -> Result<pb::AbsenceDecision, Status> {
    Ok(actor.attendance().decide_absence(request).await?.into_inner().decision.unwrap())
}

/// Everything recorded and decided of a session, what people wrote included.
pub async fn history(actor: &Actor, session: &pb::Session) -> Result<Vec<pb::AttendanceHistory>, Status> {
    let request = pb::ListAttendanceRequest { session_id: session.id.clone(), with_texts: true, ..Default::default() };
    Ok(actor.attendance().list_attendance(request).await?.into_inner().histories)
}

/// The sessions of which something is still to be recorded.
pub async fn unrecorded(actor: &Actor) -> Vec<pb::UnrecordedSession> {
    actor.attendance().list_unrecorded(pb::ListUnrecordedRequest::default()).await.unwrap().into_inner().sessions
}
