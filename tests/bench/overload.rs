//! More than can be done: what is let in is to be answered nearly as soon as at the most that can be done, memory is not to
//! grow, and when it is over everything is to be as before.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::database::Fresh;
use super::load::{Call, Crowd, Measured, present};
use super::service::Cast;
use super::{Options, Result, calls, process, report};

/// So many times what can be done is asked for.
const TIMES: f64 = 5.0;
/// How long a part is, after the load, in which latencies are looked at by themselves, and for how many it is looked.
const PART: Duration = Duration::from_millis(250);
const PARTS: u32 = 40;
/// What counts as it was before: so many times the median of a lone caller.
const NORMAL: f64 = 2.0;

/// Asks for too much of each call in turn.
pub async fn overload(options: &Options, fresh: &Fresh, cast: &Cast, crowd: &Crowd) -> Result<()> {
    println!("{}", fresh.describe().await?);
    println!("{} CPUs for clients and service; {} s each", std::thread::available_parallelism()?, options.seconds);
    for call in calls::all(cast, options.seed).iter().filter(|it| !it.is_empty() && it.name().contains(&options.only)) {
        let alone = crowd.measure(call, 1).await?;
        let most = crowd.measure(call, crowd.most()).await?;
        let memory = Memory::watch();
        let over = crowd.pace(call, TIMES * most.per_second()).await?;
        let memory = memory.end().await?;
        let after = recovery(crowd, call, &alone).await?;
        tell(options, call, [&alone, &most, &over], &memory, after)?;
    }
    Ok(())
}

/// How long after the load a lone caller is answered as before, for good; none if never.
async fn recovery(crowd: &Crowd, call: &Call, before: &Measured) -> Result<Option<f64>> {
    let (begun, normal) = (present(), NORMAL * before.latencies.value_at_quantile(0.5) as f64);
    let mut since = None;
    for _ in 0..PARTS {
        let part = crowd.alone(call, PART).await?;
        if part.value_at_quantile(0.5) as f64 > normal {
            since = None;
        } else if since.is_none() {
            since = Some(begun.elapsed().saturating_sub(PART).as_secs_f64());
        }
    }
    Ok(since)
}

fn tell(
    options: &Options,
    call: &Call,
    [alone, most, over]: [&Measured; 3],
    memory: &[u64],
    after: Option<f64>,
) -> Result<()> {
    let at = |it: &Histogram<u64>, quantile: f64| it.value_at_quantile(quantile) as f64 / 1e6;
    let refused: u64 = over.refused.values().sum();
    let ratio = at(&over.latencies, 0.99) / at(&most.latencies, 0.99);
    let mib = |bytes: Option<&u64>| bytes.copied().unwrap_or_default() as f64 / f64::from(1 << 20);
    // The first fifth is a warm-up.
    let (first, last) = (mib(memory.get(memory.len() / 5)), mib(memory.last()));
    println!("\n{}", call.name());
    println!("  alone       p50 {:.2} ms", at(&alone.latencies, 0.5));
    println!(
        "  the most    {:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        most.per_second(),
        at(&most.latencies, 0.5),
        at(&most.latencies, 0.99)
    );
    println!(
        "  {TIMES} times as much is asked: {:.0}/s answered, p50 {:.2} ms, p99 {:.2} ms = {ratio:.2} of the most's; \
         {refused} turned away {:?}, {} unanswered",
        over.per_second(),
        at(&over.latencies, 0.5),
        at(&over.latencies, 0.99),
        over.refused,
        over.unanswered
    );
    println!("  memory of clients and service: {first:.1} MiB after the warm-up, {last:.1} MiB at the end");
    println!("  as before after {}", after.map_or("never".into(), |it| format!("{it:.2} s")));
    report::line(
        options,
        &json!({
            "overload": call.name(), "capacity": most.per_second(), "capacity_p99_ms": at(&most.latencies, 0.99),
            "times": TIMES, "answered": over.per_second(), "p99_ms": at(&over.latencies, 0.99), "p99_of_capacity": ratio,
            "refused": refused, "unanswered": over.unanswered, "exhausted": over.exhausted,
            "memory_first_mib": first, "memory_last_mib": last, "normal_after_s": after,
        }),
    )
}

/// Looks at this process's memory once a second.
struct Memory {
    seen: std::sync::Arc<std::sync::Mutex<Vec<u64>>>,
    looking: JoinHandle<()>,
}

impl Memory {
    fn watch() -> Self {
        let seen = std::sync::Arc::<std::sync::Mutex<Vec<u64>>>::default();
        let into = seen.clone();
        let looking = tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(1)).await;
                if let (Ok(bytes), Ok(mut seen)) = (process::resident(std::process::id()), into.lock()) {
                    seen.push(bytes);
                }
            }
        });
        Self { seen, looking }
    }

    async fn end(self) -> Result<Vec<u64>> {
        self.looking.abort();
        Ok(self.seen.lock().map_err(|_| "whoever looked panicked")?.clone())
    }
}
