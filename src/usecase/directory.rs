//! What may be put into the directory, beyond what each field says for itself.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::call::Call;
use super::error::{Error, Result};
use super::noun::{Managed, find_own, frozen, get};
use super::orphan;
use super::session;
use super::treatment;
use super::work::{Mutation, Work};
use super::world::World;
use crate::domain::agreement::Agreement;
use crate::domain::counsellor::{Counsellor, Leave};
use crate::domain::directory::{HolidayCalendar, LONGEST_SEPARATION_GAP, Organisation, Room, Site, Venue};
use crate::domain::ids::{HolidayCalendarId, Id, LeaveId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::working_days::WorkingDays;
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::session::Of;
use crate::store::{Lock, counsellor, holiday, placement};

impl Managed for Organisation {}

impl Managed for Agreement {
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        check_organisation(work, it.organisation_id, before.map(|it| it.organisation_id), "agreement").await
    }

    fn concerns(after: &Record<Self>, before: Option<&Record<Self>>) -> Vec<Of> {
        let rests = before.is_none_or(|before| before.content != after.content);
        if rests { vec![Of::Organisation(after.organisation_id)] } else { Vec::new() }
    }
}

impl Managed for HolidayCalendar {
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        check_organisation(work, it.organisation_id, before.map(|it| it.organisation_id), "holiday_calendar").await?;
        let Some(before) = before else { return Ok(()) };
        // Bookings read the days under a share lock of the site.
        for site_id in holiday::sites_of(&mut work.tx, before.id).await? {
            Site::find(&mut work.tx, site_id, Lock::Update).await?;
        }
        Ok(())
    }

    async fn follow(work: &mut Work<'_>, after: &Record<Self>, before: Option<&Record<Self>>) -> Result<()> {
        let Some(before) = before.filter(|before| before.holidays != after.holidays) else { return Ok(()) };
        let sites = holiday::sites_of(&mut work.tx, after.id).await?;
        orphan::reassess(work, &sites.into_iter().map(Of::Site).collect::<Vec<_>>()).await?;
        let days_before = WorkingDays::new(before.holidays.keys().copied());
        treatment::calendar_changed(work, after.id, &days_before).await
    }
}

/// Which version of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that holds now.
    Present,
    /// The one of an etag.
    Number(i64),
    /// The one that held at an instant.
    At(DateTime<Utc>),
}

/// Reads a holiday calendar as it is, or with the days that it had in another version.
pub async fn get_holiday_calendar(
    world: &World,
    call: &Call,
    id: HolidayCalendarId,
    version: Version,
) -> Result<Record<HolidayCalendar>> {
    let present = get::<HolidayCalendar>(world, call, id).await?;
    let mut tx = world.db().begin_read().await?;
    let number = match version {
        Version::Present => return Ok(present),
        Version::Number(number) => Some(number),
        Version::At(at) => holiday::version_at(&mut tx, id, at).await?,
    };
    let missing = || Error::NotFound("version of the holiday calendar");
    let number = number.ok_or_else(missing)?;
    let updated_at = holiday::written_at(&mut tx, id, number).await?.ok_or_else(missing)?;
    let holidays = holiday::days_in(&mut tx, id, number).await?;
    let content = HolidayCalendar { holidays, ..present.content };
    Ok(Record { version: number, updated_at, content, ..present })
}

impl Managed for Site {
    /// Another separation gap finds only what stands.
    async fn before(world: &World) -> Result<()> {
        session::forget_expired(world).await
    }

    /// The zone never changes: the local days of past and future sessions are kept by it.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        check_organisation(work, it.organisation_id, before.map(|it| it.organisation_id), "site").await?;
        frozen(before.is_none_or(|before| before.zone == it.zone), "site.zone")?;
        let Some(id) = it.holiday_calendar_id else { return Ok(()) };
        // Whoever changes a calendar looks for the sites that name it, and would not find this one yet.
        let new = before.is_none_or(|before| before.holiday_calendar_id != Some(id));
        let lock = if new { Lock::Share } else { Lock::None };
        match HolidayCalendar::find(&mut work.tx, id, lock).await? {
            Some(calendar) if calendar.organisation_id == it.organisation_id => Ok(()),
            _ => Err(Error::field("site.holiday_calendar_id", "must be a calendar of the same organisation")),
        }
    }

    /// Another separation gap holds for what is booked already, or is refused.
    async fn follow(work: &mut Work<'_>, after: &Record<Self>, before: Option<&Record<Self>>) -> Result<()> {
        if before.is_none_or(|before| before.separation_gap_for == after.separation_gap_for) {
            return Ok(());
        }
        // Whoever left within the longest gap may still be too close to whoever comes.
        let since = Instant(work.now - LONGEST_SEPARATION_GAP);
        let too_close =
            placement::repad(&mut work.tx, after.id, since, Instant(work.now), after.separation_gap_for).await?;
        if too_close.is_empty() {
            return Ok(());
        }
        Err(Error::Precondition {
            reason: "SEPARATION_GAP_IN_USE",
            says: "sessions that are booked already would be closer than the new separation gap",
            subjects: too_close.into_iter().map(Id::uuid).collect(),
        })
    }

    fn concerns(after: &Record<Self>, before: Option<&Record<Self>>) -> Vec<Of> {
        let rests = |site: &Site| (site.timetable.clone(), site.holiday_calendar_id, site.district.clone());
        let same = before.is_none_or(|before| rests(before) == rests(after));
        if same { Vec::new() } else { vec![Of::Site(after.id)] }
    }
}

impl Managed for Venue {
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        check_organisation(work, it.organisation_id, before.map(|it| it.organisation_id), "venue").await?;
        frozen(before.is_none_or(|before| before.site_id == it.site_id), "venue.site_id")?;
        let site = Site::find(&mut work.tx, it.site_id, Lock::None).await?;
        match (site, work.call.sees()?) {
            (Some(_), None) => Ok(()),
            (Some(site), Some(own)) if Site::visible(&mut work.tx, &site, own).await? => Ok(()),
            _ => Err(Error::field("venue.site_id", "must be a site of the organisation")),
        }
    }

    /// Others lose a venue that is shared no more.
    fn concerns(after: &Record<Self>, before: Option<&Record<Self>>) -> Vec<Of> {
        let same = before.is_none_or(|before| before.shared == after.shared);
        if same { Vec::new() } else { vec![Of::Venue(after.id)] }
    }
}

impl Managed for Room {
    async fn check(_work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        frozen(before.is_none_or(|before| before.venue_id == it.venue_id), "room.venue_id")
    }
}

impl Managed for Counsellor {
    /// Those who work here can be found and threatened, too.
    const DISCLOSES: bool = true;

    /// The side never changes: what was booked before was booked for it.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        check_organisation(work, it.organisation_id, before.map(|it| it.organisation_id), "counsellor").await?;
        frozen(before.is_none_or(|before| before.side == it.side), "counsellor.side")?;
        let mut known = Vec::new();
        for (place, hours) in it.working_hours.iter().enumerate() {
            let Some(venue_id) = hours.venue_id.filter(|id| !known.contains(id)) else { continue };
            let venue = Venue::find(&mut work.tx, venue_id, Lock::None).await?;
            match venue {
                Some(venue) if Venue::visible(&mut work.tx, &venue, it.organisation_id).await? => known.push(venue_id),
                _ => {
                    let field = format!("counsellor.working_hours[{place}].venue_id");
                    return Err(Error::field(field, "must be a venue of the organisation, or a shared one"));
                }
            }
        }
        claim_registration(work, it).await
    }

    /// A registration that was exchanged for another is free again, unless its counsellor has seen anybody:
    /// who has is of that side for good.
    async fn follow(work: &mut Work<'_>, after: &Record<Self>, before: Option<&Record<Self>>) -> Result<()> {
        match before.and_then(|before| before.registration.as_ref()) {
            Some(old) if after.registration.as_ref() != Some(old) => {
                Ok(counsellor::release_registration(&mut work.tx, old, after.id).await?)
            }
            _ => Ok(()),
        }
    }

    fn concerns(after: &Record<Self>, before: Option<&Record<Self>>) -> Vec<Of> {
        let unnamed =
            |it: &Counsellor| Counsellor { name: Personal::default(), code: after.code.clone(), ..it.clone() };
        let same = before.is_none_or(|before| unnamed(before) == unnamed(after));
        if same { Vec::new() } else { vec![Of::Counsellor(after.id)] }
    }
}

/// One person works on one side only, at whichever organisation.
async fn claim_registration(work: &mut Work<'_>, it: &Counsellor) -> Result<()> {
    let Some(registration) = &it.registration else { return Ok(()) };
    if counsellor::claim_registration(&mut work.tx, registration, it.side).await? == it.side {
        return Ok(());
    }
    Err(Error::Precondition {
        reason: "REGISTERED_ON_THE_OTHER_SIDE",
        says: "the registration belongs to a counsellor of the other side, and nobody works on both",
        subjects: Vec::new(),
    })
}

impl Managed for Leave {
    /// Nobody places a session of the counsellor while leave is recorded.
    async fn check(work: &mut Work<'_>, it: &Self, _before: Option<&Record<Self>>) -> Result<()> {
        super::noun::find::<Counsellor>(work, it.counsellor_id, Lock::Update).await.map(drop)
    }

    fn concerns(after: &Record<Self>, _before: Option<&Record<Self>>) -> Vec<Of> {
        vec![Of::Counsellor(after.counsellor_id)]
    }
}

/// Deletes a leave.
pub struct DeleteLeave {
    /// Which.
    pub id: LeaveId,
    /// The version last read.
    pub version: i64,
}

impl Mutation for DeleteLeave {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let leave = find_own::<Leave>(work, self.id, Some(self.version)).await?;
        super::noun::find::<Counsellor>(work, leave.counsellor_id, Lock::Update).await?;
        counsellor::delete_leave(&mut work.tx, self.id).await?;
        orphan::reassess(work, &[Of::Counsellor(leave.counsellor_id)]).await
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}

/// The organisation of a new thing exists, and that of an old one never changes.
pub(super) async fn check_organisation(
    work: &mut Work<'_>,
    id: OrganisationId,
    before: Option<OrganisationId>,
    noun: &str,
) -> Result<()> {
    let field = format!("{noun}.organisation_id");
    if let Some(before) = before {
        return frozen(before == id, &field);
    }
    match Organisation::find(&mut work.tx, id, Lock::None).await? {
        Some(_) => Ok(()),
        None => Err(Error::field(field, "must be an organisation")),
    }
}
