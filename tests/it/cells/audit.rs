//! The audit trail.

use aftercare::grpc::pb;

use super::recipes;

recipes! { "AuditService", |it, _role|
    ListAuditEvents ListAuditEventsRequest Open {}
    GetAuditHead GetAuditHeadRequest Open {}
    VerifyAudit VerifyAuditRequest Open {}
    ListAuditKeys ListAuditKeysRequest Open {}
}
