//! A page of the trail costs a page, by whichever filter: what is touched does not grow with the trail.

use std::fs;
use std::path::Path;

use aftercare::store::Db;
use serde_json::Value;

use super::tamper::{self, Tampering};
use crate::support::{Engine, TestApp};

/// So many events, of which each filter fits one in forty.
const EVENTS: u32 = 20_000;
const PAGE: u32 = 20;

/// The filters in the order of their statements, what they are compared with, and the index.
const BY: [(&str, &str); 7] = [
    ("", "audit_event_by_time"),
    ("'P7'", "audit_event_by_principal"),
    ("'R7'", "audit_event_by_role"),
    ("'A7'", "audit_event_by_action"),
    ("'DENIED'", "audit_event_by_outcome"),
    ("{id}", "audit_event_by_organisation"),
    ("{id}", "audit_event_by_request"),
];

/// The statements of the store.
fn statements() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/audit_list.rs");
    let source = fs::read_to_string(file).unwrap();
    source.split('"').skip(1).step_by(2).filter(|it| it.starts_with("SELECT ")).map(str::to_owned).collect()
}

/// A trail of many events, the first half of them sealed; nobody else is there.
async fn filled(engine: Engine) -> (TestApp, Tampering) {
    let mut app = TestApp::start(engine).await;
    app.stop().await;
    let mut raw = Tampering::begin(&app).await;
    let (id, at, of_forty) = match engine {
        Engine::Sqlite => ("unhex(printf('%032x', {n}))", "i * 1000000", "i % 40"),
        Engine::Postgres => (
            "CAST(lpad(to_hex({n}), 32, '0') AS UUID)",
            "TIMESTAMPTZ '1970-01-01Z' + i * INTERVAL '1 second'",
            "CAST(i % 40 AS TEXT)",
        ),
    };
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})");
    let (event, group) = (id.replace("{n}", "1000000 + i"), id.replace("{n}", "i % 40"));
    raw.run(&format!(
        "INSERT INTO audit_event (id, occurred_at, principal, role, organisation_id, action, outcome, details, subjects,
            request_id)
         {numbers} SELECT {event}, {at}, 'P' || {of_forty}, 'R' || {of_forty}, {group}, 'A' || {of_forty},
            CASE i % 40 WHEN 7 THEN 'DENIED' ELSE 'DONE' END, '[]', '[]', {group} FROM n"
    ))
    .await;
    let hash = raw.literal(&[1; 32]);
    raw.run(&format!(
        "INSERT INTO audit_seal (position, event_id, hash)
        {numbers} SELECT 1000000 + i, {event}, {hash} FROM n WHERE i <= {}",
        EVENTS / 2
    ))
    .await;
    raw.run(&format!(
        "INSERT INTO audit_subject (subject_id, position)
        {numbers} SELECT {group}, 1000000 + i FROM n WHERE i <= {}",
        EVENTS / 2
    ))
    .await;
    raw.run(if engine == Engine::Sqlite { "ANALYZE" } else { "VACUUM ANALYZE" }).await;
    (app, raw)
}

/// Each statement with its values, in both directions: from the middle on, or back.
fn asked(engine: Engine) -> Vec<(String, &'static str)> {
    let id = |n: u32| match engine {
        Engine::Sqlite => format!("x'{n:032x}'"),
        Engine::Postgres => format!("CAST('{n:032x}' AS UUID)"),
    };
    let at = |second: u32| match engine {
        Engine::Sqlite => (u64::from(second) * 1_000_000).to_string(),
        Engine::Postgres => format!("TIMESTAMPTZ '1970-01-01Z' + {second} * INTERVAL '1 second'"),
    };
    let statements = statements();
    assert_eq!(statements.len(), 8);
    let mut all = Vec::new();
    for (beyond, within, order, end) in [(">", "<", "ASC", EVENTS), ("<", ">=", "DESC", 1)] {
        let directed =
            |text: &String| text.replace("{beyond}", beyond).replace("{within}", within).replace("{order}", order);
        for (text, (value, index)) in statements.iter().zip(BY) {
            let binds = [at(EVENTS / 2), id(0), at(end), PAGE.to_string(), value.replace("{id}", &id(7))];
            let text =
                (1..).zip(&binds).fold(directed(text), |text, (place, it)| text.replace(&format!("${place}"), it));
            all.push((text, index));
        }
        let binds = [id(7), (1_000_000 + EVENTS / 4).to_string(), PAGE.to_string()];
        let about = (1..)
            .zip(&binds)
            .fold(directed(&statements[7]), |text, (place, it)| text.replace(&format!("${place}"), it));
        let index = if engine == Engine::Sqlite { "PRIMARY" } else { "audit_subject_pkey" };
        all.push((about, index));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_read_by_its_index_on_sqlite() {
    let (app, _raw) = filled(Engine::Sqlite).await;
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    for (text, index) in asked(Engine::Sqlite) {
        let explain = tamper::leaked(format!("EXPLAIN QUERY PLAN {text}"));
        let steps = tx.sql(explain).all::<(i64, i64, i64, String)>().await.unwrap();
        let steps: Vec<_> = steps.into_iter().map(|it| it.3).collect();
        // A page that was found by its subject is sorted once more.
        let sorts = index.starts_with("audit_event") && steps.iter().any(|it| it.contains("TEMP B-TREE"));
        let scans = sorts || steps.iter().any(|it| it.starts_with("SCAN audit"));
        assert!(!scans && steps.iter().any(|it| it.contains(index)), "{index}: {steps:?}: {text}");
        // By time alone the page begins where the last one ended, not at the first event.
        assert!(!index.starts_with("audit_event") || steps[0].contains("occurred_at"), "{steps:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_touches_a_pages_rows_on_postgres() {
    let (app, _raw) = filled(Engine::Postgres).await;
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    for (text, index) in asked(Engine::Postgres) {
        let explain = tamper::leaked(format!("EXPLAIN (ANALYZE, FORMAT JSON) {text}"));
        let plan = tx.sql(explain).all::<(sqlx::types::Json<Value>,)>().await;
        let plan = plan.unwrap()[0].0.0[0]["Plan"].clone();
        let (mut rows, mut indexes) = (0.0, Vec::new());
        look(&plan, &mut rows, &mut indexes);
        assert!(
            rows <= f64::from(PAGE * 8) && indexes.iter().any(|it| it == index),
            "{index}: {rows} {indexes:?}: {text}"
        );
    }
}

/// What was touched, and by which indexes.
fn look(plan: &Value, rows: &mut f64, indexes: &mut Vec<String>) {
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    *rows += (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    assert_ne!(plan["Node Type"], "Seq Scan", "{plan}");
    indexes.extend(plan["Index Name"].as_str().map(str::to_owned));
    plan["Plans"].as_array().into_iter().flatten().for_each(|below| look(below, rows, indexes));
}
