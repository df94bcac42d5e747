//! Keys of this process: bearer tokens, which say who calls (implements
//! [`crate::usecase::call::Authenticator`]), and signatures under statements.

mod builtin;
mod key_file;

pub use builtin::{Builtin, Grant, LONGEST_LIFE};
