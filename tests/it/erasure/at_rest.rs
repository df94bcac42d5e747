//! What the files and the dumps of the databases tell, and what a backup tells after an erasure.

use std::fs;

use aftercare::grpc::pb;
use aftercare::store::{Db, Target};
use uuid::Uuid;

use super::{erase, get, guardians, hindered, known, place, release};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, tool};

/// The bytes of the data and of the key store, as whoever steals a disk or a backup has them.
pub fn at_rest(app: &TestApp) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(app.data_dir()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().contains(".db") {
            all.extend(fs::read(entry.path()).unwrap());
        }
    }
    if matches!(app.db.target, Target::Postgres(_)) {
        all.extend(dump(&app.db.url));
    }
    if let Some(url) = &app.db.key_store_url {
        all.extend(dump(url));
    }
    all
}

fn dump(url: &str) -> Vec<u8> {
    let output = tool("AFTERCARE_TEST_PG_DUMP").args(["--no-owner", url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

pub fn tells(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

on_both_engines! {
    async fn a_backup_from_before_does_not_bring_anybody_back(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let client = known(&ngo).await;
        ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        let kept = ngo.survivor().await;
        let hold = place(&ngo.coordinator, &client, None).await.unwrap();
        let refused = erase(&ngo.coordinator, &client).await.unwrap_err();
        assert_eq!(hindered(&refused).0, "LEGAL_HOLD");
        release(&ngo.coordinator, &hold).await.unwrap();

        app.stop().await;
        let backup = back_up(&app);
        app.restart().await;
        let me = signed_in(&app, &ngo);
        erase(&me, &client).await.unwrap();
        app.stop().await;
        restore(&app, &backup).await;
        app.restart().await;
        let me = signed_in(&app, &ngo);

        // The data does not know of the erasure, and has nothing to tell.
        let found = get(&me, &client).await;
        assert_eq!((found.name.as_str(), found.phone.as_str(), found.born_on, found.erased_at), ("", "", None, None));
        assert_eq!(guardians(&me, &client).await[0].name, "");
        assert_eq!(get(&me, &kept).await.name, kept.name);
        // Nor does the key store, in any of its bytes.
        let owner: Uuid = client.id.parse().unwrap();
        let mut tx = Db::open(&app.db.key_store, 1).await.unwrap().begin_read().await.unwrap();
        let sql = tx.sql("SELECT wrapped, destroyed_at FROM data_key WHERE owner_id = $1").bind(owner);
        let (wrapped, destroyed_at) = sql.maybe::<(Option<Vec<u8>>, Option<i64>)>().await.unwrap().unwrap();
        assert!(wrapped.is_none() && destroyed_at.is_some());
    }
}

fn signed_in(app: &TestApp, ngo: &Ngo) -> Actor {
    ngo.another_coordinator(app)
}

/// The data without its keys, as backups have it.
pub fn back_up(app: &TestApp) -> Vec<u8> {
    match &app.db.target {
        Target::Sqlite(file) => {
            assert!(!file.with_extension("db-wal").exists(), "the service has closed it");
            fs::read(file).unwrap()
        }
        Target::Postgres(_) => dump(&app.db.url),
    }
}

pub async fn restore(app: &TestApp, backup: &[u8]) {
    match &app.db.target {
        Target::Sqlite(file) => {
            for suffix in ["db-wal", "db-shm"] {
                let _ = fs::remove_file(file.with_extension(suffix));
            }
            fs::write(file, backup).unwrap();
        }
        Target::Postgres(_) => {
            let script = app.data_dir().join("backup.sql");
            fs::write(&script, [b"DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n", backup].concat()).unwrap();
            let mut psql = tool("AFTERCARE_TEST_PSQL");
            psql.args(["--quiet", "--no-psqlrc", "--file"]).arg(&script).arg(&app.db.url);
            let output = psql.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
