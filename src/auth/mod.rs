//! Keys of this process: bearer tokens, which say who calls (implements
//! [`crate::usecase::call::Authenticator`]), and signatures under statements.

mod builtin;
mod key_file;
mod statement;

pub use builtin::{Builtin, Grant, LONGEST_LIFE};
pub use statement::StatementKey;
