//! What copies there are: when the next is due, which are kept, and who can read them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

use aftercare::app::backup_of;
use aftercare::domain::backup::{DATA, KEYS};
use aftercare::usecase::backup::{Backup, Fault, take, take_if_due};
use chrono::TimeDelta;

use super::{command, config, done, names, run, small};
use crate::process::text;
use crate::support::TestApp;

/// Every day, of which two are kept; both kinds, in places of their own.
fn wanted(app: &TestApp, place: &std::path::Path) -> Backup {
    let mut wanted = backup_of(&config(app)).unwrap();
    (wanted.to, wanted.keys_to) = (Some(place.join("data")), Some(place.join("keys")));
    wanted.plan.keep = 2;
    wanted
}

#[tokio::test]
async fn the_newest_are_kept_and_of_keys_the_newest_alone() {
    let (app, ngo, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let wanted = wanted(&app, place.path());
    let mut taken_at = Vec::new();
    for day in 0..4 {
        let now = app.now() + TimeDelta::days(day);
        assert!(take_if_due(&wanted, now).await.unwrap().is_some());
        assert!(take_if_due(&wanted, now + TimeDelta::hours(23)).await.unwrap().is_none(), "not before a day is over");
        taken_at.push(now);
        ngo.survivor().await;
    }
    let data: Vec<_> = taken_at[2..].iter().flat_map(|at| [DATA.name(*at), DATA.name(*at) + ".sha256"]).collect();
    assert_eq!(names(&place.path().join("data")), data);
    assert_eq!(names(&place.path().join("keys")), [KEYS.name(taken_at[3])]);
    // A clock that was set back does not end it.
    assert!(take_if_due(&wanted, app.now()).await.unwrap().is_some());
    assert!(names(&place.path().join("data")).contains(&DATA.name(app.now())));
}

#[tokio::test]
async fn their_owner_alone_can_read_them() {
    let (app, _, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let taken = take(&wanted(&app, place.path()), app.now()).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (data, keys) = (taken.data.unwrap(), taken.keys.unwrap());
    assert_eq!((mode(&data.file), mode(data.file.parent().unwrap())), (0o600, 0o700));
    assert_eq!((mode(&keys), mode(keys.parent().unwrap())), (0o700, 0o700));
    assert_eq!(names(&keys), ["audit.key", "issuer.key", "keyring.toml", "keys.db", "statement.key"]);
    for name in names(&keys) {
        assert_eq!(mode(&keys.join(&name)), 0o600, "{name}");
    }
    // Other programs can check it too.
    let mut sum = std::process::Command::new("sha256sum");
    let beside = format!("{}.sha256", data.file.file_name().unwrap().display());
    sum.args(["--check", "--strict", &beside]).current_dir(data.file.parent().unwrap());
    done(&run(sum).await);
}

#[tokio::test]
async fn keys_that_are_rotated_meanwhile_are_those_of_the_copy() {
    let (app, _, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let wanted = wanted(&app, place.path());
    let rotating = command(&app, &["keys", "rotate"]);
    let (rotated, taken) = tokio::join!(run(rotating), take(&wanted, app.now()));
    done(&rotated);
    let keys = taken.unwrap().keys.unwrap();
    let target = aftercare::store::Target::Sqlite(keys.join("keys.db"));
    let keyring = std::sync::Arc::new(aftercare::store::keyring::KeyringFile::new(&keys));
    aftercare::store::check_keys(&aftercare::store::Keys { store: target, keyring }).await.unwrap();
}

#[tokio::test]
async fn what_was_cut_off_is_no_copy_and_does_not_stay() {
    let (app, _, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let wanted = wanted(&app, place.path());
    take(&wanted, app.now()).await.unwrap();
    let before = names(&place.path().join("data"));
    // Whoever writes more than this to a file is killed.
    let mut cut = std::process::Command::new("bash");
    let program = env!("CARGO_BIN_EXE_aftercare");
    let data = place.path().join("data").display().to_string();
    cut.args(["-c", "ulimit -c 0 -f 100; exec \"$@\"", "-", program, "backup", "--to", &data, "--data-dir"]);
    cut.arg(app.data_dir());
    let output = run(cut).await;
    assert_eq!(output.status.code(), None, "{}", text(&output));
    let left: Vec<_> = names(&place.path().join("data")).into_iter().filter(|name| !before.contains(name)).collect();
    assert!(left.len() == 1 && left[0].starts_with(".unfinished-"), "{left:?}");
    take(&wanted, app.now() + TimeDelta::days(1)).await.unwrap();
    assert!(!names(&place.path().join("data")).contains(&left[0]));
}

#[tokio::test]
async fn one_at_a_time() {
    let (app, _, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let wanted = wanted(&app, place.path());
    take(&wanted, app.now()).await.unwrap();
    let lock = File::options().append(true).open(place.path().join("data/.lock")).unwrap();
    lock.lock().unwrap();
    let tomorrow = app.now() + TimeDelta::days(1);
    assert!(matches!(take(&wanted, tomorrow).await, Err(Fault::Busy(_))));
    assert!(take_if_due(&wanted, tomorrow).await.unwrap().is_none());
    drop(lock);
    assert!(take_if_due(&wanted, tomorrow).await.unwrap().is_some());
}

#[tokio::test]
async fn keys_that_could_not_be_copied_are_copied_later_and_data_not_again() {
    let (app, _, _) = small().await;
    let place = tempfile::tempdir().unwrap();
    let wanted = wanted(&app, place.path());
    let keyring = app.data_dir().join("keyring.toml");
    let own = fs::read(&keyring).unwrap();
    fs::write(&keyring, "no keyring").unwrap();
    assert!(take_if_due(&wanted, app.now()).await.is_err());
    let data = names(&place.path().join("data"));
    assert_eq!((data.len(), names(&place.path().join("keys")).len()), (2, 0));
    fs::write(&keyring, own).unwrap();
    let later = app.now() + TimeDelta::hours(1);
    assert!(take_if_due(&wanted, later).await.unwrap().unwrap().keys.is_some());
    assert_eq!(names(&place.path().join("data")), data);
    assert!(take_if_due(&wanted, later).await.unwrap().is_none());
}
