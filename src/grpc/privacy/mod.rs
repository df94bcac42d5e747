//! PrivacyService: what a person may ask of those who keep data about the person.

mod export;
mod json;
mod retention;

use tonic::{Request, Response, Status};

use super::pb;
use super::pb::privacy_service_server::{PrivacyService, PrivacyServiceServer};
use super::status::status;
use super::stream::Streaming;
use crate::usecase::World;

pub use export::document;

/// The service over a world.
pub fn service(world: World) -> PrivacyServiceServer<Privacy> {
    PrivacyServiceServer::new(Privacy { world })
}

/// The service.
pub struct Privacy {
    world: World,
}

#[tonic::async_trait]
impl PrivacyService for Privacy {
    type ExportClientStream = Streaming<pb::ExportClientResponse>;

    async fn export_client(
        &self,
        request: Request<pb::ExportClientRequest>,
    ) -> Result<Response<Self::ExportClientStream>, Status> {
        self.export(request).await.map(Response::new).map_err(status)
    }

    async fn list_retention_due(
        &self,
        request: Request<pb::ListRetentionDueRequest>,
    ) -> Result<Response<pb::ListRetentionDueResponse>, Status> {
        self.due(request).await.map(Response::new).map_err(status)
    }
}
