//! The demo as a client of the service, over real gRPC.

use std::net::SocketAddr;

use prost::Message;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::Error;
use crate::grpc::pb;
use crate::grpc::pb::attendance_service_client::AttendanceServiceClient;
use crate::grpc::pb::client_service_client::ClientServiceClient;
use crate::grpc::pb::compliance_service_client::ComplianceServiceClient;
use crate::grpc::pb::directory_service_client::DirectoryServiceClient;
use crate::grpc::pb::follow_up_service_client::FollowUpServiceClient;
use crate::grpc::pb::scheduling_service_client::SchedulingServiceClient;

/// Puts a token into every call.
#[derive(Clone)]
pub(super) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Guarded = InterceptedService<Channel, Bearer>;

/// A caller with a token.
pub(super) struct Caller {
    pub(super) directory: DirectoryServiceClient<Guarded>,
    pub(super) clients: ClientServiceClient<Guarded>,
    pub(super) scheduling: SchedulingServiceClient<Guarded>,
    pub(super) attendance: AttendanceServiceClient<Guarded>,
    pub(super) follow_up: FollowUpServiceClient<Guarded>,
    pub(super) compliance: ComplianceServiceClient<Guarded>,
}

impl Caller {
    /// A caller who is connected.
    pub(super) async fn connect(address: SocketAddr, token: &str) -> Result<Self, Error> {
        let channel = Channel::from_shared(format!("http://{address}"))?.connect().await?;
        let bearer = Bearer(format!("Bearer {token}").parse()?);
        Ok(Self {
            directory: DirectoryServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            clients: ClientServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            scheduling: SchedulingServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            attendance: AttendanceServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            follow_up: FollowUpServiceClient::with_interceptor(channel.clone(), bearer.clone()),
            compliance: ComplianceServiceClient::with_interceptor(channel, bearer),
        })
    }
}

/// A refusal, taken apart.
pub(super) struct Refusal {
    /// The gRPC code.
    pub(super) code: Code,
    /// The stable reason.
    pub(super) reason: String,
    /// The broken rules: code and what it says.
    pub(super) broken: Vec<(String, String)>,
    /// What is free instead.
    pub(super) alternatives: Vec<pb::Slot>,
}

impl Refusal {
    /// The details of a status.
    pub(super) fn of(status: &Status) -> Result<Self, Error> {
        let details = status.get_error_details();
        let violations = details.precondition_failure().into_iter().flat_map(|it| &it.violations);
        let any = tonic_types::pb::Status::decode(status.details())?.details;
        let mut alternatives = Vec::new();
        for any in any.iter().filter(|any| any.type_url.ends_with("/aftercare.v1.BookingAlternatives")) {
            alternatives.extend(pb::BookingAlternatives::decode(any.value.as_slice())?.slots);
        }
        Ok(Self {
            code: status.code(),
            reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
            broken: violations.map(|it| (it.r#type.clone(), it.description.clone())).collect(),
            alternatives,
        })
    }
}
