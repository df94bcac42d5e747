//! Where people could meet: the venues in question, their rooms and their sites.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::taken::{DAY, Taken, Taker};
use super::{Ask, Places};
use crate::domain::code::Modality;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Room, Site, Venue};
use crate::domain::ids::{RoomId, SiteId, VenueId};
use crate::domain::noun::Record;
use crate::domain::rules::{RoomFacts, SiteFacts, VenueFacts};
use crate::domain::time::{Span, Spans};

/// The venues in question and their sites.
pub(super) struct Ground<'a> {
    pub(super) venues: Vec<&'a Arc<Record<Venue>>>,
    pub(super) sites: BTreeMap<SiteId, &'a Arc<Record<Site>>>,
}

impl<'a> Ground<'a> {
    /// Those that are asked for.
    pub(super) fn of(ask: &Ask<'a>) -> Self {
        let (directories, organisation_id) = (ask.directories, ask.organisation_id);
        let mut venues: BTreeMap<VenueId, &Arc<Record<Venue>>> = match &ask.places {
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
        let sites: BTreeMap<SiteId, &Arc<Record<Site>>> = here.map(|site| (site.id, site)).collect();
        venues.retain(|_, venue| sites.contains_key(&venue.site_id));
        Self { venues: venues.into_values().collect(), sites }
    }

    pub(super) fn rooms<'r>(&'r self, ask: &'r Ask<'_>) -> impl Iterator<Item = RoomId> + 'r {
        self.venues.iter().flat_map(|venue| ask.directories.rooms(venue.id)).map(|room| room.id)
    }

    /// When a counsellor works, by the venues where that is ever; `None` is remote.
    pub(super) fn working(
        &self,
        ask: &Ask<'_>,
        counsellor: &Arc<Record<Counsellor>>,
    ) -> BTreeMap<Option<VenueId>, Arc<Spans>> {
        let ever = |venue_id| counsellor.working_hours.iter().any(|row| !row.off && row.is_at(venue_id));
        let zones = self.venues.iter().filter_map(|venue| Some((Some(venue.id), self.sites.get(&venue.site_id)?.zone)));
        let remote = ask.places.remote().then_some((None, counsellor.zone));
        let works = |(venue_id, zone)| (venue_id, ask.directories.working(counsellor, venue_id, zone, ask.around));
        let all = zones.chain(remote).filter(|(venue_id, _)| ever(*venue_id)).map(works);
        all.filter(|(_, spans)| !spans.joined().is_empty()).collect()
    }

    pub(super) fn site_facts(&self, ask: &Ask<'_>, taken: &Taken) -> BTreeMap<SiteId, SiteFacts> {
        let reach = ask.around.padded(DAY, DAY);
        let (first, last) = (reach.starts_at().date_naive(), reach.ends_at().date_naive());
        let facts = |site: &&Arc<Record<Site>>| {
            let zone = site.zone;
            let closed = site.holiday_calendar_id.into_iter();
            let closed = closed.flat_map(|id| ask.directories.holidays(id, first, last));
            let linked = taken.linked(site.id).flat_map(|span| span.local_days(zone));
            SiteFacts {
                closed: closed.filter_map(|day| Span::of_day(day, zone)).collect(),
                side_hours: site.side_spans(ask.side, ask.around),
                other_side: taken.other_side(site.id),
                linked: linked.filter_map(|day| Span::of_day(day, zone)).collect(),
                site: Arc::clone(site),
            }
        };
        self.sites.iter().map(|(id, site)| (*id, facts(site))).collect()
    }

    pub(super) fn venue_facts(&self, ask: &Ask<'_>, taken: &Taken) -> BTreeMap<VenueId, VenueFacts> {
        let mine = (ask.organisation_id, ask.side);
        let busy = |id: RoomId, keep: &dyn Fn(Taker) -> bool| taken.filtered(id.0, keep);
        let room = |room: &Record<Room>| RoomFacts {
            id: room.id,
            capacity: room.capacity,
            busy: busy(room.id, &|taker| taker == mine),
            busy_elsewhere: busy(room.id, &|taker| taker != mine),
        };
        let facts = |venue: &&Arc<Record<Venue>>| {
            let rooms = ask.directories.rooms(venue.id).iter().map(room).collect();
            (venue.id, VenueFacts { rooms, venue: Arc::clone(venue) })
        };
        self.venues.iter().map(facts).collect()
    }
}
