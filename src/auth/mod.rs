//! Bearer tokens, which say who calls, by the service's own issuer or by a provider (implements
//! [`crate::usecase::call::Authenticator`]); and the keys of signatures under statements and under heads of the audit
//! trail.

mod audit;
mod builtin;
mod key_file;
mod memory;
mod oidc;
mod statement;

pub use audit::{audit_key, known_audit_key};
pub use builtin::{Builtin, Grant, LONGEST_LIFE};
pub use oidc::Provider;
pub use statement::StatementKey;
