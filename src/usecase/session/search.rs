//! Finds free times.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::hunt::Hunt;
use crate::domain::client::Client;
use crate::domain::code::{CareService, Modality, Side};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::Venue;
use crate::domain::guardian::Guardian;
use crate::domain::ids::{ClientId, CounsellorId, Id, MilestoneId, OrganisationId, SiteId, VenueId};
use crate::domain::noun::Noun;
use crate::domain::party::Party;
use crate::domain::rules::{Occasion, RuleCode, SiteFacts, WALK_IN};
use crate::domain::slots::{FEW, Found, Rank, Search, Slot, find};
use crate::domain::text::Code;
use crate::domain::time::Span;
use crate::store::client::Subject;
use crate::store::noun::Stored;
use crate::store::{Lock, Tx, client, guardian};
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::facts::{self, Ask, AskedKnown, Directories, Places};
use crate::usecase::followup;
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// What a coordinator looks for.
#[derive(Clone, Debug)]
pub struct FindSlots {
    /// Who is to meet.
    pub party: Party,
    /// What for.
    pub service: CareService,
    /// How long.
    pub length: TimeDelta,
    /// Start of the window; now when absent.
    pub window_starts_at: Option<DateTime<Utc>>,
    /// End of the window; [`DEFAULT_WINDOW`] after its start when absent.
    pub window_ends_at: Option<DateTime<Utc>>,
    /// Only this counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Only this venue.
    pub venue_id: Option<VenueId>,
    /// Only venues of this district.
    pub district: Option<Code>,
    /// Only this modality.
    pub modality: Option<Modality>,
    /// Grid within the local hour, in minutes.
    pub step: u32,
    /// Rather this counsellor.
    pub preferred_counsellor_id: Option<CounsellorId>,
}

/// A page of free times, and on the first page why there are few.
#[derive(Clone, Debug)]
pub struct FoundSlots {
    /// Free times, best first.
    pub slots: Vec<Slot>,
    /// Token of the next page.
    pub next_page_token: String,
    /// When there are few in all: how many counsellors without a free time each rule stood against.
    pub exclusions: Vec<(RuleCode, u32)>,
    /// How many counsellors were looked at.
    pub counsellors: u32,
}

/// The window of a search that states no end.
pub const DEFAULT_WINDOW: TimeDelta = TimeDelta::days(14);
/// The longest window.
pub const LONGEST_WINDOW: TimeDelta = TimeDelta::days(62);

/// Finds free times, best first.
pub async fn find_slots(world: &World, call: &Call, wanted: &FindSlots, page: &Page) -> Result<FoundSlots> {
    let subject = wanted.party.clients().first().map_or(Uuid::nil(), |id| id.uuid());
    traced(world, call, subject, search(world, call, wanted, page).await).await
}

/// Finds free times for a survivor's milestone: inside its window, or what of that lies in the window that is wanted.
/// `wanted` says what is looked for once the survivor is known.
pub async fn find_slots_for(
    world: &World,
    call: &Call,
    milestone_id: MilestoneId,
    wanted: impl FnOnce(ClientId) -> FindSlots,
    page: &Page,
) -> Result<FoundSlots> {
    let found = followup::bookable(world, call, milestone_id).await;
    let (client_id, window) = traced(world, call, milestone_id.uuid(), found).await?;
    let wanted = wanted(client_id);
    let starts_at = wanted.window_starts_at.map_or(window.starts_at(), |at| at.max(window.starts_at()));
    let ends_at = wanted.window_ends_at.map_or(window.ends_at(), |at| at.min(window.ends_at()));
    if ends_at <= starts_at {
        return Err(Error::field("window_ends_at", "must leave a part of the milestone's window, from now on"));
    }
    let wanted = FindSlots { window_starts_at: Some(starts_at), window_ends_at: Some(ends_at), ..wanted };
    find_slots(world, call, &wanted, page).await
}

async fn search(world: &World, call: &Call, wanted: &FindSlots, page: &Page) -> Result<FoundSlots> {
    let now = world.now();
    let after: Option<Rank> = page.after(world, call)?;
    let window = window(wanted.window_starts_at, wanted.window_ends_at, now)?;
    let mut tx = world.db().begin_read().await?;
    let ids: Vec<ClientId> = wanted.party.clients();
    let known = AskedKnown::ask(&mut tx, &ids, wanted.around(window));
    let mut clients = Vec::new();
    for id in ids {
        clients.push(own_client(&mut tx, call, id).await?);
    }
    let known = known.answer(&mut tx).await?;
    // A group that has no clients yet is of the caller's organisation, and of the side of its service.
    let own = clients.first().map(|it| it.organisation_id).or(call.sees()?);
    let organisation_id = own.ok_or(Error::NotFound(Client::WORD))?;
    let side = match clients.first().map(|it| it.side).or(wanted.service.side()) {
        Some(side) => side,
        None => trainer(&mut tx, wanted).await?,
    };
    let directories = Directories::around(world, &mut tx, organisation_id, wanted.venue_id).await?;
    check_own(&mut tx, &directories, organisation_id, wanted).await?;
    let sought = Sought { organisation_id, side, clients: &clients, directories: &directories };
    let ask = wanted.ask(now, &sought, window)?;
    let search = wanted.search(window);
    // However small the page: whether there are few has to be seen.
    let hunt = Hunt::new(&ask, &known, &search, after, page.most().max(FEW))?;
    let mut slots = hunt.run(&mut tx, |_| true).await?;
    let exclusions = match after {
        None if slots.len() < FEW => find(&search, &facts::load_taken(&mut tx, &ask, &known).await?).exclusions,
        _ => Vec::new(),
    };
    slots.truncate(page.most());
    let (slots, next_page_token) = page.cut(world, call, slots, |slot| slot.rank);
    Ok(FoundSlots { slots, next_page_token, exclusions, counsellors: leads(&ask, wanted) })
}

/// The side of who gives a training.
async fn trainer(tx: &mut Tx, wanted: &FindSlots) -> Result<Side> {
    let Some(id) = wanted.counsellor_id else {
        return Err(Error::field("counsellor_id", "must name who gives the training"));
    };
    let found = Counsellor::find(tx, id, Lock::None).await?;
    Ok(found.ok_or(Error::NotFound(Counsellor::WORD))?.side)
}

/// For whom free times are looked for.
pub struct Sought<'a> {
    /// The organisation of all who are to meet.
    pub organisation_id: OrganisationId,
    /// The side of all who are to meet.
    pub side: Side,
    /// The clients.
    pub clients: &'a [Subject],
    /// Those of the organisation, and of whom else has a place in question.
    pub directories: &'a Directories,
}

/// What a search came upon.
pub struct Looked {
    /// The free times.
    pub found: Found,
    /// How many counsellors were looked at who could lead.
    pub counsellors: u32,
    /// The places in question.
    pub sites: BTreeMap<SiteId, SiteFacts>,
}

/// Looks for every free time in a window.
pub async fn look(
    tx: &mut Tx,
    now: DateTime<Utc>,
    sought: &Sought<'_>,
    wanted: &FindSlots,
    window: Span,
) -> Result<Looked> {
    let ask = wanted.ask(now, sought, window)?;
    let counsellors = leads(&ask, wanted);
    let facts = facts::load(tx, ask).await?;
    let found = find(&wanted.search(window), &facts);
    Ok(Looked { found, counsellors, sites: facts.sites })
}

/// How many of the counsellors that are asked about could lead.
fn leads(ask: &Ask<'_>, wanted: &FindSlots) -> u32 {
    let beside = &wanted.party.co_facilitators;
    u32::try_from(ask.counsellors.iter().filter(|it| !beside.contains(&it.id)).count()).unwrap_or(u32::MAX)
}

impl FindSlots {
    /// Slots that start in the window may end after it.
    fn around(&self, window: Span) -> Span {
        window.padded(TimeDelta::zero(), self.length)
    }

    fn search(&self, window: Span) -> Search {
        Search {
            service: self.service,
            length: self.length,
            window,
            step: self.step,
            modality: self.modality,
            preferred_counsellor_id: self.preferred_counsellor_id,
            party: self.party.clone(),
        }
    }

    fn ask<'a>(&'a self, now: DateTime<Utc>, sought: &Sought<'a>, window: Span) -> Result<Ask<'a>> {
        let &Sought { organisation_id, side, clients, directories } = sought;
        let places = match (self.modality, self.venue_id) {
            (Some(Modality::Remote), Some(_)) => {
                return Err(Error::field("venue_id", "must be empty for remote sessions"));
            }
            (_, Some(venue_id)) => Places::venue(venue_id),
            (modality, None) => Places::All(modality),
        };
        let beside = &self.party.co_facilitators;
        let mut counsellors = directories.active(organisation_id, side, self.counsellor_id);
        counsellors.retain(|it| !beside.contains(&it.id));
        counsellors.extend(beside.iter().filter_map(|id| directories.counsellor(*id)));
        Ok(Ask {
            now,
            organisation_id,
            side,
            clients,
            unlinked: false,
            directories,
            counsellors,
            places,
            district: self.district.as_ref(),
            around: self.around(window),
            except: None,
            occasion: Occasion::Placing,
        })
    }
}

pub(super) fn window(
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Span> {
    // What is long past cannot be booked, so an early start costs nothing and means now.
    let from = starts_at.unwrap_or(now).max(now - WALK_IN);
    let until = ends_at.unwrap_or(from + DEFAULT_WINDOW);
    match Span::new(from, until) {
        Some(window) if window.length() <= LONGEST_WINDOW => Ok(window),
        Some(_) => Err(Error::field("window_ends_at", "must be at most 62 days after window_starts_at")),
        None => Err(Error::field("window_ends_at", "must be after window_starts_at, and not in the past")),
    }
}

/// A client of the caller.
pub async fn own_client(tx: &mut Tx, call: &Call, id: ClientId) -> Result<Subject> {
    let client = client::subject(tx, id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    call.manages(Some(client.organisation_id), Client::WORD)?;
    Ok(client)
}

/// Checks that what is asked for is the caller's to use.
pub async fn check_own(
    tx: &mut Tx,
    directories: &Directories,
    organisation_id: OrganisationId,
    wanted: &FindSlots,
) -> Result<()> {
    let named = [wanted.counsellor_id, wanted.preferred_counsellor_id].into_iter().flatten();
    for id in named.chain(wanted.party.co_facilitators.iter().copied()) {
        let found = directories.counsellor(id);
        found.filter(|it| it.organisation_id == organisation_id).ok_or(Error::NotFound(Counsellor::WORD))?;
    }
    for one in &wanted.party.participants {
        let Some(id) = one.guardian_id else { continue };
        let guardians = tx.tell(|tx| guardian::of_client(tx, one.client_id)).await?;
        guardians.iter().find(|(own, _)| *own == id).ok_or(Error::NotFound(Guardian::WORD))?;
    }
    if let Some(id) = wanted.venue_id {
        let found = directories.venue(id).filter(|it| it.shared || it.organisation_id == organisation_id);
        found.ok_or(Error::NotFound(Venue::WORD))?;
    }
    Ok(())
}
