//! Treatment orders and follow-up: what police ask, what is recorded, what is answered.

use aftercare::domain::police::MOST_CALLS;
use aftercare::grpc::pb;
use chrono::Days;
use pb::attendance_service_client::AttendanceServiceClient;
use pb::compliance_service_client::ComplianceServiceClient;
use pb::follow_up_service_client::FollowUpServiceClient;

use super::{Once, date};
use crate::load::Call;
use crate::service::Cast;

/// On how many days back questionnaires are answered.
const DAYS: u64 = 300;
/// The questionnaire, and how many questions it has.
const QUESTIONNAIRE: (&str, i32) = ("GAD_7", 7);

/// Police look up every order in turn. Each officer may ask so often in a minute, which never ends here.
pub fn check_compliance(cast: &Cast, seed: u64) -> Call {
    let orders = cast.people.seats.iter().flat_map(|seat| &seat.clients).filter_map(|it| it.order.as_ref());
    let references: Vec<_> = orders.map(|order| order.reference.as_str().to_owned()).collect();
    let most = cast.officers.len() * MOST_CALLS as usize;
    let asks = (0..most).map(|turn| {
        let (purpose, crime_number) = (pb::LookupPurpose::Supervision.into(), "101/2025".into());
        let lookup = Some(pb::LookupReason { purpose, crime_number });
        let reference = references[turn % references.len()].clone();
        (cast.officers[turn % cast.officers.len()].clone(), pb::CheckComplianceRequest { lookup, reference })
    });
    let asks = Once::new(asks, (seed, 1));
    Call::new("CheckCompliance", move |channel| {
        let turn = asks.next(|_, _| {});
        async move {
            ComplianceServiceClient::new(channel).check_compliance(turn?).await?;
            Ok(())
        }
    })
}

/// Sessions that are over, each recorded once; the order is judged anew each time.
pub fn record_attendance(cast: &Cast, seed: u64) -> Call {
    let asks = Once::new(
        cast.filled.treated.iter().map(|(seat, session_id, client_id)| {
            let outcome = pb::AttendanceOutcome::AttendedComplied.into();
            let message = pb::RecordAttendanceRequest {
                session_id: session_id.to_string(),
                client_id: client_id.to_string(),
                facts: Some(pb::AttendanceFacts { outcome, ..Default::default() }),
                ..Default::default()
            };
            (cast.coordinator(cast.people.organisation_of(*seat)).clone(), message)
        }),
        (seed, 2),
    );
    Call::new("RecordAttendance", move |channel| {
        let turn = asks.next(|message, request_id| message.request_id = request_id);
        async move {
            AttendanceServiceClient::new(channel).record_attendance(turn?).await?;
            Ok(())
        }
    })
}

/// A day's questionnaire of everybody who is followed up, then those of the day before, and so on.
pub fn submit_assessment(cast: &Cast, seed: u64) -> Call {
    let (instrument, questions) = QUESTIONNAIRE;
    let answer = |item| pb::ItemAnswer { item, answer: Some(pb::item_answer::Answer::Value(item % 2)) };
    let days = (0..DAYS).map(|ago| date(cast.today - Days::new(ago)));
    let asks = days.flat_map(|day| {
        let seats = cast.people.seats.iter().enumerate();
        seats.filter_map(move |(place, seat)| {
            let message = pb::SubmitAssessmentRequest {
                client_id: seat.followed()?.id.to_string(),
                instrument: instrument.into(),
                language: "en".into(),
                assessed_on: Some(day),
                answers: (1..=questions).map(answer).collect(),
                ..Default::default()
            };
            Some((cast.counsellor(place).clone(), message))
        })
    });
    let asks = Once::new(asks, (seed, 3));
    Call::new("SubmitAssessment", move |channel| {
        let turn = asks.next(|message, request_id| message.request_id = request_id);
        async move {
            FollowUpServiceClient::new(channel).submit_assessment(turn?).await?;
            Ok(())
        }
    })
}
