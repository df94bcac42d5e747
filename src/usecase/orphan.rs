//! Sessions that stand while a fact they rest on changes.
//!
//! Nothing is ever cancelled here. Whoever changes a rule fact has locked the row by which bookings
//! read it, so that a rival booking is either seen here or sees the change itself. Every coming
//! session that the fact is about is then judged anew: the rules it breaks become its flags, and a
//! person resolves them; flags that no rule supports any more go.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Error, Result};
use super::facts::{self, Ask, Places};
use super::work::Work;
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, CounsellorId, Id, VenueId};
use crate::domain::noun::Noun;
use crate::domain::rules::{self, Facts, Occasion, RuleCode};
use crate::domain::session::Session;
use crate::domain::time::Span;
use crate::store::codec::Instant;
use crate::store::session::Of;
use crate::store::{Lock, client, counsellor, session};

/// Judges anew the coming sessions of these.
pub async fn reassess(work: &mut Work<'_>, of: &[Of]) -> Result<()> {
    let sessions = session::lock(&mut work.tx, of, Instant(work.now)).await?;
    reassess_these(work, sessions).await
}

/// Judges anew these sessions, which must be locked.
pub async fn reassess_these(work: &mut Work<'_>, sessions: Vec<Session>) -> Result<()> {
    let mut by_client: BTreeMap<ClientId, Vec<Session>> = BTreeMap::new();
    for session in sessions {
        by_client.entry(session.client_id).or_default().push(session);
    }
    for (client_id, sessions) in by_client {
        let facts = standing(work, client_id, &sessions).await?;
        for session in sessions {
            flag(work, session, &facts).await?;
        }
    }
    Ok(())
}

/// The facts on which the sessions of one client stand.
async fn standing(work: &mut Work<'_>, client_id: ClientId, sessions: &[Session]) -> Result<Facts> {
    let tx = &mut work.tx;
    let client = client::subject(tx, client_id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    let ids: BTreeSet<CounsellorId> = sessions.iter().map(|it| it.counsellor_id).collect();
    let counsellors = counsellor::by_ids(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    let venues: BTreeSet<VenueId> = sessions.iter().filter_map(|it| it.place.venue_id()).collect();
    let remote = sessions.iter().any(|it| it.place.venue_id().is_none());
    let first = sessions.iter().map(|it| it.span.starts_at()).min().unwrap_or(work.now);
    let last = sessions.iter().map(|it| it.span.ends_at()).max().unwrap_or(work.now);
    let ask = Ask {
        now: work.now,
        client: &client,
        counsellors,
        places: Places::These(venues.into_iter().collect(), remote),
        district: None,
        around: Span::new(first, last).ok_or(Error::NotFound(super::session::WORD))?,
        except: None,
        occasion: Occasion::Standing,
        lock: Lock::None,
    };
    facts::load(tx, ask).await
}

/// Gives a session the flags that the facts call for; notes it as orphaned when one is new.
async fn flag(work: &mut Work<'_>, mut session: Session, facts: &Facts) -> Result<()> {
    let mut flags = rules::broken(session.candidate(), facts, Occasion::Standing);
    if session.place.venue_id().is_some_and(|id| !facts.venues.contains_key(&id)) {
        // Without its place nothing else can be judged: what was known before still is.
        flags.extend(&session.flags);
        flags.sort_unstable();
        flags.dedup();
    }
    flags.retain(|rule| !session.overridden.contains(rule));
    if flags == session.flags {
        return Ok(());
    }
    let is_new = |rule: &RuleCode| !session.flags.contains(rule);
    if flags.iter().any(is_new) {
        work.orphaned(&session);
    }
    session.flags = flags;
    session.version += 1;
    session::update(&mut work.tx, &session).await?;
    work.touched(session.id.uuid());
    Ok(())
}
