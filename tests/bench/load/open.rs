//! The open loop: a clock of its own says when calls are due, and each is timed from then on. Whoever falls behind is
//! seen to, which a closed loop hides (it asks for less, the slower it is answered).

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Code;

use super::{Call, Crowd, Failure, Measured, expected, present};
use crate::{Error, Result};

/// For how long answers are awaited after the last call was due, as a multiple of the window.
const PATIENCE: u32 = 2;

/// What became of a call: when it was due, when it ended, and how.
type Ended = (Instant, Instant, Result<(), Failure>);

impl Crowd {
    /// Has calls made at a rate, in a second, for the window.
    pub async fn pace(&self, call: &Call, rate: f64) -> Result<Measured> {
        let from = present() + self.warm_up;
        let until = from + self.window;
        let (latencies, refused) = (Histogram::new(3)?, BTreeMap::new());
        let mut measured = Measured { latencies, refused, lasted: self.window, exhausted: false, unanswered: 0 };
        let mut due = due(rate, until);
        let mut calls = JoinSet::new();
        let mut channels = self.channels.iter().cycle();
        loop {
            tokio::select! {
                at = due.recv() => {
                    let (Some(at), Some(channel)) = (at, channels.next()) else { break };
                    let once = call.once.clone();
                    let channel = channel.clone();
                    calls.spawn(async move { let result = once(channel).await; (at, present(), result) });
                }
                Some(ended) = calls.join_next() => {
                    measured.count(from, ended?).map_err(|error| format!("{}: {error}", call.name))?;
                    if measured.exhausted {
                        break;
                    }
                }
            }
        }
        let patience = tokio::time::sleep_until(until + self.window * PATIENCE);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                ended = calls.join_next() => match ended {
                    Some(ended) => measured.count(from, ended?).map_err(|error| format!("{}: {error}", call.name))?,
                    None => break,
                },
                () = &mut patience => break,
            }
        }
        measured.unanswered = calls.len() as u64;
        Ok(measured)
    }
}

impl Measured {
    /// Counts a call that was due within the window, however late it ended.
    fn count(&mut self, from: Instant, (due, ended, result): Ended) -> Result<()> {
        let counts = due >= from;
        match result {
            Ok(()) if counts => self.latencies.record(u64::try_from((ended - due).as_nanos())?)?,
            Ok(()) => {}
            Err(Failure::Exhausted) if self.exhausted => {}
            Err(Failure::Exhausted) => {
                self.exhausted = true;
                self.lasted = due.saturating_duration_since(from).min(self.lasted);
            }
            Err(failure) => {
                let code = overloaded(failure)?;
                *self.refused.entry(code).or_default() += u64::from(counts);
            }
        }
        Ok(())
    }
}

/// Beyond what it can do the service may also let calls run out of time.
fn overloaded(failure: Failure) -> Result<String, Error> {
    match failure {
        Failure::Status(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => {
            Ok(format!("{:?}", status.code()))
        }
        failure => expected(failure),
    }
}

/// Says when each call is due. A thread of its own keeps time more finely than the runtime's timer does.
fn due(rate: f64, until: Instant) -> mpsc::UnboundedReceiver<Instant> {
    let (tell, due) = mpsc::unbounded_channel();
    let begun = present();
    std::thread::spawn(move || {
        for number in 0_u32.. {
            let at = begun + Duration::from_secs_f64(f64::from(number) / rate);
            if at >= until {
                return;
            }
            std::thread::sleep(at.saturating_duration_since(present()));
            if tell.send(at).is_err() {
                return;
            }
        }
    });
    due
}
