//! What every test stands on: a service over a fresh database, and helpers in the domain's words.

mod actor;
mod app;
pub mod assessment;
pub mod attendance;
pub mod certificates;
mod chance;
mod db;
pub mod deadly;
pub mod dial;
pub mod escalation;
pub mod followup;
pub mod house;
mod ngo;
pub mod plant;
pub mod proxy;
pub mod series;
pub mod server;
pub mod treatment;

use std::str::FromStr;

pub use actor::{Actor, Refused, refused};
pub use app::{Audited, Beside, Door, MONDAY, TestApp};
pub use attendance::{amend, amending, decide, deciding, facts, record, recording};
pub use db::{Engine, TestDb};
pub use ngo::{
    Ngo, at, book, booking, consent_of, date, group_of, join, joining, leaving, minutes, own_consent, remove,
    time_of_day, venue_at,
};

/// What the environment says instead, if it says anything.
pub fn unless<T: FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

/// A program that `tests/run.sh` installs and names.
pub fn tool(variable: &str) -> std::process::Command {
    let program = std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run tests/run.sh"));
    std::process::Command::new(program)
}

/// Runs a test on each engine.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($app:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($app: $crate::support::TestApp) $body

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                test($crate::support::TestApp::start($crate::support::Engine::Sqlite).await).await;
            }

            $(#[$attribute])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                test($crate::support::TestApp::start($crate::support::Engine::Postgres).await).await;
            }
        }
    )*};
}

/// Bytes as PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
