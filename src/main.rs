//! Parse, run, exit.

use std::process::ExitCode;

use clap::Parser;

/// Most of what a request costs beside its statements is memory taken and given back, across threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match aftercare::cli::run(aftercare::cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("aftercare: {}", aftercare::chain::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
