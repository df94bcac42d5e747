//! Links that are made, changed or broken after sessions were booked.
//!
//! Of the sessions of a link's parties, the presences that fit are claimed; where two sides meet, both
//! sessions are flagged for their own coordinators ([`orphan`]). As flagged sessions are moved, what
//! then fits is claimed.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::error::Result;
use super::orphan;
use super::work::Work;
use crate::domain::ids::{ClientId, LinkId, SessionId};
use crate::domain::session::{LONGEST, Session};
use crate::store::codec::Instant;
use crate::store::placement;
use crate::store::session::Of;
use crate::store::sql::Asked;
use crate::store::{self, client, session};

/// Locks clients and everybody whom they must not meet, and the parties of another link, so that no
/// session is placed for them meanwhile.
pub async fn lock_around(work: &mut Work<'_>, clients: &[ClientId], also: Option<LinkId>) -> Result<()> {
    let mut links = of(work, clients).await?;
    links.extend(also);
    let mut all = clients.to_vec();
    for link_id in links {
        all.extend(client::parties(&mut work.tx, link_id).await?);
    }
    lock_clients(work, all).await
}

/// Locks clients in the one order in which everybody locks them.
pub async fn lock_clients(work: &mut Work<'_>, mut clients: Vec<ClientId>) -> Result<()> {
    clients.sort_unstable();
    clients.dedup();
    Ok(client::lock(&mut work.tx, &clients).await?)
}

/// Locks the sessions of clients that bringing their links to rest may touch: all at once, because who
/// locks some and then others meets somebody who came the other way round.
pub async fn lock_sessions(work: &mut Work<'_>, clients: &[ClientId]) -> Result<()> {
    let of: Vec<Of> = clients.iter().copied().map(Of::Client).collect();
    lock_sessions_of(work, &of).await
}

async fn lock_sessions_of(work: &mut Work<'_>, of: &[Of]) -> Result<()> {
    let since = Instant(work.now - DAY_AROUND - LONGEST);
    session::lock(&mut work.tx, of, since).await?;
    Ok(())
}

/// Locks the sessions that [`settle_all`] of clients may touch, if any of them is linked, and those of others
/// beside.
pub async fn lock_linked_sessions(work: &mut Work<'_>, clients: &[ClientId], beside: &[Of]) -> Result<()> {
    let mut parties = Vec::new();
    for link_id in of(work, clients).await? {
        parties.extend(client::parties(&mut work.tx, link_id).await?);
    }
    let of: Vec<Of> = parties.into_iter().map(Of::Client).chain(beside.iter().copied()).collect();
    lock_sessions_of(work, &of).await
}

/// The links of clients, each once.
pub async fn of(work: &mut Work<'_>, clients: &[ClientId]) -> Result<BTreeSet<LinkId>> {
    let asked = clients.iter().map(|client_id| client::links(&mut work.tx, *client_id)).collect();
    answered(work, asked).await
}

/// The links that were asked for, each once.
pub async fn answered(work: &mut Work<'_>, asked: Vec<Asked<Vec<LinkId>>>) -> Result<BTreeSet<LinkId>> {
    let mut links = BTreeSet::new();
    for asked in asked {
        links.extend(work.tx.answer(asked).await?);
    }
    Ok(links)
}

/// Gives back what a client's sessions took for a link the client has left.
pub async fn leave(work: &mut Work<'_>, link_id: LinkId, client_id: ClientId) -> Result<()> {
    placement::release_link(&mut work.tx, link_id, client_id).await?;
    orphan::reassess(work, &[Of::Client(client_id)]).await
}

/// Brings every link of clients to rest; their sessions must be locked.
pub async fn settle_all(work: &mut Work<'_>, clients: &[ClientId]) -> Result<()> {
    for link_id in of(work, clients).await? {
        settle(work, link_id).await?;
    }
    Ok(())
}

/// A session that is over still takes its local day, which lasts no longer than this.
const DAY_AROUND: TimeDelta = TimeDelta::hours(48);

/// Brings a link to rest: claims what fits for the sessions of its parties, flags what does not.
/// The parties and their sessions must be locked.
pub async fn settle(work: &mut Work<'_>, link_id: LinkId) -> Result<()> {
    let parties = client::parties(&mut work.tx, link_id).await?;
    let since = Instant(work.now - DAY_AROUND);
    let claimed = placement::claimed_for(&mut work.tx, link_id, since).await?;
    let claimed: BTreeSet<SessionId> = claimed.into_iter().collect();
    for party in &parties {
        for session in session::at_sites(&mut work.tx, *party, since).await? {
            if !claimed.contains(&session.id) {
                claim(work, &session, link_id).await?;
            }
        }
    }
    let parties: Vec<Of> = parties.into_iter().map(Of::Client).collect();
    orphan::reassess(work, &parties).await
}

/// Claims the days of a session for a link, unless the other side has one of them.
async fn claim(work: &mut Work<'_>, session: &Session, link_id: LinkId) -> Result<()> {
    work.tx.savepoint().await?;
    match placement::claim_link(&mut work.tx, session, link_id).await {
        Ok(()) => work.tx.keep().await?,
        Err(store::Error::Conflict) => work.tx.undo().await?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
