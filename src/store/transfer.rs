//! Transfers, what stands in their way, and what goes along with a client. The schema moves nobody without one.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::tx::Tx;
use crate::domain::break_glass::Act;
use crate::domain::client::CaseRole;
use crate::domain::code::Side;
use crate::domain::ids::{CaseId, ClientId, ConsentId, LinkId, OrganisationId, TransferId};
use crate::domain::personal::Personal;
use crate::domain::proceeding::ProceedingKind;
use crate::domain::reference::Reference;
use crate::domain::text::Code;
use crate::domain::transfer::{Basis, DeclineReason, Party, Transfer, TransferEnding};

const REASON: &str = "transfer.override_reason";

#[derive(sqlx::FromRow)]
struct Row {
    id: TransferId,
    client_id: ClientId,
    reference: Reference,
    side: Side,
    holder_id: OrganisationId,
    giving_id: OrganisationId,
    giving_code: Code,
    giving_district: Code,
    receiving_id: OrganisationId,
    receiving_code: Code,
    receiving_district: Code,
    consent_id: Option<ConsentId>,
    override_reason: Option<Sealed>,
    proposed_at: Instant,
    proposed_by: String,
    cosigned_at: Option<Instant>,
    cosigned_by: Option<String>,
    expires_at: Instant,
    ended_how: Option<TransferEnding>,
    ended_at: Option<Instant>,
    ended_by: Option<String>,
    decline_reason: Option<DeclineReason>,
}

impl Row {
    /// With the reason, if the client is this organisation's.
    async fn opened(mut self, tx: &mut Tx, to: OrganisationId) -> Result<Transfer> {
        let sealed = self.override_reason.take().filter(|_| self.holder_id == to);
        let reason = match sealed {
            Some(sealed) => tx.open(Place::of(self.client_id, self.id), REASON, sealed).await?,
            None => Personal::default(),
        };
        self.with(reason)
    }

    fn with(self, reason: Personal) -> Result<Transfer> {
        let act = |at: Option<Instant>, by: Option<String>| Some(Act { at: at?.0, by: by? });
        let ended = match (self.ended_how, act(self.ended_at, self.ended_by)) {
            (None, None) => None,
            (Some(how), Some(act)) => Some((how, act)),
            _ => return Err(Error::Inconsistent { table: "transfer", what: self.id.to_string() }),
        };
        Ok(Transfer {
            id: self.id,
            client_id: self.client_id,
            reference: self.reference,
            side: self.side,
            giving: Party { id: self.giving_id, code: self.giving_code, district: self.giving_district },
            receiving: Party { id: self.receiving_id, code: self.receiving_code, district: self.receiving_district },
            basis: self.consent_id.map_or(Basis::Override(reason), Basis::Consent),
            proposed: Act { at: self.proposed_at.0, by: self.proposed_by },
            cosigned: act(self.cosigned_at, self.cosigned_by),
            expires_at: self.expires_at.0,
            ended,
            declined_because: self.decline_reason,
        })
    }
}

/// Writes a proposal. [`Error::Conflict`] when the client has an open one.
pub async fn insert(tx: &mut Tx, it: &Transfer) -> Result<()> {
    let (consent_id, reason) = match &it.basis {
        Basis::Consent(id) => (Some(*id), None),
        Basis::Override(reason) => (None, Some(reason)),
    };
    let reason = tx.seal_some(Place::of(it.client_id, it.id), REASON, reason).await?;
    tx.sql(
        "INSERT INTO transfer (id, client_id, side, giving_id, receiving_id, consent_id, override_reason, proposed_at,
            proposed_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.client_id)
    .bind(it.side)
    .bind(it.giving.id)
    .bind(it.receiving.id)
    .bind(consent_id)
    .bind(reason)
    .bind(Instant(it.proposed.at))
    .bind(it.proposed.by.clone())
    .bind(Instant(it.expires_at))
    .claim()
    .await
}

/// Writes what has happened to it since.
pub async fn update(tx: &mut Tx, it: &Transfer) -> Result<()> {
    let (cosigned, ended) = (it.cosigned.clone(), it.ended.clone());
    tx.sql(
        "UPDATE transfer SET cosigned_at = $2, cosigned_by = $3, ended_how = $4, ended_at = $5, ended_by = $6,
            decline_reason = $7
          WHERE id = $1",
    )
    .bind(it.id)
    .bind(cosigned.as_ref().map(|it| Instant(it.at)))
    .bind(cosigned.map(|it| it.by))
    .bind(ended.as_ref().map(|it| it.0))
    .bind(ended.as_ref().map(|it| Instant(it.1.at)))
    .bind(ended.map(|it| it.1.by))
    .bind(it.declined_because)
    .run()
    .await
    .map(drop)
}

/// Ends an open proposal of a client whose time is over.
pub async fn expire(tx: &mut Tx, client_id: ClientId, by: &str, now: Instant) -> Result<()> {
    let sql = tx.sql(
        "UPDATE transfer SET ended_how = 'EXPIRED', ended_at = $2, ended_by = $3
          WHERE client_id = $1 AND ended_how IS NULL AND expires_at <= $2",
    );
    sql.bind(client_id).bind(now).bind(by.to_owned()).run().await.map(drop)
}

/// Reads one, with its reason for who has the client. What it waits for changes under the lock of the client alone.
pub async fn find(tx: &mut Tx, id: TransferId, to: OrganisationId) -> Result<Option<Transfer>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference, client.organisation_id AS holder_id, giving.code AS giving_code,
                giving.district AS giving_district, receiving.code AS receiving_code,
                receiving.district AS receiving_district
           FROM transfer AS it JOIN client ON client.id = it.client_id
           JOIN organisation AS giving ON giving.id = it.giving_id
           JOIN organisation AS receiving ON receiving.id = it.receiving_id
          WHERE it.id = $1",
    );
    match sql.bind(id).maybe::<Row>().await? {
        Some(row) => row.opened(tx, to).await.map(Some),
        None => Ok(None),
    }
}

/// Which transfers.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of which this organisation may know: those that it gives, and those that it is to receive and that are signed.
    pub organisation_id: OrganisationId,
    /// Only those that still wait at this instant.
    pub open_at: Option<DateTime<Utc>>,
    /// Before this id.
    pub before: Option<TransferId>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page, the latest first.
pub async fn list(tx: &mut Tx, it: &Listing) -> Result<Vec<Transfer>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference, client.organisation_id AS holder_id, giving.code AS giving_code,
                giving.district AS giving_district, receiving.code AS receiving_code,
                receiving.district AS receiving_district
           FROM transfer AS it JOIN client ON client.id = it.client_id
           JOIN organisation AS giving ON giving.id = it.giving_id
           JOIN organisation AS receiving ON receiving.id = it.receiving_id
          WHERE (it.giving_id = $1
                 OR (it.receiving_id = $1 AND (it.consent_id IS NOT NULL OR it.cosigned_at IS NOT NULL)))
            AND ($2 = FALSE OR (it.ended_how IS NULL AND it.expires_at > $3))
            AND it.id < $4
          ORDER BY it.id DESC LIMIT $5",
    );
    let before = it.before.unwrap_or(TransferId(Uuid::max()));
    let at = Instant(it.open_at.unwrap_or_default());
    let sql = sql.bind(it.organisation_id).bind(it.open_at.is_some()).bind(at).bind(before).bind(it.most);
    let rows = sql.all::<Row>().await?;
    opened(tx, rows, it.organisation_id).await
}

/// Every transfer of a client of which an organisation may know, the first first.
pub async fn of_client(tx: &mut Tx, client_id: ClientId, to: OrganisationId) -> Result<Vec<Transfer>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference, client.organisation_id AS holder_id, giving.code AS giving_code,
                giving.district AS giving_district, receiving.code AS receiving_code,
                receiving.district AS receiving_district
           FROM transfer AS it JOIN client ON client.id = it.client_id
           JOIN organisation AS giving ON giving.id = it.giving_id
           JOIN organisation AS receiving ON receiving.id = it.receiving_id
          WHERE it.client_id = $1 AND (it.giving_id = $2
                 OR (it.receiving_id = $2 AND (it.consent_id IS NOT NULL OR it.cosigned_at IS NOT NULL)))
          ORDER BY it.id",
    );
    let rows = sql.bind(client_id).bind(to).all::<Row>().await?;
    opened(tx, rows, to).await
}

async fn opened(tx: &mut Tx, rows: Vec<Row>, to: OrganisationId) -> Result<Vec<Transfer>> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(row.opened(tx, to).await?);
    }
    Ok(all)
}

/// The consents of a client that have moved the client before.
pub async fn used(tx: &mut Tx, client_id: ClientId) -> Result<Vec<ConsentId>> {
    let sql = tx.sql(
        "SELECT consent_id FROM transfer WHERE client_id = $1 AND ended_how = 'ACCEPTED' AND consent_id IS NOT NULL",
    );
    Ok(sql.bind(client_id).all::<(ConsentId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// What only the giving organisation can see to: the open orders, and whatever else stands in the way.
#[derive(Clone, Debug, Default)]
pub struct InTheWay {
    /// Open orders of treatment.
    pub orders: Vec<Uuid>,
    /// Sessions to come or without a record, holds, entries of the waitlist, escalations, reports.
    pub others: Vec<Uuid>,
}

/// What stands in the way of moving a client.
pub async fn in_the_way(tx: &mut Tx, id: ClientId, now: Instant) -> Result<InTheWay> {
    let sql = tx.sql(
        "SELECT session.id FROM session_participant AS mine JOIN session ON session.id = mine.session_id
          WHERE mine.client_id = $1 AND mine.removed_at IS NULL
            AND ((session.state = 'HELD' AND session.held_until > $2)
                 OR (session.state = 'BOOKED' AND (session.ends_at > $2 OR mine.attendance_id IS NULL)))
          ORDER BY session.starts_at, session.id",
    );
    let mut others: Vec<(Uuid,)> = sql.bind(id).bind(now).all().await?;
    for text in [
        "SELECT id FROM waitlist_entry WHERE client_id = $1 AND ended_how IS NULL ORDER BY id",
        "SELECT id FROM escalation WHERE client_id = $1 AND resolved_at IS NULL ORDER BY id",
        "SELECT id FROM mandatory_report WHERE client_id = $1 AND reported_at IS NULL ORDER BY id",
    ] {
        others.extend(tx.sql(text).bind(id).all::<(Uuid,)>().await?);
    }
    let sql = tx.sql(
        "SELECT treatment_order.id FROM treatment_order JOIN compliance ON compliance.order_id = treatment_order.id
          WHERE client_id = $1 AND compliance.open = TRUE ORDER BY treatment_order.id",
    );
    let orders = sql.bind(id).all::<(Uuid,)>().await?;
    let ids = |rows: Vec<(Uuid,)>| rows.into_iter().map(|row| row.0).collect();
    Ok(InTheWay { orders: ids(orders), others: ids(others) })
}

/// Hands on what belongs to whoever has the client: what was raised and reported, and the orders that are closed.
/// Sessions, plans, assessments and their milestones stay where they were made, and are counted there.
pub async fn hand_on(tx: &mut Tx, id: ClientId, to: OrganisationId) -> Result<()> {
    for text in [
        "UPDATE escalation SET organisation_id = $2 WHERE client_id = $1",
        "UPDATE mandatory_report SET organisation_id = $2 WHERE client_id = $1",
        "UPDATE compliance SET organisation_id = $2
          WHERE order_id IN (SELECT id FROM treatment_order WHERE client_id = $1)",
        "UPDATE treatment_order SET organisation_id = $2 WHERE client_id = $1",
    ] {
        tx.sql(text).bind(id).bind(to).run().await?;
    }
    Ok(())
}

/// Ends every emergency access to a client.
pub async fn end_emergencies(tx: &mut Tx, id: ClientId, by: &str, now: Instant) -> Result<()> {
    let sql = tx.sql(
        "UPDATE break_glass SET revoked_at = $2, revoked_by = $3
          WHERE client_id = $1 AND revoked_at IS NULL AND reviewed_at IS NULL
            AND (opened_until IS NULL OR opened_until > $2)",
    );
    sql.bind(id).bind(now).bind(by.to_owned()).run().await.map(drop)
}

/// A case of a client at one organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CaseOf {
    /// Which.
    pub case_id: CaseId,
    /// What joins it with other organisations' records of the same crime.
    pub link_id: LinkId,
    /// What the client is in it.
    pub role: CaseRole,
    /// Whether it has other parties.
    pub shared: bool,
}

/// The cases of a client at an organisation.
pub async fn cases_of(tx: &mut Tx, id: ClientId, at: OrganisationId) -> Result<Vec<CaseOf>> {
    let sql = tx.sql(
        "SELECT case_file.id AS case_id, link_id, role,
                EXISTS (SELECT 1 FROM case_party AS other
                         WHERE other.case_file_id = case_file.id AND other.client_id <> $1) AS shared
           FROM case_party AS mine JOIN case_file ON case_file.id = mine.case_file_id
          WHERE mine.client_id = $1 AND case_file.organisation_id = $2 ORDER BY case_file.id",
    );
    sql.bind(id).bind(at).all().await
}

/// An organisation's record of a crime, by what joins it with others'.
pub async fn case_by_link(tx: &mut Tx, link_id: LinkId, at: OrganisationId) -> Result<Option<CaseId>> {
    let sql = tx.sql("SELECT id FROM case_file WHERE link_id = $1 AND organisation_id = $2");
    Ok(sql.bind(link_id).bind(at).maybe::<(CaseId,)>().await?.map(|row| row.0))
}

/// Gives a case with everything about it to another organisation.
pub async fn move_case(tx: &mut Tx, id: CaseId, to: OrganisationId, now: Instant) -> Result<()> {
    let text = "UPDATE case_file SET organisation_id = $2, version = version + 1, updated_at = $3 WHERE id = $1";
    tx.sql(text).bind(id).bind(to).bind(now).run().await?;
    for text in [
        "UPDATE milestone SET organisation_id = $2
          WHERE plan_id IN (SELECT id FROM follow_up_plan WHERE case_file_id = $1)",
        "UPDATE follow_up_plan SET organisation_id = $2 WHERE case_file_id = $1",
    ] {
        tx.sql(text).bind(id).bind(to).run().await?;
    }
    Ok(())
}

/// Makes a client a party of the other organisation's record of a case, and of this one's no more.
pub async fn move_party(tx: &mut Tx, id: ClientId, of: &CaseOf, to: CaseId, now: Instant) -> Result<()> {
    let sql = tx.sql("DELETE FROM case_party WHERE case_file_id = $1 AND client_id = $2");
    sql.bind(of.case_id).bind(id).run().await?;
    let sql =
        tx.sql("INSERT INTO case_party (case_file_id, client_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
    sql.bind(to).bind(id).bind(of.role).run().await?;
    let sql = tx.sql("UPDATE case_file SET version = version + 1, updated_at = $3 WHERE id IN ($1, $2)");
    sql.bind(of.case_id).bind(to).bind(now).run().await.map(drop)
}

/// The days that a case takes from a day on.
pub async fn proceedings(tx: &mut Tx, id: CaseId, from: NaiveDate) -> Result<Vec<(NaiveDate, ProceedingKind)>> {
    let text = "SELECT on_date, kind FROM proceeding WHERE case_file_id = $1 AND on_date >= $2 ORDER BY on_date, kind";
    tx.sql(text).bind(id).bind(from).all().await
}
