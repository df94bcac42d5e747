//! Somebody with the database in hand, past the service and past the triggers.

use std::collections::BTreeMap;

use aftercare::domain::audit::chain::{Hash, link};
use aftercare::domain::audit::verify::{Fault, Sealed};
use aftercare::store::{Db, Error, Tx, audit_check};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::{acts, head, verified, wrong};
use crate::on_both_engines;
use crate::support::{TestApp, unless};

const TABLES: [&str; 6] = ["audit_event", "audit_seal", "audit_subject", "audit_key", "audit_head", "audit_pending"];

/// A connection for which no trigger fires, and copies of the tables as they were.
pub struct Tampering(Raw);

enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// An id that nothing has, as it is written in a statement.
pub fn id(app: &TestApp, number: u8) -> String {
    let hex = format!("{number:02x}").repeat(16);
    match app.db.url.starts_with("postgres") {
        true => format!("CAST('{hex}' AS UUID)"),
        false => format!("x'{hex}'"),
    }
}

/// A text that is made by a test, for as long as anybody may want it.
pub fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Runs a text that is made by a test.
pub async fn in_tx(tx: &mut Tx, text: &str) -> Result<u64, Error> {
    tx.sql(leaked(text.to_owned())).run().await
}

impl Tampering {
    pub async fn begin(app: &TestApp) -> Self {
        let raw = if app.db.url.starts_with("postgres") {
            Raw::Postgres(PgConnection::connect(&app.db.url).await.unwrap())
        } else {
            Raw::Sqlite(SqliteConnection::connect(&app.db.url).await.unwrap())
        };
        let mut it = Self(raw);
        match &mut it.0 {
            Raw::Postgres(_) => it.run("SET session_replication_role = replica").await,
            Raw::Sqlite(connection) => {
                let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'";
                let names: Vec<String> = sqlx::query_scalar(triggers).fetch_all(connection).await.unwrap();
                it.run("PRAGMA foreign_keys = OFF").await;
                for name in names {
                    it.run(&format!("DROP TRIGGER {name}")).await;
                }
            }
        }
        for table in TABLES {
            it.run(&format!("CREATE TABLE spare_{table} AS SELECT * FROM {table}")).await;
        }
        it
    }

    pub async fn run(&mut self, text: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        let done = match &mut self.0 {
            Raw::Sqlite(connection) => sql.execute(connection).await.map(drop),
            Raw::Postgres(connection) => sql.execute(connection).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{error}: {text}"));
    }

    /// Everything as it was.
    async fn restore(&mut self) {
        for table in TABLES {
            self.run(&format!("DELETE FROM {table}")).await;
            self.run(&format!("INSERT INTO {table} SELECT * FROM spare_{table}")).await;
        }
    }

    /// Bytes, as they are written in a statement.
    pub fn literal(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.0 {
            Raw::Sqlite(_) => format!("x'{hex}'"),
            Raw::Postgres(_) => format!("CAST('\\x{hex}' AS BYTEA)"),
        }
    }

    /// Another value for a column, made of chance.
    fn other(&self, column: &str, chance: &mut StdRng) -> String {
        let bytes: [u8; 64] = std::array::from_fn(|_| chance.random());
        let is_postgres = matches!(self.0, Raw::Postgres(_));
        match column {
            "id" | "organisation_id" | "request_id" | "event_id" if is_postgres => {
                let hex: String = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
                format!("CAST('{hex}' AS UUID)")
            }
            // SQLite takes ids of any length.
            "id" | "organisation_id" | "request_id" | "event_id" => self.literal(&bytes[..chance.random_range(1..17)]),
            "hash" | "public_key" => self.literal(&bytes[..32]),
            "signature" => self.literal(&bytes),
            "occurred_at" | "sealed_at" if is_postgres => format!("{column} + INTERVAL '1 microsecond'"),
            "occurred_at" | "sealed_at" => format!("{column} + {}", chance.random_range(1..1000)),
            "outcome" => "CASE outcome WHEN 'DONE' THEN 'REFUSED' ELSE 'DONE' END".into(),
            "kid" => "substr(kid, 2, 42) || CASE substr(kid, 43, 1) WHEN 'A' THEN 'B' ELSE 'A' END".into(),
            "position" => "position + 1000000".into(),
            // Text: a letter more, a blank that JSON does not mind, nothing at all.
            _ => match chance.random_range(0..3) {
                0 => format!("COALESCE({column}, '') || 'x'"),
                1 => format!("' ' || COALESCE({column}, '')"),
                _ => format!("CASE {column} WHEN '' THEN 'y' ELSE '' END"),
            },
        }
    }
}

/// Every column that is sealed or signed.
const COLUMNS: [(&str, &str); 20] = [
    ("audit_event", "id"),
    ("audit_event", "occurred_at"),
    ("audit_event", "principal"),
    ("audit_event", "role"),
    ("audit_event", "organisation_id"),
    ("audit_event", "action"),
    ("audit_event", "outcome"),
    ("audit_event", "reason"),
    ("audit_event", "details"),
    ("audit_event", "subjects"),
    ("audit_event", "request_id"),
    ("audit_seal", "position"),
    ("audit_seal", "event_id"),
    ("audit_seal", "hash"),
    ("audit_key", "kid"),
    ("audit_key", "public_key"),
    ("audit_head", "hash"),
    ("audit_head", "sealed_at"),
    ("audit_head", "kid"),
    ("audit_head", "signature"),
];

on_both_engines! {
    async fn whatever_is_changed_is_found(app) {
        let mut app = app;
        acts(&app).await;
        app.stop().await;
        assert_eq!(wrong(&app).await, [""; 0]);
        let mut raw = Tampering::begin(&app).await;
        let mut chance = StdRng::seed_from_u64(unless("AFTERCARE_TEST_SEED", 1));
        for round in 0..unless("AFTERCARE_TEST_TAMPERINGS", 3) {
            for (table, column) in COLUMNS {
                let place: u32 = chance.random_range(0..1000);
                let other = raw.other(column, &mut chance);
                let key = if table.ends_with("event") { "id" } else if table.ends_with("key") { "kid" } else { "position" };
                let which = format!("(SELECT {key} FROM spare_{table} ORDER BY {key} LIMIT 1
                    OFFSET (SELECT {place} % COUNT(*) FROM spare_{table}))");
                let change = format!("UPDATE {table} SET {column} = {other} WHERE {key} = {which}");
                raw.run(&change).await;
                assert_ne!(wrong(&app).await, [""; 0], "round {round}: {change}");
                raw.restore().await;
            }
        }
        assert_eq!(wrong(&app).await, [""; 0]);
    }

    async fn each_kind_of_tampering_is_named(app) {
        let mut app = app;
        acts(&app).await;
        app.stop().await;
        let mut raw = Tampering::begin(&app).await;
        let end = verified(&app, None).await.end;
        let event = |position: i64| format!("(SELECT event_id FROM spare_audit_seal WHERE position = {position})");
        let copy = "id, occurred_at, principal, role, organisation_id, action, outcome, reason, details, subjects, request_id";
        let (swap, stranger, hash) = (id(&app, 78), id(&app, 77), raw.literal(&[9; 32]));
        let stranger_in = format!("INSERT INTO audit_event ({copy}) SELECT {} FROM spare_audit_event WHERE id = {}",
            copy.replacen("id", &stranger, 1), event(1));
        let cases: BTreeMap<String, Vec<String>> = [
            (format!("UPDATE audit_event SET details = '[\"X\"]' WHERE id = {}", event(3)),
                vec!["position 3: the event or its seal was changed".into()]),
            (format!("DELETE FROM audit_event WHERE id = {}", event(4)),
                vec!["position 4: the event".into(), "was deleted".into()]),
            (format!("UPDATE audit_seal SET event_id = {swap} WHERE position = 2;
                UPDATE audit_seal SET event_id = {} WHERE position = 5;
                UPDATE audit_seal SET event_id = {} WHERE position = 2", event(2), event(5)),
                vec!["positions 2 and 5: the events were swapped".into()]),
            // An event that was put in, with a seal behind the last, and one that is not sealed at all.
            (format!("{stranger_in}; INSERT INTO audit_seal (position, event_id, hash) VALUES ({}, {stranger}, {hash})", end + 1),
                vec![format!("position {}: the event or its seal", end + 1), format!("positions {0} to {0}: sealed without", end + 1)]),
            (stranger_in.clone(), vec!["neither sealed nor waiting".into()]),
            (format!("DELETE FROM audit_event WHERE id IN ({}, {}); DELETE FROM audit_seal WHERE position IN (6, 7)", event(6), event(7)),
                vec!["positions 6 to 7: missing".into()]),
            (format!("DELETE FROM audit_seal WHERE position > {}", end - 1),
                vec!["the chain ends at".into(), "neither sealed nor waiting".into()]),
            (format!("UPDATE audit_head SET hash = {hash}"), vec!["its signature is wrong".into()]),
            ("DELETE FROM audit_head WHERE position = (SELECT MAX(position) FROM spare_audit_head)".into(),
                vec!["sealed without a signed head".into()]),
            ("DELETE FROM audit_key".into(), vec![]),
            (format!("INSERT INTO audit_pending (event_id) VALUES ({stranger})"),
                vec!["deleted while it waited".into()]),
        ].into();
        for (change, says) in cases {
            raw.run(&change).await;
            let found = wrong(&app).await.join("\n");
            for words in &says {
                assert!(found.contains(words), "{change}: {found}");
            }
            // Our own key is known whether or not the database has it.
            assert_eq!(found.is_empty(), says.is_empty(), "{change}: {found}");
            raw.restore().await;
        }
    }

    async fn a_kept_head_finds_what_the_chain_alone_cannot(app) {
        let mut app = app;
        acts(&app).await;
        app.stop().await;
        let kept = head(&app).await;
        let (end, at) = (verified(&app, None).await.end, kept.head.head.position);
        assert_eq!(verified(&app, Some(kept.clone())).await.faults, []);
        let mut raw = Tampering::begin(&app).await;
        // The tail is cut off, with everything that speaks of it.
        let before = format!("(SELECT MAX(position) FROM spare_audit_head WHERE position < {end})");
        raw.run(&format!("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM audit_seal WHERE position > {before});
            DELETE FROM audit_seal WHERE position > {before}; DELETE FROM audit_head WHERE position > {before}")).await;
        assert_eq!(wrong(&app).await, [""; 0]);
        let report = verified(&app, Some(kept.clone())).await;
        assert_eq!(report.faults, [Fault::CutOff { position: at, end: report.end }]);
        raw.restore().await;
        // The chain is hashed anew, without a head that would say so.
        raw.run("UPDATE audit_event SET principal = 'nobody' WHERE id = (SELECT event_id FROM audit_seal WHERE position = 2);
            DELETE FROM audit_head").await;
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let seals = audit_check::after(&mut db.begin_read().await.unwrap(), 0, 10_000).await.unwrap();
        let mut previous = Hash::GENESIS;
        for it in seals.into_iter().map(Sealed::from) {
            previous = link(&previous, it.position, &it.entry.unwrap().canonical());
            let hash = raw.literal(&previous.0);
            raw.run(&format!("UPDATE audit_seal SET hash = {hash} WHERE position = {}", it.position)).await;
        }
        assert_eq!(verified(&app, None).await.faults, [Fault::Headless { from: 1, until: end }]);
        assert!(verified(&app, Some(kept)).await.faults.contains(&Fault::KeptDiffers { position: at }));
    }
}
