//! Times that became free, and to whom each was offered. Whoever changes an offer has locked its freed slot.

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::code::Side;
use crate::domain::ids::{
    CounsellorId, FreedSlotId, OrganisationId, SessionId, VenueId, WaitlistEntryId, WaitlistOfferId,
};
use crate::domain::time::Span;
use crate::domain::waitlist::{FreedSlot, Freeing, Offer, OfferEnded, OfferEnding, SlotEnding};

#[derive(sqlx::FromRow)]
struct SlotRow {
    id: FreedSlotId,
    organisation_id: OrganisationId,
    side: Side,
    counsellor_id: CounsellorId,
    venue_id: Option<VenueId>,
    starts_at: Instant,
    ends_at: Instant,
    session_id: SessionId,
    freed_how: Freeing,
    freed_at: Instant,
    closed_how: Option<SlotEnding>,
    closed_at: Option<Instant>,
}

impl TryFrom<SlotRow> for FreedSlot {
    type Error = Error;

    fn try_from(row: SlotRow) -> Result<Self> {
        let wrong = || Error::Inconsistent { table: "freed_slot", what: row.id.to_string() };
        Ok(Self {
            id: row.id,
            organisation_id: row.organisation_id,
            side: row.side,
            counsellor_id: row.counsellor_id,
            venue_id: row.venue_id,
            span: Span::new(row.starts_at.0, row.ends_at.0).ok_or_else(wrong)?,
            session_id: row.session_id,
            freed_how: row.freed_how,
            freed_at: row.freed_at.0,
            closed: row.closed_how.zip(row.closed_at.map(|it| it.0)),
        })
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: WaitlistOfferId,
    organisation_id: OrganisationId,
    side: Side,
    entry_id: WaitlistEntryId,
    freed_slot_id: FreedSlotId,
    session_id: SessionId,
    starts_at: Instant,
    ends_at: Instant,
    offered_at: Instant,
    expires_at: Instant,
    ended_how: Option<OfferEnding>,
    ended_at: Option<Instant>,
    ended_by: Option<String>,
}

impl TryFrom<Row> for Offer {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let wrong = || Error::Inconsistent { table: "waitlist_offer", what: row.id.to_string() };
        let ended = match (row.ended_how, row.ended_at, row.ended_by) {
            (None, None, None) => None,
            (Some(how), Some(at), Some(by)) => Some(OfferEnded { how, at: at.0, by }),
            _ => return Err(wrong()),
        };
        Ok(Self {
            id: row.id,
            organisation_id: row.organisation_id,
            side: row.side,
            entry_id: row.entry_id,
            freed_slot_id: row.freed_slot_id,
            session_id: row.session_id,
            span: Span::new(row.starts_at.0, row.ends_at.0).ok_or_else(wrong)?,
            offered_at: row.offered_at.0,
            expires_at: row.expires_at.0,
            ended,
        })
    }
}

fn offers(rows: Vec<Row>) -> Result<Vec<Offer>> {
    rows.into_iter().map(Offer::try_from).collect()
}

/// Writes a time that became free.
pub async fn insert_slot(tx: &mut Tx, it: &FreedSlot) -> Result<()> {
    tx.sql(
        "INSERT INTO freed_slot (id, organisation_id, side, counsellor_id, venue_id, starts_at, ends_at, session_id,
            freed_how, freed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(it.id)
    .bind(it.organisation_id)
    .bind(it.side)
    .bind(it.counsellor_id)
    .bind(it.venue_id)
    .bind(Instant(it.span.starts_at()))
    .bind(Instant(it.span.ends_at()))
    .bind(it.session_id)
    .bind(it.freed_how)
    .bind(Instant(it.freed_at))
    .run()
    .await
    .map(drop)
}

/// Reads a time that became free.
pub async fn find_slot(tx: &mut Tx, id: FreedSlotId, lock: Lock) -> Result<Option<FreedSlot>> {
    let row = tx.sql_locked("SELECT * FROM freed_slot WHERE id = $1", lock).bind(id).maybe::<SlotRow>().await?;
    row.map(FreedSlot::try_from).transpose()
}

/// The times to come that are neither offered to anybody nor closed, by id.
pub async fn idle_slots(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    side: Side,
    now: Instant,
) -> Result<Vec<FreedSlotId>> {
    let sql = tx.sql(
        "SELECT id FROM freed_slot
          WHERE organisation_id = $1 AND side = $2 AND closed_how IS NULL AND starts_at > $3
            AND NOT EXISTS (SELECT 1 FROM waitlist_offer
                             WHERE waitlist_offer.freed_slot_id = freed_slot.id AND waitlist_offer.ended_how IS NULL)
          ORDER BY id",
    );
    let rows = sql.bind(organisation_id).bind(side).bind(now).all::<(FreedSlotId,)>().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Ends the offering of a time.
pub async fn close_slot(tx: &mut Tx, id: FreedSlotId, how: SlotEnding, at: Instant) -> Result<()> {
    let sql = tx.sql("UPDATE freed_slot SET closed_how = $2, closed_at = $3 WHERE id = $1 AND closed_how IS NULL");
    sql.bind(id).bind(how).bind(at).run().await.map(drop)
}

/// Writes a new offer. [`Error::Conflict`] when the time or the entry has another that is open or accepted, or
/// the time was offered to the entry before.
pub async fn insert(tx: &mut Tx, it: &Offer) -> Result<()> {
    tx.sql(
        "INSERT INTO waitlist_offer (id, organisation_id, side, entry_id, freed_slot_id, session_id, starts_at, ends_at,
            offered_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.organisation_id)
    .bind(it.side)
    .bind(it.entry_id)
    .bind(it.freed_slot_id)
    .bind(it.session_id)
    .bind(Instant(it.span.starts_at()))
    .bind(Instant(it.span.ends_at()))
    .bind(Instant(it.offered_at))
    .bind(Instant(it.expires_at))
    .claim()
    .await
}

/// Ends an open offer; one that has ended is a conflict.
pub async fn end(tx: &mut Tx, id: WaitlistOfferId, ended: &OfferEnded) -> Result<()> {
    tx.sql("UPDATE waitlist_offer SET ended_how = $2, ended_at = $3, ended_by = $4 WHERE id = $1 AND ended_how IS NULL")
        .bind(id)
        .bind(ended.how)
        .bind(Instant(ended.at))
        .bind(ended.by.clone())
        .claim()
        .await
}

/// Reads one offer.
pub async fn find(tx: &mut Tx, id: WaitlistOfferId) -> Result<Option<Offer>> {
    let row = tx.sql("SELECT * FROM waitlist_offer WHERE id = $1").bind(id).maybe::<Row>().await?;
    row.map(Offer::try_from).transpose()
}

/// Every offer of a time, those that have ended too.
pub async fn of_slot(tx: &mut Tx, id: FreedSlotId) -> Result<Vec<Offer>> {
    let sql = tx.sql("SELECT * FROM waitlist_offer WHERE freed_slot_id = $1 ORDER BY offered_at, id");
    offers(sql.bind(id).all::<Row>().await?)
}

/// The open offer to an entry.
pub async fn open_of_entry(tx: &mut Tx, id: WaitlistEntryId) -> Result<Option<Offer>> {
    let sql = tx.sql("SELECT * FROM waitlist_offer WHERE entry_id = $1 AND ended_how IS NULL");
    sql.bind(id).maybe::<Row>().await?.map(Offer::try_from).transpose()
}

/// Open offers of an organisation, or of any, that expire after an instant and id; soonest first.
pub async fn open(
    tx: &mut Tx,
    organisation_id: Option<OrganisationId>,
    after: (Instant, WaitlistOfferId),
    most: i64,
) -> Result<Vec<Offer>> {
    let sql = tx.sql(
        "SELECT * FROM waitlist_offer
          WHERE ended_how IS NULL AND (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
            AND (expires_at, id) > ($2, $3)
          ORDER BY expires_at, id LIMIT $4",
    );
    offers(sql.bind(organisation_id).bind(after.0).bind(after.1).bind(most).all::<Row>().await?)
}
