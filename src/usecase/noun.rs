//! What people do with every noun alike: create, change, read, list.

use std::future::Future;

use uuid::Uuid;

use super::call::{Call, disclosed, traced};
use super::error::{Error, Result};
use super::orphan;
use super::page::Page;
use super::work::{Mutation, Work};
use super::world::World;
use crate::domain::code::Side;
use crate::domain::ids::{Id, OrganisationId, SessionId};
use crate::domain::noun::{Noun, Record};
use crate::store::noun::{Listing, Stored};
use crate::store::session::Of;
use crate::store::{self, Lock};

/// A noun that callers manage.
pub trait Managed: Stored {
    /// Whether to read one by [`get`] or [`list`] opens text about somebody, and so leaves an event.
    const DISCLOSES: bool = false;

    /// What must be out of the way before one is written, in a transaction of its own.
    fn before(_world: &World) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// What a caller may not put into it or change about it, given what stood there before.
    fn check(
        _work: &mut Work<'_>,
        _content: &Self,
        _before: Option<&Record<Self>>,
    ) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// What else must follow once it is written.
    fn follow(
        _work: &mut Work<'_>,
        _after: &Record<Self>,
        _before: Option<&Record<Self>>,
    ) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// Whose coming sessions rest on what has changed, and are to be judged anew.
    fn concerns(_after: &Record<Self>, _before: Option<&Record<Self>>) -> Vec<Of> {
        Vec::new()
    }
}

/// A thing that was written, and the sessions that the change has orphaned: they stand, are flagged,
/// and wait for a person. A repeated request names none again.
pub struct Written<N: Noun> {
    /// The thing.
    pub record: Record<N>,
    /// The orphaned sessions of which the caller may know.
    pub orphaned: Vec<SessionId>,
}

impl<N: Managed> Written<N> {
    /// A thing with what the request has orphaned so far.
    pub fn of(work: &Work<'_>, record: Record<N>) -> Result<Self> {
        Ok(Self { record, orphaned: work.orphans()? })
    }

    /// What a repeated request wrote, as it now stands.
    pub async fn again(work: &mut Work<'_>, result_id: Uuid) -> Result<Self> {
        let record = find::<N>(work, N::Id::from_uuid(result_id), Lock::None).await?;
        // It may be another organisation's by now.
        let owner = N::owner(&mut work.tx, &record).await?.unwrap_or(OrganisationId(result_id));
        work.call.manages(Some(owner), N::WORD)?;
        Ok(Self { record, orphaned: Vec::new() })
    }
}

/// Creates a thing.
pub struct Create<N>(pub N);

impl<N: Managed> Mutation for Create<N> {
    type Answer = Written<N>;

    async fn before(&self, world: &World) -> Result<()> {
        N::before(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Written<N>> {
        let record = create(work, self.0.clone()).await?;
        Written::of(work, record)
    }

    fn result_id(&self, answer: &Written<N>) -> Uuid {
        answer.record.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Written<N>> {
        Written::again(work, result_id).await
    }
}

/// Creates a thing inside a request that may do more.
pub async fn create<N: Managed>(work: &mut Work<'_>, content: N) -> Result<Record<N>> {
    if let Some(word) = N::OWNER {
        let owner = N::owner(&mut work.tx, &content).await?.ok_or(Error::NotFound(word))?;
        work.call.manages(Some(owner), word)?;
    }
    N::check(work, &content, None).await?;
    let record = Record::new(work.world.id(), work.now, content);
    written::<N>(N::insert(&mut work.tx, &record).await)?;
    N::follow(work, &record, None).await?;
    orphan::reassess(work, &N::concerns(&record, None)).await?;
    work.touched(record.id.uuid());
    Ok(record)
}

/// Computes the new content from the one that stands.
pub type Change<N> = dyn Fn(&Record<N>) -> Result<N> + Send + Sync;

/// Changes a thing.
pub struct Update<N: Noun> {
    /// Which.
    pub id: N::Id,
    /// The version last read.
    pub version: i64,
    /// What it becomes.
    pub change: Box<Change<N>>,
}

impl<N: Managed> Mutation for Update<N> {
    type Answer = Written<N>;

    async fn before(&self, world: &World) -> Result<()> {
        N::before(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Written<N>> {
        let before = find_own::<N>(work, self.id, Some(self.version)).await?;
        let content = (self.change)(&before)?;
        let record = update(work, &before, content).await?;
        Written::of(work, record)
    }

    fn result_id(&self, answer: &Written<N>) -> Uuid {
        answer.record.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Written<N>> {
        Written::again(work, result_id).await
    }
}

/// Writes a new version of a thing inside a request that may do more.
pub async fn update<N: Managed>(work: &mut Work<'_>, before: &Record<N>, content: N) -> Result<Record<N>> {
    N::check(work, &content, Some(before)).await?;
    let after = before.changed(work.now, content);
    written::<N>(N::update(&mut work.tx, &after).await)?;
    N::follow(work, &after, Some(before)).await?;
    orphan::reassess(work, &N::concerns(&after, Some(before))).await?;
    work.touched(after.id.uuid());
    Ok(after)
}

/// Reads a thing of which the caller may know.
pub async fn get<N: Managed>(world: &World, call: &Call, id: N::Id) -> Result<Record<N>> {
    let record = traced(world, call, id.uuid(), read::<N>(world, call, id).await).await?;
    if N::DISCLOSES {
        disclosed(world, call, [id.uuid()], [opened(1)]).await?;
    }
    Ok(record)
}

async fn read<N: Managed>(world: &World, call: &Call, id: N::Id) -> Result<Record<N>> {
    let mut tx = world.db().begin_read().await?;
    let record = N::find(&mut tx, id, Lock::None).await?.ok_or(Error::NotFound(N::WORD))?;
    match call.sees()? {
        Some(own) if !N::visible(&mut tx, &record, own).await? => Err(Error::NotFound(N::WORD)),
        _ => Ok(record),
    }
}

/// Lists things of which the caller may know; `within` narrows to an organisation, venue and the like.
pub async fn list<N: Managed>(
    world: &World,
    call: &Call,
    within: Option<Uuid>,
    side: Option<Side>,
    page: &Page,
) -> Result<(Vec<Record<N>>, String)> {
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let listing = Listing { visible_to: call.sees()?, within, side, after: page.after(world, call)?, most };
    let mut tx = world.db().begin_read().await?;
    let rows = N::list(&mut tx, &listing).await?;
    drop(tx);
    let (rows, next) = page.cut(world, call, rows, |row| row.id.uuid());
    if N::DISCLOSES {
        disclosed(world, call, rows.iter().map(|row| row.id.uuid()), [opened(rows.len())]).await?;
    }
    Ok((rows, next))
}

/// What the trail says of so many that were read.
fn opened(count: usize) -> String {
    format!("OPENED {count}")
}

/// Reads a thing, whoever asks.
pub async fn find<N: Managed>(work: &mut Work<'_>, id: N::Id, lock: Lock) -> Result<Record<N>> {
    N::find(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(N::WORD))
}

/// Locks a thing that the caller manages, at the version last read.
pub async fn find_own<N: Managed>(work: &mut Work<'_>, id: N::Id, version: Option<i64>) -> Result<Record<N>> {
    let record = find::<N>(work, id, Lock::Update).await?;
    work.touched(id.uuid());
    let owner = match N::owner(&mut work.tx, &record).await? {
        // An organisation is its own owner.
        None => Some(OrganisationId(id.uuid())),
        owner => owner,
    };
    work.call.manages(owner, N::WORD)?;
    match version {
        Some(version) if version != record.version => Err(Error::EtagMismatch(N::WORD)),
        _ => Ok(record),
    }
}

fn written<N: Noun>(result: store::Result<()>) -> Result<()> {
    result.map_err(|error| match error {
        store::Error::Taken => Error::Exists(N::WORD),
        error => error.into(),
    })
}

/// Refuses a change of a field that never changes.
pub fn frozen(same: bool, field: &str) -> Result<()> {
    if same { Ok(()) } else { Err(Error::field(field, "cannot be changed")) }
}
