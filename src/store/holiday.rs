//! Holiday calendars and their days.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::db::{Lock, Sql, Tx};
use super::error::Result;
use super::noun::{Head, Keyed, Listing, Stored};
use crate::domain::directory::HolidayCalendar;
use crate::domain::ids::{HolidayCalendarId, OrganisationId, SiteId};
use crate::domain::noun::Record;
use crate::domain::text::Code;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    code: Code,
    name: String,
}

impl Row {
    async fn with_days(self, tx: &mut Tx) -> Result<Record<HolidayCalendar>> {
        let id = HolidayCalendarId(self.head.id);
        let holidays = days(tx, id, NaiveDate::MIN, NaiveDate::MAX).await?;
        let Row { head, organisation_id, code, name } = self;
        Ok(head.record(HolidayCalendar { organisation_id, code, name, holidays }))
    }
}

fn bind<'t>(sql: Sql<'t>, it: &Record<HolidayCalendar>) -> Sql<'t> {
    sql.bind_head(it).bind(it.organisation_id).bind(it.code.clone()).bind(it.name.clone())
}

impl Stored for HolidayCalendar {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO holiday_calendar (id, version, created_at, updated_at, organisation_id, code, name)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        bind(sql, it).run().await?;
        insert_days(tx, it).await
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE holiday_calendar SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5,
                code = $6, name = $7 WHERE id = $1",
        );
        bind(sql, it).run().await?;
        tx.sql("DELETE FROM holiday WHERE holiday_calendar_id = $1").bind(it.id).run().await?;
        insert_days(tx, it).await
    }

    async fn find(tx: &mut Tx, id: HolidayCalendarId, lock: Lock) -> Result<Option<Record<Self>>> {
        match tx.sql_locked("SELECT * FROM holiday_calendar WHERE id = $1", lock).bind(id).maybe::<Row>().await? {
            Some(row) => row.with_days(tx).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let rows = tx
            .sql(
                "SELECT * FROM holiday_calendar
                  WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                    AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                    AND id > $3 ORDER BY id LIMIT $4",
            )
            .bind_listing(listing)
            .all::<Row>()
            .await?;
        let mut calendars = Vec::with_capacity(rows.len());
        for row in rows {
            calendars.push(row.with_days(tx).await?);
        }
        Ok(calendars)
    }
}

impl Keyed for HolidayCalendar {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM holiday_calendar WHERE organisation_id = $1 AND code = $2");
        match sql.bind(within).bind(code).maybe::<Row>().await? {
            Some(row) => row.with_days(tx).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn insert_days(tx: &mut Tx, it: &Record<HolidayCalendar>) -> Result<()> {
    for (day, name) in &it.holidays {
        tx.sql("INSERT INTO holiday (holiday_calendar_id, on_date, name) VALUES ($1, $2, $3)")
            .bind(it.id)
            .bind(*day)
            .bind(name.clone())
            .run()
            .await?;
    }
    Ok(())
}

/// The days of a calendar between two, both included.
pub async fn days(
    tx: &mut Tx,
    id: HolidayCalendarId,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<BTreeMap<NaiveDate, String>> {
    let (first, last) = (first.max(EARLIEST), last.min(LATEST));
    let sql = tx.sql("SELECT on_date, name FROM holiday WHERE holiday_calendar_id = $1 AND on_date BETWEEN $2 AND $3");
    let rows = sql.bind(id).bind(first).bind(last).all::<(NaiveDate, String)>().await?;
    Ok(rows.into_iter().collect())
}

/// The days of calendars between two, both included.
pub async fn days_of(
    tx: &mut Tx,
    calendars: &[HolidayCalendarId],
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(HolidayCalendarId, NaiveDate)>> {
    tx.sql_each(
        "SELECT holiday_calendar_id, on_date FROM holiday
          WHERE on_date BETWEEN $1 AND $2 AND holiday_calendar_id IN ({ids})",
        calendars.len(),
    )
    .bind(first)
    .bind(last)
    .bind_ids(calendars)
    .all()
    .await
}

/// The sites that name a calendar, in the order in which everybody locks them.
pub async fn sites_of(tx: &mut Tx, id: HolidayCalendarId) -> Result<Vec<SiteId>> {
    let sql = tx.sql("SELECT id FROM site WHERE holiday_calendar_id = $1 ORDER BY id");
    Ok(sql.bind(id).all::<(SiteId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// Four-digit years, in which the order of the text is the order of the dates.
const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1000, 1, 1).unwrap();
const LATEST: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
