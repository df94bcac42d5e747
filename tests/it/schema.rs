//! The schema alone holds: whatever goes past the service, neither engine takes a row that breaks
//! an invariant.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aftercare::grpc::pb;
use aftercare::store::codec::Instant;
use aftercare::store::{Db, Error, Target, Tx};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::{Engine, Ngo, TestApp, TestDb, book, booking};

const TEN: &str = "2026-11-24T04:30:00Z";

/// Two sessions, of either side, a week apart; and the database, past the service.
async fn two_sessions(app: &TestApp) -> (Db, pb::Session, pb::Session, Ngo) {
    let ngo = Ngo::new(app, "A").await;
    let survivors = ngo.counsellor("C1", pb::Side::Survivor).await;
    let offenders = ngo.counsellor("O1", pb::Side::Offender).await;
    let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
    let case = ngo.party_of("12/2026", "Example Nagar", &offender).await;
    ngo.add_party(&case, &survivor, 1).await;
    let one = book(&ngo.coordinator, booking(&ngo, &survivors, &survivor, TEN)).await.unwrap();
    let week = "2026-12-01T04:30:00Z";
    let other = book(&ngo.coordinator, booking(&ngo, &offenders, &offender, week)).await.unwrap();
    (Db::open(&app.db.target, 2).await.unwrap(), one, other, ngo)
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn occupy(tx: &mut Tx, session: &pb::Session, resource: &str, from: &str, until: &str) -> Result<u64, Error> {
    tx.sql(
        "INSERT INTO occupancy (session_id, resource_id, kind, organisation_id, side, starts_at, ends_at)
         VALUES ($1, $2, 'ROOM', $3, 'OFFENDER', $4, $5)",
    )
    .bind(uuid(&session.id))
    .bind(uuid(resource))
    .bind(uuid(&session.organisation_id))
    .bind(Instant(at(from)))
    .bind(Instant(at(until)))
    .run()
    .await
}

fn is_conflict<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Conflict))
}

on_both_engines! {
    async fn nobody_is_in_two_places_at_once(app) {
        let (db, one, other, _) = two_sessions(&app).await;
        let busy = &one.counsellor_id;
        for (from, until) in [
            ("2026-11-24T04:30:00Z", "2026-11-24T05:30:00Z"),
            ("2026-11-24T05:29:59Z", "2026-11-24T06:00:00Z"),
            ("2026-11-24T03:00:00Z", "2026-11-24T04:30:01Z"),
            ("2026-11-24T04:45:00Z", "2026-11-24T05:00:00Z"),
            ("2026-11-24T00:00:00Z", "2026-11-24T23:00:00Z"),
        ] {
            let mut tx = db.begin_write().await.unwrap();
            assert!(is_conflict(occupy(&mut tx, &other, busy, from, until).await), "{from} {until}");
        }
        // Intervals are half-open: what touches does not overlap.
        let mut tx = db.begin_write().await.unwrap();
        let free = "0193a5e0-0000-7000-8000-000000000009";
        occupy(&mut tx, &one, free, "2026-11-24T05:30:00Z", "2026-11-24T06:00:00Z").await.unwrap();
        occupy(&mut tx, &other, free, "2026-11-24T06:00:00Z", "2026-11-24T06:30:00Z").await.unwrap();
        let moved = tx
            .sql("UPDATE occupancy SET starts_at = $1 WHERE resource_id = $2 AND session_id = $3")
            .bind(Instant(at("2026-11-24T05:59:00Z")))
            .bind(uuid(free))
            .bind(uuid(&other.id))
            .run()
            .await;
        assert!(is_conflict(moved));
        tx.rollback().await.unwrap();
        // Nothing lasts longer than the bound by which the search for overlaps is limited.
        let mut tx = db.begin_write().await.unwrap();
        assert!(occupy(&mut tx, &one, free, "2026-11-24T00:00:00Z", "2026-11-25T00:00:01Z").await.is_err());
    }

    async fn the_sides_are_kept_apart_at_a_site(app) {
        let (db, one, other, ngo) = two_sessions(&app).await;
        let present = |side: &'static str, from: DateTime<Utc>| (side, from, from + TimeDelta::hours(1));
        // The survivor's presence reaches from 09:00 to 12:00.
        for (row, expected) in [
            (present("OFFENDER", at("2026-11-24T06:29:59Z")), true),
            (present("OFFENDER", at("2026-11-24T06:30:00Z")), false),
            (present("OFFENDER", at("2026-11-24T02:30:01Z")), true),
            (present("SURVIVOR", at("2026-11-24T04:30:00Z")), false),
        ] {
            let mut tx = db.begin_write().await.unwrap();
            tx.sql("DELETE FROM site_presence WHERE session_id = $1").bind(uuid(&other.id)).run().await.unwrap();
            let (side, from, until) = row;
            let inserted = tx
                .sql(
                    "INSERT INTO site_presence (session_id, site_id, side, padded_from, padded_until)
                     VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(uuid(&other.id))
                .bind(uuid(&ngo.site.id))
                .bind(side)
                .bind(Instant(from))
                .bind(Instant(until))
                .run()
                .await;
            assert_eq!(is_conflict(inserted), expected, "{row:?}");
        }
        let mut tx = db.begin_write().await.unwrap();
        let moved = tx
            .sql("UPDATE site_presence SET padded_from = $1, padded_until = $2 WHERE session_id = $3")
            .bind(Instant(at("2026-11-24T04:30:00Z")))
            .bind(Instant(at("2026-11-24T05:30:00Z")))
            .bind(uuid(&other.id))
            .run()
            .await;
        assert!(is_conflict(moved));
        drop(one);
    }

    async fn linked_people_do_not_share_a_day(app) {
        let (db, one, other, ngo) = two_sessions(&app).await;
        let mut tx = db.begin_write().await.unwrap();
        let sql = tx.sql("SELECT link_id FROM link_presence WHERE session_id = $1").bind(uuid(&one.id));
        let (link,) = sql.maybe::<(Uuid,)>().await.unwrap().unwrap();
        for (side, day, expected) in [
            ("OFFENDER", "2026-11-24", true),
            ("OFFENDER", "2026-11-25", false),
            ("SURVIVOR", "2026-11-24", false),
        ] {
            tx.savepoint().await.unwrap();
            let inserted = tx
                .sql(
                    "INSERT INTO link_presence (session_id, site_id, link_id, on_date, side)
                     VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(uuid(&other.id))
                .bind(uuid(&ngo.site.id))
                .bind(link)
                .bind(day.parse::<NaiveDate>().unwrap())
                .bind(side)
                .run()
                .await;
            assert_eq!(is_conflict(inserted), expected, "{side} {day}");
            tx.undo().await.unwrap();
        }
        let moved = tx
            .sql("UPDATE link_presence SET on_date = $1 WHERE session_id = $2")
            .bind("2026-11-24".parse::<NaiveDate>().unwrap())
            .bind(uuid(&other.id))
            .run()
            .await;
        assert!(is_conflict(moved));
    }

    async fn the_audit_trail_only_grows(app) {
        let (db, ..) = two_sessions(&app).await;
        for change in ["UPDATE audit_event SET outcome = 'DONE'", "DELETE FROM audit_event"] {
            let mut tx = db.begin_write().await.unwrap();
            let error = tx.sql(change).run().await.unwrap_err();
            assert!(format!("{error:?}").contains("aftercare:append_only"), "{error:?}");
        }
    }

    async fn an_audit_event_cannot_be_written_over(app) {
        let (db, ..) = two_sessions(&app).await;
        let mut tx = db.begin_write().await.unwrap();
        let (id,) = tx.sql("SELECT id FROM audit_event LIMIT 1").maybe::<(Uuid,)>().await.unwrap().unwrap();
        let replace = match &app.db.target {
            Target::Sqlite(_) => "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE id = $1",
            Target::Postgres(_) => "INSERT INTO audit_event SELECT * FROM audit_event WHERE id = $1
                ON CONFLICT (id) DO UPDATE SET outcome = 'DONE'",
        };
        let error = tx.sql(replace).bind(id).run().await.unwrap_err();
        assert!(format!("{error:?}").contains("aftercare:append_only"), "{error:?}");
        drop(tx);
        if matches!(app.db.target, Target::Postgres(_)) {
            let mut tx = db.begin_write().await.unwrap();
            let error = tx.sql("TRUNCATE audit_event").run().await.unwrap_err();
            assert!(format!("{error:?}").contains("aftercare:append_only"), "{error:?}");
        }
    }

    async fn no_session_joins_the_two_sides(app) {
        let (db, one, other, _) = two_sessions(&app).await;
        let copy = "INSERT INTO session (id, version, created_at, organisation_id, side, capacity,
                        counsellor_id, service, modality, starts_at, ends_at, on_date, zone, state, overridden, flags, unrecorded)
                    SELECT $1, 1, created_at, organisation_id, $2, 2, $3, service, 'REMOTE',
                        starts_at, ends_at, on_date, zone, state, overridden, flags, 0 FROM session WHERE id = $4";
        let (survivor, offender) = ((&one.client_id, "SURVIVOR"), (&other.client_id, "OFFENDER"));
        for ((client, _), (_, side), counsellor, refused) in [
            (survivor, survivor, &one.counsellor_id, false),
            (survivor, survivor, &other.counsellor_id, true),
            (offender, offender, &one.counsellor_id, true),
            (survivor, offender, &other.counsellor_id, true),
            (offender, offender, &other.counsellor_id, false),
        ] {
            let mut tx = db.begin_write().await.unwrap();
            let id = uuid("0193a5e0-0000-7000-8000-000000000009");
            let sql = tx.sql(copy).bind(id).bind(side).bind(uuid(counsellor)).bind(uuid(&one.id));
            let mut inserted = sql.run().await;
            if inserted.is_ok() {
                inserted = sit(&mut tx, id, side, client, 1).await;
            }
            assert_eq!(inserted.is_err(), refused, "{side} {inserted:?}");
        }
        // Nor does anybody change sides under a session.
        for change in ["UPDATE counsellor SET side = 'OFFENDER'", "UPDATE client SET side = 'OFFENDER'"] {
            assert!(db.begin_write().await.unwrap().sql(change).run().await.is_err(), "{change}");
        }
    }

    async fn a_group_seats_no_more_than_it_was_made_for(app) {
        let (db, one, ..) = two_sessions(&app).await;
        let mut tx = db.begin_write().await.unwrap();
        let (id, mine) = (uuid(&one.id), &one.client_id);
        for (text, seat, refused) in [
            // The client of the session has its only seat.
            ("SELECT 1", 1, true),
            ("SELECT 1", 2, true),
            // Who is removed leaves it, and may come back.
            ("UPDATE session_participant SET removed_at = added_at, removed_reason = 'CLIENT'", 2, true),
            ("SELECT 1", 1, false),
            ("SELECT 1", 1, true),
        ] {
            tx.sql(text).run().await.unwrap();
            tx.savepoint().await.unwrap();
            let seated = sit(&mut tx, id, "SURVIVOR", mine, seat).await;
            assert_eq!(seated.is_err(), refused, "{text}, seat {seat}: {seated:?}");
            if refused {
                tx.undo().await.unwrap();
            }
        }
    }

    async fn a_registration_belongs_to_one_side(app) {
        let (db, one, other, _) = two_sessions(&app).await;
        let mut tx = db.begin_write().await.unwrap();
        tx.sql("INSERT INTO professional (registration, side) VALUES ('A1', 'SURVIVOR')").run().await.unwrap();
        for (session, refused) in [(&one, false), (&other, true)] {
            let sql = tx.sql("UPDATE counsellor SET registration = 'A1' WHERE id = $1").bind(uuid(&session.counsellor_id));
            let updated = sql.run().await;
            assert_eq!(updated.is_err(), refused, "{updated:?}");
        }
        tx.rollback().await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        tx.sql("INSERT INTO professional (registration, side) VALUES ('A1', 'SURVIVOR')").run().await.unwrap();
        let twice = tx.sql("INSERT INTO professional (registration, side) VALUES ('A1', 'OFFENDER')").run().await;
        assert!(matches!(twice, Err(Error::Taken)), "{twice:?}");
    }

    async fn a_day_stands_once_in_a_version_of_a_calendar(app) {
        let ngo = Ngo::new(&app, "A").await;
        let calendar = pb::HolidayCalendar { code: "H".into(), name: "Example".into(), ..Default::default() };
        let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
        let made = ngo.coordinator.directory().create_holiday_calendar(request).await.unwrap().into_inner();
        let id = uuid(&made.holiday_calendar.unwrap().id);
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        for (since, until, good) in [(1i64, Some(3i64), true), (4, None, true), (5, None, false), (6, Some(6), false)] {
            tx.savepoint().await.unwrap();
            let sql = tx.sql(
                "INSERT INTO holiday (holiday_calendar_id, on_date, since_version, until_version, name)
                 VALUES ($1, $2, $3, $4, 'Example')",
            );
            let sql = sql.bind(id).bind("2027-01-01".parse::<NaiveDate>().unwrap()).bind(since).bind(until);
            let inserted = sql.run().await;
            assert_eq!(inserted.is_ok(), good, "{since} {inserted:?}");
            if !good {
                tx.undo().await.unwrap();
            }
        }
    }

    async fn why_a_rule_was_broken_is_never_rewritten(app) {
        let (db, one, ..) = two_sessions(&app).await;
        let mut tx = db.begin_write().await.unwrap();
        let insert = "INSERT INTO session_override (id, session_id, rule, reason, principal, decided_at)
                      VALUES ($1, $1, 'NOTICE', $2, 'me', $3)";
        let sql = tx.sql(insert).bind(uuid(&one.id)).bind(vec![0u8]).bind(Instant(at(TEN)));
        sql.run().await.unwrap();
        let error = tx.sql("UPDATE session_override SET principal = 'you'").run().await.unwrap_err();
        assert!(format!("{error:?}").contains("aftercare:append_only"), "{error:?}");
    }

    async fn a_session_says_what_became_of_it(app) {
        let (db, one, ..) = two_sessions(&app).await;
        for change in [
            "UPDATE session SET state = 'CANCELLED' WHERE id = $1",
            "UPDATE session SET cancel_reason = 'CLIENT' WHERE id = $1",
            "UPDATE session SET state = 'SOMETHING' WHERE id = $1",
            "UPDATE session SET venue_id = NULL WHERE id = $1",
            "UPDATE session SET ends_at = starts_at WHERE id = $1",
            "UPDATE session SET state = 'RESCHEDULED' WHERE id = $1",
            "UPDATE session SET state = 'HELD' WHERE id = $1",
            // Ten holds of one principal, each with its number.
            "UPDATE session SET state = 'HELD', held_until = starts_at, held_by = 'me', hold_number = 11 WHERE id = $1",
            "UPDATE session SET state = 'HELD', held_until = starts_at, held_by = 'me', hold_number = 1
              WHERE id = $1 OR state = 'BOOKED'",
        ] {
            let mut tx = db.begin_write().await.unwrap();
            assert!(tx.sql(change).bind(uuid(&one.id)).run().await.is_err(), "{change}");
        }
    }
}

/// Plans a client to be at a session.
async fn sit(tx: &mut Tx, session: Uuid, side: &'static str, client: &str, seat: i64) -> Result<u64, Error> {
    let sql = tx.sql(
        "INSERT INTO session_participant (id, session_id, side, capacity, seat, client_id, client_reference,
            interpreter, overridden, flags, added_at)
         SELECT $1, id, $3, capacity, $5, $4, 'Example', FALSE, overridden, flags, created_at FROM session
          WHERE id = $2",
    );
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into());
    sql.bind(id).bind(session).bind(side).bind(uuid(client)).bind(seat).run().await
}

/// Tables, columns, and whether they may be null; views too.
async fn shape(engine: Engine, of_keys: bool) -> BTreeMap<(String, String), bool> {
    let directory = tempfile::tempdir().unwrap();
    let test = TestDb::create_empty(engine, directory.path()).await;
    let db = Db::open(&test.target, 1).await.unwrap();
    if of_keys {
        db.migrate_keys().await.unwrap()
    } else {
        db.migrate().await.unwrap()
    }
    let mut tx = db.begin_write().await.unwrap();
    let text = match engine {
        Engine::Sqlite => {
            "SELECT m.name, c.name, c.\"notnull\" = 0 AND c.pk = 0 FROM sqlite_master AS m
               JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        Engine::Postgres => {
            "SELECT table_name::text, column_name::text, is_nullable = 'YES'
               FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
              WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        }
    };
    let rows = tx.sql(text).all::<(String, String, bool)>().await.unwrap();
    let own = rows.into_iter().filter(|(table, ..)| table != "_sqlx_migrations");
    own.map(|(table, column, nullable)| ((table, column), nullable)).collect()
}

#[tokio::test]
async fn both_engines_have_one_schema() {
    for (of_keys, columns) in [(false, 100), (true, 15)] {
        let (sqlite, postgres) = (shape(Engine::Sqlite, of_keys).await, shape(Engine::Postgres, of_keys).await);
        assert!(sqlite.len() > columns);
        assert_eq!(sqlite, postgres);
    }
}
