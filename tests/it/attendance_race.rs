//! Rivals over one record, histories by chance, and faults halfway: whatever happens, the history is whole.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::{Db, Target};
use chrono::TimeDelta;
use futures_util::future::join_all;
use pb::AttendanceOutcome as Outcome;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tonic::Code;

use crate::attendance::set;
use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::attendance::{amend, amending, decide, deciding, history, record, recording, unrecorded};
use crate::support::{Ngo, TestApp, book, booking, group_of, joining, leaving, refused, remove};

const TEN: &str = "2026-11-24T04:30:00Z";

/// Of every session, how many it says are unrecorded, and how many are.
async fn counts(app: &TestApp) -> Vec<(i64, i64)> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let sql = tx.sql(
        "SELECT session.unrecorded, (SELECT count(*) FROM session_participant AS it WHERE it.session_id = session.id
            AND it.removed_at IS NULL AND it.attendance_id IS NULL) FROM session",
    );
    sql.all().await.unwrap()
}

on_both_engines! {
    async fn of_rivals_one_records_and_one_corrects(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let beside = app.beside().await;
        let mut sessions = Vec::new();
        for round in 0..6 {
            let client = ngo.offender().await;
            let start = format!("2026-11-{}T04:30:00Z", 24 + round);
            sessions.push((book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &start)).await.unwrap(), client));
        }
        set(&app, &mut ngo, "2026-11-30T04:30:00Z");
        let there = beside.bearer(ngo.coordinator.token.clone());
        let actors = [&ngo.coordinator, &there, &ngo.coordinator, &there];
        for (session, client) in &sessions {
            let rivals = [Outcome::NoShow, Outcome::Late, Outcome::Refused, Outcome::AttendedComplied];
            let all = rivals.iter().zip(actors).map(|(it, actor)| record(actor, recording(session, client, *it)));
            let all = join_all(all).await;
            assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 1, "{all:?}");
            let lost = all.iter().filter_map(|it| it.as_ref().err()).map(|it| refused(it).reason);
            assert!(lost.into_iter().all(|reason| reason == "ALREADY_RECORDED"), "{all:?}");
            let all = rivals.iter().zip(actors).map(|(it, actor)| amend(actor, amending(session, client, "1", *it)));
            let all = join_all(all).await;
            assert_eq!(all.iter().filter(|it| it.is_ok()).count(), 1, "{all:?}");
            let lost = all.iter().filter_map(|it| it.as_ref().err());
            assert!(lost.into_iter().all(|it| it.code() == Code::Aborted), "{all:?}");
            let records = history(&ngo.coordinator, session).await.unwrap().remove(0).records;
            assert_eq!(records.iter().map(|it| it.etag.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        }
        no_deadlock(&app).await;
    }

    async fn a_group_is_recorded_while_people_join_and_leave(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let clients = join_all((0..6).map(|_| ngo.offender())).await;
        let group = group_of(6, &clients[..4], booking(&ngo, &counsellor, &clients[0], TEN));
        let session = book(&ngo.coordinator, group).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T04:20:00Z");
        let me = &ngo.coordinator;
        let recorded = [0, 1, 2].map(|at| record(me, recording(&session, &clients[at], Outcome::AttendedComplied)));
        let joined = [4, 5].map(|at| crate::support::join(me, joining(&session, &clients[at])));
        let (recorded, joined, left) =
            tokio::join!(join_all(recorded), join_all(joined), remove(me, leaving(&session, &clients[3])));
        assert!(recorded.iter().all(Result::is_ok) && joined.iter().all(Result::is_ok), "{recorded:?} {joined:?}");
        // Who leaves may have read the session before somebody joined.
        assert!(left.is_ok() || left.unwrap_err().code() == Code::Aborted);
        set(&app, &mut ngo, "2026-11-24T05:30:00Z");
        let counts = counts(&app).await;
        assert!(counts.iter().all(|(says, are)| says == are), "{counts:?}");
        let open = unrecorded(&ngo.coordinator).await.remove(0);
        assert!(clients[4..].iter().all(|it| open.client_ids.contains(&it.id)), "{open:?}");
        no_deadlock(&app).await;
    }

    async fn what_fails_halfway_has_not_happened(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        let mut request = recording(&session, &client, Outcome::AcceptableMedical);
        request.request_id = "0193a5e0-0000-7000-8000-000000000001".into();
        let facts = request.facts.as_mut().unwrap();
        (facts.evidence_reference, facts.verifier) = ("certificate 12".into(), "the registrar".into());
        // The decision that is made with the record cannot be written.
        let (fail, mend) = match &app.db.target {
            Target::Sqlite(_) => (
                "CREATE TRIGGER fault BEFORE INSERT ON absence_decision BEGIN SELECT RAISE(ABORT, 'fault'); END",
                "DROP TRIGGER fault",
            ),
            Target::Postgres(_) => (
                "CREATE TRIGGER fault BEFORE INSERT ON absence_decision FOR EACH ROW EXECUTE FUNCTION refuse_change()",
                "DROP TRIGGER fault ON absence_decision",
            ),
        };
        let change = async |sql: &'static str| {
            let db = Db::open(&app.db.target, 1).await.unwrap();
            let mut tx = db.begin_write().await.unwrap();
            tx.sql(sql).run().await.unwrap();
            tx.commit().await.unwrap();
        };
        change(fail).await;
        assert_eq!(record(&ngo.coordinator, request.clone()).await.unwrap_err().code(), Code::Internal);
        assert!(history(&ngo.coordinator, &session).await.unwrap().is_empty());
        assert_eq!((unrecorded(&ngo.coordinator).await.len(), counts(&app).await), (1, vec![(1, 1)]));
        change(mend).await;
        record(&ngo.coordinator, request).await.unwrap();
        let whole = history(&ngo.coordinator, &session).await.unwrap().remove(0);
        assert_eq!((whole.records.len(), whole.decisions.len()), (1, 1));
    }

    async fn a_history_is_complete_whatever_is_done(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let authority = Authority::Coordinator { organisation_id: ngo.id.parse().unwrap() };
        let config = Config { failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let steps = proptest::collection::vec((0u8..3, 0usize..22, any::<bool>(), 0i64..40, 0u8..2), 1..14);
        for case in 0..12 {
            let client = ngo.offender().await;
            let start = app.now() + TimeDelta::days(2);
            let start = start.format("%Y-%m-%dT04:30:00Z").to_string();
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &start)).await.unwrap();
            app.clock.set(start.parse().unwrap());
            let mut expected = Model::default();
            for (what, outcome, right, hours, who) in steps.new_tree(&mut runner).unwrap().current() {
                app.clock.advance(TimeDelta::hours(hours));
                let name = format!("person-{who}@A");
                let actor = app.bearer(app.token(&name, authority.clone(), app.now(), TimeDelta::hours(1)));
                let outcome = Outcome::try_from(outcome as i32 + 1).unwrap();
                let etag = (expected.records.len() + usize::from(!right)).to_string();
                match what {
                    0 => expected.record(outcome, record(&actor, recording(&session, &client, outcome)).await),
                    1 => expected.record(outcome, amend(&actor, amending(&session, &client, &etag, outcome)).await),
                    _ => expected.decide(decide(&actor, deciding(&session, &client, &etag, right)).await),
                }
            }
            ngo.sign_in(&app);
            let seen = history(&ngo.coordinator, &session).await.unwrap();
            let (mut records, mut decisions) = (Vec::new(), Vec::new());
            if let Some(seen) = seen.into_iter().next() {
                let last = seen.records.len() - 1;
                assert!(seen.records.iter().enumerate().all(|(at, it)| it.superseded == (at < last)));
                let standing = |it: &&pb::AbsenceDecision| !it.superseded;
                assert!(seen.decisions.iter().filter(standing).all(|it| it.attendance_id == seen.records[last].id));
                records = seen.records.iter().map(|it| pb::Attendance { superseded: false, ..it.clone() }).collect();
                decisions = seen.decisions.iter().map(|it| pb::AbsenceDecision { superseded: false, ..it.clone() }).collect();
            }
            assert_eq!((&records, &decisions), (&expected.records, &expected.decisions), "case {case}");
            let counts = counts(&app).await;
            assert!(counts.iter().all(|(says, are)| says == are), "{counts:?}");
        }
    }
}

/// What was answered to have been done, in order.
#[derive(Default)]
struct Model {
    records: Vec<pb::Attendance>,
    decisions: Vec<pb::AbsenceDecision>,
}

impl Model {
    fn record(&mut self, outcome: Outcome, answer: Result<pb::Attendance, tonic::Status>) {
        let Ok(made) = answer else { return };
        assert_eq!(made.etag, (self.records.len() + 1).to_string());
        assert_eq!(made.facts.as_ref().unwrap().outcome(), outcome);
        let before = self.records.last().map(|it| it.id.clone()).unwrap_or_default();
        assert_eq!(made.supersedes_attendance_id, before);
        self.records.push(made);
    }

    fn decide(&mut self, answer: Result<pb::AbsenceDecision, tonic::Status>) {
        let Ok(made) = answer else { return };
        assert_eq!(made.attendance_id, self.records.last().unwrap().id);
        self.decisions.push(made);
    }
}
