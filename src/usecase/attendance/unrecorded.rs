//! Sessions that have ended and of which nobody has recorded who attended. That is unknown, and never an absence.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::domain::directory::Site;
use crate::domain::ids::{ClientId, CounsellorId, HolidayCalendarId, SiteId};
use crate::domain::session::Session;
use crate::domain::time::local_day;
use crate::domain::working_days::WorkingDays;
use crate::store::noun::Stored;
use crate::store::unrecorded::{self, Listing};
use crate::store::{Lock, Tx, holiday};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// Within how many working days attendance is to be recorded (booking rules, "Attendance").
const WORKING_DAYS: u32 = 2;
/// How far ahead holidays are looked up: more than any two working days lie apart.
const AHEAD: Days = Days::new(60);

/// Which of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// That this counsellor leads; counsellors see only their own.
    pub counsellor_id: Option<CounsellorId>,
}

/// A session of which something is still to be recorded.
#[derive(Clone, Debug)]
pub struct Unrecorded {
    /// The session.
    pub session: Session,
    /// Whose attendance is not recorded.
    pub clients: Vec<ClientId>,
    /// The local day by the end of which it was to be recorded.
    pub due_on: NaiveDate,
    /// Whether that day is over.
    pub escalated: bool,
}

/// A page of the sessions that have ended without an outcome for everybody, oldest first.
pub async fn list_unrecorded(
    world: &World,
    call: &Call,
    filter: Filter,
    page: &Page,
) -> Result<(Vec<Unrecorded>, String)> {
    let own = call.caller().authority.counsellor_id();
    if own.is_some() && filter.counsellor_id.is_some() && filter.counsellor_id != own {
        return Ok((Vec::new(), String::new()));
    }
    let now = world.now();
    let listing = Listing {
        organisation_id: call.sees()?.ok_or(Error::Denied)?,
        counsellor_id: own.or(filter.counsellor_id),
        ended_by: now,
        after: page.after(world, call)?,
        most: i64::try_from(page.most()).unwrap_or(i64::MAX),
    };
    let mut tx = world.db().begin_read().await?;
    let rows = unrecorded::list(&mut tx, &listing).await?;
    let (rows, next) = page.cut(world, call, rows, |it| (it.span.ends_at(), it.id));
    let days = worked_around(&mut tx, &rows).await?;
    Ok((rows.into_iter().map(|session| due(session, &days, now)).collect(), next))
}

/// The working days of the sites of sessions.
async fn worked_around(tx: &mut Tx, sessions: &[Session]) -> Result<BTreeMap<SiteId, WorkingDays>> {
    let mut calendars: BTreeMap<SiteId, HolidayCalendarId> = BTreeMap::new();
    for site_id in sessions.iter().filter_map(|it| it.place.site_id()) {
        if calendars.contains_key(&site_id) {
            continue;
        }
        let site = Site::find(tx, site_id, Lock::None).await?;
        calendars.extend(site.and_then(|site| site.holiday_calendar_id).map(|id| (site_id, id)));
    }
    let ended = sessions.iter().map(ended_on);
    let (Some(first), Some(last)) = (ended.clone().min(), ended.max()) else { return Ok(BTreeMap::new()) };
    let mut ids: Vec<HolidayCalendarId> = calendars.values().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let last = last.checked_add_days(AHEAD).unwrap_or(last);
    let days = if ids.is_empty() { Vec::new() } else { holiday::days_of(tx, &ids, first, last).await? };
    let of = |calendar| days.iter().filter(move |(id, _)| *id == calendar).map(|(_, day)| *day);
    Ok(calendars.into_iter().map(|(site_id, calendar)| (site_id, WorkingDays::new(of(calendar)))).collect())
}

/// The local day on which it ended.
fn ended_on(session: &Session) -> NaiveDate {
    local_day(session.span.ends_at(), session.zone)
}

fn due(session: Session, days: &BTreeMap<SiteId, WorkingDays>, now: DateTime<Utc>) -> Unrecorded {
    let every_week = WorkingDays::default();
    let days = session.place.site_id().and_then(|id| days.get(&id)).unwrap_or(&every_week);
    let due_on = days.plus(ended_on(&session), WORKING_DAYS);
    let open = session.participants.iter().filter(|it| it.attendance_id.is_none());
    let clients = open.map(|it| it.attendee.client_id).collect();
    Unrecorded { clients, due_on, escalated: local_day(now, session.zone) > due_on, session }
}
