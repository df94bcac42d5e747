//! Everything that is held about somebody.

use aftercare::grpc::pb;

use super::recipes;

recipes! { "PrivacyService", |it, _role|
    ExportClient ExportClientRequest Survivor {
        client_id: it.client.id.clone(),
        purpose: pb::ExportPurpose::AccessRequest.into(),
        request_number: "RTI-1".into(),
    }
    ListRetentionDue ListRetentionDueRequest Care {}
}
