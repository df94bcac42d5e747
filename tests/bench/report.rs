//! The table, and the same for machines.

use std::fs::File;
use std::io::Write;

use serde_json::{Value, json};

use super::load::Measured;
use super::service::Cast;
use super::{Engine, Options, Result};

/// The report of a run, told as it goes.
pub struct Report<'o> {
    options: &'o Options,
    database: String,
    /// Which of the repetitions it is.
    run: u32,
    figures: Vec<Figure>,
}

/// What was called, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The call, or the baseline.
    pub name: String,
    /// By how many at once, or at which rate.
    pub how: How,
}

/// How calls were made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// By so many callers, each of whom waits.
    Callers(usize),
    /// At a rate, in a second.
    Rate(f64),
}

/// One measurement.
struct Figure {
    run: u32,
    row: Row,
    /// In the order of [`COLUMNS`].
    values: [f64; 6],
}

const COLUMNS: [&str; 6] = ["per_second", "p50_ms", "p90_ms", "p99_ms", "max_ms", "of_empty"];
/// The name that the empty call's figures are found by.
const EMPTY: &str = super::calls::EMPTY;

impl<'o> Report<'o> {
    /// Says what is measured.
    pub fn begin(options: &'o Options, database: &str, cast: &Cast) -> Result<Self> {
        if let Some(file) = &options.json {
            File::create(file)?;
        }
        let (sessions, counsellors) = (cast.filled.stored, cast.people.seats.len());
        println!("{database}");
        let digest = hex(&cast.filled.digest[..6]);
        println!("{sessions} sessions of {counsellors} counsellors, seed {}, world {digest}", options.seed);
        println!("{} connections, {} s for each figure", options.connections, options.seconds);
        if options.sync_delay_ms > 0 {
            println!("every sync takes {} ms longer", options.sync_delay_ms);
        }
        println!();
        heading("");
        Ok(Self { options, database: database.into(), run: 1, figures: Vec::new() })
    }

    /// What follows belongs to another repetition.
    pub fn again(&mut self) {
        self.run += 1;
    }

    /// Adds a figure.
    pub fn add(&mut self, row: Row, measured: &Measured) -> Result<()> {
        let per_second = measured.per_second();
        let at = |quantile| millis(measured.latencies.value_at_quantile(quantile));
        let (max, share) = (millis(measured.latencies.max()), per_second / self.empty(&row, per_second));
        let values = [per_second, at(0.5), at(0.9), at(0.99), max, share];
        println!("{}{}", told(&row, &values), remarks(measured));
        let mut object = self.object(&row, &values);
        object["run"] = self.run.into();
        object["answers"] = measured.latencies.len().into();
        object["refused"] = json!(measured.refused);
        object["exhausted"] = measured.exhausted.into();
        object["unanswered"] = measured.unanswered.into();
        object["lasted_s"] = measured.lasted.as_secs_f64().into();
        self.figures.push(Figure { run: self.run, row, values });
        line(self.options, &object)
    }

    /// Says the medians of the repetitions, each with the least and the most. Shares are those within one repetition.
    pub fn end(&self) -> Result<()> {
        if self.run < 2 {
            return Ok(());
        }
        heading(&format!("\nmedians of {} runs; below each the least and the most\n", self.run));
        let mut rows: Vec<&Row> = Vec::new();
        for figure in &self.figures {
            if !rows.contains(&&figure.row) {
                rows.push(&figure.row);
            }
        }
        for row in rows {
            let of = |column: usize| {
                let figures = self.figures.iter().filter(|it| it.row == *row).map(|it| it.values[column]);
                let mut values: Vec<f64> = figures.filter(|it| it.is_finite()).collect();
                values.sort_by(f64::total_cmp);
                values
            };
            let all: [Vec<f64>; 6] = std::array::from_fn(of);
            let [middle, least, most] = [median, first, last].map(|of| std::array::from_fn(|at| of(&all[at])));
            println!("{}\n{}\n{}", told(row, &middle), spread("least", &least), spread("most", &most));
            let mut object = self.object(row, &middle);
            object["runs"] = self.run.into();
            for (at, column) in COLUMNS.iter().enumerate() {
                object[format!("{column}_least")] = json!(least[at]);
                object[format!("{column}_most")] = json!(most[at]);
            }
            line(self.options, &object)?;
        }
        Ok(())
    }

    /// The empty call's answers per second in this repetition, by as many callers.
    fn empty(&self, row: &Row, own: f64) -> f64 {
        if row.name == EMPTY {
            return own;
        }
        let same = |it: &&Figure| it.run == self.run && it.row.name == EMPTY && it.row.how == row.how;
        self.figures.iter().find(same).map_or(f64::NAN, |it| it.values[0])
    }

    fn object(&self, row: &Row, values: &[f64; 6]) -> Value {
        let options = self.options;
        let mut object = json!({
            "call": row.name, "engine": if options.engine == Engine::Sqlite { "sqlite" } else { "postgres" },
            "database": self.database, "sessions": options.sessions, "counsellors": options.counsellors,
            "seed": options.seed, "connections": options.connections, "in_flight": options.in_flight,
            "sync_delay_ms": options.sync_delay_ms,
        });
        match row.how {
            How::Callers(callers) => object["callers"] = callers.into(),
            How::Rate(rate) => object["rate"] = rate.into(),
        }
        for (column, value) in COLUMNS.iter().zip(values) {
            object[*column] = json!(value);
        }
        object
    }
}

/// Adds a line to the file of figures.
pub fn line(options: &Options, object: &Value) -> Result<()> {
    let Some(file) = &options.json else { return Ok(()) };
    Ok(writeln!(File::options().append(true).create(true).open(file)?, "{object}")?)
}

fn heading(before: &str) {
    println!(
        "{before}{:<32} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "call", "callers", "/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "of empty"
    );
}

fn told(row: &Row, values: &[f64; 6]) -> String {
    let how = match row.how {
        How::Callers(callers) => callers.to_string(),
        How::Rate(rate) => format!("{rate}/s"),
    };
    format!("{:<32} {how:>9}{}", row.name, columns(values))
}

fn spread(word: &str, values: &[f64; 6]) -> String {
    format!("{word:>42}{}", columns(values))
}

fn columns([per_second, p50, p90, p99, max, share]: &[f64; 6]) -> String {
    format!(" {per_second:>9.0} {p50:>9.3} {p90:>9.3} {p99:>9.3} {max:>9.3} {share:>9.4}")
}

fn remarks(measured: &Measured) -> String {
    let mut remarks = String::new();
    for (code, count) in measured.refused.iter().filter(|(_, count)| **count > 0) {
        remarks += &format!("  {count} {code}");
    }
    if measured.exhausted {
        remarks += &format!("  nothing left after {:.1} s", measured.lasted.as_secs_f64());
    }
    if measured.unanswered > 0 {
        remarks += &format!("  {} not answered", measured.unanswered);
    }
    if measured.latencies.is_empty() {
        remarks += "  no answer within the window";
    }
    remarks
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

fn first(sorted: &[f64]) -> f64 {
    sorted.first().copied().unwrap_or(f64::NAN)
}

fn last(sorted: &[f64]) -> f64 {
    sorted.last().copied().unwrap_or(f64::NAN)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
