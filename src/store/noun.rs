//! What the store does for every noun alike.

use std::future::Future;

use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::tx::{Lock, Tx};
use crate::domain::ids::{Id, OrganisationId};
use crate::domain::noun::{Noun, Record};

/// A noun that has a table.
pub trait Stored: Noun {
    /// Writes a new row. [`super::Error::Taken`] when its code is used.
    fn insert(tx: &mut Tx, it: &Record<Self>) -> impl Future<Output = Result<()>> + Send;

    /// Writes the row over.
    fn update(tx: &mut Tx, it: &Record<Self>) -> impl Future<Output = Result<()>> + Send;

    /// Reads one row.
    fn find(tx: &mut Tx, id: Self::Id, lock: Lock) -> impl Future<Output = Result<Option<Record<Self>>>> + Send;

    /// Reads a page, by id.
    fn list(tx: &mut Tx, listing: &Listing) -> impl Future<Output = Result<Vec<Record<Self>>>> + Send;

    /// The organisation that manages it; none for organisations themselves.
    fn owner(_tx: &mut Tx, it: &Self) -> impl Future<Output = Result<Option<OrganisationId>>> + Send {
        std::future::ready(Ok(it.organisation_id()))
    }

    /// Whether an organisation may know of it.
    fn visible(tx: &mut Tx, it: &Record<Self>, to: OrganisationId) -> impl Future<Output = Result<bool>> + Send {
        async move { Ok(Self::owner(tx, it).await? == Some(to)) }
    }
}

/// A noun that an organisation knows by a code of its own.
pub trait Keyed: Stored {
    /// Reads by code; `within` is the organisation, or the venue of a room.
    fn find_by_code(tx: &mut Tx, within: Uuid, code: &str)
    -> impl Future<Output = Result<Option<Record<Self>>>> + Send;
}

/// Which rows of a table.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Only what this organisation may know of.
    pub visible_to: Option<OrganisationId>,
    /// Only what belongs to this organisation, venue, counsellor or client.
    pub within: Option<Uuid>,
    /// Only one side, where there are sides.
    pub side: Option<crate::domain::code::Side>,
    /// Only what comes after this id.
    pub after: Option<Uuid>,
    /// At most so many.
    pub most: i64,
}

impl Listing {
    /// The id after which to read.
    pub fn after(&self) -> Uuid {
        self.after.unwrap_or(Uuid::nil())
    }
}

/// The columns that every noun's table begins with.
#[derive(Clone, Copy, sqlx::FromRow)]
pub struct Head {
    /// `id`
    pub id: Uuid,
    /// `version`
    pub version: i64,
    /// `created_at`
    pub created_at: Instant,
    /// `updated_at`
    pub updated_at: Instant,
}

impl Head {
    /// The record of these columns and a content.
    pub fn record<N: Noun>(self, content: N) -> Record<N> {
        Record {
            id: N::Id::from_uuid(self.id),
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            content,
        }
    }
}

impl super::sql::Sql<'_> {
    /// Binds the columns of [`Head`], `$1` to `$4`.
    pub fn bind_head<N: Noun>(self, it: &Record<N>) -> Self {
        self.bind(it.id.uuid()).bind(it.version).bind(Instant(it.created_at)).bind(Instant(it.updated_at))
    }

    /// Binds what [`Listing`] asks for: `$1` visible to, `$2` within, `$3` after, `$4` most.
    pub fn bind_listing(self, listing: &Listing) -> Self {
        self.bind(listing.visible_to).bind(listing.within).bind(listing.after()).bind(listing.most)
    }

    /// Runs it for rows of a noun.
    pub async fn records<R, N>(self) -> Result<Vec<Record<N>>>
    where
        N: Noun,
        R: super::sql::Record + Into<Record<N>>,
    {
        Ok(self.all::<R>().await?.into_iter().map(Into::into).collect())
    }

    /// Runs it for at most one row of a noun.
    pub async fn record<R, N>(self) -> Result<Option<Record<N>>>
    where
        N: Noun,
        R: super::sql::Record + Into<Record<N>>,
    {
        Ok(self.maybe::<R>().await?.map(Into::into))
    }
}
