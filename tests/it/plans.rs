//! A page of orders and a look at one are a page's and a point's reads: what they touch does not grow with the
//! tables, on either engine. The statements are those of the store itself.

mod fill;
mod milestones;

use std::fs;
use std::future::Future;
use std::path::Path;

use aftercare::grpc::pb;
use serde_json::Value;

use self::fill::{Raw, copies, count, order};
use crate::support::treatment::{lookup, officer};
use crate::support::{Engine, TestApp};

/// Rows of a page in these tests, and the one more that says whether there is another.
const PAGE: u64 = 8;
const SMALL: u32 = 400;
const LARGE: u32 = 10_000;

/// A statement of the store, what is bound to it, and the index that must lead to its rows.
struct Read {
    file: &'static str,
    function: &'static str,
    /// Which of the function's statements.
    at: usize,
    binds: &'static [&'static str],
    index: &'static str,
}

/// A place for the organisation, an order in the middle and as many orders as a page has.
const OWN: &str = "{organisation}";
const MIDDLE: &str = "{middle}";
const ONE: &str = "{one}";
const COUNSELLOR: &str = "{counsellor}";
const DISTRICT: &str = "'KL-1'";
/// When the third session of every copy has ended.
const NOW: &str = "'2026-01-19T05:30:00Z'";
const MOST: &str = "9";

const fn read(
    file: &'static str,
    function: &'static str,
    at: usize,
    binds: &'static [&'static str],
    index: &'static str,
) -> Read {
    Read { file, function, at, binds, index }
}

const READS: &[Read] = &[
    // One order.
    read("compliance", "by_references", 0, &[DISTRICT, "{reference}"], "compliance_in_jurisdiction"),
    read("compliance", "find", 0, &[ONE], "primary key"),
    read("compliance", "for_police", 0, &[], "primary key"),
    read("compliance", "for_police", 1, &[DISTRICT, NOW], "primary key"),
    read("visit", "unrecorded", 0, &[NOW], "session_participant_by_order"),
    read("police", "nth_call_since", 0, &["'CALLER-1'", NOW, "59"], "police_call_by_caller"),
    // Pages.
    read("compliance", "in_jurisdiction", 0, &[DISTRICT, "'N'", MOST], "compliance_in_jurisdiction"),
    read("compliance", "in_jurisdiction", 1, &[DISTRICT, "'AT_RISK'", "'D'", MOST], "compliance_shown"),
    read("compliance", "of_organisation", 0, &[OWN, MIDDLE, MOST], "compliance_by_organisation"),
    read("compliance", "of_organisation", 1, &[OWN, MIDDLE, MOST], "compliance_alerted"),
    read("compliance", "of_organisation", 2, &[OWN, MIDDLE, MOST], "compliance_under_review"),
    read("compliance", "of_organisation", 3, &[OWN, MIDDLE, MOST, "'AT_RISK'"], "compliance_of_organisation"),
    read("unrecorded", "list", 0, &[OWN, NOW, NOW, MIDDLE, "NULL", MOST], "session_unrecorded"),
    // What has to be moved on.
    read("compliance", "stale", 0, &[NOW, MOST], "compliance_changing"),
    read("compliance", "stale", 1, &[DISTRICT, NOW, MOST], "compliance_changing_in_jurisdiction"),
    read("compliance", "stale", 2, &[OWN, NOW, MOST], "compliance_changing_of_organisation"),
];

impl Read {
    /// The text, as it stands in the source.
    fn text(&self) -> String {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/store/{}.rs", self.file));
        let source = fs::read_to_string(file).unwrap();
        let function = || Some((source.find(&format!("pub async fn {}(", self.function))?, "\n}\n"));
        let constant = || Some((source.find(&format!("const {}: &str = ", self.function))?, ";\n"));
        let (begins, ends) = function().or_else(constant).unwrap();
        let body = &source[begins..];
        let body = &body[..body.find(ends).unwrap()];
        let mut statements = body.split('"').skip(1).step_by(2).filter(|it| it.starts_with("SELECT "));
        statements.nth(self.at).unwrap_or_else(|| panic!("{} has no such statement", self.function)).to_owned()
    }

    /// The values, in the words of an engine.
    fn values(&self, raw: &Raw, count: u32, reference: &str) -> Vec<String> {
        let middle = count / 2;
        let kind = if self.file == "milestone" { milestones::FIRST } else { 3 };
        let order = |number: u32| raw.id_of(kind, &number.to_string());
        let value = |bind: &&str| match *bind {
            OWN => raw.id_of(1, "1"),
            MIDDLE => match self.file {
                "unrecorded" => raw.id_of(106, &middle.to_string()),
                _ => order(middle),
            },
            ONE => order(middle),
            COUNSELLOR => raw.id_of(milestones::LEADING, &(middle / milestones::CLIENTS_EACH).to_string()),
            "{reference}" => format!("'{reference}'"),
            other => other.to_owned(),
        };
        let ids = (0..PAGE as u32).map(|more| order(middle + more * 8));
        let ids = if self.text().contains("{ids}") { ids.collect() } else { Vec::new() };
        self.binds.iter().map(value).chain(ids).collect()
    }

    /// Whether an index is the one that must lead to the rows. Where that is an order's id, the key that has its
    /// client as well is as good.
    fn is_led_by(&self, index: &str) -> bool {
        let keys = ["compliance_pkey", "treatment_order_pkey", "treatment_order_id_client_id_key", "milestone_pkey"];
        let of_sqlite =
            ["sqlite_autoindex_compliance_1", "sqlite_autoindex_treatment_order_", "sqlite_autoindex_milestone_1"];
        match self.index {
            "primary key" => keys.contains(&index) || of_sqlite.iter().any(|it| index.starts_with(it)),
            // Where next to nothing is due, all that is due is as few.
            exact => index == exact || (self.function == "stale" && index == "compliance_changing"),
        }
    }

    /// The text with a place for each id.
    fn placed(&self) -> String {
        let places: Vec<_> = (1..=PAGE as usize).map(|more| format!("${}", self.binds.len() + more)).collect();
        self.text().replace("{ids}", &places.join(", "))
    }
}

/// What a statement touched, by PostgreSQL's own account.
#[derive(Debug, Default)]
struct Touched {
    rows: u64,
    buffers: u64,
    scanned: Vec<String>,
    indexes: Vec<String>,
}

impl Touched {
    fn by(plan: &Value) -> Self {
        let mut it = Self::default();
        let number = |name: &str| plan[name].as_f64().unwrap_or_default();
        it.buffers = (number("Shared Hit Blocks") + number("Shared Read Blocks")) as u64;
        it.add(plan);
        it
    }

    fn add(&mut self, plan: &Value) {
        let number = |name: &str| plan[name].as_f64().unwrap_or_default();
        let each = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        self.rows += (each * number("Actual Loops")) as u64;
        if plan["Node Type"] == "Seq Scan" && number("Actual Loops") > 0.0 {
            self.scanned.push(plan["Relation Name"].to_string());
        }
        self.indexes.extend(plan["Index Name"].as_str().map(str::to_owned));
        for below in plan["Plans"].as_array().into_iter().flatten() {
            self.add(below);
        }
    }
}

/// How it is carried out, with the plan made for these values or for any.
async fn explained(raw: &mut Raw, read: &Read, count: u32, reference: &str, mode: &str) -> Touched {
    let values = read.values(raw, count, reference).join(", ");
    raw.run(format!("SET plan_cache_mode = {mode}; PREPARE it AS {}", read.placed())).await;
    // Once for the caches.
    raw.run(format!("EXECUTE it({values})")).await;
    let Raw::Postgres(connection) = raw else { unreachable!() };
    let text = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE it({values})");
    let plan: Value = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(connection).await.unwrap();
    raw.run("DEALLOCATE it".into()).await;
    Touched::by(&plan[0]["Plan"])
}

async fn filled(engine: Engine, count: u32) -> (TestApp, String) {
    let app = TestApp::start(engine).await;
    let it = order(&app).await;
    copies(engine, &app, &it, count).await;
    (app, it.reference)
}

/// What is wrong with how these are carried out on PostgreSQL, where the tables are small and then large.
async fn growing<F: Future<Output = (TestApp, String)>>(reads: &[Read], sizes: [u32; 2], fill: impl Fn(u32) -> F) {
    const MODES: [&str; 2] = ["force_custom_plan", "force_generic_plan"];
    let (mut before, mut wrong) = (Vec::new(), Vec::new());
    for size in sizes {
        let (app, reference) = fill(size).await;
        let mut raw = Raw::open(Engine::Postgres, &app).await;
        raw.run("VACUUM ANALYZE".into()).await;
        if size == sizes[0] {
            // Where a table is a few pages, reading it whole is right, and says nothing.
            raw.run("SET enable_seqscan = off".into()).await;
        }
        for (at, (read, mode)) in reads.iter().flat_map(|read| MODES.map(|mode| (read, mode))).enumerate() {
            let touched = explained(&mut raw, read, size, &reference, mode).await;
            let what = format!("{} {} at {size}, {mode}: {touched:?}", read.function, read.at);
            if size == sizes[0] {
                before.push(touched);
                continue;
            }
            // A page, once for each node that its rows pass, with three sessions of each order. A tree of a hundred
            // times the rows is one level higher, for each of the rows.
            let most = (PAGE * 12, 2 * before[at].buffers + PAGE);
            let is_led = touched.indexes.iter().any(|it| read.is_led_by(it));
            if !touched.scanned.is_empty() || !is_led || touched.rows > most.0 || touched.buffers > most.1 {
                wrong.push(format!("{what}, at most {most:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every row of these is found by an index on SQLite, in the order of the page.
async fn found_by_index(reads: &[Read], app: &TestApp) {
    let (mut raw, mut wrong) = (Raw::open(Engine::Sqlite, app).await, Vec::new());
    for read in reads {
        let steps = raw.column(3, format!("EXPLAIN QUERY PLAN {}", read.placed())).await;
        let scans = steps.iter().any(|it| it.starts_with("SCAN ") && !it.contains("CONSTANT ROW"));
        // What a page is sorted by is how it is read; only ids that are asked for are sorted.
        let sorts = steps.iter().any(|it| it.contains("TEMP B-TREE")) && !read.text().contains("{ids}");
        let is_led = steps.iter().any(|it| it.split(' ').any(|word| read.is_led_by(word)));
        if scans || sorts || !is_led {
            wrong.push(format!("{} {}: {steps:?}", read.function, read.at));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_touched_does_not_grow_on_postgres() {
    growing(READS, [SMALL, LARGE], |orders| filled(Engine::Postgres, orders)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_found_by_an_index_on_sqlite() {
    let (app, _) = filled(Engine::Sqlite, LARGE).await;
    found_by_index(READS, &app).await;
}

/// Through the service: every order once, page by page, and each where it is asked for.
async fn pages_are_whole(engine: Engine) {
    let (app, reference) = filled(engine, LARGE).await;
    assert_eq!(count(&app).await, i64::from(LARGE) + 1);
    let police = officer(&app, "KL-TVM");
    let request = pb::CheckComplianceRequest { lookup: lookup(), reference: reference.clone() };
    let checked = police.compliance().check_compliance(request).await.unwrap().into_inner().compliance.unwrap();
    assert_eq!((checked.credited_sessions, checked.unrecorded_sessions), (1, 1));
    let all = pages(&app, "KL-1", pb::ComplianceStatus::Unspecified).await;
    assert_eq!(all.len(), LARGE as usize / 2);
    assert!(all.is_sorted_by(|one, other| one.reference < other.reference));
    assert!(all.iter().all(|it| it.unrecorded_sessions == 1 && it.required_sessions == 12));
    let at_risk = pages(&app, "KL-1", pb::ComplianceStatus::AtRisk).await;
    assert!(at_risk.len() > LARGE as usize / 12);
    let expected: Vec<_> = all.into_iter().filter(|it| it.status() == pb::ComplianceStatus::AtRisk).collect();
    assert_eq!(at_risk.len(), expected.len());
    assert!(at_risk.iter().zip(&expected).all(|(one, other)| one.reference == other.reference));
}

async fn pages(app: &TestApp, district: &str, status: pb::ComplianceStatus) -> Vec<pb::ComplianceView> {
    let police = officer(app, district);
    let mut request = pb::ListComplianceInJurisdictionRequest {
        lookup: lookup(),
        status: status.into(),
        page_size: 500,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let page = police.compliance().list_compliance_in_jurisdiction(request.clone()).await.unwrap().into_inner();
        all.extend(page.compliances);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_whole_on_sqlite() {
    pages_are_whole(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_whole_on_postgres() {
    pages_are_whole(Engine::Postgres).await;
}
