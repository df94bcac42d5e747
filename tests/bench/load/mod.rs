//! The closed loop: so many callers, each of whom waits for an answer before asking again. And the open one: calls
//! come at a rate, whether or not those before were answered, and each is late by what it had to wait.

mod open;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::service::{Service, explain};
use super::{Error, Options, Result, window};

/// How a call ends badly.
pub enum Failure {
    /// The service says so.
    Status(Status),
    /// The answer is not what it should be.
    Wrong(String),
    /// There is nothing left to ask for: the measurement ends here.
    Exhausted,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

type Once = dyn Fn(Channel) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync;

/// A call that can be made again and again.
pub struct Call {
    name: String,
    once: Arc<Once>,
}

impl Call {
    /// A call by what it does once.
    pub fn new<F>(name: impl Into<String>, once: impl Fn(Channel) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Self { name: name.into(), once: Arc::new(move |channel| Box::pin(once(channel))) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What was measured.
pub struct Measured {
    /// Latencies in nanoseconds, of what was answered.
    pub latencies: Histogram<u64>,
    /// Answers that count as the load's own: how many, by code.
    pub refused: BTreeMap<String, u64>,
    /// For how long.
    pub lasted: Duration,
    /// It ended early because there was nothing left to ask for.
    pub exhausted: bool,
    /// Calls that nobody had answered when it was over.
    pub unanswered: u64,
}

/// Callers with connections.
pub struct Crowd {
    channels: Vec<Channel>,
    in_flight: usize,
    warm_up: Duration,
    window: Duration,
}

impl Crowd {
    /// Connects.
    pub async fn connect(service: &Service, options: &Options) -> Result<Self> {
        let mut channels = Vec::new();
        for _ in 0..options.connections {
            let endpoint = Channel::from_shared(format!("http://{}", service.address))?;
            channels.push(endpoint.connect().await?);
        }
        let (warm_up, window) = window(options);
        Ok(Self { channels, in_flight: options.in_flight as usize, warm_up, window })
    }

    /// One connection.
    pub fn channel(&self) -> Channel {
        self.channels[0].clone()
    }

    /// Every connection.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> + Clone {
        self.channels.iter()
    }

    /// Callers at saturation.
    pub fn most(&self) -> usize {
        self.channels.len() * self.in_flight
    }

    /// Has one caller call for a while, from now on.
    pub async fn alone(&self, call: &Call, lasts: Duration) -> Result<Histogram<u64>> {
        let from = present();
        Ok(caller(call.once.clone(), self.channel(), from, from + lasts).await?.latencies)
    }

    /// Lets so many callers call, and measures what is answered within the window.
    pub async fn measure(&self, call: &Call, callers: usize) -> Result<Measured> {
        let from = present() + self.warm_up;
        let until = from + self.window;
        let mut crowd = JoinSet::new();
        for channel in self.channels.iter().cycle().take(callers) {
            crowd.spawn(caller(call.once.clone(), channel.clone(), from, until));
        }
        let (latencies, refused) = (Histogram::new(3)?, BTreeMap::new());
        let mut all = Measured { latencies, refused, lasted: self.window, exhausted: false, unanswered: 0 };
        while let Some(measured) = crowd.join_next().await {
            all.add(measured?.map_err(|error| format!("{}: {error}", call.name))?)?;
        }
        Ok(all)
    }
}

impl Measured {
    fn add(&mut self, other: Measured) -> Result<()> {
        self.latencies.add(other.latencies)?;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        if other.exhausted {
            self.exhausted = true;
            self.lasted = self.lasted.min(other.lasted);
        }
        Ok(())
    }

    /// Answers per second.
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.lasted.as_secs_f64()
    }
}

async fn caller(once: Arc<Once>, channel: Channel, from: Instant, until: Instant) -> Result<Measured> {
    let (latencies, lasted) = (Histogram::new(3)?, until - from);
    let refused = BTreeMap::new();
    let mut measured = Measured { latencies, refused, lasted, exhausted: false, unanswered: 0 };
    loop {
        let begun = present();
        if begun >= until {
            return Ok(measured);
        }
        let result = once(channel.clone()).await;
        let ended = present();
        let counts = (from..until).contains(&ended);
        match result {
            Ok(()) if counts => measured.latencies.record(u64::try_from((ended - begun).as_nanos())?)?,
            Ok(()) => {}
            Err(Failure::Exhausted) => {
                measured.lasted = ended.saturating_duration_since(from).min(lasted);
                measured.exhausted = true;
                return Ok(measured);
            }
            Err(failure) => {
                let code = expected(failure)?;
                *measured.refused.entry(code).or_default() += u64::from(counts);
            }
        }
    }
}

/// Under load the service may say that it is busy; everything else is an error of the service or of
/// this program.
fn expected(failure: Failure) -> Result<String, Error> {
    match failure {
        Failure::Status(status) if status.code() == Code::Unavailable => Ok(format!("{:?}", status.code())),
        Failure::Status(status) => Err(explain(&status)),
        Failure::Wrong(says) => Err(says.into()),
        Failure::Exhausted => Err("nothing to ask for".into()),
    }
}

/// The machine's present.
#[allow(clippy::disallowed_methods, reason = "what is measured is the machine's time")]
pub fn present() -> Instant {
    Instant::now()
}
