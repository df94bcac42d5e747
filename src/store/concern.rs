//! Concerns, and the reports that the law demands because of them. The schema lets nobody change a concern.

use chrono::{DateTime, Utc};

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::tx::{Lock, Tx};
use crate::domain::escalation::{Concern, MandatoryReport, Recipient, Reported};
use crate::domain::ids::{ClientId, ConcernId, CounsellorId, MandatoryReportId, OrganisationId};
use crate::domain::reference::Reference;

pub(super) const TEXT: &str = "concern.text";
const REFERENCE: &str = "mandatory_report.reference";

/// Who answers for a client now, and in which zone: whoever is responsible by the open follow-up plan; without one, who
/// leads the client's next session, or led the last. Nobody who no longer
/// sees clients, or must not see this one.
pub async fn answers_for(
    tx: &mut Tx,
    client_id: ClientId,
    now: DateTime<Utc>,
) -> Result<Option<(CounsellorId, chrono_tz::Tz)>> {
    let by_plan = tx.sql(
        "SELECT plan.counsellor_id, plan.zone FROM follow_up_plan AS plan
           JOIN counsellor ON counsellor.id = plan.counsellor_id
          WHERE plan.client_id = $1 AND plan.closing IS NULL AND NOT counsellor.inactive
            AND counsellor.id NOT IN (SELECT counsellor_id FROM conflict_of_interest WHERE client_id = $1)",
    );
    let mut found: Option<(CounsellorId, Zone)> = by_plan.bind(client_id).maybe().await?;
    for text in [NEXT, LAST] {
        if found.is_none() {
            found = tx.sql(text).bind(client_id).bind(Instant(now)).maybe().await?;
        }
    }
    Ok(found.map(|(counsellor_id, zone)| (counsellor_id, zone.0)))
}

const NEXT: &str = "SELECT session.counsellor_id, session.zone
       FROM session_participant AS mine JOIN session ON session.id = mine.session_id
       JOIN counsellor ON counsellor.id = session.counsellor_id
      WHERE mine.client_id = $1 AND mine.removed_at IS NULL AND session.state = 'BOOKED' AND session.ends_at > $2
        AND NOT counsellor.inactive
        AND counsellor.id NOT IN (SELECT counsellor_id FROM conflict_of_interest WHERE client_id = $1)
      ORDER BY session.starts_at, session.id LIMIT 1";
const LAST: &str = "SELECT session.counsellor_id, session.zone
       FROM session_participant AS mine JOIN session ON session.id = mine.session_id
       JOIN counsellor ON counsellor.id = session.counsellor_id
      WHERE mine.client_id = $1 AND mine.removed_at IS NULL AND session.state = 'BOOKED' AND session.ends_at <= $2
        AND NOT counsellor.inactive
        AND counsellor.id NOT IN (SELECT counsellor_id FROM conflict_of_interest WHERE client_id = $1)
      ORDER BY session.starts_at DESC, session.id DESC LIMIT 1";

/// Writes a concern; `principal` is who reported it.
pub async fn insert(tx: &mut Tx, it: &Concern, principal: &str) -> Result<()> {
    let text = tx.seal(Place::of(it.client_id, it.id), TEXT, &it.text).await?;
    tx.sql(
        "INSERT INTO concern (id, organisation_id, client_id, kind, learned_at, text, reported_at, reported_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(it.id)
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(it.kind)
    .bind(Instant(it.learned_at))
    .bind(text)
    .bind(Instant(it.reported_at))
    .bind(principal.to_owned())
    .run()
    .await
    .map(drop)
}

#[derive(sqlx::FromRow)]
struct ReportRow {
    id: MandatoryReportId,
    version: i64,
    organisation_id: OrganisationId,
    client_id: ClientId,
    client_reference: Reference,
    concern_id: ConcernId,
    learned_at: Instant,
    due_at: Instant,
    reported_at: Option<Instant>,
    recipient: Option<Recipient>,
    reference: Option<Sealed>,
    recorded_at: Option<Instant>,
    recorded_by: Option<String>,
}

impl ReportRow {
    async fn open(self, tx: &mut Tx) -> Result<MandatoryReport> {
        let recorded = self.recorded_at.map(|at| at.0).zip(self.recorded_by);
        let reported = match (self.reported_at, self.recipient, self.reference, recorded) {
            (None, None, None, None) => None,
            (Some(at), Some(recipient), Some(reference), Some(recorded)) => {
                let reference = tx.open(Place::of(self.client_id, self.id), REFERENCE, reference).await?;
                Some(Reported { at: at.0, recipient, reference, recorded })
            }
            _ => return Err(Error::Inconsistent { table: "mandatory_report", what: self.id.to_string() }),
        };
        Ok(MandatoryReport {
            id: self.id,
            version: self.version,
            organisation_id: self.organisation_id,
            client_id: self.client_id,
            reference: self.client_reference,
            concern_id: self.concern_id,
            learned_at: self.learned_at.0,
            due_at: self.due_at.0,
            reported,
        })
    }
}

/// Writes a new task of a report, which is open.
pub async fn insert_report(tx: &mut Tx, it: &MandatoryReport) -> Result<()> {
    tx.sql(
        "INSERT INTO mandatory_report (id, version, organisation_id, client_id, concern_id, learned_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(it.concern_id)
    .bind(Instant(it.learned_at))
    .bind(Instant(it.due_at))
    .run()
    .await
    .map(drop)
}

/// Writes that it was reported.
pub async fn update_report(tx: &mut Tx, it: &MandatoryReport) -> Result<()> {
    let reported = it.reported.as_ref();
    let place = Place::of(it.client_id, it.id);
    let reference = tx.seal_some(place, REFERENCE, reported.map(|it| &it.reference)).await?;
    tx.sql(
        "UPDATE mandatory_report SET version = $2, reported_at = $3, recipient = $4, reference = $5, recorded_at = $6,
            recorded_by = $7 WHERE id = $1",
    )
    .bind(it.id)
    .bind(it.version)
    .bind(reported.map(|it| Instant(it.at)))
    .bind(reported.map(|it| it.recipient))
    .bind(reference)
    .bind(reported.map(|it| Instant(it.recorded.0)))
    .bind(reported.map(|it| it.recorded.1.clone()))
    .run()
    .await
    .map(drop)
}

/// Reads one, what people wrote included.
pub async fn find_report(tx: &mut Tx, id: MandatoryReportId, lock: Lock) -> Result<Option<MandatoryReport>> {
    if lock != Lock::None {
        let sql = tx.sql_locked("SELECT id FROM mandatory_report WHERE id = $1", lock);
        sql.bind(id).maybe::<(MandatoryReportId,)>().await?;
    }
    let sql = tx.sql(
        "SELECT it.*, client.reference AS client_reference
           FROM mandatory_report AS it JOIN client ON client.id = it.client_id WHERE it.id = $1",
    );
    match sql.bind(id).maybe::<ReportRow>().await? {
        Some(row) => row.open(tx).await.map(Some),
        None => Ok(None),
    }
}

/// The task that a concern has opened.
pub async fn report_of(tx: &mut Tx, id: ConcernId) -> Result<Option<MandatoryReportId>> {
    let sql = tx.sql("SELECT id FROM mandatory_report WHERE concern_id = $1");
    Ok(sql.bind(id).maybe::<(MandatoryReportId,)>().await?.map(|row| row.0))
}

/// Which reports.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: OrganisationId,
    /// Only about clients of this counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Only about this client.
    pub client_id: Option<ClientId>,
    /// Those that were made too.
    pub reported: bool,
    /// After this due instant and id.
    pub after: Option<(DateTime<Utc>, MandatoryReportId)>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page of them by due instant, what people wrote included.
pub async fn reports(tx: &mut Tx, listing: &Listing) -> Result<Vec<MandatoryReport>> {
    let first = (DateTime::UNIX_EPOCH, MandatoryReportId(uuid::Uuid::nil()));
    let (after, after_id) = listing.after.unwrap_or(first);
    let sql = tx
        .sql(if listing.reported { ALL } else { OPEN })
        .bind(listing.organisation_id)
        .bind(listing.counsellor_id)
        .bind(listing.client_id)
        .bind(Instant(after))
        .bind(after_id)
        .bind(listing.most);
    let rows = sql.all::<ReportRow>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(row.open(tx).await?);
    }
    Ok(all)
}

const OPEN: &str = "SELECT it.*, client.reference AS client_reference
       FROM mandatory_report AS it JOIN client ON client.id = it.client_id
      WHERE it.organisation_id = $1 AND it.reported_at IS NULL
        AND (CAST($2 AS UUID) IS NULL
             OR EXISTS (SELECT 1 FROM own_client AS own WHERE own.client_id = it.client_id AND own.counsellor_id = $2)
             OR EXISTS (SELECT 1 FROM escalation WHERE escalation.concern_id = it.concern_id
                           AND escalation.counsellor_id = $2))
        AND (CAST($3 AS UUID) IS NULL OR it.client_id = $3)
        AND (it.due_at, it.id) > ($4, $5)
      ORDER BY it.due_at, it.id LIMIT $6";
const ALL: &str = "SELECT it.*, client.reference AS client_reference
       FROM mandatory_report AS it JOIN client ON client.id = it.client_id
      WHERE it.organisation_id = $1
        AND (CAST($2 AS UUID) IS NULL
             OR EXISTS (SELECT 1 FROM own_client AS own WHERE own.client_id = it.client_id AND own.counsellor_id = $2)
             OR EXISTS (SELECT 1 FROM escalation WHERE escalation.concern_id = it.concern_id
                           AND escalation.counsellor_id = $2))
        AND (CAST($3 AS UUID) IS NULL OR it.client_id = $3)
        AND (it.due_at, it.id) > ($4, $5)
      ORDER BY it.due_at, it.id LIMIT $6";
