//! Bearer tokens: who calls. Implements [`crate::usecase::call::Authenticator`].

mod builtin;

pub use builtin::{Builtin, Grant, LONGEST_LIFE};
