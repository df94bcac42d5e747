//! When counsellors work: every week, by rule, once; and when they do not.

use aftercare::grpc::pb;
use prost_types::Timestamp;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Ngo, Refused, TestApp, date, minutes, refused, time_of_day};

/// A row from 09:00 to 17:00.
fn hours(adjust: impl FnOnce(&mut pb::WorkingHours)) -> pb::WorkingHours {
    let (starts, ends) = (Some(time_of_day(9, 0)), Some(time_of_day(17, 0)));
    let mut hours = pb::WorkingHours { starts, ends, ..Default::default() };
    adjust(&mut hours);
    hours
}

fn weekly(day: i32) -> pb::WorkingHours {
    hours(|it| it.day = day)
}

fn rule(text: &str, from: &str) -> pb::WorkingHours {
    hours(|it| (it.recurrence, it.valid_from) = (text.into(), Some(date(from))))
}

fn once(day: &str) -> pb::WorkingHours {
    hours(|it| it.on_date = Some(date(day)))
}

/// All of its days.
fn off(hours: pb::WorkingHours) -> pb::WorkingHours {
    pb::WorkingHours { off: true, starts: None, ends: None, ..hours }
}

/// The starts of the sessions of some hours that are free within 62 days, at the zone of the organisation.
async fn free(app: &TestApp, ngo: &Ngo, counsellor: &pb::Counsellor, length: i64) -> Vec<String> {
    let client = ngo.survivor().await;
    let request = pb::FindSlotsRequest {
        client_id: client.id,
        counsellor_id: counsellor.id.clone(),
        service: pb::CareService::Counselling.into(),
        modality: pb::Modality::Remote.into(),
        length: Some(minutes(length)),
        step: Some(minutes(60)),
        window_starts_at: Some(Timestamp { seconds: app.now().timestamp(), nanos: 0 }),
        window_ends_at: Some(Timestamp { seconds: app.now().timestamp() + 62 * 24 * 60 * 60, nanos: 0 }),
        page_size: 500,
        ..Default::default()
    };
    let slots = ngo.coordinator.scheduling().find_slots(request).await.unwrap().into_inner().slots;
    slots.into_iter().map(|slot| slot.local_start[..16].replace('T', " ")).collect()
}

/// The days on which a counsellor with these hours works from 09:00 to 17:00.
async fn days(app: &TestApp, ngo: &Ngo, code: &str, rows: Vec<pb::WorkingHours>) -> Vec<String> {
    let counsellor = ngo.counsellor_with(code, pb::Side::Survivor, |it| it.working_hours = rows).await;
    let free = free(app, ngo, &counsellor, 8 * 60).await;
    free.iter().map(|start| start.strip_suffix(" 09:00").unwrap().to_owned()).collect()
}

async fn create(ngo: &Ngo, rows: Vec<pb::WorkingHours>) -> Result<pb::Counsellor, Status> {
    let like = ngo.counsellor_with("LIKE", pb::Side::Survivor, |_| {}).await;
    let counsellor = pb::Counsellor { code: "C1".into(), working_hours: rows, ..like };
    let request = pb::CreateCounsellorRequest { counsellor: Some(counsellor), ..Default::default() };
    Ok(ngo.coordinator.directory().create_counsellor(request).await?.into_inner().counsellor.unwrap())
}

on_both_engines! {
    async fn the_second_saturday_is_off(app) {
        let ngo = Ngo::new(&app, "A").await;
        let second = off(rule("FREQ=MONTHLY;BYDAY=2SA", "2020-01-01"));
        let saturdays = days(&app, &ngo, "C1", vec![weekly(6), second]).await;
        let expected = ["2026-11-28", "2026-12-05", "2026-12-19", "2026-12-26", "2027-01-02", "2027-01-16", "2027-01-23"];
        assert_eq!(saturdays, expected);
    }

    async fn every_other_week_counts_from_its_first_day(app) {
        let ngo = Ngo::new(&app, "A").await;
        let every_other = |from| rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", from);
        let even = days(&app, &ngo, "C1", vec![every_other("2026-11-24")]).await;
        assert_eq!(even, ["2026-11-24", "2026-12-08", "2026-12-22", "2027-01-05", "2027-01-19"]);
        // Almost seven years before, and by one week apart.
        let odd = pb::WorkingHours { valid_until: Some(date("2027-01-11")), ..every_other("2020-01-07") };
        assert_eq!(days(&app, &ngo, "C2", vec![odd]).await, ["2026-12-01", "2026-12-15", "2026-12-29"]);
    }

    async fn one_day_more_and_one_day_less(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut rows = vec![pb::WorkingHours { valid_until: Some(date("2026-12-14")), ..weekly(1) }];
        rows.push(once("2026-12-06"));
        rows.push(off(once("2026-12-07")));
        assert_eq!(days(&app, &ngo, "C1", rows.clone()).await, ["2026-11-30", "2026-12-06", "2026-12-14"]);
        // An hour less.
        rows[2] = pb::WorkingHours { starts: Some(time_of_day(12, 0)), ends: Some(time_of_day(13, 0)), ..rows[2].clone() };
        rows[0].valid_from = Some(date("2026-12-01"));
        rows.remove(1);
        let counsellor = ngo.counsellor_with("C2", pb::Side::Survivor, |it| it.working_hours = rows.clone()).await;
        assert_eq!(counsellor.working_hours, rows);
        let free = free(&app, &ngo, &counsellor, 180).await;
        let seventh = ["2026-12-07 09:00", "2026-12-07 13:00", "2026-12-07 14:00"];
        assert_eq!(free.iter().filter(|it| it.starts_with("2026-12-07")).collect::<Vec<_>>(), seventh.each_ref());
    }

    async fn hours_keep_their_local_time_through_a_clock_change(app) {
        app.clock.set("2027-03-20T12:00:00Z".parse().unwrap());
        let ngo = Ngo::in_zone(&app, "A", "Europe/London").await;
        let weekdays = rule("FREQ=WEEKLY;BYDAY=SA,SU,MO", "2026-01-01");
        let days = days(&app, &ngo, "C1", vec![weekdays]).await;
        // Summer time begins on the 28th.
        assert_eq!(days[..6], ["2027-03-21", "2027-03-22", "2027-03-27", "2027-03-28", "2027-03-29", "2027-04-03"]);
    }

    async fn what_was_said_is_read_again(app) {
        let ngo = Ngo::new(&app, "A").await;
        let rows = vec![weekly(1), rule("FREQ=MONTHLY;BYDAY=2SA", "2026-01-01"), once("2026-12-25"), off(once("2026-12-24"))];
        let made = create(&ngo, rows.clone()).await.unwrap();
        let whole = pb::WorkingHours { starts: Some(time_of_day(0, 0)), ends: Some(time_of_day(24, 0)), ..rows[3].clone() };
        assert_eq!(made.working_hours, [rows[0].clone(), rows[1].clone(), rows[2].clone(), whole]);
        let request = pb::GetCounsellorRequest { counsellor_id: made.id.clone() };
        let read = ngo.coordinator.directory().get_counsellor(request).await.unwrap().into_inner().counsellor.unwrap();
        assert_eq!(read, made);
        let request = pb::UpdateCounsellorRequest { counsellor: Some(read), ..Default::default() };
        let after = ngo.coordinator.directory().update_counsellor(request).await.unwrap().into_inner();
        assert_eq!(after.counsellor.unwrap().working_hours, made.working_hours);
    }

    async fn every_wrong_row_is_named(app) {
        let ngo = Ngo::new(&app, "A").await;
        let rows = vec![
            hours(|_| {}),
            pb::WorkingHours { day: 1, ..once("2026-12-25") },
            pb::WorkingHours { day: 1, ..rule("FREQ=DAILY", "2026-01-01") },
            pb::WorkingHours { valid_from: None, ..rule("FREQ=HOURLY", "2026-01-01") },
            rule("FREQ=DAILY;COUNT=3", "2026-01-01"),
            rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-01"),
            rule("FREQ=WEEKLY;BYDAY=\u{20ac}", "2026-01-01"),
            pb::WorkingHours { valid_until: Some(date("2026-12-31")), ..once("2026-12-25") },
            pb::WorkingHours { on_date: Some(date("1899-12-25")), ..once("2026-12-25") },
            pb::WorkingHours { off: true, starts: None, ends: Some(time_of_day(0, 0)), ..weekly(1) },
            pb::WorkingHours { starts: None, ..weekly(1) },
        ];
        let Refused { code, items, .. } = refused(&create(&ngo, rows).await.unwrap_err());
        assert_eq!(code, Code::InvalidArgument);
        let fields = ["[0].day", "[1].on_date", "[2].recurrence", "[3].recurrence", "[3].valid_from", "[4].recurrence",
            "[5].recurrence", "[6].recurrence", "[7].valid_until", "[8].on_date", "[9].ends", "[10].starts"];
        let fields: Vec<_> = fields.iter().map(|field| format!("counsellor.working_hours{field}")).collect();
        assert_eq!(items, fields);
    }
}
