//! Books a series in one transaction: every session or none, or those that fit.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{Placed, View, own, wrong};
use crate::domain::code::Side;
use crate::domain::ids::{Id, SeriesId};
use crate::domain::rules::RuleCode;
use crate::domain::series::{
    Asked, Common, Course, Denied, Fit, MOST_SKIPPED, OnClosure, Pattern, Planned, Series, Skipped,
};
use crate::domain::session::{Occurrence, State, Wanted};
use crate::domain::time::Span;
use crate::store::{self, Lock};
use crate::usecase::error::{Declined, Error, Refusal, Result, SeriesRefusal};
use crate::usecase::followup;
use crate::usecase::session::book::{book_in, touch};
use crate::usecase::session::hold;
use crate::usecase::session::scene::Scene;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Books a series by a rule.
#[derive(Clone, Debug)]
pub struct BookSeries {
    /// What its sessions have in common.
    pub common: Common,
    /// How long each lasts.
    pub length_for: TimeDelta,
    /// The rule, with its end.
    pub rule: String,
    /// The first local start.
    pub first: NaiveDateTime,
    /// Days to leave out.
    pub exceptions: Vec<NaiveDate>,
    /// Whether a part may stand alone.
    pub fit: Fit,
    /// What becomes of a session on a day on which nobody can meet.
    pub on_closure: OnClosure,
}

impl Mutation for BookSeries {
    type Answer = Placed;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Placed> {
        touch(work, &self.common.party);
        let scene = scene(work, &self.common, self.length_for).await?;
        let pattern = Pattern::new(&self.rule, self.first, &self.exceptions, scene.zone());
        let pattern = pattern.map_err(|faults| Error::Invalid(wrong(&faults)))?;
        let (rule, first, exceptions) = (pattern.rule(), pattern.first(), pattern.exceptions().clone());
        let course = Course::Rule(pattern, self.length_for);
        let booking = Booking::new(work, &self.common, scene, self.fit, self.on_closure);
        booking.book(work, &course, Asked::Rule { rule, first, exceptions }).await
    }

    fn result_id(&self, answer: &Placed) -> Uuid {
        answer.view.series.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Placed> {
        replay(work, &self.common, SeriesId(result_id)).await
    }
}

/// Locks whom and what every session of a series is about.
pub(super) async fn scene(work: &mut Work<'_>, common: &Common, length_for: TimeDelta) -> Result<Scene> {
    let any = Span::lasting(work.now, length_for).ok_or_else(too_late)?;
    common.at(any, None).scene(work).await
}

/// A series that was asked for before, as it now stands.
pub(super) async fn replay(work: &mut Work<'_>, common: &Common, id: SeriesId) -> Result<Placed> {
    let series = own(work, id, Lock::None).await?;
    let view = View::of(&mut work.tx, series).await?;
    Ok(placed(common, view))
}

/// What has no session of all that was asked for is what was refused.
fn placed(common: &Common, view: View) -> Placed {
    let declined = view.declined(|number| match view.sessions.contains_key(&number) {
        true => None,
        false => Some(common.at(view.series.planned(number)?.span(view.series.zone)?, None)),
    });
    Placed { view, declined }
}

fn too_late() -> Error {
    Error::field("first_date", "must be a day that a session can have")
}

/// A series that is being booked.
pub(super) struct Booking<'b> {
    pub(super) common: &'b Common,
    pub(super) scene: Scene,
    pub(super) zone: Tz,
    series_id: SeriesId,
    fit: Fit,
    on_closure: OnClosure,
}

/// What has been booked of a series so far.
#[derive(Default)]
struct Progress {
    plan: Vec<Planned>,
    skipped: Vec<Skipped>,
    declined: Vec<Declined>,
}

impl<'b> Booking<'b> {
    pub(super) fn new(work: &Work<'_>, common: &'b Common, scene: Scene, fit: Fit, on_closure: OnClosure) -> Self {
        Self { common, zone: scene.zone(), scene, series_id: work.world.id(), fit, on_closure }
    }

    /// Books what it can of a course; an error when too little fits.
    pub(super) async fn book(&self, work: &mut Work<'_>, course: &Course, asked: Asked) -> Result<Placed> {
        let mut series = Series {
            id: self.series_id,
            version: 1,
            created_at: work.now,
            updated_at: work.now,
            organisation_id: self.scene.organisation_id,
            zone: self.zone,
            asked,
            plan: Vec::new(),
            skipped: Vec::new(),
        };
        work.touched(series.id.uuid());
        // Its sessions refer to it.
        store::series::insert(&mut work.tx, &series).await?;
        let Progress { plan, skipped, declined } = self.book_all(work, course).await?;
        let nothing = declined.len() == plan.len();
        if nothing || (self.fit == Fit::AllOrNothing && !declined.is_empty()) {
            let planned = plan.iter().filter_map(|it| it.span(self.zone)).collect();
            return Err(Error::SeriesRefused(Box::new(SeriesRefusal { declined, planned })));
        }
        (series.plan, series.skipped) = (plan, skipped);
        store::series::update(&mut work.tx, &series).await?;
        if self.scene.side == Side::Survivor {
            followup::sessions_changed(work, &self.common.party.clients()).await?;
        }
        Ok(placed(self.common, View::of(&mut work.tx, series).await?))
    }

    /// Books in the order of time: those before count for those that follow.
    async fn book_all(&self, work: &mut Work<'_>, course: &Course) -> Result<Progress> {
        let (mut all, mut closed) = (Progress::default(), BTreeSet::new());
        let mut starts = course.plan(&closed);
        while let Some(next) = starts.get(all.plan.len()) {
            let mut next = next.clone();
            let wanted = self.wanted(&next)?;
            let refusal = self.book_one(work, &wanted).await?;
            let is_closed = refusal.as_ref().is_some_and(|it| self.is_closed(it));
            match (refusal, self.on_closure) {
                (None, _) => {}
                (Some(refusal), OnClosure::SkipAndExtend) if is_closed && closed.len() < MOST_SKIPPED => {
                    closed.insert(next.local);
                    let later = course.plan(&closed);
                    // Unless the rule ends before there are enough.
                    if later.len() == starts.len() {
                        all.skipped.push(Skipped { local: next.local, rules: refusal.broken });
                        starts = later;
                        continue;
                    }
                    self.decline(&mut next, *refusal, &mut all.declined);
                }
                (Some(refusal), OnClosure::NextFree(days)) if is_closed => {
                    let follows = starts.get(all.plan.len() + 1).and_then(|it| it.span(self.zone));
                    let before = follows.map(Span::starts_at);
                    match self.shift(work, &next, days, before).await? {
                        true => next.closed = refusal.broken,
                        false => self.decline(&mut next, *refusal, &mut all.declined),
                    }
                }
                (Some(refusal), _) => self.decline(&mut next, *refusal, &mut all.declined),
            }
            all.plan.push(next);
        }
        Ok(all)
    }

    /// Books one session, or says what stands in the way.
    pub(super) async fn book_one(&self, work: &mut Work<'_>, wanted: &Wanted) -> Result<Option<Box<Refusal>>> {
        match book_in(work, &self.scene, wanted).await {
            Ok(session) => {
                work.touched(session.id.uuid());
                Ok(None)
            }
            Err(Error::Refused(refusal)) => Ok(Some(refusal)),
            Err(error) => Err(error),
        }
    }

    fn wanted(&self, planned: &Planned) -> Result<Wanted> {
        let span = planned.span(self.zone).ok_or_else(too_late)?;
        Ok(self.common.at(span, self.occurrence(planned)))
    }

    pub(super) fn occurrence(&self, planned: &Planned) -> Option<Occurrence> {
        Some(Occurrence { series_id: self.series_id, number: planned.number })
    }

    fn decline(&self, planned: &mut Planned, refusal: Refusal, declined: &mut Vec<Declined>) {
        let (starts_at, rules): (_, Vec<RuleCode>) = (refusal.wanted.span.starts_at(), refusal.broken.clone());
        planned.refused = Some(Denied { starts_at, rules });
        declined.push(Declined { number: planned.number, zone: self.zone, refusal });
    }
}

/// Whether a session may take its number in a series, whose row is locked: one that was planned, and under
/// which no session stands.
pub(in crate::usecase::session) async fn check_number(work: &mut Work<'_>, wanted: &Wanted) -> Result<()> {
    let Some(occurrence) = wanted.occurrence else { return Ok(()) };
    let series = own(work, occurrence.series_id, Lock::Update).await?;
    work.touched(series.id.uuid());
    if series.planned(occurrence.number).is_none() {
        return Err(Error::field("series_number", "must be a number of the series"));
    }
    let view = View::of(&mut work.tx, series).await?;
    if view.sessions.get(&occurrence.number).is_some_and(|it| it.state == State::Booked) {
        return Err(Error::Precondition {
            reason: "NUMBER_STANDS",
            says: "a session of this number of the series stands",
            subjects: Vec::new(),
        });
    }
    // A series has a session from the beginning.
    let any = view.sessions.values().next();
    let same = any.is_none_or(|any| match any.client() {
        Some(client) => wanted.party.client().is_some_and(|it| it.client_id == client.attendee.client_id),
        None => wanted.party.is_group() && any.service.side() == wanted.service.side(),
    });
    match same {
        true => Ok(()),
        false => Err(Error::field("series_id", "must be a series of the same client, or of a group of the same side")),
    }
}
