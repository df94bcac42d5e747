//! Events of cases. The schema lets nobody change one, and one takes the place of at most one other.

use chrono::NaiveDate;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::seal::{Place, Sealed};
use super::tx::Tx;
use crate::domain::case_event::{CaseEvent, CaseEventKind};
use crate::domain::ids::{CaseEventId, CaseId};

const SOURCE: &str = "case_event.source";
const ACTOR: &str = "case_event.actor";
const REASON: &str = "case_event.reason";

#[derive(sqlx::FromRow)]
struct Row {
    id: CaseEventId,
    case_file_id: CaseId,
    kind: CaseEventKind,
    happened_at: Instant,
    happened_on: NaiveDate,
    time_known: bool,
    source: Sealed,
    actor: Sealed,
    withdrawn: bool,
    recorded_at: Instant,
    recorded_by: String,
    supersedes_id: Option<CaseEventId>,
    reason: Option<Sealed>,
    superseded: bool,
}

impl Row {
    async fn open(self, tx: &mut Tx) -> Result<CaseEvent> {
        let place = Place::of(self.case_file_id, self.id);
        let supersedes = match (self.supersedes_id, self.reason) {
            (None, None) => None,
            (Some(id), Some(reason)) => Some((id, tx.open(place, REASON, reason).await?)),
            _ => return Err(Error::Inconsistent { table: "case_event", what: self.id.to_string() }),
        };
        Ok(CaseEvent {
            id: self.id,
            case_id: self.case_file_id,
            kind: self.kind,
            happened_at: self.happened_at.0,
            happened_on: self.happened_on,
            time_known: self.time_known,
            source: tx.open(place, SOURCE, self.source).await?,
            actor: tx.open(place, ACTOR, self.actor).await?,
            withdrawn: self.withdrawn,
            recorded_at: self.recorded_at.0,
            recorded_by: self.recorded_by,
            supersedes,
            superseded: self.superseded,
        })
    }
}

/// Writes an event. [`Error::Conflict`] when another took the place of the one that it was to supersede.
pub async fn insert(tx: &mut Tx, it: &CaseEvent) -> Result<()> {
    let place = Place::of(it.case_id, it.id);
    let (source, actor) = (tx.seal(place, SOURCE, &it.source).await?, tx.seal(place, ACTOR, &it.actor).await?);
    let reason = tx.seal_some(place, REASON, it.supersedes.as_ref().map(|(_, reason)| reason)).await?;
    tx.sql(
        "INSERT INTO case_event (id, case_file_id, kind, happened_at, happened_on, time_known, source, actor,
            withdrawn, recorded_at, recorded_by, supersedes_id, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.case_id)
    .bind(it.kind)
    .bind(Instant(it.happened_at))
    .bind(it.happened_on)
    .bind(it.time_known)
    .bind(source)
    .bind(actor)
    .bind(it.withdrawn)
    .bind(Instant(it.recorded_at))
    .bind(it.recorded_by.clone())
    .bind(it.supersedes.as_ref().map(|(id, _)| *id))
    .bind(reason)
    .claim()
    .await
}

/// The events of a case as they happened, superseded ones too, what people wrote included.
pub async fn of_case(tx: &mut Tx, id: CaseId) -> Result<Vec<CaseEvent>> {
    let sql = tx.sql(
        "SELECT it.*, EXISTS (SELECT 1 FROM case_event AS later WHERE later.supersedes_id = it.id) AS superseded
           FROM case_event AS it WHERE it.case_file_id = $1
          ORDER BY it.happened_at, it.recorded_at, it.id",
    );
    let rows = sql.bind(id).all::<Row>().await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(row.open(tx).await?);
    }
    Ok(all)
}

/// The zone of a case's open plan, if it has one.
pub async fn zone_of(tx: &mut Tx, id: CaseId) -> Result<Option<chrono_tz::Tz>> {
    let sql = tx.sql("SELECT zone FROM follow_up_plan WHERE case_file_id = $1 AND closing IS NULL");
    Ok(sql.bind(id).maybe::<(Zone,)>().await?.map(|row| row.0.0))
}
