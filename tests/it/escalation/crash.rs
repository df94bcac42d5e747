//! A process is killed while somebody reports a concern, or records a no-show, at every moment in which it asks for the
//! time or for chance: either the cause and the escalation, with its job, are there, or neither is.

use aftercare::domain::access::{Authority, Caller};
use aftercare::domain::attendance::{Detail, Draft};
use aftercare::domain::escalation::ConcernKind;
use aftercare::domain::ids::{ClientId, OrganisationId, SessionId};
use aftercare::domain::outcome::Outcome;
use aftercare::domain::personal::Personal;
use aftercare::grpc::pb;
use aftercare::store::Db;
use aftercare::usecase::attendance::RecordAttendance;
use aftercare::usecase::call::admit;
use aftercare::usecase::followup::concern::ReportConcern;
use aftercare::usecase::{Call, World, mutate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::attendance::set;
use crate::on_both_engines;
use crate::support::deadly::{survives, told};
use crate::support::{Ngo, TestApp, book, booking};

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Step {
    /// Reports a concern about a client of an organisation.
    Concern(Uuid, Uuid),
    /// Records that a client of an organisation did not come to a session.
    NoShow(Uuid, Uuid, Uuid),
}

impl Step {
    async fn take(self, world: &World) {
        match self {
            Step::Concern(at, client_id) => {
                let concern = ReportConcern {
                    client_id: ClientId(client_id),
                    kind: ConcernKind::Threat,
                    learned_at: None,
                    text: Personal::new("Example".into()),
                    counsellor_id: None,
                };
                mutate(world, coordinator(world, at, "ReportConcern").await, concern).await.unwrap();
            }
            Step::NoShow(at, client_id, session_id) => {
                let (outcome, reason) = (Outcome::NoShow, Personal::default());
                let draft = Draft { outcome, detail: Detail::Nothing, reason, verdict: None };
                let (session_id, client_id) = (SessionId(session_id), ClientId(client_id));
                let record = RecordAttendance { session_id, client_id, draft };
                mutate(world, coordinator(world, at, "RecordAttendance").await, record).await.unwrap();
            }
        }
    }
}

/// A call by a coordinator.
async fn coordinator(world: &World, at: Uuid, method: &str) -> Call {
    let authority = Authority::Coordinator { organisation_id: OrganisationId(at) };
    let caller = Caller::without_token("coordinator@test", authority);
    let service = if method == "ReportConcern" { "FollowUpService" } else { "AttendanceService" };
    admit(world, caller, &format!("aftercare.v1.{service}/{method}")).await.unwrap()
}

/// Takes one step in a process that may be killed in it.
#[ignore = "what the tests beside it start as a process of its own"]
#[tokio::test]
async fn child() {
    let Some((step, world)) = told::<Step>().await else { return };
    step.take(&world).await;
}

/// How many concerns, reports, records, escalations and jobs there are.
async fn counts(app: &TestApp) -> [i64; 5] {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let mut counts = [0; 5];
    for (place, text) in [
        "SELECT count(*) FROM concern",
        "SELECT count(*) FROM mandatory_report",
        "SELECT count(*) FROM attendance",
        "SELECT count(*) FROM escalation",
        "SELECT count(*) FROM job WHERE kind = 'pass_on_escalation'",
    ]
    .into_iter()
    .enumerate()
    {
        counts[place] = tx.sql(text).maybe::<(i64,)>().await.unwrap().unwrap().0;
    }
    counts
}

on_both_engines! {
    async fn cause_and_escalation_are_both_there_or_neither(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut sessions = Vec::new();
        for day in 24..30 {
            let request = booking(&ngo, &counsellor, &client, &format!("2026-11-{day}T04:30:00Z"));
            sessions.push(book(&ngo.coordinator, request).await.unwrap());
        }
        set(&app, &mut ngo, "2026-11-29T06:00:00Z");
        let (at, client_id): (Uuid, Uuid) = (ngo.id.parse().unwrap(), client.id.parse().unwrap());
        let mut moments = [0, 0];
        let mut before = counts(&app).await;
        loop {
            moments[0] += 1;
            let survived = survives(&app, "escalation::crash::child", Step::Concern(at, client_id), moments[0]).await;
            let after = counts(&app).await;
            let opened = after[0] - before[0];
            assert!(opened == i64::from(survived) || (!survived && opened == 1), "{before:?} {after:?}");
            assert_eq!(after, [before[0] + opened, before[1] + opened, before[2], before[3] + opened, before[4] + opened]);
            before = after;
            if survived {
                break;
            }
        }
        // The first no-show asks for a check; of those after it, each asks for a review as well.
        let mut left = sessions.iter();
        let mut session = left.next().unwrap();
        let mut first = true;
        loop {
            moments[1] += 1;
            let step = Step::NoShow(at, client_id, session.id.parse().unwrap());
            let survived = survives(&app, "escalation::crash::child", step, moments[1]).await;
            let after = counts(&app).await;
            let recorded = after[2] - before[2];
            assert!(recorded == i64::from(survived) || (!survived && recorded == 1), "{before:?} {after:?}");
            let raised = recorded * if first { 1 } else { 2 };
            assert_eq!(after, [before[0], before[1], before[2] + recorded, before[3] + raised, before[4] + raised]);
            before = after;
            if survived {
                break;
            }
            if recorded == 1 {
                first = false;
                session = left.next().unwrap();
            }
        }
        assert!(moments.iter().all(|it| *it >= 5), "{moments:?}");
        eprintln!("killed at {moments:?} moments");
    }
}
