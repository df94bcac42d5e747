//! The directory of an organisation: what the rules look at that does not change with sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::worked::Worked;
use crate::domain::agreement::Agreement;
use crate::domain::code::Side;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Organisation, Room, Site, Venue};
use crate::domain::ids::{CounsellorId, HolidayCalendarId, OrganisationId, SiteId, VenueId};
use crate::domain::noun::{Noun, Record};
use crate::domain::time::{Span, Spans};
use crate::store::directory_version::Version;
use crate::store::noun::Stored;
use crate::store::{Lock, Tx, agreement, counsellor, directory, holiday};
use crate::usecase::error::{Error, Result};

/// What belongs to one organisation, as it was at one version. Nobody is named in it.
#[derive(Debug, PartialEq)]
pub struct Directory {
    version: Version,
    organisation: Record<Organisation>,
    /// Those that are active.
    agreements: Vec<Agreement>,
    sites: BTreeMap<SiteId, Arc<Record<Site>>>,
    venues: BTreeMap<VenueId, Arc<Record<Venue>>>,
    /// In code order.
    rooms: BTreeMap<VenueId, Vec<Record<Room>>>,
    counsellors: BTreeMap<CounsellorId, Arc<Record<Counsellor>>>,
    leave: BTreeMap<CounsellorId, Vec<Span>>,
    holidays: BTreeMap<HolidayCalendarId, BTreeSet<NaiveDate>>,
    beside: BTreeSet<OrganisationId>,
    worked: Worked,
}

impl Directory {
    /// Reads the directory of an organisation, if there is one. Each table that is read here has triggers that draw the
    /// version anew.
    pub(super) async fn load(tx: &mut Tx, id: OrganisationId, version: Version) -> Result<Option<Self>> {
        let Some(organisation) = Organisation::find(tx, id, Lock::None).await? else { return Ok(None) };
        let agreements = agreement::active_of(tx, id).await?;
        let sites = directory::sites_of(tx, id).await?;
        let venues = by_id(directory::venues(tx, id, &[]).await?);
        let mut rooms: BTreeMap<VenueId, Vec<Record<Room>>> = BTreeMap::new();
        for room in directory::rooms_of(tx, id).await? {
            rooms.entry(room.venue_id).or_default().push(room);
        }
        let counsellors = by_id(counsellor::unnamed_of(tx, id).await?);
        let mut leave: BTreeMap<CounsellorId, Vec<Span>> = BTreeMap::new();
        for one in counsellor::leave_of(tx, id).await? {
            leave.entry(one.counsellor_id).or_default().push(one.span);
        }
        let mut holidays: BTreeMap<HolidayCalendarId, BTreeSet<NaiveDate>> = BTreeMap::new();
        for (calendar_id, day) in holiday::days_of_organisation(tx, id).await? {
            holidays.entry(calendar_id).or_default().insert(day);
        }
        let named = counsellors.values().flat_map(|it| &it.working_hours).filter_map(|hours| hours.venue_id);
        let others: BTreeSet<VenueId> = named.filter(|id| !venues.contains_key(id)).collect();
        let mut beside = directory::owners_of(tx, id, &others.into_iter().collect::<Vec<_>>()).await?;
        beside.remove(&id);
        let sites = by_id(sites);
        let worked = Worked::default();
        Ok(Some(Self {
            version,
            organisation,
            agreements,
            sites,
            venues,
            rooms,
            counsellors,
            leave,
            holidays,
            beside,
            worked,
        }))
    }

    /// Whose it is.
    pub fn id(&self) -> OrganisationId {
        self.organisation.id
    }

    /// As of when it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The other organisations whose venues its counsellors work at, and on whose sites it has venues.
    pub fn beside(&self) -> &BTreeSet<OrganisationId> {
        &self.beside
    }

    /// How many rows it was made of.
    pub fn rows(&self) -> usize {
        let lists = self.rooms.values().map(Vec::len).chain(self.leave.values().map(Vec::len));
        let lists: usize = lists.chain(self.holidays.values().map(BTreeSet::len)).sum();
        1 + self.agreements.len() + self.sites.len() + self.venues.len() + self.counsellors.len() + lists
    }
}

#[cfg(test)]
impl Directory {
    /// One of an organisation that has nothing but so many holidays.
    pub(super) fn with_holidays(id: OrganisationId, holidays: u32) -> Self {
        use crate::domain::directory::OrganisationKind;
        use crate::domain::text::Code;
        let code = || Code::parse("A").expect("a code");
        let organisation = Organisation {
            code: code(),
            name: "Example Trust".into(),
            kind: OrganisationKind::Ngo,
            district: code(),
            notice_for: Default::default(),
            horizon_for: Default::default(),
        };
        let days = NaiveDate::MIN.iter_days().take(holidays as usize).collect();
        Self {
            version: Version::default(),
            organisation: Record::new(id, Default::default(), organisation),
            agreements: Vec::new(),
            sites: BTreeMap::new(),
            venues: BTreeMap::new(),
            rooms: BTreeMap::new(),
            counsellors: BTreeMap::new(),
            leave: BTreeMap::new(),
            holidays: BTreeMap::from([(HolidayCalendarId(id.0), days)]),
            beside: BTreeSet::new(),
            worked: Worked::default(),
        }
    }
}

fn by_id<N: Noun>(records: Vec<Record<N>>) -> BTreeMap<N::Id, Arc<Record<N>>> {
    records.into_iter().map(|it| (it.id, Arc::new(it))).collect()
}

/// The directories of an organisation and of those whose places it uses, all as of one instant.
#[derive(Clone, Debug)]
pub struct Directories(BTreeMap<OrganisationId, Arc<Directory>>);

impl FromIterator<Arc<Directory>> for Directories {
    fn from_iter<T: IntoIterator<Item = Arc<Directory>>>(all: T) -> Self {
        Self(all.into_iter().map(|it| (it.id(), it)).collect())
    }
}

impl Directories {
    fn get(&self, id: OrganisationId) -> Option<&Directory> {
        self.0.get(&id).map(Arc::as_ref)
    }

    /// An organisation.
    pub fn organisation(&self, id: OrganisationId) -> Result<&Record<Organisation>> {
        let found = self.get(id).map(|it| &it.organisation);
        found.ok_or(Error::NotFound(Organisation::WORD))
    }

    /// The agreements of an organisation that are active, by id.
    pub fn agreements(&self, id: OrganisationId) -> impl Iterator<Item = &Agreement> {
        self.get(id).into_iter().flat_map(|it| &it.agreements)
    }

    /// The venues of an organisation.
    pub fn venues(&self, id: OrganisationId) -> impl Iterator<Item = &Arc<Record<Venue>>> {
        self.get(id).into_iter().flat_map(|it| it.venues.values())
    }

    fn counsellors(&self, id: OrganisationId) -> impl Iterator<Item = &Arc<Record<Counsellor>>> {
        self.get(id).into_iter().flat_map(|it| it.counsellors.values())
    }

    /// Those who still see clients of a side, by id; one of them, when named.
    pub fn active(&self, of: OrganisationId, side: Side, only: Option<CounsellorId>) -> Vec<&Arc<Record<Counsellor>>> {
        let all = self.counsellors(of).filter(|it| it.side == side && !it.inactive);
        all.filter(|it| only.is_none_or(|id| id == it.id)).collect()
    }

    /// A counsellor, without the name.
    pub fn counsellor(&self, id: CounsellorId) -> Option<&Arc<Record<Counsellor>>> {
        self.0.values().find_map(|it| it.counsellors.get(&id))
    }

    /// When a counsellor works somewhere on the days of an interval.
    pub fn working(
        &self,
        counsellor: &Arc<Record<Counsellor>>,
        venue_id: Option<VenueId>,
        zone: Tz,
        around: Span,
    ) -> Arc<Spans> {
        let own = self.get(counsellor.organisation_id);
        // What is remembered is of this very record.
        match own.filter(|it| it.counsellors.get(&counsellor.id).is_some_and(|own| Arc::ptr_eq(own, counsellor))) {
            Some(it) => it.worked.of(counsellor, venue_id, zone, around),
            None => Arc::new(counsellor.working_spans(venue_id, zone, around)),
        }
    }

    /// When a counsellor is away.
    pub fn leave(&self, id: CounsellorId) -> &[Span] {
        self.0.values().find_map(|it| it.leave.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// A venue.
    pub fn venue(&self, id: VenueId) -> Option<&Arc<Record<Venue>>> {
        self.0.values().find_map(|it| it.venues.get(&id))
    }

    /// The rooms of a venue, in code order.
    pub fn rooms(&self, id: VenueId) -> &[Record<Room>] {
        self.0.values().find_map(|it| it.rooms.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// A site.
    pub fn site(&self, id: SiteId) -> Option<&Arc<Record<Site>>> {
        self.0.values().find_map(|it| it.sites.get(&id))
    }

    /// The days of a calendar between two, both included.
    pub fn holidays(
        &self,
        id: HolidayCalendarId,
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl Iterator<Item = NaiveDate> {
        let days = self.0.values().find_map(|it| it.holidays.get(&id)).filter(|_| first <= last);
        days.into_iter().flat_map(move |days| days.range(first..=last)).copied()
    }
}
