//! Keeps the keys of a provider: reads them again every few minutes, and at once when a token names one that is not
//! known; but never more often than every few seconds, whoever asks for it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::fetch::{Fetcher, PATIENCE, Unreadable};
use super::key::{self, Key};
use super::token::Token;
use crate::chain::chain;
use crate::config::SafeUrl;
use crate::usecase::World;
use crate::usecase::call::Refused;
use crate::usecase::error::Error;

/// After that keys are read again: a withdrawn one is good no longer. \[P\]
pub(super) const CONFIRMED_EVERY: TimeDelta = TimeDelta::minutes(5);
/// Between two attempts there is at least this, however many tokens name keys that nobody knows. \[P\]
pub(super) const ATTEMPTS_EVERY: TimeDelta = TimeDelta::seconds(10);
/// While the provider is away, its keys count for so long: those who are in stay in, and nobody who keeps it away from
/// us gains more than that. \[P\]
pub(super) const UNCONFIRMED_FOR: TimeDelta = TimeDelta::hours(1);
/// How often it is looked whether it is time.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// Keeps the keys of a provider.
pub(super) struct Keeper {
    world: World,
    issuer: SafeUrl,
    fetcher: Fetcher,
    known: watch::Sender<Known>,
    asked: Notify,
}

/// What is known of the keys.
#[derive(Clone, Debug, Default)]
struct Known {
    keys: Arc<[Key]>,
    /// Counts how often they were read.
    version: u64,
    confirmed_at: Option<DateTime<Utc>>,
    attempts: u64,
    attempted_at: Option<DateTime<Utc>>,
}

/// Part of OpenID Connect Discovery 1.0, section 3.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Known {
    fn counts(&self, now: DateTime<Utc>) -> bool {
        self.confirmed_at.is_some_and(|at| now - at < UNCONFIRMED_FOR)
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.confirmed_at.is_none_or(|at| (now - at).abs() >= CONFIRMED_EVERY)
    }

    fn was_attempted(&self, now: DateTime<Utc>) -> bool {
        self.attempted_at.is_some_and(|at| (now - at).abs() < ATTEMPTS_EVERY)
    }

    /// The key that a token is signed by, if exactly one can be meant.
    fn key_of(&self, token: &Token<'_>) -> Option<&Key> {
        let mut meant = self.keys.iter().filter(|key| token.names(key));
        meant.next().filter(|_| meant.next().is_none())
    }
}

impl Keeper {
    pub(super) fn new(world: World, issuer: SafeUrl, fetcher: Fetcher) -> Self {
        Self { world, issuer, fetcher, known: watch::Sender::default(), asked: Notify::new() }
    }

    /// Which keys count now, if any do: other keys have another number.
    pub(super) fn version(&self, now: DateTime<Utc>) -> Option<u64> {
        let known = self.known.borrow();
        known.counts(now).then_some(known.version)
    }

    /// The key that a token says it is signed by, and among which keys it is.
    pub(super) async fn key_of(&self, token: &Token<'_>, now: DateTime<Utc>) -> Result<(Key, u64), Refused> {
        let mut changes = self.known.subscribe();
        let mut known = changes.borrow_and_update().clone();
        let missing = !known.counts(now) || known.key_of(token).is_none();
        if missing && !known.was_attempted(now) {
            self.asked.notify_one();
            let attempted = changes.wait_for(|it| it.attempts > known.attempts);
            // Two documents are read; who waits longer than that would wait in vain.
            if let Ok(Ok(now_known)) = timeout(PATIENCE * 3, attempted).await {
                known = now_known.clone();
            }
        }
        if !known.counts(now) {
            return Err(Refused::Unchecked(Error::NoKeys));
        }
        let key = known.key_of(token).cloned().ok_or(Refused::Forged("key"))?;
        Ok((key, known.version))
    }

    /// Whether tokens can be checked.
    pub(super) fn is_ready(&self) -> bool {
        self.known.borrow().counts(self.world.now())
    }

    /// Resolves when that is no longer as it was.
    pub(super) async fn turns(&self, from: bool) {
        let mut changes = self.known.subscribe();
        while self.is_ready() == from {
            // Keys become too old without a change.
            let _ = timeout(LOOKS_EVERY, changes.changed()).await;
        }
    }

    /// Keeps them up to date, for ever.
    pub(super) async fn keep(&self) {
        let mut asked = false;
        loop {
            let now = self.world.now();
            let (due, attempted) = {
                let known = self.known.borrow();
                (known.is_due(now), known.was_attempted(now))
            };
            if (due || asked) && !attempted {
                self.attempt(now).await;
            }
            asked = timeout(LOOKS_EVERY, self.asked.notified()).await.is_ok();
        }
    }

    async fn attempt(&self, now: DateTime<Utc>) {
        let read = read(&self.fetcher, &self.issuer).await;
        self.known.send_modify(|known| {
            known.attempts += 1;
            known.attempted_at = Some(now);
            match read {
                Ok(keys) => {
                    tracing::debug!(keys = keys.len(), "read the keys of the issuer");
                    (known.keys, known.confirmed_at) = (keys.into(), Some(now));
                    known.version += 1;
                }
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "cannot read the keys of the issuer");
                }
            }
        });
    }
}

/// Reads the keys of an issuer.
pub(super) async fn read(fetcher: &Fetcher, issuer: &SafeUrl) -> Result<Vec<Key>, Unreadable> {
    let base = issuer.as_str().trim_end_matches('/');
    let place = format!("{base}/.well-known/openid-configuration").parse();
    let text = fetcher.get(&place.map_err(Unreadable::Content)?).await?;
    let metadata: Metadata = serde_json::from_slice(&text).map_err(|_| Unreadable::Content("a configuration"))?;
    if metadata.issuer != issuer.as_str() {
        return Err(Unreadable::Content("of this issuer"));
    }
    let place = metadata.jwks_uri.parse().map_err(|_| Unreadable::Content("a place that is secured"))?;
    key::keys(&fetcher.get(&place).await?).ok_or(Unreadable::Content("a key set"))
}
