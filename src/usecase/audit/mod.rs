//! The audit trail after it was written: sealed in the background, read by the auditor, checked by anybody.
//!
//! Who writes an event is [`super::work`] and [`super::call`]; nobody waits for a seal.

mod head;
mod list;

mod seal;
mod verify;

pub use head::{Lag, Tip, exported, get_head, list_keys};

pub use crate::store::Order;
pub use list::{Filter, ListAuditEvents, list_events};
pub use seal::{Sealer, register};
pub use verify::{Part, VerifyAudit, verify_part, verify_whole};
