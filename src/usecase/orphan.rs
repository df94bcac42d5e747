//! Sessions that stand while a fact they rest on changes.
//!
//! Nothing is ever cancelled here. Whoever changes a rule fact has locked the row by which bookings
//! read it, so that a rival booking is either seen here or sees the change itself. Every coming
//! session that the fact is about is then judged anew: the rules it breaks become its flags, and a
//! person resolves them; flags that no rule supports any more go.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Error, Result};
use super::facts::{self, Ask, Directories, Places};
use super::work::Work;
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, CounsellorId, Id, OrganisationId, VenueId};
use crate::domain::noun::Noun;
use crate::domain::rules::{self, Facts, Occasion};
use crate::domain::session::Session;
use crate::domain::time::Span;
use crate::store::codec::Instant;
use crate::store::session::Of;
use crate::store::{Lock, client, session};

/// Judges anew the coming sessions of these.
pub async fn reassess(work: &mut Work<'_>, of: &[Of]) -> Result<()> {
    let sessions = session::lock(&mut work.tx, of, Instant(work.now)).await?;
    reassess_these(work, sessions).await
}

/// Judges anew these sessions, which must be locked.
pub async fn reassess_these(work: &mut Work<'_>, sessions: Vec<Session>) -> Result<()> {
    let mut by_clients: BTreeMap<(OrganisationId, Vec<ClientId>), Vec<Session>> = BTreeMap::new();
    for session in sessions {
        let mut clients = session.clients();
        clients.sort_unstable();
        by_clients.entry((session.organisation_id, clients)).or_default().push(session);
    }
    for ((organisation_id, clients), sessions) in by_clients {
        let facts = facts_of(work, organisation_id, &clients, &sessions, Occasion::Standing).await?;
        for session in sessions {
            flag(work, session, &facts).await?;
        }
    }
    Ok(())
}

/// The facts by which sessions that stand are judged, with these clients.
pub(super) async fn facts_of(
    work: &mut Work<'_>,
    organisation_id: OrganisationId,
    client_ids: &[ClientId],
    sessions: &[Session],
    occasion: Occasion,
) -> Result<Facts> {
    let tx = &mut work.tx;
    let mut clients = Vec::with_capacity(client_ids.len());
    for id in client_ids {
        clients.push(client::subject(tx, *id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?);
    }
    let not_found = || Error::NotFound(super::session::WORD);
    let side = sessions.first().ok_or_else(not_found)?.side;
    let ids: BTreeSet<CounsellorId> =
        sessions.iter().flat_map(|it| std::iter::once(it.counsellor_id).chain(it.co_facilitators.clone())).collect();
    let venues: BTreeSet<VenueId> = sessions.iter().filter_map(|it| it.place.venue_id()).collect();
    let directories = Directories::around(work.world, tx, organisation_id, venues.iter().copied()).await?;
    let remote = sessions.iter().any(|it| it.place.venue_id().is_none());
    let first = sessions.iter().map(|it| it.span.starts_at()).min().unwrap_or(work.now);
    let last = sessions.iter().map(|it| it.span.ends_at()).max().unwrap_or(work.now);
    let ask = Ask {
        now: work.now,
        organisation_id,
        side,
        clients: &clients,
        unlinked: false,
        directories: &directories,
        counsellors: ids.into_iter().filter_map(|id| directories.counsellor(id)).collect(),
        places: Places::These(venues.into_iter().collect(), remote),
        district: None,
        around: Span::new(first, last).ok_or_else(not_found)?,
        except: None,
        occasion,
    };
    facts::load(tx, ask).await
}

/// Gives a session the flags that the facts call for; notes it as orphaned when one is new.
async fn flag(work: &mut Work<'_>, session: Session, facts: &Facts) -> Result<()> {
    let party = session.party();
    let verdict = rules::judge(session.candidate(&party), facts, Occasion::Standing);
    // Without its place nothing else can be judged: what was known before still is.
    let lost = session.place.venue_id().is_some_and(|id| !facts.venues.contains_key(&id));
    let flagged = session.clone().flagged(&verdict, lost);
    if flagged == session {
        return Ok(());
    }
    if flagged.has_new_flags(&session) {
        work.orphaned(&session);
    }
    let session = Session { version: session.version + 1, ..flagged };
    session::update(&mut work.tx, &session, Instant(work.now)).await?;
    work.touched(session.id.uuid());
    Ok(())
}
