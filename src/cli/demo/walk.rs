//! The main job, once: people, free times, a booking, two refusals, a cancellation, what a person
//! decides, courses, an order of which police may know, and a survivor's follow-up. Each step checks what it was told,
//! and the first that was told something else ends the demo.

use std::net::SocketAddr;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use prost_types::{Duration, Timestamp};
use tonic::{Code, Status};

use super::Error;
use super::cast::Cast;
use super::say::{self, Names};
use super::wire::{Caller, Refusal};
use super::{followup, order};
use crate::domain::access::Role;
use crate::domain::time::{Span, local_day};
use crate::grpc::pb;
use crate::grpc::pb::google::r#type::Date;
use crate::usecase::World;

/// Where and when the demo plays.
const ZONE: chrono_tz::Tz = chrono_tz::Asia::Kolkata;
const DAYS: TimeDelta = TimeDelta::days(14);
const LENGTH: TimeDelta = TimeDelta::minutes(60);
/// The separation gap of the example's sites.
const GAP: TimeDelta = TimeDelta::minutes(120);

/// Ends the demo unless something is as it should be.
pub(super) fn expect(so: bool, says: &str) -> Result<(), Error> {
    if so { Ok(()) } else { Err(format!("the demo did not go as told: {says}").into()) }
}

pub(super) fn missing(what: &str) -> impl FnOnce() -> Error {
    let says = format!("the demo did not go as told: no {what}");
    move || says.into()
}

/// The coordinator in Thiruvananthapuram, and what the coordinator works with.
pub(super) struct Walk {
    pub(super) coordinator: Caller,
    pub(super) names: Names,
    pub(super) today: NaiveDate,
    /// The window in which free times are looked for: from tomorrow on.
    window: Span,
}

/// Walks once; returns the id of a client with whom one can go on.
pub(super) async fn run(world: &World, cast: &Cast, address: SocketAddr) -> Result<String, Error> {
    let coordinator = Caller::connect(address, cast.token(Role::Coordinator)).await?;
    let today = local_day(world.now(), ZONE);
    let mut walk = Walk { coordinator, names: Names::new(), today, window: window(today)? };
    walk.learn_names().await?;
    let (one, two, offender) = walk.register().await?;
    let free = walk.find(&one).await?;
    let session = walk.book(&one, &free).await?;
    walk.book_again(&two, &free).await?;
    walk.book_too_close(&offender, &session).await?;
    walk.cancel(&session, &two, &free).await?;
    walk.explain_and_override(&one).await?;
    walk.link_late(&two, &offender).await?;
    let series = walk.book_series(&one).await?;
    walk.book_group().await?;
    walk.offer_what_is_freed(&series).await?;
    let orders = walk.order(&offender).await?;
    let session = walk.walk_in(&offender, &orders[0], world.now()).await?;
    order::record(cast, address, &offender, &session).await?;
    order::police(cast, address, orders).await?;
    let enrolled = walk.enrol(cast, &one).await?;
    followup::assess(cast, address, &one, &enrolled).await?;
    walk.overdue(&one).await?;
    Ok(two.id)
}

fn window(today: NaiveDate) -> Result<Span, Error> {
    let tomorrow = today.succ_opt().and_then(|day| Span::of_day(day, ZONE));
    let from = tomorrow.ok_or_else(missing("tomorrow"))?.starts_at();
    Span::lasting(from, DAYS).ok_or_else(missing("two weeks from tomorrow"))
}

impl Walk {
    async fn learn_names(&mut self) -> Result<(), Error> {
        let directory = &mut self.coordinator.directory;
        let counsellors = directory.list_counsellors(pb::ListCounsellorsRequest::default()).await?.into_inner();
        let venues = directory.list_venues(pb::ListVenuesRequest::default()).await?.into_inner();
        let rooms = directory.list_rooms(pb::ListRoomsRequest::default()).await?.into_inner();
        self.names.extend(counsellors.counsellors.into_iter().map(|it| (it.id, it.name)));
        self.names.extend(venues.venues.into_iter().map(|it| (it.id, it.name)));
        self.names.extend(rooms.rooms.into_iter().map(|it| (it.id, it.name)));
        Ok(())
    }

    async fn register(&mut self) -> Result<(pb::Client, pb::Client, pb::Client), Error> {
        say::step(1, "The coordinator registers two survivors, who consent, and an offender.", "CreateClient");
        let one = self.create_client("Person Example-One", pb::Side::Survivor, |_| {}).await?;
        let two = self.create_client("Person Example-Two", pb::Side::Survivor, |_| {}).await?;
        self.consent(&one).await?;
        self.consent(&two).await?;
        let offender = self.create_client("Person Example-Three", pb::Side::Offender, |_| {}).await?;
        println!(
            "   {}, {} and {}: a reference never tells the side",
            one.reference, two.reference, offender.reference
        );
        Ok((one, two, offender))
    }

    pub(super) async fn create_client(
        &mut self,
        name: &str,
        side: pb::Side,
        adjust: impl FnOnce(&mut pb::Client),
    ) -> Result<pb::Client, Error> {
        let mut client = pb::Client {
            name: name.into(),
            side: side.into(),
            born_on: Some(Date { year: 1990, month: 0, day: 0 }),
            spoken_languages: vec!["ml".into(), "en".into()],
            ..Default::default()
        };
        adjust(&mut client);
        let request = pb::CreateClientRequest { client: Some(client), ..Default::default() };
        let created = self.coordinator.clients.create_client(request).await?.into_inner();
        created.client.ok_or_else(missing("client"))
    }

    /// Nobody who was harmed is counselled without consent.
    pub(super) async fn consent(&mut self, client: &pb::Client) -> Result<(), Error> {
        let consent = pb::Consent {
            client_id: client.id.clone(),
            purpose: pb::ConsentPurpose::Care.into(),
            given_by: pb::ConsentGiver::Own.into(),
            language: "en".into(),
            text_version: "CARE-1".into(),
            given_on: date(self.today),
            ..Default::default()
        };
        let request = pb::RecordConsentRequest { consent: Some(consent), ..Default::default() };
        self.coordinator.clients.record_consent(request).await?;
        Ok(())
    }

    async fn find(&mut self, survivor: &pb::Client) -> Result<pb::Slot, Error> {
        say::step(2, "An hour of counselling for the first, from tomorrow on. Free are:", "FindSlots");
        let slots = self.slots(survivor, pb::CareService::Counselling).await?;
        for slot in slots.iter().take(5) {
            println!("{}", say::slot(slot, &self.names)?);
        }
        slots.into_iter().next().ok_or_else(missing("free time"))
    }

    async fn slots(&mut self, client: &pb::Client, service: pb::CareService) -> Result<Vec<pb::Slot>, Error> {
        Ok(self.search(client, service).await?.slots)
    }

    pub(super) async fn search(
        &mut self,
        client: &pb::Client,
        service: pb::CareService,
    ) -> Result<pb::FindSlotsResponse, Error> {
        let request = pb::FindSlotsRequest {
            client_id: client.id.clone(),
            service: service.into(),
            length: duration(LENGTH),
            window_starts_at: timestamp(self.window.starts_at()),
            window_ends_at: timestamp(self.window.ends_at()),
            modality: pb::Modality::InPerson.into(),
            step: duration(TimeDelta::hours(1)),
            page_size: 100,
            ..Default::default()
        };
        Ok(self.coordinator.scheduling.find_slots(request).await?.into_inner())
    }

    async fn book(&mut self, survivor: &pb::Client, free: &pb::Slot) -> Result<pb::Session, Error> {
        say::step(3, "The first of them is booked.", "BookSession");
        let session = self.try_book(survivor, free, Vec::new()).await??;
        println!("{}", say::session(&session, &self.names)?);
        Ok(session)
    }

    /// The outer error ends the demo, the inner one is an answer of the service.
    pub(super) async fn try_book(
        &mut self,
        client: &pb::Client,
        slot: &pb::Slot,
        overrides: Vec<pb::RuleOverride>,
    ) -> Result<Result<pb::Session, Status>, Error> {
        let service = match pb::Side::try_from(client.side) {
            Ok(pb::Side::Offender) => pb::CareService::Treatment,
            _ => pb::CareService::Counselling,
        };
        let request = pb::BookSessionRequest {
            client_id: client.id.clone(),
            counsellor_id: slot.counsellor_id.clone(),
            service: service.into(),
            modality: slot.modality,
            venue_id: slot.venue_id.clone(),
            starts_at: slot.starts_at,
            length: slot.length,
            overrides,
            ..Default::default()
        };
        match self.coordinator.scheduling.book_session(request).await {
            Ok(booked) => Ok(Ok(booked.into_inner().session.ok_or_else(missing("session"))?)),
            Err(status) => Ok(Err(status)),
        }
    }

    async fn refusal(&mut self, client: &pb::Client, slot: &pb::Slot) -> Result<Refusal, Error> {
        let refused = self.try_book(client, slot, Vec::new()).await?.err().ok_or_else(missing("refusal"))?;
        let refusal = Refusal::of(&refused)?;
        expect(refusal.code == Code::FailedPrecondition, "the refusal is of another kind")?;
        println!("   {} {}:", code_name(refusal.code), refusal.reason);
        for (code, says) in &refusal.broken {
            println!("   {code}: {says}");
        }
        Ok(refusal)
    }

    async fn book_again(&mut self, other: &pb::Client, taken: &pb::Slot) -> Result<(), Error> {
        say::step(4, "The second survivor asks for the same hour and counsellor. Refused:", "BookSession");
        let refusal = self.refusal(other, taken).await?;
        expect(refusal.broken.iter().any(|(code, _)| code == "COUNSELLOR_BUSY"), "the counsellor is not busy")?;
        expect(!refusal.alternatives.is_empty(), "there are no alternatives")?;
        println!("   Free instead, from the details of the refusal:");
        for slot in &refusal.alternatives {
            println!("{}", say::slot(slot, &self.names)?);
        }
        Ok(())
    }

    /// An hour between the end of the one side and the start of the other is too little.
    async fn book_too_close(&mut self, offender: &pb::Client, near: &pb::Session) -> Result<(), Error> {
        say::step(5, "The offender asks for the same building, an hour later. Refused:", "BookSession");
        let ends_at = near.ends_at.as_ref().map_or(0, |at| at.seconds);
        let free = self.slots(offender, pb::CareService::Treatment).await?;
        let apart = free.first().ok_or_else(missing("free time for the offender"))?;
        let starts_at = Timestamp { seconds: ends_at + (GAP / 2).num_seconds(), nanos: 0 };
        let close = pb::Slot { starts_at: Some(starts_at), ..apart.clone() };
        let refusal = self.refusal(offender, &close).await?;
        expect(refusal.broken.iter().all(|(code, _)| code == "SLOT_NOT_AVAILABLE"), "the refusal tells too much")?;
        let earliest = apart.starts_at.as_ref().map_or(0, |at| at.seconds);
        expect(earliest >= ends_at + GAP.num_seconds(), "a time too close to the survivor is offered")?;
        println!(
            "   It does not say why. FindSlots offers nothing within {} minutes either; first is:",
            GAP.num_minutes()
        );
        println!("{}", say::slot(apart, &self.names)?);
        Ok(())
    }

    async fn cancel(&mut self, session: &pb::Session, next: &pb::Client, freed: &pb::Slot) -> Result<(), Error> {
        say::step(6, "The first survivor cancels, and the hour is free again.", "CancelSession");
        let request = pb::CancelSessionRequest {
            session_id: session.id.clone(),
            etag: session.etag.clone(),
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        let cancelled = self.coordinator.scheduling.cancel_session(request).await?.into_inner().session;
        let cancelled = cancelled.ok_or_else(missing("cancelled session"))?;
        expect(cancelled.state() == pb::SessionState::Cancelled, "the session is not cancelled")?;
        let same =
            |slot: &&pb::Slot| (&slot.counsellor_id, &slot.starts_at) == (&freed.counsellor_id, &freed.starts_at);
        let slots = self.slots(next, pb::CareService::Counselling).await?;
        let found = slots.iter().find(same).ok_or_else(missing("freed hour among the slots"))?;
        println!("{}", say::slot(found, &self.names)?);
        let session = self.try_book(next, found, Vec::new()).await??;
        println!("   The second survivor takes it: session {}", session.id);
        Ok(())
    }
}

/// Ends the demo unless a call was refused in this way.
pub(super) fn deny(refused: Option<Status>, code: Code) -> Result<(), Error> {
    let refusal = Refusal::of(&refused.ok_or_else(missing("refusal"))?)?;
    expect(refusal.code == code, "the refusal is of another kind")?;
    println!("   {} {}, and the audit trail has it", code_name(refusal.code), refusal.reason);
    Ok(())
}

/// A code as the protocol spells it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::NotFound => "NOT_FOUND",
        Code::PermissionDenied => "PERMISSION_DENIED",
        code => code.description(),
    }
}

pub(super) fn timestamp(at: DateTime<Utc>) -> Option<Timestamp> {
    Some(Timestamp { seconds: at.timestamp(), nanos: 0 })
}

pub(super) fn date(day: NaiveDate) -> Option<Date> {
    let (month, of_month) = (i32::try_from(day.month()).ok()?, i32::try_from(day.day()).ok()?);
    Some(Date { year: day.year(), month, day: of_month })
}

pub(super) fn duration(length: TimeDelta) -> Option<Duration> {
    Some(Duration { seconds: length.num_seconds(), nanos: 0 })
}
