//! Keys: what is sealed where, what opens it, and what happens to whoever lacks them.

mod rotation;
mod start;

use std::process::Command;

use aftercare::domain::personal::Personal;
use aftercare::grpc::pb;
use aftercare::store::seal::{Place, Sealed};
use aftercare::store::{Db, Error, Purpose, Target};
use aftercare::usecase::World;
use tonic::Code;
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::{Engine, Ngo, TestApp};

/// The same engine with the keys apart as in a large installation: on PostgreSQL, in a second database.
async fn apart(app: TestApp) -> TestApp {
    match app.db.target {
        Target::Sqlite(_) => app,
        Target::Postgres(_) => TestApp::start_with_key_database(Engine::Postgres).await,
    }
}

/// The program over the data directory and the databases of a service: whether it went well, and what it says.
fn cli(app: &TestApp, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercare"));
    command.args(arguments).env("AFTERCARE_DATA_DIR", app.data_dir());
    command.env_remove("AFTERCARE_DATABASE_URL").env_remove("AFTERCARE_KEY_STORE_URL");
    if matches!(app.db.target, Target::Postgres(_)) {
        command.env("AFTERCARE_DATABASE_URL", &app.db.url);
    }
    if let Some(url) = &app.db.key_store_url {
        command.env("AFTERCARE_KEY_STORE_URL", url);
    }
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// The key store, past the service.
async fn key_store(app: &TestApp) -> Db {
    Db::open(&app.db.key_store, 1).await.unwrap()
}

async fn get(ngo: &Ngo, client: &pb::Client) -> Result<pb::Client, tonic::Status> {
    let request = pb::GetClientRequest { client_id: client.id.clone() };
    Ok(ngo.coordinator.clients().get_client(request).await?.into_inner().client.unwrap())
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

/// Changes stored bytes past the service.
async fn tamper(app: &TestApp, text: &'static str, ids: &[&str]) {
    let mut tx = Db::open(&app.db.target, 1).await.unwrap().begin_write().await.unwrap();
    let sql = ids.iter().fold(tx.sql(text), |sql, id| sql.bind(uuid(id)));
    assert_eq!(sql.run().await.unwrap(), 1);
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn what_is_sealed_opens_in_its_place_alone(app) {
        let app = apart(app).await;
        let mut tx = app.world().db().begin_write().await.unwrap();
        let [owner, row, other] = [1, 2, 3].map(Uuid::from_u128);
        let (here, column) = (Place::of(owner, row), "client.name");
        let text = Personal::new("Asha Example".into());
        let sealed = tx.seal(here, column, &text).await.unwrap();
        tx.seal(Place::of(other, other), column, &text).await.unwrap();
        assert_eq!(tx.open(here, column, sealed.clone()).await.unwrap(), text);
        for (place, column) in [
            (here, "client.phone"),
            (Place::of(owner, other), column),
            (Place::of(other, row), column),
            (here.part("1"), column),
        ] {
            let opened = tx.open(place, column, sealed.clone()).await;
            assert!(matches!(opened, Err(Error::Inconsistent { .. })), "{place:?} {column}");
        }
        let _: Sealed = sealed;
    }

    async fn ciphertexts_that_change_places_are_refused(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) = (ngo.survivor().await, ngo.survivor().await);
        assert_eq!(get(&ngo, &one).await.unwrap().name, one.name);
        for change in [
            "UPDATE client SET name = address WHERE id = $1",
            "UPDATE client SET name = (SELECT name FROM client AS other WHERE other.id = $2) WHERE id = $1",
        ] {
            let before = "UPDATE client SET address = name WHERE id = $1";
            tamper(&app, before, &[&other.id]).await;
            let ids = if change.contains("$2") { &[&one.id[..], &other.id][..] } else { &[&one.id[..]] };
            tamper(&app, change, ids).await;
            assert_eq!(get(&ngo, &one).await.unwrap_err().code(), Code::Internal, "{change}");
        }
        let guardian = ngo.guardian(&other, pb::GuardianStanding::Safe).await;
        tamper(&app, "UPDATE guardian SET client_id = $2 WHERE id = $1", &[&guardian.id, &one.id]).await;
        let listing = pb::ListGuardiansRequest { client_id: one.id.clone(), ..Default::default() };
        let listed = ngo.coordinator.clients().list_guardians(listing).await;
        assert_eq!(listed.unwrap_err().code(), Code::Internal);
    }

    async fn digests_tell_nothing_to_who_lacks_their_key(app) {
        let elsewhere = TestApp::start(Engine::Sqlite).await;
        let beside = app.another_world(1, 5).await;
        let of = async |world: &World, purpose| {
            let tx = world.db().begin_read().await.unwrap();
            tx.digest(purpose, "an organisation", b"a name").unwrap()
        };
        for purpose in [Purpose::ClientName, Purpose::ClientPhone] {
            let digest = of(app.world(), purpose).await;
            // Every process of an installation makes the same, and no other installation does.
            assert_eq!(of(&beside, purpose).await, digest);
            assert_ne!(of(elsewhere.world(), purpose).await, digest);
        }
        assert_ne!(of(&beside, Purpose::ClientName).await, of(&beside, Purpose::ClientPhone).await);
    }

    async fn a_refused_request_makes_no_key(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.survivor().await;
        let count = async || {
            let mut tx = key_store(&app).await.begin_read().await.unwrap();
            tx.sql("SELECT COUNT(*) FROM data_key").maybe::<(i64,)>().await.unwrap().unwrap().0
        };
        let before = count().await;
        let twice = pb::Client {
            organisation_id: ngo.id.clone(),
            side: 1,
            name: "Somebody Else".into(),
            spoken_languages: vec!["ml".into()],
            file_number: "F-1".into(),
            ..Default::default()
        };
        let create = || pb::CreateClientRequest { client: Some(twice.clone()), ..Default::default() };
        ngo.coordinator.clients().create_client(create()).await.unwrap();
        ngo.coordinator.clients().create_client(create()).await.unwrap_err();
        assert_eq!(count().await, before + 1);
    }

    async fn a_destroyed_key_is_destroyed_for_good(app) {
        let app = apart(app).await;
        let owner = Uuid::from_u128(7);
        let place = Place::of(owner, owner);
        let text = Personal::new("Asha Example".into());
        let mut tx = app.world().db().begin_write().await.unwrap();
        let sealed = tx.seal(place, "client.name", &text).await.unwrap();
        tx.commit().await.unwrap();
        let another = app.another_world(2, 1).await;
        let open = async |world: &aftercare::usecase::World| {
            let mut tx = world.db().begin_read().await.unwrap();
            tx.open(place, "client.name", sealed.clone()).await.unwrap()
        };
        assert_eq!(open(&another).await, text);
        // Somebody who never had a key, too.
        app.world().vault().destroy(&[owner, Uuid::from_u128(8)]).await.unwrap();
        assert!(open(app.world()).await.is_empty());
        // Another process forgets within a minute.
        app.clock.advance(chrono::TimeDelta::seconds(60));
        assert!(open(&another).await.is_empty());
        for owner in [owner, Uuid::from_u128(8)] {
            let mut tx = another.db().begin_write().await.unwrap();
            let sealed = tx.seal(Place::of(owner, owner), "client.name", &text).await;
            assert!(matches!(sealed, Err(Error::Erased)));
        }
        for change in [
            "UPDATE data_key SET destroyed_at = NULL, wrapped = created_at, wrapping_key_id = owner_id",
            "UPDATE data_key SET destroyed_at = created_at WHERE destroyed_at IS NOT NULL",
            "DELETE FROM data_key",
        ] {
            let mut tx = key_store(&app).await.begin_write().await.unwrap();
            assert!(tx.sql(change).run().await.is_err(), "{change}");
        }
    }
}
