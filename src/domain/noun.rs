//! What the things of the directory and the client files have in common: an id, a version that
//! becomes the etag, two times, and a content that people change.

use chrono::{DateTime, Utc};

use super::ids::{Id, OrganisationId};

/// A kind of thing that is created, changed and read by id.
pub trait Noun: Clone + std::fmt::Debug + PartialEq + serde::Serialize + Send + Sync + 'static {
    /// Its id.
    type Id: Id;
    /// The word for it in sentences and audit events.
    const WORD: &'static str;

    /// The word for what it must belong to; none for what stands alone.
    const OWNER: Option<&'static str> = Some("organisation");

    /// The organisation that manages it, when its own row says so.
    fn organisation_id(&self) -> Option<OrganisationId>;
}

/// A stored thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<N: Noun> {
    /// Its id.
    pub id: N::Id,
    /// How often it was written; its etag.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// What it says.
    pub content: N,
}

impl<N: Noun> Record<N> {
    /// A thing that was never stored.
    pub fn new(id: N::Id, at: DateTime<Utc>, content: N) -> Self {
        Self { id, version: 1, created_at: at, updated_at: at, content }
    }

    /// The next version, with other content.
    #[must_use]
    pub fn changed(&self, at: DateTime<Utc>, content: N) -> Self {
        Self { id: self.id, version: self.version + 1, created_at: self.created_at, updated_at: at, content }
    }
}

impl<N: Noun> std::ops::Deref for Record<N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.content
    }
}
