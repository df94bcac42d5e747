//! Who joins the waitlist, and who leaves it.

use uuid::Uuid;

use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{ClientId, Id, WaitlistEntryId};
use crate::domain::noun::Noun;
use crate::domain::party::Attendee;
use crate::domain::waitlist::{Entry, EntryEnded, OfferEnding, Wishes};
use crate::store::noun::Stored;
use crate::store::{self, Lock, client, offer, waitlist};
use crate::usecase::error::{Error, Result};
use crate::usecase::facts::Directories;
use crate::usecase::session::{FindSlots, check_own, own_client};
use crate::usecase::waitlist::answer::meanwhile;
use crate::usecase::waitlist::{WORD, end, find, lock};
use crate::usecase::work::{Mutation, Work};

/// Puts a client on the waitlist, for one session.
#[derive(Clone, Debug)]
pub struct JoinWaitlist {
    /// Who waits.
    pub attendee: Attendee,
    /// What the client waits for; its window means nothing.
    pub wanted: FindSlots,
    /// Which times will do, beside that.
    pub wishes: Wishes,
    /// An escalation is open.
    pub escalated: bool,
}

impl Mutation for JoinWaitlist {
    type Answer = Entry;

    async fn run(&self, work: &mut Work<'_>) -> Result<Entry> {
        let wanted = &self.wanted;
        work.touched(self.attendee.client_id.uuid());
        // Nobody gives the client away meanwhile.
        client::outline(&mut work.tx, self.attendee.client_id, Lock::Share).await?;
        let client = own_client(&mut work.tx, work.call, self.attendee.client_id).await?;
        let (own, venue_id) = (client.organisation_id, wanted.venue_id);
        let directories = Directories::around(work.world, &mut work.tx, own, venue_id).await?;
        check_own(&mut work.tx, &directories, own, wanted).await?;
        if wanted.service.side() != Some(client.side) {
            return Err(Error::field("service", "must be a service for the client's side"));
        }
        if let Some(id) = wanted.counsellor_id {
            let counsellor = Counsellor::find(&mut work.tx, id, Lock::None).await?;
            if counsellor.is_none_or(|it| it.side != client.side) {
                return Err(Error::NotFound(Counsellor::WORD));
            }
        }
        let entry = Entry {
            id: work.world.id(),
            version: 1,
            organisation_id: client.organisation_id,
            side: client.side,
            attendee: self.attendee.clone(),
            service: wanted.service,
            length: wanted.length,
            wishes: self.wishes.clone(),
            escalated: self.escalated,
            joined_at: work.now,
            ended: None,
        };
        work.touched(entry.id.uuid());
        match waitlist::insert(&mut work.tx, &entry).await {
            Err(store::Error::Conflict) => Err(Error::Precondition {
                reason: "ALREADY_WAITING",
                says: "the client waits for this service already",
                subjects: waiting(work, client.id, &entry).await?,
            }),
            inserted => Ok(inserted.map(|()| entry)?),
        }
    }

    fn result_id(&self, answer: &Entry) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Entry> {
        find(work, WaitlistEntryId(result_id), Lock::None).await
    }
}

/// The entry that stands in the way of a new one.
async fn waiting(work: &mut Work<'_>, client_id: ClientId, new: &Entry) -> Result<Vec<Uuid>> {
    let all = waitlist::waiting(&mut work.tx, Some(new.organisation_id), Some(new.side)).await?;
    let same = |it: &&Entry| it.attendee.client_id == client_id && it.service == new.service;
    Ok(all.iter().filter(same).map(|it| it.id.uuid()).collect())
}

/// Takes a client off the waitlist; an open offer is withdrawn, and the next is asked.
#[derive(Clone, Copy, Debug)]
pub struct LeaveWaitlist {
    /// Which wait.
    pub entry_id: WaitlistEntryId,
    /// The version last read, when it matters.
    pub version: Option<i64>,
}

impl Mutation for LeaveWaitlist {
    type Answer = Entry;

    async fn run(&self, work: &mut Work<'_>) -> Result<Entry> {
        work.touched(self.entry_id.uuid());
        let seen = find(work, self.entry_id, Lock::None).await?;
        work.call.manages(Some(seen.organisation_id), WORD)?;
        work.touched(seen.attendee.client_id.uuid());
        let offered = offer::open_of_entry(&mut work.tx, seen.id).await?;
        if let Some(offer) = &offered {
            lock(work, offer).await?;
        }
        let entry = find(work, self.entry_id, Lock::Update).await?;
        if self.version.is_some_and(|version| version != entry.version) {
            return Err(Error::EtagMismatch(WORD));
        }
        if entry.ended.is_some() {
            return Err(Error::Precondition {
                reason: "NOT_WAITING",
                says: "the client waits no more",
                subjects: Vec::new(),
            });
        }
        let open = offer::open_of_entry(&mut work.tx, entry.id).await?;
        if open.as_ref().map(|it| it.id) != offered.as_ref().map(|it| it.id) {
            return Err(meanwhile());
        }
        if let Some(offer) = open {
            end(work, &offer, OfferEnding::Withdrawn).await?;
        }
        let entry = entry.end(EntryEnded::Left(work.now));
        waitlist::update(&mut work.tx, &entry).await?;
        Ok(entry)
    }

    fn result_id(&self, answer: &Entry) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Entry> {
        find(work, WaitlistEntryId(result_id), Lock::None).await
    }
}
