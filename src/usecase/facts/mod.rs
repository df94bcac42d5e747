//! Loads what the booking rules look at: for one candidate or for a whole search, by one loader,
//! so that both see the same world.

mod client;
mod taken;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use self::client::client_facts;
use self::taken::{Taken, Taker, Visits, taken};
use super::error::{Error, Result};
use crate::domain::agreement::Agreement;
use crate::domain::code::{Modality, Side};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Organisation, Room, Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, HolidayCalendarId, OrganisationId, SessionId, SiteId, VenueId};
use crate::domain::noun::{Noun, Record};
use crate::domain::rules::{CounsellorFacts, Facts, Occasion, Policy, RoomFacts, SiteFacts, VenueFacts};
use crate::domain::text::Code;
use crate::domain::time::{Span, Spans, days_around};
use crate::store::client::{Subject, declared_apart};
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::{Lock, Tx, agreement, counsellor, directory, holiday, placement};

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
    /// The counsellors in question.
    pub counsellors: Vec<Record<Counsellor>>,
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
    /// Whether rule facts must stand still until the transaction ends.
    pub lock: Lock,
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
    let (venues, sites) = places(tx, &ask).await?;
    let venue_ids: Vec<VenueId> = venues.iter().map(|venue| venue.id).collect();
    let rooms = directory::rooms(tx, &venue_ids).await?;
    let visits = Visits::load(tx, &ask).await?;
    let busy = taken(tx, &ask, &rooms, &visits).await?;
    let organisation = Organisation::find(tx, ask.organisation_id, Lock::None).await?;
    let organisation = organisation.ok_or(Error::NotFound(Organisation::WORD))?;
    let agreements = agreements(tx, &ask).await?;
    let sites = site_facts(tx, &ask, sites).await?;
    let counsellors = counsellor_facts(tx, &ask, &venues, &sites, &busy, &visits).await?;
    let mut clients = BTreeMap::new();
    for client in ask.clients {
        let busy = busy.of(client.id.0);
        clients.insert(client.id, client_facts(tx, &ask, client, &counsellors, &sites, busy).await?);
    }
    let mine = (ask.organisation_id, ask.side);
    let ids: Vec<ClientId> = ask.clients.iter().map(|it| it.id).collect();
    let apart = if ids.len() > 1 { declared_apart(tx, &ids).await? } else { Vec::new() };
    Ok(Facts {
        now: ask.now,
        policy: Policy { notice_for: organisation.notice_for, horizon_for: organisation.horizon_for },
        side: ask.side,
        clients,
        apart,
        agreements,
        counsellors,
        venues: venue_facts(venues, &rooms, &busy, mine),
        sites,
    })
}

/// The venues in question and their sites.
async fn places(tx: &mut Tx, ask: &Ask<'_>) -> Result<(Vec<Record<Venue>>, Vec<Record<Site>>)> {
    let organisation_id = ask.organisation_id;
    let mut venues = match &ask.places {
        Places::All(Some(Modality::Remote)) => return Ok((Vec::new(), Vec::new())),
        Places::These(ids, _) if ids.is_empty() => return Ok((Vec::new(), Vec::new())),
        Places::These(ids, _) => directory::venues(tx, OrganisationId(Uuid::nil()), ids).await?,
        Places::All(_) => {
            let named: BTreeSet<VenueId> = ask
                .counsellors
                .iter()
                .flat_map(|it| &it.working_hours)
                .filter(|hours| !hours.off)
                .filter_map(|hours| hours.venue_id)
                .collect();
            directory::venues(tx, organisation_id, &named.into_iter().collect::<Vec<_>>()).await?
        }
    };
    venues.retain(|venue| venue.shared || venue.organisation_id == organisation_id);
    let site_ids: BTreeSet<SiteId> = venues.iter().map(|venue| venue.site_id).collect();
    let mut sites = directory::sites(tx, &site_ids.into_iter().collect::<Vec<_>>()).await?;
    if let Some(district) = ask.district {
        sites.retain(|site| site.district == *district);
        venues.retain(|venue| sites.iter().any(|site| site.id == venue.site_id));
    }
    Ok((venues, sites))
}

/// Buffers and separation reach beyond the interval asked for, and a session that starts inside
/// may end outside.
const MARGIN: TimeDelta = TimeDelta::hours(36);

async fn agreements(tx: &mut Tx, ask: &Ask<'_>) -> Result<Vec<Agreement>> {
    // The local day may be another than the UTC day, by one.
    let (first, last) = (days_around(ask.around).next(), days_around(ask.around).last());
    let Some((first, last)) = first.zip(last) else { return Ok(Vec::new()) };
    Ok(agreement::in_force(tx, ask.organisation_id, first, last, ask.lock).await?)
}

/// From when on a hold counts against others: not at all against what stands, because it may never
/// become a session.
fn holds_after(ask: &Ask<'_>) -> DateTime<Utc> {
    if ask.occasion == Occasion::Standing { ask.now + TimeDelta::days(1) } else { ask.now }
}

async fn site_facts(tx: &mut Tx, ask: &Ask<'_>, sites: Vec<Record<Site>>) -> Result<BTreeMap<SiteId, SiteFacts>> {
    let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let around = ask.around.padded(MARGIN, MARGIN);
    let other = ask.side.other();
    let presences = placement::presences(tx, &ids, other, around, Instant(ask.now)).await?;
    let mut linked = Vec::new();
    for client in ask.clients {
        let holds_after = Instant(holds_after(ask));
        linked.extend(placement::linked(tx, client.id, &ids, other, around, holds_after).await?);
    }
    let calendars: BTreeSet<HolidayCalendarId> = sites.iter().filter_map(|site| site.holiday_calendar_id).collect();
    let calendars: Vec<_> = calendars.into_iter().collect();
    let (first, last) = (around.starts_at().date_naive(), around.ends_at().date_naive());
    let holidays =
        if calendars.is_empty() { Vec::new() } else { holiday::days_of(tx, &calendars, first, last).await? };
    let facts = |site: Record<Site>| {
        let zone = site.zone;
        let closed = holidays.iter().filter(|(calendar, _)| Some(*calendar) == site.holiday_calendar_id);
        let here = |rows: &[(SiteId, Span)]| -> Vec<Span> {
            rows.iter().filter(|(id, _)| *id == site.id).map(|(_, span)| *span).collect()
        };
        let days = here(&linked).into_iter().flat_map(|span| span.local_days(zone));
        let facts = SiteFacts {
            closed: closed.filter_map(|(_, day)| Span::of_day(*day, zone)).collect(),
            side_hours: site.side_spans(ask.side, ask.around),
            other_side: here(&presences).into_iter().collect(),
            linked: days.filter_map(|day| Span::of_day(day, zone)).collect(),
            site: site.content,
        };
        (site.id, facts)
    };
    Ok(sites.into_iter().map(facts).collect())
}

async fn counsellor_facts(
    tx: &mut Tx,
    ask: &Ask<'_>,
    venues: &[Record<Venue>],
    sites: &BTreeMap<SiteId, SiteFacts>,
    busy: &Taken,
    visits: &Visits,
) -> Result<BTreeMap<CounsellorId, CounsellorFacts>> {
    let ids: Vec<CounsellorId> = ask.counsellors.iter().map(|counsellor| counsellor.id).collect();
    let leave = counsellor::leave_of(tx, &ids, ask.around.padded(MARGIN, MARGIN)).await?;
    let facts = |record: &Record<Counsellor>| {
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
        let facts = CounsellorFacts {
            counsellor: record.content.clone(),
            busy: busy.of(record.id.0),
            leave: leave.iter().filter(|it| it.counsellor_id == record.id).map(|it| it.span).collect(),
            load: visits.count(record.id, ask.around),
            sessions_on: visits.per_day(record),
            elsewhere: sites.keys().map(|id| (*id, visits.elsewhere(record, *id))).collect(),
            working,
        };
        (record.id, facts)
    };
    Ok(ask.counsellors.iter().map(facts).collect())
}

fn venue_facts(
    venues: Vec<Record<Venue>>,
    rooms: &[Record<Room>],
    busy: &Taken,
    mine: Taker,
) -> BTreeMap<VenueId, VenueFacts> {
    let room = |room: &Record<Room>| RoomFacts {
        id: room.id,
        capacity: room.capacity,
        busy: busy.filtered(room.id.0, |taker| taker == mine),
        busy_elsewhere: busy.filtered(room.id.0, |taker| taker != mine),
    };
    let facts = |venue: Record<Venue>| {
        let own = rooms.iter().filter(|room| room.venue_id == venue.id).map(room).collect();
        (venue.id, VenueFacts { rooms: own, venue: venue.content })
    };
    venues.into_iter().map(facts).collect()
}
