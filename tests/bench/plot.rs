//! Pictures of the figures: latency against load, and what a call costs against the size of the world. Both axes are
//! logarithmic; a picture is an SVG of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Options, Result};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 460.0;
/// What is left at the edges for words.
const EDGE: f64 = 60.0;
const COLOURS: [&str; 6] = ["#1f6f8b", "#c1440e", "#3a7d44", "#7b4b94", "#a67c00", "#444444"];

/// Lines by their names, each point with what it is over and what it comes to.
type Lines = BTreeMap<String, Vec<(f64, f64)>>;

/// Draws what stands in the files of figures; without any that are named, in that of this run.
pub fn draw(options: &Options) -> Result<()> {
    let Some(directory) = &options.plot else { return Ok(()) };
    let files: Vec<&PathBuf> = options.plot_from.iter().chain(options.json.iter()).collect();
    if files.is_empty() {
        return Err("--plot needs --json or --plot-from".into());
    }
    let mut figures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file)?;
        figures.extend(text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?);
    }
    std::fs::create_dir_all(directory)?;
    let load = lines(&figures, "rate", &[("p50_ms", " p50"), ("p99_ms", " p99")]);
    picture(&directory.join("latency.svg"), "latency against load", ("calls in a second", "ms"), &load)?;
    let mut size = Lines::new();
    let most = figures.iter().filter_map(|it| it["callers"].as_u64()).max();
    for it in figures.iter().filter(|it| it["callers"].as_u64() == most && most.is_some()) {
        let (sessions, per_second) = (it["sessions"].as_f64(), it["per_second"].as_f64());
        if let (Some(call), Some(sessions), Some(per_second)) = (it["call"].as_str(), sessions, per_second) {
            size.entry(call.to_owned()).or_default().push((sessions, 1e3 / per_second));
        }
    }
    picture(&directory.join("size.svg"), "cost against size, at saturation", ("sessions stored", "ms a call"), &size)
}

/// What the figures come to over one of their values.
fn lines(figures: &[Value], over: &str, columns: &[(&str, &str)]) -> Lines {
    let mut lines = Lines::new();
    for it in figures {
        for (column, word) in columns {
            if let (Some(call), Some(x), Some(y)) = (it["call"].as_str(), it[over].as_f64(), it[*column].as_f64()) {
                lines.entry(format!("{call}{word}")).or_default().push((x, y));
            }
        }
    }
    lines
}

fn picture(file: &Path, title: &str, (over, of): (&str, &str), lines: &Lines) -> Result<()> {
    let points = || lines.values().flatten().filter(|(x, y)| *x > 0.0 && *y > 0.0);
    if points().next().is_none() {
        return Ok(());
    }
    let across = Axis::of(points().map(|it| it.0), EDGE, WIDTH - EDGE * 4.0);
    let up = Axis::of(points().map(|it| it.1), HEIGHT - EDGE, EDGE);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' font-family='sans-serif' font-size='11'>\n\
         <rect width='100%' height='100%' fill='white'/>\n<text x='{EDGE}' y='30' font-size='15'>{title}</text>\n\
         <text x='{EDGE}' y='{}'>{over}</text>\n<text x='10' y='50'>{of}</text>\n",
        HEIGHT - 15.0
    );
    for (value, at) in across.marks() {
        let (top, bottom) = (EDGE, HEIGHT - EDGE);
        writeln!(svg, "<path d='M{at:.1} {top}V{bottom}' stroke='#dddddd'/>")?;
        writeln!(svg, "<text x='{at:.1}' y='{}' text-anchor='middle'>{value}</text>", bottom + 16.0)?;
    }
    for (value, at) in up.marks() {
        writeln!(svg, "<path d='M{EDGE} {at:.1}H{}' stroke='#dddddd'/>", WIDTH - EDGE * 4.0)?;
        writeln!(svg, "<text x='{}' y='{at:.1}' text-anchor='end'>{value}</text>", EDGE - 6.0)?;
    }
    for (number, (name, points)) in lines.iter().enumerate() {
        let (colour, y) = (COLOURS[number % COLOURS.len()], EDGE + 15.0 * number as f64);
        let mut points: Vec<_> = points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let places: Vec<_> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", across.at(*x), up.at(*y))).collect();
        writeln!(svg, "<polyline points='{}' fill='none' stroke='{colour}'/>", places.join(" "))?;
        for (x, y) in &points {
            writeln!(svg, "<circle cx='{:.1}' cy='{:.1}' r='3' fill='{colour}'/>", across.at(*x), up.at(*y))?;
        }
        writeln!(svg, "<text x='{}' y='{y}' fill='{colour}'>{name}</text>", WIDTH - EDGE * 4.0 + 10.0)?;
    }
    svg += "</svg>\n";
    Ok(std::fs::write(file, svg)?)
}

/// An axis from one power of ten to another.
struct Axis {
    powers: (f64, f64),
    places: (f64, f64),
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let most = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil();
        Self { powers: (least, most.max(least + 1.0)), places: (from, to) }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - self.powers.0) / (self.powers.1 - self.powers.0);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    fn marks(&self) -> impl Iterator<Item = (f64, f64)> {
        let powers = self.powers.0 as i32..=self.powers.1 as i32;
        powers.map(|power| 10_f64.powi(power)).map(|value| (value, self.at(value)))
    }
}
