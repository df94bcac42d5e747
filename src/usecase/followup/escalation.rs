//! Escalations: raised in the transaction of their cause, acknowledged and resolved by people.
//!
//! Whom one names is a matter of the hour: when its time runs out unacknowledged it names the clinical lead from that
//! instant, whether or not any job runs; the job leaves that in the audit trail.

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::escalation::rule::{Deadline, LEVELS};
use crate::domain::escalation::{Action, Alarm, Cause, Escalation, Level, Named, Resolved};
use crate::domain::ids::{ClientId, CounsellorId, EscalationId, Id, OrganisationId};
use crate::domain::personal::Personal;
use crate::domain::time::local_day;
use crate::domain::working_days::WorkingDays;
use crate::store::codec::Instant;
use crate::store::{self, Lock, client, escalation, holiday};
use crate::usecase::error::{Error, Result};
use crate::usecase::job::Job;
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work};

/// The word for it in sentences.
pub const WORD: &str = "escalation";

/// How far ahead holidays are looked up; no calendar is closed for longer.
const AHEAD: Days = Days::new(366);

/// What an escalation is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The client.
    pub client_id: ClientId,
    /// The counsellor it names.
    pub counsellor_id: CounsellorId,
    /// The zone of its working time.
    pub zone: Tz,
}

/// Raises an escalation, unless this cause has raised it already. A person is called upon once its time has passed
/// unacknowledged, by a job of the same transaction.
pub(super) async fn raise(work: &mut Work<'_>, about: About, alarm: Alarm, cause: Cause) -> Result<Option<Escalation>> {
    let outline = client::outline(&mut work.tx, about.client_id, Lock::None).await?;
    let reference = outline.ok_or(Error::NotFound("client"))?.reference;
    let it = Escalation {
        id: work.world.id(),
        version: 1,
        organisation_id: about.organisation_id,
        client_id: about.client_id,
        reference,
        counsellor_id: about.counsellor_id,
        alarm,
        cause,
        cause_superseded: false,
        said: Personal::default(),
        zone: about.zone,
        raised_at: work.now,
        due_at: due_at(work, about, alarm.level).await?,
        acknowledged: None,
        resolved: None,
    };
    match escalation::insert(&mut work.tx, &it).await {
        Err(store::Error::Conflict) => return Ok(None),
        inserted => inserted?,
    }
    work.touched(it.id.uuid());
    work.touched(it.client_id.uuid());
    work.enqueue(&PassOnEscalation { escalation_id: it.id }, it.due_at).await?;
    Ok(Some(it))
}

/// By when what is raised now must be taken on: working days by the calendar of the site of the client's preferred
/// venue, or Monday to Friday.
async fn due_at(work: &mut Work<'_>, about: About, level: Level) -> Result<DateTime<Utc>> {
    let deadline = level.row().deadline;
    let days = match deadline {
        Deadline::WorkingDays(_) => working_days(work, about).await?,
        Deadline::Within(_) | Deadline::EndOfDay(_) => WorkingDays::default(),
    };
    Ok(deadline.due_at(work.now, about.zone, &days))
}

async fn working_days(work: &mut Work<'_>, about: About) -> Result<WorkingDays> {
    let Some(calendar) = holiday::calendar_for(&mut work.tx, about.client_id).await? else {
        return Ok(WorkingDays::default());
    };
    let today = local_day(work.now, about.zone);
    let days = holiday::days_of(&mut work.tx, &[calendar], today, today + AHEAD).await?;
    Ok(WorkingDays::new(days.into_iter().map(|(_, day)| day)))
}

/// Whether something that presses is open about a client: a no-show is then itself a reason. Of what was recorded before,
/// only what had been raised before it counts.
pub(super) async fn is_pressing(
    work: &mut Work<'_>,
    client_id: ClientId,
    before: Option<DateTime<Utc>>,
) -> Result<bool> {
    let levels: Vec<Level> = LEVELS.iter().filter(|row| row.pressing).map(|row| row.level).collect();
    Ok(escalation::is_open(&mut work.tx, client_id, &levels, before).await?)
}

/// Leaves in the audit trail that the time of an escalation ran out unacknowledged, and that it is the clinical
/// lead's since.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PassOnEscalation {
    /// Which.
    pub escalation_id: EscalationId,
}

impl Job for PassOnEscalation {
    const KIND: &'static str = "pass_on_escalation";

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let found = escalation::find(&mut work.tx, self.escalation_id, Lock::Update).await?;
        let Some(it) = found.filter(|it| it.acknowledged.is_none()) else { return Ok(()) };
        // Another process, whose clock is ahead, may have thought that it was time.
        if work.now < it.due_at {
            return work.enqueue(self, it.due_at).await;
        }
        escalation::pass_on(&mut work.tx, it.id, Instant(work.now)).await?;
        work.touched(it.id.uuid());
        work.touched(it.client_id.uuid());
        work.note("PASSED_ON");
        Ok(())
    }
}

/// Lists escalations of which the caller may know; every read is audited.
#[derive(Clone, Debug)]
pub struct ListEscalations {
    /// Resolved ones too.
    pub resolved: bool,
    /// Only about this client.
    pub client_id: Option<ClientId>,
    /// Only those that name this role now.
    pub named: Option<Named>,
    /// Which page.
    pub page: Page,
}

impl Mutation for ListEscalations {
    type Answer = (Vec<Escalation>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let listing = escalation::Listing {
            organisation_id: work.call.sees()?.ok_or(Error::Denied)?,
            counsellor_id: work.call.caller().authority.counsellor_id(),
            client_id: self.client_id,
            resolved: self.resolved,
            named: self.named,
            now: work.now,
            after: self.page.after(work.world, work.call)?,
            most: i64::try_from(self.page.most()).unwrap_or(i64::MAX),
        };
        let rows = escalation::list(&mut work.tx, &listing).await?;
        let (rows, next) = self.page.cut(work.world, work.call, rows, |row| (row.due_at, row.id));
        for row in &rows {
            work.touched(row.id.uuid());
            work.touched(row.client_id.uuid());
        }
        Ok((rows, next))
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}

/// Takes an escalation on.
#[derive(Clone, Copy, Debug)]
pub struct AcknowledgeEscalation {
    /// Which.
    pub id: EscalationId,
    /// The version last read.
    pub version: i64,
}

impl Mutation for AcknowledgeEscalation {
    type Answer = Escalation;

    async fn run(&self, work: &mut Work<'_>) -> Result<Escalation> {
        let mut it = own(work, self.id, Lock::Update).await?;
        // Before the etag: who comes second is to hear that somebody has taken it on.
        if it.acknowledged.is_some() {
            return Err(refused("ALREADY_ACKNOWLEDGED", "somebody has taken it on"));
        }
        if it.version != self.version {
            return Err(Error::EtagMismatch(WORD));
        }
        it.version += 1;
        it.acknowledged = Some((work.now, work.call.caller().principal.clone()));
        escalation::update(&mut work.tx, &it).await?;
        Ok(it)
    }

    fn result_id(&self, answer: &Escalation) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Escalation> {
        own(work, EscalationId(result_id), Lock::None).await
    }
}

/// Closes an escalation with what was done. One that nobody has acknowledged is acknowledged by it.
#[derive(Clone, Debug)]
pub struct ResolveEscalation {
    /// Which.
    pub id: EscalationId,
    /// The version last read.
    pub version: i64,
    /// What was done.
    pub action: Action,
    /// What to remember.
    pub note: Personal,
}

impl Mutation for ResolveEscalation {
    type Answer = Escalation;

    async fn run(&self, work: &mut Work<'_>) -> Result<Escalation> {
        let mut it = own(work, self.id, Lock::Update).await?;
        if it.resolved.is_some() {
            return Err(refused("ALREADY_RESOLVED", "it was resolved before"));
        }
        if it.version != self.version {
            return Err(Error::EtagMismatch(WORD));
        }
        let closed_by = it.alarm.level.row().closed_by;
        if !closed_by.contains(&self.action) {
            let words: Vec<_> = closed_by.iter().map(|action| action.as_str()).collect();
            return Err(Error::field("action", format!("of this level, must be one of {}", words.join(", "))));
        }
        let (at, by) = (work.now, work.call.caller().principal.clone());
        it.version += 1;
        it.acknowledged.get_or_insert_with(|| (at, by.clone()));
        it.resolved = Some(Resolved { at, by, action: self.action, note: self.note.clone() });
        escalation::update(&mut work.tx, &it).await?;
        Ok(it)
    }

    fn result_id(&self, answer: &Escalation) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Escalation> {
        own(work, EscalationId(result_id), Lock::None).await
    }
}

/// An escalation of which the caller may know: of the own organisation, and for a counsellor one that names the
/// caller, or is about a client of the caller's.
async fn own(work: &mut Work<'_>, id: EscalationId, lock: Lock) -> Result<Escalation> {
    work.touched(id.uuid());
    let it = escalation::find(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(WORD))?;
    work.call.manages(Some(it.organisation_id), WORD)?;
    if let Some(own) = work.call.caller().authority.counsellor_id()
        && it.counsellor_id != own
        && !client::seen_by(&mut work.tx, it.client_id, own).await?
    {
        return Err(Error::NotFound(WORD));
    }
    work.touched(it.client_id.uuid());
    Ok(it)
}

fn refused(reason: &'static str, says: &'static str) -> Error {
    Error::Precondition { reason, says, subjects: Vec::new() }
}
