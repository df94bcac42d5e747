//! Plays steps to the service, and says beforehand what it must answer.

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};
use super::stage::{Stage, instant, minute, stamp};
use super::step::{Ask, Step};
use super::truth::{Codes, Guest, On, Row, SOFT, State, Told, Truth, Wanted};
use crate::support::{TestApp, minutes, refused};

/// What went otherwise than the model says.
pub type Outcome<T = ()> = Result<T, String>;

/// One case: the service, the model beside it, and what the service said last.
pub struct Play<'a> {
    pub app: &'a TestApp,
    pub stage: Stage,
    pub truth: Truth,
    pub listed: BTreeMap<String, pb::Session>,
    pub series: BTreeMap<String, pb::Series>,
    /// What has been met: refusals by reason or rule, flags by rule.
    pub met: BTreeSet<String>,
    far: i64,
}

/// What the service must answer.
#[derive(Debug, PartialEq)]
pub enum Expected {
    Ok,
    Broken(Told),
    /// By number and start.
    Series(Vec<(usize, i64, Codes)>),
    Refused(Code, &'static str),
}

/// Half past nine on the first day.
const OPENING: i64 = 570;

impl<'a> Play<'a> {
    pub async fn begin(app: &'a TestApp, code: &str) -> Self {
        app.clock.set(instant(OPENING));
        let stage = Stage::set(app, code).await;
        Self {
            app,
            stage,
            truth: Truth::new(OPENING),
            listed: BTreeMap::new(),
            series: BTreeMap::new(),
            met: BTreeSet::new(),
            far: 30,
        }
    }

    pub async fn step(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Book(ask) => self.book(ask).await,
            Step::Hold(ask, minutes) => self.hold(ask, *minutes).await,
            Step::HoldMany(count, minutes) => self.hold_many(*count, *minutes).await,
            Step::Release(nth) => self.release(*nth).await,
            Step::BookHeld(nth, soft) => self.book_held(*nth, *soft).await,
            Step::Reschedule(nth, to) => self.reschedule(*nth, to).await,
            Step::Reassign(nth, from, to, soft) => self.reassign(*nth, *from, *to, *soft).await,
            Step::Cancel(nth, stale) => self.cancel(*nth, *stale).await,
            Step::Join(nth, who) => self.join(*nth, who).await,
            Step::Remove(nth, pick, stale) => self.remove(*nth, *pick, *stale).await,
            Step::BookSeries(ask, how) => self.book_series(ask, how).await,
            Step::MoveSeries(nth, how) => self.move_series(*nth, how).await,
            Step::CancelSeries(nth, from, stale) => self.cancel_series(*nth, *from, *stale).await,
            Step::MakeUp(nth, number, starts, soft) => self.make_up(*nth, *number, *starts, *soft).await,
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
    pub fn predict(&self, what: &Wanted, except: &str, allowed: &Codes) -> (Expected, Told) {
        let strange = what.clients().any(|it| CLIENTS[it].org != what.org);
        if strange || what.counsellors().any(|it| COUNSELLORS[it].org != what.org) {
            return (Expected::Refused(Code::NotFound, "NOT_FOUND"), Told::new());
        }
        let (overridden, left): (Told, Told) =
            self.truth.broken(what, except, On::Placing).into_iter().partition(|(_, code)| allowed.contains(code));
        let expected = if left.is_empty() { Expected::Ok } else { Expected::Broken(what.charge(left)) };
        (expected, overridden)
    }

    async fn book(&mut self, ask: &Ask) -> Outcome {
        let what = self.truth.with_room(&ask.what, "");
        let (expected, overridden) = self.predict(&what, "", &allowed(ask.soft));
        let mut scheduling = self.stage.of(what.org).scheduling();
        let answer = scheduling.book_session(self.request(ask)).await;
        let session = self.agree(expected, answer.map(|it| it.into_inner().session.unwrap())).await?;
        match session {
            Some(session) => self.placed(session, what, State::Booked, overridden, "").await,
            None => Ok(()),
        }
    }

    async fn hold(&mut self, ask: &Ask, hold_for: i64) -> Outcome {
        let what = self.truth.with_room(&ask.what, "");
        let org = what.org;
        let (mut expected, overridden) = self.predict(&what, "", &allowed(ask.soft));
        let mine = |row: &&Row| row.what.org == org && self.truth.is_held(row);
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
            interpreter: book.interpreter,
            group: book.group,
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
            let what = Wanted {
                org: 0,
                survivor: true,
                guests: vec![Guest { client: 0, guardian: false, interpreter: false }],
                capacity: 1,
                counsellor: 0,
                beside: Vec::new(),
                service: 1,
                place: Place::Remote,
                starts,
                ends: starts + 60,
            };
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
        let answer = self.stage.of(row.what.org).scheduling().release_hold(request).await;
        if self.agree(expected, answer).await?.is_some() {
            self.truth.rows.remove(at);
            self.look(&[]).await?;
        }
        Ok(())
    }

    async fn book_held(&mut self, nth: usize, soft: bool) -> Outcome {
        let Some(at) = self.nth_hold(nth) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let allowed = row.overridden.iter().map(|(_, code)| *code).chain(allowed(soft)).collect();
        let (expected, overridden) = match self.truth.is_held(&row) {
            true => self.predict(&row.what, &row.id, &allowed),
            false => (Expected::Refused(Code::NotFound, "NOT_FOUND"), Told::new()),
        };
        let request =
            pb::BookSessionRequest { hold_id: row.id.clone(), overrides: overrides(soft), ..Default::default() };
        let answer = self.stage.of(row.what.org).scheduling().book_session(request).await;
        let session = self.agree(expected, answer.map(|it| it.into_inner().session.unwrap())).await?;
        let Some(session) = session else { return Ok(()) };
        if session.id != row.id {
            return Err(format!("a hold that became another session: {session:?}"));
        }
        self.truth.rows.remove(at);
        self.placed(session, row.what, State::Booked, overridden, "").await
    }

    pub fn request(&self, ask: &Ask) -> pb::BookSessionRequest {
        let it = &ask.what;
        let (venue_id, room_id) = self.stage.place(it.place);
        let alone = it.guests.first().filter(|_| !it.is_group()).map(|guest| self.stage.participant(guest));
        let alone = alone.unwrap_or_default();
        pb::BookSessionRequest {
            client_id: alone.client_id,
            counsellor_id: self.stage.counsellors[it.counsellor].id.clone(),
            service: it.service,
            modality: modality(it.place),
            venue_id,
            room_id,
            starts_at: stamp(it.starts),
            length: Some(minutes(it.ends - it.starts)),
            guardian_id: alone.guardian_id,
            interpreter: alone.interpreter,
            overrides: overrides(ask.soft),
            group: it.is_group().then(|| self.stage.group(it)),
            ..Default::default()
        }
    }

    /// The answer, if it is the expected one; nothing for a refusal, which must not have changed anything.
    pub async fn agree<T>(&mut self, expected: Expected, answer: Result<T, Status>) -> Outcome<Option<T>> {
        let status = match answer {
            Ok(answer) if expected == Expected::Ok => return Ok(Some(answer)),
            Ok(_) => return Err(format!("accepted, though the model says {expected:?}")),
            Err(status) => status,
        };
        let said = refused(&status);
        let right = match &expected {
            Expected::Ok => false,
            Expected::Broken(told) => {
                let codes: Codes = told.iter().map(|(_, code)| *code).collect();
                let mut items: Vec<&str> = said.items.iter().map(String::as_str).collect();
                items.dedup();
                said.reason == "BOOKING_REFUSED"
                    && items.into_iter().eq(in_order(&codes))
                    && violations(&status) == self.stage.violations(told)
            }
            Expected::Series(refused) => {
                said.reason == "BOOKING_REFUSED" && self.stage.refused_of_series(&status) == *refused
            }
            Expected::Refused(code, reason) => said.code == *code && said.reason == *reason,
        };
        if !right {
            let said = (said.reason, violations(&status));
            return Err(format!("refused with {said:?}, though the model says {expected:?}"));
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

    pub async fn placed(
        &mut self,
        session: pb::Session,
        what: Wanted,
        state: State,
        overridden: Told,
        supersedes: &str,
    ) -> Outcome {
        self.truth.rows.push(Row::new(&session.id, what, state, overridden, supersedes, self.truth.now));
        self.look(&[session]).await
    }

    /// An answer is what the list says.
    pub fn visible(&self, answer: &pb::Session) -> Outcome {
        match self.listed.get(&answer.id) {
            Some(listed) if listed == answer => Ok(()),
            listed => Err(format!("answered {answer:?}, listed {listed:?}")),
        }
    }

    /// Lists everything, and compares it with the model and with what was just answered.
    pub async fn look(&mut self, answers: &[pb::Session]) -> Outcome {
        self.listed = super::seen::list(&self.stage).await?;
        self.series = super::seen::series(self).await?;
        for answer in answers {
            self.visible(answer)?;
        }
        let flags = self.truth.rows.iter().flat_map(|row| self.truth.flags(row));
        self.met.extend(flags.map(|(whom, rule)| match whom {
            None => format!("flag {rule}"),
            Some(_) => format!("flag {rule} of one of a group"),
        }));
        super::seen::compare(self)
    }
}

pub fn allowed(soft: bool) -> Codes {
    if soft { BTreeSet::from(SOFT) } else { Codes::new() }
}

pub fn overrides(soft: bool) -> Vec<pb::RuleOverride> {
    let rule = |code| pb::BookingRule::from_str_name(&format!("BOOKING_RULE_{code}")).unwrap().into();
    allowed(soft).into_iter().map(|code| pb::RuleOverride { rule: rule(code), reason: "They insist.".into() }).collect()
}

pub fn modality(place: Place) -> i32 {
    if place == Place::Remote { 2 } else { 1 }
}

/// What a refusal says, and of whom.
fn violations(status: &Status) -> Vec<(String, String)> {
    let failure = status.get_details_precondition_failure();
    let all = failure.into_iter().flat_map(|it| it.violations);
    let mut all: Vec<_> = all.map(|it| (it.subject, it.r#type)).collect();
    all.sort_unstable();
    all
}

/// Codes in the order of the table of the booking rules, hard ones first.
fn in_order(codes: &Codes) -> impl Iterator<Item = &'static str> {
    // What came later has a higher number than its place in the table.
    let place = |code: &str| match code {
        "WRONG_SIDE" => -2,
        "NOT_A_GROUP" | "GROUP_FULL" => -1,
        _ => pb::BookingRule::from_str_name(&format!("BOOKING_RULE_{code}")).map_or(0, i32::from),
    };
    let mut all: Vec<_> = codes.iter().copied().collect();
    all.sort_by_key(|code| place(code));
    all.into_iter()
}
