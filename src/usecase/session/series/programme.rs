//! Books the sessions of a programme, poured into weekly slots.

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::Placed;
use super::book::{Booking, replay, scene};
use crate::domain::ids::{CounsellorId, Id, ProgrammeId, SeriesId};
use crate::domain::noun::{Noun, Record};
use crate::domain::party::Party;
use crate::domain::place::WantedPlace;
use crate::domain::programme::{Form, Programme};
use crate::domain::series::{Asked, Common, Course, Fit, OnClosure};
use crate::domain::session::Override;
use crate::domain::time::{Day, DayTime};
use crate::store::noun::Stored;
use crate::store::{Lock, programme};
use crate::usecase::error::{Error, Result};
use crate::usecase::session::book::touch;
use crate::usecase::session::hold;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Books the sessions of a programme: those for one client or those for groups, as the party is.
#[derive(Clone, Debug)]
pub struct ScheduleProgramme {
    /// Which.
    pub programme_id: ProgrammeId,
    /// Its version; the newest when none.
    pub version: Option<i64>,
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// With whom.
    pub party: Party,
    /// Where.
    pub place: WantedPlace,
    /// Not before this local day.
    pub first_on: NaiveDate,
    /// Into these slots.
    pub week: Vec<(Day, DayTime)>,
    /// Whether a part may stand alone.
    pub fit: Fit,
    /// What becomes of a session on a day on which nobody can meet.
    pub on_closure: OnClosure,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

impl Mutation for ScheduleProgramme {
    type Answer = Placed;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Placed> {
        touch(work, &self.party);
        work.touched(self.programme_id.uuid());
        let (newest, programme) = self.programme(work).await?;
        if newest.retired {
            return Err(Error::Precondition {
                reason: "PROGRAMME_RETIRED",
                says: "no new series is planned by a programme that is retired",
                subjects: vec![newest.id.uuid()],
            });
        }
        let common = self.common(&programme);
        let scene = scene(work, &common, TimeDelta::hours(1)).await?;
        if scene.organisation_id != programme.organisation_id {
            return Err(Error::NotFound(Programme::WORD));
        }
        let form = if self.party.is_group() { Form::Group } else { Form::Individual };
        if !programme.modules.iter().any(|module| module.form == form) {
            return Err(Error::field(
                "programme_id",
                "must be a programme with sessions for a group, or for one client",
            ));
        }
        let asked = Asked::Programme {
            programme_id: programme.id,
            version: programme.version,
            first_on: self.first_on,
            week: self.week.clone(),
        };
        let course = Course::Programme(Box::new(programme.content), form, self.first_on, self.week.clone());
        let booking = Booking::new(work, &common, scene, self.fit, self.on_closure);
        booking.book(work, &course, asked).await
    }

    fn result_id(&self, answer: &Placed) -> Uuid {
        answer.view.series.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Placed> {
        let (_, programme) = self.programme(work).await?;
        replay(work, &self.common(&programme), SeriesId(result_id)).await
    }
}

impl ScheduleProgramme {
    /// The programme as it is, and as it was in the version that is asked for.
    async fn programme(&self, work: &mut Work<'_>) -> Result<(Record<Programme>, Record<Programme>)> {
        let not_found = || Error::NotFound(Programme::WORD);
        let newest = Programme::find(&mut work.tx, self.programme_id, Lock::Share).await?.ok_or_else(not_found)?;
        work.call.manages(Some(newest.organisation_id), Programme::WORD)?;
        let Some(version) = self.version else { return Ok((newest.clone(), newest)) };
        let then = programme::in_version(&mut work.tx, &newest, version).await?;
        Ok((newest, then.ok_or(Error::NotFound("version of the programme"))?))
    }

    fn common(&self, programme: &Programme) -> Common {
        Common {
            counsellor_id: self.counsellor_id,
            party: self.party.clone(),
            service: programme.service,
            place: self.place,
            overrides: self.overrides.clone(),
        }
    }
}
