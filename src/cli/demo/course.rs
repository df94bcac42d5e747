//! Courses: a series that holidays do not shorten, a group, and somebody who waits for a place.

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Weekday};
use tonic::Code;

use super::Error;
use super::decide::rule_name;
use super::say;
use super::walk::{Walk, date, duration, expect, missing};
use super::wire::Refusal;
use crate::grpc::pb;
use crate::grpc::pb::google::r#type::TimeOfDay;

/// Whose course it is, with whom and where.
const COUNSELLOR: &str = "C-01";
const WING: &str = "GARDEN";
/// Who leads the group, and where.
const THERAPIST: &str = "C-03";
const GROUPS_WING: &str = "ROAD";

impl Walk {
    /// Twelve weeks have at least two second Saturdays, which are holidays.
    pub(super) async fn book_series(&mut self, client: &pb::Client) -> Result<pb::Series, Error> {
        say::step(12, "Twelve Saturdays for the first survivor. What falls on a holiday moves:", "BookSeries");
        let request = pb::BookSeriesRequest {
            client_id: client.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: duration(TimeDelta::hours(1)),
            time: Some(TimeOfDay { hours: 11, ..Default::default() }),
            rule: "FREQ=WEEKLY;BYDAY=SA;COUNT=12".into(),
            ..self.course(COUNSELLOR, WING, Weekday::Sat).await?
        };
        let series = self.coordinator.scheduling.book_series(request).await?.into_inner().series;
        let series = series.ok_or_else(missing("series"))?;
        expect(series.occurrences.len() == 12, "there are not twelve sessions")?;
        let shifted: Vec<_> =
            series.occurrences.iter().filter(|it| it.outcome() == pb::OccurrenceOutcome::Shifted).collect();
        expect(!shifted.is_empty(), "no session was moved")?;
        for (says, it) in [("the first", series.occurrences.first()), ("the last", series.occurrences.last())] {
            let session = it.and_then(|it| it.session.as_ref()).ok_or_else(missing("session of the series"))?;
            println!("{}  {says}", say::session(session, &self.names)?);
        }
        for it in shifted {
            let planned = say::local(&it.planned_local_start)?.format("%a %d %b");
            let session = it.session.as_ref().ok_or_else(missing("session that was moved"))?;
            let rules: Vec<_> = it.rules().map(rule_name).collect();
            println!("{}  instead of {planned}: {}", say::session(session, &self.names)?, rules.join(", "));
        }
        Ok(series)
    }

    /// Four places, and a fifth who asks for one.
    pub(super) async fn book_group(&mut self) -> Result<(), Error> {
        say::step(13, "Six Tuesdays for a group of four offenders; it is one booking.", "BookSeries");
        let mut people = Vec::new();
        for name in ["Ten", "Eleven", "Twelve", "Thirteen", "Fourteen"] {
            people.push(self.create_client(&format!("Person Example-{name}"), pb::Side::Offender, |_| {}).await?);
        }
        let last = people.pop().ok_or_else(missing("fifth offender"))?;
        let place = |client: &pb::Client| pb::WantedParticipant { client_id: client.id.clone(), ..Default::default() };
        let group = pb::WantedGroup {
            capacity: 4,
            participants: people.iter().map(place).collect(),
            co_facilitator_ids: Vec::new(),
        };
        let request = pb::BookSeriesRequest {
            group: Some(group),
            service: pb::CareService::Treatment.into(),
            length: duration(TimeDelta::minutes(90)),
            time: Some(TimeOfDay { hours: 15, ..Default::default() }),
            rule: "FREQ=WEEKLY;BYDAY=TU;COUNT=6".into(),
            ..self.course(THERAPIST, GROUPS_WING, Weekday::Tue).await?
        };
        let series = self.coordinator.scheduling.book_series(request).await?.into_inner().series;
        let sessions = series.into_iter().flat_map(|it| it.occurrences).filter_map(|it| it.session);
        let first = sessions.into_iter().next().ok_or_else(missing("session of the group"))?;
        println!("{}  and five more", say::session(&first, &self.names)?);

        say::step(14, "A fifth asks to join the rest of it. Refused:", "AddParticipant");
        let request = pb::AddParticipantRequest {
            session_id: first.id,
            participant: Some(place(&last)),
            rest_of_series: true,
            ..Default::default()
        };
        let refused = self.coordinator.scheduling.add_participant(request).await;
        let refusal = Refusal::of(&refused.err().ok_or_else(missing("refusal"))?)?;
        expect(refusal.code == Code::FailedPrecondition, "the refusal is of another kind")?;
        let full = refusal.broken.iter().filter(|(code, _)| code == "GROUP_FULL");
        let (_, says) = full.clone().next().ok_or_else(missing("full group"))?;
        println!("   GROUP_FULL: {says}, in each of {} sessions", full.count());
        Ok(())
    }

    /// A session is cancelled, and its time is held for whoever has waited the longest.
    pub(super) async fn offer_what_is_freed(&mut self, series: &pb::Series) -> Result<(), Error> {
        say::step(15, "A survivor waits; a session of the series is cancelled.", "JoinWaitlist, CancelSession");
        let client = self.create_client("Person Example-Fifteen", pb::Side::Survivor, |_| {}).await?;
        self.consent(&client).await?;
        let request = pb::JoinWaitlistRequest {
            client_id: client.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: duration(TimeDelta::hours(1)),
            ..Default::default()
        };
        self.coordinator.scheduling.join_waitlist(request).await?;
        let session =
            series.occurrences.last().and_then(|it| it.session.clone()).ok_or_else(missing("last session"))?;
        let request = pb::CancelSessionRequest {
            session_id: session.id,
            etag: session.etag,
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        self.coordinator.scheduling.cancel_session(request).await?;

        say::step(16, "A job holds its time for who waits. A person accepts:", "ListOffers, AnswerOffer");
        let offer = self.offer().await?;
        let request =
            pb::AnswerOfferRequest { offer_id: offer.id, answer: pb::OfferAnswer::Accept.into(), ..Default::default() };
        let booked = self.coordinator.scheduling.answer_offer(request).await?.into_inner().session;
        let booked = booked.ok_or_else(missing("session of who waited"))?;
        expect(booked.client_id == client.id, "somebody else has it")?;
        println!("{}", say::session(&booked, &self.names)?);
        Ok(())
    }

    /// The offer that a job makes in a moment.
    async fn offer(&mut self) -> Result<pb::WaitlistOffer, Error> {
        for _ in 0..200 {
            let open = self.coordinator.scheduling.list_offers(pb::ListOffersRequest::default()).await?.into_inner();
            if let Some(offer) = open.offers.into_iter().next().and_then(|it| it.offer) {
                return Ok(offer);
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Err(missing("offer")())
    }

    /// What both courses have in common. They begin after everything else that the demo books, so that
    /// nothing but holidays is in their way.
    async fn course(&mut self, counsellor: &str, venue: &str, day: Weekday) -> Result<pb::BookSeriesRequest, Error> {
        let directory = &mut self.coordinator.directory;
        let counsellors = directory.list_counsellors(pb::ListCounsellorsRequest::default()).await?.into_inner();
        let venues = directory.list_venues(pb::ListVenuesRequest::default()).await?.into_inner();
        let counsellor = counsellors.counsellors.into_iter().find(|it| it.code == counsellor);
        let venue = venues.venues.into_iter().find(|it| it.code == venue);
        Ok(pb::BookSeriesRequest {
            counsellor_id: counsellor.ok_or_else(missing("counsellor"))?.id,
            modality: pb::Modality::InPerson.into(),
            venue_id: venue.ok_or_else(missing("venue"))?.id,
            first_date: date(first(self.today, day).ok_or_else(missing("first day"))?),
            mode: pb::SeriesMode::AllOrNothing.into(),
            on_closure: pb::OnClosure::NextFree.into(),
            shift_within_days: 6,
            ..Default::default()
        })
    }
}

/// The first such day of the week from sixteen days ahead on.
fn first(today: NaiveDate, weekday: Weekday) -> Option<NaiveDate> {
    today.checked_add_days(Days::new(16))?.iter_days().find(|day| day.weekday() == weekday)
}
