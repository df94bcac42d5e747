//! Signed statements: what police may know of an order, in a form that they can show to others.

mod issue;
mod keys;

pub use issue::IssueComplianceStatement;
pub use keys::{Keyring, Rotated, key_set, keys, revoke, rotate, signing_key};
