//! Somebody who calls the service, and what is refused.

use std::sync::Arc;

use aftercare::grpc::pb;
use prost::Message;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::plant::{Plant, Wire};

/// Somebody with a token.
#[derive(Clone)]
pub struct Actor {
    pub token: String,
    wire: Wire,
}

/// Puts the token into every request.
#[derive(Clone)]
pub struct Bearer(String);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0)).unwrap();
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

type Guarded = InterceptedService<Wire, Bearer>;

impl Actor {
    pub fn of(token: String, channel: Channel, plant: Option<Arc<Plant>>) -> Self {
        Self { token, wire: Wire::new(channel, plant) }
    }

    pub fn directory(&self) -> pb::directory_service_client::DirectoryServiceClient<Guarded> {
        pb::directory_service_client::DirectoryServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn clients(&self) -> pb::client_service_client::ClientServiceClient<Guarded> {
        pb::client_service_client::ClientServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn scheduling(&self) -> pb::scheduling_service_client::SchedulingServiceClient<Guarded> {
        pb::scheduling_service_client::SchedulingServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn attendance(&self) -> pb::attendance_service_client::AttendanceServiceClient<Guarded> {
        pb::attendance_service_client::AttendanceServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn compliance(&self) -> pb::compliance_service_client::ComplianceServiceClient<Guarded> {
        pb::compliance_service_client::ComplianceServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn access(&self) -> pb::access_service_client::AccessServiceClient<Guarded> {
        pb::access_service_client::AccessServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn follow_up(&self) -> pb::follow_up_service_client::FollowUpServiceClient<Guarded> {
        pb::follow_up_service_client::FollowUpServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn audit(&self) -> pb::audit_service_client::AuditServiceClient<Guarded> {
        pb::audit_service_client::AuditServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn privacy(&self) -> pb::privacy_service_client::PrivacyServiceClient<Guarded> {
        pb::privacy_service_client::PrivacyServiceClient::with_interceptor(self.wire.clone(), self.bearer())
    }

    pub fn wire(&self) -> Wire {
        self.wire.clone()
    }

    fn bearer(&self) -> Bearer {
        Bearer(self.token.clone())
    }
}

/// What a refusal says.
#[derive(Debug)]
pub struct Refused {
    pub code: tonic::Code,
    pub reason: String,
    /// Codes of the broken rules, or names of the wrong fields.
    pub items: Vec<String>,
    pub alternatives: Vec<pb::Slot>,
}

/// Takes a status apart.
pub fn refused(status: &Status) -> Refused {
    let details = status.get_error_details();
    let rules = details.precondition_failure().into_iter().flat_map(|it| &it.violations).map(|it| it.r#type.clone());
    let fields = details.bad_request().into_iter().flat_map(|it| &it.field_violations).map(|it| it.field.clone());
    let all = tonic_types::pb::Status::decode(status.details()).unwrap();
    let alternatives = all
        .details
        .iter()
        .filter(|any| any.type_url.ends_with("aftercare.v1.BookingAlternatives"))
        .flat_map(|any| pb::BookingAlternatives::decode(&any.value[..]).unwrap().slots)
        .collect();
    Refused {
        code: status.code(),
        reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        items: rules.chain(fields).collect(),
        alternatives,
    }
}
