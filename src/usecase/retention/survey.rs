//! Who is due, and what keeps whom: for people to look at before anything is erased. Changes nothing.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Judged, judge};
use crate::domain::ids::{ClientId, Id};
use crate::domain::reference::Reference;
use crate::domain::retention::{Hindrance, Standing};
use crate::domain::text::Code;
use crate::store::codec::Instant;
use crate::store::retention;
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// How many clients are read at once.
const MOST: i64 = 500;

/// Somebody who is due by a rule, or of whom the rule cannot tell.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// The client.
    pub id: ClientId,
    /// The rule, how it stands, and what keeps the client.
    pub judged: Judged,
    /// From when on the client may be erased, once listed by this policy.
    pub erasable_at: Option<DateTime<Utc>>,
}

/// Everybody whom the next run would list or erase, or whom something keeps though the time is over.
pub async fn survey(world: &World) -> Result<Vec<Surveyed>> {
    let (policy, now, digest) = (world.retention(), world.now(), world.retention().digest());
    let Some(quiet_since) = policy.quiet_since(now) else { return Ok(Vec::new()) };
    let mut tx = world.db().begin_read().await?;
    let (mut all, mut after) = (Vec::new(), ClientId(Uuid::nil()));
    loop {
        let batch = retention::candidates(&mut tx, Instant(quiet_since), after, MOST).await?;
        let Some(last) = batch.last() else { return Ok(all) };
        after = last.id;
        for it in batch {
            let Some(judged) = judge(&mut tx, policy, &it, now).await? else { continue };
            if matches!(judged.standing, Standing::Kept(_)) {
                continue;
            }
            let listed =
                retention::find(&mut tx, it.id).await?.filter(|it| it.policy == digest && it.rule == judged.rule);
            let erasable_at = listed.map(|it| policy.erasable_from(it.listed_at));
            all.push(Surveyed { id: it.id, judged, erasable_at });
        }
    }
}

/// Somebody who is listed.
#[derive(Clone, Debug)]
pub struct Due {
    /// The client.
    pub client_id: ClientId,
    /// The client's reference.
    pub reference: Reference,
    /// The rule.
    pub rule: Code,
    /// Until when the client was kept.
    pub kept_until: NaiveDate,
    /// When it was listed.
    pub listed_at: DateTime<Utc>,
    /// From when on the client may be erased.
    pub erasable_at: DateTime<Utc>,
    /// What keeps the client now; as long as anything does, nothing is erased.
    pub hindrances: Vec<Hindrance>,
}

/// Lists who of the own organisation is to be erased by the policy of today, so that somebody can place a hold in time.
pub async fn list_due(world: &World, call: &Call, page: &Page) -> Result<(Vec<Due>, String)> {
    let organisation_id = call.sees()?.ok_or(Error::Denied)?;
    let policy = world.retention();
    let after = ClientId(page.after(world, call)?.unwrap_or_default());
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let mut tx = world.db().begin_read().await?;
    let rows = retention::list(&mut tx, organisation_id, &policy.digest(), after, most).await?;
    let (rows, token) = page.cut(world, call, rows, |it| it.client_id.uuid());
    let mut all = Vec::with_capacity(rows.len());
    for it in rows {
        all.push(Due {
            hindrances: retention::hindrances(&mut tx, it.client_id, world.now()).await?,
            erasable_at: policy.erasable_from(it.listed_at),
            client_id: it.client_id,
            reference: it.reference,
            rule: it.rule,
            kept_until: it.kept_until,
            listed_at: it.listed_at,
        });
    }
    Ok((all, token))
}
