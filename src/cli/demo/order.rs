//! An order, the attendance that counts towards it, and what police may know of it.

use std::net::SocketAddr;

use chrono::{DateTime, TimeDelta, Utc};
use tonic::Code;

use super::Error;
use super::cast::{Cast, DISTRICT};
use super::say;
use super::walk::{Walk, date, deny, duration, expect, missing, timestamp};
use super::wire::Caller;
use crate::domain::access::Role;
use crate::grpc::pb;

/// Who treats the offender.
const THERAPIST: &str = "C-03";
/// What a walk-in may have against it on any day and at any hour.
const ANY_TIME: [pb::BookingRule; 6] = [
    pb::BookingRule::OutsideWorkingHours,
    pb::BookingRule::OnLeave,
    pb::BookingRule::Holiday,
    pb::BookingRule::Notice,
    pb::BookingRule::DailyLoad,
    pb::BookingRule::WeeklyLoad,
];

impl Walk {
    /// An order of a court, and one of the person's own.
    pub(super) async fn order(&mut self, client: &pb::Client) -> Result<[pb::TreatmentOrder; 2], Error> {
        say::step(17, "A court orders twelve sessions of treatment.", "CreateTreatmentOrder");
        let order = self.create_order(client, pb::MandateBasis::CourtOrder).await?;
        let voluntary = self.create_order(client, pb::MandateBasis::Voluntary).await?;
        println!("   {}, by which police ask for it; it is not the client's reference", order.reference);
        Ok([order, voluntary])
    }

    async fn create_order(
        &mut self,
        client: &pb::Client,
        mandate: pb::MandateBasis,
    ) -> Result<pb::TreatmentOrder, Error> {
        let order = pb::TreatmentOrder {
            client_id: client.id.clone(),
            jurisdiction: DISTRICT.into(),
            mandate: mandate.into(),
            document: "Example order 12".into(),
            starts_on: date(self.today),
            required_sessions: 12,
            zone: "Asia/Kolkata".into(),
            ..Default::default()
        };
        let request = pb::CreateTreatmentOrderRequest { order: Some(order), ..Default::default() };
        let created = self.coordinator.compliance.create_treatment_order(request).await?.into_inner();
        created.order.ok_or_else(missing("order"))
    }

    /// A session that begins now, and counts.
    pub(super) async fn walk_in(
        &mut self,
        client: &pb::Client,
        order: &pb::TreatmentOrder,
        now: DateTime<Utc>,
    ) -> Result<pb::Session, Error> {
        say::step(18, "A session by video begins now. Its counsellor records attendance.", "RecordAttendance");
        let directory = &mut self.coordinator.directory;
        let counsellors = directory.list_counsellors(pb::ListCounsellorsRequest::default()).await?.into_inner();
        let therapist = counsellors.counsellors.into_iter().find(|it| it.code == THERAPIST);
        let anyway = |rule: pb::BookingRule| pb::RuleOverride {
            rule: rule.into(),
            reason: "the demo is shown at any hour".into(),
        };
        let minute = now - TimeDelta::seconds(now.timestamp().rem_euclid(60));
        let request = pb::BookSessionRequest {
            client_id: client.id.clone(),
            counsellor_id: therapist.ok_or_else(missing("counsellor"))?.id,
            service: pb::CareService::Treatment.into(),
            modality: pb::Modality::Remote.into(),
            starts_at: timestamp(minute),
            length: duration(TimeDelta::minutes(45)),
            order_id: order.id.clone(),
            overrides: ANY_TIME.into_iter().map(anyway).collect(),
            ..Default::default()
        };
        let session = self.coordinator.scheduling.book_session(request).await?.into_inner().session;
        let session = session.ok_or_else(missing("session"))?;
        println!("{}", say::session(&session, &self.names)?);
        Ok(session)
    }
}

/// Who led the session says what became of it.
pub(super) async fn record(
    cast: &Cast,
    address: SocketAddr,
    client: &pb::Client,
    session: &pb::Session,
) -> Result<(), Error> {
    let mut counsellor = Caller::connect(address, cast.therapist()).await?;
    let facts = pb::AttendanceFacts { outcome: pb::AttendanceOutcome::AttendedComplied.into(), ..Default::default() };
    let request = pb::RecordAttendanceRequest {
        session_id: session.id.clone(),
        client_id: client.id.clone(),
        facts: Some(facts),
        ..Default::default()
    };
    let recorded = counsellor.attendance.record_attendance(request).await?.into_inner().attendance;
    let by = recorded.ok_or_else(missing("attendance"))?.recorded_by;
    println!("   ATTENDED_COMPLIED, recorded by {by}");
    Ok(())
}

/// Police ask about both orders, and for more than is theirs to know.
pub(super) async fn police(
    cast: &Cast,
    address: SocketAddr,
    [order, voluntary]: [pb::TreatmentOrder; 2],
) -> Result<(), Error> {
    say::step(19, "A police officer of the district checks compliance.", "CheckCompliance");
    let mut police = Caller::connect(address, cast.token(Role::Police)).await?;
    let lookup = pb::LookupReason { purpose: pb::LookupPurpose::Supervision.into(), crime_number: "101/2025".into() };
    let check = |reference: String| pb::CheckComplianceRequest { lookup: Some(lookup.clone()), reference };
    let answer = police.compliance.check_compliance(check(order.reference)).await?.into_inner().compliance;
    let answer = answer.ok_or_else(missing("answer"))?;
    expect(answer.status() == pb::ComplianceStatus::Compliant, "the order is not complied with")?;
    println!(
        "   {}: {}, {} of {} sessions; where, when and with whom is nobody's business",
        answer.reference,
        answer.status().as_str_name().trim_start_matches("COMPLIANCE_STATUS_"),
        answer.credited_sessions,
        answer.required_sessions
    );
    say::step(20, "What the person does without being ordered, police do not learn:", "CheckCompliance, ListSessions");
    let refused = police.compliance.check_compliance(check(voluntary.reference)).await;
    deny(refused.err(), Code::NotFound)?;
    let refused = police.scheduling.list_sessions(pb::ListSessionsRequest::default()).await;
    deny(refused.err(), Code::PermissionDenied)
}
