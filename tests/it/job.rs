//! Jobs: enqueued with their cause, done once by one of many, tried again, given up, given back.

mod kinds;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use aftercare::domain::job::{Entry, JobState, LEASE, MOST_ATTEMPTS};
use aftercare::grpc::pb;
use aftercare::jobs::{self, Handler, Worker, Workers};
use aftercare::store::Target;
use aftercare::usecase::job::{self, Failure, Job};
use aftercare::usecase::{Call, World, mutate};
use chrono::TimeDelta;
use futures_util::future::join_all;
use tokio::sync::Notify;
use uuid::Uuid;

use self::kinds::*;
use crate::on_both_engines;
use crate::support::TestApp;

async fn enqueue<J: Job>(app: &TestApp, jobs: impl IntoIterator<Item = J>) {
    enqueue_after(app, TimeDelta::zero(), jobs).await;
}

async fn enqueue_after<J: Job>(app: &TestApp, after: TimeDelta, jobs: impl IntoIterator<Item = J>) {
    let cause = Cause { jobs: jobs.into_iter().collect(), after, refused: false };
    mutate(app.world(), Call::of_program("cause"), cause).await.unwrap();
}

async fn queue(app: &TestApp) -> Vec<Entry> {
    job::list(app.world(), None).await.unwrap()
}

/// The one job there is.
async fn only(app: &TestApp) -> Entry {
    let [it] = <[Entry; 1]>::try_from(queue(app).await).expect("one job");
    it
}

/// The one job of a kind.
async fn waiting(app: &TestApp, kind: &str) -> Entry {
    let mut all = queue(app).await;
    all.retain(|it| it.kind == kind);
    let [it] = <[Entry; 1]>::try_from(all).expect("one job of the kind");
    it
}

/// How often a kind of job took effect.
async fn done(app: &TestApp, kind: &str) -> usize {
    app.audit().await.iter().filter(|it| it.action == kind && it.outcome == "DONE").count()
}

fn engine(app: &TestApp) -> usize {
    usize::from(matches!(app.db.target, Target::Postgres(_)))
}

/// What another process has of the same database.
async fn beside(app: &TestApp) -> World {
    app.another_world(4, u64::MAX).await
}

/// What the command line says.
async fn cli(app: &TestApp, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.arg("jobs").args(arguments).env("AFTERCARE_DATA_DIR", app.data_dir());
    match app.db.target {
        Target::Sqlite(_) => command.env_remove("AFTERCARE_DATABASE_URL"),
        Target::Postgres(_) => command.env("AFTERCARE_DATABASE_URL", &app.db.url),
    };
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

on_both_engines! {
    async fn a_job_comes_with_its_cause_or_not_at_all(app) {
        let refused = Cause { jobs: vec![Note(1)], after: TimeDelta::zero(), refused: true };
        mutate(app.world(), Call::of_program("cause"), refused).await.unwrap_err();
        assert!(queue(&app).await.is_empty());
        enqueue(&app, [Note(1)]).await;
        app.run_jobs_with(&[Handler::of::<Note>()]).await;
        assert!(queue(&app).await.is_empty());
        assert_eq!(done(&app, "note").await, 1);
    }

    async fn nothing_is_done_before_its_time(app) {
        enqueue_after(&app, TimeDelta::minutes(5), [Note(1)]).await;
        app.clock.advance(TimeDelta::minutes(5) - TimeDelta::microseconds(1));
        app.run_jobs_with(&[Handler::of::<Note>()]).await;
        assert_eq!(done(&app, "note").await, 0);
        app.clock.advance(TimeDelta::microseconds(1));
        app.run_jobs_with(&[Handler::of::<Note>()]).await;
        assert_eq!(done(&app, "note").await, 1);
    }

    async fn eight_rivals_do_each_job_once(app) {
        enqueue(&app, (0..100).map(Note)).await;
        let worlds = [app.world().clone(), beside(&app).await];
        join_all((0..8).map(|it| {
            let worker = Worker::new(worlds[it % 2].clone(), [Handler::of::<Note>()]);
            tokio::spawn(async move { while worker.next().await.unwrap() {} })
        }))
        .await;
        let audit = app.audit().await;
        let mut which: Vec<_> = audit.iter().filter(|it| it.action == "note").map(|it| &it.subjects).collect();
        assert_eq!(which.len(), 100);
        which.sort();
        which.dedup();
        assert_eq!(which.len(), 100);
        assert!(queue(&app).await.is_empty());
    }

    async fn whoever_comes_back_too_late_has_no_effect(app) {
        enqueue(&app, [Note(1)]).await;
        let claim = async || job::claim(app.world(), app.world().uuid(), &["note"]).await.unwrap();
        let first = claim().await.unwrap();
        app.clock.advance(LEASE - TimeDelta::microseconds(1));
        assert!(claim().await.is_none());
        app.clock.advance(TimeDelta::microseconds(1));
        let second = claim().await.unwrap();
        assert_eq!((first.id, second.attempts), (second.id, 2));
        job::run::<Note>(app.world(), &first).await.unwrap_err();
        let failure = Failure { may_help: false, says: "late".into() };
        job::fail(app.world(), &first, None, &failure).await.unwrap();
        assert!(only(&app).await.leased);
        assert_eq!((only(&app).await.last_error, done(&app, "note").await), (None, 0));
        job::run::<Note>(app.world(), &second).await.unwrap();
        job::run::<Note>(app.world(), &second).await.unwrap_err();
        assert_eq!((queue(&app).await.len(), done(&app, "note").await), (0, 1));
    }

    async fn a_failed_job_is_tried_again_and_then_given_up(app) {
        enqueue(&app, [Broken]).await;
        let mut waited = TimeDelta::zero();
        for attempt in 1..MOST_ATTEMPTS {
            app.run_jobs_with(&[Handler::of::<Broken>(), Handler::of::<Note>()]).await;
            let it = only(&app).await;
            assert_eq!((it.state, it.attempts, it.leased), (JobState::Queued, attempt, false));
            let wait = it.due_at - app.now();
            assert!(wait > waited / 2, "{attempt}: {wait} after {waited}");
            waited = wait;
            app.clock.set(it.due_at);
        }
        app.run_jobs_with(&[Handler::of::<Broken>()]).await;
        let it = only(&app).await;
        assert_eq!((it.state, it.last_error.as_deref()), (JobState::Dead, Some("INTERNAL: internal: exists already")));
        app.clock.advance(TimeDelta::days(30));
        app.run_jobs_with(&[Handler::of::<Mended>()]).await;
        // What it did before it failed never happened.
        assert_eq!((queue(&app).await.len(), done(&app, "broken").await, done(&app, "note").await), (1, 0, 0));

        let id = it.id.to_string();
        let (_, dead) = cli(&app, &["list", "--dead"]).await;
        assert!(dead.starts_with(&format!("{id}\tDEAD\tbroken\t{MOST_ATTEMPTS}\t")), "{dead}");
        assert_eq!(cli(&app, &["retry", &id]).await, (true, "1 queued again\n".into()));
        assert_eq!(cli(&app, &["list", "--dead"]).await, (true, String::new()));
        assert!(cli(&app, &["list"]).await.1.contains("\tQUEUED\tbroken\t0\t"));
        assert!(cli(&app, &["retry", &id]).await.1.contains("dead job not found"));
        app.run_jobs_with(&[Handler::of::<Mended>()]).await;
        assert_eq!((queue(&app).await.len(), done(&app, "broken").await), (0, 1));
    }

    async fn what_is_refused_is_given_up_at_once(app) {
        enqueue(&app, [Refused("A".into()), Refused("B".into())]).await;
        app.run_jobs_with(&[Handler::of::<Refused>(), Handler::of::<Note>()]).await;
        assert!(queue(&app).await.iter().all(|it| it.state == JobState::Dead && it.attempts == 1));
        let audit = app.audit().await;
        assert_eq!(audit.iter().filter(|it| it.action == "refused" && it.outcome == "REFUSED").count(), 2);
        assert_eq!(done(&app, "note").await, 0);
        // A dead letter is not in the way of a new cause, nor that one in the way of its return.
        enqueue(&app, [Refused("A".into())]).await;
        assert_eq!(queue(&app).await.len(), 3);
        assert_eq!(cli(&app, &["retry", "--all-dead"]).await, (true, "2 queued again\n".into()));
        assert!(queue(&app).await.iter().all(|it| it.state == JobState::Queued));
    }

    async fn one_bad_job_does_not_stop_the_others(app) {
        enqueue(&app, [Panics]).await;
        enqueue(&app, [Refused("A".into())]).await;
        enqueue(&app, [Unreadable("of old".into())]).await;
        enqueue(&app, [Unknown]).await;
        enqueue_after(&app, TimeDelta::seconds(1), [Note(1)]).await;
        app.clock.advance(TimeDelta::seconds(1));
        let handlers = [Handler::of::<Panics>(), Handler::of::<Refused>(), Handler::of::<Note>()];
        app.run_jobs_with(&handlers).await;
        assert_eq!(done(&app, "note").await, 1);
        let mut left: Vec<_> = queue(&app).await.into_iter().map(|it| (it.kind, it.state, it.attempts)).collect();
        left.sort();
        let expected = [
            ("note".into(), JobState::Dead, 1),
            ("panics".into(), JobState::Queued, 1),
            ("refused".into(), JobState::Dead, 1),
            // Enqueued by a newer program, and left to it.
            ("unknown".into(), JobState::Queued, 0),
        ];
        assert_eq!(left, expected);
    }

    async fn a_job_that_no_worker_survives_is_given_up(app) {
        enqueue(&app, [Note(1)]).await;
        for _ in 0..MOST_ATTEMPTS {
            job::claim(app.world(), app.world().uuid(), &["note"]).await.unwrap().unwrap();
            app.clock.advance(LEASE);
        }
        app.run_jobs_with(&[Handler::of::<Note>()]).await;
        assert_eq!((only(&app).await.state, done(&app, "note").await), (JobState::Dead, 0));
    }

    async fn two_causes_under_one_key_are_one_job_at_the_earlier_time(app) {
        let due = |minutes| app.now() + TimeDelta::minutes(minutes);
        let enqueue = async |minutes| enqueue_after(&app, TimeDelta::minutes(minutes), [Keyed("A".into())]).await;
        enqueue(10).await;
        enqueue(20).await;
        assert_eq!(only(&app).await.due_at, due(10));
        enqueue(5).await;
        assert_eq!(only(&app).await.due_at, due(5));
        enqueue_after(&app, TimeDelta::zero(), [Keyed("B".into()), Keyed("B".into())]).await;
        app.clock.advance(TimeDelta::minutes(5));
        app.run_jobs_with(&[Handler::of::<Keyed>()]).await;
        assert_eq!((queue(&app).await.len(), done(&app, "keyed").await), (0, 2));
        // What is done is in no new job's way.
        enqueue(0).await;
        app.run_jobs_with(&[Handler::of::<Keyed>()]).await;
        assert_eq!(done(&app, "keyed").await, 3);
    }

    async fn a_cause_that_found_its_job_queued_is_seen_by_it(app) {
        enqueue(&app, [Looks]).await;
        let leased = job::claim(app.world(), app.world().uuid(), &["looks"]).await.unwrap().unwrap();
        let (wanted, looked) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let change = LateChange { wanted: wanted.clone(), looked: looked.clone() };
        let looking = async {
            wanted.notified().await;
            let result = job::run::<Looks>(app.world(), &leased).await;
            looked.notify_one();
            result
        };
        let (changed, ran) = tokio::join!(mutate(app.world(), Call::of_program("cause"), change), looking);
        changed.unwrap();
        ran.unwrap();
        let audit = app.audit().await;
        assert!(audit.iter().any(|it| it.action == "looks" && it.details.contains("SAW_1")), "{audit:?}");
        assert_eq!(only(&app).await.kind, "note");
    }

    async fn what_recurs_does_so_once_an_hour_for_all_processes(app) {
        let processes = [app.world().clone(), beside(&app).await];
        let handlers = jobs::all();
        let started = join_all(processes.iter().map(|it| Workers::start(it, &handlers, 1))).await;
        for workers in started {
            workers.unwrap().drain(Duration::from_secs(30)).await;
        }
        assert_eq!(waiting(&app, "forget_old").await.due_at, app.now() + TimeDelta::hours(1));
        app.run_jobs().await;
        assert_eq!(done(&app, "forget_old").await, 0);
        for hour in 1..=3 {
            app.clock.advance(TimeDelta::hours(1));
            app.run_jobs().await;
            assert_eq!(done(&app, "forget_old").await, hour);
            assert_eq!(waiting(&app, "forget_old").await.due_at, app.now() + TimeDelta::hours(1));
        }
    }

    async fn a_request_id_is_forgotten_after_a_week(app) {
        let create = async |code: &str| {
            let district = "KL-TVM".into();
            let organisation =
                pb::Organisation { code: code.into(), name: "Example".into(), kind: 1, district, ..Default::default() };
            let request = pb::CreateOrganisationRequest { request_id: Uuid::nil().into(), organisation: Some(organisation) };
            app.admin().directory().create_organisation(request).await
        };
        create("A").await.unwrap();
        job::schedule(app.world(), "forget_old", TimeDelta::hours(1)).await.unwrap();
        for (wait, forgotten) in [(TimeDelta::days(7), false), (TimeDelta::hours(1), true)] {
            app.clock.advance(wait);
            app.run_jobs().await;
            assert_eq!(create("B").await.is_ok(), forgotten);
        }
    }

    async fn what_recurs_is_never_given_up(app) {
        job::schedule(app.world(), "hourly", TimeDelta::hours(1)).await.unwrap();
        for _ in 0..2 * MOST_ATTEMPTS {
            app.clock.advance(TimeDelta::hours(1));
            app.run_jobs_with(&[Handler::of::<Hourly>()]).await;
            let it = only(&app).await;
            assert_eq!((it.state, it.attempts), (JobState::Queued, 0));
            assert_eq!((it.due_at, it.last_error.is_some()), (app.now() + TimeDelta::hours(1), true));
        }
    }

    async fn whoever_stops_lets_jobs_end_or_gives_them_back(app) {
        let me = engine(&app);
        let start = async || Workers::start(app.world(), &[Handler::of::<Waits>()], 2).await.unwrap();
        let workers = start().await;
        enqueue(&app, [Waits(me)]).await;
        said(&BEGUN[me]).await;
        assert!(only(&app).await.leased);
        workers.drain(Duration::ZERO).await;
        let it = only(&app).await;
        assert_eq!((it.state, it.leased, it.attempts, it.due_at), (JobState::Queued, false, 0, app.now()));
        // Let go too late, it has no effect.
        GO_ON[me].add_permits(1);

        let workers = start().await;
        said(&BEGUN[me]).await;
        GO_ON[me].add_permits(1);
        workers.drain(Duration::from_secs(30)).await;
        assert_eq!((queue(&app).await.len(), done(&app, "waits").await), (0, 1));
        assert_eq!(BEGUN[me].available_permits(), 0, "whoever lost the job began it again");
    }
}
