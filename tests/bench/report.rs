//! The table, and the same for machines.

use std::fs::File;
use std::io::Write;

use serde_json::json;
use sha2::Digest;

use super::load::{Call, Measured};
use super::service::Cast;
use super::{Engine, Options, Result};

/// The report of a run, told as it goes.
pub struct Report<'o> {
    options: &'o Options,
    json: Option<File>,
    database: String,
    /// The empty call's answers per second, by how many called.
    empty: Vec<(usize, f64)>,
}

impl<'o> Report<'o> {
    /// Says what is measured.
    pub fn begin(options: &'o Options, database: &str, cast: &Cast) -> Result<Self> {
        let json = options.json.as_ref().map(File::create).transpose()?;
        let (sessions, counsellors) = (cast.filled.stored, cast.people.seats.len());
        println!("{database}");
        let digest = hex(&cast.filled.digest.clone().finalize()[..6]);
        println!("{sessions} sessions of {counsellors} counsellors, seed {}, world {digest}", options.seed);
        println!("{} connections, closed loop, {} s for each figure\n", options.connections, options.seconds);
        println!(
            "{:<28} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "call", "callers", "/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "of empty"
        );
        Ok(Self { options, json, database: database.into(), empty: Vec::new() })
    }

    /// Adds a figure.
    pub fn add(&mut self, call: &Call, callers: usize, measured: &Measured) -> Result<()> {
        let per_second = measured.per_second();
        if call.is_empty() {
            self.empty.push((callers, per_second));
        }
        let empty = self.empty.iter().find(|(of, _)| *of == callers).map_or(f64::NAN, |(_, empty)| *empty);
        let share = per_second / empty;
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|at| millis(measured.latencies.value_at_quantile(at)));
        let max = millis(measured.latencies.max());
        println!(
            "{:<28} {callers:>7} {per_second:>9.0} {p50:>9.3} {p90:>9.3} {p99:>9.3} {max:>9.3} {share:>9.4}{}",
            call.name(),
            remarks(measured)
        );
        let Some(file) = &mut self.json else { return Ok(()) };
        let options = self.options;
        let line = json!({
            "call": call.name(), "callers": callers, "answers": measured.latencies.len(), "per_second": per_second,
            "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": max, "of_empty": share,
            "refused": measured.refused, "exhausted": measured.exhausted, "lasted_s": measured.lasted.as_secs_f64(),
            "engine": if options.engine == Engine::Sqlite { "sqlite" } else { "postgres" }, "database": self.database,
            "sessions": options.sessions, "counsellors": options.counsellors, "seed": options.seed,
            "connections": options.connections, "in_flight": options.in_flight,
        });
        Ok(writeln!(file, "{line}")?)
    }
}

fn remarks(measured: &Measured) -> String {
    let mut remarks = String::new();
    for (code, count) in measured.refused.iter().filter(|(_, count)| **count > 0) {
        remarks += &format!("  {count} {code}");
    }
    if measured.exhausted {
        remarks += &format!("  nothing left after {:.1} s", measured.lasted.as_secs_f64());
    }
    if measured.latencies.is_empty() {
        remarks += "  no answer within the window";
    }
    remarks
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
