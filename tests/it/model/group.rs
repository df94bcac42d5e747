//! Who joins groups, and who leaves them.

use aftercare::grpc::pb;
use tonic::Code;

use super::cast::CLIENTS;
use super::play::{Expected, Outcome, Play, allowed, overrides};
use super::step::{Newcomer, circle, guest};
use super::truth::{On, Row, State, Told, Wanted};

impl Play<'_> {
    /// One of the groups, held and past ones included; now and then any session.
    fn nth_group(&self, nth: usize) -> Option<usize> {
        let rows = self.truth.rows.iter().enumerate();
        let groups: Vec<usize> = rows.filter(|(_, it)| nth >= 36 || it.what.is_group()).map(|(at, _)| at).collect();
        groups.get(nth.checked_rem(groups.len())?).copied()
    }

    pub async fn join(&mut self, nth: usize, who: &Newcomer) -> Outcome {
        let Some(nth) = self.nth_group(nth) else { return Ok(()) };
        let Some((at, etag, refusal)) = self.nth_row(nth, who.stale == Some(true)) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let (org, survivor) = row.what.taker();
        let pick = usize::from(who.client);
        let all = if pick < 240 { circle(org, survivor) } else { (0..CLIENTS.len()).collect() };
        let guest = guest(all[pick % all.len()], who.company);
        let mut what = row.what.clone();
        what.guests.push(guest);
        let (mut expected, overridden) = self.predict_join(&what, &row, who.soft);
        if row.what.has(guest.client) {
            expected = Expected::Refused(Code::FailedPrecondition, "ALREADY_PARTICIPATES");
        }
        expected = refusal.unwrap_or(expected);
        // Of a session that is nobody's matter, nothing is said of who would join it.
        let held = matches!(row.state, State::Held { until } if until <= self.truth.now);
        if CLIENTS[guest.client].org != org && !held {
            expected = Expected::Refused(Code::NotFound, "NOT_FOUND");
        }
        let request = pb::AddParticipantRequest {
            session_id: row.id.clone(),
            etag: if who.stale.is_some() { etag } else { String::new() },
            participant: Some(self.stage.participant(&guest)),
            overrides: overrides(who.soft),
            ..Default::default()
        };
        let answer = self.stage.of(org).scheduling().add_participant(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(expected, answer).await? else { return Ok(()) };
        let now = self.truth.now;
        let row = &mut self.truth.rows[at];
        row.what = what;
        row.overridden.extend(overridden);
        row.since.insert(guest.client, now);
        self.look(&[session]).await
    }

    /// What stands against the last of the guests, and which rules are overridden for that one.
    fn predict_join(&self, what: &Wanted, row: &Row, soft: bool) -> (Expected, Told) {
        let newcomer = what.guests.last().map(|it| it.client);
        let of_others = |whom: &Option<usize>| whom.is_some() && *whom != newcomer;
        let mut broken = self.truth.broken(what, &row.id, On::Joining);
        broken.retain(|told| !(of_others(&told.0) || told.0.is_none() && row.overridden.contains(told)));
        let allowed = allowed(soft);
        let (overridden, left): (Told, Told) = broken.into_iter().partition(|(_, code)| allowed.contains(code));
        (if left.is_empty() { Expected::Ok } else { Expected::Broken(left) }, overridden)
    }

    pub async fn remove(&mut self, nth: usize, pick: u8, stale: bool) -> Outcome {
        let Some(nth) = self.nth_group(nth) else { return Ok(()) };
        let Some((at, etag, refusal)) = self.nth_row(nth, stale) else { return Ok(()) };
        let row = self.truth.rows[at].clone();
        let pick = usize::from(pick);
        let there: Vec<usize> = row.what.clients().collect();
        let client = match there.len() {
            some if some > 0 && pick < 240 => there[pick % some],
            _ => pick % CLIENTS.len(),
        };
        let mut expected =
            if row.what.has(client) { Expected::Ok } else { Expected::Refused(Code::NotFound, "NOT_FOUND") };
        expected = refusal.unwrap_or(expected);
        let gone = matches!(row.state, State::Held { until } if until <= self.truth.now);
        if !row.what.is_group() && !gone {
            expected = Expected::Refused(Code::FailedPrecondition, "NOT_A_GROUP");
        }
        let request = pb::RemoveParticipantRequest {
            session_id: row.id.clone(),
            etag,
            client_id: self.stage.clients[client].id.clone(),
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        let answer = self.stage.of(row.what.org).scheduling().remove_participant(request).await;
        let answer = answer.map(|it| it.into_inner().session.unwrap());
        let Some(session) = self.agree(expected, answer).await? else { return Ok(()) };
        let now = self.truth.now;
        self.truth.rows[at].leave(client, now);
        self.look(&[session]).await
    }
}
