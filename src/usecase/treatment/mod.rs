//! Treatment orders: record what is ordered and what became of it, tell the provider where each stands, and tell
//! police what they may know.

mod act;
mod correction;
mod count;
mod create;
mod ledger;
mod moving;
mod police;
mod policy;
mod read;
mod watch;

pub use act::{
    ConfirmBreach, IssueWarning, ResolveBreach, Step, SuspendOrder, TerminateOrder, Warranted, WithdrawEvent,
};
pub use count::CountSession;
pub(super) use count::{Counted, count, is_too_late};
pub use create::{AmendOrder, CreateTreatmentOrder, Drafted};
pub(super) use ledger::docket;
pub use moving::MoveOn;
pub(super) use moving::calendar_changed;
pub use police::{
    Answer, BatchCheckCompliance, CheckCompliance, Inquiry, ListComplianceInJurisdiction, ListedCompliance, check,
    inquire, tell,
};
pub use policy::{PublishPolicy, ensure_standard, list_policies};
pub(super) use read::opened;
pub use read::{Filter, Overview, get_order, list_lookups, list_orders};
pub use watch::{ComplianceChange, Jurisdiction, Told, watch_compliance};

/// The word for it in sentences.
pub(super) const WORD: &str = "treatment order";

use super::error::{Error, Result};
use super::work::Work;
use crate::domain::ids::{ClientId, OrderId};
use crate::store::{Lock, treatment};

/// Locks the client of an order of the caller's organisation, by which coming sessions and what is recorded wait.
async fn lock_client_of(work: &mut Work<'_>, id: OrderId) -> Result<ClientId> {
    let order = treatment::find(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    super::client::lock_own(work, order.client_id, WORD).await?;
    Ok(order.client_id)
}

/// Why something cannot be recorded.
fn refused(reason: &'static str, says: &'static str) -> Error {
    Error::Precondition { reason, says, subjects: Vec::new() }
}
