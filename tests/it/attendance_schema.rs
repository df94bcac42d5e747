//! The schema alone holds: what was recorded, decided or noted is never changed, and whose place it was in a session
//! neither.

use aftercare::grpc::pb;
use aftercare::store::{Db, Error, Target};
use pb::AttendanceOutcome as Outcome;
use uuid::Uuid;

use crate::attendance::set;
use crate::on_both_engines;
use crate::support::attendance::{decide, deciding, record, recording};
use crate::support::{Ngo, TestApp, book, booking, group_of, leaving, remove};

const TEN: &str = "2026-11-24T04:30:00Z";

/// Two of a group, one recorded, decided and noted, and one removed.
async fn a_group(app: &TestApp) -> (Db, Ngo, pb::Session, [pb::Client; 2]) {
    let mut ngo = Ngo::new(app, "A").await;
    let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
    let (one, two, three) = (ngo.offender().await, ngo.offender().await, ngo.offender().await);
    let all = [one.clone(), two.clone(), three];
    let session = book(&ngo.coordinator, group_of(3, &all, booking(&ngo, &counsellor, &one, TEN))).await.unwrap();
    remove(&ngo.coordinator, leaving(&session, &two)).await.unwrap();
    set(app, &mut ngo, "2026-11-24T06:00:00Z");
    record(&ngo.coordinator, recording(&session, &one, Outcome::NoShow)).await.unwrap();
    decide(&ngo.coordinator, deciding(&session, &one, "1", true)).await.unwrap();
    let (session_id, client_id) = (session.id.clone(), one.id.clone());
    let note = pb::WriteSessionNoteRequest { session_id, client_id, text: "Example".into(), ..Default::default() };
    ngo.as_counsellor(app, &counsellor).attendance().write_session_note(note).await.unwrap();
    (Db::open(&app.db.target, 1).await.unwrap(), ngo, session, [one, two])
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn is_history<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    format!("{:?}", result.unwrap_err()).contains("aftercare:append_only")
}

on_both_engines! {
    async fn what_was_written_stays(app) {
        let (db, ..) = a_group(&app).await;
        for change in [
            "UPDATE attendance SET outcome = 'REFUSED'",
            "DELETE FROM attendance",
            "UPDATE absence_decision SET acceptable = FALSE, ground = NULL",
            "DELETE FROM absence_decision",
            "UPDATE session_note SET written_by = 'me'",
            "DELETE FROM session_note",
        ] {
            let mut tx = db.begin_write().await.unwrap();
            assert!(is_history(tx.sql(change).run().await), "{change}");
        }
        let over: [&'static str; 3] = match &app.db.target {
            Target::Sqlite(_) => [
                "INSERT OR REPLACE INTO attendance SELECT * FROM attendance",
                "INSERT OR REPLACE INTO absence_decision SELECT * FROM absence_decision",
                "INSERT OR REPLACE INTO session_note SELECT * FROM session_note",
            ],
            Target::Postgres(_) => {
                ["TRUNCATE attendance CASCADE", "TRUNCATE absence_decision", "TRUNCATE session_note"]
            }
        };
        for change in over {
            let mut tx = db.begin_write().await.unwrap();
            assert!(is_history(tx.sql(change).run().await), "{change}");
        }
    }

    async fn whose_place_it_was_stays(app) {
        let (db, _, session, [one, two]) = a_group(&app).await;
        let mine = [uuid(&session.id), uuid(&one.id), uuid(&two.id)];
        for (change, client, refused) in [
            // Whoever it is: not another client, session or day.
            ("UPDATE session_participant SET client_id = $3 WHERE session_id = $1 AND client_id = $2", &one, true),
            ("UPDATE session_participant SET session_id = $3 WHERE session_id = $1 AND client_id = $2", &one, true),
            ("UPDATE session_participant SET id = $3 WHERE session_id = $1 AND client_id = $2", &one, true),
            ("UPDATE session_participant SET added_at = (SELECT starts_at FROM session WHERE id <> $3)
               WHERE session_id = $1 AND client_id = $2", &one, true),
            ("UPDATE session_participant SET attendance_id = NULL WHERE session_id = $1 AND client_id = $2
                AND id <> $3", &one, true),
            ("UPDATE session_participant SET interpreter = TRUE WHERE session_id = $1 AND client_id = $2
                AND id <> $3", &one, false),
            // Who was removed stays removed, when and why.
            ("UPDATE session_participant SET removed_at = NULL, removed_reason = NULL
               WHERE session_id = $1 AND client_id = $2 AND id <> $3", &two, true),
            ("UPDATE session_participant SET removed_reason = 'COURT' WHERE session_id = $1 AND client_id = $2
                AND id <> $3", &two, true),
            ("UPDATE session_participant SET interpreter = TRUE WHERE session_id = $1 AND client_id = $2
                AND id <> $3", &two, true),
        ] {
            let mut tx = db.begin_write().await.unwrap();
            let sql = tx.sql(change).bind(mine[0]).bind(uuid(&client.id)).bind(mine[2]);
            let result = sql.run().await;
            match refused {
                true => assert!(is_history(result), "{change}"),
                false => assert_eq!(result.unwrap(), 1, "{change}"),
            }
        }
    }

    async fn a_record_is_whole_and_in_its_place(app) {
        let (db, _, session, [one, two]) = a_group(&app).await;
        let insert = "INSERT INTO attendance (id, participant_id, number, outcome, late_minutes, recorded_at, recorded_by,
                          recorded_as, supersedes_id, reason, late)
                      SELECT $1, it.id, $2, $3, $4, it.added_at, 'me', 'coordinator', $5, $6, FALSE
                        FROM session_participant AS it WHERE it.session_id = $7 AND it.client_id = $8";
        let mut tx = db.begin_read().await.unwrap();
        let first = tx.sql("SELECT id FROM attendance").maybe::<(Uuid,)>().await.unwrap().unwrap().0;
        drop(tx);
        let reason = Some(vec![0u8]);
        for (client, number, outcome, late, supersedes, reason, good) in [
            (&one, 2i64, "REFUSED", None, Some(first), reason.clone(), true),
            // A number once; the first corrects nothing, a later one something of the same participant, and says why.
            (&one, 1, "REFUSED", None, None, None, false),
            (&one, 2, "REFUSED", None, None, None, false),
            (&one, 2, "REFUSED", None, Some(first), None, false),
            (&two, 2, "REFUSED", None, Some(first), reason.clone(), false),
            (&two, 1, "REFUSED", None, None, None, true),
            // What the outcome needs and nothing else.
            (&two, 1, "LATE", None, None, None, false),
            (&two, 1, "LATE", Some(5i64), None, None, true),
            (&two, 1, "REFUSED", Some(5), None, None, false),
            (&two, 1, "SOMETHING", None, None, None, false),
        ] {
            let mut tx = db.begin_write().await.unwrap();
            let sql = tx.sql(insert).bind(Uuid::from_u128(7)).bind(number).bind(outcome).bind(late).bind(supersedes);
            let result = sql.bind(reason).bind(uuid(&session.id)).bind(uuid(&client.id)).run().await;
            assert_eq!(result.is_ok(), good, "{number} {outcome} {late:?} {supersedes:?}: {result:?}");
        }
        // What stands of a participant is a record of that participant.
        let mut tx = db.begin_write().await.unwrap();
        let sql = tx.sql("UPDATE session_participant SET attendance_id = $1 WHERE attendance_id IS NULL");
        assert!(sql.bind(first).run().await.is_err());
        drop(tx);
        let mut tx = db.begin_write().await.unwrap();
        assert!(tx.sql("UPDATE session SET unrecorded = 4").run().await.is_err());
    }
}
