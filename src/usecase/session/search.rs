//! Finds free times.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::client::Client;
use crate::domain::code::{CareService, Modality};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::Venue;
use crate::domain::guardian::Guardian;
use crate::domain::ids::{ClientId, CounsellorId, GuardianId, Id, SiteId, VenueId};
use crate::domain::noun::Noun;
use crate::domain::party::{Attendee, Party};
use crate::domain::rules::{Occasion, RuleCode, SiteFacts, WALK_IN};
use crate::domain::slots::{Found, Rank, Search, Slot, find};
use crate::domain::text::Code;
use crate::domain::time::Span;
use crate::store::client::Subject;
use crate::store::noun::Stored;
use crate::store::{Lock, Tx, client, counsellor, guardian};
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::facts::{self, Ask, Places};
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// What a coordinator looks for.
#[derive(Clone, Debug)]
pub struct FindSlots {
    /// For whom.
    pub client_id: ClientId,
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
    /// The safe adult who comes with a child.
    pub guardian_id: Option<GuardianId>,
    /// An interpreter is booked.
    pub interpreter: bool,
}

impl FindSlots {
    /// Who is to be seen.
    pub fn attendee(&self) -> Attendee {
        Attendee { client_id: self.client_id, guardian_id: self.guardian_id, interpreter: self.interpreter }
    }
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
    traced(world, call, wanted.client_id.uuid(), search(world, call, wanted, page).await).await
}

async fn search(world: &World, call: &Call, wanted: &FindSlots, page: &Page) -> Result<FoundSlots> {
    let now = world.now();
    let after: Option<Rank> = page.after(world, call)?;
    let window = window(wanted, now)?;
    let mut tx = world.db().begin_read().await?;
    let client = own_client(&mut tx, call, wanted.client_id).await?;
    check_own(&mut tx, &client, wanted).await?;
    let looked = look(&mut tx, now, &client, wanted, window, after, page.most()).await?;
    let (slots, next_page_token) = page.cut(world, call, looked.found.slots, |slot| slot.rank);
    Ok(FoundSlots { slots, next_page_token, exclusions: looked.found.exclusions, counsellors: looked.counsellors })
}

/// What a search came upon.
pub struct Looked {
    /// The free times.
    pub found: Found,
    /// How many counsellors were looked at.
    pub counsellors: u32,
    /// The places in question.
    pub sites: BTreeMap<SiteId, SiteFacts>,
}

/// Looks for free times of a client in a window.
pub async fn look(
    tx: &mut Tx,
    now: DateTime<Utc>,
    client: &Subject,
    wanted: &FindSlots,
    window: Span,
    after: Option<Rank>,
    most: usize,
) -> Result<Looked> {
    let places = match (wanted.modality, wanted.venue_id) {
        (Some(Modality::Remote), Some(_)) => {
            return Err(Error::field("venue_id", "must be empty for remote sessions"));
        }
        (_, Some(venue_id)) => Places::venue(venue_id),
        (modality, None) => Places::All(modality),
    };
    let district = wanted.district.as_ref();
    let counsellors = counsellor::for_side(tx, client.organisation_id, client.side, wanted.counsellor_id).await?;
    // Slots that start in the window may end after it.
    let around = window.padded(TimeDelta::zero(), wanted.length);
    let ask = Ask {
        now,
        organisation_id: client.organisation_id,
        side: client.side,
        clients: std::slice::from_ref(client),
        counsellors,
        places,
        district,
        around,
        except: None,
        occasion: Occasion::Placing,
        lock: Lock::None,
    };
    let facts = facts::load(tx, ask).await?;
    let search = Search {
        service: wanted.service,
        length: wanted.length,
        window,
        step: wanted.step,
        modality: wanted.modality,
        preferred_counsellor_id: wanted.preferred_counsellor_id,
        party: Party::one_to_one(wanted.attendee()),
    };
    let found = find(&search, &facts, after, most);
    let counsellors = u32::try_from(facts.counsellors.len()).unwrap_or(u32::MAX);
    Ok(Looked { found, counsellors, sites: facts.sites })
}

fn window(wanted: &FindSlots, now: DateTime<Utc>) -> Result<Span> {
    // What is long past cannot be booked, so an early start costs nothing and means now.
    let from = wanted.window_starts_at.unwrap_or(now).max(now - WALK_IN);
    let until = wanted.window_ends_at.unwrap_or(from + DEFAULT_WINDOW);
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
pub async fn check_own(tx: &mut Tx, client: &Subject, wanted: &FindSlots) -> Result<()> {
    for id in [wanted.counsellor_id, wanted.preferred_counsellor_id].into_iter().flatten() {
        let found = Counsellor::find(tx, id, Lock::None).await?;
        found.filter(|it| it.organisation_id == client.organisation_id).ok_or(Error::NotFound(Counsellor::WORD))?;
    }
    if let Some(id) = wanted.guardian_id {
        let guardians = guardian::of_client(tx, client.id).await?;
        guardians.iter().find(|(own, _)| *own == id).ok_or(Error::NotFound(Guardian::WORD))?;
    }
    if let Some(id) = wanted.venue_id {
        let found = Venue::find(tx, id, Lock::None).await?.ok_or(Error::NotFound(Venue::WORD))?;
        if !Venue::visible(tx, &found, client.organisation_id).await? {
            return Err(Error::NotFound(Venue::WORD));
        }
    }
    Ok(())
}
