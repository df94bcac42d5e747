//! Plays series: booked at once, moved and cancelled from a number on, made up one by one.

use aftercare::grpc::pb;
use tonic::Code;

use super::cast::DAY;
use super::course::{Course, Daily, Planned, Tried};
use super::play::{Expected, Outcome, Play, allowed, overrides};
use super::seen::rules;
use super::stage::{local_date, minute};
use super::step::{Ask, MoveSeries, substitute};
use super::truth::{Codes, Row, State, Wanted};
use crate::support::{date, time_of_day};

fn mode(whole: bool) -> i32 {
    if whole { pb::SeriesMode::AllOrNothing.into() } else { pb::SeriesMode::BookWhatFits.into() }
}

fn time(at: i64) -> Option<pb::google::r#type::TimeOfDay> {
    Some(time_of_day((at % DAY / 60) as i32, (at % 60) as i32))
}

/// What is refused of a series, by number and start.
fn refused(all: &[Tried]) -> Vec<(usize, i64, Codes)> {
    all.iter().filter_map(|it| Some((it.number, it.what.starts, it.told.clone().err()?))).collect()
}

/// The same from the wire.
fn declined(all: &[pb::RefusedOccurrence]) -> Vec<(usize, i64, Codes)> {
    all.iter().map(|it| (it.number as usize, minute(it.starts_at.as_ref()), rules(&it.rules))).collect()
}

/// Whether a series is refused as a whole.
fn outcome(all: &[Tried], whole: bool) -> Expected {
    let refused = refused(all);
    match !all.is_empty() && (refused.len() == all.len() || (whole && !refused.is_empty())) {
        true => Expected::Series(refused),
        false => Expected::Ok,
    }
}

impl Play<'_> {
    fn nth_series(&self, nth: usize, stale: bool) -> Option<(usize, String)> {
        let at = nth.checked_rem(self.truth.courses.len())?;
        let etag = &self.series[&self.truth.courses[at].id].etag;
        Some((at, if stale { "0".into() } else { etag.clone() }))
    }

    pub async fn book_series(&mut self, ask: &Ask, how: &Daily) -> Outcome {
        let allowed = allowed(ask.soft);
        let (all, skipped) = self.truth.daily(&ask.what, how, &allowed);
        let strange = self.predict(&ask.what, "", &allowed).0;
        let expected = match strange {
            Expected::Refused(..) => strange,
            _ => outcome(&all, how.whole),
        };
        let answer = self.stage.of(ask.what.org).scheduling().book_series(self.series_request(ask, how)).await;
        let Some(answer) = self.agree(expected, answer.map(tonic::Response::into_inner)).await? else { return Ok(()) };
        if declined(&answer.refused) != refused(&all) {
            return Err(format!("refused {:?}\nmodel {:?}", answer.refused, refused(&all)));
        }
        let series = answer.series.unwrap();
        let course = self.truth.courses.len();
        let mut plan = Vec::new();
        for (it, shown) in all.into_iter().zip(&series.occurrences) {
            let (starts, length) = (it.what.starts, it.what.ends - it.what.starts);
            let stood = it.told.clone().err().unwrap_or_default();
            plan.push(Planned { starts, length, refused: stood });
            if let Ok(overridden) = it.told {
                let id = shown.session.as_ref().map(|it| it.id.clone()).unwrap_or_default();
                let row = Row::new(&id, it.what, State::Booked, overridden, "", self.truth.now);
                self.truth.rows.push(Row { series: Some((course, it.number)), ..row });
            }
        }
        self.truth.courses.push(Course { id: series.id.clone(), what: ask.what.clone(), plan, skipped });
        self.look(&[]).await?;
        self.same(&series)
    }

    fn series_request(&self, ask: &Ask, how: &Daily) -> pb::BookSeriesRequest {
        let one = self.request(ask);
        let first = ask.what.day();
        let closure = if how.skips { pb::OnClosure::SkipAndExtend } else { pb::OnClosure::Stay };
        pb::BookSeriesRequest {
            client_id: one.client_id,
            counsellor_id: one.counsellor_id,
            service: one.service,
            modality: one.modality,
            venue_id: one.venue_id,
            room_id: one.room_id,
            guardian_id: one.guardian_id,
            interpreter: one.interpreter,
            group: one.group,
            length: one.length,
            first_date: Some(date(&local_date(first))),
            time: time(ask.what.starts),
            rule: format!("FREQ=DAILY;COUNT={}", how.days),
            exceptions: how.except.map(|day| date(&local_date(first + day))).into_iter().collect(),
            mode: mode(how.whole),
            on_closure: closure.into(),
            overrides: one.overrides,
            ..Default::default()
        }
    }

    /// An answer is what is read then.
    fn same(&self, answer: &pb::Series) -> Outcome {
        match self.series.get(&answer.id) {
            Some(read) if read == answer => Ok(()),
            read => Err(format!("answered {answer:?}, read {read:?}")),
        }
    }

    pub async fn move_series(&mut self, nth: usize, how: &MoveSeries) -> Outcome {
        let Some((at, etag)) = self.nth_series(nth, how.stale) else { return Ok(()) };
        let (course, allowed) = (self.truth.courses[at].clone(), allowed(how.soft));
        let org = course.what.org;
        let open = self.truth.open_of(at, how.from);
        let rows = || open.iter().map(|at| &self.truth.rows[*at].what);
        let nobody = rows().find(|it| it.guests.is_empty()).unwrap_or(&course.what);
        let leader = how.counsellor.map(|pick| substitute(nobody, pick));
        let all = self.truth.shift(&open, &how.to, leader, &allowed);
        let twice = |at: &usize| leader.is_some_and(|it| self.truth.rows[*at].what.beside.contains(&it));
        let expected = match () {
            () if how.stale => Expected::Refused(Code::Aborted, "ETAG_MISMATCH"),
            () if open.is_empty() || open.iter().any(twice) => {
                Expected::Refused(Code::InvalidArgument, "INVALID_REQUEST")
            }
            () => outcome(&all, how.to.whole),
        };
        let request = pb::RescheduleSeriesRequest {
            series_id: course.id.clone(),
            etag,
            from_number: how.from as i32,
            reason: pb::CancelReason::Client.into(),
            rule: how.to.first_day.map(|_| "FREQ=DAILY".into()).unwrap_or_default(),
            first_date: how.to.first_day.map(|day| date(&local_date(day))),
            time: time(how.to.time),
            counsellor_id: leader.map(|it| self.stage.counsellors[it].id.clone()).unwrap_or_default(),
            mode: mode(how.to.whole),
            overrides: overrides(how.soft),
            ..Default::default()
        };
        let answer = self.stage.of(org).scheduling().reschedule_series(request).await;
        let Some(answer) = self.agree(expected, answer.map(tonic::Response::into_inner)).await? else { return Ok(()) };
        if declined(&answer.refused) != refused(&all) {
            return Err(format!("refused {:?}\nmodel {:?}", answer.refused, refused(&all)));
        }
        let series = answer.series.unwrap();
        for it in all {
            self.shifted(at, it, &series);
        }
        self.look(&[]).await?;
        self.same(&series)
    }

    /// One session of a series was moved, or stays because something stands in the way.
    fn shifted(&mut self, course: usize, it: Tried, series: &pb::Series) {
        let shown = series.occurrences.get(it.number - 1).and_then(|it| it.session.as_ref());
        let (starts, length) = (it.what.starts, it.what.ends - it.what.starts);
        let planned = &mut self.truth.courses[course].plan[it.number - 1];
        match it.told {
            Err(codes) => planned.refused = codes,
            Ok(overridden) => {
                *planned = Planned { starts, length, refused: Codes::new() };
                let id = shown.map(|it| it.id.clone()).unwrap_or_default();
                self.moved(it.old.unwrap_or_default(), &id, it.what, overridden);
            }
        }
    }

    pub async fn cancel_series(&mut self, nth: usize, from: usize, stale: bool) -> Outcome {
        let Some((at, etag)) = self.nth_series(nth, stale) else { return Ok(()) };
        let course = self.truth.courses[at].clone();
        let open = self.truth.open_of(at, from);
        let expected = if stale { Expected::Refused(Code::Aborted, "ETAG_MISMATCH") } else { Expected::Ok };
        let request = pb::CancelSeriesRequest {
            series_id: course.id,
            etag,
            from_number: from as i32,
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        let answer = self.stage.of(course.what.org).scheduling().cancel_series(request).await;
        let Some(answer) = self.agree(expected, answer.map(tonic::Response::into_inner)).await? else { return Ok(()) };
        let due: Vec<&str> = open.iter().map(|at| self.truth.rows[*at].id.as_str()).collect();
        if !answer.cancelled.iter().map(|it| it.id.as_str()).eq(due.iter().copied()) {
            return Err(format!("cancelled {:?}\nmodel {due:?}", answer.cancelled));
        }
        for at in open {
            self.truth.rows[at].state = State::Cancelled;
        }
        self.look(&answer.cancelled).await?;
        self.same(&answer.series.unwrap())
    }

    /// Books what a series lacks under a number.
    pub async fn make_up(&mut self, nth: usize, number: usize, starts: i64, soft: bool) -> Outcome {
        let Some((at, _)) = self.nth_series(nth, false) else { return Ok(()) };
        let course = self.truth.courses[at].clone();
        let what = Wanted { starts, ends: starts + course.what.ends - course.what.starts, ..course.what };
        let room = self.truth.with_room(&what, "");
        let (mut expected, overridden) = self.predict(&room, "", &allowed(soft));
        let stands = self.truth.under(at, number).iter().any(|row| row.state == State::Booked);
        if number > course.plan.len() {
            expected = Expected::Refused(Code::InvalidArgument, "INVALID_REQUEST");
        } else if stands {
            expected = Expected::Refused(Code::FailedPrecondition, "NUMBER_STANDS");
        }
        let one = self.request(&Ask { what, soft });
        let request = pb::BookSessionRequest { series_id: course.id, series_number: number as i32, ..one };
        let answer = self.stage.of(room.org).scheduling().book_session(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(expected, answer).await? else { return Ok(()) };
        let row = Row::new(&session.id, room, State::Booked, overridden, "", self.truth.now);
        self.truth.rows.push(Row { series: Some((at, number)), ..row });
        self.look(&[session]).await
    }
}
