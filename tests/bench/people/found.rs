//! The founding of an organisation: one request, as an import would be.

use std::collections::BTreeMap;
use std::sync::Arc;

use aftercare::domain::agreement::{Agreement, AgreementStatus};
use aftercare::domain::client::{Case, CaseRole, Client, CrimeNumber, birth};
use aftercare::domain::code::{CareService, Modality, Side};
use aftercare::domain::consent::{Assent, Consent, ConsentGiver, ConsentPurpose};
use aftercare::domain::counsellor::{Counsellor, DEFAULT_TRAVEL, When, WorkingHours};
use aftercare::domain::directory::{
    DEFAULT_HORIZON, DEFAULT_NOTICE, DEFAULT_SEPARATION_GAP, HolidayCalendar, Organisation, OrganisationKind, Room,
    SideHours, Site, Venue,
};
use aftercare::domain::ids::{ClientId, HolidayCalendarId, Id, OrganisationId, RoomId, VenueId};
use aftercare::domain::noun::{Noun, Record};
use aftercare::domain::personal::Personal;
use aftercare::domain::text::{Code, Language};
use aftercare::domain::time::{Day, DayTime};
use aftercare::domain::treatment::MandateBasis;
use aftercare::usecase::client::ChangeParty;
use aftercare::usecase::noun::create;
use aftercare::usecase::treatment::{CreateTreatmentOrder, Drafted};
use aftercare::usecase::work::{Mutation, Work};
use aftercare::usecase::{Error, Result};
use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{AT_ONE_SITE, CLIENTS, FOUNDED, Known, Ordered, Seat, ZONE, district};
use crate::sessions::{holidays, hours};

/// How many sessions an order requires.
const REQUIRED: u32 = 200;

/// An organisation to be founded.
pub struct Found {
    /// Which: makes its codes unique.
    pub number: usize,
    /// Survivors' counsellors.
    pub counsellors: usize,
    /// The first day of every treatment order.
    pub ordered_on: NaiveDate,
}

/// Where a venue is, and its rooms.
struct Office {
    site: Record<Site>,
    venue_id: VenueId,
    rooms: Vec<RoomId>,
}

impl Mutation for Found {
    type Answer = (OrganisationId, Vec<Seat>);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let id = self.organisation(work).await?;
        let calendar = create(work, calendar(id)).await?.id;
        let mut offices = Vec::new();
        for number in 0..self.counsellors.div_ceil(AT_ONE_SITE) {
            offices.push(office(work, id, calendar, number).await?);
        }
        let mut seats = Vec::new();
        for number in 0..self.counsellors {
            let (office, room) = (&offices[number / AT_ONE_SITE], number % AT_ONE_SITE);
            seats.push(self.seat(work, id, Side::Survivor, number, (office, room)).await?);
        }
        for (number, office) in offices.iter().enumerate() {
            seats.push(self.seat(work, id, Side::Offender, number, (office, 0)).await?);
        }
        self.cases(work, id, &seats).await?;
        Ok((id, seats))
    }

    fn result_id(&self, answer: &Self::Answer) -> Uuid {
        answer.0.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        Err(Error::NotFound(Organisation::WORD))
    }
}

impl Found {
    async fn organisation(&self, work: &mut Work<'_>) -> Result<OrganisationId> {
        let organisation = Organisation {
            code: code(format!("NGO-{}", self.number)),
            name: format!("Example Trust {}", self.number),
            kind: OrganisationKind::Ngo,
            district: district(),
            notice_for: DEFAULT_NOTICE,
            horizon_for: DEFAULT_HORIZON,
        };
        let organisation_id = create(work, organisation).await?.id;
        let agreement = Agreement {
            organisation_id,
            code: code("MOU-1"),
            counterparty: "Example State Police".into(),
            services: CareService::ALL.to_vec(),
            districts: vec![district()],
            valid_from: FOUNDED,
            valid_until: None,
            status: AgreementStatus::Active,
        };
        create(work, agreement).await?;
        Ok(organisation_id)
    }

    /// Every offenders' counsellor has a client whose survivor comes to the next site, so that links are
    /// looked at and stand in nobody's way.
    async fn cases(&self, work: &mut Work<'_>, organisation_id: OrganisationId, seats: &[Seat]) -> Result<()> {
        let (survivors, offenders) = seats.split_at(self.counsellors);
        for (number, offender) in offenders.iter().enumerate().filter(|_| offenders.len() > 1) {
            let survivor = &survivors[(number + 1) % offenders.len() * AT_ONE_SITE];
            for pair in 0..CLIENTS {
                let case = Case {
                    organisation_id,
                    crime_number: CrimeNumber::parse(&format!("{}/2026", 1 + number * CLIENTS + pair)).unwrap(),
                    police_station: format!("Example Town {}", self.number),
                    district: district(),
                    parties: Vec::new(),
                };
                let case = create(work, case).await?;
                let parties = [(survivor, CaseRole::Survivor), (offender, CaseRole::Accused)];
                for (version, (seat, role)) in (case.version..).zip(parties) {
                    let client_id = seat.clients[pair].id;
                    ChangeParty { case_id: case.id, version, client_id, role: Some(role) }.run(work).await?;
                }
            }
        }
        Ok(())
    }

    async fn seat(
        &self,
        work: &mut Work<'_>,
        organisation_id: OrganisationId,
        side: Side,
        number: usize,
        (office, room): (&Office, usize),
    ) -> Result<Seat> {
        let counsellor = counsellor(organisation_id, side, number, office.venue_id);
        let counsellor = Arc::new(create(work, counsellor).await?);
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let client = client(organisation_id, work.world.reference(), side);
            let client = create(work, client).await?;
            let order = match side {
                Side::Survivor => create(work, consent(&client)).await.map(|_| None)?,
                Side::Offender => Some(self.order(work, client.id).await?),
            };
            clients.push(Known { id: client.id, reference: client.content.reference, order });
        }
        let (site, venue_id, room_id) = (office.site.clone(), office.venue_id, office.rooms[room]);
        Ok(Seat { organisation_id, counsellor, site, venue_id, room_id, clients })
    }

    /// A court's order of more sessions than anybody attends.
    async fn order(&self, work: &mut Work<'_>, client_id: ClientId) -> Result<Ordered> {
        let drafted = Drafted {
            jurisdiction: district(),
            mandate: MandateBasis::CourtOrder,
            document: "Example order 12/2026".into(),
            starts_on: self.ordered_on,
            ends_on: None,
            required: REQUIRED,
            zone: ZONE,
            holiday_calendar_id: None,
            policy: None,
        };
        let order = CreateTreatmentOrder { client_id, drafted }.run(work).await?.docket.order;
        Ok(Ordered { id: order.id, reference: order.reference })
    }
}

fn calendar(organisation_id: OrganisationId) -> HolidayCalendar {
    let name = |day: NaiveDate| (day, "National holiday".to_owned());
    let holidays: BTreeMap<_, _> = (2001..=2028).flat_map(holidays).map(name).collect();
    HolidayCalendar { organisation_id, code: code("NATIONAL"), name: "National holidays".into(), holidays }
}

/// A site with published hours for either side, a venue, and a room for each counsellor.
async fn office(
    work: &mut Work<'_>,
    organisation_id: OrganisationId,
    calendar: HolidayCalendarId,
    number: usize,
) -> Result<Office> {
    let published = |day: &Day| Side::ALL.iter().map(|side| (*side, *day)).collect::<Vec<_>>();
    let row = |(side, day)| SideHours { side, day, starts: at(hours(side).0), ends: at(hours(side).1) };
    let site = Site {
        organisation_id,
        code: code(format!("SITE-{number}")),
        name: format!("Example House {number}"),
        zone: ZONE,
        district: district(),
        separation_gap_for: DEFAULT_SEPARATION_GAP,
        holiday_calendar_id: Some(calendar),
        timetable: WEEKDAYS.iter().flat_map(published).map(row).collect(),
    };
    let site = create(work, site).await?;
    let (code_, name) = (code(format!("OFFICE-{number}")), format!("Example Office {number}"));
    let venue = Venue { organisation_id, code: code_, name, site_id: site.id, shared: false };
    let venue_id = create(work, venue).await?.id;
    let mut rooms = Vec::new();
    for room in 0..AT_ONE_SITE {
        let room = Room { venue_id, code: code(format!("R{room}")), name: format!("Room {room}"), capacity: None };
        rooms.push(create(work, room).await?.id);
    }
    Ok(Office { site, venue_id, rooms })
}

fn counsellor(organisation_id: OrganisationId, side: Side, number: usize, venue_id: VenueId) -> Counsellor {
    // One in ten also works on Saturdays: anywhere, and by telephone.
    let saturdays = side == Side::Survivor && number % 10 == 9;
    let hours_of = |day, venue_id, (starts, ends): (u32, u32)| WorkingHours {
        venue_id,
        when: When::Weekly(day),
        starts: at(starts),
        ends: at(ends),
        valid_from: None,
        valid_until: None,
        off: false,
    };
    let weekdays = WEEKDAYS.iter().map(|day| hours_of(*day, Some(venue_id), hours(side)));
    let saturday = saturdays.then(|| hours_of(Day::Saturday, None, (10, 13)));
    Counsellor {
        organisation_id,
        code: code(format!("{}-{number}", side.as_str())),
        name: Personal::new(format!("Counsellor Example-{number}")),
        side,
        gender: None,
        services: CareService::ALL.iter().copied().filter(|service| service.side() == Some(side)).collect(),
        modalities: if saturdays { Modality::ALL.to_vec() } else { vec![Modality::InPerson] },
        languages: vec![language("ml"), language("en")],
        zone: ZONE,
        buffer_before_for: TimeDelta::zero(),
        buffer_after_for: TimeDelta::minutes(15),
        travel_for: DEFAULT_TRAVEL,
        daily_limit: Some(8),
        weekly_limit: Some(40),
        verified_until: NaiveDate::from_ymd_opt(2099, 12, 31),
        registration: None,
        working_hours: weekdays.chain(saturday).collect(),
        inactive: false,
    }
}

fn client(organisation_id: OrganisationId, reference: aftercare::domain::reference::Reference, side: Side) -> Client {
    Client {
        organisation_id,
        reference,
        side,
        name: Personal::new("Person Example".into()),
        phone: Personal::new("555-0100".into()),
        address: Personal::new("1 Example Street".into()),
        born_on: birth(1970, 5, 6).unwrap(),
        spoken_languages: vec![language("ml")],
        reading_language: None,
        counsellor_gender: None,
        file_number: None,
        availability: Vec::new(),
        age_basis: None,
        preferred_modality: None,
        preferred_venue_id: None,
        erased_at: None,
    }
}

fn consent(client: &Record<Client>) -> Consent {
    Consent {
        client_id: client.id,
        purpose: ConsentPurpose::Care,
        given_by: ConsentGiver::Own,
        guardian_id: None,
        assent: Assent::None,
        language: language("ml"),
        text_version: code("CARE-1"),
        given_on: FOUNDED,
        valid_until: None,
        ended: None,
    }
}

const WEEKDAYS: [Day; 5] = [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday];

fn at(hour: u32) -> DayTime {
    DayTime::new(hour, 0).unwrap()
}

fn code(text: impl AsRef<str>) -> Code {
    Code::parse(text.as_ref()).unwrap()
}

fn language(tag: &str) -> Language {
    Language::parse(tag).unwrap()
}
