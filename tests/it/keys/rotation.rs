//! The wrapping key is replaced while services run.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aftercare::domain::personal::Personal;
use aftercare::store::codec::Instant;
use aftercare::store::seal::Place;
use aftercare::store::{Error, key_store};
use aftercare::usecase::{World, keys};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{apart, cli, get, key_store as store_of};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, unless};

/// How many owners have keys, besides clients; a benchmark has more of them.
fn owners() -> u128 {
    unless("AFTERCARE_TEST_KEYS", 2_000)
}

/// Gives many owners keys, in one transaction.
async fn many_owners(world: &World) {
    let mut tx = world.db().begin_write().await.unwrap();
    for owner in 1..=owners() {
        let place = Place::of(Uuid::from_u128(owner), Uuid::from_u128(owner));
        tx.seal(place, "client.name", &Personal::new("Example".into())).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The ids of wrapping keys that wrap something.
async fn in_use(app: &TestApp) -> BTreeSet<Uuid> {
    let mut tx = store_of(app).await.begin_read().await.unwrap();
    let text = "SELECT wrapping_key_id FROM data_key WHERE destroyed_at IS NULL
                UNION SELECT wrapping_key_id FROM index_key";
    tx.sql(text).all::<(Uuid,)>().await.unwrap().into_iter().map(|row| row.0).collect()
}

/// The ids in the keyring.
fn ring(app: &TestApp) -> Vec<Uuid> {
    let text = fs::read_to_string(app.data_dir().join("keyring.toml")).unwrap();
    text.split("id = \"").skip(1).map(|rest| rest[..36].parse().unwrap()).collect()
}

/// Creates clients, reads them and books for them until it is told to stop; how many.
async fn work(
    ngo: Arc<Ngo>,
    actor: Actor,
    counsellor: aftercare::grpc::pb::Counsellor,
    week: i64,
    stop: Arc<AtomicBool>,
) -> usize {
    let first: DateTime<Utc> = "2026-11-30T04:30:00Z".parse().unwrap();
    let mut count = 0;
    while !stop.load(Ordering::SeqCst) || count < 3 {
        let client = ngo.survivor().await;
        let request = aftercare::grpc::pb::GetClientRequest { client_id: client.id.clone() };
        let read = actor.clients().get_client(request).await.unwrap().into_inner().client.unwrap();
        assert_eq!(read.name, client.name);
        let start = first
            + TimeDelta::days(week * 7 + i64::try_from(count).unwrap() / 7)
            + TimeDelta::hours(i64::try_from(count).unwrap() % 7);
        book(&actor, booking(&ngo, &counsellor, &client, &start.to_rfc3339())).await.unwrap();
        count += 1;
    }
    count
}

on_both_engines! {
    async fn nobody_notices_a_rotation(app) {
        let app = apart(app).await;
        let ngo = Arc::new(Ngo::new(&app, "A").await);
        let counsellor = ngo.counsellor("C1", aftercare::grpc::pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        many_owners(app.world()).await;
        let old = ring(&app);
        let beside = app.beside().await;
        let stop = Arc::new(AtomicBool::new(false));
        let one = tokio::spawn(work(ngo.clone(), ngo.coordinator.clone(), counsellor.clone(), 0, stop.clone()));
        let other = beside.bearer(ngo.coordinator.token.clone());
        let two = tokio::spawn(work(ngo.clone(), other, counsellor, 20, stop.clone()));
        let (world, began) = (app.another_world(2, 3).await, tokio::time::Instant::now());
        let rotated = keys::rotate(&world, |_| {}).await.unwrap();
        let took = began.elapsed();
        stop.store(true, Ordering::SeqCst);
        let booked = one.await.unwrap() + two.await.unwrap();
        assert!(booked >= 6);
        println!("{} keys in {took:?}, and {booked} bookings meanwhile", rotated.rewrapped);
        assert!(rotated.rewrapped > usize::try_from(owners()).unwrap() && rotated.retired == 1, "{rotated:?}");

        let new = ring(&app);
        assert!(new.len() == 1 && new != old);
        assert_eq!(in_use(&app).await, BTreeSet::from([new[0]]));
        app.clock.advance(TimeDelta::minutes(1));
        assert_eq!(get(&ngo, &client).await.unwrap().name, client.name);
        // A process that starts now has no other key.
        let fresh = app.another_world(2, 4).await;
        let mut tx = fresh.db().begin_write().await.unwrap();
        tx.prepare_keys((1..=owners()).map(Uuid::from_u128)).await.unwrap();
        drop(tx);
        let (_, listed) = cli(&app, &["keys", "list"]);
        let states: Vec<_> = listed.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
        assert_eq!(states, ["RETIRED", "CURRENT"]);
    }

    async fn a_rotation_that_was_interrupted_is_completed(app) {
        let app = apart(app).await;
        many_owners(app.world()).await;
        // Killed with the next key in the keyring alone: it is the next one's.
        let prepared = keys::prepare(app.world()).await.unwrap();
        assert_eq!(keys::prepare(app.world()).await.unwrap(), prepared);
        // Killed after some keys were wrapped anew: whatever is told last never returns.
        let world = app.another_world(2, 5).await;
        let killed = tokio::spawn(async move {
            keys::rotate(&world, |_| panic!("killed")).await.map(drop).unwrap();
        });
        assert!(killed.await.unwrap_err().is_panic());
        assert_eq!(in_use(&app).await.len(), 2);
        let rotated = keys::rotate(app.world(), |_| {}).await.unwrap();
        assert_eq!(rotated.retired, 1);
        assert!(rotated.rewrapped < usize::try_from(owners()).unwrap());
        assert_eq!((ring(&app), in_use(&app).await), (vec![prepared], BTreeSet::from([prepared])));
        // The next one is another one.
        let (well, says) = cli(&app, &["keys", "rotate"]);
        assert!(well && says.contains("1 retired"), "{says}");
        assert_ne!(ring(&app), [prepared]);
    }

    async fn nothing_is_wrapped_by_a_retired_key(app) {
        let app = apart(app).await;
        let old = ring(&app)[0];
        keys::rotate(app.world(), |_| {}).await.unwrap();
        let new = ring(&app)[0];
        let store = store_of(&app).await;
        let mut tx = store.begin_write().await.unwrap();
        let now = Instant(app.now());
        let late = key_store::insert(&mut tx, &[(Uuid::from_u128(1), vec![1])], old, now).await;
        assert!(matches!(late, Err(Error::Retired)), "{late:?}");
        drop(tx);
        let mut tx = store.begin_write().await.unwrap();
        let early = key_store::retire(&mut tx, new, now).await;
        assert!(matches!(early, Err(Error::InUse)), "{early:?}");
        drop(tx);
        let back = "UPDATE wrapping_key SET retired_at = NULL WHERE retired_at IS NOT NULL";
        assert!(store.begin_write().await.unwrap().sql(back).run().await.is_err());
    }
}
