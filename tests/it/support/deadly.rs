//! A process that is killed at a moment of the test's choice: whenever something asks for the time or for chance is
//! one.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use aftercare::clock::{Clock, ManualClock};
use aftercare::domain::instrument::Catalogue;
use aftercare::rng::{Rng, SeededRng};
use aftercare::store::keyring::KeyringFile;
use aftercare::store::{Db, Keys, Target};
use aftercare::usecase::World;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::app::TestApp;

/// What a child process is told, as JSON.
const TOLD: &str = "AFTERCARE_TEST_CRASH";

/// What a child process is to do, where, when, and how far it comes.
#[derive(Serialize, Deserialize)]
struct Told<S> {
    step: S,
    sqlite: bool,
    database: String,
    data_dir: PathBuf,
    now: DateTime<Utc>,
    dies_at: i64,
}

/// A clock and chance that kill the process when they are asked once too often.
#[derive(Debug)]
struct Deadly {
    left: AtomicI64,
    /// An id asks for both; that is one moment.
    filled: AtomicBool,
    clock: ManualClock,
    rng: SeededRng,
}

impl Deadly {
    fn tick(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status().unwrap();
            loop {
                std::thread::park();
            }
        }
    }
}

impl Clock for Deadly {
    fn now(&self) -> DateTime<Utc> {
        if !self.filled.swap(false, Ordering::SeqCst) {
            self.tick();
        }
        self.clock.now()
    }
}

impl Rng for Deadly {
    fn fill(&self, bytes: &mut [u8]) {
        self.tick();
        self.filled.store(true, Ordering::SeqCst);
        self.rng.fill(bytes);
    }
}

/// What this process is to do, and the world to do it in; nothing when it is no child.
pub async fn told<S: DeserializeOwned>() -> Option<(S, World)> {
    let told: Told<S> = serde_json::from_str(&std::env::var(TOLD).ok()?).unwrap();
    let target =
        if told.sqlite { Target::Sqlite(told.database.into()) } else { Target::Postgres(told.database.into()) };
    let deadly = Arc::new(Deadly {
        left: AtomicI64::new(i64::MAX),
        filled: AtomicBool::new(false),
        clock: ManualClock::at(told.now),
        rng: SeededRng::from_system(),
    });
    let keys = Keys {
        store: Target::Sqlite(told.data_dir.join("keys.db")),
        keyring: Arc::new(KeyringFile::new(&told.data_dir)),
    };
    let db = Db::open(&target, 2).await.unwrap();
    // Keys ask for the time and for chance at moments of their own.
    let (clock, rng) = (Arc::new(ManualClock::at(told.now)), Arc::new(SeededRng::from_system()));
    let db = db.unlock(&keys, clock, rng).await.unwrap();
    let world = World::open(db, deadly.clone(), deadly.clone(), Catalogue::built_in().unwrap()).await.unwrap();
    deadly.left.store(told.dies_at, Ordering::SeqCst);
    Some((told.step, world))
}

/// Takes a step in a process of its own, the ignored test `child`, that is killed in it; whether it came to its end
/// before.
pub async fn survives<S: Serialize>(app: &TestApp, child: &'static str, step: S, dies_at: i64) -> bool {
    let (sqlite, database) = match &app.db.target {
        Target::Sqlite(file) => (true, file.display().to_string()),
        Target::Postgres(_) => (false, app.db.url.clone()),
    };
    let told =
        serde_json::to_string(&Told { step, sqlite, database, data_dir: app.data_dir(), now: app.now(), dies_at })
            .unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", child]).env(TOLD, told);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    // Killed, it has no exit code.
    assert!(output.status.success() || output.status.code().is_none(), "{output:?}");
    output.status.success()
}
