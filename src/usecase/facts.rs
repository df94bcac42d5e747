//! Loads what the booking rules look at: for one candidate or for a whole search, by one loader,
//! so that both see the same world.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::Result;
use crate::domain::agreement::Agreement;
use crate::domain::code::Modality;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Room, Site, Venue};
use crate::domain::ids::{CounsellorId, HolidayCalendarId, OrganisationId, SiteId, VenueId};
use crate::domain::noun::Record;
use crate::domain::rules::{ClientFacts, CounsellorFacts, Facts, RoomFacts, SiteFacts, VenueFacts};
use crate::domain::text::Code;
use crate::domain::time::{Span, Spans, days_around};
use crate::store::client::Outline;
use crate::store::placement::Busy;
use crate::store::{Lock, Tx, agreement, client, counsellor, directory, holiday, placement};

/// What to load.
pub struct Ask<'a> {
    /// The present.
    pub now: DateTime<Utc>,
    /// The client.
    pub client: &'a Outline,
    /// The counsellors in question.
    pub counsellors: Vec<Record<Counsellor>>,
    /// Which places.
    pub places: Places,
    /// Only places of this district.
    pub district: Option<&'a Code>,
    /// When.
    pub around: Span,
    /// Whether rule facts must stand still until the transaction ends.
    pub lock: Lock,
}

/// Which places to load.
#[derive(Clone, Debug)]
pub enum Places {
    /// None: remote only.
    Remote,
    /// One venue only.
    Venue(VenueId),
    /// The venues of the organisation, those in the counsellors' timetables, and remote; or only one
    /// modality of these.
    All(Option<Modality>),
}

/// Loads the facts.
pub async fn load(tx: &mut Tx, ask: Ask<'_>) -> Result<Facts> {
    let (venues, sites) = places(tx, &ask).await?;
    let venue_ids: Vec<VenueId> = venues.iter().map(|venue| venue.id).collect();
    let rooms = directory::rooms(tx, &venue_ids).await?;
    let busy = busy(tx, &ask, &rooms).await?;
    let agreements = agreements(tx, &ask).await?;
    let sites = site_facts(tx, &ask, sites).await?;
    let counsellors = counsellor_facts(tx, &ask, &venues, &sites, &busy).await?;
    let seen_by = client::counsellors_of(tx, ask.client.id).await?.into_iter().collect();
    let mine = (ask.client.organisation_id, ask.client.side);
    Ok(Facts {
        now: ask.now,
        client: ClientFacts { id: ask.client.id, side: ask.client.side, seen_by, busy: busy.of(ask.client.id.0) },
        agreements,
        counsellors,
        venues: venue_facts(venues, &rooms, &busy, mine),
        sites,
    })
}

/// The venues in question and their sites.
async fn places(tx: &mut Tx, ask: &Ask<'_>) -> Result<(Vec<Record<Venue>>, Vec<Record<Site>>)> {
    let organisation_id = ask.client.organisation_id;
    let mut venues = match &ask.places {
        Places::Remote | Places::All(Some(Modality::Remote)) => return Ok((Vec::new(), Vec::new())),
        Places::Venue(id) => directory::venues(tx, OrganisationId(Uuid::nil()), &[*id]).await?,
        Places::All(_) => {
            let named: BTreeSet<VenueId> =
                ask.counsellors.iter().flat_map(|it| &it.working_hours).filter_map(|hours| hours.venue_id).collect();
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

/// Taken times by resource.
struct Taken(BTreeMap<Uuid, Vec<Busy>>);

impl Taken {
    fn of(&self, resource: Uuid) -> Spans {
        self.filtered(resource, |_| true)
    }

    fn filtered(&self, resource: Uuid, keep: impl Fn(&Busy) -> bool) -> Spans {
        let all = self.0.get(&resource).into_iter().flatten();
        all.filter(|busy| keep(busy)).filter_map(Busy::span).collect()
    }

    /// How many sessions of a resource reach into an interval.
    fn count(&self, resource: Uuid, within: Span) -> u32 {
        let all = self.0.get(&resource).into_iter().flatten().filter_map(Busy::span);
        let count = all.filter(|span| span.overlaps(within)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

async fn busy(tx: &mut Tx, ask: &Ask<'_>, rooms: &[Record<Room>]) -> Result<Taken> {
    let mut resources = vec![ask.client.id.0];
    resources.extend(ask.counsellors.iter().map(|counsellor| counsellor.id.0));
    resources.extend(rooms.iter().map(|room| room.id.0));
    let mut taken: BTreeMap<Uuid, Vec<Busy>> = BTreeMap::new();
    let around = ask.around.padded(MARGIN, MARGIN);
    for busy in placement::busy(tx, &resources, around).await? {
        taken.entry(busy.resource_id).or_default().push(busy);
    }
    Ok(Taken(taken))
}

/// Buffers and separation reach beyond the interval asked for, and a session that starts inside
/// may end outside.
const MARGIN: chrono::TimeDelta = chrono::TimeDelta::hours(36);

async fn agreements(tx: &mut Tx, ask: &Ask<'_>) -> Result<Vec<Agreement>> {
    // The local day may be another than the UTC day, by one.
    let (first, last) = (days_around(ask.around).next(), days_around(ask.around).last());
    let Some((first, last)) = first.zip(last) else { return Ok(Vec::new()) };
    Ok(agreement::in_force(tx, ask.client.organisation_id, first, last, ask.lock).await?)
}

async fn site_facts(tx: &mut Tx, ask: &Ask<'_>, sites: Vec<Record<Site>>) -> Result<BTreeMap<SiteId, SiteFacts>> {
    let ids: Vec<SiteId> = sites.iter().map(|site| site.id).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let around = ask.around.padded(MARGIN, MARGIN);
    let other = ask.client.side.other();
    let presences = placement::presences(tx, &ids, other, around).await?;
    let linked = placement::linked(tx, ask.client.id, &ids, other, around).await?;
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
        if !matches!(&ask.places, Places::Venue(_) | Places::All(Some(Modality::InPerson))) {
            working.insert(None, record.working_spans(None, record.zone, ask.around));
        }
        let facts = CounsellorFacts {
            counsellor: record.content.clone(),
            busy: busy.of(record.id.0),
            leave: leave.iter().filter(|it| it.counsellor_id == record.id).map(|it| it.span).collect(),
            load: busy.count(record.id.0, ask.around),
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
    mine: (OrganisationId, crate::domain::code::Side),
) -> BTreeMap<VenueId, VenueFacts> {
    let room = |room: &Record<Room>| RoomFacts {
        id: room.id,
        busy: busy.filtered(room.id.0, |it| (it.organisation_id, it.side) == mine),
        busy_elsewhere: busy.filtered(room.id.0, |it| (it.organisation_id, it.side) != mine),
    };
    let facts = |venue: Record<Venue>| {
        let own = rooms.iter().filter(|room| room.venue_id == venue.id).map(room).collect();
        (venue.id, VenueFacts { rooms: own, venue: venue.content })
    };
    venues.into_iter().map(facts).collect()
}
