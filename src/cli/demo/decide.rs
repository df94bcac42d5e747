//! What a person decides: why there is no free time, a rule broken with a reason, a link that comes
//! to light after both were booked.

use super::Error;
use super::say;
use super::walk::{Walk, expect, missing};
use crate::grpc::pb;

impl Walk {
    /// No counsellor suits; the search says why, and a person decides.
    pub(super) async fn explain_and_override(&mut self, known: &pb::Client) -> Result<(), Error> {
        say::step(7, "A survivor speaks Hindi and asks for a man. There is no free time, because:", "FindSlots");
        let asks = |client: &mut pb::Client| {
            client.spoken_languages = vec!["hi".into()];
            client.counsellor_gender = pb::Gender::Male.into();
        };
        let client = self.create_client("Person Example-Eight", pb::Side::Survivor, asks).await?;
        self.consent(&client).await?;
        let found = self.search(&client, pb::CareService::Counselling).await?;
        expect(found.slots.is_empty(), "there is a free time")?;
        for it in &found.exclusions {
            let (rule, of) = (rule_name(it.rule()), found.counsellors);
            println!("   {rule} stands against {} of {of} counsellors", it.counsellors);
        }
        expect(found.exclusions.iter().any(|it| it.rule() == pb::BookingRule::Language), "language is no reason")?;

        say::step(8, "Language is a soft rule: the coordinator books with a written reason.", "BookSession");
        let man = self.man().await?;
        let others = self.search(known, pb::CareService::Counselling).await?.slots;
        let slot = others.into_iter().find(|slot| slot.counsellor_id == man).ok_or_else(missing("time of his"))?;
        let reason = "the counsellor understands Hindi well enough to begin";
        let overrides = vec![pb::RuleOverride { rule: pb::BookingRule::Language.into(), reason: reason.into() }];
        let session = self.try_book(&client, &slot, overrides).await??;
        println!("{}", say::session(&session, &self.names)?);
        let overridden: Vec<_> = session.overridden().map(rule_name).collect();
        println!("   overridden: {}; the reason is kept with it, and reading it is audited", overridden.join(", "));
        let asked = pb::ListSessionOverridesRequest { session_id: session.id };
        let why = self.coordinator.scheduling.list_session_overrides(asked).await?.into_inner().overrides;
        expect(why.iter().any(|it| it.reason == reason), "the reason is lost")
    }

    /// The counsellor who is a man.
    async fn man(&mut self) -> Result<String, Error> {
        let request = pb::ListCounsellorsRequest::default();
        let all = self.coordinator.directory.list_counsellors(request).await?.into_inner().counsellors;
        let man = all.into_iter().find(|it| it.gender() == pb::Gender::Male);
        Ok(man.ok_or_else(missing("man among the counsellors"))?.id)
    }

    /// Both are booked for one day and building, hours apart; then they turn out to belong together.
    pub(super) async fn link_late(&mut self, survivor: &pb::Client, offender: &pb::Client) -> Result<(), Error> {
        say::step(9, "The offender is booked, far enough from the second survivor.", "BookSession");
        let slots = self.search(offender, pb::CareService::Treatment).await?.slots;
        let theirs = self.try_book(offender, slots.first().ok_or_else(missing("time"))?, Vec::new()).await??;
        println!("{}", say::session(&theirs, &self.names)?);

        say::step(10, "Then it is declared that the two must not meet. Nothing is cancelled:", "DeclareNoContact");
        let request = pb::DeclareNoContactRequest {
            client_id: survivor.id.clone(),
            other_reference: offender.reference.clone(),
            ..Default::default()
        };
        let affected = self.coordinator.clients.declare_no_contact(request).await?.into_inner().affected_session_ids;
        expect(affected.len() == 2, "not both sessions are affected")?;
        for session in self.flagged().await? {
            let flags: Vec<_> = session.flags().map(rule_name).collect();
            println!("{}  needs rescheduling: {}", say::session(&session, &self.names)?, flags.join(", "));
        }

        say::step(11, "The coordinator moves one of them to another day; both are in order.", "RescheduleSession");
        let theirs = self.flagged().await?.into_iter().find(|it| it.id == theirs.id);
        let theirs = theirs.ok_or_else(missing("flagged session of the offender"))?;
        let slots = self.search(offender, pb::CareService::Treatment).await?.slots;
        let request = pb::RescheduleSessionRequest {
            session_id: theirs.id,
            etag: theirs.etag,
            reason: pb::CancelReason::Provider.into(),
            starts_at: slots.first().ok_or_else(missing("time on another day"))?.starts_at,
            ..Default::default()
        };
        let moved = self.coordinator.scheduling.reschedule_session(request).await?.into_inner().session;
        println!("{}", say::session(&moved.ok_or_else(missing("moved session"))?, &self.names)?);
        expect(self.flagged().await?.is_empty(), "something still needs rescheduling")
    }

    async fn flagged(&mut self) -> Result<Vec<pb::Session>, Error> {
        let request = pb::ListSessionsRequest { needs_rescheduling: true, ..Default::default() };
        Ok(self.coordinator.scheduling.list_sessions(request).await?.into_inner().sessions)
    }
}

pub(super) fn rule_name(rule: pb::BookingRule) -> &'static str {
    rule.as_str_name().trim_start_matches("BOOKING_RULE_")
}
