//! "Overdue and due this week" is a page's read, for an organisation and for a counsellor, among the milestones of a
//! hundred thousand survivors.

use aftercare::domain::access::Authority;
use aftercare::domain::ids::{CounsellorId, OrganisationId};
use aftercare::grpc::pb;
use chrono::NaiveDate;

use super::fill::{ORGANISATIONS, Raw, begun, organisations};
use super::{COUNSELLOR, MIDDLE, MOST, OWN, Read, found_by_index, growing, read};
use crate::support::followup::{Followed, enrolled, listed, text};
use crate::support::{Engine, TestApp, date};

/// The kind of thing that a copy of a survivor's first milestone is; the others follow.
pub const FIRST: u32 = 20;
/// The kind of thing that a copy of a counsellor is.
pub const LEADING: u32 = 19;
/// How many survivors have one counsellor.
pub const CLIENTS_EACH: u32 = 50;
const SMALL: u32 = 800;
const LARGE: u32 = 100_000;

const FROM: &str = "'2026-01-20'";
const UNTIL: &str = "'2026-02-15'";

const READS: &[Read] = &[
    read("milestone_list", "LISTED", 0, &[OWN, FROM, MIDDLE, UNTIL, MOST, "NULL"], "milestone_listed"),
    read(
        "milestone_list",
        "LISTED_OF_CLIENTS",
        0,
        &[OWN, FROM, MIDDLE, UNTIL, MOST, "NULL"],
        "milestone_listed_of_clients",
    ),
    read(
        "milestone_list",
        "LISTED_OF_CASES",
        0,
        &[OWN, FROM, MIDDLE, UNTIL, MOST, "NULL"],
        "milestone_listed_of_cases",
    ),
    read(
        "milestone_list",
        "LISTED_OF_RESPONSIBLE",
        0,
        &[COUNSELLOR, FROM, MIDDLE, UNTIL, MOST, "NULL"],
        "milestone_listed_of",
    ),
    read(
        "milestone_list",
        "LISTED_OF_CARER",
        0,
        &[COUNSELLOR, FROM, MIDDLE, UNTIL, MOST, "NULL"],
        "milestone_carer_by_due",
    ),
    read("milestone", "by_ids", 0, &[], "primary key"),
];

/// So many copies of a survivor with a plan: of four organisations and of a counsellor for every fifty, with due days
/// spread over two months.
async fn filled(engine: Engine, count: u32) -> (TestApp, String) {
    let app = TestApp::start(engine).await;
    let it = enrolled(&app).await;
    let concern = pb::ReportConcernRequest {
        client_id: it.client.id.clone(),
        kind: pb::ConcernKind::Threat.into(),
        text: "An example".into(),
        ..Default::default()
    };
    it.ngo.coordinator.follow_up().report_concern(concern).await.unwrap();
    let mut raw = begun(engine, &app, count).await;
    organisations(&mut raw, &it.ngo.id).await;
    copies(&mut raw, &it, count).await;
    raw.run("COMMIT".into()).await;
    raw.run("ANALYZE".into()).await;
    (app, it.client.reference)
}

async fn copies(raw: &mut Raw, of: &Followed, count: u32) {
    let organisation = raw.id_of(1, &format!("i / {CLIENTS_EACH} % {ORGANISATIONS}"));
    let [client, plan] = [2, 3].map(|kind| raw.id_of(kind, "i"));
    let counsellors = format!("(SELECT i - 1 AS i FROM copy WHERE i <= {count} / {CLIENTS_EACH} + 1) AS few");
    let counsellor = raw.id_of(LEADING, "i");
    let which = format!("counsellor.id = {}", raw.id(&of.counsellor.id));
    let code = "'COPY-' || CAST(i AS TEXT)".to_owned();
    raw.copy("counsellor", &counsellors, &which, &[("id", counsellor), ("code", code)]).await;
    let counsellor = raw.id_of(LEADING, &format!("i / {CLIENTS_EACH}"));
    let which = format!("client.id = {}", raw.id(&of.client.id));
    let others =
        [("id", client.clone()), ("organisation_id", organisation.clone()), ("reference", "copy.reference".into())];
    raw.copy("client", "copy", &which, &others).await;
    let all = of.plan().await;
    // Something is open about every tenth.
    for (kind, table) in [(17, "concern"), (18, "escalation")] {
        let which = format!("i % 10 = 0 AND {table}.client_id = {}", raw.id(&of.client.id));
        let mut others = vec![
            ("id", raw.id_of(kind, "i")),
            ("organisation_id", organisation.clone()),
            ("client_id", client.clone()),
        ];
        if table == "escalation" {
            others.extend([("counsellor_id", counsellor.clone()), ("concern_id", raw.id_of(17, "i"))]);
        }
        raw.copy(table, "copy", &which, &others).await;
    }
    let which = format!("follow_up_plan.id = {}", raw.id(&all.plan.id));
    let others = [
        ("id", plan.clone()),
        ("organisation_id", organisation.clone()),
        ("client_id", client.clone()),
        ("counsellor_id", counsellor.clone()),
    ];
    raw.copy("follow_up_plan", "copy", &which, &others).await;
    for (kind, milestone) in (FIRST..).zip(&all.milestones) {
        let id = raw.id_of(kind, "i");
        let which = format!("milestone.id = {}", raw.id(&milestone.id));
        let mut others = vec![
            ("id", id.clone()),
            ("plan_id", plan.clone()),
            ("organisation_id", organisation.clone()),
            ("counsellor_id", counsellor.clone()),
        ];
        let due = match raw {
            Raw::Sqlite(_) => "date('2026-01-05', '+' || CAST(i % 60 AS TEXT) || ' days')".to_owned(),
            Raw::Postgres(_) => "DATE '2026-01-05' + CAST(i % 60 AS INTEGER)".to_owned(),
        };
        if milestone.due_on.is_some() {
            others.extend(["opens_on", "due_on", "closes_on"].map(|column| (column, due.clone())));
        }
        raw.copy("milestone", "copy", &which, &others).await;
        let which = format!("milestone_carer.milestone_id = {}", raw.id(&milestone.id));
        let others = [("milestone_id", id), ("counsellor_id", counsellor.clone()), ("due_on", due)];
        raw.copy("milestone_carer", "copy", &which, &others).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_of_milestones_touches_does_not_grow_on_postgres() {
    growing(READS, [SMALL, LARGE], |count| filled(Engine::Postgres, count)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milestones_are_found_by_an_index_on_sqlite() {
    let (app, _) = filled(Engine::Sqlite, LARGE).await;
    found_by_index(READS, &app).await;
    a_page_is_of_the_week(&app).await;
}

/// Through the service: a page of what is overdue or due this week, in order, and the page that follows it.
async fn a_page_is_of_the_week(app: &TestApp) {
    let until: NaiveDate = "2026-01-11".parse().unwrap();
    let coordinator = app.actor(Authority::Coordinator { organisation_id: OrganisationId(copy_of(1, 1)) });
    let request =
        pb::ListMilestonesRequest { due_until: Some(date(&until.to_string())), page_size: 500, ..Default::default() };
    let first = coordinator.follow_up().list_milestones(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.milestones.len(), 500);
    let next = pb::ListMilestonesRequest { page_token: first.next_page_token, ..request };
    let second = coordinator.follow_up().list_milestones(next).await.unwrap().into_inner();
    let all: Vec<_> = first.milestones.iter().chain(&second.milestones).map(|it| (text(it.due_on), &it.id)).collect();
    assert!(all.is_sorted_by(|one, other| one < other) && all.len() == 1000);
    assert!(all.iter().all(|(on, _)| *on <= until.to_string()));
    let counsellor = app.actor(Authority::Counsellor {
        organisation_id: OrganisationId(copy_of(1, 7 % ORGANISATIONS)),
        counsellor_id: CounsellorId(copy_of(LEADING, 7)),
    });
    let own = listed(&counsellor, pb::ListMilestonesRequest { page_size: 100, ..Default::default() }).await.unwrap();
    assert_eq!(own.len() as u32, CLIENTS_EACH * 3);
}

/// The id of a copy, as the database makes it.
fn copy_of(kind: u32, number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(kind) * 1_000_000 + u128::from(number))
}
