//! Policies by which orders are judged: published in versions, never changed.

use uuid::Uuid;

use crate::domain::compliance::Policy;
use crate::domain::text::Code;
use crate::domain::treatment::{PolicyVersion, Published, STANDARD_POLICY};
use crate::store::{self, treatment};
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Publishes the next version of a policy. Orders keep theirs until they are amended.
#[derive(Clone, Debug)]
pub struct PublishPolicy {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub policy: Policy,
}

impl Mutation for PublishPolicy {
    type Answer = Published;

    async fn run(&self, work: &mut Work<'_>) -> Result<Published> {
        let newest = treatment::newest_policy(&mut work.tx, &self.code).await?;
        let version = newest.map_or(1, |it| it.version.version + 1);
        let published = Published {
            version: PolicyVersion { code: self.code.clone(), version },
            name: self.name.clone(),
            policy: self.policy.clone(),
            published_at: work.now,
        };
        treatment::publish(&mut work.tx, &published).await?;
        work.note(format!("{} {version}", self.code));
        Ok(published)
    }

    /// The number of the version: its code is in the request.
    fn result_id(&self, answer: &Published) -> Uuid {
        Uuid::from_u128(u128::from(answer.version.version.unsigned_abs()))
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Published> {
        let version = i64::try_from(result_id.as_u128()).unwrap_or_default();
        let published = PolicyVersion { code: self.code.clone(), version };
        treatment::policy(&mut work.tx, &published).await?.ok_or(Error::NotFound("policy"))
    }
}

/// Sees to it that the standard policy is there.
pub async fn ensure_standard(world: &World) -> Result<()> {
    let Ok(code) = Code::parse(STANDARD_POLICY) else { return Ok(()) };
    let mut tx = world.db().begin_write().await?;
    if treatment::newest_policy(&mut tx, &code).await?.is_some() {
        return Ok(());
    }
    let published = Published {
        version: PolicyVersion { code, version: 1 },
        name: "Standard policy".into(),
        policy: Policy::default(),
        published_at: world.now(),
    };
    match treatment::publish(&mut tx, &published).await {
        Ok(()) | Err(store::Error::Conflict) => Ok(tx.commit().await?),
        Err(error) => Err(error.into()),
    }
}

/// Lists every version of every policy, by code.
pub async fn list_policies(
    world: &World,
    call: &crate::usecase::Call,
    page: &Page,
) -> Result<(Vec<Published>, String)> {
    let after: (String, i64) = page.after(world, call)?.unwrap_or_default();
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let mut tx = world.db().read_once().await?;
    let rows = treatment::policies(&mut tx, &after, most).await?;
    Ok(page.cut(world, call, rows, |it| (it.version.code.to_string(), it.version.version)))
}
