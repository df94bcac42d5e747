//! Somebody under a treatment order, in the domain's words. Days are those of Asia/Kolkata.

use std::collections::BTreeMap;

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code;
use aftercare::grpc::pb;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tonic::Status;

use super::actor::Actor;
use super::app::TestApp;
use super::ngo::{Ngo, book, booking, date, minutes};

/// An order of twelve sessions from the first Monday of 2026 on, in court's name.
pub fn order_of(client: &pb::Client) -> pb::TreatmentOrder {
    pb::TreatmentOrder {
        client_id: client.id.clone(),
        jurisdiction: "KL-TVM".into(),
        mandate: pb::MandateBasis::CourtOrder.into(),
        document: "Example order 12/2026".into(),
        starts_on: Some(date("2026-01-05")),
        required_sessions: 12,
        zone: "Asia/Kolkata".into(),
        ..Default::default()
    }
}

pub async fn create_order(actor: &Actor, order: pb::TreatmentOrder) -> Result<pb::TreatmentOrder, Status> {
    let request = pb::CreateTreatmentOrderRequest { order: Some(order), ..Default::default() };
    Ok(actor.compliance().create_treatment_order(request).await?.into_inner().order.unwrap())
}

/// Why police ask, in tests.
pub fn lookup() -> Option<pb::LookupReason> {
    Some(pb::LookupReason { purpose: pb::LookupPurpose::Supervision.into(), crime_number: "101/2025".into() })
}

/// A police officer of a district.
pub fn officer(app: &TestApp, district: &str) -> Actor {
    app.actor(Authority::Police { jurisdiction: Code::parse(district).unwrap() })
}

pub async fn check(officer: &Actor, reference: &str) -> Result<pb::ComplianceView, Status> {
    let request = pb::CheckComplianceRequest { lookup: lookup(), reference: reference.into() };
    Ok(officer.compliance().check_compliance(request).await?.into_inner().compliance.unwrap())
}

/// Four in the afternoon of a day: sessions of the morning have ended.
pub fn afternoon(day: &str) -> DateTime<Utc> {
    format!("{day}T10:30:00Z").parse().unwrap()
}

/// Somebody under an order, with a session every Monday at ten, each booked and counted.
pub struct Treated {
    pub ngo: Ngo,
    pub counsellor: pb::Counsellor,
    pub client: pb::Client,
    pub order_id: String,
    pub reference: String,
    sessions: BTreeMap<NaiveDate, pb::Session>,
}

impl Treated {
    /// On new year's day of 2026, with Republic Day a holiday.
    pub async fn new(app: &TestApp) -> Self {
        Self::with(app, |_| {}).await
    }

    pub async fn with(app: &TestApp, adjust: impl FnOnce(&mut pb::TreatmentOrder)) -> Self {
        app.clock.set(afternoon("2026-01-01"));
        let ngo = Ngo::new(app, "TREATING").await;
        let counsellor = ngo.counsellor("C-1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let mut order = order_of(&client);
        order.holiday_calendar_id = republic_day(&ngo).await;
        adjust(&mut order);
        let order = create_order(&ngo.coordinator, order).await.unwrap();
        let (order_id, reference) = (order.id, order.reference);
        Self { ngo, counsellor, client, order_id, reference, sessions: BTreeMap::new() }
    }

    /// Books an hour from ten on a day, counted towards the order.
    pub async fn session(&mut self, app: &TestApp, day: &str) -> pb::Session {
        self.try_session(app, day).await.unwrap()
    }

    /// As [`Self::session`], where it may be refused.
    pub async fn try_session(&mut self, app: &TestApp, day: &str) -> Result<pb::Session, Status> {
        self.ngo.sign_in(app);
        let start = format!("{day}T04:30:00Z");
        let mut request = booking(&self.ngo, &self.counsellor, &self.client, &start);
        request.order_id = self.order_id.clone();
        let session = book(&self.ngo.coordinator, request).await?;
        self.sessions.insert(day.parse().unwrap(), session.clone());
        Ok(session)
    }

    /// Calls a day's session off.
    pub async fn cancel(&self, day: &str, reason: pb::CancelReason) -> Result<pb::Session, Status> {
        let request = pb::CancelSessionRequest {
            session_id: self.on(day).id.clone(),
            etag: self.ngo.session(&self.on(day).id).await.etag,
            reason: reason.into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.scheduling().cancel_session(request).await?.into_inner().session.unwrap())
    }

    /// Whose session it was that day.
    pub fn on(&self, day: &str) -> &pb::Session {
        &self.sessions[&day.parse::<NaiveDate>().unwrap()]
    }

    pub async fn order(&self) -> pb::TreatmentOrder {
        self.history().await.0
    }

    pub async fn history(&self) -> (pb::TreatmentOrder, Vec<pb::OrderEvent>) {
        let request = pb::GetOrderRequest { order_id: self.order_id.clone() };
        let read = self.ngo.coordinator.compliance().get_order(request).await.unwrap().into_inner();
        (read.order.unwrap(), read.events)
    }

    pub async fn standing(&self) -> pb::OrderStanding {
        self.order().await.standing.unwrap()
    }

    /// What police are told today.
    pub async fn seen(&self, app: &TestApp) -> pb::ComplianceView {
        check(&officer(app, "KL-TVM"), &self.reference).await.unwrap()
    }

    /// Records what became of a day's session.
    pub async fn record(&self, day: &str, facts: pb::AttendanceFacts) -> Result<pb::Attendance, Status> {
        let request = pb::RecordAttendanceRequest {
            session_id: self.on(day).id.clone(),
            client_id: self.client.id.clone(),
            facts: Some(facts),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.attendance().record_attendance(request).await?.into_inner().attendance.unwrap())
    }

    /// What stands recorded of a day's session.
    pub async fn recorded(&self, day: &str) -> pb::Attendance {
        let request = pb::ListAttendanceRequest { session_id: self.on(day).id.clone(), ..Default::default() };
        let mut all = self.ngo.coordinator.attendance().list_attendance(request).await.unwrap().into_inner().histories;
        all.remove(0).records.pop().unwrap()
    }

    pub async fn amend(&self, day: &str, facts: pb::AttendanceFacts) -> Result<pb::Attendance, Status> {
        let request = pb::AmendAttendanceRequest {
            session_id: self.on(day).id.clone(),
            client_id: self.client.id.clone(),
            etag: self.recorded(day).await.etag,
            facts: Some(facts),
            reason: "An example of a slip of the pen".into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.attendance().amend_attendance(request).await?.into_inner().attendance.unwrap())
    }

    pub async fn decide(&self, day: &str, acceptable: bool, serious: bool) -> Result<(), Status> {
        let mut request = pb::DecideAbsenceRequest {
            session_id: self.on(day).id.clone(),
            client_id: self.client.id.clone(),
            etag: self.recorded(day).await.etag,
            verdict: pb::AbsenceVerdict::Unacceptable.into(),
            serious,
            ..Default::default()
        };
        if acceptable {
            request.verdict = pb::AbsenceVerdict::Acceptable.into();
            request.ground = pb::AbsenceGround::Medical.into();
            request.evidence_reference = "Example certificate 7".into();
            request.verifier = "Example verifier".into();
        }
        self.ngo.coordinator.attendance().decide_absence(request).await.map(drop)
    }

    pub async fn warn(&self, issued_on: Option<&str>) -> Result<pb::TreatmentOrder, Status> {
        let request = pb::IssueWarningRequest {
            order_id: self.order_id.clone(),
            etag: self.order().await.etag,
            issued_on: issued_on.map(date),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.compliance().issue_warning(request).await?.into_inner().order.unwrap())
    }

    pub async fn suspend(&self, from: &str, until: &str) -> Result<pb::TreatmentOrder, Status> {
        let request = pb::SuspendOrderRequest {
            order_id: self.order_id.clone(),
            etag: self.order().await.etag,
            from: Some(date(from)),
            until: Some(date(until)),
            reason: "An example".into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.compliance().suspend_order(request).await?.into_inner().order.unwrap())
    }

    pub async fn confirm(&self) -> Result<pb::TreatmentOrder, Status> {
        let request = pb::ConfirmBreachRequest {
            order_id: self.order_id.clone(),
            etag: self.order().await.etag,
            ..Default::default()
        };
        Ok(self.ngo.coordinator.compliance().confirm_breach(request).await?.into_inner().order.unwrap())
    }

    pub async fn resolve(&self) -> Result<pb::TreatmentOrder, Status> {
        let request = pb::ResolveBreachRequest {
            order_id: self.order_id.clone(),
            etag: self.order().await.etag,
            reason: "An example".into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.compliance().resolve_breach(request).await?.into_inner().order.unwrap())
    }

    pub async fn terminate(&self) -> Result<pb::TerminateOrderResponse, Status> {
        let request = pb::TerminateOrderRequest {
            order_id: self.order_id.clone(),
            etag: self.order().await.etag,
            termination_reason: pb::TerminationReason::Revoked.into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.compliance().terminate_order(request).await?.into_inner())
    }

    pub async fn withdraw(&self, number: i32) -> Result<pb::TreatmentOrder, Status> {
        let request = pb::WithdrawEventRequest {
            order_id: self.order_id.clone(),
            etag: self.order().await.etag,
            number,
            reason: "An example".into(),
            ..Default::default()
        };
        Ok(self.ngo.coordinator.compliance().withdraw_event(request).await?.into_inner().order.unwrap())
    }

    /// Moves the clock to the afternoon of a day, and everybody signs in anew.
    pub fn go_to(&mut self, app: &TestApp, day: &str) {
        self.go_to_instant(app, afternoon(day));
    }

    /// As [`Self::go_to`], at any instant.
    pub fn go_to_instant(&mut self, app: &TestApp, at: DateTime<Utc>) {
        app.clock.set(at);
        self.ngo.sign_in(app);
    }

    pub async fn lookups(&self) -> Vec<pb::Lookup> {
        let request = pb::ListLookupsRequest { order_id: self.order_id.clone(), ..Default::default() };
        self.ngo.coordinator.compliance().list_lookups(request).await.unwrap().into_inner().lookups
    }
}

async fn republic_day(ngo: &Ngo) -> String {
    let calendar = pb::HolidayCalendar {
        organisation_id: ngo.id.clone(),
        code: "HOLIDAYS".into(),
        name: "Example holidays".into(),
        holidays: vec![pb::Holiday { date: Some(date("2026-01-26")), name: "Republic Day".into() }],
        ..Default::default()
    };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let made = ngo.coordinator.directory().create_holiday_calendar(request).await.unwrap().into_inner();
    made.holiday_calendar.unwrap().id
}

/// What became of a session, with nothing beside it.
pub fn outcome(outcome: pb::AttendanceOutcome) -> pb::AttendanceFacts {
    pb::AttendanceFacts { outcome: outcome.into(), ..Default::default() }
}

pub fn attended() -> pb::AttendanceFacts {
    outcome(pb::AttendanceOutcome::AttendedComplied)
}

pub fn no_show() -> pb::AttendanceFacts {
    outcome(pb::AttendanceOutcome::NoShow)
}

pub fn late(by: i64) -> pb::AttendanceFacts {
    pb::AttendanceFacts { late_by: Some(minutes(by)), ..outcome(pb::AttendanceOutcome::Late) }
}

pub fn left_after(stayed: i64) -> pb::AttendanceFacts {
    pb::AttendanceFacts { attended_for: Some(minutes(stayed)), ..outcome(pb::AttendanceOutcome::LeftEarly) }
}

pub fn provider_cancelled() -> pb::AttendanceFacts {
    pb::AttendanceFacts {
        not_held_reason: pb::NotHeldReason::CounsellorAbsent.into(),
        ..outcome(pb::AttendanceOutcome::ProviderCancelled)
    }
}

/// An hour of the clock.
pub const HOUR: TimeDelta = TimeDelta::hours(1);
