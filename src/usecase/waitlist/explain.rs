//! Why somebody who waits has no match: what FindSlots would say, and what the wishes of the entry leave of it.

use crate::domain::party::Party;
use crate::domain::rules::RuleCode;
use crate::domain::slots::DEFAULT_STEP;
use crate::domain::time::Span;
use crate::domain::waitlist::{Entry, Opening};
use crate::store::Tx;
use crate::store::client::Subject;
use crate::usecase::error::Result;
use crate::usecase::facts::Directories;
use crate::usecase::session::{DEFAULT_WINDOW, FindSlots, Sought, look};
use crate::usecase::world::World;

/// What is free for an entry in the coming [`DEFAULT_WINDOW`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Free times that would do: they wait for nobody, and can be booked.
    pub free: u32,
    /// Free times on other days or at other hours than those that would do.
    pub elsewhen: u32,
    /// When there are few: how many counsellors without a free time each rule stood against.
    pub exclusions: Vec<(RuleCode, u32)>,
    /// How many counsellors were looked at.
    pub counsellors: u32,
}

/// Looks what is free for an entry.
pub async fn outlook(world: &World, tx: &mut Tx, client: &Subject, entry: &Entry) -> Result<Outlook> {
    let now = world.now();
    let Some(window) = Span::lasting(now, DEFAULT_WINDOW) else { return Ok(Outlook::default()) };
    let (organisation_id, side) = (client.organisation_id, client.side);
    let wanted = search(entry);
    let directories = Directories::around(world, tx, organisation_id, wanted.venue_id).await?;
    let sought = Sought { organisation_id, side, clients: std::slice::from_ref(client), directories: &directories };
    let looked = look(tx, now, &sought, &wanted, window).await?;
    let would_do = looked.found.slots.iter().filter(|slot| {
        let site = slot.place.site_id().and_then(|id| looked.sites.get(&id));
        let at = Opening {
            counsellor_id: slot.rank.counsellor_id,
            venue_id: slot.place.venue_id(),
            district: site.map(|it| it.site.district.clone()),
            zone: slot.zone,
        };
        entry.wishes.admit(&at, slot.span)
    });
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let free = would_do.count();
    Ok(Outlook {
        free: small(free),
        elsewhen: small(looked.found.slots.len() - free),
        exclusions: looked.found.exclusions,
        counsellors: looked.counsellors,
    })
}

/// The search whose answer the days and hours of an entry narrow.
fn search(entry: &Entry) -> FindSlots {
    FindSlots {
        party: Party::one_to_one(entry.attendee.clone()),
        service: entry.service,
        length: entry.length,
        window_starts_at: None,
        window_ends_at: None,
        counsellor_id: entry.wishes.counsellor_id,
        venue_id: entry.wishes.venue_id,
        district: entry.wishes.district.clone(),
        modality: entry.wishes.modality,
        step: DEFAULT_STEP,
        preferred_counsellor_id: None,
    }
}
