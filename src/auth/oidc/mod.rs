//! Tokens of any OpenID Connect provider: its keys by discovery, its claims by configuration.
//!
//! What a token says is believed only after its signature was checked with a key of the provider's key set, by the
//! one algorithm of that key. No token brings or names a key of its own, and every refusal looks alike from outside.

mod claim;
mod fetch;
mod json;
mod keeper;
mod key;
mod named;
mod token;

use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::claim::Said;
use self::fetch::Fetcher;
use self::keeper::Keeper;
use self::named::Names;
use self::token::Token;
use super::memory::{Memory, Name};
use crate::config;
use crate::domain::access::Identity;
use crate::usecase::World;
use crate::usecase::call::{Authenticator, Identified, Refused};

/// A provider whose tokens are checked.
pub struct Provider {
    config: config::Provider,
    keeper: Keeper,
    memory: Memory<Said>,
    names: Names,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("config", &self.config).finish_non_exhaustive()
    }
}

/// How many keys a provider has by which tokens can be checked, asked once.
pub async fn reach(config: &config::Provider) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let fetcher = Fetcher::new(config.authority.as_deref())?;
    Ok(keeper::read(&fetcher, &config.issuer).await?.len())
}

impl Provider {
    /// A provider that is not asked for anything yet: it need not be there when the service starts. The error is about
    /// the file of its authorities.
    pub fn new(world: World, config: config::Provider) -> io::Result<Self> {
        let fetcher = Fetcher::new(config.authority.as_deref())?;
        let keeper = Keeper::new(world.clone(), config.issuer.clone(), fetcher);
        Ok(Self { config, keeper, memory: Memory::new(), names: Names::new(world) })
    }

    /// Whether tokens can be checked: the keys are known, and were confirmed not too long ago.
    pub fn is_ready(&self) -> bool {
        self.keeper.is_ready()
    }

    /// Resolves when [`Self::is_ready`] is no longer what it was.
    pub async fn turns(&self, from: bool) {
        self.keeper.turns(from).await;
    }

    /// Keeps the keys up to date, for ever. Nobody is let in unless this runs.
    pub async fn keep(&self) {
        self.keeper.keep().await;
    }

    async fn check(&self, text: &str, now: DateTime<Utc>) -> Result<Identity, Refused> {
        let said = self.said(text, now).await?;
        let authority = self.names.authority(&said, now).await?;
        let Said { principal, token_id, times, .. } = &*said;
        let (principal, token_id) = (principal.clone(), token_id.clone());
        Ok(Identity { principal, token_id, issued_at: times.issued_at, until: times.until, authority })
    }

    /// What a token says that is good now.
    async fn said(&self, text: &str, now: DateTime<Utc>) -> Result<Arc<Said>, Refused> {
        let name = Name::of(text);
        if let Some(said) = self.keeper.version(now).and_then(|keys| self.memory.find(&name, keys)) {
            said.times.judge(now)?;
            return Ok(said);
        }
        let token = Token::read(text)?;
        let (key, keys) = self.keeper.key_of(&token, now).await?;
        let said = Arc::new(Said::by(&token.claims(&key)?, &self.config)?);
        said.times.judge(now)?;
        self.memory.keep(name, keys, said.clone());
        Ok(said)
    }
}

impl Authenticator for Provider {
    fn identify<'a>(&'a self, token: &'a str, now: DateTime<Utc>) -> Identified<'a> {
        Box::pin(self.check(token, now))
    }
}
