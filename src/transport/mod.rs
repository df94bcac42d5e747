//! Connections: who may have one, for how long nothing may happen on it, and TLS. Knows nothing of what is said on them.

mod certificates;
mod connection;
mod incoming;

pub use certificates::{Certificates, Unusable};
pub use connection::Connection;
pub use incoming::Incoming;
