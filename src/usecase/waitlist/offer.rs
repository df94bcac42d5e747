//! Offers a time that became free to the best of those who wait for it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::age::{adult_from, is_child};
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Organisation, Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, FreedSlotId, Id, WaitlistEntryId, WaitlistOfferId};
use crate::domain::noun::Record;
use crate::domain::rules::{Facts, Occasion};
use crate::domain::session::{State, Wanted};
use crate::domain::time::local_day;
use crate::domain::waitlist::{Entry, FreedSlot, Offer, Opening, Rank, SlotEnding};
use crate::store::client::Subject;
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::{Lock, client, offer, waitlist};
use crate::usecase::error::{Error, Result};
use crate::usecase::facts::{self, Ask, Directories, Places};
use crate::usecase::job::Job;
use crate::usecase::session::{LOOKS, crowded, forget_expired};
use crate::usecase::waitlist::{ExpireOffer, find};
use crate::usecase::work::Work;
use crate::usecase::world::World;

/// Offers a freed slot to the first who waits and may have it: a hold, and an offer of it. When nobody is
/// left, it is closed; but not while somebody who was not asked has an offer of another time, which may end
/// without a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfferSlot {
    /// Which.
    pub freed_slot_id: FreedSlotId,
    /// Who could not have it when it came to that.
    pub passed_over: Vec<WaitlistEntryId>,
}

impl Job for OfferSlot {
    const KIND: &'static str = "offer_slot";

    async fn before(&self, world: &World) -> Result<()> {
        forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let Some(slot) = offer::find_slot(&mut work.tx, self.freed_slot_id, Lock::Update).await? else { return Ok(()) };
        let before = offer::of_slot(&mut work.tx, slot.id).await?;
        if slot.closed.is_some() || before.iter().any(|it| it.ended.is_none()) {
            return Ok(());
        }
        work.touched(slot.id.uuid());
        let asked = before.iter().map(|it| it.entry_id).chain(self.passed_over.iter().copied()).collect();
        let Some(chance) = best(work, &slot, asked).await? else {
            if !others_are_asked(work, &slot, &before).await? {
                offer::close_slot(&mut work.tx, slot.id, SlotEnding::Nobody, Instant(work.now)).await?;
            }
            return Ok(());
        };
        if hold(work, &slot, &chance).await? {
            return Ok(());
        }
        // What was true a moment ago is no more. Not here and now: whoever looks at the next one in this
        // transaction locks clients after counsellors.
        let mut next = self.clone();
        next.passed_over.push(chance.entry_id);
        work.enqueue(&next, work.now).await
    }
}

/// Whether somebody who was not asked for a slot has an open offer of another.
async fn others_are_asked(work: &mut Work<'_>, slot: &FreedSlot, before: &[Offer]) -> Result<bool> {
    let open = offer::open(&mut work.tx, Some(slot.organisation_id), FIRST, i64::MAX).await?;
    let asked = |id: WaitlistEntryId| before.iter().any(|it| it.entry_id == id);
    Ok(open.iter().any(|it| it.side == slot.side && !asked(it.entry_id)))
}

/// What somebody who waits could be offered.
struct Chance {
    entry_id: WaitlistEntryId,
    wanted: Wanted,
    expires_at: DateTime<Utc>,
}

/// The first who waits and may have some of a freed slot, by what is known without a lock.
async fn best(work: &mut Work<'_>, slot: &FreedSlot, asked: Vec<WaitlistEntryId>) -> Result<Option<Chance>> {
    let Some((at, counsellor)) = opening(work, slot).await? else { return Ok(None) };
    let organisation = Organisation::find(&mut work.tx, slot.organisation_id, Lock::None).await?;
    let notice_for = organisation.map_or(TimeDelta::zero(), |it| it.notice_for);
    for (_, entry, subject) in in_order(work, slot, &at, &asked).await? {
        let (now, times) = (work.now, entry.times_in(&at, slot.span));
        let expiry = |start| Offer::expiry(now, start, notice_for);
        let times: Vec<_> = times.into_iter().filter_map(|span| Some((span, expiry(span.starts_at())?))).collect();
        if times.is_empty() {
            continue;
        }
        let facts = about(work, slot, counsellor.id, &subject).await?;
        for (span, expires_at) in times {
            let wanted = entry.wanted(&at, span);
            if wanted.is_allowed(&facts) {
                return Ok(Some(Chance { entry_id: entry.id, wanted, expires_at }));
            }
        }
    }
    Ok(None)
}

/// Where a freed slot is; none when its place is not to be used any more.
async fn opening(work: &mut Work<'_>, slot: &FreedSlot) -> Result<Option<(Opening, Record<Counsellor>)>> {
    let Some(counsellor) = Counsellor::find(&mut work.tx, slot.counsellor_id, Lock::None).await? else {
        return Ok(None);
    };
    let (counsellor_id, venue_id) = (slot.counsellor_id, slot.venue_id);
    let Some(id) = venue_id else {
        let at = Opening { counsellor_id, venue_id, district: None, zone: counsellor.zone };
        return Ok(Some((at, counsellor)));
    };
    let Some(venue) = Venue::find(&mut work.tx, id, Lock::None).await? else { return Ok(None) };
    let site = Site::find(&mut work.tx, venue.site_id, Lock::None).await?;
    Ok(site.map(|site| {
        let at = Opening { counsellor_id, venue_id, district: Some(site.district.clone()), zone: site.zone };
        (at, counsellor)
    }))
}

/// Who waits, has no offer and was not asked before, in the order of the waitlist on the day of the slot.
async fn in_order(
    work: &mut Work<'_>,
    slot: &FreedSlot,
    at: &Opening,
    asked: &[WaitlistEntryId],
) -> Result<Vec<(Rank, Entry, Subject)>> {
    let mut entries = waitlist::waiting(&mut work.tx, Some(slot.organisation_id), Some(slot.side)).await?;
    let open = offer::open(&mut work.tx, Some(slot.organisation_id), FIRST, i64::MAX).await?;
    entries.retain(|it| !asked.contains(&it.id) && !open.iter().any(|offer| offer.entry_id == it.id));
    let ids: Vec<ClientId> = entries.iter().map(|it| it.attendee.client_id).collect();
    let subjects = client::subjects(&mut work.tx, &ids).await?;
    let day = local_day(slot.span.starts_at(), at.zone);
    let with_subject = |entry: Entry| {
        let subject = subjects.iter().find(|it| it.id == entry.attendee.client_id)?.clone();
        let child = is_child(adult_from(&subject.born_on), entry.side, day);
        Some((entry.rank(child), entry, subject))
    };
    let mut all: Vec<_> = entries.into_iter().filter_map(with_subject).collect();
    all.sort_unstable_by_key(|(rank, ..)| *rank);
    Ok(all)
}

/// Before every offer.
pub(super) const FIRST: (Instant, WaitlistOfferId) =
    (Instant(DateTime::UNIX_EPOCH), WaitlistOfferId(uuid::Uuid::nil()));

async fn about(work: &mut Work<'_>, slot: &FreedSlot, counsellor_id: CounsellorId, subject: &Subject) -> Result<Facts> {
    let directories = Directories::around(work.world, &mut work.tx, slot.organisation_id, slot.venue_id).await?;
    let ask = Ask {
        now: work.now,
        organisation_id: slot.organisation_id,
        side: slot.side,
        clients: std::slice::from_ref(subject),
        unlinked: false,
        directories: &directories,
        counsellors: directories.counsellor(counsellor_id).into_iter().collect(),
        places: slot.venue_id.map_or(Places::REMOTE, Places::venue),
        district: None,
        around: slot.span,
        except: None,
        occasion: Occasion::Placing,
    };
    facts::load(&mut work.tx, ask).await
}

/// Holds the time for an entry, by every rule and under the locks of whatever places a session; false when it
/// cannot have it any more.
async fn hold(work: &mut Work<'_>, slot: &FreedSlot, chance: &Chance) -> Result<bool> {
    let entry = find(work, chance.entry_id, Lock::Update).await?;
    if entry.ended.is_some() || offer::open_of_entry(&mut work.tx, entry.id).await?.is_some() {
        return Ok(false);
    }
    match place(work, slot, chance).await {
        Ok(()) => Ok(true),
        Err(Error::Refused(_) | Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn place(work: &mut Work<'_>, slot: &FreedSlot, chance: &Chance) -> Result<()> {
    let Chance { entry_id, ref wanted, expires_at } = *chance;
    let scene = wanted.scene(work).await?;
    let id: WaitlistOfferId = work.world.id();
    for _ in 0..LOOKS {
        let mut draft = wanted.judge(work, &scene, None, Occasion::Placing).await?;
        draft.session.state = State::Held { until: expires_at, by: Offer::holder(id), number: 1 };
        if scene.claim(work, &draft).await? {
            let offer = Offer {
                id,
                organisation_id: slot.organisation_id,
                side: slot.side,
                entry_id,
                freed_slot_id: slot.id,
                session_id: draft.session.id,
                span: draft.session.span,
                offered_at: work.now,
                expires_at,
                ended: None,
            };
            offer::insert(&mut work.tx, &offer).await?;
            work.touched(entry_id.uuid());
            work.touched(id.uuid());
            work.touched(draft.session.id.uuid());
            return work.enqueue(&ExpireOffer { offer_id: id }, expires_at).await;
        }
    }
    Err(crowded())
}
