//! Compiles proto/ without a protoc binary: protox reads it, tonic-prost-build writes the code.

use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let services = ["access", "attendance", "audit", "client", "compliance", "directory", "followup", "scheduling"]
        .map(|name| format!("proto/aftercare/v1/{name}.proto"));
    let descriptors = protox::compile(services, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("aftercare.bin");
    std::fs::write(out, descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // Messages that carry personal text print none of it; grpc::pb says what they print.
        .skip_debug([
            "aftercare.v1.Client",
            "aftercare.v1.Counsellor",
            "aftercare.v1.Guardian",
            "aftercare.v1.ListClientsRequest",
            "aftercare.v1.LegalHold",
            "aftercare.v1.ReleaseLegalHoldRequest",
            "aftercare.v1.ConsentEnd",
            "aftercare.v1.WithdrawConsentRequest",
            "aftercare.v1.InvalidateConsentRequest",
            "aftercare.v1.AttendanceFacts",
            "aftercare.v1.Attendance",
            "aftercare.v1.AmendAttendanceRequest",
            "aftercare.v1.AbsenceDecision",
            "aftercare.v1.DecideAbsenceRequest",
            "aftercare.v1.SessionNote",
            "aftercare.v1.WriteSessionNoteRequest",
            "aftercare.v1.Trainee",
            "aftercare.v1.Training",
            "aftercare.v1.RecordTrainingRequest",
            "aftercare.v1.ExcuseMilestoneRequest",
            "aftercare.v1.ItemAnswer",
            "aftercare.v1.AssessmentResult",
            "aftercare.v1.Assessment",
            "aftercare.v1.SubmitAssessmentRequest",
            "aftercare.v1.Escalation",
            "aftercare.v1.ReportConcernRequest",
            "aftercare.v1.ResolveEscalationRequest",
            "aftercare.v1.MandatoryReport",
            "aftercare.v1.RecordMandatoryReportRequest",
            "aftercare.v1.CaseEvent",
            "aftercare.v1.RecordCaseEventRequest",
            "aftercare.v1.BreakGlass",
            "aftercare.v1.RequestBreakGlassRequest",
        ])
        .compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=proto");
    Ok(())
}
