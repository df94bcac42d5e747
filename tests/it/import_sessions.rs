//! Importing the coming sessions of an NGO: by the very rules by which the service books.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::usecase::import::{Files, Report, import};
use aftercare::usecase::{World, lookup};

use crate::import::{beside, counts, example, only, problems};
use crate::on_both_engines;
use crate::support::{Actor, TestApp};

const COLUMNS: &str = "organisation,client,counsellor,service,modality,venue,room,starts_at,minutes\n";

/// Three that may be, one of them outside working hours; four that must not.
const ROWS: &str = "TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,GARDEN,R2,2026-11-24 10:00,60\n\
                    TVM-TRUST,F-101,C-01,TRAUMA_THERAPY,REMOTE,,,2026-11-24 20:00,45\n\
                    TVM-TRUST,F-103,C-03,TREATMENT,IN_PERSON,ROAD,,2026-11-24 12:59,60\n\
                    TVM-TRUST,F-103,C-03,TREATMENT,IN_PERSON,ROAD,,2026-11-24 13:00,60\n\
                    TVM-TRUST,F-101,C-02,COUNSELLING,REMOTE,,,2026-11-25 10:00,45\n\
                    TVM-TRUST,F-102,C-03,COUNSELLING,IN_PERSON,ROAD,,2026-11-26 10:00,60\n\
                    TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,GARDEN,,2026-11-20 10:00,60\n";

fn sessions(rows: &str) -> Files {
    only("sessions.csv", &format!("{COLUMNS}{rows}"))
}

fn left_out(report: &Report) -> Vec<String> {
    let codes = |rules: &[aftercare::domain::rules::RuleCode]| {
        rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    report.left_out.iter().map(|it| format!("{}: {}", it.place, codes(&it.rules))).collect()
}

async fn coordinator(app: &TestApp, world: &World) -> Actor {
    let organisation_id = lookup::organisation(world, "TVM-TRUST").await.unwrap();
    app.actor(Authority::Coordinator { organisation_id })
}

async fn stored(me: &Actor) -> Vec<pb::Session> {
    me.scheduling().list_sessions(pb::ListSessionsRequest::default()).await.unwrap().into_inner().sessions
}

on_both_engines! {
    async fn what_the_rules_allow_is_booked_and_the_rest_reported(app) {
        let world = beside(&app).await;
        let mut files = example();
        files.extend(sessions(ROWS));
        let report = import(&world, &files, false).await.unwrap();
        assert_eq!(counts(&report), (43, 0, 0));
        let forbidden = [
            "sessions.csv:4: SLOT_NOT_AVAILABLE",
            "sessions.csv:6: COUNSELLOR_GENDER",
            "sessions.csv:7: WRONG_SIDE",
            "sessions.csv:8: IN_THE_PAST",
        ];
        assert_eq!(left_out(&report), forbidden);
        let me = coordinator(&app, &world).await;
        let all = stored(&me).await;
        let starts: Vec<_> = all.iter().map(|it| it.local_start.as_str()).collect();
        let expected = ["2026-11-24T10:00:00+05:30", "2026-11-24T13:00:00+05:30", "2026-11-24T20:00:00+05:30"];
        assert_eq!(starts, expected);
        assert!(!all[0].room_id.is_empty() && !all[1].room_id.is_empty() && all[2].venue_id.is_empty());
        let mut tx = world.db().begin_read().await.unwrap();
        let sql = tx.sql("SELECT CAST(details AS TEXT) FROM audit_event WHERE action = 'import'");
        let (details,) = sql.maybe::<(String,)>().await.unwrap().unwrap();
        assert!(details.contains("OVERRIDDEN OUTSIDE_WORKING_HOURS"), "{details}");
        drop(tx);

        // Again nothing changes, not even what the service has done with a session since.
        let cancel = pb::CancelSessionRequest {
            session_id: all[0].id.clone(),
            etag: all[0].etag.clone(),
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        };
        me.scheduling().cancel_session(cancel).await.unwrap();
        let before = stored(&me).await;
        let again = import(&world, &files, false).await.unwrap();
        assert_eq!((counts(&again), again.left_out.len()), ((0, 0, 43), 4));
        assert_eq!(stored(&me).await, before);
    }

    async fn every_mistake_is_named_and_nobody_is_booked(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let rows = "TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,GARDEN,R2,2026-11-24 10:00,60\n\
                    TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,,,2026-11-25 10:00,60\n\
                    TVM-TRUST,F-102,C-01,COUNSELLING,REMOTE,GARDEN,R1,2026-11-26 10:00,60\n\
                    TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,GARDEN,R9,2026-11-27 10:00,60\n\
                    TVM-TRUST,F-999,C-99,TALKING,BY_POST,MRT-TRUST/NONE,r1,27.11.2026,\n\
                    TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,GARDEN,,2026-11-24 10:00,481\n";
        let named = problems(import(&world, &sessions(rows), false).await);
        let places: Vec<_> = named.iter().map(|it| it.split_once(": ").unwrap().0).collect();
        let columns = ["2 (client)", "3 (counsellor)", "4 (service)", "5 (modality)", "6 (venue)", "7 (room)",
            "8 (starts_at)", "9 (minutes)"];
        let mut expected = vec!["sessions.csv:3:6 (venue)".to_owned(), "sessions.csv:4:6 (venue)".into(),
            "sessions.csv:4:7 (room)".into(), "sessions.csv:5:7 (room)".into()];
        expected.extend(columns.map(|column| format!("sessions.csv:6:{column}")));
        expected.extend(["8 (starts_at)", "9 (minutes)"].map(|column| format!("sessions.csv:7:{column}")));
        assert_eq!(places, expected, "{named:#?}");
        assert!(stored(&coordinator(&app, &world).await).await.is_empty());
        let elsewhere = "TVM-TRUST,F-102,C-01,COUNSELLING,IN_PERSON,MRT-TRUST/GARDEN,,2026-11-24 10:00,60\n";
        let named = problems(import(&world, &sessions(elsewhere), false).await);
        assert_eq!(named, ["sessions.csv:2:6 (venue): must be a venue of the organisation, or a shared one"]);
    }

    async fn a_trial_books_nobody_and_says_who_would_not_be(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let report = import(&world, &sessions(ROWS), true).await.unwrap();
        assert_eq!((counts(&report), report.left_out.len()), ((3, 0, 0), 4));
        assert!(stored(&coordinator(&app, &world).await).await.is_empty());
    }
}
