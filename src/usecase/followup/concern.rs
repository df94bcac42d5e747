//! Concerns, which escalate at once, and the reports that the law demands because of them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::escalation::{About, raise};
use crate::domain::access::Role;
use crate::domain::counsellor::Counsellor;
use crate::domain::escalation::rule::REPORT_WITHIN;
use crate::domain::escalation::{Cause, Concern, ConcernKind, Escalation, MandatoryReport, Recipient, Reported};
use crate::domain::ids::{ClientId, ConcernId, CounsellorId, Id, MandatoryReportId};
use crate::domain::personal::Personal;
use crate::store::client::Outline;
use crate::store::noun::Stored;
use crate::store::{self, Lock, client, concern, conflict, escalation};
use crate::usecase::client::{known, still_own};
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work};

/// The word for it in sentences.
const REPORT: &str = "mandatory report";

/// Records what somebody has learned.
#[derive(Clone, Debug)]
pub struct ReportConcern {
    /// The client through whom or about whom it became known.
    pub client_id: ClientId,
    /// What.
    pub kind: ConcernKind,
    /// When it became known; now when absent.
    pub learned_at: Option<DateTime<Utc>>,
    /// What the clinical side must know.
    pub text: Personal,
    /// Whom to call upon; when absent, who answers for the client.
    pub counsellor_id: Option<CounsellorId>,
}

/// What a concern has opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The concern.
    pub concern_id: ConcernId,
    /// The escalation.
    pub escalation: Escalation,
    /// The caller is of the clinical side; others may know no more of it than id, client and times.
    pub clinical: bool,
    /// The report that the law demands; none where none is.
    pub report: Option<MandatoryReport>,
}

impl Mutation for ReportConcern {
    type Answer = Opened;

    async fn run(&self, work: &mut Work<'_>) -> Result<Opened> {
        let client = known(work, self.client_id).await?;
        // As whoever records attendance does: a no-show is recorded before it or sees it.
        client::lock(&mut work.tx, &[client.id]).await?;
        still_own(work, client.id).await?;
        let learned_at = self.learned_at.unwrap_or(work.now);
        let named = self.named(work, &client).await?;
        let mut wrong = Vec::new();
        let mut refuse =
            |field: &str, says: &str| wrong.push(FieldViolation { field: field.into(), says: says.into() });
        if learned_at > work.now {
            refuse("learned_at", "must not be in the future");
        }
        match (named, self.counsellor_id) {
            (Some(_), _) => {}
            (None, None) => refuse("counsellor_id", "is required: nobody answers for this client yet"),
            (None, Some(_)) => {
                refuse(
                    "counsellor_id",
                    "must be a counsellor of the organisation, on the client's side, who may see the client",
                );
            }
        }
        let Some((counsellor_id, zone)) = named.filter(|_| wrong.is_empty()) else { return Err(Error::Invalid(wrong)) };
        let it = Concern {
            id: work.world.id(),
            organisation_id: client.organisation_id,
            client_id: client.id,
            kind: self.kind,
            learned_at,
            text: self.text.clone(),
            reported_at: work.now,
        };
        concern::insert(&mut work.tx, &it, &work.call.caller().principal).await?;
        work.touched(it.id.uuid());
        let report = if self.kind.row().report { Some(demand(work, &client, &it).await?) } else { None };
        let about = About { organisation_id: client.organisation_id, client_id: client.id, counsellor_id, zone };
        raise(work, about, self.kind.row().alarm, Cause::Concern(it.id)).await?;
        opened(work, it.id, report).await
    }

    fn result_id(&self, answer: &Opened) -> Uuid {
        answer.concern_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Opened> {
        known(work, self.client_id).await?;
        let id = ConcernId(result_id);
        let report = match concern::report_of(&mut work.tx, id).await? {
            Some(report_id) => concern::find_report(&mut work.tx, report_id, Lock::None).await?,
            None => None,
        };
        opened(work, id, report).await
    }
}

impl ReportConcern {
    /// Whom the escalation names, and the zone of its working time; nobody when the caller must say somebody else.
    async fn named(&self, work: &mut Work<'_>, client: &Outline) -> Result<Option<(CounsellorId, Tz)>> {
        if let Some(id) = self.counsellor_id {
            return suited(work, id, client).await;
        }
        match concern::answers_for(&mut work.tx, client.id, work.now).await? {
            None => match work.call.caller().authority.counsellor_id() {
                Some(own) => suited(work, own, client).await,
                None => Ok(None),
            },
            found => Ok(found),
        }
    }
}

/// A counsellor, with the own zone, who may be called upon for a client.
async fn suited(work: &mut Work<'_>, id: CounsellorId, client: &Outline) -> Result<Option<(CounsellorId, Tz)>> {
    let found = Counsellor::find(&mut work.tx, id, Lock::None).await?;
    let suits =
        |it: &Counsellor| it.organisation_id == client.organisation_id && it.side == client.side && !it.inactive;
    let barred = work.tx.tell(|tx| conflict::counsellors_of(tx, client.id)).await?.contains(&id);
    Ok(found.filter(|it| suits(it) && !barred).map(|it| (id, it.zone)))
}

/// Opens the task of a report.
async fn demand(work: &mut Work<'_>, client: &Outline, concern: &Concern) -> Result<MandatoryReport> {
    let it = MandatoryReport {
        id: work.world.id(),
        version: 1,
        organisation_id: concern.organisation_id,
        client_id: concern.client_id,
        reference: client.reference.clone(),
        concern_id: concern.id,
        learned_at: concern.learned_at,
        due_at: concern.learned_at + REPORT_WITHIN,
        reported: None,
    };
    concern::insert_report(&mut work.tx, &it).await?;
    work.touched(it.id.uuid());
    Ok(it)
}

/// What a concern has opened, for the caller.
async fn opened(work: &mut Work<'_>, concern_id: ConcernId, report: Option<MandatoryReport>) -> Result<Opened> {
    let raised = match escalation::of_concern(&mut work.tx, concern_id).await? {
        Some(id) => escalation::find(&mut work.tx, id, Lock::None).await?,
        None => None,
    };
    let gone = || store::Error::Inconsistent { table: "concern", what: concern_id.to_string() };
    let clinical = work.call.caller().authority.role() != Role::Coordinator;
    Ok(Opened { concern_id, escalation: raised.ok_or_else(gone)?, clinical, report })
}

/// Lists the reports that the law demands, of clients of whom the caller may know; every read is audited.
#[derive(Clone, Debug)]
pub struct ListMandatoryReports {
    /// Those that were made too.
    pub reported: bool,
    /// Only about this client.
    pub client_id: Option<ClientId>,
    /// Which page.
    pub page: Page,
}

impl Mutation for ListMandatoryReports {
    type Answer = (Vec<MandatoryReport>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let listing = concern::Listing {
            organisation_id: work.call.sees()?.ok_or(Error::Denied)?,
            counsellor_id: work.call.caller().authority.counsellor_id(),
            client_id: self.client_id,
            reported: self.reported,
            after: self.page.after(work.world, work.call)?,
            most: i64::try_from(self.page.most()).unwrap_or(i64::MAX),
        };
        let rows = concern::reports(&mut work.tx, &listing).await?;
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

/// Records that a report was made, or that somebody else had made it.
#[derive(Clone, Debug)]
pub struct RecordMandatoryReport {
    /// Which.
    pub id: MandatoryReportId,
    /// The version last read.
    pub version: i64,
    /// To whom.
    pub recipient: Recipient,
    /// When.
    pub reported_at: DateTime<Utc>,
    /// Where it can be found again.
    pub reference: Personal,
}

impl Mutation for RecordMandatoryReport {
    type Answer = MandatoryReport;

    async fn run(&self, work: &mut Work<'_>) -> Result<MandatoryReport> {
        let mut it = own_report(work, self.id, Lock::Update).await?;
        // Before the etag: who comes second is to hear that somebody has reported it.
        if it.reported.is_some() {
            let says = "that it was reported is recorded";
            return Err(Error::Precondition { reason: "ALREADY_REPORTED", says, subjects: Vec::new() });
        }
        if it.version != self.version {
            return Err(Error::EtagMismatch(REPORT));
        }
        if self.reported_at > work.now {
            return Err(Error::field("reported_at", "must not be in the future"));
        }
        if self.reported_at < it.learned_at && self.recipient != Recipient::AlreadyReported {
            return Err(Error::field("reported_at", "must not lie before it became known"));
        }
        it.version += 1;
        it.reported = Some(Reported {
            at: self.reported_at,
            recipient: self.recipient,
            reference: self.reference.clone(),
            recorded: (work.now, work.call.caller().principal.clone()),
        });
        concern::update_report(&mut work.tx, &it).await?;
        Ok(it)
    }

    fn result_id(&self, answer: &MandatoryReport) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<MandatoryReport> {
        own_report(work, MandatoryReportId(result_id), Lock::None).await
    }
}

/// A report of which the caller may know: of the own organisation, and for a counsellor about a client of the caller's,
/// or of a concern for which the caller was called upon.
async fn own_report(work: &mut Work<'_>, id: MandatoryReportId, lock: Lock) -> Result<MandatoryReport> {
    work.touched(id.uuid());
    let it = concern::find_report(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(REPORT))?;
    work.call.manages(Some(it.organisation_id), REPORT)?;
    if let Some(own) = work.call.caller().authority.counsellor_id()
        && !client::seen_by(&mut work.tx, it.client_id, own).await?
        && !is_named(work, it.concern_id, own).await?
    {
        return Err(Error::NotFound(REPORT));
    }
    work.touched(it.client_id.uuid());
    Ok(it)
}

async fn is_named(work: &mut Work<'_>, id: ConcernId, counsellor_id: CounsellorId) -> Result<bool> {
    let Some(id) = escalation::of_concern(&mut work.tx, id).await? else { return Ok(false) };
    let raised = escalation::find(&mut work.tx, id, Lock::None).await?;
    Ok(raised.is_some_and(|it| it.counsellor_id == counsellor_id))
}
