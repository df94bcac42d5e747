//! Emergency accesses. The schema has two people for each, one side, and hours at most.

use chrono::TimeDelta;
use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::seal::{Place, Sealed};
use super::tx::{Lock, Tx};
use crate::domain::break_glass::{Act, BreakGlass, Finding};
use crate::domain::code::Side;
use crate::domain::ids::{BreakGlassId, ClientId, CounsellorId, OrganisationId};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;

const REASON: &str = "break_glass.reason";

#[derive(sqlx::FromRow)]
struct Row {
    id: BreakGlassId,
    organisation_id: OrganisationId,
    client_id: ClientId,
    reference: Reference,
    counsellor_id: CounsellorId,
    requested_by: String,
    requested_at: Instant,
    reason: Sealed,
    minutes: i64,
    opened_at: Option<Instant>,
    opened_until: Option<Instant>,
    opened_by: Option<String>,
    revoked_at: Option<Instant>,
    revoked_by: Option<String>,
    reviewed_at: Option<Instant>,
    reviewed_by: Option<String>,
    finding: Option<Finding>,
    ours: bool,
}

impl Row {
    /// With the reason, unless the client is another organisation's by now.
    async fn open(self, tx: &mut Tx) -> Result<BreakGlass> {
        if !self.ours {
            return Ok(self.closed());
        }
        let reason = tx.open(Place::of(self.client_id, self.id), REASON, self.reason.clone()).await?;
        Ok(BreakGlass { reason, ..self.closed() })
    }

    /// Without the reason, which is not opened.
    fn closed(self) -> BreakGlass {
        let act = |at: Option<Instant>, by: Option<String>| Some(Act { at: at?.0, by: by? });
        BreakGlass {
            id: self.id,
            organisation_id: self.organisation_id,
            client_id: self.client_id,
            reference: self.reference,
            counsellor_id: self.counsellor_id,
            requested: Act { at: self.requested_at.0, by: self.requested_by },
            reason: Personal::default(),
            length: TimeDelta::minutes(self.minutes),
            opened: act(self.opened_at, self.opened_by),
            opened_until: self.opened_until.map(|it| it.0),
            revoked: act(self.revoked_at, self.revoked_by),
            reviewed: act(self.reviewed_at, self.reviewed_by),
            finding: self.finding,
        }
    }
}

/// Writes a request; `side` is that of the client and of the counsellor.
pub async fn insert(tx: &mut Tx, it: &BreakGlass, side: Side) -> Result<()> {
    let reason = tx.seal(Place::of(it.client_id, it.id), REASON, &it.reason).await?;
    tx.sql(
        "INSERT INTO break_glass (id, organisation_id, client_id, counsellor_id, side, requested_by, requested_at,
            reason, minutes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(it.id)
    .bind(it.organisation_id)
    .bind(it.client_id)
    .bind(it.counsellor_id)
    .bind(side)
    .bind(it.requested.by.clone())
    .bind(Instant(it.requested.at))
    .bind(reason)
    .bind(it.length.num_minutes())
    .run()
    .await
    .map(drop)
}

/// Writes what has happened to it since.
pub async fn update(tx: &mut Tx, it: &BreakGlass) -> Result<()> {
    let at = |act: &Option<Act>| act.as_ref().map(|act| Instant(act.at));
    let by = |act: &Option<Act>| act.as_ref().map(|act| act.by.clone());
    tx.sql(
        "UPDATE break_glass SET opened_at = $2, opened_until = $3, opened_by = $4, revoked_at = $5, revoked_by = $6,
            reviewed_at = $7, reviewed_by = $8, finding = $9
          WHERE id = $1",
    )
    .bind(it.id)
    .bind(at(&it.opened))
    .bind(it.opened_until.map(Instant))
    .bind(by(&it.opened))
    .bind(at(&it.revoked))
    .bind(by(&it.revoked))
    .bind(at(&it.reviewed))
    .bind(by(&it.reviewed))
    .bind(it.finding)
    .run()
    .await
    .map(drop)
}

/// Reads one, with its reason.
pub async fn find(tx: &mut Tx, id: BreakGlassId, lock: Lock) -> Result<Option<BreakGlass>> {
    if lock != Lock::None {
        tx.sql_locked("SELECT id FROM break_glass WHERE id = $1", lock).bind(id).maybe::<(BreakGlassId,)>().await?;
    }
    let sql = tx.sql(
        "SELECT it.*, client.reference, client.organisation_id = it.organisation_id AS ours
           FROM break_glass AS it JOIN client ON client.id = it.client_id
          WHERE it.id = $1",
    );
    match sql.bind(id).maybe::<Row>().await? {
        Some(row) => row.open(tx).await.map(Some),
        None => Ok(None),
    }
}

/// Every one about a client, with its reason, oldest first.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<BreakGlass>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference FROM break_glass AS it JOIN client ON client.id = it.client_id
          WHERE it.client_id = $1 ORDER BY it.id",
    );
    let rows = sql.bind(id).all::<Row>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(row.open(tx).await?);
    }
    Ok(all)
}

/// The one that lets a counsellor in to a client at an instant, by the subject that asked for it.
pub async fn open_for(
    tx: &mut Tx,
    client_id: ClientId,
    counsellor_id: CounsellorId,
    principal: &str,
    now: Instant,
) -> Result<Option<BreakGlassId>> {
    let sql = tx.sql(
        "SELECT it.id FROM break_glass AS it
           JOIN client ON client.id = it.client_id AND client.organisation_id = it.organisation_id
          WHERE it.client_id = $1 AND it.counsellor_id = $2 AND requested_by = $3
            AND opened_at <= $4 AND opened_until > $4 AND revoked_at IS NULL
          ORDER BY it.id LIMIT 1",
    );
    let sql = sql.bind(client_id).bind(counsellor_id).bind(principal.to_owned()).bind(now);
    Ok(sql.maybe::<(BreakGlassId,)>().await?.map(|row| row.0))
}

/// Which ones.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// That this subject asked for as this counsellor.
    pub asked_by: Option<(CounsellorId, String)>,
    /// Only those that were opened and not reviewed.
    pub unreviewed: bool,
    /// With what people wrote.
    pub reasons: bool,
    /// Before this id.
    pub before: Option<BreakGlassId>,
    /// At most so many.
    pub most: i64,
}

/// Reads a page, the latest first.
pub async fn list(tx: &mut Tx, it: &Listing) -> Result<Vec<BreakGlass>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference, client.organisation_id = it.organisation_id AS ours
           FROM break_glass AS it JOIN client ON client.id = it.client_id
          WHERE (CAST($1 AS UUID) IS NULL OR it.organisation_id = $1)
            AND (CAST($2 AS UUID) IS NULL OR (it.counsellor_id = $2 AND requested_by = $3))
            AND ($4 OR (opened_at IS NOT NULL AND reviewed_at IS NULL)) AND it.id < $5
          ORDER BY it.id DESC LIMIT $6",
    );
    let before = it.before.unwrap_or(BreakGlassId(Uuid::max()));
    let (counsellor_id, subject) = it.asked_by.clone().unzip();
    let sql = sql.bind(it.organisation_id).bind(counsellor_id).bind(subject);
    let rows = sql.bind(!it.unreviewed).bind(before).bind(it.most).all::<Row>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(if it.reasons { row.open(tx).await? } else { row.closed() });
    }
    Ok(all)
}
