//! Bearer tokens, which say who calls, by the service's own issuer or by a provider (implements
//! [`crate::usecase::call::Authenticator`]); and the key of signatures under statements.

mod builtin;
mod key_file;
mod oidc;
mod statement;

pub use builtin::{Builtin, Grant, LONGEST_LIFE};
pub use oidc::Provider;
pub use statement::StatementKey;
