//! What a search for free times looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aftercare::domain::agreement::{Agreement, AgreementStatus};
use aftercare::domain::code::{CareService, Modality, Side};
use aftercare::domain::counsellor::{Counsellor, DEFAULT_TRAVEL};
use aftercare::domain::directory::{DEFAULT_HORIZON, DEFAULT_NOTICE, DEFAULT_SEPARATION_GAP, Site, Venue};
use aftercare::domain::ids::{ClientId, CounsellorId, OrganisationId, RoomId, SiteId, VenueId};
use aftercare::domain::noun::{Noun, Record};
use aftercare::domain::personal::Personal;
use aftercare::domain::rules::{ClientFacts, CounsellorFacts, Facts, Policy, RoomFacts, SiteFacts, VenueFacts};
use aftercare::domain::text::{Code, Language};
use aftercare::domain::time::{DayTime, Span, Spans, monday_of};
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Asia::Kolkata;

use super::{COUNSELLORS, DAYS, Result, id};

/// Twenty counsellors at one site, who work six hours a day and have three sessions in them.
pub fn facts(now: DateTime<Utc>) -> Result<Facts> {
    let days: Vec<_> = (0..=DAYS).map(|day| now.date_naive() + Days::new(day)).collect();
    let hours = |from: u32, to: u32| -> Spans {
        let span = |day: &NaiveDate| Span::local(*day, DayTime::new(from, 0)?, DayTime::new(to, 0)?, Kolkata);
        days.iter().filter(|day| day.weekday().number_from_monday() < 6).filter_map(span).collect()
    };
    let busy = || [9, 11, 13].into_iter().flat_map(|at| hours(at, at + 1).joined().to_vec()).collect::<Spans>();
    let (organisation_id, venue_id, site_id) = (id(1), id::<VenueId>(1), id::<SiteId>(1));
    let mut counsellors = BTreeMap::new();
    for number in 0..COUNSELLORS {
        let facts = CounsellorFacts {
            counsellor: record(id(number + 1), now, counsellor(organisation_id, number)?),
            busy: busy(),
            leave: Spans::default(),
            sessions_on: days.iter().map(|day| (*day, 3)).collect(),
            sessions_in_week: days.iter().map(|day| (monday_of(*day), 15)).collect(),
            elsewhere: BTreeMap::new(),
            working: BTreeMap::from([(Some(venue_id), Arc::new(hours(9, 15)))]),
        };
        counsellors.insert(id::<CounsellorId>(number + 1), facts);
    }
    let room = |number| RoomFacts {
        id: id::<RoomId>(number + 1),
        capacity: None,
        busy: busy(),
        busy_elsewhere: Spans::default(),
    };
    let (code, name) = (Code::parse("OFFICE")?, "Example Office".to_owned());
    let venue = Venue { organisation_id, code, name, site_id, shared: false };
    let site = Site {
        organisation_id,
        code: Code::parse("SITE")?,
        name: "Example House".into(),
        zone: Kolkata,
        district: Code::parse("KL-TVM")?,
        separation_gap_for: DEFAULT_SEPARATION_GAP,
        holiday_calendar_id: None,
        timetable: Vec::new(),
    };
    let site = SiteFacts {
        site: record(site_id, now, site),
        closed: hours(23, 23),
        side_hours: Some(hours(9, 15)),
        other_side: hours(17, 20),
        linked: Spans::default(),
    };
    let rooms = (0..COUNSELLORS).map(room).collect();
    Ok(Facts {
        now,
        within: days.first().zip(days.last()).and_then(|(first, last)| Span::new(midnight(*first), midnight(*last))),
        policy: Policy { notice_for: DEFAULT_NOTICE, horizon_for: DEFAULT_HORIZON },
        side: Side::Survivor,
        clients: BTreeMap::from([(id(1), client(&days)?)]),
        apart: Vec::new(),
        agreements: vec![agreement(organisation_id)?],
        counsellors,
        venues: BTreeMap::from([(venue_id, VenueFacts { venue: record(venue_id, now, venue), rooms })]),
        sites: BTreeMap::from([(site_id, site)]),
    })
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    DayTime::MIDNIGHT.on(day).and_utc()
}

fn record<N: Noun>(id: N::Id, at: DateTime<Utc>, content: N) -> Arc<Record<N>> {
    Arc::new(Record::new(id, at, content))
}

fn agreement(organisation_id: OrganisationId) -> Result<Agreement> {
    Ok(Agreement {
        organisation_id,
        code: Code::parse("MOU-1")?,
        counterparty: "Example State Police".into(),
        services: CareService::ALL.to_vec(),
        districts: vec![Code::parse("KL-TVM")?],
        valid_from: NaiveDate::MIN,
        valid_until: None,
        status: AgreementStatus::Active,
    })
}

fn client(days: &[NaiveDate]) -> Result<ClientFacts> {
    Ok(ClientFacts {
        id: id::<ClientId>(1),
        side: Side::Survivor,
        seen_by: BTreeSet::new(),
        conflicts: BTreeSet::new(),
        busy: Spans::default(),
        spoken_languages: vec![Language::parse("ml")?],
        counsellor_gender: None,
        adult_from: NaiveDate::from_ymd_opt(1988, 5, 6),
        safe_guardians: BTreeSet::new(),
        consented_on: days.iter().copied().collect(),
        available: None,
        proceedings: BTreeSet::new(),
        open_orders: BTreeMap::new(),
        preferred_modality: None,
        preferred_venue_id: None,
    })
}

fn counsellor(organisation_id: OrganisationId, number: u128) -> Result<Counsellor> {
    Ok(Counsellor {
        organisation_id,
        code: Code::parse(&format!("C-{number}"))?,
        name: Personal::new(format!("Counsellor Example-{number}")),
        side: Side::Survivor,
        gender: None,
        services: vec![CareService::Counselling],
        modalities: vec![Modality::InPerson],
        languages: vec![Language::parse("ml")?],
        zone: Kolkata,
        buffer_before_for: TimeDelta::zero(),
        buffer_after_for: TimeDelta::minutes(15),
        travel_for: DEFAULT_TRAVEL,
        daily_limit: Some(8),
        weekly_limit: Some(40),
        verified_until: NaiveDate::from_ymd_opt(2099, 12, 31),
        registration: None,
        working_hours: Vec::new(),
        inactive: false,
    })
}
