//! What is offered is what is accepted: for random calendars around clock changes, FindSlots
//! returns exactly the starts on its grid that BookSession then takes.

use std::collections::BTreeSet;

use aftercare::grpc::pb;
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::{Engine, Ngo, TestApp, book, date, minutes, time_of_day};

/// A zone and a day on which its clocks change; Kolkata's never do.
const DAYS: &[(&str, &str)] = &[
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("Europe/London", "2027-03-28"),
    ("Europe/London", "2027-10-31"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("Australia/Lord_Howe", "2027-10-03"),
    ("Asia/Kolkata", "2027-03-14"),
];

/// A calendar in minutes of the local day; days count from the day before the change.
#[derive(Clone, Debug)]
struct Calendar {
    hours: Vec<(u32, u32, u32, bool)>,
    leave: Vec<(i64, i64)>,
    holiday: bool,
    buffers: (i64, i64),
    booked: Vec<(i64, bool)>,
    rooms: bool,
    length: i64,
    step: i64,
    remote: bool,
}

fn calendars() -> impl Strategy<Value = Calendar> {
    // Half of the working hours begin in the night, where clocks change.
    let starts = prop_oneof![0u32..48, 0u32..270];
    let hours = (0u32..3, starts, 30u32..160, proptest::bool::weighted(0.3));
    let hours = hours.prop_map(|(day, start, length, here)| (day, start * 5, (start * 5 + length * 5).min(1440), here));
    (
        proptest::collection::vec(hours, 2..6),
        proptest::collection::vec((0i64..560, 3i64..30), 0..3),
        proptest::bool::weighted(0.2),
        (prop_oneof![Just(0i64), Just(10), Just(25)], prop_oneof![Just(0i64), Just(15)]),
        proptest::collection::vec((0i64..560, any::<bool>()), 0..4),
        any::<bool>(),
        prop_oneof![Just(10i64), Just(25), Just(50), Just(60), Just(90), Just(180)],
        prop_oneof![Just(10i64), Just(15), Just(20), Just(30), Just(60)],
        proptest::bool::weighted(0.3),
    )
        .prop_map(|(hours, leave, holiday, buffers, booked, rooms, length, step, remote)| Calendar {
            hours,
            leave,
            holiday,
            buffers,
            booked,
            rooms,
            length,
            step,
            remote,
        })
}

fn stamp(at: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 })
}

/// Offered and accepted starts for one calendar.
async fn compare(app: &TestApp, code: &str, zone: &str, day: &str, calendar: &Calendar) -> [BTreeSet<i64>; 2] {
    let tz: Tz = zone.parse().unwrap();
    let day: NaiveDate = day.parse().unwrap();
    let before = day.pred_opt().unwrap();
    let first = tz.from_local_datetime(&before.and_hms_opt(20, 0, 0).unwrap()).unwrap().to_utc();
    let window = (first, first + TimeDelta::hours(30));
    app.clock.set(first - TimeDelta::hours(10));
    let ngo = Ngo::in_zone(app, code, zone).await;
    let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, |it| set_hours(it, &ngo, before, calendar)).await;
    prepare(app, &ngo, &counsellor, first, day, calendar).await;
    let client = ngo.survivor().await;
    let modality = if calendar.remote { pb::Modality::Remote } else { pb::Modality::InPerson };

    let mut find = pb::FindSlotsRequest {
        client_id: client.id.clone(),
        service: pb::CareService::Counselling.into(),
        length: Some(minutes(calendar.length)),
        window_starts_at: stamp(window.0),
        window_ends_at: stamp(window.1),
        counsellor_id: counsellor.id.clone(),
        modality: modality.into(),
        step: Some(minutes(calendar.step)),
        page_size: 70,
        ..Default::default()
    };
    let mut offered = BTreeSet::new();
    loop {
        let page = ngo.coordinator.scheduling().find_slots(find.clone()).await.unwrap().into_inner();
        offered.extend(page.slots.iter().map(|slot| slot.starts_at.unwrap().seconds));
        if page.next_page_token.is_empty() {
            break;
        }
        find.page_token = page.next_page_token;
    }
    let mut accepted = BTreeSet::new();
    let mut at = window.0;
    while at < window.1 {
        // The grid, found by looking at every minute rather than by the code under test.
        if i64::from(at.with_timezone(&tz).minute()) % calendar.step == 0 {
            let request = pb::BookSessionRequest {
                client_id: client.id.clone(),
                counsellor_id: counsellor.id.clone(),
                service: pb::CareService::Counselling.into(),
                modality: modality.into(),
                venue_id: if calendar.remote { String::new() } else { ngo.venue.id.clone() },
                starts_at: stamp(at),
                length: Some(minutes(calendar.length)),
                ..Default::default()
            };
            if let Ok(session) = book(&ngo.coordinator, request).await {
                accepted.insert(at.timestamp());
                ngo.cancel(&session).await.unwrap();
            }
        }
        at += TimeDelta::minutes(1);
    }
    [offered, accepted]
}

fn set_hours(counsellor: &mut pb::Counsellor, ngo: &Ngo, before: NaiveDate, calendar: &Calendar) {
    use chrono::{Datelike, Days};
    let time = |minutes: u32| Some(time_of_day((minutes / 60) as i32, (minutes % 60) as i32));
    let hours = calendar.hours.iter().map(|(offset, starts, ends, here)| pb::WorkingHours {
        day: (before + Days::new(u64::from(*offset))).weekday().number_from_monday() as i32,
        starts: time(*starts),
        ends: time(*ends),
        venue_id: if *here { ngo.venue.id.clone() } else { String::new() },
        ..Default::default()
    });
    counsellor.working_hours = hours.collect();
    counsellor.buffer_before = Some(minutes(calendar.buffers.0));
    counsellor.buffer_after = Some(minutes(calendar.buffers.1));
}

/// Leave, a holiday, rooms, and what others have booked: the same counsellor, or the other side.
async fn prepare(
    app: &TestApp,
    ngo: &Ngo,
    counsellor: &pb::Counsellor,
    first: DateTime<Utc>,
    day: NaiveDate,
    calendar: &Calendar,
) {
    let at = |fives: i64| first + TimeDelta::minutes(fives * 5 - 480);
    for (from, length) in &calendar.leave {
        let leave = pb::Leave {
            counsellor_id: counsellor.id.clone(),
            starts_at: stamp(at(*from)),
            ends_at: stamp(at(from + length)),
            ..Default::default()
        };
        let request = pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() };
        ngo.coordinator.directory().create_leave(request).await.unwrap();
    }
    if calendar.holiday {
        let holiday = pb::Holiday { date: Some(date(&day.to_string())), name: "Example Day".into() };
        let holidays = pb::HolidayCalendar {
            organisation_id: ngo.id.clone(),
            code: "CAL".into(),
            name: "Example".into(),
            holidays: vec![holiday],
            ..Default::default()
        };
        let mut directory = app.admin().directory();
        let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(holidays), ..Default::default() };
        let made = directory.create_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap();
        let site = pb::Site { holiday_calendar_id: made.id, ..ngo.site.clone() };
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        directory.update_site(request).await.unwrap();
    }
    if calendar.rooms {
        ngo.room("R1").await;
    }
    let offenders = ngo.counsellor_with("O1", pb::Side::Offender, |it| {
        for hours in &mut it.working_hours {
            (hours.starts, hours.ends) = (Some(time_of_day(0, 0)), Some(time_of_day(24, 0)));
        }
    });
    let offenders = offenders.await;
    let (client, offender) = (ngo.survivor().await, ngo.offender().await);
    for (place, other_side) in &calendar.booked {
        let (who, whom, service) = if *other_side {
            (&offenders, &offender, pb::CareService::Treatment)
        } else {
            (counsellor, &client, pb::CareService::Counselling)
        };
        let request = pb::BookSessionRequest {
            client_id: whom.id.clone(),
            counsellor_id: who.id.clone(),
            service: service.into(),
            modality: pb::Modality::InPerson.into(),
            venue_id: ngo.venue.id.clone(),
            starts_at: stamp(at(*place)),
            length: Some(minutes(45)),
            ..Default::default()
        };
        // Whatever fits; a refusal here is as good a calendar.
        let _ = book(&ngo.coordinator, request).await;
    }
}

fn offered_is_accepted(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::start(engine));
    let mut total = 0;
    for (place, (zone, day)) in DAYS.iter().enumerate() {
        let seed = [u8::try_from(place).unwrap(); 32];
        let config = Config { cases: 6, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let count = std::cell::Cell::new(0);
        let offers = std::cell::Cell::new(0);
        let result = runner.run(&calendars(), |calendar| {
            count.set(count.get() + 1);
            let code = format!("N{place}-{}", count.get());
            let [offered, accepted] = runtime.block_on(compare(&app, &code, zone, day, &calendar));
            offers.set(offers.get() + offered.len());
            prop_assert_eq!(offered, accepted);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{zone} {day}: {error}"));
        total += offers.get();
    }
    assert!(total > 500, "only {total} slots were offered: the calendars are too empty to show anything");
}

#[test]
fn what_is_offered_is_accepted_on_sqlite() {
    offered_is_accepted(Engine::Sqlite);
}

#[test]
fn what_is_offered_is_accepted_on_postgres() {
    offered_is_accepted(Engine::Postgres);
}
