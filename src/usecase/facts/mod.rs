//! Loads what the booking rules look at: for one candidate or for a whole search, by one loader,
//! so that both see the same world.

mod client;
mod directory;
mod memory;
mod taken;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use self::client::{Known, available};
pub use self::directory::Directories;
pub use self::memory::Memory;
use self::taken::{Taken, Visits, ask_taken, taken};
use super::error::Result;
use crate::domain::agreement::Agreement;
use crate::domain::code::{Modality, Side};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Room, Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, RoomId, SessionId, SiteId, VenueId};
use crate::domain::noun::Record;
use crate::domain::rules::{CounsellorFacts, Facts, Occasion, Policy, RoomFacts, SiteFacts, VenueFacts};
use crate::domain::text::Code;
use crate::domain::time::{Span, Spans, days_around};
use crate::store::client::{Subject, declared_apart};
use crate::store::codec::Instant;
use crate::store::sql::Asked;
use crate::store::{Tx, placement};

/// What to load.
pub struct Ask<'a> {
    /// The present.
    pub now: DateTime<Utc>,
    /// The organisation of all who meet.
    pub organisation_id: OrganisationId,
    /// The side of all who meet.
    pub side: Side,
    /// The clients; a group may have none yet.
    pub clients: &'a [Subject],
    /// What does not change with sessions.
    pub directories: &'a Directories,
    /// The counsellors in question.
    pub counsellors: Vec<&'a Record<Counsellor>>,
    /// Which places.
    pub places: Places,
    /// Only places of this district.
    pub district: Option<&'a Code>,
    /// When.
    pub around: Span,
    /// What this session takes counts as free.
    pub except: Option<SessionId>,
    /// What is judged by the facts.
    pub occasion: Occasion,
}

/// Which places to load.
#[derive(Clone, Debug)]
pub enum Places {
    /// These venues, and remote or not.
    These(Vec<VenueId>, bool),
    /// The venues of the organisation, those in the counsellors' timetables, and remote; or only one
    /// modality of these.
    All(Option<Modality>),
}

impl Places {
    /// No venue.
    pub const REMOTE: Self = Self::These(Vec::new(), true);

    /// One venue, and nothing remote.
    pub fn venue(id: VenueId) -> Self {
        Self::These(vec![id], false)
    }

    fn remote(&self) -> bool {
        match self {
            Self::These(_, remote) => *remote,
            Self::All(modality) => *modality != Some(Modality::InPerson),
        }
    }
}

/// Loads the facts.
pub async fn load(tx: &mut Tx, ask: Ask<'_>) -> Result<Facts> {
    let (venues, sites) = places(&ask);
    let rooms = |venue: &&Record<Venue>| ask.directories.rooms(venue.id);
    let room_ids: Vec<RoomId> = venues.iter().flat_map(rooms).map(|room| room.id).collect();
    let organisation = ask.directories.organisation(ask.organisation_id)?;
    // Everything is asked for before anything is answered.
    let visits = Visits::ask(tx, &ask);
    let busy = ask_taken(tx, &ask, &room_ids);
    let met = Met::ask(tx, &ask, &sites);
    let known: Vec<Known> = ask.clients.iter().map(|client| Known::ask(tx, &ask, client)).collect();
    let ids: Vec<ClientId> = ask.clients.iter().map(|it| it.id).collect();
    let apart = (ids.len() > 1).then(|| declared_apart(tx, &ids));
    let visits = Visits::answer(tx, &ask, visits).await?;
    let busy = taken(tx, &ask, busy, &visits).await?;
    let sites = site_facts(tx, &ask, &sites, met).await?;
    let counsellors = counsellor_facts(&ask, &venues, &sites, &busy, &visits);
    let mut clients = BTreeMap::new();
    for (client, known) in ask.clients.iter().zip(known) {
        let available = available(&ask, client, &counsellors, &sites);
        let facts = known.answer(tx, &ask, client, available, busy.of(client.id.0)).await?;
        clients.insert(client.id, facts);
    }
    let apart = match apart {
        Some(apart) => tx.answer(apart).await?,
        None => Vec::new(),
    };
    Ok(Facts {
        now: ask.now,
        policy: Policy { notice_for: organisation.notice_for, horizon_for: organisation.horizon_for },
        side: ask.side,
        clients,
        apart,
        agreements: agreements(&ask),
        counsellors,
        venues: venue_facts(&ask, &venues, &busy),
        sites,
    })
}

/// The venues in question and their sites.
fn places<'a>(ask: &Ask<'a>) -> (Vec<&'a Record<Venue>>, BTreeMap<SiteId, &'a Record<Site>>) {
    let (directories, organisation_id) = (ask.directories, ask.organisation_id);
    let mut venues: BTreeMap<VenueId, &Record<Venue>> = match &ask.places {
        Places::All(Some(Modality::Remote)) => BTreeMap::new(),
        Places::These(ids, _) => ids.iter().filter_map(|id| Some((*id, directories.venue(*id)?))).collect(),
        Places::All(_) => {
            let hours = ask.counsellors.iter().flat_map(|it| &it.working_hours).filter(|hours| !hours.off);
            let named = hours.filter_map(|hours| directories.venue(hours.venue_id?));
            named.chain(directories.venues(organisation_id)).map(|venue| (venue.id, venue)).collect()
        }
    };
    venues.retain(|_, venue| venue.shared || venue.organisation_id == organisation_id);
    let sites = venues.values().filter_map(|venue| directories.site(venue.site_id));
    let here = sites.filter(|site| ask.district.is_none_or(|district| site.district == *district));
    let sites: BTreeMap<SiteId, &Record<Site>> = here.map(|site| (site.id, site)).collect();
    venues.retain(|_, venue| sites.contains_key(&venue.site_id));
    (venues.into_values().collect(), sites)
}

/// Buffers and separation reach beyond the interval asked for, and a session that starts inside
/// may end outside.
const MARGIN: TimeDelta = TimeDelta::hours(36);

/// The agreements that are in force on some day in question.
fn agreements(ask: &Ask<'_>) -> Vec<Agreement> {
    // The local day may be another than the UTC day, by one.
    let (first, last) = (days_around(ask.around).next(), days_around(ask.around).last());
    let Some((first, last)) = first.zip(last) else { return Vec::new() };
    let in_force = |it: &&Agreement| it.valid_from <= last && it.valid_until.is_none_or(|until| until >= first);
    ask.directories.agreements(ask.organisation_id).filter(in_force).cloned().collect()
}

/// From when on a hold counts against others: not at all against what stands, because it may never
/// become a session.
fn holds_after(ask: &Ask<'_>) -> DateTime<Utc> {
    if ask.occasion == Occasion::Standing { ask.now + TimeDelta::days(1) } else { ask.now }
}

/// Whom the clients could meet at the sites.
struct Met {
    presences: Asked<Vec<(SiteId, Span)>>,
    linked: Vec<Asked<Vec<(SiteId, Span)>>>,
}

impl Met {
    fn ask(tx: &mut Tx, ask: &Ask<'_>, sites: &BTreeMap<SiteId, &Record<Site>>) -> Self {
        let ids: Vec<SiteId> = sites.keys().copied().collect();
        let (around, other) = (ask.around.padded(MARGIN, MARGIN), ask.side.other());
        let presences = placement::presences(tx, &ids, other, around, Instant(ask.now));
        let holds_after = Instant(holds_after(ask));
        let linked = ask.clients.iter().map(|it| placement::linked(tx, it.id, &ids, other, around, holds_after));
        Self { presences, linked: linked.collect() }
    }
}

async fn site_facts(
    tx: &mut Tx,
    ask: &Ask<'_>,
    sites: &BTreeMap<SiteId, &Record<Site>>,
    met: Met,
) -> Result<BTreeMap<SiteId, SiteFacts>> {
    let around = ask.around.padded(MARGIN, MARGIN);
    let presences = by_site(tx.answer(met.presences).await?);
    let mut linked = Vec::new();
    for asked in met.linked {
        linked.extend(tx.answer(asked).await?);
    }
    let linked = by_site(linked);
    let (first, last) = (around.starts_at().date_naive(), around.ends_at().date_naive());
    let facts = |site: &Record<Site>| {
        let zone = site.zone;
        let calendar = site.holiday_calendar_id.into_iter();
        let closed = calendar.flat_map(|id| ask.directories.holidays(id, first, last));
        let here = |rows: &BTreeMap<SiteId, Vec<Span>>| rows.get(&site.id).cloned().unwrap_or_default();
        let days = here(&linked).into_iter().flat_map(|span| span.local_days(zone));
        SiteFacts {
            closed: closed.filter_map(|day| Span::of_day(day, zone)).collect(),
            side_hours: site.side_spans(ask.side, ask.around),
            other_side: here(&presences).into_iter().collect(),
            linked: days.filter_map(|day| Span::of_day(day, zone)).collect(),
            site: site.content.clone(),
        }
    };
    Ok(sites.iter().map(|(id, site)| (*id, facts(site))).collect())
}

fn by_site(rows: Vec<(SiteId, Span)>) -> BTreeMap<SiteId, Vec<Span>> {
    let mut all: BTreeMap<SiteId, Vec<Span>> = BTreeMap::new();
    for (id, span) in rows {
        all.entry(id).or_default().push(span);
    }
    all
}

fn counsellor_facts(
    ask: &Ask<'_>,
    venues: &[&Record<Venue>],
    sites: &BTreeMap<SiteId, SiteFacts>,
    busy: &Taken,
    visits: &Visits,
) -> BTreeMap<CounsellorId, CounsellorFacts> {
    let reach = ask.around.padded(MARGIN, MARGIN);
    let facts = |record: &&Record<Counsellor>| {
        let mut working: BTreeMap<Option<VenueId>, Spans> = venues
            .iter()
            .filter_map(|venue| {
                let zone = sites.get(&venue.site_id)?.site.zone;
                Some((Some(venue.id), record.working_spans(Some(venue.id), zone, ask.around)))
            })
            .collect();
        if ask.places.remote() {
            working.insert(None, record.working_spans(None, record.zone, ask.around));
        }
        let leave = ask.directories.leave(record.id).iter().filter(|span| span.overlaps(reach));
        let facts = CounsellorFacts {
            counsellor: record.content.clone(),
            busy: busy.of(record.id.0),
            leave: leave.copied().collect(),
            load: visits.count(record.id, ask.around),
            sessions_on: visits.per_day(record),
            elsewhere: sites.keys().map(|id| (*id, visits.elsewhere(record, *id))).collect(),
            working,
        };
        (record.id, facts)
    };
    ask.counsellors.iter().map(facts).collect()
}

fn venue_facts(ask: &Ask<'_>, venues: &[&Record<Venue>], busy: &Taken) -> BTreeMap<VenueId, VenueFacts> {
    let mine = (ask.organisation_id, ask.side);
    let room = |room: &Record<Room>| RoomFacts {
        id: room.id,
        capacity: room.capacity,
        busy: busy.filtered(room.id.0, |taker| taker == mine),
        busy_elsewhere: busy.filtered(room.id.0, |taker| taker != mine),
    };
    let facts = |venue: &&Record<Venue>| {
        let rooms = ask.directories.rooms(venue.id).iter().map(room).collect();
        (venue.id, VenueFacts { rooms, venue: venue.content.clone() })
    };
    venues.iter().map(facts).collect()
}
