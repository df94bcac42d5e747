//! Moves what is to come of a series, from one number on: other days, another time, counsellor or place.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Placed, View, clients, open, own, still, wrong};
use crate::domain::ids::{CounsellorId, Id, SeriesId};
use crate::domain::place::WantedPlace;
use crate::domain::series::{Denied, Fit, Pattern, Series};
use crate::domain::session::{CancelReason, Override, Session, Wanted};
use crate::domain::time::{Span, resolve};
use crate::domain::waitlist::Freeing;
use crate::store::session::Of;
use crate::store::{self, Lock};
use crate::usecase::error::{Declined, Error, Refusal, Result, SeriesRefusal};
use crate::usecase::followup;
use crate::usecase::link;
use crate::usecase::session::reschedule::{RescheduleSession, move_locked};
use crate::usecase::session::scene::{Scene, lock_scenes};
use crate::usecase::session::{WORD, hold};
use crate::usecase::waitlist;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Moves the sessions of a series from a number on that stand and have not started. What is absent stays as
/// it is for each of them.
#[derive(Clone, Debug)]
pub struct RescheduleSeries {
    /// Which.
    pub series_id: SeriesId,
    /// The version last read.
    pub version: i64,
    /// From this number on.
    pub from: u32,
    /// Why.
    pub reason: CancelReason,
    /// When they are to take place.
    pub days: Days,
    /// How long they are to last.
    pub length: Option<TimeDelta>,
    /// By whom.
    pub counsellor_id: Option<CounsellorId>,
    /// Where.
    pub place: Option<WantedPlace>,
    /// Whether a part may be moved alone; what does not fit stays as it was.
    pub fit: Fit,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

/// When the sessions that are moved are to take place.
#[derive(Clone, Debug)]
pub enum Days {
    /// On the days of a rule without an end, from a first local start on, in the order of their numbers.
    Rule(String, NaiveDateTime),
    /// On their own days, at this local time.
    Time(NaiveTime),
    /// On their own days, at their own local time.
    Same,
}

/// A session that is to be moved.
struct Move {
    old: Session,
    wanted: Wanted,
    scene: Scene,
}

impl Mutation for RescheduleSeries {
    type Answer = Placed;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Placed> {
        work.touched(self.series_id.uuid());
        let (mut series, seen) = open(work, self.series_id, self.version, self.from).await?;
        if seen.is_empty() {
            return Err(Error::field("from_number", "must leave a session that has not started and still stands"));
        }
        let clients = clients(&seen);
        // The order of whoever moves one session.
        link::lock_around(work, &clients, None).await?;
        let moves = self.moves(work, &seen).await?;
        link::lock_linked_sessions(work, &clients, &[Of::Series(self.series_id)]).await?;
        still(work, self.series_id, self.from, &seen).await?;
        let planned = moves.iter().map(|it| it.wanted.span).collect();
        let (count, mut declined, mut moved) = (moves.len(), Vec::new(), Vec::new());
        for it in in_order(moves) {
            match self.move_one(work, it, &mut series).await? {
                Ok(old) => moved.push(old),
                Err(refused) => declined.push(refused),
            }
        }
        declined.sort_by_key(|it| it.number);
        if count > 0 && (declined.len() == count || (self.fit == Fit::AllOrNothing && !declined.is_empty())) {
            return Err(Error::SeriesRefused(Box::new(SeriesRefusal { declined, planned })));
        }
        link::settle_all(work, &clients).await?;
        for old in &moved {
            waitlist::freed(work, old, Freeing::Rescheduled).await?;
        }
        followup::clients_of_changed(work, &moved).await?;
        (series.version, series.updated_at) = (series.version + 1, work.now);
        store::series::update(&mut work.tx, &series).await?;
        let view = View::of(&mut work.tx, series).await?;
        Ok(Placed { view, declined })
    }

    fn result_id(&self, answer: &Placed) -> Uuid {
        answer.view.series.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Placed> {
        let series = own(work, SeriesId(result_id), Lock::None).await?;
        let view = View::of(&mut work.tx, series).await?;
        let declined = view.declined(|number| {
            let session = view.sessions.get(&number).filter(|_| number >= self.from)?;
            let asked = view.series.planned(number)?.refused.as_ref()?.starts_at;
            self.one(session, asked).wanted(session).ok()
        });
        Ok(Placed { view, declined })
    }
}

impl RescheduleSeries {
    /// How one of the sessions is moved.
    fn one(&self, session: &Session, starts_at: DateTime<Utc>) -> RescheduleSession {
        RescheduleSession {
            session_id: session.id,
            version: session.version,
            reason: self.reason,
            starts_at,
            length: self.length,
            counsellor_id: self.counsellor_id,
            place: self.place,
            guardian_id: None,
            interpreter: None,
            overrides: self.overrides.clone(),
        }
    }

    /// Locks whom and what the moved sessions are about, and finds out when they are to take place.
    async fn moves(&self, work: &mut Work<'_>, sessions: &[Session]) -> Result<Vec<Move>> {
        let of = |it: &Session| self.one(it, it.span.starts_at()).wanted(it);
        let all: Vec<Wanted> = sessions.iter().map(of).collect::<Result<_>>()?;
        lock_scenes(work, &all).await?;
        let mut days = self.rule_days(sessions.len())?.into_iter();
        let mut moves = Vec::with_capacity(sessions.len());
        for (old, wanted) in sessions.iter().zip(all) {
            let scene = wanted.scene(work).await?;
            let own = old.span.starts_at().with_timezone(&old.zone).naive_local();
            let local = match self.days {
                Days::Rule(..) => days.next().unwrap_or(own),
                Days::Time(time) => own.date().and_time(time),
                Days::Same => own,
            };
            let span = Span::lasting(resolve(local, scene.zone()), wanted.span.length());
            let span = span.ok_or_else(|| Error::field("first_date", "must be a day that a session can have"))?;
            let stays = span == old.span && self.counsellor_id.is_none_or(|id| id == old.counsellor_id);
            if !stays || self.place.is_some() {
                moves.push(Move { old: old.clone(), wanted: Wanted { span, ..wanted }, scene });
            }
        }
        Ok(moves)
    }

    /// As many local starts of the rule as there are sessions; none without a rule.
    fn rule_days(&self, count: usize) -> Result<Vec<NaiveDateTime>> {
        let Days::Rule(rule, first) = &self.days else { return Ok(Vec::new()) };
        let rule = format!("{rule};COUNT={count}");
        let none: &[NaiveDate] = &[];
        let pattern = Pattern::new(&rule, *first, none, chrono_tz::UTC);
        let pattern = pattern.map_err(|faults| Error::Invalid(wrong(&faults)))?;
        Ok(pattern.occurrences().into_iter().map(|it| it.local).collect())
    }

    /// Moves one session and gives the old one, or what stands in the way; both is noted in the plan.
    async fn move_one(&self, work: &mut Work<'_>, it: Move, series: &mut Series) -> Result<Result<Session, Declined>> {
        let number = it.old.occurrence.map_or(0, |it| it.number);
        let (zone, starts_at) = (it.scene.zone(), it.wanted.span.starts_at());
        let moved = move_locked(work, &it.scene, &it.wanted, &it.old, self.reason).await;
        let planned = series.plan.iter_mut().find(|it| it.number == number);
        let planned = planned.ok_or(Error::NotFound(WORD))?;
        match moved {
            Ok((new, old)) => {
                work.touched(new.id.uuid());
                work.touched(it.old.id.uuid());
                planned.local = starts_at.with_timezone(&series.zone).naive_local();
                planned.minutes = new.span.length().num_minutes();
                (planned.closed, planned.refused) = (Vec::new(), None);
                Ok(Ok(old))
            }
            Err(Error::Refused(refusal)) => {
                let refusal = Refusal { except: Some(it.old.id), ..*refusal };
                planned.refused = Some(Denied { starts_at, rules: refusal.broken.clone() });
                Ok(Err(Declined { number, zone, refusal }))
            }
            Err(error) => Err(error),
        }
    }
}

/// So that none is in the way of another: those that come earlier, the earliest first; then those that come
/// later, the latest first.
fn in_order(moves: Vec<Move>) -> Vec<Move> {
    let mut ordered: BTreeMap<(bool, i64), Vec<Move>> = BTreeMap::new();
    for it in moves {
        let later = it.wanted.span.starts_at() > it.old.span.starts_at();
        let at = it.old.span.starts_at().timestamp_micros();
        ordered.entry((later, if later { -at } else { at })).or_default().push(it);
    }
    ordered.into_values().flatten().collect()
}
