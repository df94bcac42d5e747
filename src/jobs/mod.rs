//! Who does what the use cases enqueue. Each job stands beside the use cases of its noun, which enqueue it
//! and may not know who does it; here is the list of all.
//! Beside them stands what every process does all the time: the pump of the feed, the watchman, the backups, and the
//! sealer of the audit trail.

mod backups;
mod chore;
mod pump;
mod sealer;
mod watchman;
mod worker;

use std::future::Future;
use std::pin::Pin;

use chrono::TimeDelta;

use crate::usecase::erasure::DestroyKeys;
use crate::usecase::followup::escalation::PassOnEscalation;
use crate::usecase::housekeeping::ForgetOld;
use crate::usecase::job::{self, Job, Leased};
use crate::usecase::retention::{EraseDue, ListDue, Retention};
use crate::usecase::treatment::MoveOn;
use crate::usecase::waitlist::{ExpireOffer, OfferSlot};
use crate::usecase::{Result, World};

pub use backups::Backups;
pub use pump::Pump;
pub use sealer::Sealer;
pub use watchman::Watchman;
pub use worker::{Worker, Workers};

/// Every job of this program. One that a newer program enqueued is left to it.
pub fn all() -> Vec<Handler> {
    vec![
        Handler::of::<ForgetOld>(),
        Handler::of::<MoveOn>(),
        Handler::of::<OfferSlot>(),
        Handler::of::<ExpireOffer>(),
        Handler::of::<PassOnEscalation>(),
        Handler::of::<DestroyKeys>(),
        Handler::of::<Retention>(),
        Handler::of::<ListDue>(),
        Handler::of::<EraseDue>(),
    ]
}

type Running = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A kind of job, and how it is done.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    kind: &'static str,
    every: Option<TimeDelta>,
    run: fn(World, Leased) -> Running,
}

impl Handler {
    /// The handler of a job.
    pub fn of<J: Job>() -> Self {
        let run =
            |world: World, leased: Leased| -> Running { Box::pin(async move { job::run::<J>(&world, &leased).await }) };
        Self { kind: J::KIND, every: J::EVERY, run }
    }
}
