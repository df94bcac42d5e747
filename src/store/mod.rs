//! The only SQL. One text for two engines; invariants stand in the schema (`migrations/`).
//!
//! Nothing here checks a permission or decides anything; a failed read is an error, never
//! "not found".

pub mod agreement;
pub mod assessment;
pub mod attendance;
pub mod audit;
pub mod audit_chain;
pub mod audit_list;
pub mod break_glass;
pub mod case;
pub mod case_event;
pub mod client;
pub mod codec;
pub mod compliance;
pub mod concern;
pub mod conflict;
pub mod consent;
pub mod counsellor;
pub mod db;
pub mod directory;
mod error;
pub mod escalation;
pub mod feed;
pub mod followup;
pub mod guardian;
pub mod hold;
pub mod holiday;
pub mod installation;
pub mod job;
mod migrate;
pub mod milestone;
mod milestone_list;
pub mod note;
pub mod noun;
pub mod offer;
pub mod overriding;
pub mod participant;
pub mod placement;
pub mod police;
pub mod proceeding;
pub mod programme;
mod raw;
pub mod register;
pub mod report;
pub mod request;
pub mod revocation;
pub mod seal;
pub mod series;
pub mod service_account;
pub mod session;
pub mod statement;
pub mod training;
pub mod treatment;
pub mod unrecorded;
pub mod visit;
pub mod waitlist;

pub use db::{Db, Lock, Order, Savepoint, Target, Tx};
pub use error::{Error, Result};
