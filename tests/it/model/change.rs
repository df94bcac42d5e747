//! Facts that change: each is accepted, and names exactly the sessions that it orphans.

use std::collections::BTreeSet;

use aftercare::grpc::pb;
use tonic::{Code, Status};

use super::cast::{CLIENTS, COUNSELLORS, DAY};
use super::play::{Outcome, Play};
use super::stage::{local_date, stamp};
use super::step::Step;
use crate::support::{date, minutes, refused, time_of_day};

/// The sessions that an answer names; nothing when it has no place for them.
type Affected = Option<Vec<String>>;

/// Whom an answer may tell of: one organisation, or all for an admin.
type Seer = Option<usize>;

fn wrong(status: Status) -> String {
    format!("a fact was refused: {:?} {}", refused(&status), status.message())
}

impl Play<'_> {
    pub async fn change(&mut self, step: &Step) -> Outcome {
        let before = self.truth.all_flags();
        let (seer, affected) = self.apply(step).await?;
        let mut due = BTreeSet::new();
        for row in &self.truth.rows {
            let new = self.truth.flags(row).difference(&before[&row.id]).next().is_some();
            if new && seer.is_none_or(|org| org == row.what.org) {
                due.insert(row.id.clone());
            }
        }
        if let Some(named) = affected {
            let distinct: BTreeSet<String> = named.iter().cloned().collect();
            if distinct != due || distinct.len() != named.len() {
                return Err(format!("named {named:?} as orphaned, the model {due:?}"));
            }
        }
        self.look(&[]).await
    }

    async fn apply(&mut self, step: &Step) -> Outcome<(Seer, Affected)> {
        match *step {
            Step::Party(crime, client) => self.party(crime, client.0).await,
            Step::NoContact(client, other) => self.no_contact(client.0, other.0).await,
            Step::Leave(counsellor, day) => self.leave(counsellor.0, day).await,
            Step::Consent(client) => self.consent(client.0).await,
            Step::Agreement(org) => self.agreement(org).await,
            Step::Guardian(child, safe) => self.guardian(child.0, safe).await,
            Step::Conflict(client, counsellor) => self.conflict(client.0, counsellor.0).await,
            Step::Timetable(timetable) => {
                self.truth.timetable = timetable;
                let site = pb::Site { timetable: side_hours(timetable), ..self.stage.site.clone() };
                self.site(site).await
            }
            Step::Gap(gap) => self.gap(gap).await,
            Step::Holiday(day) => self.holiday(day).await,
            Step::Verified(counsellor, day) => {
                self.truth.verified_until[counsellor.0] = day;
                let last = if day == 999 { "2099-12-31".into() } else { local_date(day) };
                self.counsellor(counsellor.0, |it| it.verified_until = Some(date(&last))).await
            }
            Step::Hours(counsellor) => {
                let short = !self.truth.short_hours[counsellor.0];
                self.truth.short_hours[counsellor.0] = short;
                let ends = if short { time_of_day(13, 0) } else { time_of_day(17, 30) };
                self.counsellor(counsellor.0, |it| it.working_hours.iter_mut().for_each(|row| row.ends = Some(ends)))
                    .await
            }
            Step::PrefersFemale(client) => self.prefers_female(client.0).await,
            _ => Err(format!("{step:?} is no fact")),
        }
    }

    async fn party(&mut self, crime: usize, client: usize) -> Outcome<(Seer, Affected)> {
        let org = CLIENTS[client].org;
        let (case, client_id) = (&self.stage.cases[crime][org], self.stage.clients[client].id.clone());
        let (case_id, etag) = (case.id.clone(), case.etag.clone());
        let mut clients = self.stage.of(org).clients();
        let (case, affected) = if self.truth.parties.remove(&(crime, client)) {
            let request = pb::RemoveCasePartyRequest { case_id, etag, client_id, ..Default::default() };
            let answer = clients.remove_case_party(request).await.map_err(wrong)?.into_inner();
            (answer.case, None)
        } else {
            self.truth.parties.insert((crime, client));
            let party = Some(pb::CaseParty { client_id, role: if CLIENTS[client].survivor { 1 } else { 2 } });
            let request = pb::AddCasePartyRequest { case_id, etag, party, ..Default::default() };
            let answer = clients.add_case_party(request).await.map_err(wrong)?.into_inner();
            (answer.case, Some(answer.affected_session_ids))
        };
        self.stage.cases[crime][org] = case.unwrap();
        Ok((Some(org), affected))
    }

    async fn no_contact(&mut self, client: usize, other: usize) -> Outcome<(Seer, Affected)> {
        let org = CLIENTS[client].org;
        let mut clients = self.stage.of(org).clients();
        if let Some(it) = self.stage.no_contact.remove(&(client, other)) {
            self.truth.no_contact.remove(&(client, other));
            let request = pb::WithdrawNoContactRequest { no_contact_id: it.id, etag: it.etag, ..Default::default() };
            clients.withdraw_no_contact(request).await.map_err(wrong)?;
            return Ok((Some(org), None));
        }
        let request = pb::DeclareNoContactRequest {
            client_id: self.stage.clients[client].id.clone(),
            other_reference: self.stage.clients[other].reference.clone(),
            ..Default::default()
        };
        let answer = clients.declare_no_contact(request).await.map_err(wrong)?.into_inner();
        self.stage.no_contact.insert((client, other), answer.no_contact.unwrap());
        self.truth.no_contact.insert((client, other));
        Ok((Some(org), Some(answer.affected_session_ids)))
    }

    async fn leave(&mut self, counsellor: usize, day: i64) -> Outcome<(Seer, Affected)> {
        let org = COUNSELLORS[counsellor].org;
        let mut directory = self.stage.of(org).directory();
        if let Some(it) = self.stage.leave.remove(&(counsellor, day)) {
            self.truth.leave.remove(&(counsellor, day));
            let request = pb::DeleteLeaveRequest { leave_id: it.id, etag: it.etag, ..Default::default() };
            directory.delete_leave(request).await.map_err(wrong)?;
            return Ok((Some(org), None));
        }
        let leave = pb::Leave {
            counsellor_id: self.stage.counsellors[counsellor].id.clone(),
            starts_at: stamp(day * DAY),
            ends_at: stamp((day + 1) * DAY),
            ..Default::default()
        };
        let request = pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() };
        let answer = directory.create_leave(request).await.map_err(wrong)?.into_inner();
        self.stage.leave.insert((counsellor, day), answer.leave.unwrap());
        self.truth.leave.insert((counsellor, day));
        Ok((Some(org), Some(answer.affected_session_ids)))
    }

    async fn consent(&mut self, client: usize) -> Outcome<(Seer, Affected)> {
        let org = CLIENTS[client].org;
        if let Some(it) = self.stage.consents.remove(&client) {
            self.truth.consent[client] = false;
            let request = pb::WithdrawConsentRequest {
                consent_id: it.id,
                etag: it.etag,
                reason: "They called.".into(),
                ..Default::default()
            };
            let answer = self.stage.of(org).clients().withdraw_consent(request).await.map_err(wrong)?.into_inner();
            return Ok((Some(org), Some(answer.affected_session_ids)));
        }
        match self.stage.consent(client).await {
            Ok(()) => self.truth.consent[client] = true,
            Err(status) if status.code() == Code::InvalidArgument && !self.truth.guardian_safe[client] => {}
            Err(status) => return Err(wrong(status)),
        }
        Ok((Some(org), None))
    }

    async fn agreement(&mut self, org: usize) -> Outcome<(Seer, Affected)> {
        let active = !self.truth.agreement[org];
        self.truth.agreement[org] = active;
        let status = if active { pb::AgreementStatus::Active } else { pb::AgreementStatus::Ended };
        let agreement = pb::Agreement { status: status.into(), ..self.stage.agreements[org].clone() };
        let request = pb::UpdateAgreementRequest { agreement: Some(agreement), ..Default::default() };
        let answer = self.stage.admin.directory().update_agreement(request).await.map_err(wrong)?.into_inner();
        self.stage.agreements[org] = answer.agreement.unwrap();
        Ok((None, Some(answer.affected_session_ids)))
    }

    async fn guardian(&mut self, child: usize, safe: bool) -> Outcome<(Seer, Affected)> {
        self.truth.guardian_safe[child] = safe;
        let org = CLIENTS[child].org;
        let standing = if safe { pb::GuardianStanding::Safe } else { pb::GuardianStanding::Accused };
        let guardian = pb::Guardian { standing: standing.into(), ..self.stage.guardians[&child].clone() };
        let request = pb::UpdateGuardianRequest { guardian: Some(guardian), ..Default::default() };
        let answer = self.stage.of(org).clients().update_guardian(request).await.map_err(wrong)?.into_inner();
        self.stage.guardians.insert(child, answer.guardian.unwrap());
        Ok((Some(org), Some(answer.affected_session_ids)))
    }

    async fn conflict(&mut self, client: usize, counsellor: usize) -> Outcome<(Seer, Affected)> {
        let org = CLIENTS[client].org;
        let mut clients = self.stage.of(org).clients();
        if let Some(it) = self.stage.conflicts.remove(&(client, counsellor)) {
            self.truth.conflicts.remove(&(client, counsellor));
            let request = pb::WithdrawConflictRequest { conflict_id: it.id, etag: it.etag, ..Default::default() };
            clients.withdraw_conflict(request).await.map_err(wrong)?;
            return Ok((Some(org), None));
        }
        let request = pb::DeclareConflictRequest {
            client_id: self.stage.clients[client].id.clone(),
            counsellor_id: self.stage.counsellors[counsellor].id.clone(),
            ..Default::default()
        };
        let answer = clients.declare_conflict(request).await.map_err(wrong)?.into_inner();
        self.stage.conflicts.insert((client, counsellor), answer.conflict.unwrap());
        self.truth.conflicts.insert((client, counsellor));
        Ok((Some(org), Some(answer.affected_session_ids)))
    }

    async fn site(&mut self, site: pb::Site) -> Outcome<(Seer, Affected)> {
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        let answer = self.stage.admin.directory().update_site(request).await.map_err(wrong)?.into_inner();
        self.stage.site = answer.site.unwrap();
        Ok((None, Some(answer.affected_session_ids)))
    }

    /// Another gap holds for everybody who has booked, or is refused.
    async fn gap(&mut self, gap: i64) -> Outcome<(Seer, Affected)> {
        let site = pb::Site { separation_gap: Some(minutes(gap)), ..self.stage.site.clone() };
        if !self.truth.anybody_closer_than(gap) {
            self.truth.gap = gap;
            return self.site(site).await;
        }
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        match self.stage.admin.directory().update_site(request).await {
            Ok(_) => Err(format!("a gap of {gap} minutes was accepted")),
            Err(status) if refused(&status).reason == "SEPARATION_GAP_IN_USE" => {
                self.met.insert("SEPARATION_GAP_IN_USE".into());
                Ok((None, None))
            }
            Err(status) => Err(wrong(status)),
        }
    }

    async fn holiday(&mut self, day: Option<i64>) -> Outcome<(Seer, Affected)> {
        self.truth.holiday = day;
        let holiday = |day| pb::Holiday { date: Some(date(&local_date(day))), name: "Example Day".into() };
        let calendar =
            pb::HolidayCalendar { holidays: day.into_iter().map(holiday).collect(), ..self.stage.calendar.clone() };
        let request = pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
        let answer = self.stage.of(0).directory().update_holiday_calendar(request).await.map_err(wrong)?.into_inner();
        self.stage.calendar = answer.holiday_calendar.unwrap();
        Ok((Some(0), Some(answer.affected_session_ids)))
    }

    async fn counsellor(
        &mut self,
        counsellor: usize,
        adjust: impl FnOnce(&mut pb::Counsellor),
    ) -> Outcome<(Seer, Affected)> {
        let org = COUNSELLORS[counsellor].org;
        let mut it = self.stage.counsellors[counsellor].clone();
        adjust(&mut it);
        let request = pb::UpdateCounsellorRequest { counsellor: Some(it), ..Default::default() };
        let answer = self.stage.of(org).directory().update_counsellor(request).await.map_err(wrong)?.into_inner();
        self.stage.counsellors[counsellor] = answer.counsellor.unwrap();
        Ok((Some(org), Some(answer.affected_session_ids)))
    }

    async fn prefers_female(&mut self, client: usize) -> Outcome<(Seer, Affected)> {
        let prefers = !self.truth.prefers_female[client];
        self.truth.prefers_female[client] = prefers;
        let org = CLIENTS[client].org;
        let it = pb::Client { counsellor_gender: i32::from(prefers), ..self.stage.clients[client].clone() };
        let request = pb::UpdateClientRequest { client: Some(it), ..Default::default() };
        let answer = self.stage.of(org).clients().update_client(request).await.map_err(wrong)?.into_inner();
        self.stage.clients[client] = answer.client.unwrap();
        Ok((Some(org), Some(answer.affected_session_ids)))
    }
}

/// See [`super::truth`] for what they mean.
fn side_hours(timetable: u8) -> Vec<pb::SideHours> {
    let row = |side: pb::Side, day, from, until| pb::SideHours {
        side: side.into(),
        day,
        starts: Some(time_of_day(from, 0)),
        ends: Some(time_of_day(until, 0)),
    };
    let (survivors, offenders) = (pb::Side::Survivor, pb::Side::Offender);
    match timetable {
        0 => Vec::new(),
        1 => (1..=7).flat_map(|day| [row(survivors, day, 9, 12), row(offenders, day, 15, 18)]).collect(),
        _ => vec![row(survivors, 1, 9, 18), row(offenders, 2, 9, 18), row(survivors, 3, 9, 18)],
    }
}
