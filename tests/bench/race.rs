//! Many want one time: each of a hundred is wanted by sixteen at once, and one gets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aftercare::grpc::pb;
use hdrhistogram::Histogram;
use pb::scheduling_service_client::SchedulingServiceClient;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::calls::booking;
use super::database::Fresh;
use super::load::Crowd;
use super::service::{Cast, Token, broken_rules};
use super::{Options, Result};

/// How many times are wanted.
const WANTED: usize = 100;
/// How often each.
const ATTEMPTS: usize = 16;
/// How many race at once, in turn.
const RACERS: [usize; 2] = [2, 16];

/// What became of an attempt, and after how many nanoseconds.
type Attempt = (Result<(), Status>, u64);

/// Lets them race, and counts in the database what came of it.
pub async fn race(options: &Options, fresh: &Fresh, cast: &Cast, crowd: &Crowd) -> Result<()> {
    println!("{}", fresh.describe().await?);
    let free = &cast.filled.free;
    for (round, racers) in RACERS.into_iter().enumerate() {
        let wanted = free.iter().skip(round * WANTED).take(WANTED).map(|opening| booking(cast, opening));
        let wanted: Arc<Vec<_>> = Arc::new(wanted.collect());
        if wanted.len() < WANTED {
            return Err("so small a world has too few free times for a race".into());
        }
        let mut count = Count::new()?;
        for attempt in all(crowd, &wanted, racers).await? {
            count.add(attempt)?;
        }
        let twice = twice(fresh).await?;
        count.tell(options, racers, twice)?;
        if count.booked != WANTED as u64 || twice > 0 || !count.otherwise.is_empty() {
            return Err("a race ended otherwise than it must".into());
        }
    }
    Ok(())
}

/// Every attempt: all racers want the same time at the same moment, until each time was wanted often enough.
async fn all(crowd: &Crowd, wanted: &Arc<Vec<(Token, pb::BookSessionRequest)>>, racers: usize) -> Result<Vec<Attempt>> {
    let (gate, turns) = (Arc::new(Barrier::new(racers)), ATTEMPTS / racers);
    let mut racing = JoinSet::new();
    for channel in crowd.channels().cycle().take(racers) {
        let (gate, wanted, channel) = (gate.clone(), wanted.clone(), channel.clone());
        racing.spawn(async move {
            let mut attempts = Vec::new();
            for (token, booking) in wanted.iter() {
                for _ in 0..turns {
                    gate.wait().await;
                    attempts.push(attempt(channel.clone(), token, booking).await);
                }
            }
            attempts
        });
    }
    Ok(racing.join_all().await.concat())
}

async fn attempt(channel: Channel, token: &Token, booking: &pb::BookSessionRequest) -> Attempt {
    let begun = present();
    let result = SchedulingServiceClient::new(channel).book_session(token.on(booking.clone())).await;
    (result.map(drop), u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

/// What came of a race.
struct Count {
    booked: u64,
    refused: Histogram<u64>,
    otherwise: BTreeMap<String, u64>,
}

impl Count {
    fn new() -> Result<Self> {
        Ok(Self { booked: 0, refused: Histogram::new(3)?, otherwise: BTreeMap::new() })
    }

    fn add(&mut self, (result, nanos): Attempt) -> Result<()> {
        match result {
            Ok(()) => self.booked += 1,
            Err(status) if is_typed(&status) => self.refused.record(nanos)?,
            Err(status) => *self.otherwise.entry(format!("{:?}", status.code())).or_default() += 1,
        }
        Ok(())
    }

    fn tell(&self, options: &Options, racers: usize, twice: i64) -> Result<()> {
        let (refused, p99) = (self.refused.len(), self.refused.value_at_quantile(0.99) as f64 / 1e6);
        println!(
            "{WANTED} times, {ATTEMPTS} attempts each, {racers:>2} at once: {} booked, {refused} refused (p99 {p99:.1} ms), \
             otherwise {:?}, booked twice {twice}",
            self.booked, self.otherwise
        );
        super::report::line(
            options,
            &serde_json::json!({
                "race": racers, "booked": self.booked, "refused": refused, "refused_p99_ms": p99,
                "otherwise": self.otherwise, "twice": twice,
            }),
        )
    }
}

/// A refusal that names the rules which stand in the way.
fn is_typed(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition && !broken_rules(status).is_empty()
}

/// How many pairs of times of one counsellor, client or room overlap in the database.
async fn twice(fresh: &Fresh) -> Result<i64> {
    fresh
        .count(
            "SELECT COUNT(*) FROM occupancy AS one JOIN occupancy AS other
                 ON one.resource_id = other.resource_id AND one.session_id < other.session_id
                AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at",
        )
        .await
}

#[allow(clippy::disallowed_methods, reason = "what is measured is the machine's time")]
fn present() -> Instant {
    Instant::now()
}
