//! Sessions that are booked for milestones.

use chrono::{Days, NaiveDate};

use super::milestone::WORD;
use super::plan::refused;
use crate::domain::followup::milestone::{Milestone, Standing};
use crate::domain::ids::{ClientId, Id, MilestoneId};
use crate::domain::session::Wanted;
use crate::domain::time::{DayTime, Span, resolve};
use crate::store::{Tx, milestone};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, Result};
use crate::usecase::session::DEFAULT_WINDOW;
use crate::usecase::work::Work;
use crate::usecase::world::World;

/// Whose milestone it is, and when a session for it can take place: inside its window, from now on; after its window
/// from now on, because late is better than never.
pub(in crate::usecase) async fn bookable(world: &World, call: &Call, id: MilestoneId) -> Result<(ClientId, Span)> {
    let now = world.now();
    let mut tx = world.db().begin_read().await?;
    let (client_id, it) = awaited(&mut tx, call, id).await?;
    let starts = |on: NaiveDate| resolve(DayTime::MIDNIGHT.on(on), it.setting.zone);
    let days = it.days.opens_on.zip(it.days.closes_on).filter(|(opens_on, _)| it.has_opened(*opens_on));
    let ends_on = |closes_on: NaiveDate| closes_on.checked_add_days(Days::new(1));
    let window = days.and_then(|(opens_on, closes_on)| Some((starts(opens_on), starts(ends_on(closes_on)?))));
    let says = "the days of the milestone are not known yet";
    let (opens_at, closes_at) = window.ok_or_else(|| refused("MILESTONE_NOT_OPEN", says, &[id.uuid()]))?;
    let span = Span::new(opens_at.max(now), closes_at).or_else(|| Span::lasting(now, DEFAULT_WINDOW));
    Ok((client_id, span.ok_or(Error::NotFound(WORD))?))
}

/// Refuses to book for a milestone that is not the client's, or at which nothing is awaited.
pub(in crate::usecase) async fn check_booked_for(work: &mut Work<'_>, wanted: &Wanted) -> Result<()> {
    let Some(id) = wanted.milestone_id else { return Ok(()) };
    work.touched(id.uuid());
    let (client_id, _) = awaited(&mut work.tx, work.call, id).await?;
    match wanted.party.client() {
        Some(client) if client.client_id == client_id => Ok(()),
        _ => Err(Error::field("milestone_id", "must be a milestone of the client")),
    }
}

/// A survivor's milestone of the caller's organisation at which something is awaited.
async fn awaited(tx: &mut Tx, call: &Call, id: MilestoneId) -> Result<(ClientId, Milestone)> {
    let it = milestone::find(tx, id).await?.ok_or(Error::NotFound(WORD))?;
    call.manages(Some(it.organisation_id), WORD)?;
    let Some((client_id, _)) = it.setting.client else {
        return Err(Error::field("milestone_id", "must be a milestone of a survivor"));
    };
    let (reason, says) = match it.standing {
        _ if it.setting.closed_at.is_some() => ("PLAN_CLOSED", "the follow-up plan is closed"),
        Standing::Awaited => return Ok((client_id, it)),
        Standing::OnHold => ("MILESTONE_ON_HOLD", "the milestone is on hold; take it up again first"),
        _ => ("MILESTONE_DONE", "nothing is awaited at the milestone"),
    };
    Err(refused(reason, says, &[id.uuid()]))
}
