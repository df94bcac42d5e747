//! The jobs of retention: one that begins every day, one for each batch that is looked at, one for each client.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::judge;
use crate::domain::erasure::ErasureReason;
use crate::domain::ids::{ClientId, Id};
use crate::store::codec::Instant;
use crate::store::retention::{self, Candidate};
use crate::store::{Lock, client};
use crate::usecase::erasure::erase;
use crate::usecase::error::Result;
use crate::usecase::job::Job;
use crate::usecase::work::Work;

/// How many clients are looked at in one transaction, so that nobody waits long for it. \[P\]
const BATCH: usize = 100;

/// Begins to look who is due. Without a policy nobody is, nor listed any more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Retention;

impl Job for Retention {
    const KIND: &'static str = "retention";
    const EVERY: Option<TimeDelta> = Some(TimeDelta::days(1));

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        if work.world.retention().is_empty() {
            return Ok(retention::clear(&mut work.tx).await.map(drop)?);
        }
        work.enqueue(&ListDue { after: Uuid::nil() }, work.now).await
    }
}

/// Looks at a batch of clients: lists who is due, takes back who is not any more, and has erased whose notice is over.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ListDue {
    /// After this client.
    pub after: Uuid,
}

impl Job for ListDue {
    const KIND: &'static str = "list_due";

    /// There is one at a time: each batch is followed by the next.
    fn key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let policy = work.world.retention();
        let Some(quiet_since) = policy.quiet_since(work.now) else { return Ok(()) };
        let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let batch = retention::candidates(&mut work.tx, Instant(quiet_since), ClientId(self.after), most).await?;
        let mut over = Vec::new();
        for it in &batch {
            if look_at(work, it).await? {
                over.push(it.id);
            }
        }
        for client_id in over {
            work.enqueue(&EraseDue { client_id: client_id.uuid() }, work.now).await?;
        }
        match batch.last() {
            Some(last) if batch.len() == BATCH => work.enqueue(&Self { after: last.id.uuid() }, work.now).await,
            _ => Ok(()),
        }
    }
}

/// Lists a client who is due, or takes the notice back of one who is not. Whether the notice is over.
async fn look_at(work: &mut Work<'_>, it: &Candidate) -> Result<bool> {
    let (policy, now) = (work.world.retention(), work.now);
    let listed = retention::find(&mut work.tx, it.id).await?;
    let judged = judge(&mut work.tx, policy, it, now).await?;
    let due = judged.as_ref().and_then(|judged| Some((&judged.rule, judged.is_due()?)));
    let digest = policy.digest();
    if let (Some(listed), Some((rule, _))) = (&listed, due)
        && (listed.rule == *rule && listed.policy == digest)
    {
        return Ok(policy.erasable_from(listed.listed_at) <= now);
    }
    if listed.is_some() {
        retention::delete(&mut work.tx, it.id).await?;
        work.touched(it.id.uuid());
    }
    if let Some((rule, kept_until)) = due {
        retention::insert(&mut work.tx, it.id, rule, &digest, kept_until, Instant(now)).await?;
        work.touched(it.id.uuid());
        work.note(format!("LISTED {}", it.id));
    }
    Ok(false)
}

/// Erases a client whose notice is over: if it was given by the policy of today, and nothing stands against it now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct EraseDue {
    /// The client.
    pub client_id: Uuid,
}

impl Job for EraseDue {
    const KIND: &'static str = "erase_due";

    fn key(&self) -> Option<String> {
        Some(format!("{} {}", Self::KIND, self.client_id))
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let id = ClientId(self.client_id);
        // Whoever places a hold, or a session, locks the client too: either comes first.
        match client::outline(&mut work.tx, id, Lock::Update).await? {
            Some(outline) if !outline.erased => {}
            _ => return Ok(()),
        }
        let (policy, now) = (work.world.retention(), work.now);
        let Some(listed) = retention::find(&mut work.tx, id).await? else { return Ok(()) };
        let Some(it) = retention::candidate(&mut work.tx, id).await? else { return Ok(()) };
        let stands = listed.policy == policy.digest() && policy.erasable_from(listed.listed_at) <= now;
        let due = judge(&mut work.tx, policy, &it, now).await?;
        let due = due.is_some_and(|judged| judged.rule == listed.rule && judged.is_due().is_some());
        work.touched(id.uuid());
        if !stands || !due {
            work.note("KEPT");
            return Ok(());
        }
        work.note(format!("RULE {}", listed.rule));
        work.note(format!("POLICY {}", listed.policy));
        erase(work, id, None, ErasureReason::RetentionEnded).await.map(drop)
    }
}
