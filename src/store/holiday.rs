//! Holiday calendars, their days, and what their days were in earlier versions.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::noun::{Head, Keyed, Listing, Stored};
use super::sql::Sql;
use super::tx::{Lock, Tx};
use crate::domain::directory::HolidayCalendar;
use crate::domain::ids::{ClientId, HolidayCalendarId, OrganisationId, SiteId};
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
        let holidays = days_in(tx, HolidayCalendarId(self.head.id), self.head.version).await?;
        Ok(self.with(holidays))
    }

    fn with(self, holidays: BTreeMap<NaiveDate, String>) -> Record<HolidayCalendar> {
        let Row { head, organisation_id, code, name } = self;
        head.record(HolidayCalendar { organisation_id, code, name, holidays })
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
        write_version(tx, it, &BTreeMap::new()).await
    }

    /// Writes only the days that differ from those of the version before.
    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE holiday_calendar SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5,
                code = $6, name = $7 WHERE id = $1",
        );
        bind(sql, it).run().await?;
        let before = days_in(tx, it.id, it.version - 1).await?;
        write_version(tx, it, &before).await
    }

    async fn find(tx: &mut Tx, id: HolidayCalendarId, lock: Lock) -> Result<Option<Record<Self>>> {
        match tx.sql_locked("SELECT * FROM holiday_calendar WHERE id = $1", lock).bind(id).maybe::<Row>().await? {
            Some(row) => row.with_days(tx).await.map(Some),
            None => Ok(None),
        }
    }

    /// Without the days, of which a page of calendars could have millions.
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
        Ok(rows.into_iter().map(|row| row.with(BTreeMap::new())).collect())
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

async fn write_version(tx: &mut Tx, it: &Record<HolidayCalendar>, before: &BTreeMap<NaiveDate, String>) -> Result<()> {
    tx.sql("INSERT INTO holiday_calendar_version (holiday_calendar_id, version, written_at) VALUES ($1, $2, $3)")
        .bind(it.id)
        .bind(it.version)
        .bind(Instant(it.updated_at))
        .run()
        .await?;
    for (day, _) in before.iter().filter(|(day, name)| it.holidays.get(day) != Some(name)) {
        close_day(tx, it, *day).await?;
    }
    for (day, name) in it.holidays.iter().filter(|(day, name)| before.get(day) != Some(name)) {
        open_day(tx, it, *day, name).await?;
    }
    Ok(())
}

async fn close_day(tx: &mut Tx, it: &Record<HolidayCalendar>, day: NaiveDate) -> Result<()> {
    let sql = tx.sql(
        "UPDATE holiday SET until_version = $3
          WHERE holiday_calendar_id = $1 AND on_date = $2 AND until_version IS NULL",
    );
    sql.bind(it.id).bind(day).bind(it.version).run().await.map(drop)
}

async fn open_day(tx: &mut Tx, it: &Record<HolidayCalendar>, day: NaiveDate, name: &str) -> Result<()> {
    tx.sql("INSERT INTO holiday (holiday_calendar_id, on_date, since_version, name) VALUES ($1, $2, $3, $4)")
        .bind(it.id)
        .bind(day)
        .bind(it.version)
        .bind(name.to_owned())
        .run()
        .await
        .map(drop)
}

/// The days that a version of a calendar had.
pub async fn days_in(tx: &mut Tx, id: HolidayCalendarId, version: i64) -> Result<BTreeMap<NaiveDate, String>> {
    let sql = tx.sql(
        "SELECT on_date, name FROM holiday
          WHERE holiday_calendar_id = $1 AND since_version <= $2
            AND (until_version IS NULL OR until_version > $2)",
    );
    Ok(sql.bind(id).bind(version).all::<(NaiveDate, String)>().await?.into_iter().collect())
}

/// When a version of a calendar was written.
pub async fn written_at(tx: &mut Tx, id: HolidayCalendarId, version: i64) -> Result<Option<DateTime<Utc>>> {
    let sql = tx.sql("SELECT written_at FROM holiday_calendar_version WHERE holiday_calendar_id = $1 AND version = $2");
    Ok(sql.bind(id).bind(version).maybe::<(Instant,)>().await?.map(|row| row.0.0))
}

/// The version that a calendar had at an instant; none before it was created.
pub async fn version_at(tx: &mut Tx, id: HolidayCalendarId, at: DateTime<Utc>) -> Result<Option<i64>> {
    let sql = tx.sql(
        "SELECT version FROM holiday_calendar_version WHERE holiday_calendar_id = $1 AND written_at <= $2
          ORDER BY version DESC LIMIT 1",
    );
    Ok(sql.bind(id).bind(Instant(at)).maybe::<(i64,)>().await?.map(|row| row.0))
}

/// The present days of calendars between two, both included.
pub async fn days_of(
    tx: &mut Tx,
    calendars: &[HolidayCalendarId],
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(HolidayCalendarId, NaiveDate)>> {
    tx.sql_each(
        "SELECT holiday_calendar_id, on_date FROM holiday
          WHERE until_version IS NULL AND on_date BETWEEN $1 AND $2 AND holiday_calendar_id IN ({ids})",
        calendars.len(),
    )
    .bind(first)
    .bind(last)
    .bind_ids(calendars)
    .all()
    .await
}

/// The present days of an organisation's calendars.
pub async fn days_of_organisation(
    tx: &mut Tx,
    organisation_id: OrganisationId,
) -> Result<Vec<(HolidayCalendarId, NaiveDate)>> {
    tx.sql(
        "SELECT holiday_calendar_id, on_date FROM holiday
           JOIN holiday_calendar ON holiday_calendar.id = holiday.holiday_calendar_id
          WHERE until_version IS NULL AND organisation_id = $1",
    )
    .bind(organisation_id)
    .all()
    .await
}

/// The sites that name a calendar, in the order in which everybody locks them.
pub async fn sites_of(tx: &mut Tx, id: HolidayCalendarId) -> Result<Vec<SiteId>> {
    let sql = tx.sql("SELECT id FROM site WHERE holiday_calendar_id = $1 ORDER BY id");
    Ok(sql.bind(id).all::<(SiteId,)>().await?.into_iter().map(|row| row.0).collect())
}

/// The calendar of the site of a client's preferred venue, if there is one.
pub async fn calendar_for(tx: &mut Tx, client_id: ClientId) -> Result<Option<HolidayCalendarId>> {
    let sql = tx.sql(
        "SELECT site.holiday_calendar_id FROM client JOIN venue ON venue.id = client.preferred_venue_id
           JOIN site ON site.id = venue.site_id WHERE client.id = $1",
    );
    Ok(sql.bind(client_id).maybe::<(Option<HolidayCalendarId>,)>().await?.and_then(|row| row.0))
}
