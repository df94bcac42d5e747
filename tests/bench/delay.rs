//! A disk that takes longer: a library in front of the C library's makes every sync wait, as the disk of a server does
//! and a virtual one, which only pretends, does not.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::{Engine, Error, Options, Result};

/// By how many microseconds a sync takes longer, for the library.
const VARIABLE: &str = "LOAD_SYNC_DELAY_US";

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int later(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(fd);
    const char *delay = getenv("LOAD_SYNC_DELAY_US");
    if (delay) usleep((useconds_t)atol(delay));
    return result;
}

int fsync(int fd) { return later("fsync", fd); }
int fdatasync(int fd) { return later("fdatasync", fd); }
"#;

/// Begins this program again behind the library, unless it is there already or nobody asked for it.
pub fn begin_again(options: &Options) -> Result<()> {
    if options.sync_delay_ms == 0 || std::env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    let (library, micros) = (compile()?, (options.sync_delay_ms * 1_000).to_string());
    if options.engine == Engine::Postgres {
        let library = library.display();
        eprintln!("The server must have been started with {VARIABLE}={micros} LD_PRELOAD={library}");
    }
    let mut again = Command::new(std::env::current_exe()?);
    // This only comes back if it fails.
    Err(again.args(std::env::args_os().skip(1)).env("LD_PRELOAD", library).env(VARIABLE, micros).exec().into())
}

fn compile() -> Result<PathBuf, Error> {
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sync_delay.so");
    let source = library.with_extension("c");
    std::fs::write(&source, SOURCE)?;
    let mut cc = Command::new("cc");
    let done = cc.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).arg("-ldl").status()?;
    if done.success() { Ok(library) } else { Err("cc cannot compile what delays syncs".into()) }
}
