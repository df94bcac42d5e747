//! An organisation that can book: everything a session needs, and words to make more of it.

use aftercare::domain::access::Authority;
use aftercare::domain::ids::{CounsellorId, OrganisationId};
use aftercare::grpc::pb;
use aftercare::grpc::pb::google::r#type::{Date, TimeOfDay};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use tonic::Status;

use super::actor::Actor;
use super::app::TestApp;
use super::plant::MARK;

const SURVIVOR_SERVICES: [i32; 4] = [1, 2, 3, 4];
const OFFENDER_SERVICES: [i32; 2] = [5, 6];

/// An organisation with an agreement, a site and a venue.
pub struct Ngo {
    pub id: String,
    pub code: String,
    pub coordinator: Actor,
    pub site: pb::Site,
    pub venue: pb::Venue,
}

impl Ngo {
    /// An organisation in Asia/Kolkata, district KL-TVM.
    pub async fn new(app: &TestApp, code: &str) -> Self {
        Self::in_zone(app, code, "Asia/Kolkata").await
    }

    pub async fn in_zone(app: &TestApp, code: &str, zone: &str) -> Self {
        let mut directory = app.admin().directory();
        let organisation = pb::Organisation {
            code: code.into(),
            name: format!("Example Trust {code}"),
            kind: pb::OrganisationKind::Ngo.into(),
            district: "KL-TVM".into(),
            // Tests book for the next minute and for the year after; those of these rules say otherwise.
            notice: Some(minutes(0)),
            horizon: Some(minutes(730 * 24 * 60)),
            ..Default::default()
        };
        let request = pb::CreateOrganisationRequest { organisation: Some(organisation), ..Default::default() };
        let id = directory.create_organisation(request).await.unwrap().into_inner().organisation.unwrap().id;
        let agreement = pb::Agreement {
            organisation_id: id.clone(),
            code: "MOU-1".into(),
            counterparty: "Example State Police".into(),
            services: [&SURVIVOR_SERVICES[..], &OFFENDER_SERVICES].concat(),
            districts: vec!["KL-TVM".into()],
            valid_from: Some(date("2020-01-01")),
            status: pb::AgreementStatus::Active.into(),
            ..Default::default()
        };
        let request = pb::CreateAgreementRequest { agreement: Some(agreement), ..Default::default() };
        directory.create_agreement(request).await.unwrap();
        let site = site_at(app, &id, "SITE-1", zone).await;
        let venue = venue_at(app, &id, "VENUE-1", &site).await;
        let coordinator = coordinator(app, &id, code);
        Self { id, code: code.into(), coordinator, site, venue }
    }

    /// Gives the coordinator a fresh token, after a day has passed.
    pub fn sign_in(&mut self, app: &TestApp) {
        self.coordinator = coordinator(app, &self.id, &self.code);
    }

    /// Notice and horizon as organisations have them that state none.
    /// The same, with a coordinator who has a fresh token.
    pub fn signed_in(mut self, app: &TestApp) -> Self {
        self.sign_in(app);
        self
    }

    pub async fn with_default_policy(self, app: &TestApp) -> Self {
        let mut directory = app.admin().directory();
        let request = pb::GetOrganisationRequest { organisation_id: self.id.clone() };
        let mut organisation = directory.get_organisation(request).await.unwrap().into_inner().organisation.unwrap();
        (organisation.notice, organisation.horizon) = (None, None);
        let request = pb::UpdateOrganisationRequest { organisation: Some(organisation), ..Default::default() };
        directory.update_organisation(request).await.unwrap();
        self
    }

    /// A venue at another site.
    pub async fn second_site(&self, app: &TestApp) -> pb::Venue {
        let site = site_at(app, &self.id, "SITE-2", &self.site.zone).await;
        venue_at(app, &self.id, "VENUE-2", &site).await
    }

    pub async fn agreement(&self, app: &TestApp) -> pb::Agreement {
        let request = pb::ListAgreementsRequest { organisation_id: self.id.clone(), ..Default::default() };
        app.admin().directory().list_agreements(request).await.unwrap().into_inner().agreements.remove(0)
    }

    pub async fn room(&self, code: &str) -> pb::Room {
        self.room_at(&self.venue, code).await
    }

    pub async fn room_at(&self, venue: &pb::Venue, code: &str) -> pb::Room {
        let room = pb::Room {
            venue_id: venue.id.clone(),
            code: code.into(),
            name: format!("Room {code}"),
            ..Default::default()
        };
        let request = pb::CreateRoomRequest { room: Some(room), ..Default::default() };
        self.coordinator.directory().create_room(request).await.unwrap().into_inner().room.unwrap()
    }

    /// A counsellor who works every day from 09:30 to 17:30, here and remotely.
    pub async fn counsellor(&self, code: &str, side: pb::Side) -> pb::Counsellor {
        self.counsellor_with(code, side, |_| {}).await
    }

    pub async fn counsellor_with(
        &self,
        code: &str,
        side: pb::Side,
        adjust: impl FnOnce(&mut pb::Counsellor),
    ) -> pb::Counsellor {
        let services = match side {
            pb::Side::Offender => OFFENDER_SERVICES.to_vec(),
            _ => SURVIVOR_SERVICES.to_vec(),
        };
        let every_day = (1..=7).map(|day| pb::WorkingHours {
            day,
            starts: Some(time_of_day(9, 30)),
            ends: Some(time_of_day(17, 30)),
            ..Default::default()
        });
        let mut counsellor = pb::Counsellor {
            organisation_id: self.id.clone(),
            code: code.into(),
            name: format!("Counsellor {MARK}-{code}"),
            side: side.into(),
            services,
            modalities: vec![1, 2],
            languages: vec!["ml".into(), "en".into()],
            zone: self.site.zone.clone(),
            working_hours: every_day.collect(),
            verified_until: Some(date("2099-12-31")),
            ..Default::default()
        };
        adjust(&mut counsellor);
        let request = pb::CreateCounsellorRequest { counsellor: Some(counsellor), ..Default::default() };
        self.coordinator.directory().create_counsellor(request).await.unwrap().into_inner().counsellor.unwrap()
    }

    pub async fn client_with(&self, side: pb::Side, adjust: impl FnOnce(&mut pb::Client)) -> pb::Client {
        let mut client = pb::Client {
            side: side.into(),
            name: format!("Person {MARK}"),
            spoken_languages: vec!["ml".into()],
            ..Default::default()
        };
        adjust(&mut client);
        let request = pb::CreateClientRequest { client: Some(client), ..Default::default() };
        self.coordinator.clients().create_client(request).await.unwrap().into_inner().client.unwrap()
    }

    /// An adult who consented to care.
    pub async fn survivor(&self) -> pb::Client {
        self.survivor_with(|_| {}).await
    }

    pub async fn survivor_with(&self, adjust: impl FnOnce(&mut pb::Client)) -> pb::Client {
        let born_on = |client: &mut pb::Client| client.born_on = Some(date("1990-05-06"));
        let adult = |client: &mut pb::Client| {
            born_on(client);
            adjust(client);
        };
        let client = self.client_with(pb::Side::Survivor, adult).await;
        self.consent(own_consent(&client)).await.unwrap();
        client
    }

    /// A survivor born on a day, without any consent.
    pub async fn child(&self, born_on: &str) -> pb::Client {
        self.client_with(pb::Side::Survivor, |client| client.born_on = Some(date(born_on))).await
    }

    pub async fn offender(&self) -> pb::Client {
        self.client_with(pb::Side::Offender, |_| {}).await
    }

    pub async fn guardian(&self, client: &pb::Client, standing: pb::GuardianStanding) -> pb::Guardian {
        let guardian = pb::Guardian {
            client_id: client.id.clone(),
            name: format!("Guardian {MARK}"),
            phone: "555-0100".into(),
            relation: "mother".into(),
            standing: standing.into(),
            ..Default::default()
        };
        let request = pb::CreateGuardianRequest { guardian: Some(guardian), ..Default::default() };
        self.coordinator.clients().create_guardian(request).await.unwrap().into_inner().guardian.unwrap()
    }

    pub async fn consent(&self, consent: pb::Consent) -> Result<pb::Consent, Status> {
        let request = pb::RecordConsentRequest { consent: Some(consent), ..Default::default() };
        Ok(self.coordinator.clients().record_consent(request).await?.into_inner().consent.unwrap())
    }

    /// This organisation's record of a case, with a party.
    pub async fn party_of(&self, crime_number: &str, station: &str, client: &pb::Client) -> pb::Case {
        let role = if client.side == i32::from(pb::Side::Survivor) { 1 } else { 2 };
        let case = pb::Case {
            crime_number: crime_number.into(),
            police_station: station.into(),
            district: "KL-TVM".into(),
            ..Default::default()
        };
        let request = pb::CreateCaseRequest { case: Some(case), ..Default::default() };
        let case = self.coordinator.clients().create_case(request).await.unwrap().into_inner().case.unwrap();
        self.add_party(&case, client, role).await
    }

    pub async fn add_party(&self, case: &pb::Case, client: &pb::Client, role: i32) -> pb::Case {
        let request = pb::AddCasePartyRequest {
            case_id: case.id.clone(),
            etag: case.etag.clone(),
            party: Some(pb::CaseParty { client_id: client.id.clone(), role }),
            ..Default::default()
        };
        self.coordinator.clients().add_case_party(request).await.unwrap().into_inner().case.unwrap()
    }

    pub async fn leave(&self, counsellor: &pb::Counsellor, from: &str, until: &str) -> pb::Leave {
        let leave = pb::Leave {
            counsellor_id: counsellor.id.clone(),
            starts_at: at(from),
            ends_at: at(until),
            ..Default::default()
        };
        let request = pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() };
        self.coordinator.directory().create_leave(request).await.unwrap().into_inner().leave.unwrap()
    }

    pub async fn session(&self, id: &str) -> pb::Session {
        let request = pb::GetSessionRequest { session_id: id.into() };
        self.coordinator.scheduling().get_session(request).await.unwrap().into_inner().session.unwrap()
    }

    pub async fn cancel(&self, session: &pb::Session) -> Result<pb::Session, Status> {
        let request = pb::CancelSessionRequest {
            session_id: session.id.clone(),
            etag: session.etag.clone(),
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        Ok(self.coordinator.scheduling().cancel_session(request).await?.into_inner().session.unwrap())
    }

    /// Somebody else who coordinates here.
    pub fn another_coordinator(&self, app: &TestApp) -> Actor {
        let organisation_id: OrganisationId = self.id.parse().unwrap();
        app.actor(Authority::Coordinator { organisation_id })
    }

    /// Somebody who counsels here.
    pub fn as_counsellor(&self, app: &TestApp, counsellor: &pb::Counsellor) -> Actor {
        let organisation_id: OrganisationId = self.id.parse().unwrap();
        let counsellor_id: CounsellorId = counsellor.id.parse().unwrap();
        app.actor(Authority::Counsellor { organisation_id, counsellor_id })
    }
}

fn coordinator(app: &TestApp, id: &str, code: &str) -> Actor {
    let organisation_id: OrganisationId = id.parse().unwrap();
    let authority = Authority::Coordinator { organisation_id };
    app.bearer(app.token(&format!("coordinator@{code}"), authority, app.now(), chrono::TimeDelta::hours(24)))
}

/// A client's own consent to care, as it is sent.
pub fn own_consent(client: &pb::Client) -> pb::Consent {
    pb::Consent {
        client_id: client.id.clone(),
        purpose: pb::ConsentPurpose::Care.into(),
        given_by: pb::ConsentGiver::Own.into(),
        language: "ml".into(),
        text_version: "CARE-1".into(),
        given_on: Some(date("2026-01-02")),
        ..Default::default()
    }
}

/// A guardian's consent to the care of a child, who agreed to it in writing.
pub fn consent_of(guardian: &pb::Guardian, client: &pb::Client) -> pb::Consent {
    pb::Consent {
        given_by: pb::ConsentGiver::Guardian.into(),
        guardian_id: guardian.id.clone(),
        assent: pb::Assent::Written.into(),
        ..own_consent(client)
    }
}

async fn site_at(app: &TestApp, organisation_id: &str, code: &str, zone: &str) -> pb::Site {
    let site = pb::Site {
        organisation_id: organisation_id.into(),
        code: code.into(),
        name: format!("Example House {code}"),
        zone: zone.into(),
        district: "KL-TVM".into(),
        ..Default::default()
    };
    let request = pb::CreateSiteRequest { site: Some(site), ..Default::default() };
    app.admin().directory().create_site(request).await.unwrap().into_inner().site.unwrap()
}

pub async fn venue_at(app: &TestApp, organisation_id: &str, code: &str, site: &pb::Site) -> pb::Venue {
    let venue = pb::Venue {
        organisation_id: organisation_id.into(),
        code: code.into(),
        name: format!("Example Office {code}"),
        site_id: site.id.clone(),
        ..Default::default()
    };
    let request = pb::CreateVenueRequest { venue: Some(venue), ..Default::default() };
    app.admin().directory().create_venue(request).await.unwrap().into_inner().venue.unwrap()
}

/// One hour in person at the organisation's venue: counselling or treatment, by the client's side.
pub fn booking(ngo: &Ngo, counsellor: &pb::Counsellor, client: &pb::Client, start: &str) -> pb::BookSessionRequest {
    let service = if client.side == i32::from(pb::Side::Survivor) {
        pb::CareService::Counselling
    } else {
        pb::CareService::Treatment
    };
    pb::BookSessionRequest {
        client_id: client.id.clone(),
        counsellor_id: counsellor.id.clone(),
        service: service.into(),
        modality: pb::Modality::InPerson.into(),
        venue_id: ngo.venue.id.clone(),
        starts_at: at(start),
        length: Some(minutes(60)),
        ..Default::default()
    }
}

pub async fn book(actor: &Actor, request: pb::BookSessionRequest) -> Result<pb::Session, Status> {
    Ok(actor.scheduling().book_session(request).await?.into_inner().session.unwrap())
}

pub fn at(text: &str) -> Option<prost_types::Timestamp> {
    let at: DateTime<Utc> = text.parse().unwrap();
    Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 })
}

pub fn minutes(count: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: count * 60, nanos: 0 }
}

pub fn date(text: &str) -> Date {
    let date: NaiveDate = text.parse().unwrap();
    Date { year: date.year(), month: date.month() as i32, day: date.day() as i32 }
}

pub fn time_of_day(hours: i32, minutes: i32) -> TimeOfDay {
    TimeOfDay { hours, minutes, ..Default::default() }
}

/// The booking of a group instead of one client.
pub fn group_of(capacity: i32, clients: &[pb::Client], one: pb::BookSessionRequest) -> pb::BookSessionRequest {
    let participant =
        |client: &pb::Client| pb::WantedParticipant { client_id: client.id.clone(), ..Default::default() };
    let participants = clients.iter().map(participant).collect();
    let group = pb::WantedGroup { capacity, participants, co_facilitator_ids: Vec::new() };
    pb::BookSessionRequest { client_id: String::new(), group: Some(group), ..one }
}

/// Somebody who is to join a group.
pub fn joining(session: &pb::Session, client: &pb::Client) -> pb::AddParticipantRequest {
    let participant = pb::WantedParticipant { client_id: client.id.clone(), ..Default::default() };
    pb::AddParticipantRequest { session_id: session.id.clone(), participant: Some(participant), ..Default::default() }
}

pub async fn join(actor: &Actor, request: pb::AddParticipantRequest) -> Result<pb::Session, Status> {
    Ok(actor.scheduling().add_participant(request).await?.into_inner().session.unwrap())
}

/// Somebody who is not to be at a group.
pub fn leaving(session: &pb::Session, client: &pb::Client) -> pb::RemoveParticipantRequest {
    pb::RemoveParticipantRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        client_id: client.id.clone(),
        reason: pb::CancelReason::Client.into(),
        ..Default::default()
    }
}

pub async fn remove(actor: &Actor, request: pb::RemoveParticipantRequest) -> Result<pb::Session, Status> {
    Ok(actor.scheduling().remove_participant(request).await?.into_inner().session.unwrap())
}
