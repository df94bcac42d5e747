//! The wire: pb ⇄ domain, errors ⇄ status, and the gate in front of both. Decides nothing.

mod attendance;
mod client;
mod compliance;
mod directory;
mod fields;
mod followup;
mod gate;
mod note;
pub mod pb;
mod session;
mod slot;
mod status;
mod stream;
mod training;
mod waitlist;
mod well_known;
mod words;

pub use gate::GateLayer;
pub use well_known::{KEY_SET_PATH, WellKnownLayer};

use std::sync::Arc;

use tonic::service::{Routes, RoutesBuilder};

use crate::usecase::World;
use crate::usecase::statement::Keyring;

/// The most bytes of one request.
pub const LARGEST_REQUEST: usize = 1024 * 1024;

/// The services and the reflection that describes them; health is the application's.
pub fn routes(world: &World, keyring: &Arc<dyn Keyring>) -> Result<RoutesBuilder, tonic_reflection::server::Error> {
    let mut routes = Routes::builder();
    routes
        .add_service(directory::service(world.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(client::service(world.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(compliance::service(world.clone(), keyring.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(session::service(world.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(attendance::service(world.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(followup::service(world.clone()).max_decoding_message_size(LARGEST_REQUEST))
        .add_service(
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()?,
        );
    Ok(routes)
}
