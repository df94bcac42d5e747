//! Guardians of clients.

use chrono::NaiveDate;
use uuid::Uuid;

use super::call::Call;
use super::client::{RevealOf, lock_own};
use super::consent::local_today;
use super::error::{Error, Result};
use super::noun::{Managed, frozen};
use super::page::Page;
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::age::adult_from;
use crate::domain::client::Client;
use crate::domain::guardian::Guardian;
use crate::domain::ids::{ClientId, Id};
use crate::domain::noun::{Noun, Record};
use crate::store::session::Of;
use crate::store::{Lock, client};

impl Managed for Guardian {
    /// Nobody places a session of the client while the standing of a guardian changes.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        frozen(before.is_none_or(|before| before.client_id == it.client_id), "guardian.client_id")?;
        lock_own(work, it.client_id, Self::WORD).await.map(drop)
    }

    fn concerns(after: &Record<Self>, _before: Option<&Record<Self>>) -> Vec<Of> {
        vec![Of::Client(after.client_id)]
    }
}

/// The guardians of a client, and until when and whether each answers for the client.
#[derive(Debug)]
pub struct Guardians {
    /// The guardians, personal data included.
    pub rows: Vec<Record<Guardian>>,
    /// The first day on which none of them answers any more; none when nobody knows how old the client is.
    pub adult_from: Option<NaiveDate>,
    /// The local day.
    pub today: NaiveDate,
}

/// Lists the guardians of a client; the read is audited before it is answered.
pub async fn list_guardians(world: &World, call: Call, client_id: ClientId, page: Page) -> Result<(Guardians, String)> {
    mutate(world, call, List(RevealOf::<Guardian>::new(client_id, page))).await
}

struct List(RevealOf<Guardian>);

impl Mutation for List {
    type Answer = (Guardians, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let (rows, next) = self.0.run(work).await?;
        let client = client::subject(&mut work.tx, self.0.client_id(), Lock::None).await?;
        let client = client.ok_or(Error::NotFound(Client::WORD))?;
        let today = local_today(&mut work.tx, client.organisation_id, work.now).await?;
        Ok((Guardians { rows, adult_from: adult_from(&client.born_on), today }, next))
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        self.0.client_id().uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}
