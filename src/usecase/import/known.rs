//! What the rows of an import may rely on: whatever their codes refer to, the holidays of the
//! calendar files, and the timetables of the counsellors.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use uuid::Uuid;

use super::sheet::Line;
use crate::domain::counsellor::{MOST_WORKING_HOURS, WorkingHours};
use crate::domain::ids::{ClientId, CounsellorId, GuardianId, HolidayCalendarId, Id, OrganisationId, SiteId, VenueId};
use crate::domain::text::{Code, Fault};

/// What a row can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An organisation.
    Organisation,
    /// A holiday calendar.
    HolidayCalendar,
    /// A site; another organisation's may be named.
    Site,
    /// A venue; another organisation's may be named.
    Venue,
    /// A counsellor.
    Counsellor,
    /// A client.
    Client,
    /// A guardian of the client whom the row names.
    Guardian,
}

impl Target {
    /// What would be right where nothing was found.
    pub fn says(self) -> &'static str {
        match self {
            Target::Organisation => "must be the code of an organisation, of this import or stored",
            Target::HolidayCalendar => "must be the code of a holiday calendar of the organisation",
            Target::Site => "must be the code of a site of the organisation, or ORGANISATION/CODE of another's",
            Target::Venue => "must be the code of a venue of the organisation, or ORGANISATION/CODE of another's",
            Target::Counsellor => "must be the code of a counsellor of the organisation",
            Target::Client => "must be the file number of a client of the organisation",
            Target::Guardian => "must be the code of a guardian of the client",
        }
    }
}

/// An id that a cell gives by code.
pub trait Referred: Id {
    /// What it is the id of.
    const TARGET: Target;
}

macro_rules! referred {
    ($($id:ty => $target:ident),*) => {$(
        impl Referred for $id {
            const TARGET: Target = Target::$target;
        }
    )*};
}
referred!(OrganisationId => Organisation, HolidayCalendarId => HolidayCalendar, SiteId => Site, VenueId => Venue,
    CounsellorId => Counsellor, ClientId => Client, GuardianId => Guardian);

/// What a cell refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What kind of thing.
    pub target: Target,
    /// Whose; an organisation is its own.
    pub organisation: Code,
    /// Of which client, by file number; guardians only.
    pub client: Option<Code>,
    /// Its code.
    pub code: Code,
}

impl Reference {
    /// An organisation.
    pub fn organisation(code: Code) -> Self {
        Self { target: Target::Organisation, organisation: code.clone(), client: None, code }
    }

    /// The same of a client.
    #[must_use]
    pub fn of(self, client: Code) -> Self {
        Self { client: Some(client), ..self }
    }

    /// What it belongs to and is known within: nothing for an organisation.
    pub fn owner(&self) -> Option<Self> {
        let organisation = self.organisation.clone();
        match (self.target, &self.client) {
            (Target::Organisation, _) => None,
            (_, Some(client)) => {
                Some(Self { target: Target::Client, organisation, client: None, code: client.clone() })
            }
            (_, None) => Some(Self::organisation(organisation)),
        }
    }

    /// Reads a cell in a row of an organisation. Nothing when only the organisation is unreadable,
    /// which is said elsewhere.
    pub fn read(target: Target, organisation: &str, raw: &str) -> Result<Option<Self>, Fault> {
        let (organisation, code) = match (target, raw.split_once('/')) {
            (Target::Organisation, _) => return Code::parse(raw).map(Self::organisation).map(Some),
            (Target::Site | Target::Venue, Some((organisation, code))) => {
                (Code::parse(organisation)?, Code::parse(code)?)
            }
            _ => {
                let code = Code::parse(raw)?;
                let Ok(organisation) = Code::parse(organisation) else { return Ok(None) };
                (organisation, code)
            }
        };
        Ok(Some(Self { target, organisation, client: None, code }))
    }
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A stored row, perhaps of this import.
    Id(Uuid),
    /// A row of this import that is wrong, which is said there.
    Broken,
    /// Nothing.
    Missing,
}

/// What the file of hours says about one counsellor.
#[derive(Debug)]
pub struct Timetable {
    /// The counsellor.
    pub counsellor: Reference,
    /// Every row about the counsellor, also those that are wrong.
    pub lines: Vec<Line>,
    /// The hours, each with its line.
    pub hours: Vec<(WorkingHours, Line)>,
}

impl Timetable {
    /// A timetable without hours.
    pub fn new(counsellor: Reference) -> Self {
        Self { counsellor, lines: Vec::new(), hours: Vec::new() }
    }

    /// Adds the hours of a row, but none twice; says whether there is room for them.
    pub fn add(&mut self, line: &Line, hours: Vec<WorkingHours>) -> bool {
        self.lines.push(line.clone());
        for hours in hours {
            if self.hours.iter().any(|(known, _)| *known == hours) {
                continue;
            }
            if self.hours.len() == MOST_WORKING_HOURS {
                return false;
            }
            self.hours.push((hours, line.clone()));
        }
        true
    }
}

/// What the rows of an import may rely on.
#[derive(Debug, Default)]
pub struct Known {
    found: HashMap<Reference, Found>,
    unreadable: HashSet<Target>,
    /// Holidays by calendar file; none when the file is wrong.
    pub holidays: BTreeMap<String, Option<BTreeMap<NaiveDate, String>>>,
    /// Timetables by organisation and code of the counsellor.
    pub timetables: HashMap<(OrganisationId, Code), Timetable>,
    /// Zones of counsellors.
    pub zones: HashMap<CounsellorId, Tz>,
}

impl Known {
    /// Where a reference leads; none when nobody looked yet.
    pub fn get(&self, reference: &Reference) -> Option<Found> {
        self.found.get(reference).copied()
    }

    /// Notes where a reference leads. What is missing may stand in a file that cannot be read.
    pub fn set(&mut self, reference: Reference, found: Found) {
        let unreadable = found == Found::Missing && self.unreadable.contains(&reference.target);
        self.found.insert(reference, if unreadable { Found::Broken } else { found });
    }

    /// Notes that the file of a kind cannot be read.
    pub fn unreadable(&mut self, target: Target) {
        self.unreadable.insert(target);
    }

    /// The id of a reference; `Err` with what would be right, or with nothing when something else
    /// is wrong, which is said elsewhere.
    pub fn id<I: Referred>(&self, reference: &Reference, own: bool) -> Result<I, Option<&'static str>> {
        match self.get(reference) {
            Some(Found::Id(id)) => Ok(I::from_uuid(id)),
            Some(Found::Broken) => Err(None),
            Some(Found::Missing) | None if own && !self.has_owner(reference) => Err(None),
            Some(Found::Missing) | None => Err(Some(I::TARGET.says())),
        }
    }

    /// The working hours that the file gives a counsellor, if it says anything about the counsellor.
    pub fn working_hours(&self, organisation_id: OrganisationId, code: &Code) -> Option<Vec<WorkingHours>> {
        let timetable = self.timetables.get(&(organisation_id, code.clone()))?;
        Some(timetable.hours.iter().map(|(hours, _)| hours.clone()).collect())
    }

    /// The counsellor of a timetable and its lines, if the import has no row about the counsellor.
    pub fn stored(&self, timetable: &Timetable) -> Option<(Reference, Vec<Line>)> {
        let unmet = self.get(&timetable.counsellor).is_none();
        unmet.then(|| (timetable.counsellor.clone(), timetable.lines.clone()))
    }

    fn has_owner(&self, of: &Reference) -> bool {
        of.owner().is_none_or(|owner| matches!(self.get(&owner), Some(Found::Id(_))))
    }
}
