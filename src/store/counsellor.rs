//! Counsellors and their leave.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use sqlx::types::Json;
use uuid::Uuid;

use super::codec::{Instant, Zone};
use super::error::{Error, Result};
use super::noun::{Head, Keyed, Listing, Stored};
use super::seal::{Place, Sealed};
use super::sql::{Asked, Sql};
use super::tx::{Lock, Tx};
use crate::domain::code::{CareService, Gender, Modality, Side};
use crate::domain::counsellor::{Counsellor, Leave, WorkingHours};
use crate::domain::ids::{CounsellorId, LeaveId, OrganisationId};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::text::{Code, Language};
use crate::domain::time::Span;

const NAME: &str = "counsellor.name";

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    code: Code,
    name: Sealed,
    side: Side,
    gender: Option<Gender>,
    services: Json<Vec<CareService>>,
    modalities: Json<Vec<Modality>>,
    languages: Json<Vec<Language>>,
    zone: Zone,
    buffer_before_minutes: i64,
    buffer_after_minutes: i64,
    travel_minutes: i64,
    daily_limit: Option<i64>,
    weekly_limit: Option<i64>,
    verified_until: Option<NaiveDate>,
    registration: Option<Code>,
    working_hours: Json<Vec<WorkingHours>>,
    inactive: bool,
}

impl Row {
    async fn record(self, tx: &mut Tx) -> Result<Record<Counsellor>> {
        let name = tx.open(Place::of(self.organisation_id, self.head.id), NAME, self.name.clone()).await?;
        self.named(name)
    }

    fn named(self, name: Personal) -> Result<Record<Counsellor>> {
        let (daily_limit, weekly_limit) = (limit(&self.head, self.daily_limit)?, limit(&self.head, self.weekly_limit)?);
        Ok(self.head.record(Counsellor {
            organisation_id: self.organisation_id,
            code: self.code,
            name,
            side: self.side,
            gender: self.gender,
            services: self.services.0,
            modalities: self.modalities.0,
            languages: self.languages.0,
            zone: self.zone.0,
            buffer_before_for: TimeDelta::minutes(self.buffer_before_minutes),
            buffer_after_for: TimeDelta::minutes(self.buffer_after_minutes),
            travel_for: TimeDelta::minutes(self.travel_minutes),
            daily_limit,
            weekly_limit,
            verified_until: self.verified_until,
            registration: self.registration,
            working_hours: self.working_hours.0,
            inactive: self.inactive,
        }))
    }
}

fn limit(head: &Head, stored: Option<i64>) -> Result<Option<u32>> {
    let wrong = |_| Error::Inconsistent { table: "counsellor", what: head.id.to_string() };
    stored.map(u32::try_from).transpose().map_err(wrong)
}

async fn records(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Record<Counsellor>>> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        records.push(row.record(tx).await?);
    }
    Ok(records)
}

fn bind<'t>(sql: Sql<'t>, it: &Record<Counsellor>, name: Sealed) -> Sql<'t> {
    sql.bind_head(it)
        .bind(it.organisation_id)
        .bind(it.code.clone())
        .bind(name)
        .bind(it.side)
        .bind(it.gender)
        .bind(Json(it.services.clone()))
        .bind(Json(it.modalities.clone()))
        .bind(Json(it.languages.clone()))
        .bind(Zone(it.zone))
        .bind(it.buffer_before_for.num_minutes())
        .bind(it.buffer_after_for.num_minutes())
        .bind(it.travel_for.num_minutes())
        .bind(it.daily_limit.map(i64::from))
        .bind(it.weekly_limit.map(i64::from))
        .bind(it.verified_until)
        .bind(it.registration.clone())
        .bind(Json(it.working_hours.clone()))
        .bind(it.inactive)
}

impl Stored for Counsellor {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let name = tx.seal(Place::of(it.organisation_id, it.id), NAME, &it.name).await?;
        let sql = tx.sql(
            "INSERT INTO counsellor (id, version, created_at, updated_at, organisation_id, code, name, side, gender,
                services, modalities, languages, zone, buffer_before_minutes, buffer_after_minutes, travel_minutes,
                daily_limit, weekly_limit, verified_until, registration, working_hours, inactive)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                $22)",
        );
        bind(sql, it, name).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let name = tx.seal(Place::of(it.organisation_id, it.id), NAME, &it.name).await?;
        let sql = tx.sql(
            "UPDATE counsellor SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5, code = $6,
                name = $7, side = $8, gender = $9, services = $10, modalities = $11, languages = $12, zone = $13,
                buffer_before_minutes = $14, buffer_after_minutes = $15, travel_minutes = $16, daily_limit = $17,
                weekly_limit = $18, verified_until = $19, registration = $20, working_hours = $21, inactive = $22
              WHERE id = $1",
        );
        bind(sql, it, name).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: CounsellorId, lock: Lock) -> Result<Option<Record<Self>>> {
        let sql = tx.sql_locked("SELECT * FROM counsellor WHERE id = $1", lock);
        match sql.bind(id).maybe::<Row>().await? {
            Some(row) => row.record(tx).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT * FROM counsellor
                  WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                    AND id > $3 ORDER BY id LIMIT $4",
            )
            .bind_listing(listing)
            .all::<Row>()
            .await?;
        records(tx, rows).await
    }
}

impl Keyed for Counsellor {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM counsellor WHERE organisation_id = $1 AND code = $2");
        match sql.bind(within).bind(code).maybe::<Row>().await? {
            Some(row) => row.record(tx).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The counsellors of an organisation with their names left out: what nobody reads need not be opened. They are for
/// looking at, never for writing back.
pub async fn unnamed_of(tx: &mut Tx, organisation_id: OrganisationId) -> Result<Vec<Record<Counsellor>>> {
    let rows = tx.sql("SELECT * FROM counsellor WHERE organisation_id = $1").bind(organisation_id).all::<Row>().await?;
    rows.into_iter().map(|row| row.named(Personal::default())).collect()
}

/// Locks counsellors, in the order of their ids; says whose those are that there are.
pub fn lock(tx: &mut Tx, ids: &BTreeSet<CounsellorId>) -> Asked<Vec<(CounsellorId, OrganisationId)>> {
    let ids: Vec<_> = ids.iter().copied().collect();
    // Not a share lock: limits and travel rest on the counsellor's other sessions, and no constraint holds them.
    let sql = tx.sql_each_locked(
        "SELECT id, organisation_id FROM counsellor WHERE id IN ({ids}) ORDER BY id",
        ids.len(),
        Lock::Update,
    );
    sql.bind_ids(&ids).ask()
}

/// Ties a registration to a side, unless it is tied to one already, and holds it there until the
/// transaction ends. Says to which side it is tied now.
pub async fn claim_registration(tx: &mut Tx, registration: &Code, side: Side) -> Result<Side> {
    let sql = tx.sql("INSERT INTO professional (registration, side) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    sql.bind(registration.clone()).bind(side).run().await?;
    let sql = tx.sql_locked("SELECT side FROM professional WHERE registration = $1", Lock::Share);
    // Nothing when somebody gave it back in between.
    Ok(sql.bind(registration.clone()).maybe::<(Side,)>().await?.ok_or(Error::Conflict)?.0)
}

/// Frees a registration that no counsellor has any more, so that a slip of the pen does not tie it
/// to a side for ever.
pub async fn release_registration(tx: &mut Tx, registration: &Code, by: CounsellorId) -> Result<()> {
    // Whoever claims it at this moment is waited for, and then seen.
    let sql = tx.sql_locked("SELECT side FROM professional WHERE registration = $1", Lock::Update);
    sql.bind(registration.clone()).maybe::<(Side,)>().await?;
    tx.sql(
        "DELETE FROM professional WHERE registration = $1
            AND NOT EXISTS (SELECT 1 FROM counsellor WHERE counsellor.registration = professional.registration)
            AND NOT EXISTS (SELECT 1 FROM session WHERE counsellor_id = $2 AND state = 'BOOKED')
            AND NOT EXISTS (SELECT 1 FROM session_facilitator WHERE counsellor_id = $2)",
    )
    .bind(registration.clone())
    .bind(by)
    .run()
    .await
    .map(drop)
}

#[derive(sqlx::FromRow)]
struct LeaveRow {
    #[sqlx(flatten)]
    head: Head,
    counsellor_id: CounsellorId,
    starts_at: Instant,
    ends_at: Instant,
}

impl LeaveRow {
    fn record(self) -> Result<Record<Leave>> {
        let wrong = || Error::Inconsistent { table: "leave", what: self.head.id.to_string() };
        let span = Span::new(self.starts_at.0, self.ends_at.0).ok_or_else(wrong)?;
        Ok(self.head.record(Leave { counsellor_id: self.counsellor_id, span }))
    }
}

fn bind_leave<'t>(sql: Sql<'t>, it: &Record<Leave>) -> Sql<'t> {
    let sql = sql.bind_head(it).bind(it.counsellor_id);
    sql.bind(Instant(it.span.starts_at())).bind(Instant(it.span.ends_at()))
}

impl Stored for Leave {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO leave (id, version, created_at, updated_at, counsellor_id, starts_at, ends_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        bind_leave(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE leave SET version = $2, created_at = $3, updated_at = $4, counsellor_id = $5, starts_at = $6,
                ends_at = $7 WHERE id = $1",
        );
        bind_leave(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: LeaveId, lock: Lock) -> Result<Option<Record<Self>>> {
        let sql = tx.sql_locked("SELECT * FROM leave WHERE id = $1", lock);
        sql.bind(id).maybe::<LeaveRow>().await?.map(LeaveRow::record).transpose()
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT leave.* FROM leave JOIN counsellor ON counsellor.id = leave.counsellor_id
                  WHERE (CAST($1 AS UUID) IS NULL OR counsellor.organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR leave.counsellor_id = $2)
                    AND leave.id > $3 ORDER BY leave.id LIMIT $4",
            )
            .bind_listing(listing)
            .all::<LeaveRow>()
            .await?;
        rows.into_iter().map(LeaveRow::record).collect()
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        let sql = tx.sql("SELECT organisation_id FROM counsellor WHERE id = $1");
        Ok(sql.bind(it.counsellor_id).maybe::<(OrganisationId,)>().await?.map(|row| row.0))
    }
}

/// The leave of an organisation's counsellors.
pub async fn leave_of(tx: &mut Tx, organisation_id: OrganisationId) -> Result<Vec<Leave>> {
    let sql = tx.sql(
        "SELECT leave.* FROM leave JOIN counsellor ON counsellor.id = leave.counsellor_id
          WHERE counsellor.organisation_id = $1",
    );
    let rows = sql.bind(organisation_id).all::<LeaveRow>().await?;
    rows.into_iter().map(|row| Ok(row.record()?.content)).collect()
}

/// Deletes a leave.
pub async fn delete_leave(tx: &mut Tx, id: LeaveId) -> Result<()> {
    tx.sql("DELETE FROM leave WHERE id = $1").bind(id).run().await.map(drop)
}

/// The leave of a counsellor that is equal to another.
pub async fn find_equal_leave(tx: &mut Tx, leave: &Leave) -> Result<Option<LeaveId>> {
    let sql = tx.sql("SELECT id FROM leave WHERE counsellor_id = $1 AND starts_at = $2 AND ends_at = $3");
    let sql = sql.bind(leave.counsellor_id).bind(Instant(leave.span.starts_at())).bind(Instant(leave.span.ends_at()));
    Ok(sql.maybe::<(LeaveId,)>().await?.map(|row| row.0))
}
