//! The same world in the service, with what must be sent back to change it.

use std::collections::BTreeMap;

use aftercare::grpc::pb;
use chrono::{DateTime, TimeDelta, Utc};

use super::cast::{CLIENTS, COUNSELLORS, DAY, Place};
use super::seen::rules;
use super::truth::{Codes, Guest, Told, Wanted};
use crate::support::{
    Actor, Ngo, TestApp, consent_of, date, minutes, own_consent, series::refused_occurrences, venue_at,
};

/// Two organisations and everything about them.
pub struct Stage {
    pub ngos: [Ngo; 2],
    pub admin: Actor,
    pub site: pb::Site,
    pub next: pb::Venue,
    pub rooms: [pb::Room; 2],
    pub calendar: pb::HolidayCalendar,
    pub agreements: [pb::Agreement; 2],
    pub clients: Vec<pb::Client>,
    pub counsellors: Vec<pb::Counsellor>,
    /// By child.
    pub guardians: BTreeMap<usize, pb::Guardian>,
    /// By crime and organisation.
    pub cases: [[pb::Case; 2]; 2],
    pub consents: BTreeMap<usize, pb::Consent>,
    pub conflicts: BTreeMap<(usize, usize), pb::Conflict>,
    pub no_contact: BTreeMap<(usize, usize), pb::NoContact>,
    pub leave: BTreeMap<(usize, i64), pb::Leave>,
}

/// Local midnight of the first day, a Monday.
fn first_day() -> DateTime<Utc> {
    "2026-11-22T18:30:00Z".parse().unwrap()
}

/// The instant of a minute.
pub fn instant(minute: i64) -> DateTime<Utc> {
    first_day() + TimeDelta::minutes(minute)
}

/// The instant of a minute, for the wire.
pub fn stamp(minute: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: instant(minute).timestamp(), nanos: 0 })
}

/// The minute of an instant from the wire.
pub fn minute(at: Option<&prost_types::Timestamp>) -> i64 {
    at.map_or(i64::MIN, |at| (at.seconds - first_day().timestamp()) / 60)
}

/// A local day.
pub fn local_date(day: i64) -> String {
    (instant(day * DAY) + TimeDelta::hours(12)).date_naive().to_string()
}

impl Stage {
    pub async fn set(app: &TestApp, code: &str) -> Self {
        let mut ngos = [Ngo::new(app, &format!("A{code}")).await, Ngo::new(app, &format!("B{code}")).await];
        let admin = app.admin();
        let rooms = [ngos[0].room("R1").await, ngos[0].room("R2").await];
        let shared = pb::Venue { shared: true, ..ngos[0].venue.clone() };
        let request = pb::UpdateVenueRequest { venue: Some(shared), ..Default::default() };
        ngos[0].venue = admin.directory().update_venue(request).await.unwrap().into_inner().venue.unwrap();
        let next = venue_at(app, &ngos[1].id, "NEXT", &ngos[0].site).await;
        let (site, calendar) = with_calendar(&admin, &ngos[0]).await;
        let agreements = [ngos[0].agreement(app).await, ngos[1].agreement(app).await];
        let mut stage = Self {
            admin,
            site,
            next,
            rooms,
            calendar,
            agreements,
            clients: Vec::new(),
            counsellors: Vec::new(),
            guardians: BTreeMap::new(),
            cases: [cases(&ngos, code, 1).await, cases(&ngos, code, 2).await],
            consents: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            no_contact: BTreeMap::new(),
            leave: BTreeMap::new(),
            ngos,
        };
        stage.people().await;
        stage
    }

    async fn people(&mut self) {
        for cast in &COUNSELLORS {
            let code = cast.name.to_uppercase();
            let made = self.ngos[cast.org].counsellor_with(&code, side(cast.survivor), |it| {
                it.services = cast.services.to_vec();
                it.gender = if cast.female { 1 } else { 2 };
                it.buffer_before = Some(minutes(cast.before));
                it.buffer_after = Some(minutes(cast.after));
                it.languages = cast.speaks.iter().map(|it| (*it).into()).collect();
                it.daily_limit = cast.daily_limit.map(|most| most as i32);
            });
            self.counsellors.push(made.await);
        }
        for (at, cast) in CLIENTS.iter().enumerate() {
            let ngo = &self.ngos[cast.org];
            let client = ngo.client_with(side(cast.survivor), |it| {
                it.spoken_languages = vec![cast.speaks.into()];
                it.born_on = cast.survivor.then(|| date(if cast.child { "2014-05-06" } else { "1990-05-06" }));
            });
            let client = client.await;
            if cast.child {
                self.guardians.insert(at, ngo.guardian(&client, pb::GuardianStanding::Safe).await);
            }
            self.clients.push(client);
            if cast.survivor {
                self.consent(at).await.unwrap();
            }
        }
    }

    /// Records a consent of a client, by whoever may give it.
    pub async fn consent(&mut self, client: usize) -> Result<(), tonic::Status> {
        let of = &self.clients[client];
        let guardian = self.guardians.get(&client);
        let given = guardian.map_or_else(|| own_consent(of), |guardian| consent_of(guardian, of));
        let consent = self.ngos[CLIENTS[client].org].consent(given).await?;
        self.consents.insert(client, consent);
        Ok(())
    }

    /// The coordinator of an organisation.
    pub fn of(&self, org: usize) -> &Actor {
        &self.ngos[org].coordinator
    }

    /// Venue and room of a place.
    pub fn place(&self, place: Place) -> (String, String) {
        let (host, away) = (self.ngos[0].venue.id.clone(), self.ngos[1].venue.id.clone());
        match place {
            Place::Remote => (String::new(), String::new()),
            Place::Host(0) => (host, String::new()),
            Place::Host(room) => (host, self.rooms[usize::from(room) - 1].id.clone()),
            Place::Next => (self.next.id.clone(), String::new()),
            Place::Away => (away, String::new()),
        }
    }

    /// Somebody who is to come.
    pub fn participant(&self, guest: &Guest) -> pb::WantedParticipant {
        let guardian = self.guardians.get(&guest.client).filter(|_| guest.guardian);
        pb::WantedParticipant {
            client_id: self.clients[guest.client].id.clone(),
            guardian_id: guardian.map(|it| it.id.clone()).unwrap_or_default(),
            interpreter: guest.interpreter,
            order_id: String::new(),
        }
    }

    /// Who is to meet in a group.
    pub fn group(&self, what: &Wanted) -> pb::WantedGroup {
        pb::WantedGroup {
            capacity: what.capacity as i32,
            participants: what.guests.iter().map(|it| self.participant(it)).collect(),
            co_facilitator_ids: what.beside.iter().map(|it| self.counsellors[*it].id.clone()).collect(),
        }
    }

    /// Which client has an id.
    pub fn client(&self, id: &str) -> Option<usize> {
        self.clients.iter().position(|it| it.id == id)
    }

    /// Which sessions of a series are refused, by number and start.
    pub fn refused_of_series(&self, status: &tonic::Status) -> Vec<(usize, i64, Codes)> {
        let all = refused_occurrences(status);
        all.iter().map(|it| (it.number as usize, minute(it.starts_at.as_ref()), rules(&it.rules))).collect()
    }

    /// What the violations of a refusal must be about, and of what kind.
    pub fn violations(&self, told: &Told) -> Vec<(String, String)> {
        let subject = |whom: &Option<usize>| match whom {
            None => "session".into(),
            Some(client) => format!("client/{}", self.clients[*client].id),
        };
        let mut all: Vec<_> = told.iter().map(|(whom, code)| (subject(whom), (*code).into())).collect();
        all.sort_unstable();
        all
    }

    fn counsellor(&self, id: &str) -> Option<usize> {
        self.counsellors.iter().position(|it| it.id == id)
    }

    fn guest(&self, client_id: &str, guardian_id: &str, interpreter: bool) -> Option<Guest> {
        let client = self.client(client_id)?;
        let guardian = self.guardians.get(&client).is_some_and(|it| it.id == guardian_id);
        (guardian || guardian_id.is_empty()).then_some(Guest { client, guardian, interpreter })
    }

    /// What a session is, as the model says it.
    pub fn read(&self, session: &pb::Session) -> Option<Wanted> {
        let places = [Place::Remote, Place::Host(0), Place::Host(1), Place::Host(2), Place::Next, Place::Away];
        let at = (session.venue_id.clone(), session.room_id.clone());
        let guest = |it: &pb::Participant| self.guest(&it.client_id, &it.guardian_id, it.interpreter);
        let (guests, beside) = match &session.group {
            Some(group) if session.client_id.is_empty() => {
                let beside: Option<_> = group.co_facilitator_ids.iter().map(|it| self.counsellor(it)).collect();
                (group.participants.iter().map(guest).collect::<Option<_>>()?, beside?)
            }
            Some(_) => return None,
            None => (vec![self.guest(&session.client_id, &session.guardian_id, session.interpreter)?], Vec::new()),
        };
        Some(Wanted {
            org: self.ngos.iter().position(|it| it.id == session.organisation_id)?,
            survivor: session.service <= 4,
            guests,
            capacity: session.group.as_ref().map_or(1, |group| group.capacity as usize),
            counsellor: self.counsellor(&session.counsellor_id)?,
            beside,
            service: session.service,
            place: places.into_iter().find(|place| self.place(*place) == at)?,
            starts: minute(session.starts_at.as_ref()),
            ends: minute(session.ends_at.as_ref()),
        })
    }
}

fn side(survivor: bool) -> pb::Side {
    if survivor { pb::Side::Survivor } else { pb::Side::Offender }
}

/// A calendar of holidays, far away as yet, by which the shared site closes.
async fn with_calendar(admin: &Actor, host: &Ngo) -> (pb::Site, pb::HolidayCalendar) {
    let calendar = pb::HolidayCalendar {
        organisation_id: host.id.clone(),
        code: "CAL".into(),
        name: "Example".into(),
        ..Default::default()
    };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let made = admin.directory().create_holiday_calendar(request).await.unwrap().into_inner();
    let calendar = made.holiday_calendar.unwrap();
    let site = pb::Site { holiday_calendar_id: calendar.id.clone(), ..host.site.clone() };
    let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
    let site = admin.directory().update_site(request).await.unwrap().into_inner().site.unwrap();
    (site, calendar)
}

/// The records that both organisations keep of one crime.
async fn cases(ngos: &[Ngo; 2], code: &str, number: usize) -> [pb::Case; 2] {
    let case = pb::Case {
        crime_number: format!("{number}/2026"),
        police_station: format!("Example {code}"),
        district: "KL-TVM".into(),
        ..Default::default()
    };
    let mut made = Vec::new();
    for ngo in ngos {
        let request = pb::CreateCaseRequest { case: Some(case.clone()), ..Default::default() };
        made.push(ngo.coordinator.clients().create_case(request).await.unwrap().into_inner().case.unwrap());
    }
    made.try_into().unwrap()
}
