//! The wire: pb ⇄ domain, errors ⇄ status, and the gate in front of both. Decides nothing.

mod access;
mod admission;
mod attendance;
mod audit;
mod client;
mod compliance;
mod deadline;
mod directory;
mod fields;
mod followup;
mod gate;
mod measure;
mod note;
pub mod pb;
mod privacy;
mod session;
mod slot;
mod span;
mod status;
mod stream;
mod training;
mod waitlist;
mod well_known;
mod words;

pub use admission::AdmissionLayer;
pub use deadline::DeadlineLayer;
pub use gate::GateLayer;
pub use measure::{Measure, MeasureLayer};
pub use privacy::document;
pub use well_known::{KEY_SET_PATH, WellKnownLayer};

use std::sync::Arc;

use tonic::service::{Routes, RoutesBuilder};

use crate::domain::statement::PublicKey;
use crate::usecase::World;
use crate::usecase::statement::Keyring;

/// The most bytes of one request.
pub const LARGEST_REQUEST: usize = 1024 * 1024;
/// The most bytes of one message of an answer: what gRPC's clients take by default. Lists come in pages.
pub const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// A service whose messages are bounded both ways.
macro_rules! bounded {
    ($service:expr) => {
        $service.max_decoding_message_size(LARGEST_REQUEST).max_encoding_message_size(LARGEST_ANSWER)
    };
}

/// The services and the reflection that describes them; health is the application's.
pub fn routes(
    world: &World,
    keyring: &Arc<dyn Keyring>,
    audit_key: PublicKey,
) -> Result<RoutesBuilder, tonic_reflection::server::Error> {
    let mut routes = Routes::builder();
    routes
        .add_service(bounded!(directory::service(world.clone())))
        .add_service(bounded!(client::service(world.clone())))
        .add_service(bounded!(compliance::service(world.clone(), keyring.clone())))
        .add_service(bounded!(session::service(world.clone())))
        .add_service(bounded!(attendance::service(world.clone())))
        .add_service(bounded!(followup::service(world.clone())))
        .add_service(bounded!(access::service(world.clone())))
        .add_service(bounded!(privacy::service(world.clone())))
        .add_service(bounded!(audit::service(world.clone(), audit_key)))
        .add_service(
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()?,
        );
    Ok(routes)
}
