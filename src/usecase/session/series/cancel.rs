//! Cancels what is to come of a series, from one number on.

use uuid::Uuid;

use super::{View, clients, open, own, still};
use crate::domain::ids::{Id, SeriesId};
use crate::domain::series::Series;
use crate::domain::session::{CancelReason, Session, State};
use crate::domain::waitlist::Freeing;
use crate::store::session::Of;
use crate::store::{self, Lock};
use crate::usecase::error::Result;
use crate::usecase::followup;
use crate::usecase::link;
use crate::usecase::session::cancel::{cancel_locked, lock_sites};
use crate::usecase::session::hold;
use crate::usecase::waitlist;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Cancels the sessions of a series from a number on that stand and have not started.
#[derive(Clone, Debug)]
pub struct CancelSeries {
    /// Which.
    pub series_id: SeriesId,
    /// The version last read.
    pub version: i64,
    /// From this number on.
    pub from: u32,
    /// Why.
    pub reason: CancelReason,
}

impl Mutation for CancelSeries {
    /// The series, and what was cancelled of it.
    type Answer = (View, Vec<Session>);

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(View, Vec<Session>)> {
        work.touched(self.series_id.uuid());
        let (series, seen) = open(work, self.series_id, self.version, self.from).await?;
        let clients = clients(&seen);
        // The order of whoever cancels one session.
        link::lock_around(work, &clients, None).await?;
        lock_sites(work, &seen).await?;
        link::lock_linked_sessions(work, &clients, &[Of::Series(self.series_id)]).await?;
        still(work, self.series_id, self.from, &seen).await?;
        let mut cancelled = Vec::with_capacity(seen.len());
        for session in seen {
            work.touched(session.id.uuid());
            cancelled.push(cancel_locked(work, session, self.reason).await?);
        }
        link::settle_all(work, &clients).await?;
        for session in &cancelled {
            waitlist::freed(work, session, Freeing::Cancelled).await?;
        }
        followup::clients_of_changed(work, &cancelled).await?;
        let series = Series { version: series.version + 1, updated_at: work.now, ..series };
        store::series::update(&mut work.tx, &series).await?;
        Ok((View::of(&mut work.tx, series).await?, cancelled))
    }

    fn result_id(&self, answer: &(View, Vec<Session>)) -> Uuid {
        answer.0.series.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<(View, Vec<Session>)> {
        let series = own(work, SeriesId(result_id), Lock::None).await?;
        let view = View::of(&mut work.tx, series).await?;
        let later = view.sessions.range(self.from..).map(|(_, session)| session);
        let cancelled = later.filter(|it| matches!(it.state, State::Cancelled { .. })).cloned().collect();
        Ok((view, cancelled))
    }
}
