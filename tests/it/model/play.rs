//! Plays steps to the service, and says beforehand what it must answer.

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;
use tonic::{Code, Status};

use super::cast::{CLIENTS, DAY, Place};
use super::stage::{Stage, instant, minute, stamp};
use super::step::{Ask, Move, Step, counsellor, places};
use super::truth::{Codes, Row, SOFT, State, Truth, Wanted};
use crate::support::{TestApp, minutes, refused};

/// What went otherwise than the model says.
pub type Outcome<T = ()> = Result<T, String>;

/// One case: the service, the model beside it, and what the service said last.
pub struct Play<'a> {
    pub app: &'a TestApp,
    pub stage: Stage,
    pub truth: Truth,
    pub listed: BTreeMap<String, pb::Session>,
    /// What has been met: refusals by reason or rule, flags by rule.
    pub met: BTreeSet<String>,
    far: i64,
}

/// What the service must answer.
#[derive(Debug, PartialEq)]
enum Expected {
    Ok,
    Broken(Codes),
    Refused(Code, &'static str),
}

/// Half past nine on the first day.
const OPENING: i64 = 570;

impl<'a> Play<'a> {
    pub async fn begin(app: &'a TestApp, code: &str) -> Self {
        app.clock.set(instant(OPENING));
        let stage = Stage::set(app, code).await;
        Self { app, stage, truth: Truth::new(OPENING), listed: BTreeMap::new(), met: BTreeSet::new(), far: 30 }
    }

    pub async fn step(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Book(ask) => self.book(ask).await,
            Step::Hold(ask, minutes) => self.hold(ask, *minutes).await,
            Step::HoldMany(count, minutes) => self.hold_many(*count, *minutes).await,
            Step::Release(nth) => self.release(*nth).await,
            Step::BookHeld(nth, soft) => self.book_held(*nth, *soft).await,
            Step::Reschedule(nth, to) => self.reschedule(*nth, to).await,
            Step::Reassign(nth, pick, soft) => self.reassign(*nth, *pick, *soft).await,
            Step::Cancel(nth, stale) => self.cancel(*nth, *stale).await,
            Step::Pass(minutes) => self.pass(*minutes).await,
            fact => self.change(fact).await,
        }
    }

    /// Lets time pass, as long as the tokens last.
    async fn pass(&mut self, minutes: i64) -> Outcome {
        if self.truth.now + minutes < OPENING + 22 * 60 {
            self.truth.pass(minutes);
            self.app.clock.set(instant(self.truth.now));
        }
        self.look(&[]).await
    }

    /// What placing something must lead to, and which rules are overridden then.
    fn predict(&self, what: &Wanted, except: &str, allowed: &Codes) -> (Expected, Codes) {
        let broken = self.truth.broken(what, except, false);
        let left: Codes = broken.difference(allowed).copied().collect();
        let expected = if left.is_empty() { Expected::Ok } else { Expected::Broken(left) };
        (expected, broken.intersection(allowed).copied().collect())
    }

    async fn book(&mut self, ask: &Ask) -> Outcome {
        let what = self.truth.with_room(&ask.what, "");
        let (expected, overridden) = self.predict(&what, "", &allowed(ask.soft));
        let mut scheduling = self.stage.of(CLIENTS[what.client].org).scheduling();
        let answer = scheduling.book_session(self.request(ask)).await;
        let session = self.agree(expected, answer.map(|it| it.into_inner().session.unwrap())).await?;
        match session {
            Some(session) => self.placed(session, what, State::Booked, overridden, "").await,
            None => Ok(()),
        }
    }

    async fn hold(&mut self, ask: &Ask, hold_for: i64) -> Outcome {
        let what = self.truth.with_room(&ask.what, "");
        let org = CLIENTS[what.client].org;
        let (mut expected, overridden) = self.predict(&what, "", &allowed(ask.soft));
        let mine = |row: &&Row| CLIENTS[row.what.client].org == org && self.truth.is_held(row);
        if expected == Expected::Ok && self.truth.rows.iter().filter(mine).count() >= 10 {
            expected = Expected::Refused(Code::ResourceExhausted, "TOO_MANY_HOLDS");
        }
        let book = self.request(ask);
        let request = pb::HoldSlotRequest {
            client_id: book.client_id,
            counsellor_id: book.counsellor_id,
            service: book.service,
            modality: book.modality,
            venue_id: book.venue_id,
            room_id: book.room_id,
            starts_at: book.starts_at,
            length: book.length,
            guardian_id: book.guardian_id,
            overrides: book.overrides,
            hold_for: Some(minutes(hold_for)),
            ..Default::default()
        };
        let answer = self.stage.of(org).scheduling().hold_slot(request).await;
        let held = self.agree(expected, answer.map(|it| it.into_inner().hold.unwrap())).await?;
        match held {
            Some(session) => {
                let until = self.truth.now + hold_for;
                self.placed(session, what, State::Held { until }, overridden, "").await
            }
            None => Ok(()),
        }
    }

    async fn hold_many(&mut self, count: usize, hold_for: i64) -> Outcome {
        for _ in 0..count {
            let starts = self.far * DAY + 600;
            self.far += 1;
            let place = Place::Remote;
            let what =
                Wanted { client: 0, counsellor: 0, service: 1, place, starts, ends: starts + 60, guardian: false };
            self.hold(&Ask { what, soft: false }, hold_for).await?;
        }
        Ok(())
    }

    /// One of the holds, expired ones included.
    fn nth_hold(&self, nth: usize) -> Option<usize> {
        let holds: Vec<usize> =
            (0..self.truth.rows.len()).filter(|at| matches!(self.truth.rows[*at].state, State::Held { .. })).collect();
        holds.get(nth % holds.len().max(1)).copied()
    }

    async fn release(&mut self, nth: usize) -> Outcome {
        let Some(at) = self.nth_hold(nth) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let expected = match self.truth.is_held(&row) {
            true => Expected::Ok,
            false => Expected::Refused(Code::NotFound, "NOT_FOUND"),
        };
        let request = pb::ReleaseHoldRequest { hold_id: row.id, ..Default::default() };
        let answer = self.stage.of(CLIENTS[row.what.client].org).scheduling().release_hold(request).await;
        if self.agree(expected, answer).await?.is_some() {
            self.truth.rows.remove(at);
            self.look(&[]).await?;
        }
        Ok(())
    }

    async fn book_held(&mut self, nth: usize, soft: bool) -> Outcome {
        let Some(at) = self.nth_hold(nth) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let allowed = row.overridden.union(&allowed(soft)).copied().collect();
        let (expected, overridden) = match self.truth.is_held(&row) {
            true => self.predict(&row.what, &row.id, &allowed),
            false => (Expected::Refused(Code::NotFound, "NOT_FOUND"), Codes::new()),
        };
        let request =
            pb::BookSessionRequest { hold_id: row.id.clone(), overrides: overrides(soft), ..Default::default() };
        let answer = self.stage.of(CLIENTS[row.what.client].org).scheduling().book_session(request).await;
        let session = self.agree(expected, answer.map(|it| it.into_inner().session.unwrap())).await?;
        let Some(session) = session else { return Ok(()) };
        if session.id != row.id {
            return Err(format!("a hold that became another session: {session:?}"));
        }
        self.truth.rows.remove(at);
        self.placed(session, row.what, State::Booked, overridden, "").await
    }

    /// One of all sessions and holds, and what stands in the way of changing it.
    fn nth_row(&self, nth: usize, stale: bool) -> Option<(usize, String, Option<Expected>)> {
        let at = nth.checked_rem(self.truth.rows.len())?;
        let row = &self.truth.rows[at];
        let refused = |reason| Some(Expected::Refused(Code::FailedPrecondition, reason));
        let held = matches!(row.state, State::Held { .. });
        let refusal = match row.state {
            State::Held { .. } => Some(Expected::Refused(Code::NotFound, "NOT_FOUND")),
            _ if stale => Some(Expected::Refused(Code::Aborted, "ETAG_MISMATCH")),
            State::Cancelled => refused("ALREADY_CANCELLED"),
            State::Moved { .. } => refused("ALREADY_RESCHEDULED"),
            State::Booked if row.what.starts <= self.truth.now => refused("ALREADY_STARTED"),
            State::Booked => None,
        };
        let etag = match self.listed.get(&row.id) {
            Some(session) if held || !stale => session.etag.clone(),
            _ => "0".into(),
        };
        Some((at, etag, refusal))
    }

    async fn reschedule(&mut self, nth: usize, to: &Move) -> Outcome {
        let Some((at, etag, refusal)) = self.nth_row(nth, to.stale) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let cast = &CLIENTS[row.what.client];
        let counsellor = to.counsellor.map(|pick| counsellor(cast.org, cast.survivor, pick));
        let place = to.place.map(|pick| places(cast.org)[usize::from(pick) % places(cast.org).len()]);
        let stay = if let Place::Host(_) = row.what.place { Place::Host(0) } else { row.what.place };
        let wanted = Wanted {
            counsellor: counsellor.unwrap_or(row.what.counsellor),
            place: place.unwrap_or(stay),
            starts: to.starts,
            ends: to.starts + row.what.ends - row.what.starts,
            ..row.what
        };
        let what = self.truth.with_room(&wanted, &row.id);
        let (expected, overridden) = self.predict(&what, &row.id, &allowed(to.soft));
        let (venue_id, room_id) = place.map(|place| self.stage.place(place)).unwrap_or_default();
        let request = pb::RescheduleSessionRequest {
            session_id: row.id.clone(),
            etag,
            reason: pb::CancelReason::Client.into(),
            starts_at: stamp(to.starts),
            counsellor_id: counsellor.map(|it| self.stage.counsellors[it].id.clone()).unwrap_or_default(),
            modality: place.map(modality).unwrap_or_default(),
            venue_id,
            room_id,
            overrides: overrides(to.soft),
            ..Default::default()
        };
        let answer = self.stage.of(cast.org).scheduling().reschedule_session(request).await;
        let moved = self.agree(refusal.unwrap_or(expected), answer.map(tonic::Response::into_inner)).await?;
        let Some(pb::RescheduleSessionResponse { session, superseded }) = moved else { return Ok(()) };
        let (session, superseded) = (session.unwrap(), superseded.unwrap());
        self.truth.rows[at].state = State::Moved { to: session.id.clone() };
        self.placed(session, what, State::Booked, overridden, &row.id).await?;
        self.visible(&superseded)
    }

    async fn reassign(&mut self, nth: usize, pick: u8, soft: bool) -> Outcome {
        let Some((at, etag, refusal)) = self.nth_row(nth, false) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let cast = &CLIENTS[row.what.client];
        let what = Wanted { counsellor: counsellor(cast.org, cast.survivor, pick), ..row.what };
        let (mut expected, overridden) = self.predict(&what, &row.id, &allowed(soft));
        if what.counsellor == row.what.counsellor {
            expected = Expected::Refused(Code::InvalidArgument, "INVALID_REQUEST");
        }
        let request = pb::ReassignCounsellorRequest {
            session_id: row.id.clone(),
            etag,
            counsellor_id: self.stage.counsellors[what.counsellor].id.clone(),
            overrides: overrides(soft),
            ..Default::default()
        };
        let answer = self.stage.of(cast.org).scheduling().reassign_counsellor(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(refusal.unwrap_or(expected), answer).await? else { return Ok(()) };
        (self.truth.rows[at].what, self.truth.rows[at].overridden) = (what, overridden);
        self.look(&[session]).await
    }

    async fn cancel(&mut self, nth: usize, stale: bool) -> Outcome {
        let Some((at, etag, refusal)) = self.nth_row(nth, stale) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let request = pb::CancelSessionRequest {
            session_id: row.id.clone(),
            etag,
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        let answer = self.stage.of(CLIENTS[row.what.client].org).scheduling().cancel_session(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(refusal.unwrap_or(Expected::Ok), answer).await? else { return Ok(()) };
        self.truth.rows[at].state = State::Cancelled;
        self.look(&[session]).await
    }

    fn request(&self, ask: &Ask) -> pb::BookSessionRequest {
        let it = &ask.what;
        let (venue_id, room_id) = self.stage.place(it.place);
        pb::BookSessionRequest {
            client_id: self.stage.clients[it.client].id.clone(),
            counsellor_id: self.stage.counsellors[it.counsellor].id.clone(),
            service: it.service,
            modality: modality(it.place),
            venue_id,
            room_id,
            starts_at: stamp(it.starts),
            length: Some(minutes(it.ends - it.starts)),
            guardian_id: if it.guardian { self.stage.guardian.id.clone() } else { String::new() },
            overrides: overrides(ask.soft),
            ..Default::default()
        }
    }

    /// The answer, if it is the expected one; nothing for a refusal, which must not have changed anything.
    async fn agree<T>(&mut self, expected: Expected, answer: Result<T, Status>) -> Outcome<Option<T>> {
        let status = match answer {
            Ok(answer) if expected == Expected::Ok => return Ok(Some(answer)),
            Ok(_) => return Err(format!("accepted, though the model says {expected:?}")),
            Err(status) => status,
        };
        let said = refused(&status);
        let right = match &expected {
            Expected::Ok => false,
            Expected::Broken(codes) => {
                said.reason == "BOOKING_REFUSED" && said.items.iter().map(String::as_str).eq(in_order(codes))
            }
            Expected::Refused(code, reason) => said.code == *code && said.reason == *reason,
        };
        if !right {
            return Err(format!("refused with {} {:?}, though the model says {expected:?}", said.reason, said.items));
        }
        self.met.extend(said.items.into_iter().chain([said.reason]));
        let before = self.live();
        self.look(&[]).await?;
        if before != self.live() {
            return Err(format!("a refusal changed {before:?} to {:?}", self.live()));
        }
        Ok(None)
    }

    /// What was listed last, but for holds that have expired.
    fn live(&self) -> BTreeMap<String, pb::Session> {
        let now = self.truth.now;
        let live = |it: &pb::Session| it.held_until.is_none() || minute(it.held_until.as_ref()) > now;
        self.listed.iter().filter(|(_, it)| live(it)).map(|(id, it)| (id.clone(), it.clone())).collect()
    }

    async fn placed(
        &mut self,
        session: pb::Session,
        what: Wanted,
        state: State,
        overridden: Codes,
        supersedes: &str,
    ) -> Outcome {
        let id = session.id.clone();
        let started_with = (what.starts <= self.truth.now).then(Codes::new);
        self.truth.rows.push(Row { id, what, state, overridden, supersedes: supersedes.into(), started_with });
        self.look(&[session]).await
    }

    /// An answer is what the list says.
    fn visible(&self, answer: &pb::Session) -> Outcome {
        match self.listed.get(&answer.id) {
            Some(listed) if listed == answer => Ok(()),
            listed => Err(format!("answered {answer:?}, listed {listed:?}")),
        }
    }

    /// Lists everything, and compares it with the model and with what was just answered.
    pub async fn look(&mut self, answers: &[pb::Session]) -> Outcome {
        self.listed = super::seen::list(&self.stage).await?;
        for answer in answers {
            self.visible(answer)?;
        }
        let flags = self.truth.rows.iter().flat_map(|row| self.truth.flags(row));
        self.met.extend(flags.map(|rule| format!("flag {rule}")));
        super::seen::compare(self)
    }
}

fn allowed(soft: bool) -> Codes {
    if soft { BTreeSet::from(SOFT) } else { Codes::new() }
}

fn overrides(soft: bool) -> Vec<pb::RuleOverride> {
    let rule = |code| pb::BookingRule::from_str_name(&format!("BOOKING_RULE_{code}")).unwrap().into();
    allowed(soft).into_iter().map(|code| pb::RuleOverride { rule: rule(code), reason: "They insist.".into() }).collect()
}

fn modality(place: Place) -> i32 {
    if place == Place::Remote { 2 } else { 1 }
}

/// Codes in the order of the table of the booking rules, hard ones first.
fn in_order(codes: &Codes) -> impl Iterator<Item = &'static str> {
    let number = |code: &str| pb::BookingRule::from_str_name(&format!("BOOKING_RULE_{code}")).map(i32::from);
    let mut all: Vec<_> = codes.iter().copied().collect();
    all.sort_by_key(|code| number(code));
    all.into_iter()
}
