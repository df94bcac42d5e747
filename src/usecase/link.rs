//! Links that are made, changed or broken after sessions were booked.
//!
//! Nothing is ever cancelled here. Of the sessions of a link's parties, the presences that fit are
//! claimed; where two sides meet, both sessions are flagged for their own coordinators. As flagged
//! sessions are moved, what then fits is claimed.

use std::collections::BTreeSet;

use super::error::Result;
use super::work::Work;
use crate::domain::ids::{ClientId, LinkId, SessionId};
use crate::domain::session::Session;
use crate::store::codec::Instant;
use crate::store::placement::{self, LinkedDay};
use crate::store::{client, session};

/// Locks the parties of links, and others, so that no session is placed for them meanwhile.
async fn lock(work: &mut Work<'_>, links: &[LinkId], others: &[ClientId]) -> Result<()> {
    let mut all = others.to_vec();
    for link_id in links {
        all.extend(client::parties(&mut work.tx, *link_id).await?);
    }
    lock_clients(work, all).await
}

/// Locks everybody whom a client must not meet, and the client.
pub async fn lock_around(work: &mut Work<'_>, client_id: ClientId, also: Option<LinkId>) -> Result<()> {
    let mut links = client::links(&mut work.tx, client_id).await?;
    links.extend(also);
    lock(work, &links, &[client_id]).await
}

/// Locks clients in the one order in which everybody locks them.
pub async fn lock_clients(work: &mut Work<'_>, mut clients: Vec<ClientId>) -> Result<()> {
    clients.sort_unstable();
    clients.dedup();
    Ok(client::lock(&mut work.tx, &clients).await?)
}

/// Gives back what a client's sessions took for a link the client has left.
pub async fn leave(work: &mut Work<'_>, link_id: LinkId, client_id: ClientId) -> Result<()> {
    placement::release_link(&mut work.tx, link_id, client_id).await?;
    settle_all(work, client_id).await
}

/// Brings every link of a client to rest.
pub async fn settle_all(work: &mut Work<'_>, client_id: ClientId) -> Result<()> {
    for link_id in client::links(&mut work.tx, client_id).await? {
        settle(work, link_id).await?;
    }
    reflag(work, client_id).await
}

/// Brings a link to rest: claims what fits for the sessions of its parties, flags what does not.
/// The parties must be locked.
pub async fn settle(work: &mut Work<'_>, link_id: LinkId) -> Result<()> {
    let now = Instant(work.now);
    let parties = client::parties(&mut work.tx, link_id).await?;
    let mut taken = placement::linked_days(&mut work.tx, link_id, now).await?;
    let claimed: BTreeSet<SessionId> = taken.iter().map(|day| day.session_id).collect();
    for party in &parties {
        for session in session::upcoming_at_sites(&mut work.tx, *party, now).await? {
            let days = days_of(&session);
            if !claimed.contains(&session.id) && !days.iter().any(|day| taken.iter().any(|other| meets(day, other))) {
                placement::claim_link(&mut work.tx, &session, link_id).await?;
                taken.extend(days);
            }
        }
    }
    for party in parties {
        reflag(work, party).await?;
    }
    Ok(())
}

/// Flags the sessions of a client that meet the other side of any link, and unflags the others.
async fn reflag(work: &mut Work<'_>, client_id: ClientId) -> Result<()> {
    let now = Instant(work.now);
    let own = session::upcoming_at_sites(&mut work.tx, client_id, now).await?;
    let mut others = Vec::new();
    for link_id in client::links(&mut work.tx, client_id).await? {
        for party in client::parties(&mut work.tx, link_id).await? {
            if party != client_id {
                others.extend(session::upcoming_at_sites(&mut work.tx, party, now).await?.iter().flat_map(days_of));
            }
        }
    }
    for mut session in own {
        let meets = days_of(&session).iter().any(|day| others.iter().any(|other| meets(day, other)));
        if meets != session.needs_rescheduling {
            session.needs_rescheduling = meets;
            session.version += 1;
            session::update_state(&mut work.tx, &session).await?;
        }
    }
    Ok(())
}

fn days_of(session: &Session) -> Vec<LinkedDay> {
    let Some(site_id) = session.place.site_id() else { return Vec::new() };
    let day = |on_date| LinkedDay { session_id: session.id, site_id, on_date, side: session.side };
    session.span.local_days(session.zone).map(day).collect()
}

fn meets(one: &LinkedDay, other: &LinkedDay) -> bool {
    one.site_id == other.site_id && one.on_date == other.on_date && one.side != other.side
}
