//! The generated messages of `proto/aftercare/v1`, clients and servers.

#![allow(missing_docs, rustdoc::all, clippy::all, clippy::pedantic, reason = "generated; documented in proto/")]

pub use self::aftercare::v1::*;

/// The descriptors of every message, for reflection and tests.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aftercare.bin"));

pub mod google {
    pub mod r#type {
        include!(concat!(env!("OUT_DIR"), "/google.r#type.rs"));
    }
}

pub mod aftercare {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/aftercare.v1.rs"));
    }
}

macro_rules! redacted {
    ($($message:ty: $shown:ident),*) => {$(
        impl std::fmt::Debug for $message {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($message)).field(stringify!($shown), &self.$shown).finish_non_exhaustive()
            }
        }
    )*};
}
redacted!(Client: id, ListClientsRequest: side, LegalHold: id, ReleaseLegalHoldRequest: hold_id, Counsellor: id, Guardian: id, ConsentEnd: how, WithdrawConsentRequest: consent_id,
    InvalidateConsentRequest: consent_id, AttendanceFacts: outcome, Attendance: id,
    AmendAttendanceRequest: session_id, AbsenceDecision: id, DecideAbsenceRequest: session_id, SessionNote: id,
    WriteSessionNoteRequest: session_id, Trainee: attended, Training: session_id, RecordTrainingRequest: session_id, ExcuseMilestoneRequest: milestone_id, ItemAnswer: item,
    AssessmentResult: rule_set, Assessment: id, SubmitAssessmentRequest: client_id, Escalation: id,
    ReportConcernRequest: client_id, ResolveEscalationRequest: escalation_id, MandatoryReport: id,
    RecordMandatoryReportRequest: mandatory_report_id, CaseEvent: id, RecordCaseEventRequest: case_id, BreakGlass: id, RequestBreakGlassRequest: length);
