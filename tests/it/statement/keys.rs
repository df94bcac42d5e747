//! The life of the keys: made, shared, retired, revoked.

use std::sync::Arc;

use aftercare::domain::statement::{Kid, Rejected, verify};
use aftercare::store::{Db, Target};
use aftercare::usecase::error::Error;
use aftercare::usecase::statement::{Keyring, revoke, rotate, signing_key};
use chrono::TimeDelta;
use futures_util::future::join_all;

use super::{claims, key_of, keyring, published, signed};
use crate::on_both_engines;
use crate::support::TestApp;

/// What the audit trail noted of an act of the program.
async fn noted(app: &TestApp, action: &str) -> Vec<String> {
    let audit = app.audit().await.into_iter();
    audit.filter(|it| it.action == action).map(|it| it.details.replace(", ", ",")).collect()
}

on_both_engines! {
    async fn a_retired_key_signs_no_more_and_its_statements_stay_good(app) {
        let old = key_of(&app, &app.data_dir()).await.public().kid();
        let before = signed(&app).await;
        let rotated = rotate(app.world(), &keyring(&app.data_dir())).await.unwrap();
        assert_eq!(rotated.retired, old);

        // The service was not told, and uses the new one.
        let after = signed(&app).await;
        let set = published(app.address).await;
        assert_eq!(verify(&before, &set).unwrap().kid, old);
        assert_eq!(verify(&after, &set).unwrap().kid, rotated.current);
        assert_ne!(rotated.current, old);
        let expected = format!("[\"RETIRED {old}\",\"ADDED {}\"]", rotated.current);
        assert_eq!(noted(&app, "rotate-statement-key").await, [expected]);
        assert_eq!(noted(&app, "register-statement-key").await, [format!("[\"ADDED {old}\"]")]);
    }

    async fn a_revoked_key_proves_nothing_any_more(app) {
        let mut app = app;
        let (directory, keys) = (app.data_dir(), keyring(&app.data_dir()));
        let stolen = std::fs::read(directory.join("statement.key")).unwrap();
        let before = signed(&app).await;
        let old = key_of(&app, &directory).await.public().kid();
        let new = revoke(app.world(), &keys, old.clone()).await.unwrap().unwrap();

        let after = signed(&app).await;
        let set = published(app.address).await;
        assert_eq!(verify(&before, &set), Err(Rejected::UnknownKey(old.clone())));
        assert_eq!(verify(&after, &set).unwrap().kid, new);
        // Again is as good as once, and no other key is touched by it.
        assert_eq!(revoke(app.world(), &keys, old.clone()).await.unwrap(), None);
        assert_eq!(published(app.address).await, set);
        // An old copy of the data directory brings it back neither to the set nor to use.
        std::fs::write(directory.join("statement.key"), stolen).unwrap();
        app.restart().await;
        assert!(published(app.address).await.find(&old).is_none());
        assert_ne!(key_of(&app, &directory).await.public().kid(), old);

        let nobodys: Kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".parse().unwrap();
        assert!(matches!(revoke(app.world(), &keys, nobodys).await, Err(Error::NotFound(_))));
    }

    async fn each_process_signs_with_a_key_of_its_own(app) {
        let other = app.elsewhere().await;
        let (here, there) = (key_of(&app, &app.data_dir()).await, key_of(&app, &other.data_dir()).await);
        assert_ne!(here.public(), there.public());
        let set = published(app.address).await;
        assert_eq!(published(other.address).await, set);
        for key in [here, there] {
            let verified = verify(&key.sign(&claims(app.now())).unwrap(), &set).unwrap();
            assert_eq!(verified.kid, key.public().kid());
        }
        // The loss of one does not touch the other: a process whose key is revoked from elsewhere goes on.
        let lost = key_of(&app, &other.data_dir()).await.public().kid();
        assert_eq!(revoke(app.world(), &keyring(&app.data_dir()), lost.clone()).await.unwrap(), None);
        let anew = key_of(&app, &other.data_dir()).await.public().kid();
        let set = published(app.address).await;
        assert!(set.find(&lost).is_none() && set.find(&anew).is_some());
    }

    async fn processes_over_one_directory_share_one_key(app) {
        let directory = tempfile::tempdir().unwrap();
        let rings: Vec<Arc<dyn Keyring>> = (0..8).map(|_| keyring(directory.path())).collect();
        let made = join_all(rings.iter().map(|ring| signing_key(app.world(), ring))).await;
        let mut kids: Vec<Kid> = made.into_iter().map(|key| key.unwrap().public().kid()).collect();
        kids.dedup();
        assert_eq!(kids.len(), 1);
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["statement.key"]);
        #[cfg(unix)]
        for _ in ["made", "replaced"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(directory.path().join("statement.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            rotate(app.world(), &rings[0]).await.unwrap();
        }
    }

    async fn a_key_is_never_changed_forgotten_or_given_back(app) {
        let keys = keyring(&app.data_dir());
        app.clock.advance(TimeDelta::seconds(1));
        let kid = rotate(app.world(), &keys).await.unwrap().retired;
        app.clock.advance(TimeDelta::seconds(1));
        revoke(app.world(), &keys, kid.clone()).await.unwrap();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut changes = vec![
            "UPDATE statement_key SET kid = '1234567890123456789012345678901234567890123' WHERE kid = $1",
            "UPDATE statement_key SET created_at = retired_at WHERE kid = $1",
            "UPDATE statement_key SET retired_at = created_at WHERE kid = $1",
            "UPDATE statement_key SET revoked_at = NULL WHERE kid = $1",
            "UPDATE statement_key SET public_key = (SELECT public_key FROM statement_key WHERE kid <> $1) WHERE kid = $1",
            "DELETE FROM statement_key WHERE kid = $1",
        ];
        if matches!(app.db.target, Target::Postgres(_)) {
            changes.push("INSERT INTO statement_key SELECT kid, public_key, created_at FROM statement_key WHERE kid = $1
                ON CONFLICT (kid) DO UPDATE SET revoked_at = NULL");
        }
        for change in changes {
            let mut tx = db.begin_write().await.unwrap();
            let error = tx.sql(change).bind(kid.clone()).run().await.unwrap_err();
            assert!(format!("{error:?}").contains("aftercare:append_only"), "{change}: {error:?}");
        }
        if matches!(app.db.target, Target::Sqlite(_)) {
            let mut tx = db.begin_write().await.unwrap();
            let replace = "INSERT OR REPLACE INTO statement_key (kid, public_key, created_at)
                SELECT kid, public_key, created_at FROM statement_key WHERE kid = $1";
            assert_eq!(tx.sql(replace).bind(kid).run().await.unwrap(), 0);
        }
    }
}
