//! Checks the chain as it is stored: all of it, or a part at a time for the auditor.

use tokio::sync::mpsc;

use super::seal::anchors;
use crate::domain::audit::chain::Hash;
use crate::domain::audit::head::Exported;
use crate::domain::audit::verify::{Fault, MOST_NAMED, Report, Sealed, StoredHead, Verifier};
use crate::domain::statement::PublicKey;
use crate::store::audit_check::Packed;
use crate::store::{Db, Tx, audit_chain, audit_check};
use crate::usecase::call::{Call, disclosed};
use crate::usecase::error::Result;
use crate::usecase::world::World;

/// Events that are read at once: what checking costs of memory. \[P\]
const PAGE: i64 = 2_000;

/// What is sealed there, and the heads among it.
type Page = (Vec<Packed>, Vec<StoredHead>);

/// What the database has besides the chain, as of one instant.
struct Rest {
    end: i64,
    events: i64,
    waiting: i64,
    seals: i64,
    lost: Vec<Vec<u8>>,
    beyond: Vec<StoredHead>,
}

impl Rest {
    async fn read(tx: &mut Tx) -> Result<Self> {
        let most = i64::try_from(MOST_NAMED).unwrap_or(i64::MAX);
        let end = audit_chain::last(tx).await?;
        let (events, waiting, seals) = audit_check::counts(tx).await?;
        let lost = audit_check::lost(tx, most).await?;
        let beyond = audit_chain::heads(tx, end, i64::MAX).await?;
        Ok(Self { end, events, waiting, seals, lost, beyond })
    }
}

/// Checks the whole chain, in pages, by keys that are trusted and a head that was kept elsewhere. Changes nothing.
pub async fn verify_whole(db: &Db, trusted: Vec<PublicKey>, kept: Option<Exported>) -> Result<Report> {
    let mut tx = db.begin_read().await?;
    let rest = Rest::read(&mut tx).await?;
    let anchors = anchors(&mut tx, trusted).await?;
    drop(tx);
    let foreign = kept.as_ref().map(|it| it.key.kid()).filter(|kid| !anchors.stores(kid));
    let mut verifier = Verifier::after(0, Hash::GENESIS, anchors, kept.map(|it| it.head));
    rest.lost.iter().for_each(|id| verifier.found(Fault::Lost { event_id: id.clone() }));
    if let Some(kid) = foreign {
        verifier.found(Fault::KeptForeign { kid });
    }
    // One reads while the other unpacks and hashes.
    let (give, mut take) = mpsc::channel(2);
    let reading = read(db, rest.end, give);
    let checking = async {
        while let Some((seals, heads)) = take.recv().await {
            let checked = tokio::task::spawn_blocking(move || {
                verifier.page(&unpacked(seals), &heads);
                verifier
            });
            verifier = checked.await.map_err(std::io::Error::other).map_err(crate::store::Error::File)?;
        }
        Ok::<_, crate::usecase::Error>(verifier)
    };
    let (read, checked) = tokio::join!(reading, checking);
    read?;
    let mut verifier = checked?;
    let gone = i64::try_from(verifier.gone()).unwrap_or(i64::MAX);
    if rest.events - rest.waiting > rest.seals - gone {
        let most = i64::try_from(MOST_NAMED).unwrap_or(i64::MAX);
        let strays = audit_check::strays(&mut db.read_once().await?, most).await?;
        strays.into_iter().for_each(|event_id| verifier.found(Fault::Stray { event_id }));
    }
    Ok(verifier.end(&rest.beyond))
}

/// Gives the chain up to a position, page by page and in order.
async fn read(db: &Db, end: i64, give: mpsc::Sender<Page>) -> Result<()> {
    let mut at = 0;
    while at < end {
        let page = page(db, at, end).await?;
        let Some(last) = page.0.last().map(Packed::position) else { return Ok(()) };
        at = last;
        if give.send(page).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn page(db: &Db, after: i64, end: i64) -> Result<Page> {
    let mut tx = db.begin_read().await?;
    let mut seals = audit_check::after(&mut tx, after, PAGE).await?;
    seals.retain(|it| it.position() <= end);
    let last = seals.last().map_or(after, Packed::position);
    let heads = audit_chain::heads(&mut tx, after, last).await?;
    Ok((seals, heads))
}

fn unpacked(seals: Vec<Packed>) -> Vec<Sealed> {
    seals.into_iter().map(Sealed::from).collect()
}

/// Asks for a check of a part of the chain.
#[derive(Clone, Debug)]
pub struct VerifyAudit {
    /// From this position on.
    pub from: i64,
    /// At most so many positions.
    pub most: i64,
}

/// What was found in a part.
#[derive(Clone, Debug)]
pub struct Part {
    /// What was found.
    pub report: Report,
    /// Where to go on; none at the end.
    pub next: Option<i64>,
}

/// Checks a part of the chain, by the key of this process and those of the database; the read is audited before it is
/// answered.
pub async fn verify_part(world: &World, call: &Call, wanted: &VerifyAudit, own: PublicKey) -> Result<Part> {
    let mut tx = world.db().begin_read().await?;
    let before = wanted.from - 1;
    let previous = audit_chain::hash_at(&mut tx, before).await?.unwrap_or(Hash::GENESIS);
    let seals = unpacked(audit_check::after(&mut tx, before, wanted.most).await?);
    let last = seals.last().map_or(before, |it| it.position);
    let heads = audit_chain::heads(&mut tx, before, last).await?;
    let is_end = i64::try_from(seals.len()).is_ok_and(|count| count < wanted.most);
    let beyond = if is_end { audit_chain::heads(&mut tx, last, i64::MAX).await? } else { Vec::new() };
    let anchors = anchors(&mut tx, [own]).await?;
    drop(tx);
    let mut verifier = Verifier::after(before, previous, anchors, None);
    verifier.page(&seals, &heads);
    let report = if is_end { verifier.end(&beyond) } else { verifier.rest() };
    let faults = report.faults.len() as u64 + report.unnamed;
    disclosed(world, call, None, [format!("VERIFIED {} TO {last} FAULTS {faults}", wanted.from)]).await?;
    Ok(Part { report, next: (!is_end).then_some(last + 1) })
}
