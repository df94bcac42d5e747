//! Attendance.

use aftercare::grpc::pb;

use super::recipes;
use crate::support::{date, facts};

recipes! { "AttendanceService", |it, _role|
    RecordAttendance RecordAttendanceRequest Survivor {
        session_id: it.ended.id.clone(),
        client_id: it.client.id.clone(),
        facts: Some(facts(pb::AttendanceOutcome::AttendedComplied)),
    }
    AmendAttendance AmendAttendanceRequest Survivor {
        session_id: it.missed.id.clone(),
        client_id: it.client.id.clone(),
        etag: it.attendance.etag.clone(),
        facts: Some(facts(pb::AttendanceOutcome::AttendedComplied)),
        reason: "written into the wrong line".into(),
    }
    DecideAbsence DecideAbsenceRequest Survivor {
        session_id: it.missed.id.clone(),
        client_id: it.client.id.clone(),
        etag: it.attendance.etag.clone(),
        verdict: pb::AbsenceVerdict::Unacceptable.into(),
    }
    ListUnrecorded ListUnrecordedRequest Care {}
    ListAttendance ListAttendanceRequest Survivor { session_id: it.missed.id.clone(), with_texts: true }
    WriteSessionNote WriteSessionNoteRequest Survivor {
        session_id: it.ended.id.clone(),
        client_id: it.client.id.clone(),
        text: "An example".into(),
    }
    ListSessionNotes ListSessionNotesRequest Survivor { session_id: it.ended.id.clone() }
    ListOutcomes ListOutcomesRequest Open {}
    RecordTraining RecordTrainingRequest Survivor {
        session_id: it.training.id.clone(),
        police_unit: "Example Nagar Police Station".into(),
        topic: "First contact with a child".into(),
        trainees: vec![pb::Trainee { name: "Officer Example".into(), post: "Inspector".into(), attended: true }],
        outcome: "An example".into(),
    }
    GetTraining GetTrainingRequest Survivor { session_id: it.training.id.clone() }
    ListTrainings ListTrainingsRequest Care { from: Some(date("2026-11-01")), until: Some(date("2026-11-30")) }
}
