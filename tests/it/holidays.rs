//! Holiday calendars: every version is kept, and a change writes what it changes.

use aftercare::grpc::pb;
use aftercare::store::Db;
use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Ngo, TestApp, date, refused};

fn calendar(ngo: &Ngo, days: &[(&str, &str)]) -> pb::HolidayCalendar {
    let holiday = |(on, name): &(&str, &str)| pb::Holiday { date: Some(date(on)), name: (*name).into() };
    pb::HolidayCalendar {
        organisation_id: ngo.id.clone(),
        code: "H".into(),
        name: "Example holidays".into(),
        holidays: days.iter().map(holiday).collect(),
        ..Default::default()
    }
}

async fn create(ngo: &Ngo, days: &[(&str, &str)]) -> pb::HolidayCalendar {
    let holiday_calendar = Some(calendar(ngo, days));
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar, ..Default::default() };
    ngo.coordinator.directory().create_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap()
}

async fn update(ngo: &Ngo, of: &pb::HolidayCalendar, days: &[(&str, &str)]) -> pb::HolidayCalendar {
    let (id, etag) = (of.id.clone(), of.etag.clone());
    let holiday_calendar = Some(pb::HolidayCalendar { id, etag, ..calendar(ngo, days) });
    let request = pb::UpdateHolidayCalendarRequest { holiday_calendar, ..Default::default() };
    ngo.coordinator.directory().update_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap()
}

async fn get(
    ngo: &Ngo,
    of: &pb::HolidayCalendar,
    etag: &str,
    as_of: Option<DateTime<Utc>>,
) -> Result<pb::HolidayCalendar, Status> {
    let as_of = as_of.map(|at| Timestamp { seconds: at.timestamp(), nanos: 0 });
    let request = pb::GetHolidayCalendarRequest { holiday_calendar_id: of.id.clone(), etag: etag.into(), as_of };
    Ok(ngo.coordinator.directory().get_holiday_calendar(request).await?.into_inner().holiday_calendar.unwrap())
}

/// Every stored day, with the versions between which it stands.
async fn rows(app: &TestApp) -> Vec<(String, i64, Option<i64>)> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    tx.sql("SELECT name, since_version, until_version FROM holiday ORDER BY on_date, since_version")
        .all()
        .await
        .unwrap()
}

const NEW_YEAR: (&str, &str) = ("2027-01-01", "New Year");
const REPUBLIC: (&str, &str) = ("2027-01-26", "Republic Day");
const MAY: (&str, &str) = ("2027-05-01", "May Day");

on_both_engines! {
    async fn a_change_of_one_day_writes_one_row(app) {
        let ngo = Ngo::new(&app, "A").await;
        let row = |(_, name): (&str, &str), since, until| (name.to_owned(), since, until);
        let it = create(&ngo, &[NEW_YEAR, REPUBLIC]).await;
        assert_eq!(rows(&app).await, [row(NEW_YEAR, 1, None), row(REPUBLIC, 1, None)]);
        let it = update(&ngo, &it, &[NEW_YEAR, REPUBLIC, MAY]).await;
        let with_may = [row(NEW_YEAR, 1, None), row(REPUBLIC, 1, None), row(MAY, 2, None)];
        assert_eq!(rows(&app).await, with_may);
        let it = update(&ngo, &it, &[REPUBLIC, MAY]).await;
        assert_eq!(rows(&app).await, [row(NEW_YEAR, 1, Some(3)), row(REPUBLIC, 1, None), row(MAY, 2, None)]);
        let it = update(&ngo, &it, &[("2027-01-01", "Once More"), REPUBLIC, MAY]).await;
        assert_eq!(it.etag, "4");
        assert_eq!(rows(&app).await[..2], [row(NEW_YEAR, 1, Some(3)), row(("", "Once More"), 4, None)]);
        assert_eq!(rows(&app).await.len(), 4);
    }

    async fn what_a_calendar_said_can_be_read(app) {
        let ngo = Ngo::new(&app, "A").await;
        let began = app.now();
        let one = create(&ngo, &[NEW_YEAR, REPUBLIC]).await;
        app.clock.advance(TimeDelta::hours(1));
        let two = update(&ngo, &one, &[NEW_YEAR, ("2027-01-26", "Another Name")]).await;
        app.clock.advance(TimeDelta::hours(1));
        let three = update(&ngo, &two, &[MAY]).await;
        assert_eq!(get(&ngo, &one, "", None).await.unwrap(), three);
        for (at, expected) in [(0, &one), (59, &one), (60, &two), (119, &two), (120, &three), (9_999, &three)] {
            let at = began + TimeDelta::minutes(at);
            assert_eq!(&get(&ngo, &one, "", Some(at)).await.unwrap(), expected, "{at}");
        }
        for expected in [&one, &two, &three] {
            assert_eq!(&get(&ngo, &one, &expected.etag, None).await.unwrap(), expected);
        }
        // There was none, or there may be none for this caller.
        let before = began - TimeDelta::minutes(1);
        for (etag, as_of) in [("4", None), ("0", None), ("", Some(before))] {
            assert_eq!(get(&ngo, &one, etag, as_of).await.unwrap_err().code(), Code::NotFound);
        }
        let other = Ngo::new(&app, "B").await;
        assert_eq!(get(&other, &one, "1", None).await.unwrap_err().code(), Code::NotFound);
        for (etag, as_of, field) in [("x", None, "etag"), ("1", Some(began), "as_of")] {
            assert_eq!(refused(&get(&ngo, &one, etag, as_of).await.unwrap_err()).items, [field]);
        }
        // An old version cannot be written over the present one.
        let request = pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(one), ..Default::default() };
        let stale = ngo.coordinator.directory().update_holiday_calendar(request).await.unwrap_err();
        assert_eq!(refused(&stale).reason, "ETAG_MISMATCH");
    }

    async fn a_list_leaves_the_days_out_and_cannot_be_written_back(app) {
        let ngo = Ngo::new(&app, "A").await;
        let made = create(&ngo, &[NEW_YEAR, REPUBLIC]).await;
        let request = pb::ListHolidayCalendarsRequest { organisation_id: ngo.id.clone(), ..Default::default() };
        let mut directory = ngo.coordinator.directory();
        let listed = directory.list_holiday_calendars(request).await.unwrap().into_inner().holiday_calendars.remove(0);
        let expected = pb::HolidayCalendar { holidays: Vec::new(), etag: String::new(), ..made.clone() };
        assert_eq!(listed, expected);
        let request = pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(listed), ..Default::default() };
        let refusal = refused(&directory.update_holiday_calendar(request).await.unwrap_err());
        assert_eq!(refusal.items, ["holiday_calendar.etag"]);
        assert_eq!(get(&ngo, &made, "", None).await.unwrap(), made);
    }
}
