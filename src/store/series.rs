//! Series: what was asked for and planned. Their sessions are read, and written, as all sessions are.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sqlx::types::Json;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::session;
use super::sql::Sql;
use super::tx::{Lock, Tx};
use crate::domain::ids::{OrganisationId, ProgrammeId, SeriesId};
use crate::domain::series::{Asked, Planned, Series, Skipped};
use crate::domain::session::Session;
use crate::domain::time::{Day, DayTime};

#[derive(sqlx::FromRow)]
struct Row {
    id: SeriesId,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    organisation_id: OrganisationId,
    zone: Zone,
    first_on: NaiveDate,
    rule: Option<String>,
    at_time: Option<String>,
    exceptions: Json<BTreeSet<NaiveDate>>,
    programme_id: Option<ProgrammeId>,
    programme_version: Option<i64>,
    week: Json<Vec<(Day, DayTime)>>,
    plan: Json<Vec<Planned>>,
    skipped: Json<Vec<Skipped>>,
}

impl Row {
    fn series(self) -> Result<Series> {
        let wrong = || Error::Inconsistent { table: "series", what: self.id.to_string() };
        let at_time = self.at_time.as_deref().map(DayTime::parse).transpose().map_err(|_| wrong())?;
        let asked = match (self.rule, at_time, self.programme_id.zip(self.programme_version)) {
            (Some(rule), Some(time), None) => {
                Asked::Rule { rule, first: time.on(self.first_on), exceptions: self.exceptions.0 }
            }
            (None, None, Some((programme_id, version))) => {
                Asked::Programme { programme_id, version, first_on: self.first_on, week: self.week.0 }
            }
            _ => return Err(Error::Inconsistent { table: "series", what: self.id.to_string() }),
        };
        Ok(Series {
            id: self.id,
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            organisation_id: self.organisation_id,
            zone: self.zone.0,
            asked,
            plan: self.plan.0,
            skipped: self.skipped.0,
        })
    }
}

/// Writes a new series.
pub async fn insert(tx: &mut Tx, it: &Series) -> Result<()> {
    let sql = tx.sql(
        "INSERT INTO series (id, version, created_at, updated_at, organisation_id, zone, plan, skipped,
            first_on, rule, at_time, exceptions, programme_id, programme_version, week)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    );
    let sql = sql.bind(it.id).bind(it.version).bind(Instant(it.created_at)).bind(Instant(it.updated_at));
    let sql = sql.bind(it.organisation_id).bind(Zone(it.zone));
    let sql = sql.bind(Json(it.plan.clone())).bind(Json(it.skipped.clone()));
    bind_asked(sql, &it.asked).run().await.map(drop)
}

fn bind_asked<'t>(sql: Sql<'t>, asked: &Asked) -> Sql<'t> {
    match asked {
        Asked::Rule { rule, first, exceptions } => sql
            .bind(first.date())
            .bind(Some(rule.clone()))
            .bind(Some(first.format("%H:%M").to_string()))
            .bind(Json(exceptions.clone()))
            .bind(None::<ProgrammeId>)
            .bind(None::<i64>)
            .bind(Json(Vec::<(Day, DayTime)>::new())),
        Asked::Programme { programme_id, version, first_on, week } => sql
            .bind(*first_on)
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(Json(BTreeSet::<NaiveDate>::new()))
            .bind(Some(*programme_id))
            .bind(Some(*version))
            .bind(Json(week.clone())),
    }
}

/// Writes what changes of a series: its version, and what is planned.
pub async fn update(tx: &mut Tx, it: &Series) -> Result<()> {
    let sql = tx.sql("UPDATE series SET version = $2, updated_at = $3, plan = $4, skipped = $5 WHERE id = $1");
    let sql = sql.bind(it.id).bind(it.version).bind(Instant(it.updated_at));
    sql.bind(Json(it.plan.clone())).bind(Json(it.skipped.clone())).run().await.map(drop)
}

/// Reads one series.
pub async fn find(tx: &mut Tx, id: SeriesId, lock: Lock) -> Result<Option<Series>> {
    let row = tx.sql_locked("SELECT * FROM series WHERE id = $1", lock).bind(id).maybe::<Row>().await?;
    row.map(Row::series).transpose()
}

/// Every session that a series has or had, by start.
pub async fn sessions(tx: &mut Tx, id: SeriesId) -> Result<Vec<Session>> {
    let sql = tx.sql("SELECT * FROM session WHERE series_id = $1 ORDER BY starts_at, id");
    let rows = sql.bind(id).all::<session::Row>().await?;
    session::complete(tx, rows).await
}
