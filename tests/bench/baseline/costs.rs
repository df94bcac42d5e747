//! What each statement of a call costs, when it is said alone.

use std::collections::HashMap;
use std::time::Duration;

/// So much of a statement is shown.
const SHOWN: usize = 150;

/// By text: how often it was said, and how long that took together.
#[derive(Default)]
pub struct Costs(HashMap<String, (u32, Duration)>);

impl Costs {
    /// A statement was said once more.
    pub fn add(&mut self, text: &str, took: Duration) {
        if let Some(cost) = self.0.get_mut(text) {
            *cost = (cost.0 + 1, cost.1 + took);
        } else {
            self.0.insert(text.to_owned(), (1, took));
        }
    }

    /// Both together.
    pub fn join(&mut self, other: Self) {
        for (text, (count, took)) in other.0 {
            let cost = self.0.entry(text).or_default();
            *cost = (cost.0 + count, cost.1 + took);
        }
    }

    /// Tells them of so many calls, the dearest first.
    pub fn tell(self, call: &str, calls: usize) {
        let each = |count: u32| f64::from(count) / calls.max(1) as f64;
        let micros = |took: Duration| took.as_secs_f64() * 1e6 / calls.max(1) as f64;
        let mut costs: Vec<_> = self.0.into_iter().collect();
        costs.sort_by_key(|(_, (_, took))| std::cmp::Reverse(*took));
        let (said, all) = costs.iter().fold((0, Duration::ZERO), |(n, all), (_, it)| (n + it.0, all + it.1));
        println!("\n{call}: {:.1} statements take {:.0} µs", each(said), micros(all));
        println!("{:>8} {:>6}  statement", "µs", "times");
        for (text, (count, took)) in costs {
            let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
            println!("{:>8.1} {:>6.2}  {words}", micros(took), each(count));
        }
    }
}
