//! One use case per RPC: permission, transaction, load, decide, store, audit, commit.
//!
//! Transactions begin and end here. Everything that writes passes [`work::mutate`].

pub mod attendance;
pub mod audit;
pub mod backup;
pub mod break_glass;
pub mod call;
pub mod client;
pub mod conflict;
pub mod consent;
pub mod directory;
pub mod erasure;
pub mod error;
pub mod export;
mod facts;
pub mod feed;
pub mod figures;
pub mod followup;
pub mod guardian;
pub mod housekeeping;
pub mod import;
pub mod job;
pub mod keys;
pub mod legal_hold;
pub mod limit;
mod link;
pub mod lookup;
pub mod note;
pub mod noun;
mod orphan;
pub mod page;
pub mod proceeding;
pub mod programme;
pub mod register;
pub mod retention;
pub mod revocation;
mod service_account;
pub mod session;
pub mod statement;
pub mod training;
pub mod transfer;
pub mod treatment;
pub mod waitlist;
pub mod work;
pub mod world;

pub use call::Call;
pub use error::{Error, Result};
pub use work::mutate;
pub use world::World;

pub use crate::store::first;
