//! How often a caller may call, and how many streams one may have open, in this process.
//!
//! A caller is known by role, organisation and subject, never by address: nobody can use up what is another's. A
//! refused call does not put off the next. The time is the machine's own, which no clock of a test moves.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::error::{Error, Result};
use crate::domain::access::Caller;
use crate::domain::limit::{self, Class, Quotas, class};

type Limiter = RateLimiter<String, HashMapStateStore<String>, MonotonicClock, NoOpMiddleware<std::time::Instant>>;

/// After so many calls, callers whose quota is full again are forgotten: so many may be kept in vain. \[P\]
const SWEEPS_AFTER: u32 = 4_096;
/// When somebody with too many open streams is asked to come back. \[P\]
const STREAM_RETRY: TimeDelta = TimeDelta::seconds(10);
/// So many refusals of one caller are audited a minute. \[P\]
const AUDITED: limit::Quota = limit::Quota { per_minute: 1, burst: 1 };

/// The limits of a process.
pub struct Limits {
    classes: Vec<(Class, Limiter)>,
    audited: Option<Limiter>,
    calls: AtomicU32,
    open_streams: u32,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

impl Limits {
    /// Limits that hold callers to these quotas.
    pub fn new(quotas: &Quotas) -> Self {
        let of = |class: &Class| Some((*class, limiter(quotas.of(*class))?));
        Self {
            classes: Class::ALL.iter().filter_map(of).collect(),
            audited: limiter(AUDITED),
            calls: AtomicU32::new(1),
            open_streams: quotas.open_streams,
            open: Arc::default(),
        }
    }

    /// Counts a call. RESOURCE_EXHAUSTED, RATE_LIMITED, when there were too many of its class; the next is then let
    /// through as soon as it would have been without.
    pub(super) fn count(&self, caller: &Caller, rpc: &str) -> Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEPS_AFTER) {
            self.sweep();
        }
        let class = class(rpc);
        let Some((_, limiter)) = self.classes.iter().find(|(it, _)| *it == class) else { return Ok(()) };
        limiter.check_key(&caller.identity()).map_err(|not_until| {
            let wait = not_until.wait_time_from(MonotonicClock.now());
            let retry_for = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
            Error::Exhausted { reason: "RATE_LIMITED", says: "too many calls; wait before the next", retry_for }
        })
    }

    /// Opens a stream, which counts until what is returned is dropped. RESOURCE_EXHAUSTED, TOO_MANY_STREAMS.
    pub(super) fn open_stream(&self, caller: &Caller) -> Result<OpenStream> {
        let identity = caller.identity();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&identity).copied().unwrap_or_default();
        if self.open_streams > 0 && count >= self.open_streams {
            let says = "too many open streams; close one before the next";
            return Err(Error::Exhausted { reason: "TOO_MANY_STREAMS", says, retry_for: STREAM_RETRY });
        }
        open.insert(identity.clone(), count + 1);
        Ok(OpenStream { identity, open: self.open.clone() })
    }

    /// Whether a refusal of this caller is still to be audited: no refusal must fill the disk.
    pub(super) fn is_audited(&self, caller: &Caller) -> bool {
        self.audited.as_ref().is_some_and(|it| it.check_key(&caller.identity()).is_ok())
    }

    fn sweep(&self) {
        for limiter in self.limiters() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn limiters(&self) -> impl Iterator<Item = &Limiter> {
        self.classes.iter().map(|(_, it)| it).chain(self.audited.as_ref())
    }
}

fn limiter(quota: limit::Quota) -> Option<Limiter> {
    let burst = NonZeroU32::new(quota.burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::per_minute(NonZeroU32::new(quota.per_minute)?).allow_burst(burst);
    Some(RateLimiter::hashmap_with_clock(quota, MonotonicClock))
}

/// A stream that is open, until it is dropped.
pub struct OpenStream {
    identity: String,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

impl std::fmt::Debug for OpenStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenStream")
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.identity) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.identity)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{Authority, TABLE};
    use crate::domain::limit::CLASSES;

    const RPC: &str = "aftercare.v1.DirectoryService/ListVenues";

    #[test]
    fn callers_whose_quota_is_full_again_are_forgotten() {
        let read = limit::Quota { per_minute: u32::MAX, burst: 1 };
        let limits = Limits::new(&Quotas { read, ..Quotas::OFF });
        for number in 0..5 * SWEEPS_AFTER {
            limits.count(&Caller::without_token(format!("p{number}"), Authority::Admin), RPC).unwrap();
        }
        let kept: usize = limits.limiters().map(RateLimiter::len).sum();
        assert!(kept <= 2 * SWEEPS_AFTER as usize, "{kept} callers are kept in mind");
    }

    #[test]
    fn every_exception_is_an_rpc_and_each_once() {
        for (at, (name, _)) in CLASSES.iter().enumerate() {
            assert!(TABLE.iter().any(|(rpc, _)| rpc == name), "{name}");
            assert!(CLASSES[..at].iter().all(|(other, _)| other != name), "{name}");
        }
    }

    #[test]
    fn a_stream_counts_until_it_is_dropped() {
        let limits = Limits::new(&Quotas { open_streams: 1, ..Quotas::OFF });
        let (one, other) =
            (Caller::without_token("one", Authority::Admin), Caller::without_token("other", Authority::Admin));
        let open = limits.open_stream(&one).unwrap();
        assert_eq!(limits.open_stream(&one).unwrap_err().reason(), "TOO_MANY_STREAMS");
        drop(limits.open_stream(&other).unwrap());
        drop(open);
        drop(limits.open_stream(&one).unwrap());
        assert!(limits.open.lock().unwrap().is_empty());
    }
}
