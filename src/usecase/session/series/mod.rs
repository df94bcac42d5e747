//! Series: booked at once, read, and moved or cancelled from one number on. Each session goes the way
//! that any other goes.
//!
//! Whoever changes a series, or takes one of its numbers, locks its row first of all, before clients. What
//! is done to one of its sessions alone leaves that row alone, and so nobody waits the other way round.

mod book;
mod cancel;
mod closure;
mod programme;
mod read;
mod reschedule;

use std::collections::BTreeMap;

pub use book::BookSeries;
pub(super) use book::check_number;
pub use cancel::CancelSeries;
pub use programme::ScheduleProgramme;
pub use read::get_series;
pub use reschedule::{Days, RescheduleSeries};

use super::place::crowded;
use crate::domain::ids::{ClientId, SeriesId};
use crate::domain::series::{Part, Series};
use crate::domain::session::{Session, State, Wanted};
use crate::domain::text::Fault;
use crate::store::{self, Lock, Tx};
use crate::usecase::error::{Declined, Error, FieldViolation, Refusal, Result};
use crate::usecase::work::Work;

/// The word for it in sentences.
const WORD: &str = "series";

/// A series with its sessions as they stand.
#[derive(Clone, Debug)]
pub struct View {
    /// The series.
    pub series: Series,
    /// By number: the session that stands, or else the last that did.
    pub sessions: BTreeMap<u32, Session>,
}

/// What became of a series that was asked for, or moved.
#[derive(Debug)]
pub struct Placed {
    /// The series.
    pub view: View,
    /// What was refused, by number.
    pub declined: Vec<Declined>,
}

impl View {
    /// The series with what there is of it.
    async fn of(tx: &mut Tx, series: Series) -> Result<Self> {
        let mut sessions: BTreeMap<u32, Session> = BTreeMap::new();
        for session in store::series::sessions(tx, series.id).await? {
            let Some(occurrence) = session.occurrence else { continue };
            let rank = |it: &Session| (it.state == State::Booked, it.created_at, it.id);
            match sessions.get(&occurrence.number) {
                _ if matches!(session.state, State::Rescheduled { .. }) => {}
                Some(other) if rank(other) > rank(&session) => {}
                _ => drop(sessions.insert(occurrence.number, session)),
            }
        }
        Ok(Self { series, sessions })
    }

    /// What stood in the way when it was last asked for, and still does so far as is known.
    fn declined(&self, wanted: impl Fn(u32) -> Option<Wanted>) -> Vec<Declined> {
        let refused = self.series.plan.iter().filter_map(|it| Some((it.number, it.refused.as_ref()?)));
        refused
            .filter_map(|(number, denied)| {
                let refusal = Refusal::of(denied.rules.clone(), wanted(number)?, None);
                Some(Declined { number, zone: self.series.zone, refusal })
            })
            .collect()
    }
}

/// A series of the caller.
async fn own(work: &mut Work<'_>, id: SeriesId, lock: Lock) -> Result<Series> {
    let series = store::series::find(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(WORD))?;
    work.call.manages(Some(series.organisation_id), WORD)?;
    Ok(series)
}

/// A series of the caller at the version last read, locked, with its sessions from a number on that can
/// still be moved or cancelled.
async fn open(work: &mut Work<'_>, id: SeriesId, version: i64, from: u32) -> Result<(Series, Vec<Session>)> {
    let series = own(work, id, Lock::Update).await?;
    if series.version != version {
        return Err(Error::EtagMismatch(WORD));
    }
    let sessions = open_sessions(work, id, from).await?;
    Ok((series, sessions))
}

/// The sessions of a series from a number on that can still be moved or cancelled, by number.
async fn open_sessions(work: &mut Work<'_>, id: SeriesId, from: u32) -> Result<Vec<Session>> {
    let mut all = store::series::sessions(&mut work.tx, id).await?;
    all.retain(|it| it.check_open(work.now).is_ok() && it.occurrence.is_some_and(|it| it.number >= from));
    all.sort_by_key(|it| it.occurrence.map(|it| it.number));
    Ok(all)
}

/// Whether sessions are now, that they are locked, what they were when it was found out what to lock; if
/// not, the whole is tried again.
async fn still(work: &mut Work<'_>, id: SeriesId, from: u32, seen: &[Session]) -> Result<()> {
    match open_sessions(work, id, from).await? == seen {
        true => Ok(()),
        false => Err(crowded()),
    }
}

/// The clients of sessions.
fn clients(sessions: &[Session]) -> Vec<ClientId> {
    sessions.iter().flat_map(Session::clients).collect()
}

/// What is wrong with a pattern, by the fields in which it is asked for.
pub fn wrong(faults: &[(Part, Fault)]) -> Vec<FieldViolation> {
    let field = |part: &Part| match part {
        Part::Rule => "rule",
        Part::First => "first_date",
        Part::Exceptions => "exceptions",
    };
    faults.iter().map(|(part, fault)| FieldViolation::new(field(part), fault)).collect()
}
