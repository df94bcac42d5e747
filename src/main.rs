//! Parse, run, exit.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match aftercare::cli::run(aftercare::cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("aftercare: {}", aftercare::cli::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
