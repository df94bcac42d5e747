//! What becomes of sessions that are booked already.

use aftercare::grpc::pb;
use tonic::Code;

use super::cast::Place;
use super::play::{Expected, Outcome, Play, allowed, modality, overrides};
use super::stage::stamp;
use super::step::{Move, counsellor, places};
use super::truth::{Row, State, Told, Wanted};

impl Play<'_> {
    /// One of all sessions and holds, and what stands in the way of changing it.
    pub fn nth_row(&self, nth: usize, stale: bool) -> Option<(usize, String, Option<Expected>)> {
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

    pub async fn reschedule(&mut self, nth: usize, to: &Move) -> Outcome {
        let Some((at, etag, refusal)) = self.nth_row(nth, to.stale) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let (org, survivor) = row.what.taker();
        let counsellor = to.counsellor.map(|pick| counsellor(org, survivor, pick));
        let place = to.place.map(|pick| places(org)[usize::from(pick) % places(org).len()]);
        let stay = if let Place::Host(_) = row.what.place { Place::Host(0) } else { row.what.place };
        let wanted = Wanted {
            counsellor: counsellor.unwrap_or(row.what.counsellor),
            place: place.unwrap_or(stay),
            starts: to.starts,
            ends: to.starts + row.what.ends - row.what.starts,
            ..row.what.clone()
        };
        let what = self.truth.with_room(&wanted, &row.id);
        let (mut expected, overridden) = self.predict(&what, &row.id, &allowed(to.soft));
        if what.beside.contains(&what.counsellor) {
            expected = Expected::Refused(Code::InvalidArgument, "INVALID_REQUEST");
        }
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
        let answer = self.stage.of(row.what.org).scheduling().reschedule_session(request).await;
        let moved = self.agree(refusal.unwrap_or(expected), answer.map(tonic::Response::into_inner)).await?;
        let Some(pb::RescheduleSessionResponse { session, superseded }) = moved else { return Ok(()) };
        let (session, superseded) = (session.unwrap(), superseded.unwrap());
        self.moved(at, &session.id, what, overridden);
        self.look(&[session]).await?;
        self.visible(&superseded)
    }

    /// Another session has taken the place of one, also in a series.
    pub fn moved(&mut self, at: usize, id: &str, what: Wanted, overridden: Told) {
        let old = &mut self.truth.rows[at];
        old.state = State::Moved { to: id.into() };
        let new = Row::new(id, what, State::Booked, overridden, &old.id, self.truth.now);
        let series = old.series;
        self.truth.rows.push(Row { series, ..new });
    }

    pub async fn reassign(&mut self, nth: usize, from: u8, to: u8, soft: bool) -> Outcome {
        let Some((at, etag, refusal)) = self.nth_row(nth, false) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let (org, survivor) = row.what.taker();
        let mut leaders: Vec<usize> = row.what.counsellors().collect();
        let part = usize::from(from) % leaders.len();
        let (leaves, comes) = (leaders[part], counsellor(org, survivor, to));
        leaders[part] = comes;
        let what = Wanted { counsellor: leaders[0], beside: leaders.split_off(1), ..row.what.clone() };
        let (mut expected, overridden) = self.predict(&what, &row.id, &allowed(soft));
        if row.what.led_by(comes) {
            expected = Expected::Refused(Code::InvalidArgument, "INVALID_REQUEST");
        }
        let request = pb::ReassignCounsellorRequest {
            session_id: row.id.clone(),
            etag,
            counsellor_id: self.stage.counsellors[comes].id.clone(),
            replaces_counsellor_id: if part == 0 { String::new() } else { self.stage.counsellors[leaves].id.clone() },
            overrides: overrides(soft),
            ..Default::default()
        };
        let answer = self.stage.of(row.what.org).scheduling().reassign_counsellor(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(refusal.unwrap_or(expected), answer).await? else { return Ok(()) };
        (self.truth.rows[at].what, self.truth.rows[at].overridden) = (what, overridden);
        self.look(&[session]).await
    }

    pub async fn cancel(&mut self, nth: usize, stale: bool) -> Outcome {
        let Some((at, etag, refusal)) = self.nth_row(nth, stale) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let request = pb::CancelSessionRequest {
            session_id: row.id.clone(),
            etag,
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        let answer = self.stage.of(row.what.org).scheduling().cancel_session(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(refusal.unwrap_or(Expected::Ok), answer).await? else { return Ok(()) };
        self.truth.rows[at].state = State::Cancelled;
        self.look(&[session]).await
    }
}
