//! Organisations, sites, venues, rooms.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use chrono_tz::Tz;
use sqlx::types::Json;
use uuid::Uuid;

use super::codec::Zone;
use super::error::{Error, Result};
use super::noun::{Head, Keyed, Listing, Stored};
use super::sql::{Asked, Sql};
use super::tx::{Lock, Tx};
use crate::domain::directory::{Organisation, OrganisationKind, Room, SideHours, Site, Venue};
use crate::domain::ids::{HolidayCalendarId, OrganisationId, RoomId, SiteId, VenueId};
use crate::domain::noun::Record;
use crate::domain::text::Code;

#[derive(sqlx::FromRow)]
struct OrganisationRow {
    #[sqlx(flatten)]
    head: Head,
    code: Code,
    name: String,
    kind: OrganisationKind,
    district: Code,
    notice_minutes: i64,
    horizon_days: i64,
}

impl From<OrganisationRow> for Record<Organisation> {
    fn from(row: OrganisationRow) -> Self {
        row.head.record(Organisation {
            code: row.code,
            name: row.name,
            kind: row.kind,
            district: row.district,
            notice_for: TimeDelta::minutes(row.notice_minutes),
            horizon_for: TimeDelta::days(row.horizon_days),
        })
    }
}

fn bind_organisation<'t>(sql: Sql<'t>, it: &Record<Organisation>) -> Sql<'t> {
    let sql = sql.bind_head(it).bind(it.code.clone()).bind(it.name.clone()).bind(it.kind).bind(it.district.clone());
    sql.bind(it.notice_for.num_minutes()).bind(it.horizon_for.num_days())
}

impl Stored for Organisation {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO organisation (id, version, created_at, updated_at, code, name, kind, district, notice_minutes,
                horizon_days)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        bind_organisation(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE organisation SET version = $2, created_at = $3, updated_at = $4, code = $5, name = $6,
                kind = $7, district = $8, notice_minutes = $9, horizon_days = $10 WHERE id = $1",
        );
        bind_organisation(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: OrganisationId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM organisation WHERE id = $1", lock).bind(id).record::<OrganisationRow, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT * FROM organisation
              WHERE (CAST($1 AS UUID) IS NULL OR id = $1) AND (CAST($2 AS UUID) IS NULL OR id = $2)
                AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<OrganisationRow, _>()
        .await
    }

    async fn visible(_tx: &mut Tx, it: &Record<Self>, to: OrganisationId) -> Result<bool> {
        Ok(it.id == to)
    }
}

impl Keyed for Organisation {
    async fn find_by_code(tx: &mut Tx, _within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        tx.sql("SELECT * FROM organisation WHERE code = $1").bind(code).record::<OrganisationRow, _>().await
    }
}

#[derive(sqlx::FromRow)]
struct SiteRow {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    code: Code,
    name: String,
    zone: Zone,
    district: Code,
    separation_gap_minutes: i64,
    holiday_calendar_id: Option<HolidayCalendarId>,
    timetable: Json<Vec<SideHours>>,
}

impl From<SiteRow> for Record<Site> {
    fn from(row: SiteRow) -> Self {
        row.head.record(Site {
            organisation_id: row.organisation_id,
            code: row.code,
            name: row.name,
            zone: row.zone.0,
            district: row.district,
            separation_gap_for: TimeDelta::minutes(row.separation_gap_minutes),
            holiday_calendar_id: row.holiday_calendar_id,
            timetable: row.timetable.0,
        })
    }
}

fn bind_site<'t>(sql: Sql<'t>, it: &Record<Site>) -> Sql<'t> {
    sql.bind_head(it)
        .bind(it.organisation_id)
        .bind(it.code.clone())
        .bind(it.name.clone())
        .bind(Zone(it.zone))
        .bind(it.district.clone())
        .bind(it.separation_gap_for.num_minutes())
        .bind(it.holiday_calendar_id)
        .bind(Json(it.timetable.clone()))
}

impl Stored for Site {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO site (id, version, created_at, updated_at, organisation_id, code, name, zone, district,
                separation_gap_minutes, holiday_calendar_id, timetable)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        );
        bind_site(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE site SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5, code = $6,
                name = $7, zone = $8, district = $9, separation_gap_minutes = $10, holiday_calendar_id = $11,
                timetable = $12
              WHERE id = $1",
        );
        bind_site(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: SiteId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM site WHERE id = $1", lock).bind(id).record::<SiteRow, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT * FROM site
              WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1
                     OR EXISTS (SELECT 1 FROM venue WHERE site_id = site.id AND venue.organisation_id = $1))
                AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<SiteRow, _>()
        .await
    }

    /// An organisation knows its own sites and those on which it has a venue.
    async fn visible(tx: &mut Tx, it: &Record<Self>, to: OrganisationId) -> Result<bool> {
        let venue = tx.sql("SELECT id FROM venue WHERE site_id = $1 AND organisation_id = $2 LIMIT 1");
        Ok(it.organisation_id == to || venue.bind(it.id).bind(to).maybe::<(Uuid,)>().await?.is_some())
    }
}

impl Keyed for Site {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM site WHERE organisation_id = $1 AND code = $2");
        sql.bind(within).bind(code).record::<SiteRow, _>().await
    }
}

#[derive(sqlx::FromRow)]
struct VenueRow {
    #[sqlx(flatten)]
    head: Head,
    organisation_id: OrganisationId,
    code: Code,
    name: String,
    site_id: SiteId,
    shared: bool,
}

impl From<VenueRow> for Record<Venue> {
    fn from(row: VenueRow) -> Self {
        let VenueRow { head, organisation_id, code, name, site_id, shared } = row;
        head.record(Venue { organisation_id, code, name, site_id, shared })
    }
}

fn bind_venue<'t>(sql: Sql<'t>, it: &Record<Venue>) -> Sql<'t> {
    let sql = sql.bind_head(it).bind(it.organisation_id).bind(it.code.clone()).bind(it.name.clone());
    sql.bind(it.site_id).bind(it.shared)
}

impl Stored for Venue {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO venue (id, version, created_at, updated_at, organisation_id, code, name, site_id, shared)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        bind_venue(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE venue SET version = $2, created_at = $3, updated_at = $4, organisation_id = $5, code = $6,
                name = $7, site_id = $8, shared = $9 WHERE id = $1",
        );
        bind_venue(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: VenueId, lock: Lock) -> Result<Option<Record<Self>>> {
        tx.sql_locked("SELECT * FROM venue WHERE id = $1", lock).bind(id).record::<VenueRow, _>().await
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        tx.sql(
            "SELECT * FROM venue
              WHERE (CAST($1 AS UUID) IS NULL OR organisation_id = $1 OR shared = TRUE)
                AND (CAST($2 AS UUID) IS NULL OR organisation_id = $2)
                AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind_listing(listing)
        .records::<VenueRow, _>()
        .await
    }

    /// An organisation knows its own venues and those that others share.
    async fn visible(_tx: &mut Tx, it: &Record<Self>, to: OrganisationId) -> Result<bool> {
        Ok(it.shared || it.organisation_id == to)
    }
}

impl Keyed for Venue {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM venue WHERE organisation_id = $1 AND code = $2");
        sql.bind(within).bind(code).record::<VenueRow, _>().await
    }
}

#[derive(sqlx::FromRow)]
struct RoomRow {
    #[sqlx(flatten)]
    head: Head,
    venue_id: VenueId,
    code: Code,
    name: String,
    capacity: Option<i64>,
}

impl RoomRow {
    fn room(self) -> Result<Record<Room>> {
        let RoomRow { head, venue_id, code, name, capacity } = self;
        let wrong = |_| Error::Inconsistent { table: "room", what: head.id.to_string() };
        let capacity = capacity.map(u32::try_from).transpose().map_err(wrong)?;
        Ok(head.record(Room { venue_id, code, name, capacity }))
    }
}

fn bind_room<'t>(sql: Sql<'t>, it: &Record<Room>) -> Sql<'t> {
    let sql = sql.bind_head(it).bind(it.venue_id).bind(it.code.clone()).bind(it.name.clone());
    sql.bind(it.capacity.map(i64::from))
}

impl Stored for Room {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "INSERT INTO room (id, version, created_at, updated_at, venue_id, code, name, capacity)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        );
        bind_room(sql, it).run().await.map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        let sql = tx.sql(
            "UPDATE room SET version = $2, created_at = $3, updated_at = $4, venue_id = $5, code = $6, name = $7,
                capacity = $8 WHERE id = $1",
        );
        bind_room(sql, it).run().await.map(drop)
    }

    async fn find(tx: &mut Tx, id: RoomId, lock: Lock) -> Result<Option<Record<Self>>> {
        let row = tx.sql_locked("SELECT * FROM room WHERE id = $1", lock).bind(id).maybe::<RoomRow>().await?;
        row.map(RoomRow::room).transpose()
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let sql = tx.sql(
            "SELECT room.* FROM room JOIN venue ON venue.id = room.venue_id
              WHERE (CAST($1 AS UUID) IS NULL OR venue.organisation_id = $1 OR venue.shared = TRUE)
                AND (CAST($2 AS UUID) IS NULL OR room.venue_id = $2)
                AND room.id > $3 ORDER BY room.id LIMIT $4",
        );
        sql.bind_listing(listing).all::<RoomRow>().await?.into_iter().map(RoomRow::room).collect()
    }

    async fn owner(tx: &mut Tx, it: &Self) -> Result<Option<OrganisationId>> {
        let sql = tx.sql("SELECT organisation_id FROM venue WHERE id = $1");
        Ok(sql.bind(it.venue_id).maybe::<(OrganisationId,)>().await?.map(|row| row.0))
    }

    async fn visible(tx: &mut Tx, it: &Record<Self>, to: OrganisationId) -> Result<bool> {
        match Venue::find(tx, it.venue_id, Lock::None).await? {
            Some(venue) => Venue::visible(tx, &venue, to).await,
            None => Ok(false),
        }
    }
}

impl Keyed for Room {
    async fn find_by_code(tx: &mut Tx, within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM room WHERE venue_id = $1 AND code = $2");
        sql.bind(within).bind(code).maybe::<RoomRow>().await?.map(RoomRow::room).transpose()
    }
}

/// The sites of an organisation.
pub async fn sites_of(tx: &mut Tx, organisation_id: OrganisationId) -> Result<Vec<Record<Site>>> {
    tx.sql("SELECT * FROM site WHERE organisation_id = $1").bind(organisation_id).records::<SiteRow, _>().await
}

/// The zone of an organisation's sites; of the oldest, should they differ. None as long as it has no site.
pub async fn zone_of(tx: &mut Tx, organisation_id: OrganisationId) -> Result<Option<Tz>> {
    let sql = tx.sql("SELECT zone FROM site WHERE organisation_id = $1 ORDER BY id LIMIT 1");
    Ok(sql.bind(organisation_id).maybe::<(Zone,)>().await?.map(|row| row.0.0))
}

/// The venues of an organisation, and others by id.
pub async fn venues(tx: &mut Tx, organisation_id: OrganisationId, others: &[VenueId]) -> Result<Vec<Record<Venue>>> {
    let sql = tx.sql_each("SELECT * FROM venue WHERE organisation_id = $1 OR id IN ({ids})", others.len());
    sql.bind(organisation_id).bind_ids(others).records::<VenueRow, _>().await
}

/// The rooms of venues, by code.
pub async fn rooms(tx: &mut Tx, venues: &[VenueId]) -> Result<Vec<Record<Room>>> {
    let sql = tx.sql_each("SELECT * FROM room WHERE venue_id IN ({ids}) ORDER BY code, id", venues.len());
    sql.bind_ids(venues).all::<RoomRow>().await?.into_iter().map(RoomRow::room).collect()
}

/// The rooms of an organisation's venues, by code.
pub async fn rooms_of(tx: &mut Tx, organisation_id: OrganisationId) -> Result<Vec<Record<Room>>> {
    let sql = tx.sql(
        "SELECT room.* FROM room JOIN venue ON venue.id = room.venue_id
          WHERE venue.organisation_id = $1 ORDER BY room.code, room.id",
    );
    sql.bind(organisation_id).all::<RoomRow>().await?.into_iter().map(RoomRow::room).collect()
}

/// Whose the venues of an organisation are, and others by id, and whose their sites.
pub async fn owners_of(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    others: &[VenueId],
) -> Result<BTreeSet<OrganisationId>> {
    let sql = tx.sql_each(
        "SELECT venue.organisation_id, site.organisation_id FROM venue JOIN site ON site.id = venue.site_id
          WHERE venue.organisation_id = $1 OR venue.id IN ({ids})",
        others.len(),
    );
    let rows = sql.bind(organisation_id).bind_ids(others).all::<(OrganisationId, OrganisationId)>().await?;
    Ok(rows.into_iter().flat_map(|(of_venue, of_site)| [of_venue, of_site]).collect())
}

/// Keeps a venue and its site from changing; says whose they are.
pub fn hold_venue(tx: &mut Tx, id: VenueId) -> Asked<Option<(OrganisationId, OrganisationId)>> {
    let sql = tx.sql_locked(
        "SELECT venue.organisation_id, site.organisation_id FROM venue JOIN site ON site.id = venue.site_id
          WHERE venue.id = $1",
        Lock::Share,
    );
    sql.bind(id).ask().map(|rows| rows.into_iter().next())
}
