//! The audit trail is sealed, and whoever changes what is sealed is found out.

mod cli;
mod plans;
mod service;
mod tamper;
mod trail;

use std::sync::Arc;

use aftercare::auth::known_audit_key;
use aftercare::domain::audit::head::Exported;
use aftercare::domain::audit::verify::Report;
use aftercare::domain::statement::PublicKey;
use aftercare::grpc::pb;
use aftercare::store::Db;
use aftercare::usecase::audit::{Sealer, exported, verify_whole};
use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::on_both_engines;
use crate::support::{Ngo, TestApp, book, booking};

const TEN: &str = "2026-11-24T04:30:00Z";

/// Seals everything that was committed.
async fn seal(app: &TestApp) {
    let key = known_audit_key(&app.data_dir()).unwrap().unwrap();
    let mut sealer = Sealer::new(app.world().clone(), key);
    while sealer.turn().await.unwrap() {}
}

fn own_key(app: &TestApp) -> PublicKey {
    known_audit_key(&app.data_dir()).unwrap().unwrap().public()
}

async fn verified(app: &TestApp, kept: Option<Exported>) -> Report {
    let db = Db::open(&app.db.target, 2).await.unwrap();
    verify_whole(&db, vec![own_key(app)], kept).await.unwrap()
}

/// What is wrong, in words.
async fn wrong(app: &TestApp) -> Vec<String> {
    verified(app, None).await.faults.iter().map(ToString::to_string).collect()
}

async fn head(app: &TestApp) -> Exported {
    exported(&Db::open(&app.db.target, 1).await.unwrap()).await.unwrap().unwrap()
}

/// Some acts in three batches: done, refused and denied.
async fn acts(app: &TestApp) -> (Ngo, pb::Session) {
    let ngo = Ngo::new(app, "A").await;
    seal(app).await;
    let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
    let client = ngo.survivor().await;
    seal(app).await;
    let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
    book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap_err();
    book(&app.admin(), booking(&ngo, &counsellor, &client, TEN)).await.unwrap_err();
    seal(app).await;
    (ngo, session)
}

async fn numbers(app: &TestApp, sql: &'static str) -> Vec<i64> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    tx.sql(sql).all::<(i64,)>().await.unwrap().into_iter().map(|row| row.0).collect()
}

on_both_engines! {
    async fn everything_that_was_committed_is_sealed_once_and_in_one_order(app) {
        acts(&app).await;
        let events = app.audit().await.len() as i64;
        assert_eq!(numbers(&app, "SELECT position FROM audit_seal ORDER BY position").await, Vec::from_iter(1..=events));
        assert_eq!(numbers(&app, "SELECT COUNT(*) FROM audit_pending").await, [0]);
        assert!(numbers(&app, "SELECT position FROM audit_head").await.len() >= 3);
        let report = verified(&app, None).await;
        assert_eq!(report.faults, []);
        assert_eq!((report.events, report.end, report.proven_until), (events as u64, events, events));
    }

    async fn what_was_done_about_somebody_is_an_index_read(app) {
        let (_, session) = acts(&app).await;
        let about = numbers(&app, "SELECT COUNT(*) FROM audit_subject GROUP BY subject_id").await;
        assert!(about.len() > 3);
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let sql = tx.sql(
            "SELECT action FROM audit_subject JOIN audit_seal ON audit_seal.position = audit_subject.position
               JOIN audit_event ON id = event_id WHERE subject_id = $1 ORDER BY audit_subject.position",
        );
        let id: uuid::Uuid = session.id.parse().unwrap();
        let actions = sql.bind(id).all::<(String,)>().await.unwrap();
        assert_eq!(actions, [("aftercare.v1.SchedulingService/BookSession".to_owned(),)]);
    }

    async fn sealers_of_many_processes_do_not_get_in_each_others_way(app) {
        let other = app.elsewhere().await;
        let keys = [&app.data_dir(), &other.data_dir()].map(|it| known_audit_key(it).unwrap().unwrap());
        let ngo = Arc::new(Ngo::new(&app, "A").await);
        let writing = join_all((0..20).map(|_| {
            let ngo = ngo.clone();
            async move { ngo.survivor().await }
        }));
        let sealing = join_all((0..4).map(|at| {
            let (world, key) = (app.world().clone(), keys[at % 2].clone());
            async move {
                let mut sealer = Sealer::new(world, key);
                for _ in 0..10 {
                    sealer.turn().await.unwrap();
                }
            }
        }));
        futures_util::future::join(writing, sealing).await;
        seal(&app).await;
        let report = verified(&app, None).await;
        assert_eq!((report.faults, report.events), (vec![], app.audit().await.len() as u64));
    }

    async fn nothing_is_sealed_on_top_of_a_chain_that_was_changed(app) {
        let mut app = app;
        acts(&app).await;
        app.stop().await;
        let good = verified(&app, None).await;
        let mut raw = tamper::Tampering::begin(&app).await;
        // Whoever rewrites the last seal and waits for us to sign what comes after it.
        raw.run("UPDATE audit_event SET principal = 'nobody' WHERE id = (SELECT event_id FROM audit_seal
            WHERE position = (SELECT MAX(position) FROM audit_seal))").await;
        let hash = raw.literal(&[9; 32]);
        raw.run(&format!("UPDATE audit_seal SET hash = {hash} WHERE position = (SELECT MAX(position) FROM audit_seal)")).await;
        raw.run("INSERT INTO audit_pending (event_id) SELECT event_id FROM audit_seal WHERE position = 1").await;
        let key = known_audit_key(&app.data_dir()).unwrap().unwrap();
        let error = Sealer::new(app.another_world(2, 1).await, key).turn().await.unwrap_err();
        assert!(format!("{error:?}").contains("audit_head"), "{error:?}");
        assert_eq!(verified(&app, None).await.end, good.end);
    }

    async fn what_is_left_is_sealed_when_the_process_ends(app) {
        let mut app = app;
        Ngo::new(&app, "A").await;
        app.stop().await;
        assert_eq!(numbers(&app, "SELECT COUNT(*) FROM audit_pending").await, [0]);
        assert_eq!(wrong(&app).await, [""; 0]);
    }

    async fn the_schema_lets_nobody_change_what_is_sealed(app) {
        acts(&app).await;
        app.clock.advance(TimeDelta::seconds(1));
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let postgres = app.db.url.starts_with("postgres");
        let mut changes: Vec<String> = Vec::new();
        for (table, column) in [
            ("audit_event", "principal"), ("audit_seal", "event_id"), ("audit_subject", "position"),
            ("audit_key", "kid"), ("audit_head", "hash"),
        ] {
            changes.push(format!("UPDATE {table} SET {column} = {column}"));
            changes.push(format!("DELETE FROM {table}"));
            changes.push(match postgres {
                true => format!("TRUNCATE {table} CASCADE"),
                false => format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
            });
        }
        // What waits stays until it is sealed.
        for change in ["DELETE FROM audit_pending", "UPDATE audit_pending SET event_id = event_id"] {
            let mut tx = db.begin_write().await.unwrap();
            let unsealed = tamper::id(&app, 77);
            let insert = format!("INSERT INTO audit_pending (event_id) VALUES ({unsealed})");
            tamper::in_tx(&mut tx, &insert).await.unwrap();
            let error = tamper::in_tx(&mut tx, change).await.unwrap_err();
            assert!(format!("{error:?}").contains("aftercare:append_only"), "{change}: {error:?}");
        }
        for change in changes {
            let mut tx = db.begin_write().await.unwrap();
            match tamper::in_tx(&mut tx, &change).await {
                Err(error) => assert!(format!("{error:?}").contains("aftercare:append_only"), "{change}: {error:?}"),
                // A key is said again by every process that starts.
                Ok(rows) => assert!(change.contains("REPLACE INTO audit_key") && rows == 0, "{change}"),
            }
        }
    }
}
