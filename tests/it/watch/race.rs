//! What many commit at once, late, or just before they die is heard of once each, in order, and by everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aftercare::domain::feed::Topic;
use aftercare::domain::ids::{OrganisationId, SessionId};
use aftercare::domain::session::CancelReason as Reason;
use aftercare::grpc::pb;
use aftercare::store::codec::Instant;
use aftercare::store::{Db, Lock, Target, feed, session};
use aftercare::usecase::World;
use aftercare::usecase::feed::sequence;
use chrono::TimeDelta;
use futures_util::future::join_all;
use uuid::Uuid;

use super::{ELEVEN, TEN, TWELVE, Watching, list};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking};

/// Which version of which session.
type Written = (String, i64);

fn written(session: &pb::Session) -> Written {
    (session.id.clone(), session.etag.parse().unwrap())
}

fn topic(ngo: &Ngo) -> Topic {
    Topic::Sessions(ngo.id.parse::<OrganisationId>().unwrap())
}

/// Everything that has a position in a topic.
async fn ordered(app: &TestApp, topic: &Topic) -> Vec<feed::Entry> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    feed::after(&mut tx, topic, 0, i64::MAX).await.unwrap()
}

/// Positions without gaps, everything once, and the versions of each session in order.
fn check(entries: &[feed::Entry], expected: &BTreeSet<Written>) {
    let positions: Vec<i64> = entries.iter().map(|it| it.position).collect();
    assert_eq!(positions, (1..=i64::try_from(entries.len()).unwrap()).collect::<Vec<_>>());
    let mut last = BTreeMap::new();
    let mut all = BTreeSet::new();
    for it in entries {
        let before = last.insert(it.aggregate_id, it.version);
        assert!(before.is_none_or(|before| before < it.version), "{before:?} before {it:?}");
        assert!(all.insert((it.aggregate_id.to_string(), it.version)), "twice: {it:?}");
    }
    assert_eq!(&all, expected);
}

/// Books twice and cancels once, now here and now there.
async fn writer(ngo: &Ngo, actors: [Actor; 2], counsellor: pb::Counsellor, client: pb::Client) -> Vec<Written> {
    let mut all = Vec::new();
    for (actor, start) in actors.iter().zip([TEN, ELEVEN]) {
        let session = book(actor, booking(ngo, &counsellor, &client, start)).await.unwrap();
        all.push(written(&session));
        if start == TEN {
            let request = pb::CancelSessionRequest {
                session_id: session.id.clone(),
                etag: session.etag.clone(),
                reason: pb::CancelReason::Client.into(),
                ..Default::default()
            };
            let cancelled = actors[1].scheduling().cancel_session(request).await.unwrap().into_inner().session;
            all.push(written(&cancelled.unwrap()));
        }
    }
    all
}

on_both_engines! {
    async fn thirty_who_write_at_two_processes_are_heard_of_once_each(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut pairs = Vec::new();
        for number in 0..30 {
            pairs.push((ngo.counsellor(&format!("C{number}"), pb::Side::Survivor).await, ngo.survivor().await));
        }
        let beside = app.beside().await;
        let (here, there) = (ngo.coordinator.clone(), beside.bearer(ngo.coordinator.token.clone()));
        let mut watching = [Watching::now(&here).await, Watching::now(&there).await];
        let writers = pairs.into_iter().enumerate().map(|(number, (counsellor, client))| {
            let actors = if number % 2 == 0 { [here.clone(), there.clone()] } else { [there.clone(), here.clone()] };
            writer(&ngo, actors, counsellor, client)
        });
        let expected: BTreeSet<Written> = join_all(writers).await.into_iter().flatten().collect();
        assert_eq!(expected.len(), 90);
        let mut orders = Vec::new();
        for watching in &mut watching {
            let mut heard = Vec::new();
            for _ in 0..expected.len() {
                let it = watching.heard().await;
                heard.push((it.session.id, it.version));
            }
            orders.push(heard);
        }
        // Both heard everything, and in one order.
        assert_eq!(orders[0].iter().cloned().collect::<BTreeSet<_>>(), expected);
        assert_eq!(orders[0], orders[1]);
        check(&ordered(&app, &topic(&ngo)).await, &expected);
    }

    async fn whoever_reads_slowly_loses_nothing(app) {
        const SESSIONS: usize = 8;
        const CHANGES: i64 = 250;
        let ngo = Ngo::new(&app, "A").await;
        let client = ngo.survivor().await;
        let mut ids = Vec::new();
        let mut expected = BTreeSet::new();
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let mut quick = Watching::now(&ngo.coordinator).await;
        for day in 1..=SESSIONS {
            let start = format!("2026-12-{day:02}T04:30:00Z");
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &start)).await.unwrap();
            expected.insert(written(&session));
            ids.push(session.id.parse::<Uuid>().unwrap());
        }
        let start = list(&ngo.coordinator).await.watch_cursor;
        let narrow = app.at_a_narrow_channel(&ngo.coordinator).await;
        let mut slow = Watching::from(&narrow, &start).await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        for version in 2..2 + CHANGES {
            let mut tx = db.begin_write().await.unwrap();
            for id in &ids {
                feed::note(&mut tx, &topic(&ngo), *id, version, None, Instant(app.now()));
                expected.insert((id.to_string(), version));
            }
            tx.commit().await.unwrap();
        }
        let last = 1 + CHANGES;
        let mut left = SESSIONS;
        while left > 0 {
            left -= usize::from(quick.heard().await.version == last);
        }
        // Only now does the other read what there was.
        let mut heard: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        while heard.values().filter(|versions| versions.last() == Some(&last)).count() < SESSIONS {
            let it = slow.heard().await;
            heard.entry(it.session.id).or_default().push(it.version);
        }
        for versions in heard.values() {
            // The first may have been in the list.
            let expected: Vec<i64> = (versions[0]..=last).collect();
            assert!(versions[0] <= 2 && *versions == expected, "{versions:?}");
        }
        check(&ordered(&app, &topic(&ngo)).await, &expected);
    }

    async fn whoever_does_not_read_does_not_hold_up_the_end(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut quick = Watching::now(&ngo.coordinator).await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let narrow = app.at_a_narrow_channel(&ngo.coordinator).await;
        let _never_read = Watching::from(&narrow, "").await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        for version in 2..=1000 {
            let id = session.id.parse().unwrap();
            feed::note(&mut tx, &topic(&ngo), id, version, None, Instant(app.now()));
        }
        tx.commit().await.unwrap();
        while quick.heard().await.version < 1000 {}
        // The limit of the drain is longer.
        tokio::time::timeout(Duration::from_secs(4), app.stop()).await.expect("an end");
    }

    async fn whoever_commits_late_is_not_passed_over(app) {
        // On SQLite nobody else writes meanwhile.
        if matches!(app.db.target, Target::Sqlite(_)) {
            return;
        }
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let (client, second) = (ngo.survivor().await, ngo.survivor().await);
        let mut watching = Watching::now(&ngo.coordinator).await;
        let late = book(&ngo.coordinator, booking(&ngo, &one, &client, TEN)).await.unwrap();
        assert_eq!(watching.heard().await.session, late);
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let id: SessionId = late.id.parse().unwrap();
        let session = session::find(&mut tx, id, Lock::Update).await.unwrap().unwrap();
        let cancelled = session.cancel(app.now(), Reason::Client).unwrap();
        // It is noted before all others, and committed after them.
        let early = Instant(app.now() - TimeDelta::seconds(5));
        session::update(&mut tx, &cancelled, early).await.unwrap();
        let mut heard = Vec::new();
        for start in [ELEVEN, TWELVE] {
            let session = book(&ngo.coordinator, booking(&ngo, &other, &second, start)).await.unwrap();
            let it = watching.heard().await;
            assert_eq!(it.session.id, session.id);
            heard.push(it);
        }
        tx.commit().await.unwrap();
        let it = watching.heard().await;
        assert_eq!((it.session.id, it.session.state), (late.id.clone(), pb::SessionState::Cancelled.into()));
        // Nor by who comes back with a cursor of before it was committed.
        let mut again = Watching::from(&ngo.coordinator, &heard[0].cursor).await.unwrap();
        assert_eq!((again.heard().await, again.heard().await.session.id), (heard.remove(1), late.id));
    }

    async fn versions_come_in_order_whatever_the_clocks_say(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let topic = topic(&ngo);
        app.stop().await;
        let world = without_pump(&app).await;
        let (fast, slow) = (Uuid::from_u128(2), Uuid::from_u128(1));
        let mut expected = BTreeSet::new();
        // The clock of whoever wrote the odd versions of one goes ahead by a minute.
        for version in 1..=450_i64 {
            for id in [fast, slow] {
                let ahead = TimeDelta::minutes(if id == fast { version % 2 } else { 0 });
                let mut tx = world.db().begin_write().await.unwrap();
                feed::note(&mut tx, &topic, id, version, None, Instant(app.now() + ahead));
                tx.commit().await.unwrap();
                expected.insert((id.to_string(), version));
            }
        }
        while sequence(&world).await.unwrap() {}
        check(&ordered(&app, &topic).await, &expected);
    }

    async fn whoever_is_killed_before_it_is_in_order_loses_nothing(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let cursor = list(&ngo.coordinator).await.watch_cursor;
        app.stop().await;
        // What a process leaves behind that dies right after its commit.
        let world = without_pump(&app).await;
        let mut tx = world.db().begin_write().await.unwrap();
        let id: SessionId = session.id.parse().unwrap();
        let booked = session::find(&mut tx, id, Lock::Update).await.unwrap().unwrap();
        let cancelled = booked.cancel(app.now(), Reason::Client).unwrap();
        session::update(&mut tx, &cancelled, Instant(app.now())).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = world.db().begin_read().await.unwrap();
        assert!(feed::head(&mut tx).await.unwrap().pending);
        drop(tx);
        app.restart().await;
        let coordinator = app.bearer(ngo.coordinator.token.clone());
        let mut watching = Watching::from(&coordinator, &cursor).await.unwrap();
        let mut heard = watching.heard().await;
        if heard.version == 1 {
            heard = watching.heard().await;
        }
        assert_eq!((heard.version, heard.session.state), (2, pb::SessionState::Cancelled.into()));
    }

    async fn what_has_its_place_keeps_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut watching = Watching::now(&ngo.coordinator).await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        watching.heard().await;
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let error = tx.sql("UPDATE feed SET position = 7").run().await.unwrap_err();
        assert!(format!("{error:?}").contains("aftercare:append_only"), "{error:?}");
    }
}

/// A process over the database of a test that orders nothing.
async fn without_pump(app: &TestApp) -> World {
    app.another_world(2, u64::MAX).await
}
