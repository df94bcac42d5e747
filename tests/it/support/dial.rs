//! The clock and the disk of processes that a test has started: it steps the one and fills the other up, by a library in
//! front of the C library's. (libfaketime and the allocator of the service do not bear one another.)

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use aftercare::clock::{Clock, SystemClock};
use chrono::{DateTime, TimeDelta, Utc};

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    Sound = 0,
    /// ENOSPC
    Full = 28,
    /// EROFS
    ReadOnly = 30,
    /// EIO
    Failing = 5,
    /// EIO, by what makes it last alone.
    Forgetful = -5,
}

/// What some processes believe.
pub struct Dial {
    path: PathBuf,
    page: File,
    seconds: AtomicI64,
}

impl Dial {
    pub fn new(directory: &Path) -> Self {
        let path = directory.join("dial");
        let page = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        page.write_all_at(&[0; 16], 0).unwrap();
        Self { path, page, seconds: AtomicI64::new(0) }
    }

    /// A process that believes it.
    pub fn attach(&self, command: &mut Command) {
        command.env("LD_PRELOAD", library()).env("AFTERCARE_TEST_DIAL", &self.path);
    }

    /// What time they think it is.
    pub fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.seconds.load(Ordering::SeqCst))
    }

    /// Steps their clocks, in either direction.
    pub fn step(&self, by: TimeDelta) {
        let seconds = self.seconds.fetch_add(by.num_seconds(), Ordering::SeqCst) + by.num_seconds();
        self.page.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    pub fn set(&self, disk: Disk) {
        self.page.write_all_at(&(disk as i64).to_ne_bytes(), 8).unwrap();
    }
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // Another run may be compiling it too.
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("preload-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/preload.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(cc.status().unwrap().success(), "cc compiles what stands in front of the C library");
        library
    })
}
