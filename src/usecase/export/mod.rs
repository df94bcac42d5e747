//! Exports: everything that is held about one client, as it stood at one instant, for somebody who may know it.

mod item;
mod read;
mod stream;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::call::{Call, disclosed, traced};
use super::error::{Error, Result};
use super::lookup;
use super::world::World;
use crate::domain::client::Client;
use crate::domain::export::{ExportPart, ExportPurpose, Reader};
use crate::domain::ids::{ClientId, Id};
use crate::domain::noun::Noun;
use crate::domain::reference::Reference;
use crate::domain::text::Code;
use crate::store::{Lock, client};

pub use crate::store::milestone::Excused;
pub use item::Item;
pub use stream::Paced;

/// Asks for everything that is held about a client.
#[derive(Clone, Debug)]
pub struct ExportClient {
    /// The client.
    pub id: ClientId,
    /// Why.
    pub purpose: ExportPurpose,
    /// Under which number the organisation has filed the request. A reason in words could be kept neither with a client
    /// who was erased nor in the trail.
    pub request_number: Code,
}

/// Everything that is held about a client and is for who asks.
#[derive(Debug)]
pub struct Export {
    /// What was asked for.
    pub wanted: ExportClient,
    /// The client's reference.
    pub reference: Reference,
    /// The instant at which it stood so.
    pub at: DateTime<Utc>,
    /// What is held, part by part.
    pub items: Vec<Item>,
    /// The parts that are not for who asks.
    pub withheld: Vec<ExportPart>,
}

/// Reads everything about a client of the own organisation that the caller may read piece by piece. It is audited before
/// it is answered, with the id of everything in it.
pub async fn export_client(world: &World, call: &Call, wanted: ExportClient) -> Result<Export> {
    let reader = Reader::Staff(call.caller().authority.role());
    let id = wanted.id.uuid();
    traced(world, call, id, export(world, call, reader, wanted).await).await
}

/// Reads everything about a client for the person whom it is about, who has asked the organisation for it.
pub async fn export_for_person(
    world: &World,
    call: &Call,
    reference: &Reference,
    notes: bool,
    (purpose, request_number): (ExportPurpose, Code),
) -> Result<Export> {
    let id = lookup::client(world, reference).await?;
    export(world, call, Reader::Person { notes }, ExportClient { id, purpose, request_number }).await
}

async fn export(world: &World, call: &Call, reader: Reader, wanted: ExportClient) -> Result<Export> {
    // One state of everything: nothing is half changed in it.
    let mut tx = world.db().begin_read().await?;
    let at = world.now();
    let outline = client::outline(&mut tx, wanted.id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    call.manages(Some(outline.organisation_id), Client::WORD)?;
    let reference = outline.reference.clone();
    let items = read::everything(&mut tx, world.instruments(), &outline, reader, at).await?;
    drop(tx);
    let export = Export { wanted, reference, at, items, withheld: reader.withheld() };
    let subjects = std::iter::once(export.wanted.id.uuid()).chain(export.items.iter().filter_map(Item::id));
    let subjects: std::collections::BTreeSet<Uuid> = subjects.collect();
    disclosed(world, call, subjects, export.details()).await?;
    Ok(export)
}

impl Export {
    /// How many there are of each part.
    pub fn counts(&self) -> BTreeMap<ExportPart, usize> {
        let mut counts = BTreeMap::new();
        self.items.iter().for_each(|it| *counts.entry(it.part()).or_default() += 1);
        counts
    }

    /// Whether it is for somebody who may know what was answered.
    pub fn is_clinical(&self) -> bool {
        !self.withheld.contains(&ExportPart::Assessment)
    }

    /// What the trail keeps of it beside the ids: why, for which request, and how much of what.
    fn details(&self) -> Vec<String> {
        let asked = [self.wanted.purpose.to_string(), format!("REQUEST {}", self.wanted.request_number)];
        let counts = self.counts().into_iter().map(|(part, count)| format!("{part} {count}"));
        asked.into_iter().chain(counts).collect()
    }
}
